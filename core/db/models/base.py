"""The columns and types that all tables share: ids that sort by time, tenants and UTC times."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, ClassVar

from sqlalchemy import JSON, DateTime, String, TypeDecorator
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from ulid import ULID


class UtcDateTime(TypeDecorator[datetime]):
    """Timezone-aware UTC datetimes on every database (SQLite drops the timezone)."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Any) -> datetime | None:  # noqa: ARG002
        """Convert to UTC before storing."""
        return value.astimezone(UTC) if value else None

    def process_result_value(self, value: datetime | None, dialect: Any) -> datetime | None:  # noqa: ARG002
        """Return an aware UTC datetime, whatever the database returned."""
        return value.replace(tzinfo=value.tzinfo or UTC).astimezone(UTC) if value else None


def generate_id() -> str:
    """Return a new ULID: 26 characters that sort by creation time."""
    return str(ULID())


def get_current_time() -> datetime:
    """Return the current time in UTC."""
    return datetime.now(UTC)


class Base(DeclarativeBase):
    """A row that belongs to one tenant."""

    type_annotation_map: ClassVar[dict[Any, Any]] = {
        datetime: UtcDateTime(),
        dict[str, Any]: JSON(),
        list[Any]: JSON(),
        list[dict[str, Any]]: JSON(),
    }

    id: Mapped[str] = mapped_column(String(26), primary_key=True, default=generate_id)
    tenant_id: Mapped[str] = mapped_column(String(64), index=True)


class SettingsRow(Base):
    """A tenant's settings for one area; one row per tenant."""

    __abstract__ = True

    document: Mapped[dict[str, Any]] = mapped_column(default=dict)
    """Only the values that differ from the defaults."""
    updated_at: Mapped[datetime] = mapped_column(default=get_current_time)
    updated_by: Mapped[str] = mapped_column(String(200), default="")
