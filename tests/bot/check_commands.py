"""Writes which messages of a file Rasa takes for a command, by its own classes: run in the bot environment."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from rasa.core.channels.channel import UserMessage
from rasa.nlu.classifiers.regex_message_handler import RegexMessageHandler
from rasa.shared.nlu.constants import INTENT, TEXT
from rasa.shared.nlu.training_data.message import Message


def is_command(said: str) -> bool:
    """Does Rasa read an intent out of what it is sent?"""
    heard = UserMessage(said).text
    return RegexMessageHandler().process([Message({TEXT: heard})])[0].get(INTENT) is not None


said, taken = map(Path, sys.argv[1:])
found = [is_command(text) for text in json.loads(said.read_text(encoding="utf-8"))]
taken.write_text(json.dumps(found), encoding="utf-8")
