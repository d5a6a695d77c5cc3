"""Checks before the processes start; each problem is one line."""

from __future__ import annotations

import shutil
import socket
from pathlib import Path

from core.errors import Unavailable
from core.settings import Settings

FREE_BYTES = 500 * 1024 * 1024


def check_preconditions(settings: Settings, *, local_model: bool = False) -> None:
    """Check ports and disk.

    Raises:
        Unavailable: a check failed; the message has a line for each problem.
    """
    problems = [*_check_disk(settings.home), *_check_ports(settings, local_model=local_model)]
    if problems:
        raise Unavailable("cannot start:\n" + "\n".join(f"  {problem}" for problem in problems))


def _check_disk(home: Path) -> list[str]:
    try:
        home.mkdir(parents=True, exist_ok=True)
        probe = home / ".probe"
        probe.write_bytes(b"1")
        probe.unlink()
    except OSError as error:
        return [f"REJOINDER_HOME {home} cannot be written: {error.strerror}"]
    free = shutil.disk_usage(home).free
    if free < FREE_BYTES:
        return [f"the disk of {home} is almost full: {free // 2**20} MB free, {FREE_BYTES // 2**20} MB needed"]
    return []


def _check_ports(settings: Settings, *, local_model: bool) -> list[str]:
    used = {settings.port: "the web server"}
    used |= {} if settings.rasa_url else {settings.port + 1: "Rasa"}
    used |= {} if settings.chroma_url else {settings.port + 2: "Chroma"}
    used |= {settings.port + 3: "the local model"} if local_model else {}
    return [
        f"port {port} for {what} is in use: stop what uses it, or set REJOINDER_PORT to another number"
        for port, what in used.items()
        if not _is_port_free(settings.host if port == settings.port else "127.0.0.1", port)
    ]


def _is_port_free(host: str, port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
        return True
