"""What we say, whatever the channel; what a channel can show of it; and the same in plain text."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from connectors.base.splitting import split
from core.events import MessageStored

Item = Mapping[str, Any]


@dataclass(frozen=True)
class Outbound:
    """One message in full: its text, and what goes with it."""

    text: str = ""
    buttons: tuple[str, ...] = ()
    """Titles; a press names the message and the place."""
    list_button: str | None = None
    """The buttons are the rows of a list that opens at this caption."""
    images: tuple[Item, ...] = ()
    """name, content_type, size, url (as all files)"""
    documents: tuple[Item, ...] = ()
    """Also audio and video."""
    cards: tuple[Item, ...] = ()
    """A carousel: title, and maybe text, url, image."""
    locations: tuple[Item, ...] = ()
    """latitude, longitude, and maybe name and address"""
    sources: tuple[Item, ...] = ()
    """title, and maybe url"""


@dataclass(frozen=True)
class Capabilities:
    """What a channel can show; the rest becomes text."""

    longest: int = 4096
    """Characters of one message; a longer text is split at sentence borders."""
    buttons: int = 0
    """How many quick replies go under a message; 0: none."""
    button_length: int = 20
    rows: int = 0
    """How many rows a list has, where there are more choices than buttons; 0: no lists."""
    row_length: int = 24
    images: bool = False
    documents: bool = False
    carousel: bool = False
    locations: bool = False


def outbound_of(message: MessageStored) -> Outbound:
    """A stored message in the words of this contract."""
    kinds = {kind: tuple(a for a in message.attachments if a["kind"] in kind.split()) for kind in _KINDS}
    lists = [each for each in message.attachments if each["kind"] == "list"]
    return Outbound(
        text=message.text,
        buttons=message.buttons,
        list_button=str(lists[0].get("button", "")) if lists else None,
        images=kinds["image"],
        documents=kinds["document audio video"],
        cards=kinds["card"],
        locations=kinds["location"],
        sources=message.sources,
    )


_KINDS = ("image", "document audio video", "card", "location")


def fitted(outbound: Outbound, can: Capabilities) -> Outbound:
    """The same message with what the channel cannot show told in its text; nothing is left out.

    Choices that do not fit become numbered lines, which ``connectors.base.choices.choice_of`` understands.
    """
    lines = [outbound.text] if outbound.text else []
    kept = replace(outbound, text="")
    for name, can_show, worded in (
        ("images", can.images, _file),
        ("documents", can.documents, _file),
        ("cards", can.carousel, _card),
        ("locations", can.locations, _location),
    ):
        items: tuple[Item, ...] = getattr(kept, name)
        if items and not can_show:
            lines += [worded(item) for item in items]
            told: dict[str, Any] = {name: ()}
            kept = replace(kept, **told)
    if outbound.sources:
        lines.append("\n".join(_source(source) for source in outbound.sources))
        kept = replace(kept, sources=())
    if outbound.buttons and not fits(outbound.buttons, can):
        lines.append("\n".join(f"{number}. {title}" for number, title in enumerate(outbound.buttons, 1)))
        kept = replace(kept, buttons=(), list_button=None)
    return replace(kept, text="\n\n".join(lines))


def fits(titles: tuple[str, ...], can: Capabilities) -> bool:
    """Whether these choices can be shown as buttons or as rows of a list."""
    longest = max(map(len, titles), default=0)
    as_buttons = len(titles) <= can.buttons and longest <= can.button_length
    return as_buttons or (len(titles) <= can.rows and longest <= can.row_length)


def parts(outbound: Outbound, can: Capabilities) -> list[Outbound]:
    """The messages that it takes on this channel: long texts are split, what goes with the text goes with the last."""
    whole = fitted(outbound, can)
    texts = split(whole.text, can.longest) or [""]
    return [*(Outbound(text) for text in texts[:-1]), replace(whole, text=texts[-1])]


def _file(item: Item) -> str:
    return ": ".join(str(item[part]) for part in ("name", "url") if item.get(part)) or str(item["kind"])


def _card(item: Item) -> str:
    return "\n".join(str(item[part]) for part in ("title", "text", "url", "image") if item.get(part))


def _location(item: Item) -> str:
    named = [str(item[part]) for part in ("name", "address") if item.get(part)]
    where = f"{item['latitude']},{item['longitude']}"
    return "\n".join([*named, f"https://maps.google.com/?q={where}"])


def _source(item: Item) -> str:
    return f"{item['title']}: {item['url']}" if item.get("url") else str(item["title"])
