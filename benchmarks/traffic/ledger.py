"""What became of everything that was said, counted from what customers and staff got and what the database holds."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import select

from benchmarks.traffic.conversations import Script
from benchmarks.traffic.customers import Browser, Customer
from benchmarks.traffic.town import Town
from core.db.models import Base, Conversation, Delivery, Handoff, HandoffTransition, Message, Turn
from testing.slack import CHANNEL

LOSSES = (
    "messages of customers lost",
    "messages of customers stored twice",
    "answered never",
    "answered twice",
    "what was said to customers lost",
    "what was said to customers doubled and not marked",
    "staff replies lost",
    "staff replies doubled",
    "staff replies in the wrong conversation",
    "messages not forwarded to Slack",
    "messages forwarded twice",
    "alerts missing",
    "alerts doubled",
    "bot messages while a person has the word",
)


class Ledger:
    """Counts once, at the end, when all is quiet."""

    def __init__(self, town: Town, script: Script) -> None:
        self._town, self._script = town, script
        self.found: Counter[str] = Counter(dict.fromkeys(LOSSES, 0))
        self.marked: Counter[str] = Counter()
        """Possible duplicates that are marked, by destination; and how many of them the customer did get twice."""
        self.messages: list[Message] = self._all(Message)
        self.turns: list[Turn] = self._all(Turn)
        self.deliveries: list[Delivery] = self._all(Delivery)
        self._posts = town.slack.workspace.channels[CHANNEL]
        self._inbound()
        self._outbound()
        self._replies()
        self._desk()
        self._silence()

    def _all(self, table: type[Base]) -> list[Any]:
        with self._town.database.session() as session:
            return list(session.scalars(select(table).order_by(table.id)))

    def _inbound(self) -> None:
        stored = Counter(m.client_id for m in self.messages if m.speaker == "customer")
        for sent in (each for customer in self._town.customers for each in customer.sent):
            self.found["messages of customers lost"] += stored[sent] == 0
            self.found["messages of customers stored twice"] += stored[sent] > 1
        said = defaultdict(list)
        for message in self.messages:
            if message.speaker == "bot":
                said[message.turn_id].append(message.text)
        for turn in self.turns:
            self.found["answered never"] += turn.status != "person" and not said[turn.id]
            self.found["answered never"] += turn.status == "waiting"
            self.found["answered twice"] += len(said[turn.id]) > len(set(said[turn.id]))

    def _outbound(self) -> None:
        """What is stored against what came: by its id on the web, by Twilio's id on WhatsApp."""
        where = {each.id: each.address or each.id for each in self._all(Conversation)}
        due = defaultdict(list)
        for message in self.messages:
            if message.speaker != "customer":
                due[where[message.conversation_id]].append(message)
        for customer in self._town.customers:
            if isinstance(customer, Browser):
                self._compare(Counter(m.id for m in due[customer.key]), Counter(i for i, _ in customer.heard))
            else:
                self._compare_phone(customer, due[customer.key])

    def _compare(self, due: Counter[str], came: Counter[str]) -> None:
        self.found["what was said to customers lost"] += (due - came).total()
        self.found["what was said to customers doubled and not marked"] += (came - due).total()

    def _compare_phone(self, customer: Customer, due: Sequence[Message]) -> None:
        rows = {d.message_id: d for d in self.deliveries if d.destination == "whatsapp"}
        claimed = {rows[m.id].vendor_id: rows[m.id] for m in due if m.id in rows}
        came = dict(customer.heard)
        self.found["what was said to customers lost"] += sum(
            m.id not in rows or rows[m.id].vendor_id not in came for m in due
        )
        marked = [came.get(sid or "") for sid, row in claimed.items() if row.possible_duplicate]
        for sid, text in came.items():
            if sid not in claimed and text in marked:
                self.marked["whatsapp, and came twice"] += 1
            elif sid not in claimed:
                self.found["what was said to customers doubled and not marked"] += 1

    def _replies(self) -> None:
        refused = "\n".join(str(post.get("text")) for post in self._posts if post.get("thread_ts"))
        got = Counter((text, customer.key) for customer in self._town.customers for _, text in customer.heard)
        for text, key in self._script.desk.replies.items():
            self.found["staff replies lost"] += got[text, key] == 0 and text not in refused
            self.found["staff replies doubled"] += got[text, key] > 1
            others = (count for (said, to), count in got.items() if said == text and to != key)
            self.found["staff replies in the wrong conversation"] += sum(others)

    def _desk(self) -> None:
        forwarded = [str(post.get("text")) for post in self._posts if post.get("thread_ts")]
        persons = {turn.message_id for turn in self.turns if turn.status == "person"}
        for message in self.messages:
            if message.id in persons and message.text.startswith("One more thing"):
                times = _ending(forwarded, message.text)
                self.found["messages not forwarded to Slack"] += times == 0
                self.found["messages forwarded twice"] += times > 1
        opened = Counter(alert.handoff_id for alerts in self._script.desk.alerts.values() for alert in alerts)
        for transition in self._all(HandoffTransition):
            if transition.event == "request":
                self.found["alerts missing"] += opened[transition.handoff_id] == 0
        self.found["alerts doubled"] += sum(count - 1 for count in opened.values())
        for row in self.deliveries:
            self.marked[row.destination] += row.possible_duplicate

    def _silence(self) -> None:
        handoffs: list[Handoff] = self._all(Handoff)
        for message in self.messages:
            if message.speaker == "bot":
                self.found["bot messages while a person has the word"] += any(
                    h.requested_at < message.created_at and (h.ended_at is None or message.created_at < h.ended_at)
                    for h in handoffs
                    if h.conversation_id == message.conversation_id
                )


def _ending(texts: Iterable[str], text: str) -> int:
    return sum(each.endswith(text) for each in texts)
