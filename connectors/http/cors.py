"""The origins that may open a chat, and their CORS headers."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from starlette.datastructures import Headers

from core.errors import OriginRefused

_PREFLIGHT = {
    "Access-Control-Allow-Methods": "GET, POST, PUT, OPTIONS",
    "Access-Control-Allow-Headers": "Authorization, Content-Type, Last-Event-ID",
    "Access-Control-Max-Age": "7200",
}


@dataclass(frozen=True)
class Origins:
    """The allow-list of origins; pages served from our own host are always allowed."""

    allowed: frozenset[str]

    def require(self, headers: Headers) -> None:
        """Require an allowed Origin header.

        Raises:
            OriginRefused: the Origin header is missing or not on the list.
        """
        if "origin" not in headers:
            raise OriginRefused("A chat is opened by a web page: the Origin header is missing.")
        self.refuse_strangers(headers)

    def refuse_strangers(self, headers: Headers) -> None:
        """Reject origins that are not on the list; requests without one pass, since browsers omit it on same-origin GETs.

        Raises:
            OriginRefused: the origin is not on the list.
        """
        origin = headers.get("origin")
        if origin is not None and not self._is_allowed_origin(origin, headers):
            raise OriginRefused(
                f"The page {origin[:200]} may not open a chat here. "
                "Whoever runs this service can allow it with REJOINDER_ALLOWED_ORIGINS."
            )

    def cors(self, headers: Headers, *, preflight: bool = False) -> dict[str, str]:
        """Return the response headers for the request's origin.

        Other origins may read their response too, since it is the error that explains the rejection.
        """
        origin = headers.get("origin")
        if origin is None:
            return {"Vary": "Origin"}
        allow = {
            "Vary": "Origin",
            "Access-Control-Allow-Origin": origin,
            "Access-Control-Expose-Headers": "Retry-After",
        }
        return allow | _PREFLIGHT if preflight else allow

    def _is_allowed_origin(self, origin: str, headers: Headers) -> bool:
        return origin in self.allowed or (
            _extract_host(origin) != "" and _extract_host(origin) == headers.get("host", "")
        )


def _extract_host(origin: str) -> str:
    try:
        return urlsplit(origin).netloc
    except ValueError:
        return ""
