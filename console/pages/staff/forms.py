"""Submitted forms, query strings and page numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlencode

from fastapi import Request

from connectors.http.limits import read_body
from core.errors import InvalidInput

MOST_BYTES = 512 * 1024
MOST_FIELDS = 100


@dataclass(frozen=True)
class Form:
    fields: dict[str, list[str]]

    def text(self, name: str) -> str:
        """Return a field's value with normalised line ends, or an empty string if it is missing."""
        return self.fields.get(name, [""])[0].replace("\r\n", "\n")

    def several(self, name: str) -> list[str]:
        """Return every value of a field, as ticked checkboxes send them."""
        return self.fields.get(name, [])

    def lines(self, name: str) -> list[str]:
        """Return the non-empty lines of a field, stripped."""
        return [line.strip() for line in self.text(name).split("\n") if line.strip()]

    def number(self, name: str) -> int:
        """Return a field's value as a whole number.

        Raises:
            InvalidInput: the value is not a number.
        """
        try:
            return int(self.text(name))
        except ValueError:
            raise InvalidInput(f"{name} is not a number.") from None


async def read_form(request: Request) -> Form:
    """Parse the request's body as a form without files.

    Raises:
        TooLarge: the body exceeds the limit.
        InvalidInput: the body is not a form.
    """
    body = await read_body(request, MOST_BYTES)
    try:
        return Form(parse_qs(body.decode(), keep_blank_values=True, max_num_fields=MOST_FIELDS))
    except ValueError:
        raise InvalidInput("This is no form that a browser would send.") from None


def query_of(view: object, **changes: Any) -> str:
    """Encode a view of a list as a query string, without empty values and page 1."""
    values = {**vars(view), **changes}
    return urlencode({name: value for name, value in values.items() if value and (name, value) != ("page", 1)})


def count_pages(total: int, at_once: int) -> int:
    """Return the number of pages for a number of rows, at least one."""
    return max(1, -(-total // at_once))


def page_number(request: Request) -> int:
    """Return the ``page`` query parameter, or 1 if it is missing or invalid."""
    given = request.query_params.get("page", "1")
    return min(int(given), 100_000) if given.isascii() and given.isdigit() and int(given) > 0 else 1
