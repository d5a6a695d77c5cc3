"""Block Kit rendering of what staff see."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from connectors.base.message_parts import split_message
from connectors.base.outbound import Capabilities, fit_to_channel, outbound_of
from connectors.slack.text import escape_markup, format_mention, truncate_text
from core.attachments import describe_attachments
from core.events import MessageStored
from core.handoffs.settings import Handoffs
from core.handoffs.staff.views import HandoffView
from core.handoffs.states import ENDED
from knowledge.answers.suggestions import SuggestedReply

Block = dict[str, Any]
SECTION = 2900
"""Slack allows 3,000 characters in a section."""
VALUE = 1900
"""Slack allows 2,000 characters in a button's value."""
TRANSCRIPT = 20
_STATES = {
    "requested": ":large_orange_circle: waits for a person",
    "claimed": ":large_blue_circle: taken",
    "with_person": ":large_blue_circle: talking with a person",
    "returned": ":white_circle: given back to the bot",
    "closed": ":white_check_mark: closed",
    "timed_out": ":white_circle: nobody came, the bot went on; it can still be taken",
    "customer_left": ":white_circle: the customer left",
    "nobody_there": ":white_circle: came outside office hours; it can still be taken",
}
_WHO = {"customer": "Customer", "bot": "Bot", "agent": "Staff"}


def build_opening_blocks(handoff: HandoffView, chosen: Handoffs, link: str) -> list[Block]:
    """Return the first message of the thread: customer, channel, urgency, reason and available actions."""
    facts = {
        "Channel": handoff.channel,
        "Urgency": handoff.urgency,
        "Sentiment": handoff.sentiment,
        "State": _format_state(handoff),
        "Contact": handoff.contact or handoff.address or "",
    }
    fields = [_build_markdown_text(f"*{name}*\n{_format_fact(name, value)}") for name, value in facts.items() if value]
    blocks: list[Block] = [
        {"type": "header", "text": _build_plain_text(truncate_text(format_headline(handoff), 150))},
        {"type": "section", "fields": fields},
        _build_section(f"*Why the bot stopped*\n{escape_markup(handoff.reason) or '-'}"),
    ]
    if handoff.summary:
        blocks.append(_build_section(f"*Summary*\n{escape_markup(handoff.summary)}"))
    if handoff.sources:
        named = ", ".join(_format_source(source) for source in handoff.sources)
        blocks.append(
            {
                "type": "context",
                "elements": [_build_markdown_text(truncate_text(f"The bot answered from: {named}", SECTION))],
            }
        )
    blocks.append(
        {
            "type": "context",
            "elements": [_build_markdown_text(f"{_describe_reply_rule(chosen)} · <{link}|The whole conversation>")],
        }
    )
    if handoff.state not in ENDED:
        blocks.append({"type": "actions", "elements": _build_action_buttons(handoff, chosen)})
    return blocks


def format_headline(handoff: HandoffView) -> str:
    urgent = "Urgent: " if handoff.urgency == "high" else ""
    vip = " (VIP)" if handoff.vip else ""
    return f"{urgent}{handoff.customer_name or 'A customer'}{vip} on {handoff.channel}"


def build_message_blocks(message: MessageStored, who: str) -> list[Block]:
    """Return a conversation message as blocks, without interpreting Slack markup in it."""
    text = _format_message(message) or "-"
    name = {"type": "context", "elements": [_build_markdown_text(f"*{escape_markup(who)}*")]}
    return [name, *({"type": "section", "text": _build_plain_text(piece)} for piece in split_message(text, SECTION))]


def build_transcript_blocks(messages: Sequence[MessageStored]) -> list[Block]:
    """Return the most recent part of the earlier conversation."""
    lines = [
        f"*{_WHO[message.speaker]}:* {escape_markup(truncate_text(_format_message(message), 400))}"
        for message in messages[-TRANSCRIPT:]
    ]
    left_out = len(messages) - len(lines)
    before = [f"_{left_out} earlier messages are in the console_"] if left_out > 0 else []
    pieces = split_message("\n".join([*before, *lines]), SECTION)
    return [_build_section(piece) for piece in ["*So far*", *pieces]]


def build_suggestion_blocks(handoff: HandoffView, found: Sequence[SuggestedReply]) -> list[Block]:
    """Return numbered suggested replies from the knowledge base, each with a button."""
    blocks: list[Block] = [_build_section("*Suggested answers*")] if found else []
    for number, each in enumerate(found, 1):
        shown = {"type": "section", "text": _build_plain_text(truncate_text(f"{number}. {each.answer}", SECTION))}
        if len(each.answer) <= VALUE:
            value = f"{handoff.id} {each.answer}"
            shown["accessory"] = _build_button("suggestion", f"Answer with {number}", value)
        blocks.append(shown)
        if each.title or each.url:
            source = _format_source({"title": each.title, "url": each.url})
            blocks.append({"type": "context", "elements": [_build_markdown_text(f"Source: {source}")]})
    return blocks


def format_reminder(handoff: HandoffView, event: str) -> str:
    """Return a reminder or escalation as a line of the thread."""
    if event == "escalate":
        called = f"{format_mention(handoff.call)}: " if handoff.call else ""
        return f":rotating_light: {called}nobody has answered {escape_markup(format_headline(handoff))} yet."
    if event == "remind":
        return f":alarm_clock: {escape_markup(format_headline(handoff))} still waits for an answer."
    return f":bell: {escape_markup(format_headline(handoff))} asks for a person again."


def format_state_change(handoff: HandoffView, event: str) -> str:
    """Return a state change of the handoff as a line of the thread; empty if the opening message suffices."""
    by = f" by {escape_markup(handoff.claimed_by)}" if handoff.claimed_by else ""
    return {
        "claim": f":hand: Taken{by}.",
        "take_over": f":hand: Taken over{by}.",
        "give_back": ":robot_face: Given back: the bot goes on.",
        "close": f":checkered_flag: Closed, {_format_resolution(handoff)}.",
        "time_out": ":hourglass: Nobody answered in time. The bot goes on; whoever answers here takes it all the same.",
        "unattended": ":crescent_moon: It is outside office hours. The bot goes on and asks for an address.",
        "leave_contact": f":email: The customer left {escape_markup(handoff.contact or 'an address')}.",
        "leave": ":wave: The customer ended the conversation.",
    }.get(event, "")


def _format_message(message: MessageStored) -> str:
    """Return the whole message as text; for a reply, as the customer got it, with choices, links and file addresses."""
    if message.speaker == "customer":
        files = describe_attachments(each for each in message.attachments if each["kind"] not in {"list", "card"})
        return "\n".join(dict.fromkeys(filter(None, [message.text, files])))
    custom = describe_attachments(each for each in message.attachments if each["kind"] == "custom")
    return "\n".join(filter(None, [fit_to_channel(outbound_of(message), Capabilities()).text, custom]))


def _build_action_buttons(handoff: HandoffView, chosen: Handoffs) -> list[Block]:
    buttons = [_build_button("claim", "Take it", handoff.id, style="primary")]
    if not chosen.alerts_only:
        buttons.append(_build_button("reply", "Reply …", handoff.id))
    return [
        *buttons,
        _build_button("give_back", "Give back to the bot", handoff.id),
        _build_button("resolved", "Close: resolved", handoff.id),
        _build_button("not_resolved", "Close: not resolved", handoff.id),
        _build_button("correct", "Correct the bot …", handoff.id),
    ]


def _describe_reply_rule(chosen: Handoffs) -> str:
    if chosen.alerts_only:
        return "Answer in the console; nothing that is written here reaches the customer"
    if chosen.reply_mode == "marked":
        return "Only what begins with `!reply` reaches the customer, or the button *Reply …*; the rest stays among you"
    return "*Everything* that is written in this thread goes to the customer"


def _format_state(handoff: HandoffView) -> str:
    by = f" by {handoff.claimed_by}" if handoff.claimed_by and handoff.state in {"claimed", "with_person"} else ""
    resolved = f", {_format_resolution(handoff)}" if handoff.state == "closed" else ""
    return f"{_STATES.get(handoff.state, handoff.state)}{by}{resolved}"


def _format_resolution(handoff: HandoffView) -> str:
    return {True: "resolved", False: "not resolved", None: "no word on whether it helped"}[handoff.resolved]


def _format_fact(name: str, value: str) -> str:
    urgent = ":red_circle: " if name == "Urgency" and value == "high" else ""
    return truncate_text(f"{urgent}{escape_markup(value)}", 1900)


def _format_source(source: dict[str, str | None]) -> str:
    title, url = escape_markup(source.get("title") or "a document"), source.get("url") or ""
    return f"<{escape_markup(url)}|{title}>" if url.startswith("http") else title


def _build_section(text: str) -> Block:
    return {"type": "section", "text": _build_markdown_text(truncate_text(text, SECTION))}


def _build_markdown_text(text: str) -> Block:
    return {"type": "mrkdwn", "text": text}


def _build_plain_text(text: str) -> Block:
    return {"type": "plain_text", "text": text, "emoji": False}


def _build_button(action: str, caption: str, value: str, **more: str) -> Block:
    text = {"type": "plain_text", "text": caption}
    return {"type": "button", "action_id": action, "text": text, "value": value, **more}
