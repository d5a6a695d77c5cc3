"""What a Rasa that is away, starting or broken means for the turn: it waits, or it has failed."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import httpx
import pytest

from core.errors import RasaUnavailable, RejoinderError, Unavailable
from core.rasa import Rasa

CALLS: dict[str, Callable[[Rasa], Awaitable[object]]] = {
    "say": lambda rasa: rasa.say("c", "Hi", "web", {}),
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
