"""`deploy/keep`: what dies is started again, and what keeps failing by itself is given up."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from testing.instance import ROOT
from testing.waiting import eventually

Keep = Callable[[str], subprocess.Popen[bytes]]


@pytest.fixture
def keep(tmp_path: Path) -> Iterator[Keep]:
    started: list[subprocess.Popen[bytes]] = []

    def start(script: str) -> subprocess.Popen[bytes]:
        """Keeps a program that writes down each of its lives."""
        command = [ROOT / "deploy/keep", "bash", "-c", f"echo $$ >> lives; {script}"]
        started.append(subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.DEVNULL, start_new_session=True))
        return started[-1]

    yield start
    for each in started:
        if each.poll() is None:
            os.killpg(each.pid, signal.SIGKILL)
        each.wait()


def lives(folder: Path) -> list[int]:
    path = folder / "lives"
    return [int(line) for line in path.read_text().split()] if path.exists() else []


def test_what_is_killed_comes_back_however_often(keep: Keep, tmp_path: Path) -> None:
    keeper = keep("sleep 600")
    for number in range(6):
        eventually(lambda number=number: len(lives(tmp_path)) > number, seconds=20)  # type: ignore[misc]
        os.kill(lives(tmp_path)[-1], signal.SIGKILL)
    eventually(lambda: len(lives(tmp_path)) == 7, seconds=20)
    assert keeper.poll() is None


def test_what_fails_by_itself_is_given_up(keep: Keep, tmp_path: Path) -> None:
    assert keep("exit 3").wait(30) == 3
    assert len(lives(tmp_path)) == 5
