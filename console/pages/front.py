"""The page at ``/`` with the widget: the demo shop, or a plain page with the bot's name."""

from __future__ import annotations

import hashlib
from pathlib import Path

from fastapi import APIRouter, Request, Response
from jinja2 import Environment, FileSystemLoader, select_autoescape

from core.bot.parts import Voice

_CONSOLE = Path(__file__).parent.parent
_POLICY = (
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' data: https:",  # images in answers
    "media-src https:",
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
)
"""The strictest policy under which the widget works."""
_PAGE_HEADERS = {
    "Content-Security-Policy": "; ".join(_POLICY),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "strict-origin-when-cross-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-cache",
}

_ORDERS = (
    {"number": "R104233", "email": "ada@example.com", "state": "on its way"},
    {"number": "R104871", "email": "ben@example.com", "state": "just placed"},
    {"number": "R103990", "email": "cleo@example.com", "state": "delivered"},
)


def router(voice: Voice, *, demo: bool) -> APIRouter:
    """Build the routes of the page and its style sheet."""
    routes = APIRouter(include_in_schema=False)
    name, values = ("demo.html", {"orders": _ORDERS}) if demo else ("front.html", {"name": voice.name})
    page = _make_front_templates().get_template(name).render(values)
    style = (_CONSOLE / "static" / "shop.css").read_bytes()
    style_tag = f'"{hashlib.sha256(style).hexdigest()[:32]}"'

    @routes.get("/")
    async def show_front_page() -> Response:
        return Response(page, media_type="text/html", headers=_PAGE_HEADERS)

    @routes.get("/static/shop.css")
    async def shop_style(request: Request) -> Response:
        headers = {"ETag": style_tag, "Cache-Control": "no-cache", "X-Content-Type-Options": "nosniff"}
        if style_tag in request.headers.get("if-none-match", ""):
            return Response(status_code=304, headers=headers)
        return Response(style, media_type="text/css", headers=headers)

    return routes


def _make_front_templates() -> Environment:
    return Environment(
        loader=FileSystemLoader(_CONSOLE / "templates"), autoescape=select_autoescape(), trim_blocks=True
    )
