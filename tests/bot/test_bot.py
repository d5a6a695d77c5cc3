"""The shipped bot: its components, its training data, its test stories, and `nlu evaluate`, all inside real Rasa."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import unicodedata
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from console.cli import app
from console.form_check import action_server
from core.bot.parts import BotParts, find_skills
from core.rasa import escape_commands
from core.rasa.answer import parse_rasa_answer
from evaluation.forms import check_forms
from evaluation.nlu import evaluate_nlu
from evaluation.training.data import Example, read_parts, write_rows
from evaluation.training.model import BotModel
from evaluation.training.rasa import ROOT, build_rasa_environment

PYTHON = ROOT / ".venv-bot/bin/python"
MESSAGES = Path(__file__).parent / "messages"
QUESTION = "ask_knowledge"


def in_rasa(*words: str, cwd: Path = ROOT) -> str:
    done = subprocess.run(
        [PYTHON, *words],
        cwd=cwd,
        env=build_rasa_environment(),
        capture_output=True,
        text=True,
        check=False,
        timeout=280,
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-3000:]
    return done.stdout + done.stderr


def test_settings_are_checked_and_bands_are_kept() -> None:
    in_rasa("-m", "tests.bot.check_components")


def test_a_form_of_a_bot_with_another_pipeline_goes_on_after_whatever_it_cannot_use() -> None:
    in_rasa("-m", "tests.bot.check_forms")


def test_forms_understand_each_language_and_one_without_spaces() -> None:
    in_rasa("-m", "tests.bot.check_words")


def test_a_conversation_in_a_form_goes_on_when_its_skill_is_switched_off() -> None:
    in_rasa("-m", "tests.bot.check_lost_form")


def test_rasa_chooses_by_the_customers_channel_and_gives_each_utterance_whole(tmp_path: Path) -> None:
    """By its own server, with our credentials."""
    in_rasa("-m", "tests.bot.check_channel", str(tmp_path / "said"), "web", "whatsapp", "sms")
    said = json.loads((tmp_path / "said").read_text(encoding="utf-8"))
    assert {channel: items[0]["text"] for channel, items in said.items()} == {
        "web": "See the page.\n\nIt has pictures.",
        "whatsapp": "Look at this chat's catalogue.",
        "sms": "Dear friend, call us.",
    }
    where, lamps = parse_rasa_answer(said["web"]).replies
    assert (where.text, lamps.text) == ("See the page.\n\nIt has pictures.", "Our lamps.")
    assert [each["kind"] for each in lamps.attachments] == ["image", "card", "link", "custom"]
    assert lamps.attachments[0]["name"] == "A lamp"


def test_rasa_itself_takes_nothing_that_a_customer_writes_for_a_command(tmp_path: Path) -> None:
    """After every sign of Unicode, and between two slashes."""
    signs = [chr(code) for code in range(sys.maxunicode + 1) if not 0xD800 <= code <= 0xDFFF]
    blank = [sign for sign in signs if sign.isspace() or unicodedata.category(sign) in {"Cc", "Cf", "Zl", "Zp", "Zs"}]
    written = [
        text for sign in blank for text in (f"{sign}/restart", f"/{sign}/restart", f"{sign}{sign}/{sign}restart")
    ]
    taken = {}
    for name, said in (("raw", written), ("heard", list(map(escape_commands, written)))):
        (tmp_path / name).write_text(json.dumps(said), encoding="utf-8")
        in_rasa("-m", "tests.bot.check_commands", str(tmp_path / name), str(tmp_path / "taken"))
        taken[name] = json.loads((tmp_path / "taken").read_text(encoding="utf-8"))
    assert any(taken["raw"])
    assert [text for text, is_command in zip(written, taken["heard"], strict=True) if is_command] == []


@pytest.fixture(scope="module", params=[[], ["shop_orders"]], ids=["neutral", "shop"])
def model(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, trained_models: Path) -> BotModel:
    """Really trained: the base alone, and with the demo shop's skill."""
    model = BotModel(tmp_path_factory.mktemp("bot"), BotParts(skills=find_skills(request.param)))
    if request.param:
        shutil.copytree(trained_models, model.folder)
    if model.stale():
        model.train()
    return model


@pytest.mark.timeout(900)
def test_training_data_is_valid(model: BotModel, tmp_path: Path) -> None:
    model.parts.write_domain(tmp_path / "domain.yml")
    data = [str(folder) for folder in model.parts.data_folders]
    domain = ["--domain", str(tmp_path / "domain.yml"), "--config", "config.yml"]
    in_rasa("-m", "rasa", "data", "validate", "--data", *data, *domain)


@pytest.mark.timeout(900)
def test_every_rule_and_form_goes_as_its_story_says(model: BotModel, tmp_path: Path) -> None:
    for number, stories in enumerate(model.parts.test_folders):
        options = ["--model", str(model.deployed), "--stories", str(stories), "--out", str(tmp_path / str(number))]
        in_rasa("-m", "rasa", "test", "core", *options, "--no-plot", "--fail-on-prediction-errors")


@pytest.mark.timeout(900)
def test_no_disturbance_breaks_a_form(model: BotModel) -> None:
    """Every form and every slot of it, with the skill's own checks of values."""
    release = model.running_release
    assert release
    with action_server(model.parts) as server:
        found = check_forms(release, model.parts, server)
    assert {one["form"] for one in found} == set(model.parts.domain()["forms"])
    assert [one for one in found if one["failures"] or one["not_reached"]] == []
    assert all(one["tried"] >= 20 for one in found)


@pytest.mark.timeout(900)
def test_questions_to_other_businesses_go_to_the_knowledge(model: BotModel, tmp_path: Path) -> None:
    """At most one of a hundred ends in anything else, be it a skill or small talk."""
    questions = messages("other_businesses.txt")
    assert len(questions) >= 150
    assert_mostly(understood(model, questions, tmp_path), len(questions), wrong=0.01)


@pytest.mark.timeout(900)
def test_what_is_no_question_is_understood(model: BotModel, tmp_path: Path) -> None:
    said = messages("everyday.txt")
    assert_mostly(understood(model, said, tmp_path), len(said), wrong=0.1)


@pytest.mark.timeout(900)
def test_a_skill_takes_what_is_meant_for_it_and_no_question_about_its_subject(model: BotModel, tmp_path: Path) -> None:
    if not model.parts.skills:
        pytest.skip("no skill is on")
    said = messages("shop_orders.txt")
    wrong = understood(model, said, tmp_path)
    questions = [intent for _, intent in said if intent == QUESTION]
    assert_mostly([each for each in wrong if f"({QUESTION})" in each], len(questions), wrong=0.05)
    assert_mostly(wrong, len(said), wrong=0.1)


def messages(name: str) -> list[tuple[str, str]]:
    """Texts with the intent that they stand under; questions where they stand under none."""
    found, intent = [], QUESTION
    names = set(BotParts(skills=find_skills(["shop_orders"])).intents())
    for line in (MESSAGES / name).read_text(encoding="utf-8").splitlines():
        if line.startswith("#"):
            intent = line[2:] if line[2:] in names else intent
        elif line:
            found.append((line, intent))
    return found


def understood(model: BotModel, said: list[tuple[str, str]], folder: Path) -> list[str]:
    """What was taken for something else. A question that only nearly is one is answered by `rejoinder_clarify`."""
    (folder / "said.txt").write_text("\n".join(text for text, _ in said))
    archive = next(model.deployed.glob("*.tar.gz"))
    out = in_rasa("-m", "tests.bot.understood", str(archive), str(folder / "said.txt"))
    found = [json.loads(line) for line in out.splitlines() if line.startswith('{"text"')]
    assert len(found) == len(said)
    wrong = []
    for (text, intent), heard in zip(said, found, strict=True):
        as_ = heard["ranking"][0] if heard["intent"] == "nlu_fallback" else heard["intent"]
        as_ = QUESTION if as_ == "out_of_scope" else as_
        if as_ != intent or (heard["intent"] == "nlu_fallback" and intent != QUESTION):
            wrong.append(f"{text} ({intent}): {heard['intent']}, {heard['ranking']}")
    return wrong


def assert_mostly(found: list[str], of: int, *, wrong: float) -> None:
    assert len(found) <= wrong * of, "\n".join(found)


@pytest.mark.timeout(600)
def test_intents_of_three_examples_take_what_says_the_same_and_nothing_else(tmp_path: Path) -> None:
    new = yaml.safe_load((MESSAGES / "few_examples.yml").read_text(encoding="utf-8"))
    taught = [Example(text, each["intent"]) for each in new for text in each["examples"]]
    near = [Example(text, each["intent"]) for each in new for text in each["near"]]
    others = [text for name in ("everyday", "other_businesses", "shop_orders") for text, _ in messages(f"{name}.txt")]
    assert len(near) == 50 and len(others) >= 200
    shipped = read_parts(BotParts(skills=find_skills(["shop_orders"])))
    write_rows(tmp_path / "train.jsonl", [*shipped, *taught])
    write_rows(tmp_path / "test.jsonl", [*near, *(Example(text, "oos") for text in others)])
    evaluate_nlu(tmp_path / "train.jsonl", tmp_path / "test.jsonl", predictions=tmp_path / "found.jsonl")
    found = [json.loads(line) for line in (tmp_path / "found.jsonl").read_text(encoding="utf-8").splitlines()]
    names = {each["intent"] for each in new}
    captured = [one["text"] for one in found[len(near) :] if one["predicted"] in names]
    missed = [one["text"] for one in found[: len(near)] if one["predicted"] != one["intent"]]
    assert captured == []
    assert len(missed) <= len(near) // 10, missed


@pytest.mark.timeout(600)
def test_nlu_evaluate_separates_what_is_known_from_what_is_not(tmp_path: Path) -> None:
    known = {
        "fruit": [f"I would like {n} {k}" for n in ("two", "five", "ten") for k in ("apples", "pears", "plums")],
        "weather": [f"will it {w} {d}" for w in ("rain", "snow", "hail") for d in ("today", "tomorrow", "on Monday")],
    }
    rows = [{"text": text, "intent": intent} for intent, texts in known.items() for text in texts]
    (tmp_path / "train.jsonl").write_text("\n".join(map(json.dumps, rows)))
    asked = [("I would like seven pears", "fruit"), ("will it rain on Tuesday", "weather"), ("who wrote Faust?", "oos")]
    lines = [json.dumps({"text": text, "intent": intent}) for text, intent in asked]
    (tmp_path / "test.jsonl").write_text("\n".join(lines))
    files = ["--train", str(tmp_path / "train.jsonl"), "--test", str(tmp_path / "test.jsonl")]
    done = CliRunner().invoke(app, ["nlu", "evaluate", *files, "--json"])
    figures = json.loads(done.stdout)
    assert {one["intent"]: one["can act"] for one in figures["each_intent"]} == {"fruit": "yes", "weather": "yes"}
    assert (figures["in_scope_accuracy"], figures["oos_recall"], figures["oos_auroc"]) == (1.0, 1.0, 1.0)
    assert figures["train_seconds"] > 0
    assert figures["ms_per_message"] > 0


def test_nlu_evaluate_names_the_line_that_is_wrong(tmp_path: Path) -> None:
    (tmp_path / "bad.jsonl").write_text('{"text": "hello"}\n')
    files = ["--train", str(tmp_path / "bad.jsonl"), "--test", str(tmp_path / "bad.jsonl")]
    done = CliRunner().invoke(app, ["nlu", "evaluate", *files])
    assert done.exit_code == 1
    assert "line 1: needs an object with text and intent" in str(done.exception)
