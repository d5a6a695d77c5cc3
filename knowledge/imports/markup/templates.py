"""Remove the placeholders of site generators: shortcodes, Liquid tags and variables in braces."""

from __future__ import annotations

import re

TAG = re.compile(r"\{\{[<%].*?[>%]\}\}|\{%.*?%\}|\{#(?!\w+\}).*?#\}|\[\[_?toc_?\]\]|\[TOC\]", re.DOTALL | re.IGNORECASE)
VARIABLE = re.compile(r"\{\{\{?\s*([^{}]*?)\s*\}?\}\}|\{\$\s*([\w.$]+)\s*\$?\}|<%=?\s*(.*?)\s*%>")
NAME = re.compile(r"[\w$-]+")
ICON = re.compile(r":(?:material|fontawesome|octicons|simple|mdi|fa)-[\w-]+:(?:\{[^}]*\})?")


def without_templates(text: str) -> str:
    """Remove placeholders; a variable is replaced by its name to keep the sentence readable."""
    if "{" not in text and "[" not in text and ":" not in text and "<%" not in text:
        return text
    return ICON.sub("", VARIABLE.sub(_get_variable_name, TAG.sub("", text)))


def _get_variable_name(found: re.Match[str]) -> str:
    inside = next(filter(None, found.groups()), "")
    names = NAME.findall(inside.partition("|")[0].partition("(")[0])
    return names[-1].replace("_", " ").replace("-", " ") if names else ""
