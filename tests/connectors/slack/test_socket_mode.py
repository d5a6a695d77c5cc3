"""Where Slack cannot reach us: the real client on a WebSocket."""

from __future__ import annotations

from connectors.slack.connections import Connections
from connectors.slack.events import Receiver
from connectors.slack.socket_mode import SocketMode
from connectors.slack.workspaces import Workspaces
from testing.slack import APP_TOKEN
from testing.waiting import soon
from tests.connectors.slack.desk_world import World, payload


def over_socket(world: World) -> SocketMode:
    """The same receiver, whose workspace has an app token."""
    (workspace,) = world.connections.workspaces.all
    with_token = workspace.model_copy(update={"app_token": type(workspace.app_token)(APP_TOKEN)})
    inner = world.side.socket._receiver
    connections = Connections(Workspaces([with_token]), world.slack.url)
    return SocketMode(Receiver(connections, inner._messages, inner._pressing, inner._commands))


async def test_replies_and_buttons_come_over_the_socket_and_are_acknowledged(world: World) -> None:
    thread = await world.asked()
    socket = over_socket(world)
    await socket.start()
    try:
        await soon(lambda: world.slack.sockets)
        sent = payload("message")
        sent["event"] |= {"thread_ts": thread, "ts": world.slack.timestamp()}
        foreign = world.slack.over_socket("events_api", sent | {"team_id": "T0OTHER01", "event_id": "Ev0"})
        envelopes = {world.slack.over_socket("events_api", sent) for _ in range(2)}  # Slack repeats what takes long
        await soon(lambda: envelopes <= world.slack.acknowledged.keys())
        assert foreign in world.slack.acknowledged
        assert await world.said() == ["It leaves today."]
        listed = world.slack.over_socket("slash_commands", payload("slash_command"))
        await soon(lambda: listed in world.slack.acknowledged)
        assert "1 open" in world.slack.acknowledged[listed]["text"]
    finally:
        await socket.stop()
