"""The worker process: Celery with its timetable (`celery -A console.worker worker --beat`)."""

from __future__ import annotations

from celery.schedules import crontab
from celery.signals import setup_logging, worker_ready

from core import logs
from core.db import Database
from core.db.models import now
from core.jobs import heartbeat
from core.jobs.queue import make_queue
from core.llm import summaries
from core.settings import Settings
from knowledge.wiring import make_index_sync

settings = Settings.load()
database = Database(settings.database())
queue = make_queue(settings.broker_url, settings.home)
sync_index = make_index_sync(settings, database)
queue.conf.beat_schedule = {
    "heartbeat": {"task": "heartbeat", "schedule": 10.0, "options": {"expires": 10}},
    "summarise-calls": {"task": "summarise_calls", "schedule": crontab(hour="1", minute="0")},
    "summarise-health": {"task": "summarise_health", "schedule": crontab(minute="5")},
    "sync-index": {"task": "sync_index", "schedule": 15.0, "options": {"expires": 15}},
}


@setup_logging.connect
def _log_like_the_app(**_: object) -> None:
    logs.set_up(settings.log_format, settings.log_level)


@worker_ready.connect
def _begin(**_: object) -> None:
    """Alive only once the index was brought up, so that a new instance is not called ready before it knows its stuff."""
    sync_knowledge_index()
    tell_alive()
    summarise_calls.delay()  # may take minutes after a long absence; the worker has to say meanwhile that it is alive


@queue.task(name="heartbeat")
def tell_alive() -> None:
    """Say that the worker is alive; `/ready` reads it."""
    with database.session() as session:
        heartbeat.beat(session, "worker")


@queue.task(name="sync_index")
def sync_knowledge_index() -> None:
    """Bring the vector index up to the entries in SQL; what could not be indexed at its approval goes live here."""
    sync_index()


@queue.task(name="summarise_calls")
def summarise_calls() -> None:
    """Sum up the days that are over, also those that were missed, and delete old single calls."""
    today = now().date()
    summaries.summarise_missing(database, today)
    summaries.clean_up(database, today, settings.ledger_days)


@queue.task(name="summarise_health")
def summarise_health() -> None:
    """Each model's health in the hour that is over."""
    with database.session() as session:
        summaries.summarise_hour(session, now() - summaries.HOUR)
