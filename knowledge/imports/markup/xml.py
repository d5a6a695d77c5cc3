"""Parse XML safely, without entity expansion or external references."""

from __future__ import annotations

from xml.etree.ElementTree import Element

import defusedxml.ElementTree  # type: ignore[import-untyped]

from core.errors import InvalidInput


def parse_xml_root(data: bytes) -> Element:
    """Return the root of an XML document.

    Raises:
        InvalidInput: The data is not XML, or uses XML features that are unsafe.
    """
    try:
        root: Element = defusedxml.ElementTree.fromstring(data)
    except (SyntaxError, ValueError) as error:  # defusedxml's own errors are ValueErrors
        raise InvalidInput("this is no readable XML") from error
    return root
