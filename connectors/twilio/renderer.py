"""Render a stored message as Twilio drafts, one per part."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import Any

from connectors.base.message_parts import split_message
from connectors.base.outbound import (
    Capabilities,
    Item,
    Outbound,
    can_show_choices,
    card_text,
    file_text,
    location_text,
    outbound_of,
    split_outbound,
)
from connectors.twilio.client import OutboundDraft
from connectors.twilio.texts import ChannelTexts
from core.delivery.payload import Outgoing

RATE, PRESS = "rate", "press"
VARIABLE = "{{1}}"
_MESSAGE = "{{2}}"


@dataclass(frozen=True)
class Part:
    """One Twilio message: a draft, and optionally a richer content template."""

    draft: OutboundDraft
    content: dict[str, Any] | None = None
    """Content API payload; its variables are in the draft. The draft's body is the fallback."""
    words: str = ""
    """Text fallback if the draft shows a file or a location."""


def render_parts(outgoing: Outgoing, can: Capabilities, texts: ChannelTexts, links: dict[int, str]) -> list[Part]:
    """Return all parts in order; ``links`` maps attachment indexes to addresses of local files."""
    to = outgoing.address
    if outgoing.message is None:
        return [Part(OutboundDraft(to, text)) for text in split_message(outgoing.text, can.longest)]
    message = outgoing.message
    linked = tuple(_add_file_link(a, links.get(n)) for n, a in enumerate(message.attachments))
    whole = outbound_of(replace(message, attachments=linked))
    asks = message.rateable and not message.buttons
    if asks and not can.buttons:
        whole = replace(whole, text=_join_paragraphs(whole.text, texts.rate_words))
    *before, last = split_outbound(whole, can)
    if last.cards:
        before, last = [*before, Outbound(last.text)] if last.text else before, replace(last, text="")
    shown = [
        *(Part(OutboundDraft(to, each.text)) for each in before),
        *(_render_file(each, to) for each in (*last.images, *last.documents)),
        *(part for each in last.cards for part in _render_card(each, to, can)),
        *(_render_location(each, to) for each in last.locations),
    ]
    is_end = last.text or last.buttons or (asks and shown)
    return [*shown, _render_final_part(last, to, message.id, can, texts, asks=asks)] if is_end else shown


def flatten_text(text: str) -> str:
    """Return the text on one line, as template variables require."""
    return " ".join(text.split())


def friendly_name(kind: str, titles: tuple[str, ...]) -> str:
    """Return a stable content name for the choices, so the same choices are created only once."""
    return f"rejoinder_{kind}_{hashlib.sha256(chr(31).join(titles).encode()).hexdigest()[:16]}"


def _render_file(item: Item, to: str) -> Part:
    url, words = item.get("url"), file_text(item)
    return Part(OutboundDraft(to, media=str(url)), words=words) if url else Part(OutboundDraft(to, words))


def _render_card(card: Item, to: str, can: Capabilities) -> list[Part]:
    """Return the parts of a card: its image with the text below."""
    image = str(card.get("image") or "")
    if not image or not can.shows(image):
        return [Part(OutboundDraft(to, piece)) for piece in split_message(card_text(card), can.longest)]
    first, *rest = split_message(card_text(card, ("title", "text", "url")), can.longest)
    return [
        Part(OutboundDraft(to, first, media=image), words=f"{first}\n{image}"),
        *(Part(OutboundDraft(to, each)) for each in rest),
    ]


def _render_location(place: Item, to: str) -> Part:
    return Part(
        OutboundDraft(to, str(place.get("name") or "📍"), location=_format_geo_uri(place)), words=location_text(place)
    )


def _join_paragraphs(*texts: str) -> str:
    return "\n\n".join(filter(None, texts))


def _render_final_part(
    last: Outbound, to: str, message_id: str, can: Capabilities, texts: ChannelTexts, *, asks: bool
) -> Part:
    variables = {"1": last.text or (texts.rate_words if asks else texts.choose), "2": message_id}
    if asks and can.buttons:
        words = _join_paragraphs(last.text, texts.rate_words)
        return Part(OutboundDraft(to, words, variables=variables), _quick_reply(RATE, texts.rate))
    if not last.buttons:
        return Part(OutboundDraft(to, last.text))
    numbered = "\n".join(f"{number}. {title}" for number, title in enumerate(last.buttons, 1))
    few = len(last.buttons) <= can.buttons and can_show_choices(last.buttons, replace(can, rows=0))
    content = _quick_reply(PRESS, last.buttons) if few else _list_picker(last)
    return Part(OutboundDraft(to, _join_paragraphs(last.text or texts.choose, numbered), variables=variables), content)


def _quick_reply(what: str, titles: tuple[str, ...]) -> dict[str, Any]:
    actions = [{"title": title, "id": f"{what}:{_MESSAGE}:{place}"} for place, title in enumerate(titles)]
    return _build_content(
        friendly_name(f"{what}_buttons", titles), {"twilio/quick-reply": {"body": VARIABLE, "actions": actions}}
    )


def _list_picker(last: Outbound) -> dict[str, Any]:
    items = [{"item": title, "id": f"{PRESS}:{_MESSAGE}:{place}"} for place, title in enumerate(last.buttons)]
    button = (last.list_button or "…")[:20]
    types = {"twilio/list-picker": {"body": VARIABLE, "button": button, "items": items}}
    return _build_content(friendly_name("list", (button, *last.buttons)), types)


def _build_content(name: str, types: dict[str, Any]) -> dict[str, Any]:
    return {"friendly_name": name, "language": "en", "variables": {"1": "text", "2": "message"}, "types": types}


def _add_file_link(attachment: Item, link: str | None) -> dict[str, Any]:
    return {**attachment, **({"url": link} if link and not attachment.get("url") else {})}


def _format_geo_uri(place: Item) -> str:
    label = f"|{place['name']}" if place.get("name") else ""
    return f"geo:{place['latitude']},{place['longitude']}{label}"
