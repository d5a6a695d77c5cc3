"""Tables on the terminal."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Sequence
from typing import Any

PIPED_COLUMNS = 200
"""Width when output does not go to a terminal."""


def print_table(columns: Sequence[str], rows: Iterable[Sequence[Any]], *, right: Sequence[str] = ()) -> None:
    """Print a table; columns in ``right`` hold numbers, and the first column is not wrapped unless it is the only one of text."""
    from rich import box  # noqa: PLC0415
    from rich.console import Console  # noqa: PLC0415
    from rich.markup import escape  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for column in columns:
        number, first = column in right, column == columns[0] and len(columns) - len(right) > 1
        table.add_column(
            column,
            justify="right" if number else "left",
            overflow="fold",
            no_wrap=number or first,
            min_width=max(map(len, column.split()), default=0),
        )
    for row in rows:
        table.add_row(*("-" if value is None else escape(str(value)) for value in row))
    piped = not sys.stdout.isatty() and "COLUMNS" not in os.environ
    Console(emoji=False, width=PIPED_COLUMNS if piped else None).print(table)
