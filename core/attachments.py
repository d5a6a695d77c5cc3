"""Attachments of a message, in both directions. Each is a dictionary with a ``kind``.

- image, audio, video, document: name (of an image: its alt text), content_type, size (bytes), and ``path`` below the home
  folder (internal) or ``url``. An audio has ``transcribed``: true if the message's text is its transcript
- location: latitude, longitude, and optionally name and address
- card: title, and optionally text, url, image (a URL), links (as below) and choices (indexes of the message's buttons);
  several in a row form a carousel
- link: title and url; a button that opens the URL
- list: button (its caption) and sections [{"title", "rows"}], where the rows are indexes of the message's buttons
- custom: payload (JSON), only for the page that embeds the widget
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

KINDS = ("image", "audio", "video", "document", "location", "card", "link", "list", "custom")
FILES = ("image", "audio", "video", "document")
Attachment = Mapping[str, Any]


def describe_attachments(attachments: Iterable[Attachment]) -> str:
    """Describe attachments for text-only output: "[image: invoice.png]"."""
    return " ".join(_describe_attachment(each) for each in attachments)


def for_page_only(text: str, buttons: Sequence[Any], attachments: Iterable[Attachment]) -> bool:
    """Whether only the widget's page can show the message, as it has nothing but custom payloads."""
    return not text and not buttons and all(each["kind"] == "custom" for each in attachments)


def in_words(text: str, attachments: Iterable[Attachment]) -> str:
    """Return the text, or a description of the attachments if it is empty."""
    return text or describe_attachments(attachments)


def _describe_attachment(each: Attachment) -> str:
    if each["kind"] == "location":
        named = ", ".join(str(each[part]) for part in ("name", "address") if each.get(part))
        place = f"{each['latitude']}, {each['longitude']}"
        return f"[location: {named} ({place})]" if named else f"[location: {place}]"
    if each["kind"] == "custom":
        return "[custom: for the page]"
    return f"[{each['kind']}: {each.get('name') or each.get('title') or each.get('url') or 'without a name'}]"
