"""Audit log: who changed what, and when."""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Session

from core.db.models import AuditEvent


def add_audit_event(  # noqa: PLR0917 - the columns in their order
    session: Session, tenant_id: str, kind: str, subject_id: str, action: str, by: str, **details: Any
) -> None:
    """Store an audit event in the same transaction as the change itself."""
    session.add(
        AuditEvent(tenant_id=tenant_id, kind=kind, subject_id=subject_id, action=action, by=by, details=details)
    )
