"""`rejoinder knowledge`: import, check, why, sources, forget, search, list, show, retire, reindex, reuse."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import asdict, replace
from textwrap import shorten
from typing import TYPE_CHECKING, Annotated, Any

import typer

from console.cli import disputes, knowledge_check, knowledge_why, reports, reuse
from console.cli.database import opened
from console.cli.options import JsonOption, TenantOption, print_json
from console.cli.progress import progress
from console.cli.tables import print_table
from core.errors import Conflict, InvalidInput, KnowledgeUnavailable

if TYPE_CHECKING:
    from core.db.models import KnowledgeEntry
    from knowledge.entries.editor import Change, EntryEditor
    from knowledge.imports.importer import Report
    from knowledge.services import Knowledge

STATUSES = ("draft", "approved", "retired")
LONGEST_CELL = 120
"""Characters of an answer shown in a table."""
BESIDE_DEMO = "The demo shop's help centre answers beside this. `rejoinder start --no-demo` takes it out, and its order forms with it."
AuthorOption = Annotated[str, typer.Option("--author", help="Who does this; kept with every version.")]

app = typer.Typer(no_args_is_help=True, help="What the bot knows: import, search, look at and retire entries.")
app.command("reuse")(reuse.reuse)
app.command("why")(knowledge_why.why)
app.command("check")(knowledge_check.check)


@app.command("import")
def import_(
    places: Annotated[
        list[str], typer.Argument(metavar="PATH_OR_URL...", help="Files, folders, zips, pages, sitemaps.")
    ],
    name: Annotated[
        str | None, typer.Option("--as", help="The source's name; without it, it is named after its place.")
    ] = None,
    draft: Annotated[bool, typer.Option("--draft", help="Keep what is new or changed back until approved.")] = False,
    author: AuthorOption = "import",
    base_url: Annotated[
        str | None, typer.Option("--base-url", help="Where customers read the documents; relative links lead there.")
    ] = None,
    allow_private: Annotated[
        bool, typer.Option("--allow-private", help="Fetch from addresses of a private network, too.")
    ] = False,
    allow_empty: Annotated[
        bool, typer.Option("--allow-empty", help="Retire everything when there are no documents any more.")
    ] = False,
    check: Annotated[
        bool, typer.Option("--check/--no-check", help="Ask what was imported by its own questions.")
    ] = True,
    as_json: JsonOption = False,
    tenant: TenantOption = None,
) -> None:
    """Import a help centre; importing it again updates what changed and retires what vanished.

    Exit code 1 when a document or a row failed; the others are imported all the same.
    """
    from knowledge.imports.importer import Options  # noqa: PLC0415
    from knowledge.imports.sources.fetcher import Fetcher  # noqa: PLC0415
    from knowledge.imports.sources.origins import open_origin  # noqa: PLC0415

    _check_import(places, name, base_url)
    options = Options(author=author, approved=not draft, allow_empty=allow_empty, name=name)
    fetcher = Fetcher(allow_private=allow_private)
    with _open_knowledge(tenant) as (knowledge, tenant_id), progress() as show:

        def import_place(place: str) -> Report:
            def show_reading(done: int, total: int, uri: str) -> None:
                show("reading", done, total, uri)

            return knowledge.importer.run(tenant_id, open_origin(place, fetcher, base_url), options, show_reading)

        done = [_import_origin(place, import_place) for place in places]
        late = _sync_index(knowledge, tenant_id, lambda count, total: show("indexing", count, total, ""))
        names = [r.name for r in done if r.name and r.added + r.changed] if check and not draft and not late else []
        checked = knowledge_check.check_import(knowledge, tenant_id, names, show)
        if checked:
            done = [replace(r, contradictions=tuple(disputes.find(knowledge, tenant_id, r.name))) for r in done]
        is_beside_demo = any(r.added for r in done) and _has_demo(knowledge, tenant_id, done)
    fetcher.close()
    reports.show(done, indexed=late is None, as_json=as_json, checked=checked)
    if is_beside_demo:
        print(BESIDE_DEMO, file=sys.stderr)
    _print_index_warning(
        late, "everything is stored, and is found by its words at once and by its meaning when the index is back"
    )
    if any(report.failed for report in done):
        raise typer.Exit(1)


@app.command()
def sources(
    name: Annotated[str | None, typer.Argument(metavar="[NAME]", help="Only this one, with what failed.")] = None,
    forgotten: Annotated[bool, typer.Option("--all", help="Those that were forgotten, too.")] = False,
    as_json: JsonOption = False,
    tenant: TenantOption = None,
) -> None:
    """List what was imported: counts, dates, and how many documents and rows failed."""
    from knowledge.imports import catalogue  # noqa: PLC0415

    with opened(tenant) as (_settings, database, tenant_id), database.session() as session:
        only = catalogue.require_source(session, tenant_id, name).name if name else None
        listed = catalogue.list_source_counts(session, tenant_id, forgotten=forgotten or bool(name))
    shown = [source for source in listed if only in (None, source.name)]
    if as_json:
        print_json([asdict(source) for source in shown])
        return
    columns = ("source", "documents", "entries", "drafts", "failed", "imported", "from")
    rows = [
        (
            one.name + (" (forgotten)" if one.forgotten_at else ""),
            one.documents,
            one.entries,
            one.drafts,
            one.failed,
            f"{one.imported_at:%Y-%m-%d %H:%M}",
            one.place,
        )
        for one in shown
    ]
    if rows:
        print_table(columns, rows, right=columns[1:5])
    else:
        print("Nothing was imported yet.")
    for failure in shown[0].failures if only else ():
        print(f"failed: {failure['uri']}: {failure['reason']}")


@app.command()
def forget(
    name: Annotated[str, typer.Argument(metavar="NAME", help="As `knowledge sources` lists it.")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    undo: Annotated[bool, typer.Option("--undo", help="Take it back: everything is again what it was.")] = False,
    author: AuthorOption = "command line",
    as_json: JsonOption = False,
    tenant: TenantOption = None,
) -> None:
    """Retire everything that came from a source; its history stays, and `--undo` brings it back."""
    from knowledge.entries import contradictions  # noqa: PLC0415
    from knowledge.imports import catalogue  # noqa: PLC0415

    with _open_knowledge(tenant) as (knowledge, tenant_id):
        with knowledge.database.session() as session:
            name = catalogue.require_source(session, tenant_id, name).name
            counted = {one.name: one for one in catalogue.list_source_counts(session, tenant_id, forgotten=True)}[name]
        if not undo and not yes and counted.forgotten_at is None:
            _ask_confirmation(f"Retire the {counted.entries + counted.drafts} entries of {name!r}?")
        with knowledge.database.session() as session:
            work = catalogue.restore_source if undo else catalogue.forget_source
            count = work(session, tenant_id, name, author)
        with knowledge.database.session() as session:
            contradictions.sync_contradiction_items(session, tenant_id)
        _print_index_warning(_sync_index(knowledge, tenant_id, lambda _done, _total: None), "the database has it")
    if as_json:
        print_json({"source": name, "entries": count, "forgotten": not undo})
    elif undo:
        print(f"{name!r} is back: {count} entries are again what they were.")
    else:
        print(f"{name!r} is forgotten: {count} entries were retired. `--undo` takes it back.")


@app.command()
def search(
    text: Annotated[str, typer.Argument(help="What a customer would ask.")],
    limit: Annotated[int, typer.Option(min=1, max=50)] = 5,
    as_json: JsonOption = False,
    tenant: TenantOption = None,
) -> None:
    """Show what the bot would find for a question: cosine, BM25 of the words, and the reader's logit of the nearest.

    `knowledge why` shows what it would make of them.
    """
    from knowledge.types import Question  # noqa: PLC0415

    if not text.strip():
        raise InvalidInput("The question is empty.")
    with _open_knowledge(tenant) as (knowledge, tenant_id):
        found = knowledge.retriever.candidates(tenant_id, [text], limit)
        read = knowledge.ranker.read(Question(tenant_id, text), [text], found)
    logits = {ranked.entry.id: ranked.logit for ranked in read}
    if as_json:
        scores = [{"dense": c.dense, "lexical": c.lexical, "reader": logits.get(c.entry.id)} for c in found]
        print_json([{**asdict(c.entry), **each} for c, each in zip(found, scores, strict=True)])
        return
    if not found:
        print("Nothing was found.")
        return
    rows = [
        (
            c.entry.id,
            f"{c.dense:.2f}",
            f"{c.lexical:.1f}",
            f"{logits[c.entry.id]:.2f}" if c.entry.id in logits else None,
            _get_entry_heading(c.entry),
            _shorten_answer(c.entry.answer),
        )
        for c in found
    ]
    columns = ("id", "cosine", "words", "reader", "question or title", "answer")
    print_table(columns, rows, right=columns[1:4])


@app.command("list")
def list_(
    status: Annotated[str | None, typer.Option(help="draft, approved or retired; all without it.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=100_000)] = 50,
    as_json: JsonOption = False,
    tenant: TenantOption = None,
) -> None:
    """List entries, newest first."""
    from knowledge.entries import editor  # noqa: PLC0415

    if status is not None and status not in STATUSES:
        raise typer.BadParameter(f"{status!r} is none of {', '.join(STATUSES)}", param_hint="--status")
    with _open_knowledge(tenant) as (knowledge, tenant_id), knowledge.database.session() as session:
        stored = editor.list_entries(session, tenant_id, status, limit)
        rows = [_describe_entry(entry) for entry in stored]
    if as_json:
        print_json(rows)
        return
    if not rows:
        print("There are no entries.")
        return
    cells = [
        (r["id"], r["status"], r["version"], (r["questions"] or [r["title"] or ""])[0], _shorten_answer(r["answer"]))
        for r in rows
    ]
    print_table(("id", "status", "version", "question or title", "answer"), cells, right=("version",))


@app.command()
def show(
    entry_id: Annotated[str, typer.Argument(metavar="ID")], as_json: JsonOption = False, tenant: TenantOption = None
) -> None:
    """Show an entry with its history."""
    from knowledge.entries import editor  # noqa: PLC0415

    with _open_knowledge(tenant) as (knowledge, tenant_id), knowledge.database.session() as session:
        entry = editor.get_entry(session, tenant_id, entry_id)
        shown = _describe_entry(entry)
        shown["history"] = [
            {
                "version": v.version,
                "at": v.created_at.isoformat(timespec="seconds"),
                "author": v.author,
                "reason": v.reason,
            }
            for v in editor.list_entry_versions(session, entry)
        ]
    if as_json:
        print_json(shown)
        return
    for name, value in shown.items():
        lines = [str(part) for part in value] if isinstance(value, list) else [str(value)]
        print(f"{name}: " + "\n  ".join(lines if len(lines) == 1 else ["", *lines]))


@app.command()
def approve(
    entry_id: Annotated[str, typer.Argument(metavar="ID")],
    reason: Annotated[str, typer.Option("--reason", help="Why; kept in its history.")] = "approved",
    author: AuthorOption = "command line",
    as_json: JsonOption = False,
    tenant: TenantOption = None,
) -> None:
    """Serve a draft, or a retired entry again."""
    from knowledge.entries.editor import Change, EntryEditor  # noqa: PLC0415

    shown = _change_entry_status(
        tenant, entry_id, Change(author, reason), EntryEditor.approve, "it is served once the index is back"
    )
    if as_json:
        print_json(shown)
    else:
        print(f"{entry_id} is approved.")


@app.command()
def retire(
    entry_id: Annotated[str, typer.Argument(metavar="ID")],
    reason: Annotated[str, typer.Option("--reason", help="Why; kept in its history.")],
    author: AuthorOption = "command line",
    as_json: JsonOption = False,
    tenant: TenantOption = None,
) -> None:
    """Serve an entry no longer; it stays readable with its history."""
    from knowledge.entries.editor import Change, EntryEditor  # noqa: PLC0415

    if not reason.strip():
        raise typer.BadParameter("say why", param_hint="--reason")
    shown = _change_entry_status(
        tenant, entry_id, Change(author, reason), EntryEditor.retire, "it is served no longer all the same"
    )
    if as_json:
        print_json(shown)
    else:
        print(f"{entry_id} is retired.")


def _change_entry_status(
    tenant: str | None,
    entry_id: str,
    change: Change,
    move: Callable[[EntryEditor, KnowledgeEntry], None],
    meanwhile: str,
) -> dict[str, Any]:
    """Approve or retire one entry; print a warning if the index is unavailable."""
    from knowledge.entries import editor  # noqa: PLC0415

    with _open_knowledge(tenant) as (knowledge, tenant_id):
        with knowledge.database.session() as session:
            entry = editor.get_entry(session, tenant_id, entry_id)
            move(editor.EntryEditor(session, tenant_id, change), entry)
            shown = _describe_entry(entry)
        _print_index_warning(_sync_index(knowledge, tenant_id, lambda _done, _total: None), meanwhile)
    return shown


@app.command()
def reindex(as_json: JsonOption = False, tenant: TenantOption = None) -> None:
    """Make both indexes anew from the database and compare them with it."""
    with _open_knowledge(tenant) as (knowledge, tenant_id), progress() as show:
        counts = knowledge.synchroniser.rebuild(tenant_id, lambda done, total: show("indexing", done, total, ""))
    if as_json:
        print_json({**asdict(counts), "agree": counts.agree})
    else:
        print(
            f"{counts.served} entries served, {counts.vectors} in the vector index, {counts.words} in the word index."
        )
    if not counts.agree:
        print("The indexes do not agree; was something changed meanwhile? Run it again.", file=sys.stderr)
        raise typer.Exit(1)


@contextmanager
def _open_knowledge(tenant: str | None) -> Iterator[tuple[Knowledge, str]]:
    from knowledge.services import Knowledge  # noqa: PLC0415

    with opened(tenant) as (settings, database, tenant_id), closing(Knowledge(settings, database)) as knowledge:
        yield knowledge, tenant_id


def _has_demo(knowledge: Knowledge, tenant_id: str, done: Sequence[Report]) -> bool:
    """Whether the demo help centre is served beside the imported sources."""
    from console.demo import find_source  # noqa: PLC0415

    with knowledge.database.session() as session:
        source = find_source(session, tenant_id)
        return source is not None and all(report.name != source.name for report in done)


def _check_import(places: list[str], name: str | None, base_url: str | None) -> None:
    from knowledge.imports.catalogue import checked_name  # noqa: PLC0415

    try:
        if name is not None:
            checked_name(name)
    except InvalidInput as error:
        raise typer.BadParameter(str(error), param_hint="--as") from error
    if name is not None and len(places) > 1:
        raise typer.BadParameter("give one path or address: a source has one", param_hint="--as")
    if base_url is not None and not base_url.startswith(("http://", "https://")):
        raise typer.BadParameter("it begins with http:// or https://", param_hint="--base-url")


def _ask_confirmation(question: str) -> None:
    if not sys.stdin.isatty():
        raise typer.BadParameter("nobody can be asked here: say --yes", param_hint="--yes")
    typer.confirm(question, abort=True)


def _import_origin(place: str, run: Callable[[str], Report]) -> Report:
    """Import one origin; one that cannot be read at all is reported as a failed row."""
    from knowledge.imports.importer import Report  # noqa: PLC0415
    from knowledge.imports.sources.document import Failure  # noqa: PLC0415

    try:
        return run(place)
    except (InvalidInput, Conflict) as error:
        return Report(place, 0, 0, 0, 0, 0, (Failure(place, str(error)),))


def _sync_index(
    knowledge: Knowledge, tenant_id: str, progress: Callable[[int, int], None]
) -> KnowledgeUnavailable | None:
    from knowledge.index.synchroniser import sync_quietly  # noqa: PLC0415

    return sync_quietly(knowledge.synchroniser, tenant_id, progress)


def _print_index_warning(late: KnowledgeUnavailable | None, then: str) -> None:
    if late is not None:
        print(f"warning: {late} {then[0].upper()}{then[1:]}.", file=sys.stderr)


def _shorten_answer(answer: str) -> str:
    return shorten(answer, LONGEST_CELL, placeholder=" …")


def _get_entry_heading(entry: Any) -> str:
    return str(entry.questions[0] if entry.questions else entry.title or "")


def _describe_entry(entry: Any) -> dict[str, Any]:
    """Describe a stored entry for output."""
    return {
        "id": entry.id,
        "status": entry.status,
        "version": entry.version,
        "kind": entry.kind,
        "title": entry.title,
        "subject": entry.subject,
        "questions": [question.text for question in entry.questions],
        "answer": entry.answer,
        "language": entry.language,
        "source": entry.source.title if entry.source else None,
        "url": entry.url or (entry.source.url if entry.source else None),
        "external_id": entry.external_id,
        "author": entry.author,
        "updated_at": entry.updated_at.isoformat(timespec="seconds"),
    }
