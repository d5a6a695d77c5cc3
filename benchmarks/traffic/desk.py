"""Staff at a fake Slack: they see the threads that are opened, press buttons and write."""

from __future__ import annotations

import json
import re
import time
from collections import defaultdict
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from benchmarks.traffic.wire import Wire
from testing.instance import ROOT
from testing.slack import FakeSlack

_KEY = re.compile(r"\+4477009\d{5}|(?<=/console/conversations/)[0-9A-Z]{26}")


class Slack(FakeSlack):
    """Its timestamps are of now, as Slack's are."""

    def timestamp(self) -> str:
        """Never the same twice."""
        return f"{int(time.time())}.{next(self._numbers):06}"


@dataclass(frozen=True)
class Alert:
    """A thread that was opened."""

    handoff_id: str
    ts: str
    at: float
    """When it was seen, by `time.perf_counter`."""


@dataclass
class Desk:
    """All the staff."""

    wire: Wire
    slack: Slack
    alerts: dict[str, list[Alert]] = field(default_factory=lambda: defaultdict(list))
    """By the customer's key, oldest first."""
    replies: dict[str, str] = field(default_factory=dict)
    """Text of a reply that Slack's event brought in -> the customer's key."""

    def sees(self, message: dict[str, Any]) -> str | None:
        """A message of ours in Slack; the customer's key, where it opens a thread."""
        if message.get("thread_ts"):
            return None
        found = _KEY.findall(json.dumps(message["blocks"]))
        key = next((each for each in found if each.startswith("+")), found[0])
        handoff_id = message["metadata"]["event_payload"]["handoff"]
        self.alerts[key].append(Alert(handoff_id, message["ts"], time.perf_counter()))
        return str(key)

    async def press(self, action: str, alert: Alert) -> None:
        """A button; Slack does not repeat it, so staff do until something happens."""
        sent = json.loads(_payload("block_actions"))
        sent["actions"][0] |= {"action_id": action, "value": alert.handoff_id, "action_ts": f"{time.time():.6f}"}
        await self._post("interactive", sent)

    async def write(self, alert: Alert, text: str, key: str) -> None:
        """Something in the thread; Slack repeats the event until it is taken."""
        sent, ts = json.loads(_payload("message")), self.slack.timestamp()
        sent["event_id"] = f"Ev{ts}"
        sent["event"] |= {"thread_ts": alert.ts, "ts": ts, "event_ts": ts, "text": text}
        if await self._post("events_api", sent):
            self.replies[text] = key

    async def _post(self, kind: str, sent: dict[str, Any]) -> bool:
        path, body, headers = self.slack.request(kind, sent)
        return await self.wire.post("webhook (slack)", path, data=body, headers=headers) is not None


@cache
def _payload(name: str) -> str:
    """A recorded example."""
    return (ROOT / f"tests/payloads/slack/{name}.json").read_text()
