"""`rejoinder feedback`: list, analytics, link, settle."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import typer

from console.cli.database import opened
from console.cli.options import JsonOption, TenantOption, print_json
from console.cli.tables import print_table
from core.db.models import get_current_time
from core.errors import InvalidInput

GROUPS = ("day", "channel", "intent", "entry")
FIGURES = (
    "answers",
    "rated",
    "helpful_rate",
    "comments",
    "average_implicit_score",
    "continuation_rate",
    "handoff_rate",
)
MOODS = ("messages", "positive", "neutral", "negative", "angry", "negative_rate", "angry_rate")
DaysOption = Annotated[int, typer.Option("--days", min=1, max=3660, help="The last so many days.")]

app = typer.Typer(no_args_is_help=True, help="What customers make of the answers.")


@app.command("list")
def list_(
    days: DaysOption = 30,
    helpful: Annotated[bool | None, typer.Option("--helpful/--not-helpful", help="Only such thumbs.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=100_000)] = 20,
    as_json: JsonOption = False,
    tenant: TenantOption = None,
) -> None:
    """List thumbs and signals, newest first."""
    from core.feedback.queries import list_feedback  # noqa: PLC0415
    from core.feedback.types import FeedbackFilter  # noqa: PLC0415

    with opened(tenant) as (_settings, database, tenant_id), database.session() as session:
        page = list_feedback(session, tenant_id, FeedbackFilter(_get_start_time(days), helpful=helpful), limit, 0)
    if as_json:
        print_json({"total": page.total, "items": page.items})
        return
    rows = [
        (i["message_id"], _format_thumb(i["helpful"]), i["implicit_score"], i["question"], i["comment"])
        for i in page.items
    ]
    print_table(("answer", "thumb", "implicit", "question", "comment"), rows, right=("implicit",))
    print(f"{page.total} in all.")


@app.command()
def analytics(
    by: Annotated[str, typer.Option("--by", help=f"One of {', '.join(GROUPS)}.")] = "day",
    days: DaysOption = 30,
    as_json: JsonOption = False,
    tenant: TenantOption = None,
) -> None:
    """Show counts and rates, CSAT and NPS."""
    from core.feedback.analytics import compute_analytics as figures  # noqa: PLC0415
    from core.feedback.types import FeedbackFilter  # noqa: PLC0415

    if by not in GROUPS:
        raise InvalidInput(f"--by is one of {', '.join(GROUPS)}.")
    with opened(tenant) as (_settings, database, tenant_id), database.session() as session:
        found = figures(session, tenant_id, FeedbackFilter(_get_start_time(days)), by)  # type: ignore[arg-type]
    if as_json:
        print_json(found)
        return
    groups = [*found["groups"], {"name": "all", **found["total"]}]
    print_table((by, *FIGURES), [[g["name"], *(g[name] for name in FIGURES)] for g in groups], right=FIGURES)
    csat, nps = found["surveys"]["csat"], found["surveys"]["nps"]
    print(f"CSAT {csat['average'] or '-'} from {csat['answered']} of {csat['asked']}; ", end="")
    print(f"NPS {'-' if nps['score'] is None else nps['score']} from {nps['answered']} of {nps['asked']}.")
    _print_moods(found["sentiment"])


def _print_moods(sentiment: dict[str, Any]) -> None:
    """Print the sentiment of messages, if any was analysed."""
    if sentiment["total"]["messages"]:
        groups = [*sentiment["groups"], {"name": "all", **sentiment["total"]}]
        rows = [[group["name"], *(group[name] for name in MOODS)] for group in groups]
        print_table((sentiment["by"], *MOODS), rows, right=MOODS)


@app.command()
def link(
    message_id: Annotated[str, typer.Argument(metavar="MESSAGE", help="Id of the answer's message.")],
    as_json: JsonOption = False,
    tenant: TenantOption = None,
) -> None:
    """Make a signed token with which one answer can be rated, as from an e-mail."""
    from core.feedback.links import RatingLinks  # noqa: PLC0415
    from core.secrets import derive_key  # noqa: PLC0415

    with opened(tenant) as (settings, database, tenant_id), database.session() as session:
        issued = RatingLinks(derive_key(settings.secret_key(), "feedback")).issue(session, tenant_id, message_id)
    if as_json:
        print_json({"token": issued.token, "expires_at": issued.expires_at.isoformat()})
    else:
        print(issued.token)


@app.command()
def settle(as_json: JsonOption = False) -> None:
    """Tell the signals of all answers that can be told by now, as the worker does every minute."""
    from core.conversations.jobs import settle_all  # noqa: PLC0415
    from knowledge.services import Knowledge  # noqa: PLC0415

    with opened(None) as (settings, database, _tenant_id):
        count = settle_all(database, get_current_time(), Knowledge(settings, database).compute_similarity)
    if as_json:
        print_json({"settled": count})
    else:
        print(f"{count} answers settled.")


def _get_start_time(days: int) -> datetime:
    return datetime.now(UTC) - timedelta(days=days)


def _format_thumb(helpful: Any) -> str:
    return {True: "up", False: "down"}.get(helpful, "-")
