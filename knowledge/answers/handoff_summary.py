"""A model's summary of a conversation, for the agent who takes it over."""

from __future__ import annotations

from collections.abc import Sequence

from core.events import MessageStored
from core.llm.client import request_completion
from core.llm.router.router import Router
from core.llm.types import Request, RequestOrigin, RequestSignals
from knowledge.answers.prompt_texts import Prompts
from knowledge.types import SPEAKERS, Utterance

LOOKED_BACK = 40
SUMMARY_TOKENS = 200


class Summariser:
    def __init__(self, router: Router, prompts: Prompts) -> None:
        self._router, self._prompts = router, prompts

    async def __call__(self, tenant_id: str, conversation_id: str, said: Sequence[MessageStored]) -> str | None:
        """Return two to four sentences; None if there is no model or it failed."""
        utterances = [Utterance(SPEAKERS[each.speaker], each.text) for each in said[-LOOKED_BACK:]]
        caller = RequestOrigin(tenant_id, conversation_id, purpose="summary", prompt_version=self._prompts.version)
        last = utterances[-1].text if utterances else ""
        request = Request(
            self._prompts.summary(utterances), caller, RequestSignals(last), max_output_tokens=SUMMARY_TOKENS
        )
        completion = await request_completion(self._router, request)
        return (completion.text.strip() or None) if completion else None
