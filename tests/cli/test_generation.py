"""The commands about language models, as an operator reads them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from testing import Behaviour, FakeOpenAI
from testing.services import free_port
from tests.cli.test_knowledge import CommandLine

Run = Any


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs a command on an empty instance of its own."""
    home = {"REJOINDER_HOME": str(tmp_path / "var"), "REJOINDER_PORT": str(free_port() % 40000 + 20000)}
    command_line = CommandLine(monkeypatch, capsys)

    def rejoinder(*words: str, code: int = 0, **env: str) -> tuple[str, str]:
        with monkeypatch.context() as here:
            for name, value in (home | env).items():
                here.setenv(name, value)
            ran = command_line(*words)
        assert ran.code == code, ran.err + ran.out
        assert "Traceback" not in ran.err
        return ran.out, ran.err

    return rejoinder


def test_the_list_says_what_to_set(run: Run) -> None:
    out, _ = run("providers", "list")
    assert "REJOINDER_OPENAI_API_KEY" in out and "openai/" in out
    rows = json.loads(run("providers", "list", "--json", REJOINDER_GEMINI_API_KEY="x")[0])
    assert {row["id"].split("/")[0] for row in rows if row["configured"]} == {"gemini"}


def test_a_test_without_a_provider_says_so(run: Run) -> None:
    _, error = run("providers", "test", code=1)
    assert "No provider is set up" in error


def test_a_test_really_calls_and_names_cause_and_mend(run: Run) -> None:
    with FakeOpenAI() as fake:
        env = {"REJOINDER_OPENAI_API_KEY": "sk-secret", "REJOINDER_OPENAI_URL": fake.url}
        out, _ = run("providers", "test", **env)
        assert out.startswith("openai: ok")
        fake.plan(Behaviour(fault="unauthorised"))
        out, error = run("providers", "test", "openai", code=1, **env)
        assert "FAILED" in out and "refused the key" in out and "mend: Check the key" in out
        assert "sk-secret" not in out + error
        fake.plan(Behaviour(fault="html"))
        (report,) = json.loads(run("providers", "test", "--json", code=1, **env)[0])
        assert report["error_kind"] == "malformed"
        costs = json.loads(run("costs", "--by", "model", "--json")[0])
        assert sum(row["calls"] for row in costs) == 3
        assert "total" in run("costs", "--by", "day")[0]


def test_routing_is_set_from_a_file_and_a_wrong_one_is_refused(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "routing.json"
    file.write_text(run("route", "show")[0])
    document = json.loads(file.read_text())
    assert document["rules"][0]["name"] == "approved"
    file.write_text(json.dumps({**document, "candidates": 2}))
    assert json.loads(run("route", "set", str(file), "--json")[0])["candidates"] == 2
    assert json.loads(run("route", "show")[0])["candidates"] == 2
    file.write_text(json.dumps({"rules": document["rules"][1:]}))
    _, error = run("route", "set", str(file), code=1)
    assert "approved" in error
    file.write_text("{")
    _, error = run("route", "set", str(file), code=1)
    assert "no JSON" in error
    assert json.loads(run("route", "reset", "--json")[0])["candidates"] == 1
    assert json.loads(run("route", "show", "--json")[0])["candidates"] == 1


@pytest.mark.parametrize("words", [("providers", "stats"), ("providers", "reset"), ("route", "explain", "Hello?")])
def test_what_lives_in_the_app_needs_it_running(run: Run, words: tuple[str, ...]) -> None:
    _, error = run(*words, code=1)
    assert "No running instance" in error


def test_wrong_words_get_a_line(run: Run) -> None:
    assert "--by is one of" in run("costs", "--by", "colour", code=1)[1]
    assert "lies after" in run("costs", "--from", "2026-02-02", "--to", "2026-01-01", code=1)[1]
    assert "No calls" in run("costs")[0]


def test_the_token_opens_the_api(run: Run) -> None:
    token = run("token")[0].strip()
    assert len(token) == 64
    assert json.loads(run("token", "--json")[0]) == {"token": token}
    assert run("token", REJOINDER_API_TOKEN="mine")[0].strip() == "mine"


def test_a_model_reads_along_in_the_harvest(run: Run, tmp_path: Path) -> None:
    call = tmp_path / "call.txt"
    call.write_text(
        "Customer: Is my island part of what you deliver to? Northern Ireland, I mean.\n"
        "Agent: Yes, we deliver to all of the UK. Delivery to Northern Ireland takes five working days and costs £6.\n"
    )
    question = "Do you deliver to Northern Ireland?"
    with FakeOpenAI() as fake:
        env = {"REJOINDER_OPENAI_API_KEY": "sk-secret", "REJOINDER_OPENAI_URL": fake.url}
        reply = Behaviour(text=json.dumps({"pairs": [{"question": question, "answer": [2, 3]}]}))
        fake.plan(reply, reply)
        done = json.loads(run("harvest", str(call), "--json", **env)[0])
        assert (done["candidates"], done["new"]) == (1, 1)
        assert f"- {question}" in run("harvest", "--conversation", "call-1", **env)[0]
    (row,) = json.loads(run("costs", "--by", "route", "--json")[0])
    assert (row["name"], row["calls"]) == ("harvest", 2)
