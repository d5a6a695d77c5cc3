"""What a message carries beside its text, in both directions: a dictionary with its kind.

- image, audio, video, document: name, content_type, size (bytes), and ``path`` below the home folder (kept inside) or ``url``
  An audio has ``transcribed``: true where the message's text is what is said in it
- location: latitude, longitude, and maybe name and address
- card: title, and maybe text, url, image (a URL); several in a row are a carousel
- list: button (its caption) and sections [{"title", "rows"}], where the rows are numbers of the message's buttons
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

KINDS = ("image", "audio", "video", "document", "location", "card", "list")
Attachment = Mapping[str, Any]


def described(attachments: Iterable[Attachment]) -> str:
    """In words, for who reads only text: "[image: invoice.png]"."""
    return " ".join(_described(each) for each in attachments)


def _described(each: Attachment) -> str:
    if each["kind"] == "location":
        named = ", ".join(str(each[part]) for part in ("name", "address") if each.get(part))
        place = f"{each['latitude']}, {each['longitude']}"
        return f"[location: {named} ({place})]" if named else f"[location: {place}]"
    return f"[{each['kind']}: {each.get('name') or each.get('title') or each.get('url') or 'without a name'}]"
