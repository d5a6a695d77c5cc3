"""The console's style sheet and scripts."""

from __future__ import annotations

import hashlib
from pathlib import Path

from fastapi import APIRouter, Request, Response

from console.pages.staff.base import Shell

STATIC = Path(__file__).parent.parent.parent / "static"
TYPES = {
    "console.css": "text/css",
    "console.js": "text/javascript",
    "inbox.js": "text/javascript",
    "composer.js": "text/javascript",
    "regions.js": "text/javascript",
}


def add_routes(routes: APIRouter, _shell: Shell) -> None:
    """Add the route of static files, which browsers keep until they change."""
    files = {name: (STATIC / name).read_bytes() for name in TYPES}
    tags = {name: f'"{hashlib.sha256(content).hexdigest()[:32]}"' for name, content in files.items()}

    @routes.get("/static/{name}")
    async def send_static_file(request: Request, name: str) -> Response:
        if name not in files:
            return Response(status_code=404)
        headers = {"ETag": tags[name], "Cache-Control": "no-cache", "X-Content-Type-Options": "nosniff"}
        if tags[name] in request.headers.get("if-none-match", ""):
            return Response(status_code=304, headers=headers)
        return Response(files[name], media_type=TYPES[name], headers=headers)
