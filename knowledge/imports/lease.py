"""A database lease that allows one import per tenant at a time, across processes and machines."""

from __future__ import annotations

from datetime import timedelta
from threading import Event, Thread
from types import TracebackType

from sqlalchemy import select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from core.db import Database
from core.db.models import ImportLease, generate_id, get_current_time
from core.errors import Conflict

RENEWED_EVERY_S = 15
STALE = timedelta(seconds=90)
"""The time after which the lease of a killed import expires."""


class Lease:
    """A lease that is held and renewed while an import runs."""

    def __init__(self, database: Database, tenant_id: str, what: str) -> None:
        self._database = database
        self._tenant_id = tenant_id
        self._what = what[:1000]
        self._holder = generate_id()
        self._over = Event()
        self._thread = Thread(target=self._renew_lease, daemon=True, name="import lease")

    def __enter__(self) -> None:
        """Acquire the lease.

        Raises:
            Conflict: Another import of the tenant is running.
        """
        with self._database.session() as session:
            _add_lease_row(session, self._tenant_id)
            moment = get_current_time()
            free = ImportLease.holder.is_(None) | (ImportLease.renewed_at < moment - STALE)
            taken = update(ImportLease).where(ImportLease.tenant_id == self._tenant_id, free)
            values = {"holder": self._holder, "what": self._what, "since": moment, "renewed_at": moment}
            if not session.execute(taken.values(**values)).rowcount:  # type: ignore[attr-defined]
                other = session.scalars(select(ImportLease).where(ImportLease.tenant_id == self._tenant_id)).one()
                raise Conflict(
                    f"{other.what} is being imported just now (since {other.since:%H:%M:%S} UTC). Nothing was changed: "
                    "import again when that has ended."
                )
        self._thread.start()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Release the lease and stop renewing it."""
        self._over.set()
        self._thread.join()
        self._update_lease(holder=None)

    def _renew_lease(self) -> None:
        while not self._over.wait(RENEWED_EVERY_S):
            try:
                self._update_lease(renewed_at=get_current_time())
            except SQLAlchemyError:
                continue  # the import itself notices if the database is unreachable

    def _update_lease(self, **values: object) -> None:
        with self._database.session() as session:
            session.execute(update(ImportLease).where(ImportLease.holder == self._holder).values(**values))


def _add_lease_row(session: Session, tenant_id: str) -> None:
    insert = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    session.execute(insert(ImportLease).values(tenant_id=tenant_id).on_conflict_do_nothing())
