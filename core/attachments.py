"""What a message carries beside its text, in both directions: a dictionary with its kind.

- image, audio, video, document: name (of an image in words: its alt text), content_type, size (bytes), and ``path`` below
  the home folder (kept inside) or ``url``. An audio has ``transcribed``: true where the message's text is what is said in it
- location: latitude, longitude, and maybe name and address
- card: title, and maybe text, url, image (a URL), links (as below) and choices (numbers of the message's buttons); several
  in a row are a carousel
- link: title and url; a button that opens it
- list: button (its caption) and sections [{"title", "rows"}], where the rows are numbers of the message's buttons
- custom: payload (JSON); for the page that the widget is in, and nobody else
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

KINDS = ("image", "audio", "video", "document", "location", "card", "link", "list", "custom")
FILES = ("image", "audio", "video", "document")
Attachment = Mapping[str, Any]


def describe_attachments(attachments: Iterable[Attachment]) -> str:
    """In words, for who reads only text: "[image: invoice.png]"."""
    return " ".join(_describe_attachment(each) for each in attachments)


def for_page_only(text: str, buttons: Sequence[Any], attachments: Iterable[Attachment]) -> bool:
    """Is there nothing in it that anybody but the widget's page can show?"""
    return not text and not buttons and all(each["kind"] == "custom" for each in attachments)


def in_words(text: str, attachments: Iterable[Attachment]) -> str:
    """What was said, for who reads only text; where nothing was, what came in its place."""
    return text or describe_attachments(attachments)


def _describe_attachment(each: Attachment) -> str:
    if each["kind"] == "location":
        named = ", ".join(str(each[part]) for part in ("name", "address") if each.get(part))
        place = f"{each['latitude']}, {each['longitude']}"
        return f"[location: {named} ({place})]" if named else f"[location: {place}]"
    if each["kind"] == "custom":
        return "[custom: for the page]"
    return f"[{each['kind']}: {each.get('name') or each.get('title') or each.get('url') or 'without a name'}]"
