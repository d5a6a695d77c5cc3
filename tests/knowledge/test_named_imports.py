"""Sources have names; what was imported before is recognised wherever it lies, and nothing is imported twice."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, update

from core.db import Database
from core.db.models import ImportLease, KnowledgeEntry, ReviewItem, SourceDocument, get_current_time
from core.errors import Conflict, InvalidInput, NotFound
from knowledge.entries import editor
from knowledge.imports import catalogue
from knowledge.imports.importer import Importer, Options, Report
from knowledge.imports.sources.document import Document, Failure, Raw
from knowledge.imports.sources.fetcher import Fetcher
from knowledge.imports.sources.files import Found
from knowledge.imports.sources.origins import Origin, open_origin

T = "shop"
CASES = Path(__file__).parents[2].parent / "shared/cases/import"
Import = Callable[..., Report]


@pytest.fixture
def help_centre(tmp_path: Path) -> Path:
    return written(tmp_path / "help", 6)


def written(folder: Path, pages: int) -> Path:
    folder.mkdir(parents=True)
    for n in range(pages):
        (folder / f"page{n}.md").write_text(f"# Page {n}\n## What is thing {n}?\nIt is number {n}.\n")
    return folder


def importing(database: Database) -> Import:
    def run(place: Path | str | Origin, name: str | None = None, **options: object) -> Report:
        origin = place if isinstance(place, Origin) else open_origin(str(place), Fetcher())
        return Importer(database).run(T, origin, Options(name=name, **options))  # type: ignore[arg-type]

    return run


@pytest.fixture
def import_(database: Database) -> Import:
    return importing(database)


@pytest.fixture
def small_import(sqlite: Database) -> Import:
    return importing(sqlite)


def counts(report: Report) -> tuple[int, int, int, int, int, int]:
    passed_over = len(report.passed_over)
    return report.added, report.changed, report.unchanged, report.retired, len(report.failed), passed_over


def stored(database: Database, status: str = "approved") -> dict[str, str]:
    """Answers by entry id."""
    with database.session() as session:
        return {e.id: e.answer for e in editor.list_entries(session, T, status, limit=10_000)}


def sources(database: Database, **more: bool) -> list[tuple[str, int, int]]:
    with database.session() as session:
        return [(s.name, s.documents, s.entries) for s in catalogue.list_source_counts(session, T, **more)]


def test_the_same_documents_from_another_path_or_a_zip_are_not_doubled(
    import_: Import, database: Database, help_centre: Path, tmp_path: Path
) -> None:
    assert counts(import_(help_centre, "guide")) == (6, 0, 0, 0, 0, 0)
    before = stored(database)
    copy = shutil.copytree(help_centre, tmp_path / "elsewhere/copy")
    report = import_(copy)
    assert (report.name, report.moved_from, counts(report)) == ("guide", str(help_centre), (0, 0, 6, 0, 0, 0))
    packed = shutil.make_archive(str(tmp_path / "packed"), "zip", tmp_path, "help")
    assert (import_(packed).name, counts(import_(packed))) == ("guide", (0, 0, 6, 0, 0, 0))
    assert stored(database) == before
    assert sources(database) == [("guide", 6, 6)]


def test_a_later_export_in_a_zip_changes_the_same_entries(
    small_import: Import, sqlite: Database, help_centre: Path, tmp_path: Path
) -> None:
    small_import(help_centre)
    before = stored(sqlite)
    (help_centre / "page0.md").write_text("# Page 0\n## What is thing 0?\nIt is zero.\n")
    (help_centre / "new.md").write_text("# New\n## What is new?\nThis.\n")
    packed = shutil.make_archive(str(tmp_path / "export"), "zip", tmp_path, "help")
    help_centre.rename(tmp_path / "old")
    assert counts(small_import(packed)) == (1, 1, 5, 0, 0, 0)
    assert before.keys() <= stored(sqlite).keys()
    assert sources(sqlite) == [("help", 7, 7)]


def test_a_renamed_source_and_a_renamed_file_stay_what_they_are(
    small_import: Import, sqlite: Database, help_centre: Path
) -> None:
    small_import(help_centre, "guide")
    before = stored(sqlite)
    report = small_import(help_centre, "Handbook")
    assert (report.renamed_from, counts(report)) == ("guide", (0, 0, 6, 0, 0, 0))
    (help_centre / "page0.md").rename(help_centre / "first.md")
    assert counts(small_import(help_centre, "HANDBOOK"))[:4] == (0, 0, 6, 0)
    assert (stored(sqlite), sources(sqlite)) == (before, [("Handbook", 6, 6)])


def test_a_source_that_lost_half_of_its_files_retires_them_and_says_how_many(
    import_: Import, database: Database, help_centre: Path
) -> None:
    import_(help_centre)
    for n in range(3):
        (help_centre / f"page{n}.md").unlink()
    report = import_(help_centre)
    assert (report.gone, counts(report)) == (3, (0, 0, 3, 3, 0, 0))
    assert sources(database) == [("help", 3, 3)]
    assert (import_(help_centre).gone, len(stored(database))) == (0, 3)


def test_when_nothing_can_be_read_nothing_is_retired(small_import: Import, sqlite: Database, help_centre: Path) -> None:
    small_import(help_centre)
    for page in help_centre.iterdir():
        page.write_bytes(b"")
    (help_centre / "page0.md").unlink()
    report = small_import(help_centre)
    assert (report.retired, len(report.failed), len(stored(sqlite))) == (0, 5, 6)
    with sqlite.session() as session:
        [source] = catalogue.list_source_counts(session, T)
    assert (source.failed, source.failures[0]) == (5, {"uri": "page1.md", "reason": "it is empty"})


def test_what_could_not_be_listed_retires_nothing(small_import: Import, sqlite: Database, help_centre: Path) -> None:
    small_import(help_centre)

    def documents() -> list[Found]:
        pages = [one for one in open_origin(str(help_centre), Fetcher()).documents if one.uri == "page0.md"]
        return [*pages, Failure("https://shop.example/more.xml", "it cannot be reached", hides=True)]

    report = small_import(Origin(str(help_centre), iter(documents())))
    assert (report.incomplete, report.retired, len(stored(sqlite))) == (True, 0, 6)


def test_doubles_inside_a_source_and_across_sources_are_passed_over(
    small_import: Import, sqlite: Database, help_centre: Path, tmp_path: Path
) -> None:
    small_import(help_centre)
    before = stored(sqlite)
    shutil.copy(help_centre / "page1.md", help_centre / "a copy.md")
    report = small_import(help_centre)
    assert [(p.uri, p.reason) for p in report.passed_over] == [("a copy.md", "the same as page1.md")]
    other = written(tmp_path / "other", 1)
    for n in range(3):
        (other / f"more{n}.md").write_text(f"# More {n}\n## What is more {n}?\nIt is more {n}.\n")
    report = small_import(other)
    assert (counts(report), report.passed_over[0].reason) == ((3, 0, 0, 0, 0, 1), "the same as page0.md in 'help'")
    assert before.items() <= stored(sqlite).items()
    assert sources(sqlite) == [("help", 6, 6), ("other", 3, 3)]


def test_a_part_of_a_source_is_not_imported_beside_it(small_import: Import, help_centre: Path) -> None:
    small_import(help_centre)
    (help_centre / "page0.md").write_text("# Page 0\n## What is thing 0?\nIt is zero.\n")
    with pytest.raises(InvalidInput, match=r"page0.md is a document of the source 'help': import .*help again"):
        small_import(help_centre / "page0.md")


def test_places_of_the_same_name_are_told_apart(small_import: Import, sqlite: Database, tmp_path: Path) -> None:
    for shop in ("one", "two", "three"):
        (tmp_path / shop).mkdir()
        (tmp_path / shop / "faq.csv").write_text(f"question,answer\nWhat is {shop}?,Shop {shop}.\n")
        small_import(tmp_path / shop / "faq.csv")
    assert [name for name, *_ in sources(sqlite)] == ["faq", "faq-2", "faq-3"]


def test_a_forgotten_source_is_served_no_longer_and_comes_back_as_it_was(
    import_: Import, database: Database, help_centre: Path
) -> None:
    import_(help_centre)
    with database.session() as session:
        by_hand = editor.list_entries(session, T)[0]
        editor.EntryEditor(session, T, editor.Change("ana", "wrong")).retire(by_hand)
    before = stored(database)
    with database.session() as session:
        assert catalogue.forget_source(session, T, " HELP ", "ana") == 5
    assert (stored(database), sources(database)) == ({}, [])
    assert sources(database, forgotten=True) == [("help", 6, 0)]
    with database.session() as session:
        versions = editor.list_entry_versions(session, editor.get_entry(session, T, next(iter(before))))
        assert (versions[-1].author, versions[-1].reason) == ("ana", catalogue.FORGOTTEN)
        assert catalogue.restore_source(session, T, "help", "ana") == 5
    assert (stored(database), sources(database)) == (before, [("help", 6, 5)])


def test_importing_a_forgotten_source_brings_it_back(small_import: Import, sqlite: Database, help_centre: Path) -> None:
    small_import(help_centre)
    before = stored(sqlite)
    with sqlite.session() as session:
        catalogue.forget_source(session, T, "help", "ana")
    small_import(help_centre)
    assert (stored(sqlite), sources(sqlite)) == (before, [("help", 6, 6)])


def test_an_unknown_name_is_answered_with_the_known_ones(
    small_import: Import, sqlite: Database, help_centre: Path
) -> None:
    with sqlite.session() as session, pytest.raises(NotFound, match=r"no source 'x'. Nothing was imported yet"):
        catalogue.forget_source(session, T, "x", "ana")
    small_import(help_centre, "the guide")
    with sqlite.session() as session, pytest.raises(NotFound, match=r"no source 'x'. There are 'the guide'"):
        catalogue.forget_source(session, T, "x", "ana")


@pytest.mark.parametrize("name", ['Hilfe & Co. (2026) / "neu"', "مدد", "帮助", "a\tb", "[red]x[/red]", "'; drop"])
def test_names_may_have_odd_signs(small_import: Import, sqlite: Database, help_centre: Path, name: str) -> None:
    small_import(help_centre, name)
    assert [one for one, *_ in sources(sqlite)] == [" ".join(name.split())]
    with sqlite.session() as session:
        assert catalogue.forget_source(session, T, name, "ana") == 6


@pytest.mark.parametrize("name", ["", "  ", "x" * 101, "a\0b", "-rf", "a\u202eb"])
def test_names_that_nobody_could_type_are_refused(small_import: Import, help_centre: Path, name: str) -> None:
    with pytest.raises(InvalidInput, match="The name of a source"):
        small_import(help_centre, name)


def test_the_same_source_imported_twice_at_once_is_stored_once(
    import_: Import, database: Database, help_centre: Path
) -> None:
    begun, refused = threading.Event(), threading.Event()

    def waiting() -> list[Found]:
        begun.set()
        assert refused.wait(20)
        return list(open_origin(str(help_centre), Fetcher()).documents)

    def slowly(*, wait: bool) -> Origin:
        def documents():  # type: ignore[no-untyped-def]
            yield from waiting() if wait else ()

        return Origin(str(help_centre), documents())

    first = threading.Thread(target=lambda: import_(slowly(wait=True)))
    first.start()
    assert begun.wait(20)
    with pytest.raises(Conflict, match="is being imported just now"):
        import_(help_centre)
    refused.set()
    first.join(60)
    assert counts(import_(help_centre)) == (0, 0, 6, 0, 0, 0)
    assert len(stored(database)) == 6


def test_an_import_that_was_killed_holds_nobody_up_for_long(
    import_: Import, database: Database, help_centre: Path
) -> None:
    with database.session() as session:
        session.add(ImportLease(tenant_id=T, holder="killed", what="x", renewed_at=get_current_time()))
    with pytest.raises(Conflict):
        import_(help_centre)
    with database.session() as session:
        session.execute(update(ImportLease).values(renewed_at=get_current_time() - timedelta(minutes=2)))
    assert import_(help_centre).added == 6


def test_documents_that_contradict_each_other_are_listed_and_wait_for_staff(
    import_: Import, database: Database
) -> None:
    if not (CASES / "dup").is_dir():
        pytest.skip("the shared cases are not here")
    report = import_(CASES / "dup")
    [one] = report.contradictions
    assert (one.question, [s.document for s in one.sides]) == ("What does a day ticket cost?", ["a.csv", "b.csv"])
    with database.session() as session:
        served = editor.load_served_entries(session, T, list(stored(database)))
        assert [entry.disputed for entry in served.values()] == [True, True]
        assert session.scalars(select(ReviewItem.kind)).all() == ["contradiction"]


def test_a_source_that_is_mended_settles_its_contradiction(
    small_import: Import, sqlite: Database, tmp_path: Path
) -> None:
    for name, price in (("a", 8), ("b", 11)):
        (tmp_path / f"{name}.csv").write_text(f"question,answer\nHow much?,{price} euros.\n")
    small_import(tmp_path / "a.csv")
    assert len(small_import(tmp_path / "b.csv").contradictions) == 1
    assert len(small_import(tmp_path / "a.csv").contradictions) == 1
    (tmp_path / "b.csv").write_text("question,answer\nHow much?,8 euros.\n")
    assert small_import(tmp_path / "b.csv").contradictions == ()
    with sqlite.session() as session:
        assert session.scalars(select(ReviewItem.status)).all() == ["settled"]


def test_sections_with_equal_titles_keep_their_entries(small_import: Import, sqlite: Database, tmp_path: Path) -> None:
    words = [f"There is a word {n} here." for n in range(500)]
    (tmp_path / "words.md").write_text("# Help\n" + "".join(f"## Help\n{word}\n" for word in words))
    assert small_import(tmp_path / "words.md").added == 500
    before = stored(sqlite)
    left = "".join(f"## Help\n{word}\n" for word in words if word != words[7])
    (tmp_path / "words.md").write_text(f"# Help\n{left}")
    report = small_import(tmp_path / "words.md")
    assert (report.retired, report.changed, report.unchanged, report.added) == (1, 0, 499, 0)
    assert stored(sqlite) == {id_: answer for id_, answer in before.items() if answer != words[7]}


def test_a_bad_row_costs_only_itself_and_is_reported_until_it_is_mended(
    small_import: Import, sqlite: Database, tmp_path: Path
) -> None:
    (tmp_path / "a.csv").write_text(f"question,answer,subject\nWhy?,Because.,\nHow?,So.,{'x' * 300}\n")
    for _ in range(2):
        report = small_import(tmp_path / "a.csv")
        assert len(report.failed) == 1
        assert report.failed[0].uri.startswith("a.csv, ")
        assert list(stored(sqlite).values()) == ["Because."]


def test_a_reader_that_breaks_costs_only_its_document(
    small_import: Import, sqlite: Database, help_centre: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from knowledge.imports import importer as module

    def read(raw: Raw, data: bytes) -> Document:
        if raw.uri == "page2.md":
            raise KeyError("xref")
        return real(raw, data)

    real = module.read_raw_document
    monkeypatch.setattr(module, "read_raw_document", read)
    report = small_import(help_centre)
    assert ([f.uri for f in report.failed], report.added) == (["page2.md"], 5)


def test_a_file_whose_name_is_no_text_costs_only_itself(small_import: Import, help_centre: Path) -> None:
    (help_centre / b"caf\xe9.md".decode("utf-8", "surrogateescape")).write_text("# Menu\nTea.\n")
    report = small_import(help_centre)
    assert ([f.reason for f in report.failed], report.added) == (["its name is no readable text"], 6)


def test_the_base_address_is_kept_with_the_source(small_import: Import, sqlite: Database, help_centre: Path) -> None:
    base = "https://shop.example/help/"
    small_import(open_origin(str(help_centre), Fetcher(), base))
    assert counts(small_import(help_centre)) == (0, 0, 6, 0, 0, 0)
    with sqlite.session() as session:
        assert catalogue.list_source_counts(session, T)[0].base_url == base


def test_progress_has_a_total(small_import: Import, sqlite: Database, help_centre: Path) -> None:
    told: list[tuple[int, int]] = []
    origin = open_origin(str(help_centre), Fetcher())
    Importer(sqlite).run(T, origin, Options(), lambda done, total, _uri: told.append((done, total)))
    assert told == [*((n, 6) for n in range(6)), (6, 6)]


def test_every_entry_knows_its_document_after_a_move(import_: Import, database: Database, help_centre: Path) -> None:
    import_(help_centre)
    moved = help_centre.rename(help_centre.parent / "moved")
    import_(moved)
    with database.session() as session:
        query = select(SourceDocument.origin).join(KnowledgeEntry, KnowledgeEntry.source_id == SourceDocument.id)
        assert set(session.scalars(query)) == {"help"}
