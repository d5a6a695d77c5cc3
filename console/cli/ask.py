"""`rejoinder ask`: send one question through the running bot, as a customer's browser does."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from console.cli.options import JsonOption, TenantOption, print_json
from core.attachments import describe_attachments
from core.errors import InvalidInput
from core.settings import Settings

TURN_SECONDS = 60.0


def ask(
    text: Annotated[str, typer.Argument(help="What a customer would write.")],
    as_json: JsonOption = False,
    tenant: TenantOption = None,
) -> None:
    """Ask the running bot and print its answer with sources."""
    import httpx  # noqa: PLC0415

    from console.chat import Chat  # noqa: PLC0415

    settings = Settings.load()
    if tenant not in (None, settings.tenant):
        raise InvalidInput(f"This instance chats for tenant {settings.tenant}; set REJOINDER_TENANT to serve {tenant}.")
    with httpx.Client(base_url=settings.public_url, timeout=TURN_SECONDS) as http:
        chat = Chat.open(http)
        messages = chat.ask(text)
    if as_json:
        print_json({"conversation_id": chat.conversation_id, "messages": messages})
        return
    for message in messages:
        print(_render_message(message))


def _render_message(message: dict[str, Any]) -> str:
    lines = list(filter(None, [message["text"], describe_attachments(message["attachments"])]))
    lines += [f"  [{title}]" for title in message["buttons"]]
    for number, source in enumerate(message["sources"], 1):
        name = f"[{number}]" if f"[{number}]" in message["text"] else "source:"
        lines.append(f"  {name} {source['title']} {source['url'] or ''}".rstrip())
    return "\n".join(lines)
