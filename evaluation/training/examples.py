"""List, approve and reject learnt examples, and export them to ``learnt.yml`` after a review of the diff.

They have a file of their own, since the topic files are written and commented by hand and come with every update of the
checkout; automatic edits would get in the way. Rasa reads both as one.
"""

from __future__ import annotations

import difflib
import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from core import audit
from core.bot.parts import BotParts
from core.db.models import TrainingExample
from core.errors import Conflict, InvalidInput, NotFound
from core.llm.masking import Masker
from evaluation.training import validation
from evaluation.training.data import LEARNT, Example, format_examples, is_learnt, read_file, read_parts

STAND_INS = {"EMAIL": "name@example.com", "PHONE": "01234 567890", "NAME": "Alex Smith"}
"""Replacements for personal data, to keep it out of the repository. Other kinds are replaced by their name."""
_LONG_NUMBER = re.compile(r"\d{5,}")
_MEMBER = ("proposed", "approved", "exported")


@dataclass(frozen=True)
class Export:
    """The changes that an export would make."""

    diff: str
    """A unified diff; empty if nothing changes."""
    content: str
    digest: str
    """Identifies this change, so that exactly what was reviewed is written."""
    added: Sequence[str]
    """Ids of the examples that the export adds."""


def list_examples(session: Session, tenant_id: str, status: str | None = None) -> list[TrainingExample]:
    rows = select(TrainingExample).filter_by(tenant_id=tenant_id).order_by(TrainingExample.id)
    return list(session.scalars(rows.filter_by(status=status) if status else rows))


def get_example_page(
    session: Session, tenant_id: str, status: str, limit: int, offset: int
) -> tuple[int, list[TrainingExample]]:
    """Return the number of examples with this status and a page of them, by intent, oldest first."""
    rows = select(TrainingExample).filter_by(tenant_id=tenant_id, status=status)
    ordered = rows.order_by(TrainingExample.intent, TrainingExample.id)
    return count_examples(session, tenant_id).get(status, 0), list(session.scalars(ordered.limit(limit).offset(offset)))


def count_examples(session: Session, tenant_id: str) -> dict[str, int]:
    """Return the number of examples per status."""
    row = TrainingExample
    query = select(row.status, func.count()).where(row.tenant_id == tenant_id).group_by(row.status)
    return dict(session.execute(query).all())


def propose_example(
    session: Session, tenant_id: str, example: Example, by: str, source: str = "staff"
) -> TrainingExample:
    """Add an example that waits for approval, or return the existing one if it is a duplicate.

    Raises:
        InvalidInput: the text is empty or a command, or the intent name is invalid for Rasa.
    """
    text = " ".join(example.text.split())
    if not text or text.startswith("/"):
        raise InvalidInput("An example needs a text, and none that begins with a slash: Rasa takes it for a command.")
    _check_name(example.intent)
    same = select(TrainingExample).filter_by(tenant_id=tenant_id, text=text, intent=example.intent)
    known = session.scalar(same.where(TrainingExample.status.in_(_MEMBER)).limit(1))
    if known is not None:
        return known
    row = TrainingExample(tenant_id=tenant_id, text=text, intent=example.intent, source=source, author=by)
    session.add(row)
    session.flush()
    return row


def decide_example(
    session: Session, tenant_id: str, example_id: str, status: str, by: str, *, intent: str = ""
) -> None:
    """Approve or reject a proposal, optionally under another intent; an approved example can still be rejected.

    Raises:
        NotFound: there is no such example.
        Conflict: the example was decided already, or is exported.
        InvalidInput: the other intent's name is invalid for Rasa.
    """
    if intent:
        _check_name(intent)
    row = session.scalar(select(TrainingExample).filter_by(tenant_id=tenant_id, id=example_id))
    if row is None:
        raise NotFound(f"There is no training example {example_id}.")
    from_ = ("proposed",) if status == "approved" else ("proposed", "approved")
    claim = update(TrainingExample).where(TrainingExample.id == row.id, TrainingExample.status.in_(from_))
    changed = session.execute(claim.values(status=status, intent=intent or row.intent))
    if not changed.rowcount:  # type: ignore[attr-defined]
        raise Conflict(f"The training example {example_id} is {row.status} already.")
    audit.add_audit_event(session, tenant_id, "example", row.id, status, by, text=row.text, intent=intent or row.intent)


def _check_name(intent: str) -> None:
    if not re.fullmatch(r"[^\W\d_][\w-]{1,99}(?:/[\w.-]{1,100})?", intent):
        raise InvalidInput(
            f'"{intent}" is no name for an intent: letters, digits and _, such as gift_card or faq/gift_card'
        )


def preview_export(session: Session, tenant_id: str, parts: BotParts, masker: Masker) -> Export:
    """Return the changes that an export would make.

    Raises:
        InvalidInput: the resulting training data would be invalid; the message has a line per problem.
    """
    file = parts.data / "nlu" / LEARNT
    before = file.read_text(encoding="utf-8") if file.exists() else ""
    rows = [row for row in list_examples(session, tenant_id) if row.status in {"approved", "exported", "undone"}]
    added = {
        row.id: Example(mask_example_text(row.text, masker), row.intent, LEARNT)
        for row in rows
        if row.status == "approved"
    }
    topics = [example for example in read_parts(parts) if not is_learnt(example)]
    known = {(example.key, example.intent) for example in topics}
    old = read_file(file) if before else []
    learnt = {(e.key, e.intent): e for e in (*old, *added.values())}
    kept = {(mask_example_text(row.text, masker).casefold(), row.intent) for row in rows if row.status != "undone"}
    gone = {
        (mask_example_text(row.text, masker).casefold(), row.intent) for row in rows if row.status == "undone"
    } - kept
    left = [example for key, example in learnt.items() if key not in gone and key not in known]
    off = {e.base for e in old} - set(parts.intents())  # keep learnt examples of skills that are off now
    validation.check_examples([e for e in (*topics, *left) if e.base not in off], parts.intents())
    after = format_examples(left) if left or before else ""
    diff = "".join(difflib.unified_diff(_split_lines(before), _split_lines(after), f"a/{LEARNT}", f"b/{LEARNT}"))
    return Export(diff, after, hashlib.sha256(f"{before}\0{after}".encode()).hexdigest(), tuple(added))


def export_examples(  # noqa: PLR0917
    session: Session, tenant_id: str, parts: BotParts, masker: Masker, by: str, digest: str = ""
) -> Export:
    """Export the examples; with a digest, only the change that was reviewed.

    Raises:
        InvalidInput: the resulting training data would be invalid; nothing is written.
        Conflict: the change differs from the one that was reviewed.
    """
    found = preview_export(session, tenant_id, parts, masker)
    if digest and digest != found.digest:
        raise Conflict("The examples have changed since you looked at them; look again.")
    for example in found.added:
        session.execute(update(TrainingExample).filter_by(id=example).values(status="exported"))
    audit.add_audit_event(
        session, tenant_id, "example", LEARNT, "exported", by, added=list(found.added), diff=found.diff
    )
    session.flush()  # do not write to the file what the database rejects
    if found.diff:
        file = parts.data / "nlu" / LEARNT
        beside = file.with_suffix(".writing")
        beside.write_text(found.content, encoding="utf-8")
        beside.replace(file)
    return found


def mask_example_text(text: str, masker: Masker) -> str:
    """Return the text on one line, without personal data or anything that Rasa would read as an entity annotation."""
    pieces, place = [], 0
    for found in masker.found(text):
        pieces += [text[place : found.start], STAND_INS.get(found.kind, found.kind.lower().replace("_", " "))]
        place = found.end
    text = "".join([*pieces, text[place:]]).replace("[", "(").replace("]", ")")
    text = _LONG_NUMBER.sub(lambda number: ("1234567890" * 5)[: len(number[0])], text)  # order numbers, accounts
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def _split_lines(text: str) -> list[str]:
    return text.splitlines(keepends=True)
