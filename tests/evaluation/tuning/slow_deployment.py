"""A deployment in a process of its own, which stops in the middle until it is killed."""

from __future__ import annotations

import sys
import threading
from pathlib import Path

from core.db import Database
from core.settings import Settings
from knowledge.index import indexer
from tests.evaluation.tuning.doubles import ENTRIES, Tuned, make

indexer.BATCH = 25


def wait_for_the_kill(embedded: int) -> None:
    if embedded >= 2 * ENTRIES:
        sys.stdout.write("half\n")
        sys.stdout.flush()
        threading.Event().wait()


if __name__ == "__main__":
    home, chroma, database, tenant, session_id = sys.argv[1:]
    model = Tuned()
    model.before_each = wait_for_the_kill
    settings = Settings(home=Path(home), chroma_url=chroma, _env_file=None)
    make(settings, Database(database), lambda _: model).deploy(tenant, session_id, "ana")
