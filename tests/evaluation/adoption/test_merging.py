"""Theirs keep their names and rules; the knowledge and people are reached; what was learnt stays."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from core.bot.adoption import Adopted, Adoption
from core.bot.parts import BotParts
from core.bot.texts import Texts
from core.errors import InvalidInput, SettingsInvalid
from core.settings import Settings
from evaluation.adoption.findings import format_findings
from evaluation.adoption.merge import Merge
from evaluation.adoption.output import check_place, write_adoption
from evaluation.adoption.project import get_item_name, read_project
from evaluation.training.data import read_parts
from evaluation.training.validation import list_example_problems
from tests.evaluation.adoption.conftest import Merging


def rules(merge: Merge, intent: str) -> list[list[str]]:
    """What is done after an intent."""
    paths = [path for content in merge.data.values() for path in content.get("rules") or ()]
    return [
        [step["action"] for step in path["steps"] if "action" in step]
        for path in paths
        if any(each.get("intent") == intent for each in path["steps"][0].get("or", [path["steps"][0]]))
    ]


def edit(file: Path, old: str, new: str) -> None:
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new))


def test_the_knowledge_answers_and_a_person_comes_whatever_their_rules_say(bikes: Path, merged: Merging) -> None:
    merge = merged(bikes)
    assert rules(merge, "nlu_fallback") == [["rejoinder_clarify"]]
    assert rules(merge, "out_of_scope") == [["rejoinder_answer"]]
    assert rules(merge, "human") == [["action_deactivate_loop", "rejoinder_handoff"]]
    assert rules(merge, "hello") == [["utter_hello"]]
    assert rules(merge, "greet") == []
    assert rules(merge, "stop") == [["action_deactivate_loop", "rejoinder_stop"]]
    assert "human leads to Rejoinder's inbox" in format_findings(merge.findings)
    assert rules(merged(bikes, their_handoff=True), "human") == [["utter_handoff"]]


def test_a_form_takes_no_greeting_or_wish_for_the_text_that_it_waits_for(bikes: Path, merged: Merging) -> None:
    edit(bikes / "config.yml", "pipeline:\n", "pipeline:\n  - name: bot.components.out_of_scope.OutOfScopeComponent\n")
    merge = merged(bikes)
    [mapping] = merge.domain["slots"]["fault"]["mappings"]
    assert set(mapping["not_intent"]) == {get_item_name(each) for each in merge.domain["intents"]} - {"inform"}
    assert merge.config["pipeline"][0]["described"] == {"repair_form": ["book_repair"]}
    assert "fault: a greeting, thanks, stop, a question" in format_findings(merge.findings)
    edit(bikes / "domain.yml", "type: from_text\n", "type: from_text\n        not_intent: book_repair\n")
    assert merged(bikes).config["pipeline"][0]["described"] == {}


def test_few_examples_of_theirs_are_joined_by_ours_of_the_same_meaning(bikes: Path, merged: Merging) -> None:
    merge = merged(bikes)
    ours = {part["intent"]: part["examples"] for part in merge.data["ours/nlu.yml"]["nlu"] if "intent" in part}
    assert "- hi there\n" in ours["hello"]
    assert "- connect me to customer service\n" in ours["human"]
    assert "book_repair" not in ours
    assert not {"greet", "talk_to_person"} & set(ours)
    assert "human, hello: learn from our examples as well" in format_findings(merge.findings)


def test_what_a_customer_may_have_meant_is_offered_but_no_small_talk(bikes: Path, merged: Merging) -> None:
    edit(bikes / "data/nlu.yml", "nlu:\n", "nlu:\n  - intent: tyre_size\n    examples: |\n      - which tyre fits\n")
    edit(
        bikes / "data/rules.yml",
        "rules:\n",
        "rules:\n  - rule: tyres\n    steps: [{intent: tyre_size}, {action: utter_hello}]\n",
    )
    merge = merged(bikes)
    titles = {name: texts[0]["text"] for name, texts in merge.domain["responses"].items() if "utter_title_" in name}
    assert {"utter_title_book_repair": "Book repair", "utter_title_tyre_size": "Tyre size"}.items() <= titles.items()
    assert not {"utter_title_hello", "utter_title_human"} & titles.keys()
    assert "fewer than 10 examples: tyre_size (1), book_repair (6)" in format_findings(merge.findings)


def test_names_that_are_taken_are_theirs(bikes: Path, merged: Merging) -> None:
    edit(bikes / "domain.yml", "slots:\n", "slots:\n  tone:\n    type: text\n    mappings: [{type: custom}]\n")
    merge = merged(bikes)
    assert merge.names == {"utter_handoff": "utter_rejoinder_handoff", "tone": "rejoinder_tone"}
    said = merge.domain["responses"]
    assert said["utter_handoff"] == [{"text": "One moment."}]
    assert said["utter_rejoinder_handoff"][1]["condition"][0]["name"] == "rejoinder_tone"
    assert said["utter_default"] == [{"text": "Pardon?"}]
    assert merge.action_servers == ("http://localhost:5055/webhook",)


def test_a_story_goes_on_without_the_turn_that_the_knowledge_answers(projects: Path, merged: Merging) -> None:
    stories = projects / "library/data/stories.yml"
    stories.write_text(
        stories.read_text()
        + "  - story: aside\n    steps:\n"
        + "".join(
            f"      - {step}\n"
            for step in (
                "intent: renew", "action: a_form", "active_loop: a_form", "intent: out_of_scope", "action: utter_kept",
                "action: a_form", "active_loop: null", "action: utter_renewed", "intent: out_of_scope", "action: utter_kept",
            )
        )
    )  # fmt: skip
    edit(projects / "library/domain.yml", "responses:\n", "forms:\n  a_form: {required_slots: []}\nresponses:\n")
    left = merged(projects / "library").data["theirs/data-stories.yml"]["stories"][-1]["steps"]
    assert [next(iter(step.values())) for step in left] == ["renew", "a_form", "a_form", None, "utter_renewed"]


def test_what_is_wrong_with_a_project_is_said_with_its_place(bikes: Path, merged: Merging) -> None:
    edit(bikes / "data/rules.yml", "utter_hello", "utter_helo")
    edit(bikes / "data/rules.yml", "action_book_repair", "action_bok")
    with (bikes / "data/rules.yml").open("a") as file:
        for one, other in (("a", "b"), ("b", "a")):
            file.write(f"  - rule: {one}\n    steps: [{{action: utter_{one}}}, {{action: utter_{other}}}]\n")
    edit(
        bikes / "domain.yml",
        "utter_default:",
        "utter_a: [{text: a, condition: [{type: slot, name: bike, value: old}]}]\n  utter_b: [{text: b}]\n  utter_default:",
    )
    edit(
        bikes / "domain.yml",
        "required_slots: [bike, fault]",
        "required_slots: [bike, fault, x]\n  other_form:\n    required_slots: [fault]",
    )
    found = merged(bikes)
    assert found.unresolved
    said = format_findings(found.findings)
    assert "data/rules.yml:3: the response utter_helo is missing from the domain" in said
    assert "data/rules.yml:12: the action action_bok is missing from the domain" in said
    assert "the rules go in a circle: utter_a -> utter_b -> utter_a" in said
    assert "every variation of utter_a has a condition: where none holds, nothing is said" in said
    assert "asks for the slot x, which the domain does not have" in said
    assert "repair_form, other_form ask for the same slot fault" in said
    assert "other_form asks for fault, whose mappings have conditions that never hold then" in said


def test_an_intent_of_a_rule_that_nobody_can_say_is_named_with_the_one_that_was_meant(
    bikes: Path, merged: Merging
) -> None:
    edit(bikes / "data/rules.yml", "- intent: human", "- intent: hunan")
    found = [one for one in merged(bikes).findings if "hunan" in one.text]
    assert [one.kind for one in found] == ["attend"]
    assert "no examples" in found[0].text and "is human meant?" in found[0].text


def test_what_buttons_and_examples_name_and_nothing_knows_is_found(bikes: Path, merged: Merging) -> None:
    edit(bikes / "domain.yml", 'payload: "/book_repair"', 'payload: "/book_repairs"')
    edit(
        bikes / "domain.yml",
        "utter_ask_bike:",
        "utter_more:\n    - text: More\n      buttons: [{title: A, payload: '/hello{\"a\": b}'}]\n  utter_ask_bike:",
    )
    edit(bikes / "data/nlu.yml", "[tandem](bike)", "[tandem](bik)")
    edit(bikes / "domain.yml", "intents: [hello", "intents: [nobody_says_this, hello")
    edit(
        bikes / "data/rules.yml",
        "rules:\n",
        "rules:\n  - rule: f\n    steps: [{intent: nlu_fallback}, {action: utter_more}]\n",
    )
    said = format_findings(merged(bikes).findings)
    assert "utter_hello has the button /book_repairs: no such intent; is book_repair meant?" in said
    assert "its entities are not JSON" in said
    assert "examples mark the entity bik, which the domain does not have; is bike meant?" in said
    assert "the intent nobody_says_this has no examples, and no rule or story names it" in said
    assert "nlu_fallback is missing" not in said


def test_a_goodbye_and_a_stop_of_theirs_end_their_forms(bikes: Path, merged: Merging) -> None:
    edit(
        bikes / "data/nlu.yml",
        "nlu:\n",
        "nlu:\n  - intent: so_long\n    examples: |\n      - bye\n      - goodbye\n      - see you\n",
    )
    edit(bikes / "domain.yml", "intents: [hello", "intents: [so_long, hello")
    edit(bikes / "config.yml", "RulePolicy", "FormRulePolicy")
    (rules,) = [one for one in merged(bikes).config["policies"] if "ends" in one]
    assert rules["ends"] == ["stop", "goodbye", "so_long"]


def test_slots_whose_conditions_wait_for_each_other(bikes: Path, merged: Merging) -> None:
    conditions = "        conditions: [{active_loop: repair_form, requested_slot: fault}]\n"
    edit(bikes / "domain.yml", "        entity: bike\n", f"        entity: bike\n{conditions}")
    edit(bikes / "domain.yml", "            requested_slot: fault\n", "            requested_slot: bike\n")
    assert "the conditions of the slots bike and fault wait for each other" in format_findings(merged(bikes).findings)


def test_an_example_of_two_intents_stays_with_the_first_and_can_be_trained_on(
    bikes: Path, merged: Merging, tmp_path: Path
) -> None:
    edit(bikes / "data/nlu.yml", "      - get me somebody", "      - Good morning\n      - get me somebody")
    merge = merged(bikes)
    assert '"Good morning" (hello, not human)' in format_findings(merge.findings)
    adoption = write_adoption(merge, read_project(bikes), tmp_path / "bot")
    parts = BotParts(adoption.data, base=adoption.domain, names=adoption.names)
    assert list_example_problems(read_parts(parts), set(parts.intents())) == []


def test_another_language_gets_no_english_examples(bikes: Path, merged: Merging) -> None:
    edit(bikes / "config.yml", "language: en", "language: de")
    merge = merged(bikes)
    assert merge.data["ours/nlu.yml"]["nlu"] == []
    assert "compared in English only" in format_findings(merge.findings)


def test_a_wish_for_a_person_among_the_examples_of_another_intent_is_named(bikes: Path, merged: Merging) -> None:
    said = "I want to talk to a mechanic\n      - can I speak to a human\n      - is the mechanic there\n"
    said += "      - book me with your mechanic\n      - which mechanic is in today"
    edit(
        bikes / "data/nlu.yml",
        'version: "3.1"\nnlu:\n',
        f'version: "3.1"\nnlu:\n  - intent: mechanic\n    examples: |\n      - {said}\n',
    )
    edit(bikes / "domain.yml", "intents: [hello", "intents: [mechanic, hello")
    assert 'mechanic has examples that ask for a person ("can I speak to a human")' in format_findings(
        merged(bikes).findings
    )


def test_written_anew_it_keeps_what_was_learnt_and_their_files_as_they_are(
    bikes: Path, merged: Merging, tmp_path: Path
) -> None:
    before = {file: file.read_bytes() for file in bikes.rglob("*") if file.is_file()}
    folder = tmp_path / "home/bot"
    adoption = write_adoption(merged(bikes), read_project(bikes), folder)
    learnt = adoption.data / "nlu/learnt.yml"
    learnt.write_text("nlu: []\n")
    again = write_adoption(merged(bikes), read_project(bikes), folder)
    assert again == adoption and learnt.read_text() == "nlu: []\n"
    assert {file: file.read_bytes() for file in bikes.rglob("*") if file.is_file()} == before
    assert sorted(each.name for each in folder.parent.iterdir()) == ["bot"]


def test_the_bot_is_never_written_into_the_project_or_over_something_else(bikes: Path, tmp_path: Path) -> None:
    (tmp_path / "else").mkdir()
    (tmp_path / "else/notes.txt").write_text("mine")
    for folder, said in ((bikes / "bot", "beside each other"), (tmp_path / "else", "something else")):
        with pytest.raises(InvalidInput, match=said):
            check_place(bikes, folder)


def test_an_instance_speaks_with_the_adopted_bot_until_it_forgets_it(
    bikes: Path, merged: Merging, settings: Settings
) -> None:
    adoption: Adoption = write_adoption(merged(bikes), read_project(bikes), settings.home / "bot")
    Adopted(settings.home).remember(adoption)
    parts: BotParts = settings.bot()
    assert {"book_repair", "talk_to_person", "ask_entry"} <= set(parts.intents())
    assert settings.own_action_servers() == ["http://localhost:5055/webhook"]
    assert Texts.load(parts).handoff == Texts.load(BotParts()).handoff
    adopted: dict[str, Any] = json.loads((adoption.folder / "adoption.json").read_text())
    assert adopted["project"] == str(bikes)
    (adoption.folder / "adoption.json").unlink()
    with pytest.raises(SettingsInvalid, match="rejoinder bot forget"):
        settings.bot()
    assert Adopted(settings.home).forget()
    assert "book_repair" not in settings.bot().intents()
