"""The router over the vendors' real SDKs and servers that speak their formats."""

from collections.abc import Iterator

import pytest
from pydantic import SecretStr

from core.db import Database
from core.llm.factory import make_router
from core.llm.router.router import Router
from core.llm.types import ChatMessage, Request, RequestOrigin, RequestSignals
from core.settings import Settings
from testing import Behaviour, FakeGemini, FakeOpenAI, refused_url, services
from testing.waiting import soon
from tests.core.llm.scripted import ask, drafted

MODELS = """
roles: {cheap: [gemini/quick, openai/quick]}
models:
  gemini/quick: {provider: gemini, name: gemini-3.1-flash-lite, context_window: 100000}
  openai/quick: {provider: openai, name: gpt-4o, context_window: 100000}
"""
TEXT = "It is returned within thirty days, in its own box."


@pytest.fixture
def openai() -> Iterator[FakeOpenAI]:
    with FakeOpenAI() as fake:
        yield fake


@pytest.fixture
def gemini() -> Iterator[FakeGemini]:
    with FakeGemini() as fake:
        yield fake


def routed(settings: Settings, database: Database, openai_url: str, gemini_url: str, **changes: object) -> Router:
    keys = {"openai_api_key": SecretStr("x"), "gemini_api_key": SecretStr("x")}
    urls = {"openai_url": openai_url, "gemini_url": gemini_url}
    models = settings.home.with_name("models.yml")
    models.write_text(MODELS)
    router = make_router(settings.model_copy(update={**keys, **urls, "models": models, **changes}), database)
    limits = {"first_token_seconds": 5, "between_tokens_seconds": 2, "connect_seconds": 2, "total_seconds": 20}
    router.store.put("default", {"limits": limits}, "test")
    return router


async def test_a_stall_in_the_stream_is_replaced_and_its_connection_closed(settings, sqlite, openai, gemini):
    router = routed(settings, sqlite, openai.url, gemini.url)
    gemini.plan(Behaviour(text=TEXT, stall_after=3))
    openai.plan(Behaviour(text=TEXT))
    draft, completion, restarts = await drafted(router, ask(confidence=0.9))
    assert (draft, restarts, completion.served.provider) == (TEXT, 1, "openai")
    await soon(lambda: gemini.asked[0].gone)
    await router.close()


async def test_nothing_listens_anywhere(settings, sqlite):
    url = refused_url()
    router = routed(settings, sqlite, f"{url}/v1", url)
    draft, completion, _ = await drafted(router, ask(extract="From the evidence."))
    assert (draft, completion.served.model) == ("From the evidence.", "extract")
    await router.close()


async def test_personal_data_does_not_leave_the_house(settings, sqlite, openai, gemini):
    router = routed(settings, sqlite, openai.url, gemini.url)
    question = "My address is ann.example@example.com"
    request = Request((ChatMessage("user", question),), RequestOrigin("default"), RequestSignals(question, 0, 0.9))
    gemini.respond = lambda received: Behaviour(text=f"I wrote to {received.last_user.split()[-1]} today.")
    draft, _, _ = await drafted(router, request)
    assert draft == "I wrote to ann.example@example.com today."
    assert "ann.example" not in gemini.asked[0].prompt
    await router.close()


@pytest.mark.parametrize("fault", ["unauthorised", "not_found", "html", "quota"])
async def test_the_operator_is_told_cause_and_mend(settings, sqlite, openai, gemini, fault):
    router = routed(settings, sqlite, openai.url, gemini.url)
    openai.plan(Behaviour(fault=fault))
    report = await router.test("openai")
    assert not report.ok and report.cause and report.mend
    assert (await router.test("openai")).ok
    await router.close()


async def test_without_a_key_nothing_is_loaded_and_the_extract_answers(settings: Settings, sqlite: Database):
    router = make_router(settings, sqlite)
    await router.start()
    assert router.decide(ask(extract="E.")).models == ("extract",)
    assert (await router.complete(ask(extract="E."))).text == "E."
    await router.close()


async def test_two_processes_share_health(settings, sqlite, openai, gemini):
    here, there = (routed(settings, sqlite, openai.url, gemini.url, redis_url=services.REDIS) for _ in range(2))
    try:
        await here._feed._redis.ping()
    except OSError as error:
        services.missing(f"Redis is not reachable: {error}")
    for router in (here, there):
        await router.start()
    here.reset()
    gemini.plan(Behaviour(fault="quota"))
    await drafted(here, ask(confidence=0.9))
    state = lambda: {known.model: known.state for known in there.health()}  # noqa: E731
    await soon(lambda: state()["gemini/quick"] == "open")
    here.reset()
    await soon(lambda: state()["gemini/quick"] == "closed")
    for router in (here, there):
        await router.close()
