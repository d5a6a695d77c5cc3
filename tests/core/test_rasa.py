"""What a Rasa that is away, starting or broken means for the turn: it waits, or it has failed."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable

import httpx
import pytest

from core.errors import RasaUnavailable, RejoinderError, Unavailable
from core.rasa import Rasa, escape_commands

CALLS: dict[str, Callable[[Rasa], Awaitable[object]]] = {
    "say": lambda rasa: rasa.say("c", "Hi", "web", {}),
    "press": lambda rasa: rasa.press("c", "/greet", "web", {}),
    "record": lambda rasa: rasa.record("c", [("agent", "On its way.")]),
    "answer_to": lambda rasa: rasa.answer_to("c", "t"),
    "latest_message": lambda rasa: rasa.latest_message("c"),
    "understand": lambda rasa: rasa.understand("Where is it?"),
}


async def failure(call: str, answer: httpx.Response | Exception) -> RejoinderError:
    def respond(_: httpx.Request) -> httpx.Response:
        if isinstance(answer, Exception):
            raise answer
        return answer

    rasa = Rasa("http://rasa", transport=httpx.MockTransport(respond))
    with pytest.raises(RejoinderError) as failed:
        await CALLS[call](rasa)
    await rasa.close()
    return failed.value


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize(
    "away",
    [
        httpx.ConnectError("refused"),
        httpx.ConnectTimeout("slow"),
        httpx.ReadError("reset"),
        httpx.RemoteProtocolError("closed"),
        httpx.Response(409),
        httpx.Response(503),
    ],
    ids=repr,
)
async def test_a_message_waits_for_a_rasa_that_is_away_or_died_in_the_middle(
    call: str, away: httpx.Response | Exception
) -> None:
    assert isinstance(await failure(call, away), RasaUnavailable)


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("broken", [httpx.Response(500), httpx.ReadTimeout("never ended")], ids=repr)
async def test_a_rasa_that_is_there_and_fails_is_no_reason_to_wait(
    call: str, broken: httpx.Response | Exception
) -> None:
    failed = await failure(call, broken)
    assert isinstance(failed, Unavailable) and not isinstance(failed, RasaUnavailable)


async def test_only_a_press_reaches_rasa_as_a_command() -> None:
    heard = []

    def respond(request: httpx.Request) -> httpx.Response:
        heard.append(json.loads(request.content).get("message") or json.loads(request.content)["text"])
        return httpx.Response(200, json=[] if "webhook" in request.url.path else {})

    rasa = Rasa("http://rasa", transport=httpx.MockTransport(respond))
    command = '\u00a0/greet{"a": "b"}'
    await rasa.say("c", command, "web", {})
    await rasa.understand(command)
    await rasa.press("c", "/greet", "web", {})
    await rasa.close()
    assert heard == ["greet", "greet", "/greet"]


@pytest.mark.parametrize(
    ("said", "heard"),
    [
        ("/ \x0b//\u2003/restart", "restart"),
        ("//", "||"),
        ("\u200b/restart", "\u200b/restart"),  # no white space, so Rasa takes it for words
        (" and/or ", "and/or "),
    ],
)
def test_what_a_customer_wrote_stays_as_it_is_but_for_the_slash(said: str, heard: str) -> None:
    assert escape_commands(said) == escape_commands(escape_commands(said)) == heard
