"""`rejoinder start` remembers whether the demo shop is on, and a changed setting makes the model stale."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from console.cli.rasa import endpoint
from console.cli.start import how_many, process_environment, remember_demo
from core.settings import Settings
from evaluation.training.model import make_model
from testing.instance import ROOT


def names(settings: Settings) -> list[str]:
    return [skill.name for skill in settings.bot().skills]


def test_the_demo_shop_is_on_until_it_is_switched_off_and_stays_off(settings: Settings) -> None:
    assert remember_demo(settings, None)
    assert names(settings) == ["shop_orders"]
    assert not remember_demo(settings, wanted=False)
    assert not remember_demo(settings, None)
    assert names(settings) == []
    assert remember_demo(settings, wanted=True)
    assert names(settings) == ["shop_orders"]


def test_other_skills_and_another_voice_are_trained_at_the_next_start(tmp_path: Path) -> None:
    def fingerprint(**changed: object) -> str:
        return make_model(Settings.load(home=tmp_path, **changed)).fingerprint()

    plain = fingerprint()
    assert fingerprint() == plain
    others = [fingerprint(skills="shop_orders"), fingerprint(bot_name="Ada"), fingerprint(tone="formal")]
    assert len({plain, *others}) == 4


def test_servers_that_somebody_else_runs_are_not_started(tmp_path: Path) -> None:
    def started(**changed: str) -> set[str]:
        chosen = how_many(Settings.load(home=tmp_path, **changed), local_model=False)
        (tmp_path / "Procfile").write_text("".join(f"{name}: echo I am {name}\n" for name in _processes()))
        command = [str(Path(sys.executable).parent / "honcho"), "-f", str(tmp_path / "Procfile"), "start", "-c", chosen]
        said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        return {name for name in _processes() if f"I am {name}" in said}

    assert started() == {"chroma", "rasa", "app", "worker"}
    assert started(rasa_url="http://rasa.example:5005") == {"chroma", "app", "worker"}
    assert started(chroma_url="http://chroma.example") == {"rasa", "app", "worker"}


def _processes() -> list[str]:
    return [line.partition(":")[0] for line in (ROOT / "Procfile").read_text().splitlines()]


def test_a_foreign_rasa_is_told_the_address_and_secret_of_our_webhook(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("REJOINDER_HOME", str(settings.home))
    endpoint(address="https://chat.example/")
    told = yaml.safe_load(capsys.readouterr().out)["action_endpoint"]
    assert told["url"] == "https://chat.example/webhook"
    assert told["headers"]["Authorization"] == f"Bearer {process_environment(settings)['REJOINDER_ACTION_SECRET']}"
