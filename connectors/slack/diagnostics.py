"""Check whether a workspace is set up correctly."""

from __future__ import annotations

from connectors.slack.client import Slack
from core.errors import DeliveryFailed


async def find_setup_problem(slack: Slack) -> str:
    """Return the problem and its fix; empty if the token, workspace and channel are valid."""
    workspace = slack.workspace
    try:
        known = await slack.taken(slack.client.auth_test())
        if known["team_id"] != workspace.team:
            return f"the bot token is of workspace {known['team_id']}, not {workspace.team}"
        found = await slack.taken(slack.client.conversations_info(channel=workspace.channel))
        if token := workspace.app_token.get_secret_value():
            await slack.taken(slack.client.apps_connections_open(app_token=token))
    except DeliveryFailed as failure:
        return str(failure)
    if found["channel"].get("is_archived"):
        return f"channel {workspace.channel} is archived: unarchive it or set another"
    if not found["channel"].get("is_member"):
        return f"the app is not in channel {workspace.channel}: /invite it there"
    return ""
