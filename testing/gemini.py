"""The Gemini API, as Google's reference documents it: generateContent, streamGenerateContent, countTokens, models."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from typing import Any

from testing.behaviour import Behaviour
from testing.server import Fake, Received, Reply, paced

ERRORS: dict[str, tuple[int, str, str]] = {
    # fault: status, Google's status, message
    "rate_limited": (429, "RESOURCE_EXHAUSTED", "You exceeded your current quota, please check your plan and billing."),
    "quota": (
        429,
        "RESOURCE_EXHAUSTED",
        "You exceeded your current quota, please check your plan and billing details.",
    ),
    "payment": (402, "FAILED_PRECONDITION", "Billing is disabled for this project."),
    "unauthorised": (400, "INVALID_ARGUMENT", "API key not valid. Please pass a valid API key."),
    "forbidden": (403, "PERMISSION_DENIED", "Your API key {key} was reported as leaked. Please use another API key."),
    "not_found": (
        404,
        "NOT_FOUND",
        "models/{model} is not found for API version v1beta, or is not supported for generateContent.",
    ),
    "bad_request": (400, "INVALID_ARGUMENT", "Invalid value at 'contents[0]': {prompt}"),
    "context_too_long": (
        400,
        "INVALID_ARGUMENT",
        "The input token count (1200000) exceeds the maximum number of tokens allowed (1048576).",
    ),
    "server": (500, "INTERNAL", "An internal error has occurred. Please retry or report in the issue tracker."),
    "unavailable": (503, "UNAVAILABLE", "The model is overloaded. Please try again later."),
}
FINISH = {"stop": "STOP", "length": "MAX_TOKENS", "blocked": "SAFETY"}
QUOTA = "GenerateRequestsPer{}PerProjectPerModel-FreeTier"


class FakeGemini(Fake):
    """Speaks to ``langchain_google_genai``."""

    def read(self, received: Received) -> bool:
        received.key = received.headers.get("x-goog-api-key", "")
        asked = re.fullmatch(r"/v1beta/models/([^:?]+):(generateContent|streamGenerateContent)(\?.*)?", received.path)
        if not asked:
            return False
        received.model, received.stream = asked[1], asked[2] == "streamGenerateContent"
        body = received.body
        system = [part["text"] for part in (body.get("systemInstruction") or {}).get("parts", [])]
        turns = [(turn.get("role"), _text(turn)) for turn in body["contents"]]
        received.prompt = "\n\n".join([*system, *(text for _, text in turns)])
        received.last_user = next((text for role, text in reversed(turns) if role == "user"), "")
        return True

    def other(self, received: Received) -> Reply:
        if received.path.startswith("/v1beta/models") and received.method == "GET":
            return Reply(200, {"models": [{"name": "models/gemini-3.1-flash-lite", "inputTokenLimit": 1_048_576}]})
        if ":countTokens" in received.path:
            count = sum(len(_text(turn).split()) for turn in received.body["contents"])
            return Reply(200, {"totalTokens": count})
        return Reply(404, {"error": {"code": 404, "message": "Not found", "status": "NOT_FOUND"}})

    def failure(self, behaviour: Behaviour, received: Received) -> Reply:
        status, name, message = ERRORS[behaviour.fault]
        text = message.format(key=received.key, model=received.model, prompt=received.prompt)
        error = {"code": status, "message": text, "status": name, "details": _details(behaviour)}
        return Reply(status, {"error": error})

    def whole(self, behaviour: Behaviour, received: Received, text: str, used: int) -> Any:
        if behaviour.fault == "blocked":
            return self._body(behaviour, received, [], used) | {"promptFeedback": {"blockReason": "SAFETY"}}
        if behaviour.fault == "no_choice":
            return self._body(behaviour, received, [], used)
        return self._body(behaviour, received, [_candidate(text, FINISH[behaviour.finish])], used)

    async def events(self, behaviour: Behaviour, received: Received) -> AsyncIterator[bytes]:
        if behaviour.fault in {"blocked", "no_choice"}:
            yield _data(self.whole(behaviour, received, "", 0))
            return
        used = 0
        async for count, word in paced(behaviour, received):
            if behaviour.error_after == count:
                yield _data(self.failure(Behaviour(fault="unavailable"), received).body)
                return
            yield _data(self._body(behaviour, received, [_candidate(word, None)], count + 1))
            used = count + 1
        yield _data(self._body(behaviour, received, [_candidate("", FINISH[behaviour.finish])], used))

    def _body(
        self, behaviour: Behaviour, received: Received, candidates: list[dict[str, Any]], used: int
    ) -> dict[str, Any]:
        body: dict[str, Any] = {"modelVersion": received.model, "responseId": "r1"}
        if candidates:
            body["candidates"] = candidates
        if behaviour.usage:
            body["usageMetadata"] = _usage(behaviour, received, used)
        return body


def _text(turn: dict[str, Any]) -> str:
    return "".join(part.get("text", "") for part in turn["parts"])


def _candidate(text: str, finish: str | None) -> dict[str, Any]:
    candidate: dict[str, Any] = {"content": {"parts": [{"text": text}], "role": "model"}, "index": 0}
    return {**candidate, "finishReason": finish} if finish else candidate


def _usage(behaviour: Behaviour, received: Received, used: int) -> dict[str, Any]:
    prompt = len(received.prompt.split())
    usage: dict[str, Any] = {
        "promptTokenCount": prompt,
        "candidatesTokenCount": used,
        "totalTokenCount": prompt + used + behaviour.reasoning_tokens,
        "promptTokensDetails": [{"modality": "TEXT", "tokenCount": prompt}],
    }
    if behaviour.cached_tokens:
        usage["cachedContentTokenCount"] = behaviour.cached_tokens
    if behaviour.reasoning_tokens:
        usage["thoughtsTokenCount"] = behaviour.reasoning_tokens
    return usage


def _details(behaviour: Behaviour) -> list[dict[str, Any]]:
    details: list[dict[str, Any]] = []
    if behaviour.fault in {"rate_limited", "quota"}:
        span = "Day" if behaviour.fault == "quota" else "Minute"
        violation = {"quotaMetric": "generativelanguage.googleapis.com/requests", "quotaId": QUOTA.format(span)}
        details.append({"@type": "type.googleapis.com/google.rpc.QuotaFailure", "violations": [violation]})
    if behaviour.fault == "unauthorised":
        details.append({"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "API_KEY_INVALID"})
    if behaviour.retry_after is not None:
        delay = f"{behaviour.retry_after:g}s"
        details.append({"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": delay})
    return details


def _data(body: dict[str, Any]) -> bytes:
    return b"data: " + json.dumps(body, ensure_ascii=False).encode() + b"\r\n\r\n"
