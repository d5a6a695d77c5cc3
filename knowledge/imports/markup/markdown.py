"""Read any dialect of Markdown with a CommonMark parser."""

from __future__ import annotations

import html
import re
from functools import lru_cache
from typing import Any

import yaml
from bs4 import BeautifulSoup
from markdown_it import MarkdownIt
from mdit_py_plugins.deflist import deflist_plugin

from knowledge.imports.markup.dialects import prepare_markdown
from knowledge.imports.markup.flow import Flow
from knowledge.imports.sources.blocks import Block

FRONT_MATTER = re.compile(r"\A\s*(-{3}|\+{3})[ \t]*\n(.*?)\n\1[ \t]*(?:\n|\Z)", re.DOTALL)
PAIR = re.compile(r"^([\w-]+)\s*[:=]\s*(.*?)\s*$", re.MULTILINE)
LEFT_OVER = re.compile(r"\*\*|`|(?<!\w)__(?=\w)|(?<=\w)__(?!\w)")
UNREAD_LINK = re.compile(r"!?\[([^\[\]]*)\]\((?:[^()\s]|\([^()]*\))*(?:\s[^()]*)?\)")


def front_matter(text: str) -> tuple[dict[str, Any], str]:
    """Split a document into its front matter and its body."""
    found = FRONT_MATTER.match(text)
    if found is None:
        return {}, text
    return _parse_front_matter(found.group(2)), text[found.end() :]


def markdown_blocks(text: str, base: str | None = None, *, mdx: bool = False) -> list[Block]:
    """Return the blocks of a Markdown text."""
    soup = BeautifulSoup(_build_renderer().render(prepare_markdown(text, mdx=mdx)), "html.parser")
    return Flow(base).read(soup)


def _parse_front_matter(block: str) -> dict[str, Any]:
    try:
        loaded = yaml.safe_load(block)
    except yaml.YAMLError:
        loaded = None
    fields = loaded if isinstance(loaded, dict) else {k: v.strip("\"'") for k, v in PAIR.findall(block)}
    return {str(key).strip().lower(): value for key, value in fields.items()}


@lru_cache(maxsize=1)
def _build_renderer() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
    parser.use(deflist_plugin)
    parser.add_render_rule("text", _render_text)
    parser.add_render_rule("html_block", _render_html)
    return parser


def _render_text(_self: object, tokens: Any, index: int, _options: object, _env: object) -> str:
    text = UNREAD_LINK.sub(r"\1", tokens[index].content)
    return html.escape(LEFT_OVER.sub("", text), quote=False)


def _render_html(_self: object, tokens: Any, index: int, _options: object, _env: object) -> str:
    """Render the Markdown left inside HTML."""
    text = str(tokens[index].content)
    if text.lstrip().lower().startswith(("<pre", "<script", "<style", "<code")):
        return text
    text = re.sub(r"\*\*([^*\n<>]+)\*\*", r"<b>\1</b>", text)
    text = re.sub(r"(?<![\w/])!\[[^\]\n]*\]\([^)\n]*\)", "", text)
    text = re.sub(r"\[([^\]\n]+)\]\(([^)\s]+)\)", r'<a href="\2">\1</a>', text)
    return re.sub(r"`([^`\n<>]+)`", r"<code>\1</code>", text)
