"""What goes with the text of an utterance of Rasa: choices, and attachments as `core.attachments` says.

Bots and action servers write what they like: each thing is checked, and what is no good is left out and logged.
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
"""The part of a custom payload that is ours."""
MOST_CHOICES, MOST_CARDS = 50, 20
LONGEST_TITLE, LONGEST_TEXT, LONGEST_ADDRESS = 200, 1000, 2000
DEEPEST, LARGEST = 50, 64_000
"""Of a custom payload: so many levels, and characters as JSON."""
_FILES = {"image": "image", "audio": "audio", "video": "video", "file": "document", "document": "document"}
"""Type of an attachment at Rasa -> kind here."""


@dataclass(frozen=True)
class Rich:
    """What goes with a text."""

    choices: tuple[Part, ...] = ()
    """title, payload"""
    attachments: tuple[Part, ...] = ()


def rich_of(item: RasaItem) -> Rich:
    """All of it, in the order in which it is shown."""
    choices, links = _buttons([*_parts(item, "buttons"), *_parts(item, "quick_replies")])
    template, attached = _attached(item.get("attachment"))
    cards: list[Part] = []
    for element in [*_parts(item, "elements"), *template][:MOST_CARDS]:
        if card := _card(element):
            its, card["links"] = _buttons(_parts(element, "buttons"))
            card["choices"] = list(range(len(choices), len(choices) + len(its)))
            choices += its
            cards.append(card)
    if len(choices) > MOST_CHOICES:
        _left_out("choices", f"more than {MOST_CHOICES}")
        choices = choices[:MOST_CHOICES]
        for card in cards:
            card["choices"] = [number for number in card["choices"] if number < MOST_CHOICES]
    attachments = [*_image(item), *attached, *cards, *links, *_custom(item.get("custom"))]
    return Rich(tuple(choices), tuple(attachments))


def web_address(value: Any) -> str | None:
    """The address, where it is one of http or https; nothing else leaves the house as a link or a picture."""
    if not isinstance(value, str) or len(value) > LONGEST_ADDRESS:
        return None
    address = value.strip()
    try:
        parts = urlsplit(address)
        known = parts.scheme in {"http", "https"} and parts.hostname
    except ValueError:
        known = None
    return address if known and address.isprintable() and " " not in address else None


def _buttons(buttons: list[Part]) -> tuple[list[Part], list[Part]]:
    """Those that are said to the bot, and those that open an address."""
    choices: list[Part] = []
    links: list[Part] = []
    for each in buttons:
        title, payload, url = _words(each.get("title"), LONGEST_TITLE), each.get("payload"), each.get("url")
        if each.get("type") == "web_url" or (url and not payload):
            if address := _address(url or payload, "link button"):
                links.append({"kind": "link", "title": title or address, "url": address})
        elif title and (payload is None or isinstance(payload, str)):
            choices.append({"title": title, "payload": payload or title})
        else:
            _left_out("button", "it has no title, or its payload is no text")
    return choices, links


def _image(item: RasaItem) -> Iterator[Part]:
    if item.get("image"):
        described = item.get("metadata")
        yield from _file("image", item["image"], described.get("alt") if isinstance(described, dict) else None)


def _attached(attachment: Any) -> tuple[list[Part], list[Part]]:
    """The elements of a carousel, and what else an attachment is."""
    if not attachment:
        return [], []
    if isinstance(attachment, str):
        return [], list(_file(_kind_of(attachment), attachment, None))
    if not isinstance(attachment, dict):
        _left_out("attachment", "it is neither an address nor a set of names with values")
        return [], []
    payload = attachment.get("payload")
    payload = payload if isinstance(payload, dict) else attachment
    if payload.get("elements"):
        return _parts(payload, "elements"), []
    if attachment.get("type") == "location":
        return [], list(_location(payload))
    address = payload.get("url") or payload.get("src")
    kind = _FILES.get(str(attachment.get("type"))) or _kind_of(str(address))
    return [], list(_file(kind, address, payload.get("alt") or payload.get("title") or payload.get("name")))


def _file(kind: str, address: Any, name: Any) -> Iterator[Part]:
    if url := _address(address, kind):
        words = _words(name, LONGEST_TITLE) or _name_in(url)
        content_type = mimetypes.guess_type(urlsplit(url).path)[0]
        yield {"kind": kind, "name": words, "url": url} | ({"content_type": content_type} if content_type else {})


def _location(payload: Part) -> Iterator[Part]:
    coordinates = payload.get("coordinates")
    place = coordinates if isinstance(coordinates, dict) else payload
    latitude, longitude = _number(place, "latitude", "lat"), _number(place, "longitude", "long", "lon", "lng")
    if latitude is None or longitude is None or abs(latitude) > 90 or abs(longitude) > 180:  # noqa: PLR2004 - degrees
        _left_out("location", "it has no latitude and longitude")
        return
    named = {"name": payload.get("name") or payload.get("title"), "address": payload.get("address")}
    words = {part: _words(value, LONGEST_TITLE) for part, value in named.items()}
    yield {"kind": "location", "latitude": latitude, "longitude": longitude} | {k: v for k, v in words.items() if v}


def _card(element: Part) -> Part | None:
    title, text = _words(element.get("title"), LONGEST_TITLE), _words(element.get("subtitle"), LONGEST_TEXT)
    action, image = element.get("default_action"), element.get("image_url")
    opens = action.get("url") if isinstance(action, dict) else None
    found = {
        "text": text,
        "image": image and _address(image, "image of a card"),
        "url": opens and _address(opens, "link of a card"),
    }
    if not title:
        _left_out("card", "it has no title")
        return None
    return {"kind": "card", "title": title} | {name: value for name, value in found.items() if value}


def _custom(custom: Any) -> Iterator[Part]:
    payload = {name: value for name, value in custom.items() if name != NOTE} if isinstance(custom, dict) else custom
    if payload:
        if why := _unfit(payload):
            _left_out("custom payload", why)
        else:
            yield {"kind": "custom", "payload": payload}


def _unfit(payload: Any) -> str:
    """Why a browser cannot be given it; empty where it can."""
    level = [payload]
    for _ in range(DEEPEST):
        level = [inner for each in level for inner in _inside(each)]
    if level:
        return f"it is nested more than {DEEPEST} deep"
    try:
        return f"it has more than {LARGEST} characters" if len(json.dumps(payload, allow_nan=False)) > LARGEST else ""
    except (TypeError, ValueError) as error:
        return str(error)


def _inside(value: Any) -> list[Any]:
    return list(value.values()) if isinstance(value, dict) else value if isinstance(value, list) else []


def _parts(item: Part, name: str) -> list[Part]:
    found = item.get(name) or []
    parts = [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []
    if not isinstance(found, list) or len(parts) < len(found):
        _left_out(name, "it is no list of names with values")
    return parts


def _address(value: Any, what: str) -> str | None:
    address = web_address(value)
    if address is None:
        _left_out(what, f"{str(value)[:100]!r} is no address of http or https")
    return address


def _words(value: Any, longest: int) -> str:
    text = " ".join(str(value).split()) if isinstance(value, str | int | float) else ""
    return text if len(text) <= longest else f"{text[: longest - 1]}…"


def _number(place: Part, *names: str) -> float | None:
    for name in names:
        try:
            number = float(place[name])
        except (KeyError, TypeError, ValueError):
            continue
        return number if math.isfinite(number) else None
    return None


def _kind_of(address: str) -> str:
    kind = (mimetypes.guess_type(address.partition("?")[0])[0] or "").partition("/")[0]
    return kind if kind in {"image", "audio", "video"} else "document"


def _name_in(url: str) -> str:
    """Of a file, in words: "heron lamp" of .../heron-lamp.png."""
    parts = urlsplit(url)
    stem = PurePosixPath(unquote(parts.path)).stem
    return _words(stem.replace("-", " ").replace("_", " "), LONGEST_TITLE) or str(parts.hostname)


def _left_out(what: str, why: str) -> None:
    log.warning("left out of an answer", what=what, why=why)
