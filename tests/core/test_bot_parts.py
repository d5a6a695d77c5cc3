"""What a bot is made of: the base knows no business, skills are added by a setting, nothing is defined twice."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from core.bot.parts import BotParts, Skill, Voice, find_skills
from core.bot.texts import Texts
from core.errors import InvalidInput, SettingsInvalid
from core.settings import Settings

SHOP = re.compile(
    r"\b(shop|order|parcel|package|refund|deliver\w*|courier|shipping|purchase\w*|bought|sofa|R\d{6})s?\b",
    re.IGNORECASE,
)


def skill(folder: Path, domain: str) -> Skill:
    folder.mkdir()
    (folder / "domain.yml").write_text(f'version: "3.1"\n{domain}')
    return Skill(folder)


def test_the_base_knows_no_shop() -> None:
    parts = BotParts()
    said = [text["text"] for texts in parts.domain()["responses"].values() for text in texts]
    heard = [line for file in parts.data.rglob("*.yml") for line in file.read_text().splitlines()]
    smalltalk = [line for line in heard if line.strip().startswith("- ")]
    questions = (parts.data / "nlu/knowledge.yml").read_text()  # of all kinds of business, shops among them
    assert [text for text in said if SHOP.search(text)] == []
    assert [line for line in smalltalk if SHOP.search(line) and line not in questions] == []
    assert not {"order_number", "order_status", "refund", "delivery_options"} & {*parts.intents()}


def test_a_skill_adds_what_it_can_do_and_takes_it_away_again() -> None:
    on, off = BotParts(skills=find_skills(["shop_orders"])), BotParts()
    assert set(on.intents()) - set(off.intents()) >= {"order_status", "cancel_order", "change_address"}
    assert "order_status_form" in on.domain()["forms"]
    assert off.domain()["forms"] == {}


def test_no_form_takes_a_question_for_what_it_waits_for(tmp_path: Path) -> None:
    mappings = "[{type: from_text}, {type: from_text, not_intent: stop}, {type: from_text, intent: greet}]"
    hotel = skill(tmp_path / "hotel", f"intents: [book]\nslots:\n  guests: {{type: text, mappings: {mappings}}}\n")
    anything, given, named = BotParts(skills=(hotel,)).domain()["slots"]["guests"]["mappings"]
    assert {"book", "greet", "ask_knowledge", "nlu_fallback"} <= set(anything["not_intent"])
    assert "inform" not in anything["not_intent"]
    assert set(given["not_intent"]) == {"stop", "ask_knowledge", "ask_entry", "out_of_scope", "nlu_fallback"}
    assert named == {"type": "from_text", "intent": "greet"}


def test_the_setting_names_skills_or_their_folders(tmp_path: Path) -> None:
    booking = skill(tmp_path / "booking", "intents: [book]\n")
    settings = Settings.load(home=tmp_path, skills=f"shop_orders, {booking.folder}")
    assert [each.name for each in settings.bot().skills] == ["shop_orders", "booking"]


def test_the_demo_shop_brings_its_skill_unless_the_setting_says_otherwise(tmp_path: Path) -> None:
    settings = Settings.load(home=tmp_path)
    assert settings.bot().skills == ()
    settings.demo_mark.write_text("on")
    assert [each.name for each in settings.bot().skills] == ["shop_orders"]
    assert Settings.load(home=tmp_path, skills="none").bot().skills == ()


def test_a_skill_that_is_not_there_is_said_with_those_that_are(tmp_path: Path) -> None:
    with pytest.raises(SettingsInvalid, match=r'no skill "bokking". There are: .*shop_orders'):
        Settings.load(home=tmp_path, skills="bokking").bot()


def test_two_skills_of_one_name_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    other = skill(tmp_path / "a/shop_orders", "intents: [book]\n")
    with pytest.raises(SettingsInvalid, match="same name"):
        find_skills(["shop_orders", str(other.folder)])


@pytest.mark.parametrize(
    ("domain", "said"),
    [
        (
            "responses:\n  utter_greet:\n    - text: hi\n",
            "the response utter_greet is in .*domain.yml and in .*booking",
        ),
        ("actions: [rejoinder_answer]\n", "the action rejoinder_answer is in"),
        ("slots:\n  tone: {type: text, mappings: [{type: custom}]}\n", "the slot tone is in"),
        ("intents: book\n", "intents must be a list"),
        ("intents: [", "is not a domain"),
    ],
)
def test_what_a_skill_gets_wrong_is_said_with_its_place(tmp_path: Path, domain: str, said: str) -> None:
    with pytest.raises(InvalidInput, match=said):
        BotParts(skills=(skill(tmp_path / "booking", domain),)).domain()


def test_name_greeting_and_tone_reach_every_text() -> None:
    formal = BotParts(voice=Voice("Ada", "formal"))
    assert formal.domain()["slots"]["bot_name"]["initial_value"] == "Ada"
    assert formal.responses()["utter_greet"][0]["text"] == "Good day, I am Ada. How may I help you?"
    assert all("'" not in text["text"] for text in formal.responses()["utter_thanks"])
    own = BotParts(voice=Voice("Ada", greeting="Hi from {bot_name} of Fitwell!"))
    assert own.responses()["utter_greet"][0]["text"] == "Hi from Ada of Fitwell!"
    assert "Ada" in own.responses()["utter_bot_challenge"][0]["text"]


def test_what_the_app_says_itself_follows_the_tone() -> None:
    friendly, formal = Texts.load(BotParts()), Texts.load(BotParts(voice=Voice(tone="formal")))
    assert "I'm" in friendly.handoff
    assert "I'm" not in formal.handoff + formal.failed + formal.handoff_nobody
