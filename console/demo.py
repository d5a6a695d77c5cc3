"""The demo shop: orders and a help centre for the questions of a first visit."""

from __future__ import annotations

from contextlib import closing
from datetime import timedelta
from pathlib import Path

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core.db import Database
from core.db.models import KnowledgeEntry, KnowledgeSource, Order, get_current_time
from core.settings import Settings

HELP_CENTRE = Path(__file__).parent.parent / "knowledge/demo"
AUTHOR = "rejoinder start"


def fill_demo_data(settings: Settings, database: Database, tenant_id: str, *, beside: bool = False) -> None:
    """Add the demo data; a team's own knowledge and orders are never touched.

    Orders are added if there are none, the help centre if there are no entries or, with ``beside``, if it was never imported.
    """
    fill_orders(database, tenant_id)
    with database.session() as session:
        is_empty = not session.scalar(select(func.count()).select_from(KnowledgeEntry).filter_by(tenant_id=tenant_id))
        is_there = any(find_source(session, tenant_id, forgotten=forgotten) for forgotten in (False, True))
    if is_empty or (beside and not is_there):
        from knowledge.services import Knowledge  # noqa: PLC0415 - readers are slow to import, and seldom needed

        with closing(Knowledge(settings, database)) as knowledge:
            knowledge.import_folder(tenant_id, HELP_CENTRE)


def find_source(session: Session, tenant_id: str, *, forgotten: bool = False) -> KnowledgeSource | None:
    """Return the demo help centre among a tenant's served sources or, with ``forgotten``, its forgotten ones; None if absent."""
    from knowledge.imports import catalogue  # noqa: PLC0415 - as above

    at = HELP_CENTRE.parts[-2:]
    every = (one for one in catalogue.list_knowledge_sources(session, tenant_id) if Path(one.place).parts[-2:] == at)
    return next((one for one in every if (one.forgotten_at is not None) == forgotten), None)


def retire_help_centre(database: Database, tenant_id: str) -> int:
    """Retire the demo help centre and return the number of entries."""
    return _switch_help_centre(database, tenant_id, is_wanted=False)


def restore_help_centre(database: Database, tenant_id: str) -> int:
    """Restore the retired demo help centre and return the number of entries."""
    return _switch_help_centre(database, tenant_id, is_wanted=True)


def _switch_help_centre(database: Database, tenant_id: str, *, is_wanted: bool) -> int:
    from knowledge.entries import contradictions  # noqa: PLC0415 - as above
    from knowledge.imports import catalogue  # noqa: PLC0415 - as above

    with database.session() as session:
        source = find_source(session, tenant_id, forgotten=is_wanted)
        if source is None:
            return 0
        change = catalogue.restore_source if is_wanted else catalogue.forget_source
        count = change(session, tenant_id, source.name, AUTHOR)
        contradictions.sync_contradiction_items(session, tenant_id)
        return count


def fill_orders(database: Database, tenant_id: str) -> None:
    """Add the demo orders if the tenant has none."""
    with database.session() as session:
        if not session.scalar(select(func.count()).select_from(Order).filter_by(tenant_id=tenant_id)):
            session.add_all(_build_demo_orders(tenant_id))


def _build_demo_orders(tenant_id: str) -> list[Order]:
    today = get_current_time().date()
    common = {"tenant_id": tenant_id}
    return [
        Order(
            **common,
            number="R104233",
            email="ada@example.com",
            status="shipped",
            address="12 Mill Lane, Leeds LS1 4AB",
            placed_on=today - timedelta(days=4),
            expected_on=today + timedelta(days=1),
            carrier="Parcelway",
            tracking="PW 8841 2207",
            items=[{"name": "Linen duvet set", "quantity": 1}],
        ),
        Order(
            **common,
            number="R104871",
            email="ben@example.com",
            status="placed",
            address="3 Harbour View, Bristol BS1 5TY",
            placed_on=today - timedelta(days=1),
            expected_on=today + timedelta(days=4),
            items=[{"name": "Oak side table", "quantity": 1}, {"name": "Stoneware mug", "quantity": 4}],
        ),
        Order(
            **common,
            number="R103990",
            email="cleo@example.com",
            status="delivered",
            address="77 Park Road, London N8 8TE",
            placed_on=today - timedelta(days=16),
            expected_on=today - timedelta(days=11),
            carrier="Parcelway",
            tracking="PW 8790 1154",
            items=[{"name": "Wool throw", "quantity": 2}],
        ),
    ]
