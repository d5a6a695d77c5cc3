"""The worker process: Celery with its timetable (`celery -A console.worker worker --beat`)."""

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
    """Alive only once the index was brought up, so that a new instance is not called ready before it knows its stuff."""
    sync_knowledge_index()
    training.give_up_broken()
    tell_alive()
    resume_tuning.delay()
    summarise_calls.delay()  # may take minutes after a long absence; the worker has to say meanwhile that it is alive


@queue.task(name="heartbeat")
def tell_alive() -> None:
    """Say that the worker is alive; `/ready` reads it."""
    with database.session() as session:
        heartbeat.record_heartbeat(session, "worker")


@queue.task(name="sync_index")
def sync_knowledge_index() -> None:
    """Bring the vector index up to the entries in SQL; what could not be indexed at its approval goes live here."""
    knowledge.sync_indexes()


@queue.task(name="settle_feedback")
def settle_feedback() -> None:
    """What customers did after each answer, where that can be told by now."""
    jobs.settle_all(database, get_current_time(), knowledge.compute_similarity)


@queue.task(name="settle_reuse")
def settle_reuse() -> None:
    """What thumbs, corrections and reviewers said of reused answers moves the entries' bounds."""
    with database.session() as session:
        reuse.apply_judgements(session)


@queue.task(name="second_look")
def second_look() -> None:
    """Near misses go to a model, where one is set up, and to the reviewers."""
    from knowledge.jobs import look_again  # noqa: PLC0415 - what only this task needs is loaded with it

    look_again(settings, database)


@queue.task(name="close_idle")
def close_idle() -> None:
    """End conversations in which nothing was said for a day."""
    jobs.close_idle(database, get_current_time())


@queue.task(name="summarise_calls")
def summarise_calls() -> None:
    """Sum up the days that are over, also those that were missed, and delete old single calls."""
    today = get_current_time().date()
    summaries.summarise_missing(database, today)
    summaries.clean_up(database, today, settings.ledger_days)


@queue.task(name="summarise_health")
def summarise_health() -> None:
    """Each model's health in the hour that is over."""
    with database.session() as session:
        summaries.summarise_hour(session, get_current_time() - summaries.HOUR)


@queue.task(name="summarise_performance")
def summarise_performance() -> None:
    """Count the days that are over, also those that were missed."""
    performance.summarise_missing(database, get_current_time().date())


@queue.task(name="tidy_review")
def tidy_review() -> None:
    """Snoozed items back into the review queue, and out what nobody reviewed in time."""
    with database.session() as session:
        cleanup.clean_up_queue(session)


@queue.task(name="harvest")
def harvest_tenants() -> None:
    """Every tenant's finished conversations and unanswered questions into its review queue, and out what expired."""
    from knowledge.jobs import harvest_all  # noqa: PLC0415 - what only this task needs is loaded with it

    harvest_all(settings, database)


@queue.task(name="harvest_conversation")
def harvest_conversation(tenant_id: str, conversation_id: str) -> None:
    """One conversation, on demand."""
    from core.llm.client import own_router  # noqa: PLC0415 - see above
    from knowledge.jobs import make_harvest  # noqa: PLC0415 - see above

    with own_router(settings, database) as ask:
        make_harvest(settings, database, ask).harvester.process_conversation(tenant_id, conversation_id)


@queue.task(name="train_nlu")
def train_nlu(training_id: str) -> None:
    """A training that `Training.start_training` put down: trained, tried out, and deployed where it is not worse."""
    with contextlib.suppress(RejoinderError):  # it is in the record and in the log
        training.run(training_id)


@queue.task(name="tune_embedding")
def tune_embedding(training_id: str) -> None:
    """A training that `Tuning.start_training` put down: trained, evaluated, and deployed where it is better."""
    with contextlib.suppress(RejoinderError):  # it is in the record and in the log
        tuning.run(training_id)


@queue.task(name="deploy_embedding")
def deploy_embedding(tenant_id: str, training_id: str, by: str, reason: str) -> None:
    """Search by a tuned model, whose vectors are made first."""
    tuning.deploy(tenant_id, training_id, by, reason)


@queue.task(name="roll_back_embedding")
def roll_back_embedding(tenant_id: str, by: str, reason: str) -> None:
    """Search by the model before."""
    tuning.rollback(tenant_id, by, reason)


@queue.task(name="resume_tuning")
def resume_tuning() -> None:
    """Go on with what a killed process left."""
    tuning.resume()
