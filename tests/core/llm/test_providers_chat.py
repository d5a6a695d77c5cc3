"""Every vendor through its real SDK against its fake: answers, usage, failures, broken streams, stopping."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass

import pytest

from core.errors import ProviderFailed
from core.llm.providers.chat import ChatProvider
from core.llm.types import ChatMessage, Delta, Request
from testing import FAULT_KINDS, Behaviour, FakeGemini, FakeOpenAI, refused_url
from testing.server import Fake
from testing.waiting import soon
from tests.core.llm import asking
from tests.core.llm.asking import KEY, PRIVATE, told


@dataclass
class Vendor:
    fake: Fake
    provider: ChatProvider
    model: str
    make: Callable[..., ChatProvider]

    def request(self, **changes: object) -> Request:
        return asking.request(self.model, **changes)


@pytest.fixture(params=["openai", "gemini", "compatible"])
async def vendor(request: pytest.FixtureRequest) -> AsyncIterator[Vendor]:
    fake, make, model = {
        "openai": (FakeOpenAI(), asking.openai, "gpt-4o"),
        "gemini": (FakeGemini(), asking.gemini, "gemini-3.1-flash-lite"),
        "compatible": (FakeOpenAI(["smollm"]), asking.compatible, ""),
    }[request.param]
    with fake:
        provider = make(fake.url)
        yield Vendor(fake, provider, model, make)
        await provider.close()


@pytest.fixture(autouse=True)
def nothing_private_is_logged(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    caplog.set_level(logging.INFO)
    yield
    assert KEY not in caplog.text and PRIVATE not in caplog.text


async def test_answers_in_one_piece(vendor: Vendor) -> None:
    vendor.fake.plan(Behaviour(text="We ship in two days.", cached_tokens=3, reasoning_tokens=7))
    completion = await vendor.provider.complete(vendor.request())
    assert completion.text == "We ship in two days."
    assert completion.finish == "stop" and completion.model == (vendor.model or "smollm")
    usage = completion.usage
    assert (usage.input_tokens, usage.output_tokens, usage.cached_tokens, usage.estimated) == (5, 12, 3, False)
    asked = vendor.fake.asked[0]
    assert asked.prompt == f"Answer from the evidence.\n\n{PRIVATE}" and not asked.stream


async def test_streams_the_same(vendor: Vendor) -> None:
    vendor.fake.plan(Behaviour(text="We ship in two days.", cached_tokens=3, reasoning_tokens=7))
    deltas, finish = await told(vendor.provider, vendor.request())
    assert len(deltas) == 5 and "".join(deltas) == finish.completion.text == "We ship in two days."
    usage = finish.completion.usage
    assert (usage.input_tokens, usage.output_tokens, usage.cached_tokens, usage.estimated) == (5, 12, 3, False)


async def test_a_whole_conversation_is_sent_in_its_order(vendor: Vendor) -> None:
    messages = (
        ChatMessage("user", "Hi"),
        ChatMessage("assistant", "Hello"),
        ChatMessage("system", "Be short."),
        ChatMessage("user", "Bye"),
    )
    vendor.fake.plan(Behaviour(text="Bye."))
    await vendor.provider.complete(Request(messages, vendor.request().caller, model=vendor.model))
    assert vendor.fake.asked[0].prompt == "Be short.\n\nHi\n\nHello\n\nBye"


async def test_usage_is_estimated_where_none_is_told(vendor: Vendor) -> None:
    vendor.fake.plan(Behaviour(text="We ship in two days.", usage=False), Behaviour(text="Yes, we do.", usage=False))
    whole = await vendor.provider.complete(vendor.request())
    _, finish = await told(vendor.provider, vendor.request())
    for usage in (whole.usage, finish.completion.usage):
        assert usage.estimated and usage.input_tokens > 5 and usage.output_tokens > 2


async def test_a_limit_that_was_reached_is_told(vendor: Vendor) -> None:
    vendor.fake.plan(Behaviour(text="We ship", finish="length"), Behaviour(text="We ship", finish="length"))
    whole = await vendor.provider.complete(vendor.request())
    _, finish = await told(vendor.provider, vendor.request())
    assert whole.finish == finish.completion.finish == "length"


async def test_characters_split_over_packets_stay_whole(vendor: Vendor) -> None:
    text = "Größe 5 €: کل آ جائے گا 😀 终于."
    vendor.fake.plan(Behaviour(text=text, wire_bytes=3), Behaviour(text=text, wire_bytes=3))
    deltas, _ = await told(vendor.provider, vendor.request())
    assert "".join(deltas) == text
    assert (await vendor.provider.complete(vendor.request())).text == text


@pytest.mark.parametrize("fault", FAULT_KINDS)
@pytest.mark.parametrize("streaming", [True, False], ids=["stream", "whole"])
async def test_every_fault_has_its_kind(vendor: Vendor, fault: str, streaming: bool) -> None:
    vendor.fake.plan(Behaviour(fault=fault, retry_after=7))
    failed = await _failure(vendor, vendor.request(), streaming=streaming)
    assert failed.kind == FAULT_KINDS[fault], failed
    assert KEY not in str(failed) and PRIVATE not in str(failed)
    assert failed.__suppress_context__ or failed.__context__ is None, "the SDK's error names the key"
    assert len(vendor.fake.asked) == 1, "no retries"
    if fault == "rate_limited":
        assert failed.retry_after == 7


async def test_a_server_that_takes_no_connection_is_given_up_soon() -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full, ExitStack() as stack:
        address = full.getsockname()
        for _ in range(2):  # the queue is full then, and the next one waits
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(address)
        provider = asking.openai(f"http://127.0.0.1:{address[1]}/v1")
        with pytest.raises(ProviderFailed) as failed:
            await provider.complete(asking.request("gpt-4o", connect_seconds=0.1))
        assert failed.value.kind == "timeout"
        await provider.close()


@pytest.mark.parametrize("streaming", [True, False], ids=["stream", "whole"])
async def test_nobody_listens(vendor: Vendor, streaming: bool) -> None:
    provider = vendor.make(refused_url())
    failed = await _failure(
        Vendor(vendor.fake, provider, vendor.model, vendor.make), vendor.request(), streaming=streaming
    )
    assert failed.kind == "connection"
    await provider.close()


@pytest.mark.parametrize(
    "behaviour", [Behaviour(text="a b c d", cut_after=2), Behaviour(text="a b c d", error_after=2)]
)
async def test_a_stream_that_breaks_in_the_middle(vendor: Vendor, behaviour: Behaviour) -> None:
    vendor.fake.plan(behaviour)
    got: list[object] = []
    failed = await _failure(vendor, vendor.request(), streaming=True, got=got)
    assert got == [Delta("a "), Delta("b ")]
    assert failed.kind == ("connection" if behaviour.cut_after else "server")


async def test_held_back_in_the_middle(vendor: Vendor) -> None:
    vendor.fake.plan(Behaviour(text="a b", finish="blocked"))
    assert (await _failure(vendor, vendor.request(), streaming=True)).kind == "blocked"


@pytest.mark.parametrize("behaviour", [Behaviour(text="a b", stall_after=1), Behaviour(endless=True)])
async def test_leaving_a_stream_closes_the_connection(vendor: Vendor, behaviour: Behaviour) -> None:
    vendor.fake.plan(behaviour)

    async def read() -> None:
        async for _ in vendor.provider.stream(vendor.request()):
            pass

    reading = asyncio.create_task(read())
    await soon(lambda: vendor.fake.asked)
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading
    await soon(lambda: vendor.fake.asked[0].gone)


async def test_cancelling_before_the_answer_closes_the_connection(vendor: Vendor) -> None:
    vendor.fake.plan(Behaviour(headers_delay=60))
    asking_ = asyncio.create_task(vendor.provider.complete(vendor.request()))
    await soon(lambda: vendor.fake.asked)
    asking_.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking_
    await soon(lambda: vendor.fake.asked[0].gone)


async def test_connections_are_reused_and_many_go_at_once(vendor: Vendor) -> None:
    await vendor.provider.warm()
    vendor.fake.respond = lambda _: Behaviour(text="Yes.", first_token_delay=0.05)
    answers = await asyncio.gather(*(vendor.provider.complete(vendor.request()) for _ in range(100)))
    assert {answer.text for answer in answers} == {"Yes."}


async def _failure(
    vendor: Vendor, request: Request, *, streaming: bool, got: list[object] | None = None
) -> ProviderFailed:
    async def read() -> None:
        got_here = [] if got is None else got
        async for item in vendor.provider.stream(request):
            got_here.append(item)

    with pytest.raises(ProviderFailed) as caught:
        await (read() if streaming else vendor.provider.complete(request))
    return caught.value
