"""`rejoinder start` remembers whether the demo shop is on, and a changed setting makes the model stale."""

from __future__ import annotations

from pathlib import Path

from console.cli.start import remember_demo
from core.settings import Settings
from evaluation.training.wiring import make_model


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
