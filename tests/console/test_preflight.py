"""What stands in the way of a start is one clear line each."""

from __future__ import annotations

import shutil
import socket
from collections import namedtuple

import pytest

from console import preflight
from core.errors import Unavailable
from core.settings import Settings


def test_nothing_in_the_way(settings: Settings) -> None:
    preflight.check_preconditions(settings)


def test_ports_in_use_are_named_with_what_they_are_for(settings: Settings) -> None:
    with socket.socket() as one, socket.socket() as two:
        one.bind(("127.0.0.1", settings.port))
        two.bind(("127.0.0.1", settings.port + 1))
        one.listen()
        two.listen()
        with pytest.raises(Unavailable) as refused:
            preflight.check_preconditions(settings)
    assert f"port {settings.port} for the web server is in use" in str(refused.value)
    assert f"port {settings.port + 1} for Rasa is in use" in str(refused.value)


def test_a_full_disk_is_named(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = namedtuple("usage", "total used free")(1, 1, 20 * 2**20)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
    with pytest.raises(Unavailable, match="almost full: 20 MB free"):
        preflight.check_preconditions(settings)


def test_a_home_that_cannot_be_written_is_named(settings: Settings) -> None:
    settings.home.parent.mkdir(parents=True, exist_ok=True)
    settings.home.write_text("a file where the folder should be")
    with pytest.raises(Unavailable, match="cannot be written"):
        preflight.check_preconditions(settings)
