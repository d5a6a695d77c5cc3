"""Which web pages may open a chat, and the CORS headers that tell their browsers so."""

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
    """The allow-list; a page of our own host is always on it."""

    allowed: frozenset[str]

    def require(self, headers: Headers) -> None:
        """Let only a page on the list pass.

        Raises:
            OriginRefused: there is no Origin header, or its page is not on the list.
        """
        if "origin" not in headers:
            raise OriginRefused("A chat is opened by a web page: the Origin header is missing.")
        self.refuse_strangers(headers)

    def refuse_strangers(self, headers: Headers) -> None:
        """Let pages on the list pass, and requests that name no page (a browser names none on its own page's GET).

        Raises:
            OriginRefused: the request names a page that is not on the list.
        """
        origin = headers.get("origin")
        if origin is not None and not self._is_allowed_origin(origin, headers):
            raise OriginRefused(
                f"The page {origin[:200]} may not open a chat here. "
                "Whoever runs this service can allow it with REJOINDER_ALLOWED_ORIGINS."
            )

    def cors(self, headers: Headers, *, preflight: bool = False) -> dict[str, str]:
        """The response headers for this request's origin.

        A stranger may read its response too, since that is the refusal and says what to do about it.
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
