"""A tenant's settings for one area: a stored document over defaults, with every change in the audit log."""

from __future__ import annotations

from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from sqlalchemy import select
from sqlalchemy.orm import Session

from core import audit
from core.db.models import get_current_time
from core.db.models.base import SettingsRow
from core.errors import InvalidInput

Settings = TypeVar("Settings", bound=BaseModel)


def load_tenant_settings(session: Session, tenant_id: str, row: type[SettingsRow], kind: type[Settings]) -> Settings:
    """Load the settings, with defaults for values that are not set."""
    found = session.scalar(select(row).filter_by(tenant_id=tenant_id))
    return kind(**found.document) if found else kind()


def change_tenant_settings(  # noqa: PLR0917 - which settings, then what and who
    session: Session, tenant_id: str, row: type[SettingsRow], kind: type[Settings], changes: dict[str, Any], by: str
) -> Settings:
    """Change some settings and add an audit event; the others keep their values.

    Raises:
        InvalidInput: a name or value is wrong; nothing is changed.
    """
    found = session.scalar(select(row).filter_by(tenant_id=tenant_id))
    before = found.document if found else {}
    try:
        wanted = kind(**{**before, **changes})
    except ValidationError as error:
        lines = [f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors()]
        raise InvalidInput("\n".join(lines)) from None
    if found is None:
        found = row(tenant_id=tenant_id)
        session.add(found)
    found.document = after = wanted.model_dump(mode="json", exclude_defaults=True)
    found.updated_at, found.updated_by = get_current_time(), by
    area = row.__tablename__.removesuffix("_settings")
    audit.add_audit_event(session, tenant_id, "settings", area, "changed", by, before=before, after=after)
    return wanted
