"""What a form sent."""

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
        """A field's value with line ends as we keep them; empty where it is missing."""
        return self.fields.get(name, [""])[0].replace("\r\n", "\n")

    def several(self, name: str) -> list[str]:
        """Every value of a field, as boxes that were ticked send them."""
        return self.fields.get(name, [])

    def lines(self, name: str) -> list[str]:
        """A field's lines that say something."""
        return [line.strip() for line in self.text(name).split("\n") if line.strip()]

    def number(self, name: str) -> int:
        """A whole number.

        Raises:
            InvalidInput: it is none.
        """
        try:
            return int(self.text(name))
        except ValueError:
            raise InvalidInput(f"{name} is not a number.") from None


async def read_form(request: Request) -> Form:
    """The request's body, as browsers send forms without files.

    Raises:
        TooLarge: nobody writes that much.
        InvalidInput: it is no form.
    """
    body = await read_body(request, MOST_BYTES)
    try:
        return Form(parse_qs(body.decode(), keep_blank_values=True, max_num_fields=MOST_FIELDS))
    except ValueError:
        raise InvalidInput("This is no form that a browser would send.") from None


def query_of(view: object, **changes: Any) -> str:
    """A page's part of a list, as it stands behind an address's question mark; empty values and page 1 are left out."""
    values = {**vars(view), **changes}
    return urlencode({name: value for name, value in values.items() if value and (name, value) != ("page", 1)})


def count_pages(total: int, at_once: int) -> int:
    """How many pages so many rows fill; one where there are none."""
    return max(1, -(-total // at_once))


def page_number(request: Request) -> int:
    """``?page=``, 1 where it is none."""
    given = request.query_params.get("page", "1")
    return min(int(given), 100_000) if given.isascii() and given.isdigit() and int(given) > 0 else 1
