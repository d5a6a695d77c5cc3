"""Real services for tests: what is not reachable skips with its reason, and fails on CI."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

import httpx
import pytest

from tests.waiting import eventually

POSTGRES = os.environ.get("TEST_POSTGRES_URL", "postgresql+psycopg://postgres@127.0.0.1:5432/test")
REDIS = os.environ.get("TEST_REDIS_URL", "redis://127.0.0.1:6379/15")
RABBITMQ = os.environ.get("TEST_AMQP_URL", "amqp://guest:guest@127.0.0.1:5672//")


def missing(what: str) -> NoReturn:
    """Skip, or fail where nothing may be skipped."""
    if os.environ.get("CI"):
        pytest.fail(f"{what} (must not be missing on CI)")
    pytest.skip(what)


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def answers(url: str) -> bool:
    """Is something at this address, and well?"""
    try:
        return httpx.get(url, timeout=2).is_success
    except httpx.HTTPError:
        return False


@contextmanager
def process(command: list[str], log: Path, env: dict[str, str] | None = None) -> Iterator[subprocess.Popen[bytes]]:
    """A program while the block runs; its output goes to a file."""
    with log.open("ab") as out:
        running = subprocess.Popen(command, stdout=out, stderr=out, env={**os.environ, **(env or {})})
        try:
            yield running
        finally:
            running.terminate()
            try:
                running.wait(10)
            except subprocess.TimeoutExpired:
                running.kill()
                running.wait()


@contextmanager
def chroma_server(folder: Path, port: int) -> Iterator[str]:
    """A real Chroma server; its address."""
    command = [str(Path(sys.executable).parent / "chroma"), "run", "--path", str(folder), "--host", "127.0.0.1"]
    with process([*command, "--port", str(port)], folder.parent / "chroma.log"):
        url = f"http://127.0.0.1:{port}"
        eventually(lambda: answers(f"{url}/api/v2/heartbeat"), seconds=30)
        yield url


def chromium() -> str:
    """Debian's browser."""
    found = shutil.which("chromium")
    return found or missing("no chromium on this machine")
