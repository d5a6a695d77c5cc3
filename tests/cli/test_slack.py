"""`rejoinder slack test`, against a fake Slack."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from console.cli import app
from core.errors import SettingsInvalid
from testing.slack import BOT_TOKEN, CHANNEL, SECRET, TEAM, FakeSlack

WORKSPACE = {"tenant": "shop", "team": TEAM, "channel": CHANNEL, "bot_token": BOT_TOKEN, "signing_secret": SECRET}


def run(slack: FakeSlack, folder: Path, *workspaces: dict[str, str]) -> tuple[int, str]:
    (folder / "slack.json").write_text(json.dumps(workspaces))
    env = {"REJOINDER_SLACK_WORKSPACES": str(folder / "slack.json"), "REJOINDER_SLACK_URL": slack.url, "COLUMNS": "300"}
    result = CliRunner().invoke(app, ["slack", "test"], env=env)
    if isinstance(result.exception, SettingsInvalid):
        return 1, str(result.exception)
    return result.exit_code, result.output


def test_it_says_what_is_wrong_and_how_to_mend_it(tmp_path: Path) -> None:
    with FakeSlack() as slack:
        assert run(slack, tmp_path, WORKSPACE)[0] == 0
        code, said = run(slack, tmp_path, WORKSPACE | {"team": "T0OTHER01"})
        assert (code, "not T0OTHER01" in said) == (1, True)
        assert (
            "channel_not_found: the channel was deleted"
            in run(slack, tmp_path, WORKSPACE | {"channel": "C0GONE001"})[1]
        )
        slack.workspace.archived.add(CHANNEL)
        assert "archived" in run(slack, tmp_path, WORKSPACE)[1]
        slack.revoked = True
        assert "install the app again" in run(slack, tmp_path, WORKSPACE)[1]


@pytest.mark.parametrize(
    ("workspaces", "why"),
    [
        ([WORKSPACE | {"team": "shop.slack.com"}], "team"),
        ([{**WORKSPACE, "signing_secret": ""}], "Socket Mode"),
        ([WORKSPACE, WORKSPACE | {"tenant": "other"}], "a workspace one tenant"),
        ([WORKSPACE, WORKSPACE | {"team": "T0OTHER01"}], "a tenant has one workspace"),
    ],
)
def test_wrong_settings_are_named_without_their_secrets(
    tmp_path: Path, workspaces: list[dict[str, str]], why: str
) -> None:
    with FakeSlack() as slack:
        code, said = run(slack, tmp_path, *workspaces)
    assert (code, why in said) == (1, True), said
    assert SECRET not in said
    assert BOT_TOKEN not in said
