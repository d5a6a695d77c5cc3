"""The worker process: Celery with its schedule (`celery -A console.worker worker --beat`)."""

from __future__ import annotations

import contextlib

from celery.schedules import crontab
from celery.signals import setup_logging, worker_ready

from core import logs
from core.conversations import jobs
from core.db import Database
from core.db.models import get_current_time
from core.errors import RejoinderError
from core.jobs import heartbeat
from core.jobs.queue import make_queue
from core.llm import summaries
from core.settings import Settings
from evaluation import performance
from evaluation.training.service import make_training
from evaluation.tuning.service import make_tuning
from knowledge.answers import reuse
from knowledge.curation.review import cleanup
from knowledge.services import Knowledge

settings = Settings.load()
database = Database(settings.database())
queue = make_queue(settings.broker_url, settings.home)
knowledge = Knowledge(settings, database)
training = make_training(settings, database)
tuning = make_tuning(settings, knowledge)
queue.conf.beat_schedule = {
    "heartbeat": {"task": "heartbeat", "schedule": 10.0, "options": {"expires": 10}},
    "summarise-calls": {"task": "summarise_calls", "schedule": crontab(hour="1", minute="0")},
    "summarise-health": {"task": "summarise_health", "schedule": crontab(minute="5")},
    "summarise-performance": {"task": "summarise_performance", "schedule": crontab(hour="0", minute="20")},
    "tidy-review": {"task": "tidy_review", "schedule": crontab(minute="15")},
    "harvest": {"task": "harvest", "schedule": crontab(hour="2", minute="0")},
    "settle-feedback": {"task": "settle_feedback", "schedule": 60.0, "options": {"expires": 60}},
    "settle-reuse": {"task": "settle_reuse", "schedule": 60.0, "options": {"expires": 60}},
    "second-look": {"task": "second_look", "schedule": crontab(minute="*/10"), "options": {"expires": 600}},
    "close-idle": {"task": "close_idle", "schedule": crontab(minute="*/10")},
    "sync-index": {"task": "sync_index", "schedule": 15.0, "options": {"expires": 15}},
}


@setup_logging.connect
def _log_like_the_app(**_: object) -> None:
    logs.configure_logging(settings.log_format, settings.log_level)


@worker_ready.connect
def _prepare_worker(**_: object) -> None:
    """Sync the index before the first heartbeat, to keep a new instance from being ready without its knowledge."""
    sync_knowledge_index()
    training.give_up_broken()
    tell_alive()
    resume_tuning.delay()
    summarise_calls.delay()  # may take minutes after a long downtime; heartbeats must continue meanwhile


@queue.task(name="heartbeat")
def tell_alive() -> None:
    """Record the worker's heartbeat, which `/ready` reads."""
    with database.session() as session:
        heartbeat.record_heartbeat(session, "worker")


@queue.task(name="sync_index")
def sync_knowledge_index() -> None:
    """Sync the vector index with the entries in SQL. Entries that could not be indexed at approval go live here."""
    knowledge.sync_indexes()


@queue.task(name="settle_feedback")
def settle_feedback() -> None:
    """Record what customers did after each answer, as far as it is known by now."""
    jobs.settle_all(database, get_current_time(), knowledge.compute_similarity)


@queue.task(name="settle_reuse")
def settle_reuse() -> None:
    """Update the entries' reuse bounds from thumbs, corrections and reviews of reused answers."""
    with database.session() as session:
        reuse.apply_judgements(session)


@queue.task(name="second_look")
def second_look() -> None:
    """Send near misses to a model, if one is set up, and to the reviewers."""
    from knowledge.jobs import look_again  # noqa: PLC0415 - what only this task needs is loaded with it

    look_again(settings, database)


@queue.task(name="close_idle")
def close_idle() -> None:
    """End conversations that have been idle for a day."""
    jobs.close_idle(database, get_current_time())


@queue.task(name="summarise_calls")
def summarise_calls() -> None:
    """Summarise the calls of past days, including missed ones, and delete old single calls."""
    today = get_current_time().date()
    summaries.summarise_missing(database, today)
    summaries.clean_up(database, today, settings.ledger_days)


@queue.task(name="summarise_health")
def summarise_health() -> None:
    """Summarise each model's health over the past hour."""
    with database.session() as session:
        summaries.summarise_hour(session, get_current_time() - summaries.HOUR)


@queue.task(name="summarise_performance")
def summarise_performance() -> None:
    """Summarise the performance of past days, including missed ones."""
    performance.summarise_missing(database, get_current_time().date())


@queue.task(name="tidy_review")
def tidy_review() -> None:
    """Return snoozed items to the review queue and remove those not reviewed in time."""
    with database.session() as session:
        cleanup.clean_up_queue(session)


@queue.task(name="harvest")
def harvest_tenants() -> None:
    """Harvest every tenant's finished conversations and unanswered questions for review, and remove what has expired."""
    from knowledge.jobs import harvest_all  # noqa: PLC0415 - what only this task needs is loaded with it

    harvest_all(settings, database)


@queue.task(name="harvest_conversation")
def harvest_conversation(tenant_id: str, conversation_id: str) -> None:
    """Harvest one conversation on demand."""
    from core.llm.client import own_router  # noqa: PLC0415 - see above
    from knowledge.jobs import make_harvest  # noqa: PLC0415 - see above

    with own_router(settings, database) as ask:
        make_harvest(settings, database, ask).harvester.process_conversation(tenant_id, conversation_id)


@queue.task(name="train_nlu")
def train_nlu(training_id: str) -> None:
    """Train and evaluate a model that `TrainingService.start_training` has queued; deploy it unless it is worse."""
    with contextlib.suppress(RejoinderError):  # recorded with the training and logged
        training.run(training_id)


@queue.task(name="tune_embedding")
def tune_embedding(training_id: str) -> None:
    """Train and evaluate a model that `Tuning.start_training` has queued; deploy it if it is better."""
    with contextlib.suppress(RejoinderError):  # recorded with the training and logged
        tuning.run(training_id)


@queue.task(name="deploy_embedding")
def deploy_embedding(tenant_id: str, training_id: str, by: str, reason: str) -> None:
    """Deploy a tuned model for search, after computing its vectors."""
    tuning.deploy(tenant_id, training_id, by, reason)


@queue.task(name="roll_back_embedding")
def roll_back_embedding(tenant_id: str, by: str, reason: str) -> None:
    """Roll search back to the previous embedding model."""
    tuning.rollback(tenant_id, by, reason)


@queue.task(name="resume_tuning")
def resume_tuning() -> None:
    """Resume the tunings that a killed process left unfinished."""
    tuning.resume()
