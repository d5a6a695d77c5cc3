"""File locks across processes; the lock of a dead process is released."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from core.errors import Conflict


@contextmanager
def hold_folder_lock(folder: Path, what: str) -> Iterator[None]:
    """Hold the lock of that name in the folder.

    Raises:
        Conflict: another process holds it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / f"{what}.lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Conflict(f"A {what} is running; there is one at a time.") from None
        yield
