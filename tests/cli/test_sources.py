"""`rejoinder knowledge import --as`, `sources` and `forget` as they are typed."""

from __future__ import annotations

from pathlib import Path
from uuid import uuid4

import pytest

from console import demo
from console.cli.progress import Pace, time_left
from core.db import Database
from core.settings import PREFIX, Settings
from testing import services
from tests.cli.test_knowledge import CommandLine


@pytest.fixture
def rejoinder(settings: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> CommandLine:
    """Without a Chroma: all of this is in the database."""
    monkeypatch.setenv(f"{PREFIX}HOME", str(settings.home))
    monkeypatch.setenv(f"{PREFIX}CHROMA_URL", f"http://127.0.0.1:{services.free_port()}")
    monkeypatch.setenv(f"{PREFIX}TENANT", f"cli-{uuid4().hex[:8]}")
    monkeypatch.setenv("COLUMNS", "200")
    return CommandLine(monkeypatch, capsys)


@pytest.fixture
def prices(tmp_path: Path) -> list[str]:
    paths = [tmp_path / "old.csv", tmp_path / "new.csv"]
    for path, price in zip(paths, (8, 11), strict=True):
        path.write_text(f"question,answer\nWhat does a day ticket cost?,{price} euros.\n")
    return [str(path) for path in paths]


def test_sources_are_named_listed_and_forgotten(rejoinder: CommandLine, prices: list[str]) -> None:
    assert rejoinder("knowledge", "import", prices[0], "--as", "price list").code == 0
    assert "Nothing was imported" not in rejoinder("knowledge", "sources").out
    [listed] = rejoinder("knowledge", "sources", "--json").json
    assert (listed["name"], listed["documents"], listed["entries"], listed["failed"]) == ("price list", 1, 1, 0)
    refused = rejoinder("knowledge", "forget", "price list")
    assert (refused.code, "say --yes" in refused.err) == (2, True)
    assert "1 entries were retired" in rejoinder("knowledge", "forget", "price list", "--yes").out
    assert rejoinder("knowledge", "sources", "--json").json == []
    assert "price list (forgotten)" in rejoinder("knowledge", "sources", "--all").out
    assert rejoinder("knowledge", "forget", "price list", "--undo", "--json").json["entries"] == 1
    assert rejoinder("knowledge", "list", "--status", "approved", "--json").json[0]["answer"] == "8 euros."


def test_contradictions_are_told_after_an_import(rejoinder: CommandLine, prices: list[str]) -> None:
    ran = rejoinder("knowledge", "import", *prices)
    assert ran.code == 0
    assert "1 question has different answers" in ran.out
    assert "new.csv in 'new': 11 euros." in ran.out
    [_, second] = rejoinder("knowledge", "import", *prices, "--json").json["origins"]
    assert [side["answer"] for side in second["contradictions"][0]["sides"]] == ["8 euros.", "11 euros."]


def test_what_fails_in_a_source_is_named_later_too(rejoinder: CommandLine, tmp_path: Path) -> None:
    (tmp_path / "help").mkdir()
    (tmp_path / "help/a.md").write_text("# Opening hours\nNine to five.\n")
    (tmp_path / "help/b.md").write_text("")
    assert rejoinder("knowledge", "import", str(tmp_path / "help")).code == 1
    assert "failed: b.md: it is empty" in rejoinder("knowledge", "sources", "help").out


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (("forget", "nothing", "--yes"), 1, "There is no source 'nothing'. Nothing was imported yet."),
        (("sources", "nothing"), 1, "There is no source 'nothing'"),
        (("import", "a", "b", "--as", "c"), 2, "give one path or address"),
        (("import", "a", "--base-url", "shop.example"), 2, "begins with http"),
        (("import", __file__, "--as", " "), 2, "The name of a source is empty"),
    ],
)
def test_mistakes_are_explained(rejoinder: CommandLine, words: tuple[str, ...], code: int, says: str) -> None:
    ran = rejoinder("knowledge", *words)
    assert (ran.code, says in ran.err) == (code, True)


def test_the_time_left_is_told_from_what_is_done() -> None:
    assert [time_left(30, *each) for each in ((0, 9), (9, 9), (10, 20), (1, 10), (1, 500))] == [
        "", "", "about 30 s left", "about 4 min left", "about 4.2 h left",
    ]  # fmt: skip
    pace = Pace()
    pace.move("reading", 0, 759)
    assert str(pace) == "reading: 0 of 759"
    pace.move("reading", 759, 759)
    assert str(pace) == "reading: 759 of 759"


def test_a_pipe_gets_a_line_now_and_then(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    from time import sleep

    from console.cli import progress

    monkeypatch.setattr(progress, "EVERY_S", 0.05)
    with progress.progress() as show:
        show("reading", 3, 10, "x.md")
        sleep(0.2)
    told = capsys.readouterr().err.splitlines()
    assert 1 <= len(told) <= 4
    assert told[0].startswith("reading: 3 of 10, about ")


def test_who_imports_beside_the_demo_shop_is_told_how_to_take_it_out(
    rejoinder: CommandLine, prices: list[str], settings: Settings
) -> None:
    told = "rejoinder start --no-demo"
    assert told not in rejoinder("knowledge", "import", prices[0]).err
    assert rejoinder("knowledge", "import", str(demo.HELP_CENTRE)).code == 0
    [asked, *_] = (e for e in rejoinder("knowledge", "list", "--json").json if e["answer"] != "8 euros.")
    assert told in rejoinder("knowledge", "import", prices[1]).err
    database = Database(settings.database())
    with database.session() as session:
        tenant_id = session.scalars(demo.select(demo.KnowledgeEntry.tenant_id)).first() or ""
    count = demo.retire_help_centre(database, tenant_id)
    assert count > 10
    assert {e["answer"] for e in rejoinder("knowledge", "list", "--status", "approved", "--json").json} == {
        "8 euros.",
        "11 euros.",
    }
    assert demo.retire_help_centre(database, tenant_id) == 0
    assert demo.restore_help_centre(database, tenant_id) == count
    assert asked["id"] in {e["id"] for e in rejoinder("knowledge", "list", "--status", "approved", "--json").json}
    database.close()


def test_the_demo_shop_comes_beside_a_teams_own_entries_only_where_it_is_asked_for(
    rejoinder: CommandLine, prices: list[str], settings: Settings
) -> None:
    rejoinder("knowledge", "import", prices[0])
    database = Database(settings.database())
    with database.session() as session:
        tenant_id = session.scalars(demo.select(demo.KnowledgeEntry.tenant_id)).first() or ""

    def served() -> int:
        return len(rejoinder("knowledge", "list", "--status", "approved", "--limit", "500", "--json").json)

    demo.fill_demo_data(settings, database, tenant_id)
    assert served() == 1
    demo.fill_demo_data(settings, database, tenant_id, beside=True)
    assert (count := served()) > 10
    demo.fill_demo_data(settings, database, tenant_id, beside=True)
    assert served() == count
    demo.retire_help_centre(database, tenant_id)
    demo.fill_demo_data(settings, database, tenant_id, beside=True)
    assert served() == 1
    database.close()
