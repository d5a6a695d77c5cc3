"""`rejoinder harvest` as it is typed."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.test_knowledge import CommandLine, rejoinder  # noqa: F401 -- a fixture

CALL = """\
Agent: Good morning, how can I help?
Customer: Hello! Do you deliver to Northern Ireland?
Agent: Yes, we deliver to all of the UK. Delivery to Northern Ireland takes five working days and costs £6.
Customer: Great, thank you!
"""


@pytest.fixture
def call(tmp_path: Path) -> str:
    path = tmp_path / "call.txt"
    path.write_text(CALL)
    return str(path)


def test_a_calls_text_becomes_a_suggestion_once(rejoinder: CommandLine, call: str) -> None:  # noqa: F811
    first = rejoinder("harvest", call, "--json")
    assert (first.code, first.json["conversations"], first.json["new"]) == (0, 1, 1)
    again = rejoinder("harvest", call, "--json")
    assert (again.code, again.json["conversations"], again.json["new"]) == (0, 0, 0)
    one = rejoinder("harvest", "--conversation", "call-1")
    assert "- Do you deliver to Northern Ireland?" in one.out
    assert "0 new in the queue" in one.out


def test_an_unknown_format_is_refused(rejoinder: CommandLine, tmp_path: Path) -> None:  # noqa: F811
    path = tmp_path / "notes.txt"
    path.write_text("nothing that anybody said")
    ran = rejoinder("harvest", str(path))
    assert ran.code == 1
    assert "notes is in no format that we know" in ran.err


def test_an_unknown_conversation_is_said(rejoinder: CommandLine) -> None:  # noqa: F811
    ran = rejoinder("harvest", "--conversation", "nope")
    assert (ran.code, "There is no conversation 'nope'." in ran.err) == (1, True)
