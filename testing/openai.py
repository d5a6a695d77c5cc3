"""OpenAI's API, as its reference documents it: chat completions, whole and streamed, transcriptions, and the list of models."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from typing import Any

from testing.behaviour import Behaviour
from testing.server import Fake, Received, Reply, paced

SPEECH, SPOKEN_SECONDS = "/v1/audio/transcriptions", 12
CREATED = 1_793_000_000
ERRORS: dict[str, tuple[int, str, str | None, str]] = {
    # fault: status, type, code, message
    "rate_limited": (
        429,
        "requests",
        "rate_limit_exceeded",
        "Rate limit reached for gpt-4o in organization org-x on requests per min (RPM): Limit 500, Used 500, Requested 1.",
    ),
    "quota": (
        429,
        "insufficient_quota",
        "insufficient_quota",
        "You exceeded your current quota, please check your plan and billing details.",
    ),
    "payment": (402, "billing_error", "billing_hard_limit_reached", "Billing hard limit has been reached."),
    "unauthorised": (
        401,
        "invalid_request_error",
        "invalid_api_key",
        "Incorrect API key provided: {key}. You can find your API key at https://platform.openai.com/account/api-keys.",
    ),
    "forbidden": (
        403,
        "invalid_request_error",
        "unsupported_country_region_territory",
        "Country, region, or territory not supported",
    ),
    "not_found": (
        404,
        "invalid_request_error",
        "model_not_found",
        "The model `{model}` does not exist or you do not have access to it.",
    ),
    "bad_request": (400, "invalid_request_error", None, "Invalid 'messages': in {prompt}"),
    "context_too_long": (
        400,
        "invalid_request_error",
        "context_length_exceeded",
        "This model's maximum context length is 128000 tokens. However, your messages resulted in 130021 tokens.",
    ),
    "server": (500, "server_error", None, "The server had an error while processing your request. Sorry about that!"),
    "unavailable": (
        503,
        "service_unavailable",
        None,
        "The engine is currently overloaded, please try again later.",
    ),
}
FINISH = {"stop": "stop", "length": "length", "blocked": "content_filter"}


class FakeOpenAI(Fake):
    """Speaks to ``langchain_openai`` and to anything else that is OpenAI-compatible."""

    prefix = "/v1"

    def __init__(self, models: tuple[str, ...] | list[str] = ("gpt-4o",)) -> None:
        super().__init__()
        self.models = models

    def read(self, received: Received) -> bool:
        received.key = received.headers.get("authorization", "").removeprefix("Bearer ")
        if received.path == SPEECH:
            received.model = _field(received, "model")
            return True
        if received.path != "/v1/chat/completions" or received.method != "POST":
            return False
        received.model = received.body["model"]
        received.stream = bool(received.body.get("stream"))
        texts = [(message["role"], message["content"]) for message in received.body["messages"]]
        received.prompt = "\n\n".join(text for _, text in texts)
        received.last_user = next((text for role, text in reversed(texts) if role == "user"), "")
        return True

    def other(self, received: Received) -> Reply:
        if received.path == "/v1/models":
            data = [{"id": id_, "object": "model", "created": CREATED, "owned_by": "us"} for id_ in self.models]
            return Reply(200, {"object": "list", "data": data})
        message = f"Invalid URL ({received.method} {received.path})"
        return Reply(404, {"error": {"message": message, "type": "invalid_request_error", "param": None, "code": None}})

    def failure(self, behaviour: Behaviour, received: Received) -> Reply:
        status, _, _, _ = ERRORS[behaviour.fault]
        headers = [("x-request-id", "req_0123456789")]
        if behaviour.retry_after is not None:
            headers.append(("retry-after", f"{behaviour.retry_after:g}"))
        return Reply(status, _error(behaviour.fault, received), tuple(headers))

    def whole(self, behaviour: Behaviour, received: Received, text: str, used: int) -> Any:
        if received.path == SPEECH:
            return {"text": text, "usage": {"type": "duration", "seconds": SPOKEN_SECONDS}}
        refused = behaviour.fault == "blocked"
        message: dict[str, Any] = {
            "role": "assistant",
            "content": "" if refused else text,
            "refusal": None,
            "annotations": [],
        }
        finish = "content_filter" if refused else FINISH[behaviour.finish]
        choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": finish}
        body = {
            "id": "chatcmpl-B9MBs8CjcvOU2jLn4n570S5qMJKcT",
            "object": "chat.completion",
            "created": CREATED,
            "model": received.model,
            "choices": [] if behaviour.fault == "no_choice" else [choice],
            "service_tier": "default",
        }
        return {**body, "usage": _usage(behaviour, received, used)} if behaviour.usage else body

    async def events(self, behaviour: Behaviour, received: Received) -> AsyncIterator[bytes]:
        used = 0
        if behaviour.fault != "no_choice":
            async for event, count in _choices(behaviour, received):
                used = count
                yield event
                if event.startswith(b'data: {"error"'):
                    return
        if behaviour.usage and (received.body.get("stream_options") or {}).get("include_usage"):
            yield _event(received, [], _usage(behaviour, received, used))
        yield b"data: [DONE]\n\n"


async def _choices(behaviour: Behaviour, received: Received) -> AsyncIterator[tuple[bytes, int]]:
    used = 0
    yield _event(received, _choice({"role": "assistant", "content": "", "refusal": None})), used
    if behaviour.fault != "blocked":
        async for count, word in paced(behaviour, received):
            if behaviour.error_after == count:
                yield _data(_error("server", received)), used
                return
            used = count + 1
            yield _event(received, _choice({"content": word})), used
    finish = "content_filter" if behaviour.fault == "blocked" else FINISH[behaviour.finish]
    yield _event(received, _choice({}, finish)), used


def _field(received: Received, name: str) -> str:
    """One field of a form."""
    found = re.search(rf'name="{name}"\r\n\r\n(.*?)\r\n--'.encode(), received.body, re.DOTALL)
    return found[1].decode() if found else ""


def _error(fault: str, received: Received) -> dict[str, Any]:
    _, type_, code, message = ERRORS[fault]
    text = message.format(key=received.key, model=received.model, prompt=received.prompt)
    return {"error": {"message": text, "type": type_, "param": None, "code": code}}


def _usage(behaviour: Behaviour, received: Received, used: int) -> dict[str, Any]:
    prompt, output = len(received.prompt.split()), used + behaviour.reasoning_tokens
    return {
        "prompt_tokens": prompt,
        "completion_tokens": output,
        "total_tokens": prompt + output,
        "prompt_tokens_details": {"cached_tokens": behaviour.cached_tokens, "audio_tokens": 0},
        "completion_tokens_details": {"reasoning_tokens": behaviour.reasoning_tokens, "audio_tokens": 0},
    }


def _choice(delta: dict[str, Any], finish: str | None = None) -> list[dict[str, Any]]:
    return [{"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}]


def _event(received: Received, choices: list[dict[str, Any]], usage: dict[str, Any] | None = None) -> bytes:
    body = {
        "id": "chatcmpl-B9MBs8CjcvOU2jLn4n570S5qMJKcT",
        "object": "chat.completion.chunk",
        "created": CREATED,
        "model": received.model,
        "service_tier": "default",
        "choices": choices,
        "usage": usage,
    }
    return _data(body)


def _data(body: dict[str, Any]) -> bytes:
    return b"data: " + json.dumps(body, ensure_ascii=False).encode() + b"\n\n"
