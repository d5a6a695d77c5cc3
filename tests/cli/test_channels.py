"""`rejoinder channels`, against Twilio at the wire."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from console.cli import app
from testing.twilio import ACCOUNT, TOKEN, FakeTwilio


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REJOINDER_HOME", str(tmp_path))


def test_templates_are_made_and_followed(monkeypatch: pytest.MonkeyPatch) -> None:
    with FakeTwilio() as twilio:
        for name, value in (("ACCOUNT_SID", ACCOUNT), ("AUTH_TOKEN", TOKEN), ("URL", twilio.url)):
            monkeypatch.setenv(f"REJOINDER_TWILIO_{name}", value)
        assert CliRunner().invoke(app, ["channels", "templates", "create"]).output.count("received") == 2
        twilio.approve("rejoinder_update")
        listed = CliRunner().invoke(app, ["channels", "templates", "list", "--json"]).output

    assert '"approved"' in listed
    assert '"received"' in listed


def test_who_has_no_account_is_told_where_to_begin() -> None:
    result = CliRunner().invoke(app, ["channels", "templates", "list"])

    assert "docs/whatsapp.md" in str(result.exception)


def test_show_says_what_twilio_has_to_call(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REJOINDER_TWILIO_ACCOUNT_SID", ACCOUNT)
    monkeypatch.setenv("REJOINDER_TWILIO_WHATSAPP_NUMBER", "+14155238886")
    monkeypatch.setenv("REJOINDER_PUBLIC_ADDRESS", "https://chat.shop.example/")
    shown = CliRunner().invoke(app, ["channels", "show", "--json"]).output

    assert "https://chat.shop.example/channels/twilio/messages" in shown
    assert "+14155238886" in shown
