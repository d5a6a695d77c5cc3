"""Slack's way to write text, and back to plain words."""

from __future__ import annotations

import html
import re

_LINK = re.compile(r"<([^<>|]+)(?:\|([^<>]*))?>")


def escape_markup(text: str) -> str:
    """So that nothing in it is a mention, a link or an entity (https://docs.slack.dev/messaging/formatting-message-text)."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def to_plain_text(text: str) -> str:
    """What a person wrote in Slack, as a customer can read it: links in full, no ids of colleagues or channels."""
    return html.unescape(_LINK.sub(_format_link, text)).strip()


def _format_link(found: re.Match[str]) -> str:
    target, label = found.group(1), found.group(2) or ""
    if target.startswith(("@", "#", "!")):
        return f"{target[0] if target[0] != '!' else ''}{label.lstrip('@#')}" if label else ""
    target = target.removeprefix("mailto:").removeprefix("tel:")
    return target if label in {"", target} or target.endswith(f"//{label}") else f"{label} ({target})"


def format_mention(name: str) -> str:
    """Somebody of the on-call order: a member's or user group's id is called, another name is only written."""
    if re.fullmatch(r"[UW][A-Z0-9]{5,}", name):
        return f"<@{name}>"
    if re.fullmatch(r"S[A-Z0-9]{5,}", name):
        return f"<!subteam^{name}>"
    return escape_markup(name)


def truncate_text(text: str, longest: int) -> str:
    """At most so many characters."""
    return text if len(text) <= longest else f"{text[: longest - 1]}…"
