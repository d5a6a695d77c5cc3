"""Creates the Celery app, on Redis, RabbitMQ, or files below the home folder."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from celery import Celery


def make_queue(broker_url: str, home: Path) -> Celery:
    """Create the Celery app without a result backend; results are rows in our own tables."""
    queue = Celery("rejoinder", broker=broker_url or "filesystem://localhost")
    queue.conf.update(
        broker_connection_retry_on_startup=True,
        task_ignore_result=True,
        task_acks_late=True,
        worker_hijack_root_logger=False,
        worker_pool="threads",
        worker_concurrency=2,
        timezone="UTC",
        beat_schedule_filename=str(home / "beat"),
        **({} if broker_url else _build_file_options(home / "broker")),
    )
    return queue


def _build_file_options(folder: Path) -> dict[str, Any]:
    for name in ("queue", "control"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    options = {
        "data_folder_in": str(folder / "queue"),
        "data_folder_out": str(folder / "queue"),
        "control_folder": str(folder / "control"),
    }
    return {"broker_transport_options": options}
