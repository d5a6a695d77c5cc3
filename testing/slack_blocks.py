"""What Slack refuses of Block Kit (https://docs.slack.dev/reference/block-kit)."""

from __future__ import annotations

from typing import Any

LIMITS = {"header": 150, "section": 3000, "context": 3000, "button": 75, "option": 75, "field": 2000}


def invalid(given: dict[str, Any]) -> str:
    """The first thing that is wrong; empty where nothing is."""
    view = given.get("view") or {}
    blocks = given.get("blocks") or view.get("blocks") or []
    if len(blocks) > (100 if view else 50):
        return "too many blocks"
    if len((view.get("title") or {}).get("text", "")) > 24:
        return "the title is too long"
    return next((wrong for block in blocks if (wrong := _wrong(block))), "")


def _wrong(block: dict[str, Any]) -> str:
    kind = block["type"]
    texts = [(kind, block.get("text")), *(("field", each) for each in block.get("fields", []))]
    elements = [*block.get("elements", []), *filter(None, [block.get("accessory")])]
    texts += [(each["type"] if kind == "actions" or "action_id" in each else kind, _text(each)) for each in elements]
    for name, text in texts:
        if text is not None and not 0 < len(text["text"]) <= LIMITS.get(name, 3000):
            return f"{name}: {len(text['text'])} characters"
    if any(len(each.get("value", "")) > 2000 for each in elements):
        return "a value is too long"
    if len(block.get("fields", [])) > 10 or len(elements) > 25:
        return "too many in one block"
    options = (block.get("element") or {}).get("options", [])
    if len(options) > 100 or any(len(each["text"]["text"]) > 75 or len(each["value"]) > 150 for each in options):
        return "an option is too long"
    if kind == "section" and "text" not in block and not block.get("fields"):
        return "an empty section"
    return ""


def _text(element: dict[str, Any]) -> dict[str, Any] | None:
    return element["text"] if isinstance(element.get("text"), dict) else element if "text" in element else None
