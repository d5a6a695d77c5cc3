"""Query parameters that lists share: page and period."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated

from fastapi import Query

from core.errors import InvalidInput

Limit = Annotated[int, Query(ge=1, le=200, description="At most so many items.")]
Offset = Annotated[int, Query(ge=0, description="Leave out so many items.")]
From = Annotated[date | None, Query(alias="from", description="First day (UTC).")]
To = Annotated[date | None, Query(alias="to", description="Last day (UTC), included.")]
Tenant = Annotated[str, Query(max_length=64)]


def build_period(first: date | None, last: date | None) -> tuple[datetime | None, datetime | None]:
    """Return the beginning of the first day and the end of the last.

    Raises:
        InvalidInput: the first comes after the last.
    """
    if first and last and first > last:
        raise InvalidInput(f"from ({first}) lies after to ({last}).")
    return (
        datetime.combine(first, time(), UTC) if first else None,
        datetime.combine(last + timedelta(days=1), time(), UTC) if last else None,
    )
