"""Template filters for times, numbers and differences."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, select_autoescape
from markupsafe import Markup

from core.attachments import in_words
from core.db.models import get_current_time
from knowledge.curation.review.differences import TextDifference

TEMPLATES = Path(__file__).parent.parent.parent / "templates"
MINUS = "\N{MINUS SIGN}"
UNITS = (("year", 31_536_000), ("month", 2_592_000), ("week", 604_800), ("day", 86_400), ("hour", 3600), ("minute", 60))


def make_staff_templates() -> Environment:
    """Make the template environment, with autoescaping."""
    made = Environment(
        loader=FileSystemLoader(TEMPLATES), autoescape=select_autoescape(), trim_blocks=True, lstrip_blocks=True
    )
    made.filters |= {
        "when": format_moment,
        "day": format_day,
        "percent": format_percent,
        "number": format_number,
        "before": select_earlier_pieces,
        "after": select_later_pieces,
    }
    made.filters |= {
        "words": format_label,
        "initials": extract_initials,
        "percent1": format_percent_decimal,
        "points": format_points,
        "points1": format_points_decimal,
    }
    made.filters["in_words"] = lambda message: in_words(message.text, message.attachments)
    return made


def format_moment(moment: datetime | None) -> Markup:
    """Format a time relative to now, with the exact time as its title."""
    if moment is None:
        return Markup("-")
    exact = moment.strftime("%d %b %Y, %H:%M UTC")
    return Markup('<time datetime="{}" title="{}">{}</time>').format(
        moment.isoformat(), exact, format_relative_time(moment)
    )


def format_relative_time(moment: datetime) -> str:
    """Format a time such as "3 days ago", "in 2 weeks" or "just now"."""
    seconds = (get_current_time() - moment).total_seconds()
    for name, length in UNITS:
        if abs(seconds) >= length:
            count = round(abs(seconds) / length)
            said = f"{count} {name}{'' if count == 1 else 's'}"
            return f"{said} ago" if seconds > 0 else f"in {said}"
    return "just now" if seconds >= 0 else "in a moment"


def format_day(moment: date) -> str:
    return f"{moment.day} {moment.strftime('%b')}"


def format_percent(share: float | None) -> str:
    """Format a share in whole percent."""
    return "-" if share is None else f"{share * 100:.0f}%"


def format_percent_decimal(share: float | None) -> str:
    """Format a share in percent with one decimal."""
    return "-" if share is None else f"{share * 100:.1f}%"


def format_points(value: float) -> str:
    """Format a difference of shares in whole percentage points, with its sign."""
    rounded = round(value * 100)
    return f"{rounded:+d}".replace("-", MINUS) if rounded else "0"


def format_points_decimal(value: float) -> str:
    """Format a difference of shares in percentage points with one decimal."""
    return f"{value * 100:+.1f}".replace("-", MINUS)


def format_number(value: float | None) -> str:
    return "-" if value is None else f"{value:,.0f}" if value == int(value) else f"{value:,.1f}"


def select_earlier_pieces(pieces: list[Any]) -> list[TextDifference]:
    """Select the pieces of a difference's earlier text."""
    return [TextDifference(*piece) for piece in pieces if piece[0] != "added"]


def select_later_pieces(pieces: list[Any]) -> list[TextDifference]:
    """Select the pieces of a difference's later text."""
    return [TextDifference(*piece) for piece in pieces if piece[0] != "removed"]


def format_label(name: str) -> str:
    """Format a name such as half_approved as "half approved"."""
    return name.replace("_", " ")


def extract_initials(name: str) -> str:
    """Return one or two initials of a name."""
    parts = name.replace(".", " ").replace("-", " ").split()
    return "".join(part[0] for part in parts[:2]).upper() or "?"
