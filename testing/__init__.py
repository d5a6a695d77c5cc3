"""Vendors at the wire: servers that speak OpenAI's and Gemini's documented formats, for the real SDKs to talk to.

    with FakeOpenAI() as fake:                      # a free loopback port, a thread of its own
        settings = settings.model_copy(update={"openai_url": fake.url, "openai_api_key": SecretStr("x")})
        fake.plan(Behaviour(fault="rate_limited", retry_after=7), Behaviour(text="Hello there."))
        ...                                         # the first request fails, the second answers, the rest as by default
        fake.requests[0].prompt, .model, .body, .headers, .stream, .key, .gone

What a request gets, in this order: the next of ``plan(...)``; else ``fake.respond(received)`` where it was set
(``fake.respond = lambda received: Behaviour(...)``, called on the server's thread); else ``Behaviour()``, which answers
from the prompt: the first two sentences of its evidence [1], followed by "[1]", or, where there is no evidence, the last
line of the last user message.

``FakeGemini`` is the same; its ``url`` is what ``gemini_url`` takes. ``FakeOpenAI`` also stands for Ollama, vLLM and llama.cpp
(``FakeOpenAI(models=["some-model"])`` is what GET /models says).

``Behaviour`` (everything may be combined where it makes sense; times in seconds, counts in tokens = words):
    text, headers_delay, first_token_delay, token_delay (slow drip), cut_after (connection closed after n), stall_after (silence
    after n, until the client goes), error_after (an error event in the stream after n), endless, finish ("stop"|"length"|
    "blocked"), usage (False: none is told), cached_tokens, reasoning_tokens, wire_bytes (sent in pieces of so many bytes),
    fault, retry_after.
``fault`` is one of FAULTS: closed (no response at all), rate_limited (429), quota, payment (402), unauthorised (401),
    forbidden (403), not_found (404), bad_request, context_too_long, server (500), unavailable (503), malformed (broken JSON),
    html, no_choice, no_text (zero tokens), blocked.
FAULT_KINDS says which ErrorKind each of them is.

A server in a process of its own, for benchmarks: ``with Detached("openai", Behaviour(text="...")) as fake: fake.url``; every
request gets the same. ``refused_url()`` is an address where nothing listens.
"""

from testing.behaviour import FAULT_KINDS, FAULTS, Behaviour
from testing.detached import Detached
from testing.gemini import FakeGemini
from testing.openai import FakeOpenAI
from testing.server import Received, refused_url

__all__ = ["FAULTS", "FAULT_KINDS", "Behaviour", "Detached", "FakeGemini", "FakeOpenAI", "Received", "refused_url"]
