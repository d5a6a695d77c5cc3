"""Build the Slack desk from the settings."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from fastapi import APIRouter
from pydantic import ValidationError
from slack_sdk.web.async_client import AsyncWebClient

from connectors.slack.commands import Commands
from connectors.slack.connections import Connections
from connectors.slack.desk import NAME, SlackDesk
from connectors.slack.events import Receiver
from connectors.slack.files import Files
from connectors.slack.interactivity import Interactivity
from connectors.slack.notices import StaffNotices
from connectors.slack.routes import router
from connectors.slack.socket_mode import SocketMode
from connectors.slack.threads import ThreadMessages
from connectors.slack.users import People
from connectors.slack.workspaces import Workspace, Workspaces, read_workspaces
from core.db import Database
from core.delivery.desk import DeskSender
from core.delivery.payload import Sender
from core.errors import SettingsInvalid
from core.handoffs.service import HandoffService
from core.settings import Settings
from knowledge.answers.suggestions import Suggest


def make_connections(settings: Settings) -> Connections:
    """Return the clients of all configured workspaces.

    Raises:
        SettingsInvalid: a setting is wrong or missing; the message says which.
    """
    found = read_workspaces(settings.slack_workspaces) if settings.slack_workspaces else []
    if settings.slack_bot_token.get_secret_value():
        found.append(_build_own_workspace(settings))
    return Connections(Workspaces(found), settings.slack_url or AsyncWebClient.BASE_URL)


def make_slack_senders(
    settings: Settings, database: Database, connections: Connections, suggest: Suggest
) -> dict[str, Sender]:
    """Return the desk as an outbox destination; empty without a workspace."""
    if not connections.all:
        return {}
    files = Files(database, settings.home)
    desk = SlackDesk(database, connections, _make_link_builder(settings), suggest, files)
    return {NAME: DeskSender(desk, database)}


@dataclass(frozen=True)
class SlackSide:
    """The incoming side: routes, Socket Mode and notices."""

    routes: APIRouter
    socket: SocketMode
    telling: StaffNotices

    async def start(self) -> None:
        """Open Socket Mode if it is configured."""
        await self.socket.start()

    async def stop(self) -> None:
        """Close Socket Mode and wait for pending notices."""
        await self.socket.stop()
        await self.telling.stop()


def make_slack(settings: Settings, database: Database, connections: Connections, handoffs: HandoffService) -> SlackSide:
    """Return the routes and Socket Mode; both are idle without a workspace."""
    people, telling = People(), StaffNotices()
    messages = ThreadMessages(database, handoffs, people, Files(database, settings.home), telling)
    pressing = Interactivity(database, handoffs, people, telling)
    receiver = Receiver(connections, messages, pressing, Commands(handoffs))
    return SlackSide(router(receiver), SocketMode(receiver), telling)


def _build_own_workspace(settings: Settings) -> Workspace:
    try:
        return Workspace(
            tenant=settings.tenant,
            team=settings.slack_team,
            channel=settings.slack_channel,
            bot_token=settings.slack_bot_token,
            signing_secret=settings.slack_signing_secret,
            app_token=settings.slack_app_token,
        )
    except ValidationError as error:
        wrong = [f"  REJOINDER_SLACK_{'_'.join(map(str, e['loc'])).upper()}: {e['msg']}" for e in error.errors()]
        raise SettingsInvalid("\n".join(["These settings are wrong:", *wrong])) from None


def _make_link_builder(settings: Settings) -> Callable[[str], str]:
    address = settings.public_address.rstrip("/") or settings.public_url

    def build_conversation_link(conversation_id: str) -> str:
        return f"{address}/console/conversations/{conversation_id}"

    return build_conversation_link
