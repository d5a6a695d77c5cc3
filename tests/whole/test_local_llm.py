"""A real model, really local: SmolLM2 behind llama.cpp's own server, started as the Procfile does."""

from __future__ import annotations

import os
import shlex
import subprocess
from collections.abc import AsyncIterator, Iterator

import httpx
import pytest

from console import local_model
from core.llm.catalogue import Catalogue
from core.llm.providers.chat import ChatProvider
from core.llm.providers.factory import make_providers
from core.llm.types import ChatMessage, Delta, Finish, Request, RequestOrigin
from core.settings import Settings
from testing.instance import ROOT, free_ports
from testing.waiting import eventually

pytestmark = [
    pytest.mark.local_llm,
    pytest.mark.skipif(
        not (local_model.ENVIRONMENT / ".ready").exists(),
        reason="the local model is not set up: `make run LLM=local` does it once",
    ),
]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    folder = tmp_path_factory.mktemp("llm")
    settings = Settings.load(home=folder, port=free_ports(4))
    environment = local_model.process_environment(settings)
    lines = dict(line.split(": ", 1) for line in (ROOT / "Procfile").read_text().splitlines())
    command = _expanded(lines["llm"], environment)
    with (folder / "log").open("w") as log:
        honcho = {**os.environ, "PORT": "5400"}  # it gives every process one, which the server must not take
        process = subprocess.Popen(shlex.split(command), cwd=ROOT, stdout=log, stderr=subprocess.STDOUT, env=honcho)
        url = environment["REJOINDER_LLAMACPP_URL"]
        eventually(lambda: _answers(f"{url}/models"), 60)
        yield settings.model_copy(update={"llamacpp_url": url})
        process.terminate()
        process.wait(20)


@pytest.fixture
async def provider(server: Settings) -> AsyncIterator[ChatProvider]:
    made = make_providers(server, Catalogue.load(ROOT / "models.yml"))["llamacpp"]
    yield made
    await made.close()


async def test_it_holds_a_conversation(provider: ChatProvider) -> None:
    first = ChatMessage("user", "My name is Ada. Say hello to me in one short sentence.")
    items = [item async for item in provider.stream(_request(first))]
    *deltas, finish = items
    assert isinstance(finish, Finish) and len(deltas) > 1 and all(isinstance(delta, Delta) for delta in deltas)
    said = finish.completion
    assert said.text == "".join(delta.text for delta in deltas)
    assert said.model == "smollm2-135m-instruct" and said.usage.output_tokens > 0

    again = await provider.complete(
        _request(first, ChatMessage("assistant", said.text), ChatMessage("user", "What is my name?"))
    )
    assert again.text.strip()  # what it says is beyond its 135 million parameters
    assert not again.usage.estimated and again.usage.input_tokens > said.usage.input_tokens


async def test_a_limit_ends_it(provider: ChatProvider) -> None:
    request = Request((ChatMessage("user", "Tell me a long story."),), RequestOrigin("default"), max_output_tokens=8)
    assert (await provider.complete(request)).finish == "length"


def _request(*messages: ChatMessage) -> Request:
    system = ChatMessage("system", "You are a friendly assistant.")
    return Request((system, *messages), RequestOrigin("default"), max_output_tokens=40)


def _expanded(line: str, environment: dict[str, str]) -> str:
    for name, value in environment.items():
        line = line.replace(f'"${name}"', shlex.quote(value))
    return line


def _answers(url: str) -> bool:
    try:
        return httpx.get(url).status_code == 200
    except httpx.TransportError:
        return False
