"""Progress of long operations: an updated line on a terminal, otherwise one line every ten seconds."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Event, Thread
from time import monotonic
from typing import TextIO

EVERY_S = 10.0
LONGEST_NAME = 40
MINUTE, HOUR = 60, 3600

Show = Callable[[str, int, int, str], None]
"""Takes the current step ("reading"), the units done, the total, and the next item."""


@contextmanager
def progress() -> Iterator[Show]:
    """Show progress on standard error, whatever else is printed."""
    if sys.stderr.isatty():
        yield from _show_as_bar()
    else:
        yield from _show_as_lines(sys.stderr)


def time_left(elapsed_s: float, done: int, total: int) -> str:
    """Estimate the remaining time from the pace so far; empty if not yet known."""
    if not 0 < done < total:
        return ""
    left = elapsed_s / done * (total - done)
    if left < MINUTE:
        return f"about {max(1, round(left))} s left"
    return f"about {round(left / MINUTE)} min left" if left < HOUR else f"about {left / HOUR:.1f} h left"


@dataclass
class Pace:
    """A step in progress and its start time."""

    what: str = ""
    done: int = 0
    total: int = 0
    since: float = 0.0

    def move(self, what: str, done: int, total: int) -> None:
        """Update the progress; a new or restarted step resets the clock."""
        if what != self.what or done < self.done:
            self.since = monotonic()
        self.what, self.done, self.total = what, done, total

    def __str__(self) -> str:
        if not self.done:
            return f"{self.what}: 0 of {self.total}" if self.total else f"{self.what} ..."
        left = time_left(monotonic() - self.since, self.done, self.total)
        return f"{self.what}: {self.done:,} of {self.total:,}" + (f", {left}" if left else "")


def _show_as_lines(to: TextIO) -> Iterator[Show]:
    pace, over = Pace(), Event()

    def show_progress(what: str, done: int, total: int, _name: str = "") -> None:
        pace.move(what, done, total)

    def print_pace() -> None:
        while not over.wait(EVERY_S):
            if pace.what:
                print(pace, file=to, flush=True)

    thread = Thread(target=print_pace, daemon=True, name="progress")
    thread.start()
    try:
        yield show_progress
    finally:
        over.set()
        thread.join()


def _show_as_bar() -> Iterator[Show]:
    from rich.console import Console  # noqa: PLC0415
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn  # noqa: PLC0415

    columns = (SpinnerColumn(), TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, TextColumn("{task.fields[left]}"), console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=None, left="")
        pace = Pace()

        def show_progress(what: str, done: int, total: int, name: str = "") -> None:
            pace.move(what, done, total)
            described = f"{what} {name.rpartition('/')[2][:LONGEST_NAME]}".encode(errors="replace").decode()
            left = time_left(monotonic() - pace.since, done, total)
            bar.update(task, completed=done, total=total or None, description=described, left=left)

        yield show_progress
