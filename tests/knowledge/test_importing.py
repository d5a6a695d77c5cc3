"""Importing a help centre once, and again after it has changed."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.errors import InvalidInput
from knowledge.entries import editor
from knowledge.imports.importer import Report
from tests.knowledge.conftest import Shop


@pytest.fixture
def help_centre(tmp_path: Path) -> Path:
    folder = tmp_path / "help"
    folder.mkdir()
    (folder / "returns.md").write_text(
        "# Returns\n## How do I return?\nSend it.\n## How long can I return?\n30 days.\n"
    )
    (folder / "faq.csv").write_text("question,answer\nDo you ship?,Yes.\n")
    return folder


def counts(report: Report) -> tuple[int, int, int, int, int]:
    return report.added, report.changed, report.unchanged, report.retired, len(report.failed)


def test_the_bot_knows_it_at_once(shop: Shop, help_centre: Path) -> None:
    report = shop.import_(help_centre)
    assert (report.documents, counts(report)) == (2, (3, 0, 0, 0, 0))
    assert shop.best("for how long may I send things back") == "30 days."
    assert shop.ask("how long can I return")[0].entry.source is not None


def test_importing_again_changes_only_what_changed(shop: Shop, help_centre: Path) -> None:
    shop.import_(help_centre)
    before = {e.source_key: (e.id, e.version) for e in shop.stored()}
    assert counts(shop.import_(help_centre)) == (0, 0, 3, 0, 0)
    (help_centre / "returns.md").write_text(
        "# Returns\n## How do I return?\nSend it.\n## How long can I return?\n60 days.\n"
    )
    assert counts(shop.import_(help_centre)) == (0, 1, 2, 0, 0)
    assert shop.best("How long can I return?") == "60 days."
    after = {e.source_key: (e.id, e.version) for e in shop.stored()}
    key = "Returns > How long can I return?"
    assert after == {**before, key: (before[key][0], 2)}


def test_a_new_heading_over_the_same_answer_is_the_same_entry(small_shop: Shop, help_centre: Path) -> None:
    small_shop.import_(help_centre)
    (help_centre / "returns.md").write_text(
        "# Returns\n## How can I return?\nSend it.\n## How long can I return?\n30 days.\n"
    )
    assert counts(small_shop.import_(help_centre)) == (0, 1, 2, 0, 0)


def test_what_vanishes_is_retired_and_what_comes_back_is_served_again(shop: Shop, help_centre: Path) -> None:
    shop.import_(help_centre)
    faq = (help_centre / "faq.csv").read_text()
    (help_centre / "faq.csv").unlink()
    assert counts(shop.import_(help_centre)) == (0, 0, 2, 1, 0)
    assert "Yes." not in [c.entry.answer for c in shop.ask("Do you ship?")]
    assert counts(shop.import_(help_centre)) == (0, 0, 2, 0, 0)
    (help_centre / "faq.csv").write_text(faq)
    assert counts(shop.import_(help_centre)) == (0, 1, 2, 0, 0)
    assert shop.best("Do you ship?") == "Yes."


def test_what_a_person_retired_stays_retired(small_shop: Shop, help_centre: Path) -> None:
    small_shop.import_(help_centre)
    small_shop.edit(small_shop.ask("Do you ship?")[0].entry.id, "retire")
    (help_centre / "faq.csv").write_text("question,answer\nDo you ship?,Sometimes.\n")
    small_shop.import_(help_centre)
    assert [e.answer for e in small_shop.stored("retired")] == ["Yes."]


def test_a_broken_document_is_reported_and_the_others_go_on(small_shop: Shop, help_centre: Path) -> None:
    small_shop.import_(help_centre)
    (help_centre / "faq.csv").write_text("name\nmug\n")
    (help_centre / "broken.pdf").write_bytes(b"%PDF-1.4 nothing")
    (help_centre / "page.html").write_text("<script>x</script>")
    (help_centre / "new.md").write_text("# Opening hours\nNine to five.\n")
    report = small_shop.import_(help_centre)
    assert counts(report) == (1, 0, 2, 0, 3)
    assert [f.uri for f in report.failed] == ["broken.pdf", "faq.csv", "page.html"]
    assert small_shop.best("Do you ship?") == "Yes."


def test_no_documents_is_an_error_and_retires_nothing(small_shop: Shop, help_centre: Path) -> None:
    small_shop.import_(help_centre)
    for path in help_centre.iterdir():
        path.unlink()
    with pytest.raises(InvalidInput, match="no documents in"):
        small_shop.import_(help_centre)
    assert len(small_shop.stored("approved")) == 3
    assert counts(small_shop.import_(help_centre, allow_empty=True)) == (0, 0, 0, 3, 0)
    with pytest.raises(InvalidInput, match="no file or folder"):
        small_shop.import_("/nowhere/at/all")


def test_when_everything_fails_nothing_is_retired(small_shop: Shop, help_centre: Path) -> None:
    small_shop.import_(help_centre)
    (help_centre / "returns.md").unlink()
    (help_centre / "faq.csv").write_text("name\nmug\n")
    assert counts(small_shop.import_(help_centre)) == (0, 0, 0, 0, 1)


def test_drafts_are_kept_back_until_imported_without(small_shop: Shop, help_centre: Path) -> None:
    assert counts(small_shop.import_(help_centre, approved=False, author="ana")) == (3, 0, 0, 0, 0)
    assert small_shop.ask("Do you ship?") == []
    assert {e.author for e in small_shop.stored("draft")} == {"ana"}
    assert counts(small_shop.import_(help_centre)) == (0, 3, 0, 0, 0)
    assert small_shop.best("Do you ship?") == "Yes."


def test_thousands_of_rows_become_one_entry_each_in_both_indexes(small_shop: Shop, tmp_path: Path) -> None:
    rows = "\n".join(f"What is the price of part number {n}?,It costs {n} pounds." for n in range(1100))
    (tmp_path / "parts.csv").write_text(f"question,answer\n{rows}\n")
    small_shop.import_(tmp_path / "parts.csv")
    assert small_shop.best("price of part number 777") == "It costs 777 pounds."
    with small_shop.knowledge.database.session() as session:
        revision = editor.revision_of(session, small_shop.tenant)
    assert revision is not None
    assert revision.indexed == revision.number
    index = small_shop.knowledge.spaces.of(revision.model).index
    held = len(index.entry_ids(small_shop.tenant, revision.epoch)), small_shop.knowledge.words.count(small_shop.tenant)
    assert held == (1100, 1100)
    assert small_shop.sync() == 0


def test_what_no_database_takes_is_left_out_or_reported(shop: Shop, tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text(r'{"question": "Half \ud83d or NUL \u0000?", "answer": "Yes\u0000."}')
    (tmp_path / "b.csv").write_text(f"question,answer,subject\nWhy?,Because.,{'x' * 300}\n")
    report = shop.import_(tmp_path)
    assert [e.answer for e in shop.stored()] == ["Yes."]
    assert report.failed[0].reason.endswith("the subject is longer than 200 characters")
