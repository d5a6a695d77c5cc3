"""A team's own action servers: whatever they answer costs one sentence, and one line in the log."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest
from fastapi import FastAPI
from rasa_sdk.executor import ActionExecutor
from structlog.testing import capture_logs

from actions import servers as module
from actions.servers import ActionServer, ActionServers
from actions.stop import ActionStop
from actions.webhook import router
from console import health
from core.errors import SettingsInvalid
from core.events import Hub
from core.settings import Settings
from testing.action_server import http, rasa_sdk_server, wire
from testing.services import free_port
from testing.waiting import soon
from tests.actions.test_webhook import call

RESULT = http(orjson.dumps({"events": [{"event": "slot", "name": "n", "value": 1}], "responses": [{"text": "done"}]}))
CODE = """
from rasa_sdk import Action, FormValidationAction
from rasa_sdk.interfaces import ActionExecutionRejection


class Book(Action):
    def name(self):
        return "action_book"

    def run(self, dispatcher, tracker, domain):
        dispatcher.utter_message(text=f"Booked for {tracker.get_slot('guests')}, {sorted(domain['forms'])}")
        return []


class Refuse(Action):
    def name(self):
        return "action_refuse"

    def run(self, dispatcher, tracker, domain):
        raise ActionExecutionRejection(self.name(), "not now")


class Break(Action):
    def name(self):
        return "action_break"

    def run(self, dispatcher, tracker, domain):
        raise ValueError(tracker.latest_message["text"])


class ValidateTable(FormValidationAction):
    def name(self):
        return "validate_table_form"

    def validate_guests(self, value, dispatcher, tracker, domain):
        return {"guests": "12"}
"""


async def post(servers: ActionServers, action: str, **state: Any) -> httpx.Response:
    """As Rasa calls the webhook."""
    executor = ActionExecutor()
    executor.register_action(ActionStop())
    app = FastAPI()
    app.include_router(router(executor, Hub(), "s", servers))
    body = call(action)
    body["tracker"] |= state
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as client:
        return await client.post("/webhook", json=body, headers={"Authorization": "Bearer s"})


def failure(response: httpx.Response) -> str:
    """The cause that is stored with the turn; the customer gets one sentence."""
    assert response.status_code == 200
    (said,) = response.json()["responses"]
    assert said["response"] == "utter_failed"
    note = said["custom"]["rejoinder"]
    assert note["outcome"] == "failed"
    return str(note["error"])


async def test_a_real_server_runs_its_actions_with_the_whole_call(tmp_path: Path) -> None:
    with rasa_sdk_server(tmp_path, CODE) as url:
        servers = ActionServers([url], domain={"forms": {"table_form": {"required_slots": ["guests"]}}})
        await servers.look_up()
        servers.check()
        said = (await post(servers, "action_book", slots={"guests": "4"})).json()["responses"]
        assert [each["text"] for each in said] == ["Booked for 4, ['table_form']"]
        asked = [{"event": "user", "text": "12"}, {"event": "slot", "name": "guests", "value": "a dozen"}]
        checked = await post(servers, "validate_table_form", slots={"guests": "a dozen"}, events=asked)
        assert {"event": "slot", "timestamp": None, "name": "guests", "value": "12"} in checked.json()["events"]
        refused = await post(servers, "action_refuse")
        assert (refused.status_code, refused.json()) == (400, {"action_name": "action_refuse", "error": "not now"})
        assert "answers with status 500" in failure(await post(servers, "action_break"))
        assert "no action server has the action action_nowhere" in failure(await post(servers, "action_nowhere"))


HOSTILE = {
    "status 302": http(b"", "302 Found"),
    "not JSON": http(b"<html>oops</html>", kind="text/html"),
    "than 1000000 bytes": http(b'{"events": [], "responses": [{"text": "' + b"x" * 5_000_000 + b'"}]}'),
    "not the result": http(b'["no"]'),
    "the result of an action": http(b'{"events": [{"name": "n"}]}'),
    "result": http(b'{"responses": "hello"}'),
    "JSON that is not": http(b"null"),
    "RemoteProtocolError": b"",
    "peer closed connection": http(b"{}").replace(b"Length: 2", b"Length: 200"),
    "does not know": http(b'{"error": "x", "action_name": "action_book"}', "404 Not Found"),
    "is not the result": http(b'{"error": "broken"}', "400 Bad Request"),
}


@pytest.mark.parametrize(("cause", "answer"), HOSTILE.items())
async def test_whatever_a_server_answers_costs_one_sentence_and_it_is_called_once(cause: str, answer: bytes) -> None:
    async with wire(["action_book"], answer) as fake:
        assert cause in failure(await post(ActionServers([fake.url]), "action_book"))
        assert fake.called == 1
        fake.answer, fake.actions = RESULT, ["action_book"]
        assert (await post(ActionServers([fake.url]), "action_book")).json()["responses"] == [{"text": "done"}]


async def test_a_server_that_hangs_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "RUN_SECONDS", 2.0)
    monkeypatch.setattr(module, "AGAIN_SECONDS", 1.0)
    async with wire(["action_book"], None) as fake:
        servers, turn = ActionServers([fake.url]), {"metadata": {"turn_id": "t1"}}
        assert "has not answered within 2 s" in failure(await post(servers, "action_book", latest_message=turn))
        assert "before in this turn" in failure(await post(servers, "action_book", latest_message=turn))
        assert fake.called == 1
        turn["metadata"]["turn_id"] = "t2"
        assert "has not answered within 1 s" in failure(await post(servers, "action_book", latest_message=turn))
        assert fake.called == 2
        fake.answer = RESULT
        turn["metadata"]["turn_id"] = "t3"
        assert (await post(servers, "action_book", latest_message=turn)).status_code == 200
        assert servers.servers[0].hung_until == 0.0


async def test_what_was_never_sent_is_sent_again() -> None:
    port = free_port()
    servers = ActionServers([f"http://127.0.0.1:{port}/webhook"])
    async with wire(["action_book"], RESULT) as fake:
        waiting = asyncio.create_task(post(servers, "action_book"))
        await soon(lambda: servers.servers[0].problem)
        late = await asyncio.start_server(fake.accept, "127.0.0.1", port)
        assert (await waiting).json()["responses"] == [{"text": "done"}]
        assert fake.called == 1
        late.close()


async def test_an_outage_is_one_line_in_the_log_without_what_is_secret() -> None:
    url = f"http://user:s3cret@127.0.0.1:{free_port()}/webhook?token=s3cret"
    servers = ActionServers([url])
    servers.servers[0].actions = frozenset(["action_book"])
    with capture_logs() as lines:
        for _ in range(3):
            assert "does not answer" in failure(await post(servers, "action_book"))
    assert [line["log_level"] for line in lines].count("warning") == 1
    assert "s3cret" not in str(lines)
    assert [line["event"] for line in lines if line["log_level"] == "info"] == ["action failed"] * 3


async def test_values_that_could_not_be_checked_are_as_they_were_before() -> None:
    events = [
        {"event": "slot", "name": "day", "value": "Monday"},
        {"event": "user", "text": "no, Tuesday, for 4"},
        {"event": "slot", "name": "day", "value": "Tuesday"},
        {"event": "slot", "name": "guests", "value": "4"},
        {"event": "slot", "name": "requested_slot", "value": "guests"},
        {"event": "action", "name": "table_form"},
        {"event": "slot", "name": "day", "value": "Tuesday"},
        {"event": "slot", "name": "guests", "value": "4"},
    ]
    response = await post(ActionServers(), "validate_table_form", events=events)
    assert "no action server has" in failure(response)
    assert {each["name"]: each["value"] for each in response.json()["events"]} == {"day": "Monday", "guests": None}


async def test_equal_names_are_refused_with_what_to_do() -> None:
    async with (
        wire(["action_book", "action_stop"]) as one,
        wire(["action_book", "rejoinder_stop", "action_order"]) as two,
    ):
        servers = ActionServers([one.url, two.url], ["action_order"])
        await servers.look_up()
        with pytest.raises(SettingsInvalid, match="Rename") as refused:
            servers.check()
        said = str(refused.value)
        assert "The action action_book is on http://127.0.0.1" in said
        assert "action_order is on" in said and "rejoinder_stop is on" in said and "action_stop is" not in said
        assert "more than one action server" in failure(await post(servers, "action_book"))
        assert one.called == two.called == 0


async def test_a_server_that_comes_up_later_is_asked_what_it_has_when_an_action_is_unknown() -> None:
    port = free_port()
    servers = ActionServers([f"http://127.0.0.1:{port}/webhook"])
    await servers.look_up()
    assert ["does not answer" in line for line in servers.problems(["action_book"])] == [True]
    async with wire(["action_book"], RESULT) as fake:
        late = await asyncio.start_server(fake.accept, "127.0.0.1", port)
        assert (await post(servers, "action_book")).json()["responses"] == [{"text": "done"}]
        late.close()


async def test_an_action_that_moved_to_another_server_is_found_there() -> None:
    gone = http(b'{"error": "x", "action_name": "action_book"}', "404 Not Found")
    async with wire(["action_book"], gone) as old, wire([], RESULT) as new:
        servers = ActionServers([old.url, new.url])
        await servers.look_up()
        old.actions, new.actions = [], ["action_book"]
        failure(await post(servers, "action_book"))
        assert (await post(servers, "action_book")).json()["responses"] == [{"text": "done"}]


async def test_actions_that_nobody_has_are_named() -> None:
    async with wire(["action_book"]) as fake:
        servers = ActionServers([fake.url])
        await servers.look_up()
        (line,) = servers.problems(["action_book", "action_nowhere", "rejoinder_stop", "utter_hello"])
        assert line.endswith(": action_nowhere.")


async def test_health_tells_the_state_of_a_server_and_waits_for_none() -> None:
    async with wire(["action_book"]) as fake:
        servers = ActionServers([fake.url, f"http://127.0.0.1:{free_port()}/webhook"])
        app = FastAPI()
        app.include_router(health.router({}, health.server_checks(servers)))
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as client:
            found = await client.get("/ready")
        assert found.status_code == 200
        assert found.json()["optional"] == {"action_server_1": True, "action_server_2": False}


def test_where_actions_are_listed() -> None:
    server = ActionServer("https://user:secret@actions.example:5055/team/webhook?token=t")
    assert str(server.list_url) == "https://user:secret@actions.example:5055/team/actions?token=t"
    assert server.name == "https://actions.example:5055/team/webhook"


@pytest.mark.parametrize("address", ["localhost:5055", "ftp://a/b", "http:///webhook"])
def test_a_setting_that_is_no_address_is_refused(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    monkeypatch.setenv("REJOINDER_ACTION_SERVERS", f"http://localhost:5055/webhook, {address}")
    with pytest.raises(SettingsInvalid, match="REJOINDER_ACTION_SERVERS"):
        Settings.load()
