"""Content API templates: created on first use, or approved by WhatsApp for messages outside the window."""

from __future__ import annotations

import asyncio
from typing import Any

from connectors.twilio.client import Twilio
from core.errors import InvalidInput

UPDATE = "rejoinder_update"
CODE = "rejoinder_code"
APPROVED = "approved"
TEMPLATES: dict[str, tuple[str, dict[str, Any]]] = {
    UPDATE: (
        "UTILITY",
        {
            "friendly_name": UPDATE,
            "language": "en",
            "variables": {"1": "Your order was sent today."},
            "types": {
                "twilio/text": {"body": "News about your request to our support team: {{1}} Answer here to go on."}
            },
        },
    ),
    CODE: (
        "AUTHENTICATION",
        {
            "friendly_name": CODE,
            "language": "en",
            "variables": {"1": "123456"},
            "types": {
                "whatsapp/authentication": {
                    "add_security_recommendation": True,
                    "code_expiration_minutes": 10,
                    "actions": [{"type": "COPY_CODE", "copy_code_text": "Copy code"}],
                }
            },
        },
    ),
}
"""Name -> WhatsApp category and content."""


class Contents:
    """Finds contents by name and caches them."""

    def __init__(self, twilio: Twilio) -> None:
        self._twilio = twilio
        self._sids: dict[str, str] = {}
        self._approved: dict[str, str] = {}
        self._lock = asyncio.Lock()

    async def sid(self, content: dict[str, Any]) -> str:
        """Return the sid of a content for use inside the window, creating it if needed; it needs no approval."""
        name = str(content["friendly_name"])
        async with self._lock:
            if name not in self._sids:
                self._sids = {each["friendly_name"]: each["sid"] for each in await self._twilio.contents()}
            if name not in self._sids:
                self._sids[name] = await self._twilio.create_content(content)
            return self._sids[name]

    async def template(self, name: str) -> str | None:
        """Return the sid of one of ``TEMPLATES``, or None until WhatsApp has approved it."""
        async with self._lock:
            if name not in self._approved:
                self._approved |= {
                    each["name"]: each["sid"] for each in await self.templates() if each["status"] == APPROVED
                }
            return self._approved.get(name)

    async def templates(self) -> list[dict[str, str]]:
        """Return the name, sid, status (missing, unsubmitted or WhatsApp's) and rejection reason of each template."""
        found = {each["friendly_name"]: each for each in await self._twilio.contents()}
        return [_build_template_status(name, found.get(name)) for name in TEMPLATES]

    async def create(self, name: str) -> str:
        """Create a template if it is missing, submit it for approval, and return the approval status.

        Raises:
            InvalidInput: there is no such template.
        """
        if name not in TEMPLATES:
            raise InvalidInput(f"The templates are {', '.join(TEMPLATES)}.")
        category, content = TEMPLATES[name]
        known = next(each for each in await self.templates() if each["name"] == name)
        if known["status"] not in {"missing", "unsubmitted"}:
            return known["status"]
        return await self._twilio.submit(known["sid"] or await self._twilio.create_content(content), name, category)


def _build_template_status(name: str, content: dict[str, Any] | None) -> dict[str, str]:
    approval = (content or {}).get("approval", {})
    status = "missing" if content is None else str(approval.get("status") or "unsubmitted")
    reason = str(approval.get("rejection_reason") or "")
    return {"name": name, "sid": str((content or {}).get("sid", "")), "status": status, "reason": reason}
