"""Transcripts in files."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from core.errors import InvalidInput
from knowledge.curation.harvest.files import parse_spoken_text, read_conversation_file

CALL = "[00:01] Agent: Oak & Linen, hello?\nCustomer (Jo): Do you deliver\nto Ireland?\nAgent 2: Yes, in five days.\n"


def test_a_calls_text_is_read_line_by_line() -> None:
    (call,) = parse_spoken_text(CALL, "call")
    assert [turn.speaker for turn in call.turns] == ["agent", "customer", "agent"]
    assert call.turns[1].text == "Do you deliver to Ireland?"
    assert (call.external_id, call.approved) == ("call-1", False)


def test_dashes_part_conversations() -> None:
    assert [each.external_id for each in parse_spoken_text(f"{CALL}---\n{CALL}", "calls")] == ["calls-1", "calls-2"]


@pytest.mark.parametrize(
    "text", ["", "Just some words.", "Customer: hello?", "Agent: hello?", f"{CALL}---\nCustomer: hm"]
)
def test_an_unknown_format_is_said_clearly(text: str) -> None:
    with pytest.raises(InvalidInput, match="call"):
        list(parse_spoken_text(text, "call"))


def test_json_lines_come_some_at_a_time_with_the_wrong_lines(tmp_path: Path) -> None:
    turns = [{"speaker": "customer", "text": "hi"}, {"speaker": "agent", "text": "hello"}]
    lines = [json.dumps({"conversation_id": n, "turns": turns}) for n in range(450)]
    lines[300] = "{"
    path = tmp_path / "chats.jsonl"
    path.write_text("\n".join(lines))
    parts = list(read_conversation_file(path))
    assert [len(found) for found, _ in parts] == [200, 199, 50]
    assert [failure.uri for _, failed in parts for failure in failed] == ["line 301"]
