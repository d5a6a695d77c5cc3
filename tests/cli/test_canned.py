"""`rejoinder handoffs canned`: the same texts as on the console's page, without a running instance."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from console.cli import app
from core.errors import Conflict, InvalidInput, NotFound, RejoinderError


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REJOINDER_HOME", str(tmp_path))


def run(*words: str) -> str:
    result = CliRunner().invoke(app, ["handoffs", "canned", *words], env={"COLUMNS": "200"}, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


def listed(*options: str) -> list[dict[str, Any]]:
    return json.loads(run("list", "--json", *options))


def test_they_are_written_listed_and_removed() -> None:
    run("add", "Refund", "Hello {first_name}, it is on its way.")
    run("add", "Goodbye", "Have a nice day.")

    assert [(each["name"], each["text"], each["updated_by"]) for each in listed()] == [
        ("Goodbye", "Have a nice day.", "command line"),
        ("Refund", "Hello {first_name}, it is on its way.", "command line"),
    ]
    assert "Hello {first_name}" in run("list")
    run("remove", " Refund ")
    assert [each["name"] for each in listed()] == ["Goodbye"]


def test_each_tenant_has_its_own() -> None:
    run("add", "Refund", "Ours", "--tenant", "other")

    assert listed() == []
    assert [each["text"] for each in listed("--tenant", "other")] == ["Ours"]


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (["add", "Refund", "Again"], Conflict),
        (["add", " ", "Text"], InvalidInput),
        (["add", "Long", "x" * 4001], InvalidInput),
        (["remove", "Nothing"], NotFound),
    ],
)
def test_what_cannot_be_done_is_refused_and_changes_nothing(words: list[str], error: type[RejoinderError]) -> None:
    run("add", "Refund", "Text")
    before = listed()
    with pytest.raises(error):
        run(*words)

    assert listed() == before
