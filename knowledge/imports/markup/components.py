"""Convert MDX components and HTML inside Markdown to HTML on separate lines.

A tag on its own line, surrounded by blank lines, lets the Markdown between two tags be parsed as Markdown.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator

NAME = r"[A-Za-z][\w.:-]*"
VALUE = r"\"[^\"]*\"|'[^']*'|\{(?:[^{}]|\{(?:[^{}]|\{[^{}]*\})*\})*\}"
TAG = re.compile(
    rf"<(?P<close>/?)(?P<name>{NAME})(?P<attributes>(?:\s+(?:[\w:@.-]+(?:\s*=\s*(?:{VALUE}|[^\s\"'{{}}<>]+))?|\{{[^{{}}]*\}}))*)\s*(?P<empty>/?)>|</?>"
)
ATTRIBUTE = re.compile(rf"([\w:@.-]+)\s*=\s*({VALUE}|[^\s\"'{{}}<>]+)")
EXPRESSION = re.compile(
    r"\{\s*(?:/\*.*?\*/|\"([^\"{}]*)\"|'([^'{}]*)'|`([^`{}]*)`|[\w.$]+(?:\([^{}]*\))?)\s*\}", re.DOTALL
)

FOLDED = re.compile(
    r"accordion(item|tab|panel)?$|expand|collaps|^details$|faq|^question|disclosure|toggle|spoiler|dropdown"
)
SUMMARIES = frozenset(
    (
        "accordionsummary",
        "accordiontrigger",
        "accordionheader",
        "accordiontitle",
        "disclosurebutton",
        "question",
        "faqquestion",
    )
)
CONTENTS = frozenset(
    ("accordioncontent", "accordiondetails", "accordionbody", "disclosurepanel", "answer", "faqanswer")
)
NOTES = frozenset(
    (
        "note",
        "info",
        "tip",
        "warning",
        "caution",
        "danger",
        "important",
        "check",
        "success",
        "error",
        "callout",
        "admonition",
        "alert",
        "aside",
        "hint",
        "notice",
        "message",
        "banner",
    )
)
KINDS = {"type", "kind", "variant", "status", "severity", "intent"}
INLINE = frozenset(
    (
        "a",
        "link",
        "navlink",
        "anchor",
        "badge",
        "icon",
        "kbd",
        "tooltip",
        "highlight",
        "term",
        "span",
        "b",
        "i",
        "em",
        "strong",
        "code",
        "br",
        "img",
        "u",
        "s",
        "del",
        "sub",
        "sup",
        "small",
        "abbr",
        "mark",
        "button",
        "cite",
        "q",
        "label",
        "font",
        "input",
        "ins",
        "wbr",
        "time",
        "trans",
        "text",
    )
)
LINKS = frozenset(("link", "navlink", "anchor"))
MARKDOWN_INSIDE = frozenset(
    (
        "details",
        "summary",
        "div",
        "section",
        "center",
        "aside",
        "article",
        "main",
        "figure",
        "figcaption",
        "blockquote",
        "header",
        "dl",
        "dt",
        "dd",
    )
)
"""HTML elements in which people write Markdown."""
HTML = (
    INLINE
    | MARKDOWN_INSIDE
    | frozenset(
        (
            "p",
            "ul",
            "ol",
            "li",
            "table",
            "thead",
            "tbody",
            "tfoot",
            "tr",
            "td",
            "th",
            "h1",
            "h2",
            "h3",
            "h4",
            "h5",
            "h6",
            "hr",
            "pre",
            "iframe",
            "video",
            "audio",
            "source",
            "script",
            "style",
            "svg",
            "path",
            "form",
            "nav",
            "footer",
            "object",
            "embed",
            "picture",
            "samp",
            "var",
            "tt",
            "strike",
            "caption",
            "colgroup",
            "col",
            "noscript",
            "template",
            "select",
            "option",
            "textarea",
            "big",
            "address",
            "map",
            "area",
            "html",
            "body",
            "head",
            "meta",
            "title",
            "canvas",
            "dialog",
            "fieldset",
            "legend",
            "menu",
            "hgroup",
            "dfn",
            "bdi",
            "bdo",
            "ruby",
            "rt",
            "rp",
            "track",
            "param",
        )
    )
)
TITLES = ("title", "question", "summary", "header", "label", "heading", "name", "tab")


class _Components:
    """Converts the tags of one document in order."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._closed = frozenset(re.findall(rf"</({NAME})\s*>", text))
        self._open: list[tuple[str, str, bool, list[str]]] = []
        """The open components, each with the titles of its tabs to come: `<Tabs items={["A", "B"]}><Tab>...`."""

    def converted(self) -> str:
        """Return the text with HTML tags in place of its components."""
        return TAG.sub(self._convert_tag, self._text)

    def _convert_tag(self, found: re.Match[str]) -> str:  # noqa: PLR0911 -- one a kind of tag
        name = found.group("name")
        if name is None:
            return ""
        low = name.lower().rpartition(".")[2]
        if low in MARKDOWN_INSIDE and not name[0].isupper():
            return self._convert_html_tag(found, low)
        if not self._is_component(found):
            return found.group() if low in HTML else self._convert_unknown_tag(found)
        if found.group("close"):
            return self._close_component(name, _get_tag_indent(found))
        attributes = dict(_parse_attributes(found.group("attributes")))
        if found.group("empty"):
            return _render_empty_component(low, attributes)
        if name not in self._closed:
            return html.escape(found.group())
        names = _names_of_tabs(found)
        waiting = next((left for *_, left in reversed(self._open) if left), [])
        if low == "tab" and not _get_component_title(attributes) and waiting:
            attributes["title"] = waiting.pop(0)
        opening, closing = _get_enclosing_tags(low, attributes)
        own_line = opening.startswith("\n")
        self._open.append((name, closing, own_line, names))
        return _render_opening_tags(opening, _get_tag_indent(found)) if own_line else opening

    def _convert_html_tag(self, found: re.Match[str], low: str) -> str:
        tag = found.group()
        if low == "summary":
            return f"\n\n{' ' * _get_tag_indent(found)}{tag}" if not found.group("close") else f"{tag}\n\n"
        if found.group("close"):
            return _render_closing_tag(tag, _get_tag_indent(found))
        return _render_opening_tags(f"\n\n{tag}\n\n", _get_tag_indent(found)) if low in self._closed else ""

    def _is_component(self, found: re.Match[str]) -> bool:
        name = found.group("name")
        return is_component(name) or (name.isupper() and name.isalpha() and bool(found.group("attributes")))

    def _convert_unknown_tag(self, found: re.Match[str]) -> str:
        name = found.group("name")
        if name.lower().startswith(("http:", "https:", "mailto:")) or "@" in found.group():
            return found.group()
        known = name in self._closed or "=" in (found.group("attributes") or "") or found.group("empty")
        return "" if known else html.escape(found.group())

    def _close_component(self, name: str, place: int) -> str:
        while any(name == opened for opened, *_ in self._open):
            opened, closing, own_line, _ = self._open.pop()
            if opened == name:
                return _render_closing_tag(closing.strip(), place) if own_line else closing
        return ""


ITEMS = re.compile(r"\b(?:items|tabs|labels|names)\s*=\s*\{\s*\[([^\]]*)\]\s*\}")
STRING = re.compile(r"(['\"`])(.*?)\1")
OPEN, CLOSE = "\x0e", "\x0f"
"""Begin the marker lines before the content of a tag, with the tag's indentation, and after it."""


def convert_components(text: str, *, mdx: bool = False) -> str:
    """Replace components by HTML; OPEN and CLOSE enclose the content of each."""
    if "<" in text:
        text = _Components(text).converted()
    return EXPRESSION.sub(_render_expression, text) if (mdx or has_mdx_components(text)) and "{" in text else text


def has_mdx_components(text: str) -> bool:
    """Whether a text has components, regardless of its file type."""
    return any(is_component(name) for name in re.findall(rf"</({NAME})\s*>", text))


def is_component(name: str) -> bool:
    """Whether a tag's name is an MDX component, and neither HTML nor a word in angle brackets."""
    return name[0].isupper() and (not name.isupper() or len(name) == 1) and not re.search(r"[-_:]", name)


def _names_of_tabs(found: re.Match[str]) -> list[str]:
    items = ITEMS.search(found.group("attributes") or "")
    return [text for _, text in STRING.findall(items.group(1))] if items else []


def _get_tag_indent(found: re.Match[str]) -> int:
    """Return the indentation of a tag's line."""
    line = found.string[found.string.rfind("\n", 0, found.start()) + 1 : found.start()]
    return len(line) - len(line.lstrip(" "))


def _render_opening_tags(tags: str, place: int) -> str:
    pad = " " * place
    return (
        "\n\n"
        + "\n".join(pad + line if line.strip() else "" for line in tags.strip().split("\n"))
        + f"\n{OPEN}{place}\n\n{pad}"
    )


def _render_closing_tag(tag: str, place: int) -> str:
    return f"\n{CLOSE}\n\n{' ' * place}{tag}\n\n"


def _render_expression(found: re.Match[str]) -> str:
    """Render an expression in braces: a string as its text, a variable as nothing."""
    return next((text for text in found.groups() if text), "")


def _parse_attributes(text: str) -> Iterator[tuple[str, str]]:
    for name, value in ATTRIBUTE.findall(text or ""):
        inner = value.strip()
        if inner.startswith("{"):
            inner = inner[1:-1].strip()
            if inner[:1] not in ("'", '"', "`"):
                inner = re.sub(r"<[^<>]*>", "", inner) if inner.startswith("<") else ""
        yield name.lower(), html.unescape(inner.strip("'\"`").strip())


def _get_component_title(attributes: dict[str, str]) -> str:
    return next((attributes[name] for name in TITLES if attributes.get(name)), "")


def _render_empty_component(low: str, attributes: dict[str, str]) -> str:
    """Render a component without content."""
    answer = (
        attributes.get("answer") or attributes.get("content") or attributes.get("description") or attributes.get("body")
    )
    title = _get_component_title(attributes)
    if FOLDED.search(low) and title and answer:
        return "".join(_get_enclosing_tags(low, attributes)).replace(
            "</summary>\n\n", f"</summary>\n\n{html.escape(answer)}\n\n", 1
        )
    if low in NOTES and (answer or attributes.get("text") or title):
        return f"\n\n{html.escape(attributes.get('text') or answer or title)}\n\n"
    if low in LINKS and title:
        return html.escape(title)
    if answer and title:
        return f"\n\n{html.escape(title)}: {html.escape(answer)}\n\n"
    return ""


def _get_enclosing_tags(low: str, attributes: dict[str, str]) -> tuple[str, str]:  # noqa: PLR0911 -- one a kind of component
    """Return the opening and closing tags for a component."""
    title = html.escape(_get_component_title(attributes))
    block = ("\n\n<div>\n\n", "\n\n</div>\n\n")
    if low in SUMMARIES and not title:
        return "\n\n<summary>", "</summary>\n\n"
    if low in CONTENTS:
        return block
    if FOLDED.search(low) and (title or low.endswith("item")):
        summary = f"<summary>{title}</summary>" if title else ""
        return f"\n\n<details data-asks>{summary}\n\n", "\n\n</details>\n\n"
    if low in ("steps", "stepper"):
        return "\n\n<ol>\n\n", "\n\n</ol>\n\n"
    if low == "step":
        return "\n\n<li>\n\n" + (f"<p>{title.rstrip(':')}:</p>\n\n" if title else ""), "\n\n</li>\n\n"
    if low in LINKS:
        return f'<a href="{html.escape(attributes.get("href") or attributes.get("to") or "")}">', "</a>"
    if low in INLINE:
        return "", ""
    label = title or _get_callout_label(low, attributes)
    if label:
        href = html.escape(attributes.get("href") or attributes.get("to") or "")
        return f'\n\n<div data-label="{label}" data-href="{href}">\n\n', block[1]
    return block


def _get_callout_label(low: str, attributes: dict[str, str]) -> str:
    """Return the label of a callout, such as "Note" or "Warning"."""
    if low not in NOTES:
        return ""
    kind = next((attributes[name] for name in KINDS if attributes.get(name)), "")
    plain = (
        low if low not in ("callout", "admonition", "alert", "aside", "message", "banner", "check", "success") else ""
    )
    return note_name(kind or plain)


def note_name(kind: str) -> str:
    """Return the label for a kind of callout, or ""."""
    words = {
        "danger": "Warning",
        "error": "Warning",
        "caution": "Caution",
        "warning": "Warning",
        "warn": "Warning",
        "tip": "Tip",
        "hint": "Tip",
        "important": "Important",
        "attention": "Important",
        "note": "Note",
        "info": "Note",
        "example": "Example",
    }
    return words.get(kind.lower(), "")
