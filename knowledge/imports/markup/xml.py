"""Reads XML without its traps (entity bombs, outside references)."""

from __future__ import annotations

from xml.etree.ElementTree import Element

import defusedxml.ElementTree  # type: ignore[import-untyped]

from core.errors import InvalidInput


def parse_xml_root(data: bytes) -> Element:
    """The root of an XML document.

    Raises:
        InvalidInput: this is no XML, or XML that is made to do harm.
    """
    try:
        root: Element = defusedxml.ElementTree.fromstring(data)
    except (SyntaxError, ValueError) as error:  # defusedxml's own errors are ValueErrors
        raise InvalidInput("this is no readable XML") from error
    return root
