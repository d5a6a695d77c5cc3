"""A whole instance of our own for a measurement: other folder, other ports, gone afterwards."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import httpx

ROOT = Path(__file__).parent.parent
START_SECONDS = 240
PORTS = 1000
"""Rows of ten that are looked at: from 21000 up to where the system hands out its own."""


@dataclass(frozen=True)
class Instance:
    """Where it runs, and its processes."""

    home: Path
    port: int
    pid: int

    @property
    def url(self) -> str:
        """The public address."""
        return f"http://127.0.0.1:{self.port}"

    def processes(self) -> dict[str, list[int]]:
        """The ids of the four, with their children; without what keeps them running."""
        found: dict[str, list[int]] = {name: [] for name in _COMMANDS.values()}
        for pid in _descendants(self.pid):
            command = _read(pid, "cmdline").replace("\0", " ")
            for part, name in _COMMANDS.items():
                if part in command and "deploy/keep" not in command:
                    found[name].append(pid)
        return found

    def memory_mb(self) -> dict[str, float]:
        """Proportional set size of each of the four processes with its children (Linux: /proc/PID/smaps_rollup)."""
        return {name: sum(map(_pss_mb, pids)) for name, pids in self.processes().items()}

    def resident_mb(self) -> dict[str, float]:
        """Resident set size of each, which costs less to read (/proc/PID/statm)."""
        return {name: sum(map(_rss_mb, pids)) for name, pids in self.processes().items()}

    def cpu_seconds(self) -> dict[str, float]:
        """CPU time of each so far, in user and system mode (/proc/PID/stat)."""
        return {name: sum(map(_cpu_seconds, pids)) for name, pids in self.processes().items()}

    def kill(self, name: str) -> None:
        """SIGKILL to one of the four."""
        for pid in self.processes()[name]:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


_COMMANDS = {"chroma run": "chroma", "rasa_server run": "rasa", "uvicorn": "app", "celery": "worker"}


@contextmanager
def instance(
    env: dict[str, str] | None = None,
    models: Path = ROOT / "var/models",
    arguments: Sequence[str] = (),
    prepare: Callable[[dict[str, str]], None] | None = None,
) -> Iterator[Instance]:
    """`rejoinder start` until it is ready, stopped at the end; a model trained from the same files is taken from there.

    ``prepare`` is given the environment of the instance before it starts.
    """
    home = Path(tempfile.mkdtemp(prefix="rejoinder-bench-"))
    port = free_ports(3)
    if models.is_dir():
        shutil.copytree(models, home / "models")
    settings = {"REJOINDER_HOME": str(home), "REJOINDER_PORT": str(port), "REJOINDER_ENV_FILE": os.devnull}
    environment = {**os.environ, **settings, **(env or {})}
    if prepare:
        prepare(environment)
    with (home / "log").open("wb") as log:
        command = [str(Path(sys.executable).parent / "rejoinder"), "start", *arguments]
        running = subprocess.Popen(command, env=environment, stdout=log, stderr=log, start_new_session=True)
    try:
        await_ready(f"http://127.0.0.1:{port}/ready", running, home / "log")
        yield Instance(home, port, running.pid)
    finally:
        stop(running)
        shutil.rmtree(home, ignore_errors=True)


@contextmanager
def chroma_server(folder: Path, port: int = 0) -> Iterator[str]:
    """A real Chroma server, on a free port where none is given; its address."""
    port, log = port or free_ports(1), folder / "chroma.log"
    url = f"http://127.0.0.1:{port}"
    command = [str(Path(sys.executable).parent / "chroma"), "run", "--path", str(folder / "chroma")]
    with log.open("wb") as out:
        running = subprocess.Popen(
            [*command, "--host", "127.0.0.1", "--port", str(port)], stdout=out, stderr=out, start_new_session=True
        )
    try:
        await_ready(f"{url}/api/v2/heartbeat", running, log)
        yield url
    finally:
        stop(running)


def stop(running: subprocess.Popen[bytes]) -> None:
    """As Ctrl-C does."""
    if running.poll() is None:
        os.killpg(running.pid, signal.SIGINT)
    try:
        running.wait(20)
    except subprocess.TimeoutExpired:
        os.killpg(running.pid, signal.SIGKILL)
        running.wait()


def await_ready(url: str, running: subprocess.Popen[bytes], log: Path) -> None:
    """Until the address answers well.

    Raises:
        RuntimeError: the process ended, or it took too long; with the end of its log.
    """
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and running.poll() is None:
        try:
            if httpx.get(url, timeout=5).is_success:
                return
        except httpx.HTTPError:
            pass
        time.sleep(0.2)
    raise RuntimeError(f"{url} never came up:\n{log.read_text(errors='replace')[-3000:]}")


def free_ports(count: int) -> int:
    """The first of ``count`` free ports in a row; two processes that look at once do not find the same."""
    for number in range(PORTS):
        first = 21000 + (os.getpid() * 10 + number) % PORTS * 10
        if all(_free(first + offset) for offset in range(count)):
            return first
    raise RuntimeError("no free ports")


def _free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def _descendants(pid: int) -> list[int]:
    children = [int(child) for child in _read(pid, f"task/{pid}/children").split()]
    return [pid, *(grandchild for child in children for grandchild in _descendants(child))]


def _read(pid: int, name: str) -> str:
    try:
        return Path(f"/proc/{pid}/{name}").read_text()
    except OSError:
        return ""


def _pss_mb(pid: int) -> float:
    for line in _read(pid, "smaps_rollup").splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) / 1024
    return 0.0


def _rss_mb(pid: int) -> float:
    pages = _read(pid, "statm").split()
    return int(pages[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20 if pages else 0.0


def _cpu_seconds(pid: int) -> float:
    """The 14th and 15th field; the second, in brackets, may hold spaces."""
    fields = _read(pid, "stat").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK") if fields else 0.0
