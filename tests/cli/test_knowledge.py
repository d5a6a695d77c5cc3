"""`rejoinder knowledge` and `rejoinder conversations` as they are typed."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import pytest
from structlog.testing import capture_logs

from console.cli import main
from core import logs
from core.settings import PREFIX, Settings
from testing import services

TURNS = [{"speaker": "user", "text": "Can I pay with cash?"}, {"speaker": "agent", "text": "No, cards only."}]


@dataclass
class Ran:
    code: int
    out: str
    err: str

    @property
    def json(self) -> object:
        return json.loads(self.out)


@dataclass
class CommandLine:
    monkeypatch: pytest.MonkeyPatch
    capsys: pytest.CaptureFixture[str]

    def __call__(self, *words: str) -> Ran:
        self.monkeypatch.setattr(sys, "argv", ["rejoinder", *words])
        self.monkeypatch.setattr(logs, "configure_logging", lambda *_: None)  # it holds for the whole process
        self.capsys.readouterr()
        with pytest.raises(SystemExit) as ended, capture_logs():
            main()
        out, err = self.capsys.readouterr()
        return Ran(int(ended.value.code or 0), out, err)


@pytest.fixture
def rejoinder(
    settings: Settings, chroma_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> CommandLine:
    monkeypatch.setenv(f"{PREFIX}HOME", str(settings.home))
    monkeypatch.setenv(f"{PREFIX}CHROMA_URL", chroma_url)
    monkeypatch.setenv(f"{PREFIX}TENANT", f"cli-{uuid4().hex[:8]}")
    monkeypatch.setenv("COLUMNS", "160")
    return CommandLine(monkeypatch, capsys)


@pytest.fixture
def faq(tmp_path: Path) -> str:
    path = tmp_path / "faq.csv"
    path.write_text("question,answer\nDo you ship to Ireland?,Yes [to all] of it.\nDo you repair chairs?,Yes.\n")
    return str(path)


def test_import_search_show_retire(rejoinder: CommandLine, faq: str) -> None:
    imported = rejoinder("knowledge", "import", faq, "--json")
    assert (imported.code, imported.json["indexed"]) == (0, True)
    assert imported.json["origins"][0]["added"] == 2
    best = rejoinder("knowledge", "search", "Irish delivery", "--json").json[0]
    assert best["answer"] == "Yes [to all] of it."
    assert "Yes [to all] of it." in rejoinder("knowledge", "search", "Irish delivery").out
    retired = rejoinder("knowledge", "retire", best["id"], "--reason", "no more", "--author", "ana")
    assert retired.code == 0
    shown = rejoinder("knowledge", "show", best["id"], "--json").json
    assert shown["status"] == "retired"
    assert [(v["author"], v["reason"]) for v in shown["history"]] == [
        ("import", "imported from faq.csv"),
        ("ana", "no more"),
    ]
    assert [e["status"] for e in rejoinder("knowledge", "list", "--status", "approved", "--json").json] == ["approved"]
    assert "no more" in rejoinder("knowledge", "show", best["id"]).out
    assert rejoinder("knowledge", "approve", best["id"], "--reason", "again").code == 0
    assert rejoinder("knowledge", "search", "Irish delivery", "--json").json[0]["id"] == best["id"]
    assert best["id"] in rejoinder("knowledge", "list").out


def test_reindex_compares_the_indexes_with_the_database(rejoinder: CommandLine, faq: str) -> None:
    rejoinder("knowledge", "import", faq)
    assert rejoinder("knowledge", "reindex", "--json").json == {"served": 2, "vectors": 2, "words": 2, "agree": True}


def test_another_tenant_sees_nothing(rejoinder: CommandLine, faq: str) -> None:
    rejoinder("knowledge", "import", faq)
    assert rejoinder("knowledge", "search", "chairs", "--tenant", "other", "--json").json == []
    assert "Nothing was found" in rejoinder("knowledge", "search", "chairs", "--tenant", "other").out
    assert "no entries" in rejoinder("knowledge", "list", "--tenant", "other").out


def test_what_fails_is_told_with_exit_code_1(rejoinder: CommandLine, faq: str, tmp_path: Path) -> None:
    (tmp_path / "bad.csv").write_text("name\nmug\n")
    ran = rejoinder("knowledge", "import", faq, str(tmp_path / "bad.csv"), "/nowhere", "http://127.0.0.1:1/")
    assert ran.code == 1
    assert "failed: bad.csv: there is no column question and no column answer" in ran.err
    assert "There is no file or folder /nowhere" in ran.err
    assert "private network" in ran.err
    assert rejoinder("knowledge", "list", "--json").json[0]["status"] == "approved"


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (("knowledge", "show", "nope"), 1, "There is no entry 'nope'"),
        (("knowledge", "search", " "), 1, "question is empty"),
        (("knowledge", "list", "--status", "lost"), 2, "draft, approved, retired"),
        (("knowledge", "retire", "x", "--reason", " "), 2, "say why"),
        (("knowledge", "import"), 2, "PATH_OR_URL"),
        (("conversations", "show", "nope"), 1, "There is no conversation 'nope'"),
        (("conversations", "import", "/nowhere"), 2, "does not exist"),
    ],
)
def test_mistakes_are_explained(rejoinder: CommandLine, words: tuple[str, ...], code: int, says: str) -> None:
    ran = rejoinder(*words)
    assert (ran.code, ran.out) == (code, "")
    assert says in ran.err


def test_without_chroma_everything_is_stored_and_it_says_so(
    rejoinder: CommandLine, faq: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(f"{PREFIX}CHROMA_URL", f"http://127.0.0.1:{services.free_port()}")
    ran = rejoinder("knowledge", "import", faq, "--json")
    assert (ran.code, ran.json["indexed"]) == (0, False)
    assert "warning: The knowledge index does not answer. Everything is stored" in ran.err
    assert rejoinder("knowledge", "search", "chairs repaired", "--json").json[0]["answer"] == "Yes."
    assert rejoinder("knowledge", "reindex").code == 1


def test_conversations_are_imported_listed_and_shown(rejoinder: CommandLine, tmp_path: Path) -> None:
    path = tmp_path / "c.jsonl"
    path.write_text(json.dumps({"conversation_id": "c1", "turns": TURNS, "approved": True}) + "\nnope\n")
    ran = rejoinder("conversations", "import", str(path), "--approve", "--json")
    assert ran.code == 1
    assert {k: ran.json[k] for k in ("added", "unchanged", "entries")} == {"added": 1, "unchanged": 0, "entries": 1}
    assert ran.json["failed"][0]["uri"] == "line 2"
    assert rejoinder("knowledge", "search", "cash?", "--json").json[0]["external_id"] == "c1"
    again = rejoinder("conversations", "import", str(path), "--approve")
    assert again.out == "0 added, 1 unchanged, 0 entries learnt, 1 failed\n"
    assert rejoinder("conversations", "list", "--json").json[0]["messages"] == 2
    assert "import" in rejoinder("conversations", "list").out
    assert rejoinder("conversations", "show", "c1").out == "customer: Can I pay with cash?\nagent: No, cards only.\n"
    assert rejoinder("conversations", "show", "c1", "--json").json["turns"][1]["speaker"] == "agent"
