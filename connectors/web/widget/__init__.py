"""The widget's script: its modules and style sheet, joined at start-up into one file without comments."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path

from fastapi import APIRouter, Request, Response

from core.bot.parts import Voice

DEFAULT = Voice()
_FOLDER = Path(__file__).parent
_MODULES = (
    "strings", "dom", "markdown", "rich", "memory", "api", "stream", "conversation", "bubbles", "theme", "survey", "moving", "panel", "element", "boot",
)  # fmt: skip
"""In dependency order: each module uses only those before it."""
_IMPORT = re.compile(r"^import .*?;\n", re.MULTILINE | re.DOTALL)
_EXPORT = re.compile(r"^export ", re.MULTILINE)
_COMMENT = re.compile(r"^ *// .*\n", re.MULTILINE)
_HEADERS = {
    "Cache-Control": "public, max-age=3600, stale-while-revalidate=86400",
    "Access-Control-Allow-Origin": "*",
    "Cross-Origin-Resource-Policy": "cross-origin",
    "X-Content-Type-Options": "nosniff",
}


def build_script(voice: Voice = DEFAULT) -> str:
    """Return the script wrapped in one function, so no name leaks into the page, with the bot's name and greeting."""
    css = (_FOLDER / "widget.css").read_text(encoding="utf-8")
    modules = [_without_module_syntax((_FOLDER / f"{name}.js").read_text(encoding="utf-8")) for name in _MODULES]
    bot = {"name": voice.name, "greeting": voice.greets}
    return "\n".join(
        [
            '(() => {\n"use strict";',
            f"const WIDGET_CSS = {json.dumps(css)};",
            f"const BOT = {json.dumps(bot)};",
            *modules,
            "})();\n",
        ]
    )


def router(voice: Voice = DEFAULT) -> APIRouter:
    """Serve ``/widget.js`` to any page, with an ETag."""
    body = build_script(voice).encode()
    headers = _HEADERS | {"ETag": f'"{hashlib.sha256(body).hexdigest()[:32]}"'}
    routes = APIRouter(tags=["chat"])

    @routes.get("/widget.js", include_in_schema=False)
    async def serve_script(request: Request) -> Response:
        if headers["ETag"] in request.headers.get("if-none-match", ""):
            return Response(status_code=304, headers=headers)
        return Response(body, media_type="text/javascript; charset=utf-8", headers=headers)

    return routes


def _without_module_syntax(source: str) -> str:
    return _COMMENT.sub("", _EXPORT.sub("", _IMPORT.sub("", source)))
