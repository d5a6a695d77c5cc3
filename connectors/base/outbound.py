"""Channel-independent outgoing messages, channel capabilities, and plain-text fallbacks."""

from __future__ import annotations

import mimetypes
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlsplit

from connectors.base.message_parts import split_message
from core.attachments import FILES
from core.events import MessageStored

Item = Mapping[str, Any]


@dataclass(frozen=True)
class Outbound:
    """A complete outgoing message: its text and everything attached to it."""

    text: str = ""
    buttons: tuple[str, ...] = ()
    """Button titles; a press refers to the message and the button's index."""
    list_button: str | None = None
    """Caption that opens the list; if set, the buttons are its rows."""
    images: tuple[Item, ...] = ()
    """Each has name, content_type, size and url, as all files do."""
    documents: tuple[Item, ...] = ()
    """Also holds audio and video files."""
    cards: tuple[Item, ...] = ()
    """A carousel. Each card has a title and optionally text, url, image and links; its choices are among the buttons."""
    links: tuple[Item, ...] = ()
    """Each has title and url."""
    locations: tuple[Item, ...] = ()
    """Each has latitude and longitude, and optionally name and address."""
    sources: tuple[Item, ...] = ()
    """Each has a title and optionally a url."""


@dataclass(frozen=True)
class Capabilities:
    """What a channel can display; everything else is rendered as text."""

    longest: int = 4096
    """Maximum characters per message; longer texts are split at sentence boundaries."""
    buttons: int = 0
    """Maximum number of quick replies under a message; 0 means none."""
    button_length: int = 20
    rows: int = 0
    """Maximum number of list rows, used if there are more choices than buttons; 0 means no lists."""
    row_length: int = 24
    images: bool = False
    documents: bool = False
    media: frozenset[str] = frozenset()
    """Supported content types of images and documents; empty if all are supported."""
    carousel: bool = False
    locations: bool = False

    def shows(self, address: str, content_type: str | None = None) -> bool:
        """Whether a file of this type can be displayed; unknown types are tried."""
        known = content_type or mimetypes.guess_type(urlsplit(address).path)[0]
        return not self.media or known is None or known in self.media


def outbound_of(message: MessageStored) -> Outbound:
    """Convert a stored message to an ``Outbound``; custom payloads are left out, since only the widget's page uses them."""
    kinds = {kind: tuple(a for a in message.attachments if a["kind"] in kind.split()) for kind in _KINDS}
    lists = [each for each in message.attachments if each["kind"] == "list"]
    return Outbound(
        text=message.text,
        buttons=_format_choice_titles(message.buttons, kinds["card"]),
        list_button=str(lists[0].get("button", "")) if lists else None,
        images=kinds["image"],
        documents=kinds["document audio video"],
        cards=kinds["card"],
        links=kinds["link"],
        locations=kinds["location"],
        sources=message.sources,
    )


_KINDS = ("image", "document audio video", "card", "link", "location")


def _format_choice_titles(titles: tuple[str, ...], cards: tuple[Item, ...]) -> tuple[str, ...]:
    """Prefix a choice with its card's title if several cards offer the same choice."""
    card_of = {number: str(card["title"]) for card in cards for number in card.get("choices", ())}
    return tuple(
        f"{card_of[n]}: {title}" if n in card_of and titles.count(title) > 1 else title
        for n, title in enumerate(titles)
    )


def fit_to_channel(outbound: Outbound, can: Capabilities) -> Outbound:
    """Return the message with unsupported content rendered as text; nothing is dropped.

    Choices that do not fit become numbered lines, which ``connectors.base.choices.choice_of`` understands.
    """
    lines = [outbound.text] if outbound.text else []
    kept = replace(outbound, text="")
    for name, can_show, worded in (
        ("images", can.images, file_text),
        ("documents", can.documents, file_text),
        ("cards", can.carousel, card_text),
        ("locations", can.locations, location_text),
    ):
        items: tuple[Item, ...] = getattr(kept, name)
        told = [item for item in items if not (can_show and _can_show(item, can))]
        lines += [worded(item) for item in told]
        left: dict[str, Any] = {name: tuple(item for item in items if item not in told)}
        kept = replace(kept, **left)
    for named in (outbound.links, outbound.sources):
        if named:
            lines.append("\n".join(_format_link(each) for each in named))
    kept = replace(kept, links=(), sources=())
    if outbound.buttons and not can_show_choices(outbound.buttons, can):
        lines.append("\n".join(f"{number}. {title}" for number, title in enumerate(outbound.buttons, 1)))
        kept = replace(kept, buttons=(), list_button=None)
    return replace(kept, text="\n\n".join(lines))


def can_show_choices(titles: tuple[str, ...], can: Capabilities) -> bool:
    """Whether the choices fit as buttons or as rows of a list."""
    longest = max(map(len, titles), default=0)
    as_buttons = len(titles) <= can.buttons and longest <= can.button_length
    return as_buttons or (len(titles) <= can.rows and longest <= can.row_length)


def split_outbound(outbound: Outbound, can: Capabilities) -> list[Outbound]:
    """Fit a message to the channel and split a long text; attachments and buttons go with the last part."""
    whole = fit_to_channel(outbound, can)
    texts = split_message(whole.text, can.longest) or [""]
    return [*(Outbound(text) for text in texts[:-1]), replace(whole, text=texts[-1])]


def card_text(card: Item, parts: tuple[str, ...] = ("title", "text", "url", "image")) -> str:
    """Return the given parts of a card and its links as text."""
    return "\n".join(
        [*(str(card[part]) for part in parts if card.get(part)), *map(_format_link, card.get("links", ()))]
    )


def file_text(item: Item) -> str:
    """Return the name and address of a file as text."""
    return ": ".join(str(item[part]) for part in ("name", "url") if item.get(part)) or str(item["kind"])


def location_text(item: Item) -> str:
    """Return the name and address of a location and a map link as text."""
    named = [str(item[part]) for part in ("name", "address") if item.get(part)]
    where = f"{item['latitude']},{item['longitude']}"
    return "\n".join([*named, f"https://maps.google.com/?q={where}"])


def _format_link(item: Item) -> str:
    return f"{item['title']}: {item['url']}" if item.get("url") else str(item["title"])


def _can_show(item: Item, can: Capabilities) -> bool:
    return item["kind"] not in FILES or can.shows(str(item.get("url") or ""), item.get("content_type"))
