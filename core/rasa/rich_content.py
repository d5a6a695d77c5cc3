"""Rich content of a Rasa utterance: choices, and attachments in the format of `core.attachments`.

Bots and action servers may send anything, so each part is checked; invalid parts are left out and logged.
"""

from __future__ import annotations

import json
import math
import mimetypes
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import unquote, urlsplit

import structlog

from core.rasa import RasaItem

log = structlog.get_logger()

Part = dict[str, Any]
NOTE = "rejoinder"
"""The key of our part of a custom payload."""
MOST_CHOICES, MOST_CARDS = 50, 20
LONGEST_TITLE, LONGEST_TEXT, LONGEST_ADDRESS = 200, 1000, 2000
DEEPEST, LARGEST = 50, 64_000
"""Limits of a custom payload: nesting levels, and characters as JSON."""
_FILES = {"image": "image", "audio": "audio", "video": "video", "file": "document", "document": "document"}
"""Maps Rasa's attachment types to our kinds."""


@dataclass(frozen=True)
class Rich:
    """Choices and attachments of an utterance."""

    choices: tuple[Part, ...] = ()
    """Choices with title and payload."""
    attachments: tuple[Part, ...] = ()


def build_rich_content(item: RasaItem) -> Rich:
    """Return the choices and attachments of an item, in display order."""
    choices, links = _split_buttons([*_collect_parts(item, "buttons"), *_collect_parts(item, "quick_replies")])
    template, attached = _parse_attachment(item.get("attachment"))
    cards: list[Part] = []
    for element in [*_collect_parts(item, "elements"), *template][:MOST_CARDS]:
        if card := _build_card_part(element):
            its, card["links"] = _split_buttons(_collect_parts(element, "buttons"))
            card["choices"] = list(range(len(choices), len(choices) + len(its)))
            choices += its
            cards.append(card)
    if len(choices) > MOST_CHOICES:
        _left_out("choices", f"more than {MOST_CHOICES}")
        choices = choices[:MOST_CHOICES]
        for card in cards:
            card["choices"] = [number for number in card["choices"] if number < MOST_CHOICES]
    attachments = [*_build_image_part(item), *attached, *cards, *links, *_build_custom_part(item.get("custom"))]
    return Rich(tuple(choices), tuple(attachments))


def web_address(value: Any) -> str | None:
    """Return the address if it is http or https, else None; no other may be sent as a link or image."""
    if not isinstance(value, str) or len(value) > LONGEST_ADDRESS:
        return None
    address = value.strip()
    try:
        parts = urlsplit(address)
        known = parts.scheme in {"http", "https"} and parts.hostname
    except ValueError:
        known = None
    return address if known and address.isprintable() and " " not in address else None


def _split_buttons(buttons: list[Part]) -> tuple[list[Part], list[Part]]:
    """Split buttons into choices, which are sent to the bot, and links."""
    choices: list[Part] = []
    links: list[Part] = []
    for each in buttons:
        title, payload, url = _shorten_text(each.get("title"), LONGEST_TITLE), each.get("payload"), each.get("url")
        if each.get("type") == "web_url" or (url and not payload):
            if address := _parse_web_address(url or payload, "link button"):
                links.append({"kind": "link", "title": title or address, "url": address})
        elif title and (payload is None or isinstance(payload, str)):
            choices.append({"title": title, "payload": payload or title})
        else:
            _left_out("button", "it has no title, or its payload is no text")
    return choices, links


def _build_image_part(item: RasaItem) -> Iterator[Part]:
    if item.get("image"):
        described = item.get("metadata")
        yield from _build_file_part(
            "image", item["image"], described.get("alt") if isinstance(described, dict) else None
        )


def _parse_attachment(attachment: Any) -> tuple[list[Part], list[Part]]:
    """Return the elements of a carousel, and the other parts of an attachment."""
    if not attachment:
        return [], []
    if isinstance(attachment, str):
        return [], list(_build_file_part(_guess_file_kind(attachment), attachment, None))
    if not isinstance(attachment, dict):
        _left_out("attachment", "it is neither an address nor a set of names with values")
        return [], []
    payload = attachment.get("payload")
    payload = payload if isinstance(payload, dict) else attachment
    if payload.get("elements"):
        return _collect_parts(payload, "elements"), []
    if attachment.get("type") == "location":
        return [], list(_build_location_part(payload))
    address = payload.get("url") or payload.get("src")
    kind = _FILES.get(str(attachment.get("type"))) or _guess_file_kind(str(address))
    return [], list(_build_file_part(kind, address, payload.get("alt") or payload.get("title") or payload.get("name")))


def _build_file_part(kind: str, address: Any, name: Any) -> Iterator[Part]:
    if url := _parse_web_address(address, kind):
        words = _shorten_text(name, LONGEST_TITLE) or _guess_file_name(url)
        content_type = mimetypes.guess_type(urlsplit(url).path)[0]
        yield {"kind": kind, "name": words, "url": url} | ({"content_type": content_type} if content_type else {})


def _build_location_part(payload: Part) -> Iterator[Part]:
    coordinates = payload.get("coordinates")
    place = coordinates if isinstance(coordinates, dict) else payload
    latitude, longitude = (
        _parse_number(place, "latitude", "lat"),
        _parse_number(place, "longitude", "long", "lon", "lng"),
    )
    if latitude is None or longitude is None or abs(latitude) > 90 or abs(longitude) > 180:  # noqa: PLR2004 - degrees
        _left_out("location", "it has no latitude and longitude")
        return
    named = {"name": payload.get("name") or payload.get("title"), "address": payload.get("address")}
    words = {part: _shorten_text(value, LONGEST_TITLE) for part, value in named.items()}
    yield {"kind": "location", "latitude": latitude, "longitude": longitude} | {k: v for k, v in words.items() if v}


def _build_card_part(element: Part) -> Part | None:
    title, text = (
        _shorten_text(element.get("title"), LONGEST_TITLE),
        _shorten_text(element.get("subtitle"), LONGEST_TEXT),
    )
    action, image = element.get("default_action"), element.get("image_url")
    opens = action.get("url") if isinstance(action, dict) else None
    found = {
        "text": text,
        "image": image and _parse_web_address(image, "image of a card"),
        "url": opens and _parse_web_address(opens, "link of a card"),
    }
    if not title:
        _left_out("card", "it has no title")
        return None
    return {"kind": "card", "title": title} | {name: value for name, value in found.items() if value}


def _build_custom_part(custom: Any) -> Iterator[Part]:
    payload = {name: value for name, value in custom.items() if name != NOTE} if isinstance(custom, dict) else custom
    if payload:
        if why := _find_payload_problem(payload):
            _left_out("custom payload", why)
        else:
            yield {"kind": "custom", "payload": payload}


def _find_payload_problem(payload: Any) -> str:
    """Return why a payload cannot be sent to a browser, or an empty string."""
    level = [payload]
    for _ in range(DEEPEST):
        level = [inner for each in level for inner in _list_nested_values(each)]
    if level:
        return f"it is nested more than {DEEPEST} deep"
    try:
        return f"it has more than {LARGEST} characters" if len(json.dumps(payload, allow_nan=False)) > LARGEST else ""
    except (TypeError, ValueError) as error:
        return str(error)


def _list_nested_values(value: Any) -> list[Any]:
    return list(value.values()) if isinstance(value, dict) else value if isinstance(value, list) else []


def _collect_parts(item: Part, name: str) -> list[Part]:
    found = item.get(name) or []
    parts = [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []
    if not isinstance(found, list) or len(parts) < len(found):
        _left_out(name, "it is no list of names with values")
    return parts


def _parse_web_address(value: Any, what: str) -> str | None:
    address = web_address(value)
    if address is None:
        _left_out(what, f"{str(value)[:100]!r} is no address of http or https")
    return address


def _shorten_text(value: Any, longest: int) -> str:
    text = " ".join(str(value).split()) if isinstance(value, str | int | float) else ""
    return text if len(text) <= longest else f"{text[: longest - 1]}…"


def _parse_number(place: Part, *names: str) -> float | None:
    for name in names:
        try:
            number = float(place[name])
        except (KeyError, TypeError, ValueError):
            continue
        return number if math.isfinite(number) else None
    return None


def _guess_file_kind(address: str) -> str:
    kind = (mimetypes.guess_type(address.partition("?")[0])[0] or "").partition("/")[0]
    return kind if kind in {"image", "audio", "video"} else "document"


def _guess_file_name(url: str) -> str:
    """Derive a readable name from a file's URL: "heron lamp" for .../heron-lamp.png."""
    parts = urlsplit(url)
    stem = PurePosixPath(unquote(parts.path)).stem
    return _shorten_text(stem.replace("-", " ").replace("_", " "), LONGEST_TITLE) or str(parts.hostname)


def _left_out(what: str, why: str) -> None:
    log.warning("left out of an answer", what=what, why=why)
