"""A bot's languages: which one a conversation is in, and what is said in each."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from core.bot.languages import in_languages, select_variations
from core.bot.parts import BotParts, Voice, find_skills
from core.bot.texts import Texts
from core.errors import InvalidInput, SettingsInvalid
from core.settings import Settings
from evaluation.training.data import read_parts

MESSAGES = Path("tests/bot/messages")
PARTS = BotParts(skills=find_skills(["shop_orders"]))
FORMAL = [{"type": "slot", "name": "tone", "value": "formal"}]


def language(code: str) -> dict[str, str]:
    return {"type": "slot", "name": "language", "value": code}


@pytest.mark.parametrize(
    ("newest_first", "told"),
    [
        (["Hallo"], "de"),
        (["سلام"], "ur"),
        (["مجھے مدد چاہیے"], "ur"),
        (["hello"], "en"),
        ([], "en"),
        (["R104233", "ada@example.com", "ok", "Wo ist meine Bestellung?"], "de"),
        (["hello", "Wo ist meine Bestellung?"], "de"),
        (["where is it now, please", "Wo ist meine Bestellung?"], "en"),
        (["je voudrais savoir où est mon colis"], "en"),
        (["no"], "en"),
    ],
)
def test_the_language_of_a_conversation(newest_first: list[str], told: str) -> None:
    assert PARTS.recogniser().language_of(newest_first) == told


def test_a_bot_that_speaks_german_alone_answers_everybody_in_german() -> None:
    parts = BotParts(languages=("de",))
    assert parts.recogniser().language_of(["where is it now, please"]) == "de"
    assert Texts.load(parts).person == "Mit einem Menschen sprechen"
    domain = parts.domain()
    assert domain["slots"]["language"]["initial_value"] == "de"
    assert domain["responses"]["utter_unknown"][0]["text"].startswith("Es tut mir leid")


def test_no_english_message_is_taken_for_another_language() -> None:
    texts = [line for file in MESSAGES.glob("*.txt") for line in file.read_text(encoding="utf-8").splitlines()]
    recogniser = PARTS.recogniser()
    assert [text for text in texts if text and recogniser.language_of([text]) != "en"] == []


def test_german_is_complete_and_urdu_is_for_the_base() -> None:
    assert PARTS.lacking()["de"] == []
    assert BotParts().lacking()["ur"] == []
    assert "utter_ask_order_number" in PARTS.lacking()["ur"]


def test_translations_have_the_values_and_payloads_of_the_english_text() -> None:
    import re

    english, wrong = BotParts(skills=PARTS.skills, languages=("en",)).domain()["responses"], []
    for code, files in PARTS.language_files().items():
        for name, texts in [each for file in files for each in file.responses.items()]:
            values = [set(re.findall(r"{(\w+)}", text["text"])) for text in (english[name][0], texts[0])]
            payloads = [[b["payload"] for b in text.get("buttons", ())] for text in (english[name][0], texts[0])]
            if payloads[0] != payloads[1] or (values[0] != values[1] and name != "utter_greet"):
                wrong.append((code, name))
    assert wrong == []


def test_a_variation_is_chosen_by_language_and_voice_and_english_where_there_is_none() -> None:
    english: list[dict[str, Any]] = [{"text": "Hi"}, {"text": "Good day", "condition": FORMAL}]
    german = {"utter_hi": [{"text": "Hallo"}]}
    responses = {"utter_hi": english, "utter_bye": [{"text": "Bye"}]}
    found = in_languages(responses, {"de": german, "ur": {}}, ["en", "de", "ur"], {"tone": "formal"})
    assert found["utter_bye"] == [{"text": "Bye"}]
    assert found["utter_hi"] == [
        {"text": "Good day"},
        {"text": "Good day", "condition": [language("en")]},
        {"text": "Hallo", "condition": [language("de")]},
        {"text": "Good day", "condition": [language("ur")]},
    ]


def test_conditions_of_a_teams_own_stay() -> None:
    vip = {"type": "slot", "name": "vip", "value": True}
    texts = [{"text": "Dear Sir", "condition": [vip, *FORMAL]}, {"text": "Hi"}]
    assert select_variations(texts, {"tone": "formal"}) == [{"text": "Dear Sir", "condition": [vip]}]
    assert select_variations(texts, {"tone": "friendly"}) == [{"text": "Hi"}]


def test_a_greeting_that_was_set_is_said_in_every_language() -> None:
    plain, own = BotParts(), BotParts(voice=Voice(greeting="Moin, {bot_name} here."))
    assert len(plain.domain()["responses"]["utter_greet"]) > 1
    assert own.domain()["responses"]["utter_greet"] == [{"text": "{greeting}"}]


def test_examples_of_each_language_are_trained_on() -> None:
    found = {(each.file, each.intent) for each in read_parts(PARTS)}
    assert {("bot/languages/ur.yml", "greet"), ("shop_orders/languages/de.yml", "order_status")} < found
    assert not any("shop_orders" in each.file for each in read_parts(BotParts()))


def test_a_language_without_texts_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REJOINDER_LANGUAGES", "en,xx")
    with pytest.raises(SettingsInvalid, match=r'"xx".*There are: en, de, ur'):
        Settings.load().bot()


@pytest.mark.parametrize("text", ["- no", "responses: {utter_x: 5}", "words: [a]", "a: : b"])
def test_a_file_that_is_none_is_named(tmp_path: Path, text: str) -> None:
    from core.bot.languages import LanguageFile

    (tmp_path / "de.yml").write_text(text)
    with pytest.raises(InvalidInput, match=r"de\.yml is not a language's file"):
        LanguageFile.read(tmp_path / "de.yml")
