"""A small test call to a provider, and advice for operators when it fails."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from core.errors import ErrorKind
from core.llm.types import ChatMessage, Request, RequestOrigin

MENDS: Mapping[ErrorKind, str] = {
    "timeout": "Check the network and the vendor's status page; raise first_token_seconds if its models are always this slow.",
    "connection": "Check the address in .env, the network and a proxy or firewall in between; is a local server running?",
    "rate_limited": "Wait a moment. If it stays, ask the vendor for a higher limit, or let another model come first in models.yml.",
    "unauthorised": "Check the key in .env: copied whole, not revoked, and allowed to use this model. Then restart.",
    "quota": "Look at the vendor's billing page: top the account up, or raise its limit of spending.",
    "server": "The vendor has a fault of its own: see its status page. Other models stand in meanwhile.",
    "malformed": "Something that is not the vendor answers: check the address in .env (often a proxy's page, or /v1 is missing).",
    "empty": "Try again; if it stays, take another model in models.yml: this one sends no text.",
    "blocked": "The vendor's safety filter holds back a harmless text: look at the account's safety settings.",
    "not_found": "Correct the model's name in models.yml, or take it out: the vendor does not know it (any more).",
    "context_too_long": "Correct context_window in models.yml: the model reads less than it says there.",
    "bad_request": "The vendor refuses what we send: correct reasoning, effort or max_output of the model in models.yml.",
}
SETUP: Mapping[str, str] = {
    "openai": "REJOINDER_OPENAI_API_KEY",
    "gemini": "REJOINDER_GEMINI_API_KEY",
    "ollama": "REJOINDER_OLLAMA_URL",
    "vllm": "REJOINDER_VLLM_URL",
    "llamacpp": "REJOINDER_LLAMACPP_URL",
    "local": "REJOINDER_LOCAL_MODEL",
}
PRICE_MISSING = "It answers, but has no price"
PRICE_MEND = "Add its price to models.yml; without one its calls count nothing in costs and budgets."
TENANT = "*"


@dataclass(frozen=True)
class TestReport:
    """Result of the test call; ``cause`` and ``mend`` are empty if all is well."""

    __test__ = False  # not a pytest test

    provider: str
    model: str
    ok: bool
    error_kind: ErrorKind | None = None
    cause: str = ""
    mend: str = ""
    latency_ms: float | None = None
    first_token_ms: float | None = None
    cost: Decimal | None = None


def build_probe_request() -> Request:
    """Build a minimal request."""
    messages = (ChatMessage("system", "Answer with one word."), ChatMessage("user", "Say: hello"))
    return Request(messages, RequestOrigin(TENANT, purpose="test"), max_output_tokens=50)


def not_set_up(provider: str) -> TestReport:
    """Report that the provider has no key, address or model."""
    setting = SETUP.get(provider)
    if setting is None:
        known = ", ".join(SETUP)
        return TestReport(
            provider, "", ok=False, cause=f"There is no provider {provider!r}", mend=f"Take one of: {known}."
        )
    return TestReport(provider, "", ok=False, cause="It is not set up", mend=f"Set {setting} in .env and restart.")


def without_model(provider: str) -> TestReport:
    """Report that models.yml has no model of this provider."""
    mend = f'Add one to models.yml, with "provider: {provider}", and name it in a role.'
    return TestReport(provider, "", ok=False, cause="models.yml has no model of it", mend=mend)
