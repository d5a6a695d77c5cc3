"""What every table has: an id that sorts by time, and its tenant."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, ClassVar

from sqlalchemy import JSON, DateTime, String, TypeDecorator
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from ulid import ULID


class UtcDateTime(TypeDecorator[datetime]):
    """Aware UTC datetimes on every database (SQLite itself forgets the zone)."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Any) -> datetime | None:  # noqa: ARG002
        """To UTC before it is stored."""
        return value.astimezone(UTC) if value else None

    def process_result_value(self, value: datetime | None, dialect: Any) -> datetime | None:  # noqa: ARG002
        """Aware again, whatever the database gave back."""
        return value.replace(tzinfo=value.tzinfo or UTC).astimezone(UTC) if value else None


def generate_id() -> str:
    """A ULID: 26 characters that sort by the time they were made."""
    return str(ULID())


def get_current_time() -> datetime:
    """The current time in UTC."""
    return datetime.now(UTC)


class Base(DeclarativeBase):
    """A row of one tenant."""

    type_annotation_map: ClassVar[dict[Any, Any]] = {
        datetime: UtcDateTime(),
        dict[str, Any]: JSON(),
        list[Any]: JSON(),
        list[dict[str, Any]]: JSON(),
    }

    id: Mapped[str] = mapped_column(String(26), primary_key=True, default=generate_id)
    tenant_id: Mapped[str] = mapped_column(String(64), index=True)


class SettingsRow(Base):
    """One row a tenant: its settings of one area."""

    __abstract__ = True

    document: Mapped[dict[str, Any]] = mapped_column(default=dict)
    """Only what differs from the defaults."""
    updated_at: Mapped[datetime] = mapped_column(default=get_current_time)
    updated_by: Mapped[str] = mapped_column(String(200), default="")
