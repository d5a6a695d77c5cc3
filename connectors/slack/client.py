"""A workspace's Web API; Slack's errors become delivery errors with hints for the operator."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Any

import aiohttp
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from connectors.slack.workspaces import Workspace
from core.errors import DeliveryFailed, Permanent, Retry, Unknown

SECONDS = 10
SET_UP_AGAIN_SECONDS = 60.0
"""Retry interval for errors that the operator has to fix, until the outbox gives up."""
MENDS = {
    "invalid_auth": "the bot token is wrong: copy it from the app's page “OAuth & Permissions”",
    "not_authed": "the bot token is missing",
    "token_revoked": "the bot token was revoked: install the app again and set the new one",
    "token_expired": "the bot token has expired: install the app again and set the new one",
    "account_inactive": "the app was removed from the workspace: install it again",
    "missing_scope": "the app lacks a permission: take the scopes from docs/slack.md and install it again",
    "channel_not_found": "the channel was deleted, or is private and the app was not invited: set another, or /invite it",
    "is_archived": "the channel is archived: unarchive it or set another",
    "not_in_channel": "the app is not in the channel: /invite it there",
    "team_access_not_granted": "the app may not work in this workspace: an owner has to approve it",
    "ekm_access_denied": "an administrator suspended the app",
}
BUSY = {"ratelimited", "rate_limited", "service_unavailable", "team_added_to_org", "request_timeout"}
UNCLEAR = {"internal_error", "fatal_error"}


class Slack:
    """API client of a workspace's app."""

    def __init__(self, workspace: Workspace, base_url: str = AsyncWebClient.BASE_URL) -> None:
        self.workspace = workspace
        token = workspace.bot_token.get_secret_value()
        self.client = AsyncWebClient(token, base_url=base_url, timeout=SECONDS, retry_handlers=[])

    async def taken(self, call: Awaitable[AsyncSlackResponse]) -> dict[str, Any]:
        """Await a call of ``self.client`` and return Slack's response.

        Raises:
            Retry: rate-limited, or an error that the operator has to fix; the message says how.
            Permanent: Slack rejected the call.
            Unknown: the call may have succeeded.
        """
        try:
            answer = await call
        except SlackApiError as error:
            raise to_delivery_error(error) from error
        except aiohttp.ClientConnectorError as error:
            raise Retry(f"Slack cannot be reached: {error}") from error
        except (aiohttp.ClientError, TimeoutError) as error:
            raise Unknown(f"Slack did not answer: {type(error).__name__} {error}") from error
        return answer.data if isinstance(answer.data, dict) else {}


def to_delivery_error(error: SlackApiError) -> DeliveryFailed:
    """Convert an error of Slack's API to a delivery error."""
    response = error.response
    status: int = getattr(response, "status_code", 0)
    code = str(response.get("error", "")) if isinstance(getattr(response, "data", None), dict) else ""
    after = float(getattr(response, "headers", {}).get("Retry-After", 0)) or None
    if status == 429 or code in BUSY:  # noqa: PLR2004 - HTTP status code
        return Retry(f"Slack asks us to wait ({code or status})", after=after)
    if mend := MENDS.get(code):
        return Retry(f"Slack says {code}: {mend}", after=SET_UP_AGAIN_SECONDS)
    if status >= 500 or code in UNCLEAR:  # noqa: PLR2004 - HTTP status code
        return Unknown(f"Slack failed ({code or status})")
    return Permanent(f"Slack refused it: {code or status}")
