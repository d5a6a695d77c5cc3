"""A task runs on the file broker that needs nothing, on Redis and on RabbitMQ."""

from __future__ import annotations

import threading
from datetime import timedelta
from pathlib import Path

import pytest
from celery.contrib.testing.worker import start_worker
from kombu.exceptions import OperationalError

from core.db import Database
from core.db.models import get_current_time
from core.jobs import heartbeat
from core.jobs.queue import make_queue
from testing import services


@pytest.mark.parametrize("broker", ["", services.REDIS, services.RABBITMQ], ids=["files", "redis", "rabbitmq"])
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")
def test_a_task_is_done(broker: str, tmp_path: Path) -> None:
    queue, done = make_queue(broker, tmp_path), threading.Event()
    if broker:
        try:
            with queue.connection_for_write() as connection:
                connection.ensure_connection(max_retries=1, timeout=2)
        except (OperationalError, OSError) as error:
            services.missing(f"the broker is not reachable: {error}")
    queue.conf.task_default_queue = f"test-{tmp_path.name}"

    @queue.task(name="test.work", shared=False)
    def work() -> None:
        done.set()

    with start_worker(queue, pool="threads", perform_ping_check=False, shutdown_timeout=60):
        work.delay()
        assert done.wait(60)


def test_a_process_is_alive_for_half_a_minute_after_its_beat(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    with database.session() as session:
        assert not heartbeat.is_process_alive(session, "worker")
        heartbeat.record_heartbeat(session, "worker")
        heartbeat.record_heartbeat(session, "worker")
    with database.session() as session:
        assert heartbeat.is_process_alive(session, "worker")
        monkeypatch.setattr(heartbeat, "get_current_time", lambda: get_current_time() + timedelta(seconds=31))
        assert not heartbeat.is_process_alive(session, "worker")
