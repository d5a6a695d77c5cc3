"""`rejoinder token`: print the token of the staff API."""

from __future__ import annotations

from console.cli.options import JsonOption, print_json
from core.settings import Settings


def token(as_json: JsonOption = False) -> None:
    """Print the token of the staff API (/v1): Authorization: Bearer TOKEN."""
    found = Settings.load().staff_token()
    if as_json:
        print_json({"token": found})
    else:
        print(found)
