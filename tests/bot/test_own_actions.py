"""A team's own bot: real Rasa, our webhook, and a real rasa-sdk server that goes away in the middle of a form."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from rasa_sdk.executor import ActionExecutor

from actions.servers import ActionServers
from console.form_check import serve_actions
from core.rasa.answer import parse_rasa_answer
from evaluation.training.rasa import ROOT, build_rasa_environment
from testing.action_server import rasa_sdk_server
from testing.services import free_port

CODE = """
from rasa_sdk import Action, FormValidationAction
from rasa_sdk.interfaces import ActionExecutionRejection


class AskGuests(Action):
    def name(self):
        return "action_ask_guests"

    def run(self, dispatcher, tracker, domain):
        dispatcher.utter_message(text="guests?")
        return []


class Book(Action):
    def name(self):
        return "action_book"

    def run(self, dispatcher, tracker, domain):
        dispatcher.utter_message(text=f"booked for {tracker.get_slot('guests')}, {tracker.get_slot('name')}")
        return []


class ValidateTable(FormValidationAction):
    def name(self):
        return "validate_table_form"

    def validate_guests(self, value, dispatcher, tracker, domain):
        if value == "what":
            raise ActionExecutionRejection("table_form", "no number")
        return {"guests": {"four": "4"}.get(value)}
"""

Say = Callable[[str], dict[str, Any]]


@contextmanager
def rasa(url: str) -> Iterator[Say]:
    """A small bot of real Rasa whose actions run behind our webhook."""
    servers = ActionServers([url], domain={"forms": {"table_form": {"required_slots": ["guests", "name"]}}})
    with serve_actions(ActionExecutor(), servers) as webhook:
        command = [ROOT / ".venv-bot/bin/python", "-m", "tests.bot.talk_to_actions", webhook.url, webhook.secret]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
        with subprocess.Popen(command, cwd=ROOT, env=build_rasa_environment(), text=True, **pipes) as running:
            assert running.stdin and running.stdout
            to, answers = running.stdin, running.stdout

            def hear() -> Any:
                return json.loads(next(line for line in answers if line.startswith(('"ready', '{"said'))))

            def say(text: str) -> Any:
                to.write(f"{text}\n")
                to.flush()
                return hear()

            assert hear() == "ready"
            yield say
            to.close()


def texts(heard: dict[str, Any]) -> list[str]:
    return "\n\n".join(reply.text for reply in parse_rasa_answer(heard["said"]).replies).split("\n\n")


@pytest.mark.timeout(300)
def test_a_form_stands_while_its_action_server_is_away(tmp_path: Path) -> None:
    port = free_port()
    with rasa(f"http://127.0.0.1:{port}/webhook") as say:
        with rasa_sdk_server(tmp_path, CODE, port):
            assert texts(say("book a table")) == ["guests?"]
            assert texts(say("some")) == ["guests?"]
            rejected = say("what")
            assert texts(rejected) == ["hint", "guests?"]
        away = say("four")
        assert away["slots"]["guests"] is None and away["form"] == "table_form"
        assert texts(away) == ["failed"]
        reading = parse_rasa_answer(away["said"])
        assert reading.outcome == "failed" and "does not answer" in reading.note["error"]
        with rasa_sdk_server(tmp_path, CODE, port):
            assert texts(say("four")) == ["name?"]
        assert texts(say("Ada")) == ["failed", "name?"]
        with rasa_sdk_server(tmp_path, CODE, port):
            assert texts(say("Ada")) == ["booked for 4, Ada"]
