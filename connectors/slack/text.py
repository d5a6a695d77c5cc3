"""Convert between Slack's markup and plain text."""

from __future__ import annotations

import html
import re

_LINK = re.compile(r"<([^<>|]+)(?:\|([^<>]*))?>")


def escape_markup(text: str) -> str:
    """Escape mentions, links and entities (https://docs.slack.dev/messaging/formatting-message-text)."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def to_plain_text(text: str) -> str:
    """Return Slack text as plain text for a customer: full links, no ids of colleagues or channels."""
    return html.unescape(_LINK.sub(_format_link, text)).strip()


def _format_link(found: re.Match[str]) -> str:
    target, label = found.group(1), found.group(2) or ""
    if target.startswith(("@", "#", "!")):
        return f"{target[0] if target[0] != '!' else ''}{label.lstrip('@#')}" if label else ""
    target = target.removeprefix("mailto:").removeprefix("tel:")
    return target if label in {"", target} or target.endswith(f"//{label}") else f"{label} ({target})"


def format_mention(name: str) -> str:
    """Return a mention of an on-call entry; ids of members and user groups notify them, other names stay text."""
    if re.fullmatch(r"[UW][A-Z0-9]{5,}", name):
        return f"<@{name}>"
    if re.fullmatch(r"S[A-Z0-9]{5,}", name):
        return f"<!subteam^{name}>"
    return escape_markup(name)


def truncate_text(text: str, longest: int) -> str:
    """Cut the text to the given number of characters."""
    return text if len(text) <= longest else f"{text[: longest - 1]}…"
