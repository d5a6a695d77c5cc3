"""Canned replies for staff: one list per tenant, with placeholders for the customer's and the agent's name."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from core import audit
from core.db.models import CannedReply, get_current_time
from core.errors import Conflict, InvalidInput, NotFound

LONGEST_NAME = 80
LONGEST = 4000
PLACEHOLDERS = ("name", "first_name", "agent")
_PLACEHOLDER = re.compile(r"(?P<space>[ \t]?)\{(?P<what>" + "|".join(PLACEHOLDERS) + r")\}")


@dataclass(frozen=True)
class Canned:
    id: str
    name: str
    text: str
    updated_by: str
    updated_at: datetime


def list_canned_replies(session: Session, tenant_id: str) -> list[Canned]:
    """Return the canned replies of a tenant, sorted by name."""
    rows = session.scalars(select(CannedReply).filter_by(tenant_id=tenant_id).order_by(CannedReply.name))
    return [_to_canned_reply(row) for row in rows]


def add_canned_reply(session: Session, tenant_id: str, name: str, text: str, by: str) -> Canned:
    """Store a new canned reply.

    Raises:
        InvalidInput: name or text is empty or too long.
        Conflict: the name is taken.
    """
    name, text = _validate_canned_reply(name, text)
    _require_free_name(session, tenant_id, name, None)
    row = CannedReply(tenant_id=tenant_id, name=name, text=text, updated_by=by)
    session.add(row)
    session.flush()
    audit.add_audit_event(session, tenant_id, "canned reply", row.id, "added", by, name=name)
    return _to_canned_reply(row)


def update_canned_reply(session: Session, tenant_id: str, id_: str, name: str, text: str, *, by: str) -> Canned:
    """Change the name and text of a canned reply.

    Raises:
        NotFound: the tenant has no such canned reply.
        InvalidInput: name or text is empty or too long.
        Conflict: another canned reply has this name.
    """
    row = _get_canned_reply(session, tenant_id, id_)
    name, text = _validate_canned_reply(name, text)
    _require_free_name(session, tenant_id, name, id_)
    before = row.text
    row.name, row.text, row.updated_by, row.updated_at = name, text, by, get_current_time()
    audit.add_audit_event(
        session, tenant_id, "canned reply", row.id, "changed", by, name=name, before=before, after=text
    )
    return _to_canned_reply(row)


def delete_canned_reply(session: Session, tenant_id: str, id_: str, by: str) -> None:
    """Delete a canned reply.

    Raises:
        NotFound: the tenant has no such canned reply.
    """
    row = _get_canned_reply(session, tenant_id, id_)
    audit.add_audit_event(session, tenant_id, "canned reply", row.id, "removed", by, name=row.name, before=row.text)
    session.delete(row)


def fill_placeholders(text: str, customer: str | None, agent: str) -> str:
    """Fill in the names; if the customer's is unknown, its placeholder is removed with the space before it."""
    whole = (customer or "").strip()
    names = {"name": whole, "first_name": whole.partition(" ")[0], "agent": agent}

    def replace_placeholder(found: re.Match[str]) -> str:
        name = names[found["what"]]
        return f"{found['space']}{name}" if name else ""

    return _PLACEHOLDER.sub(replace_placeholder, text)


def _validate_canned_reply(name: str, text: str) -> tuple[str, str]:
    name, text = " ".join(name.split()), text.strip()
    if not 0 < len(name) <= LONGEST_NAME:
        raise InvalidInput(f"A name has 1 to {LONGEST_NAME} characters.")
    if not 0 < len(text) <= LONGEST:
        raise InvalidInput(f"A text has 1 to {LONGEST} characters.")
    return name, text


def _require_free_name(session: Session, tenant_id: str, name: str, but: str | None) -> None:
    known = session.scalar(select(CannedReply.id).filter_by(tenant_id=tenant_id, name=name))
    if known not in {None, but}:
        raise Conflict(f"There is a canned reply of the name “{name}” already.")


def _get_canned_reply(session: Session, tenant_id: str, id_: str) -> CannedReply:
    row = session.get(CannedReply, id_)
    if row is None or row.tenant_id != tenant_id:
        raise NotFound("There is no such canned reply.")
    return row


def _to_canned_reply(row: CannedReply) -> Canned:
    return Canned(row.id, row.name, row.text, row.updated_by, row.updated_at)
