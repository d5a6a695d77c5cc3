"""Settings are checked at start, all errors at once, and secrets stay secret."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.errors import SettingsInvalid
from core.settings import Settings


def test_every_wrong_setting_is_named_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REJOINDER_PORT", "http")
    monkeypatch.setenv("REJOINDER_LOG_LEVEL", "LOUD")
    monkeypatch.setenv("REJOINDER_EMBEDDING_MODEL", "/no/such/folder")
    with pytest.raises(SettingsInvalid) as refused:
        Settings.load()
    for name in ("REJOINDER_PORT", "REJOINDER_LOG_LEVEL", "REJOINDER_EMBEDDING_MODEL"):
        assert name in str(refused.value)


def test_private_processes_take_the_next_ports(settings: Settings) -> None:
    assert settings.rasa() == f"http://127.0.0.1:{settings.port + 1}"
    assert settings.chroma() == f"http://127.0.0.1:{settings.port + 2}"
    assert settings.database().startswith(f"sqlite:///{settings.home}")


def test_the_secret_is_made_once_and_only_its_owner_reads_it(settings: Settings) -> None:
    secret = settings.secret_key()
    path = settings.home / "secret"
    assert len(secret) >= 32 and settings.secret_key() == secret
    assert path.stat().st_mode & 0o077 == 0


def test_a_secret_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REJOINDER_SECRET", "hush-hush")
    assert "hush-hush" not in repr(Settings.load())


def test_origins_are_a_list_with_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REJOINDER_ALLOWED_ORIGINS", "https://a.example, https://b.example/")
    assert Settings.load().allowed_origins == ["https://a.example", "https://b.example"]


def test_the_documented_example_holds_every_setting_at_its_default(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = Path(".env.example").read_text().splitlines()
    named = {line.lstrip("# ").split("=")[0] for line in lines if "REJOINDER_" in line and "=" in line}
    known = {f"REJOINDER_{name.upper()}" for name in Settings.model_fields}
    assert named == known
    for line in lines:
        if line.startswith("# REJOINDER_") and "=" in line:
            name, value = line.lstrip("# ").split("=", 1)
            monkeypatch.setenv(name, value)
    from_example = Settings.load().model_dump()
    for name in known:
        monkeypatch.delenv(name, raising=False)
    assert from_example == Settings.load().model_dump()
