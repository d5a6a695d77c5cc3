"""Fetch web pages, guarded against requests into the private network (SSRF)."""

from __future__ import annotations

import ipaddress
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass

import httpx

from core.errors import InvalidInput
from knowledge.imports.sources.document import LARGEST_DOCUMENT

MOST_REDIRECTS = 5
REDIRECTS = frozenset((301, 302, 303, 307, 308))
TIMEOUT_S = 10.0
DEADLINE_S = 60.0
AGENT = "Rejoinder-import/1.0"
NAT64 = ipaddress.ip_network("64:ff9b::/96")

Resolve = Callable[[str, int], list[str]]
Address = ipaddress.IPv4Address | ipaddress.IPv6Address


@dataclass(frozen=True)
class Fetched:
    """A page as found after all redirects."""

    url: str
    data: bytes
    content_type: str


def resolve_host(host: str, port: int) -> list[str]:
    """Return all addresses of a host."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


class Fetcher:
    """Fetches pages; each address and redirect is checked, and the connection goes to the checked address."""

    def __init__(
        self,
        *,
        allow_private: bool = False,
        resolve: Resolve = resolve_host,
        transport: httpx.BaseTransport | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._allow_private = allow_private
        self._resolve = resolve
        self._clock = clock
        # A proxy from the environment would resolve names itself and bypass the check.
        self._client = httpx.Client(transport=transport, timeout=TIMEOUT_S, trust_env=False)

    def fetch(self, url: str) -> Fetched:
        """Fetch a page, following redirects.

        Raises:
            InvalidInput: The page cannot be fetched; the message says why in plain words.
        """
        deadline = self._clock() + DEADLINE_S
        current = self._parse_url(url)
        for _ in range(MOST_REDIRECTS + 1):
            found = self._request_page(current, deadline)
            if isinstance(found, Fetched):
                return found
            current = self._parse_url(str(current.join(found)))
        raise InvalidInput(f"{url} redirects more than {MOST_REDIRECTS} times")

    def close(self) -> None:
        """Close the HTTP client's connections."""
        self._client.close()

    def _parse_url(self, url: str) -> httpx.URL:
        try:
            parsed = httpx.URL(url)
        except httpx.InvalidURL as error:
            raise InvalidInput(f"{url} is no web address") from error
        if parsed.scheme not in ("http", "https") or not parsed.host:
            raise InvalidInput(f"{url} is no http or https address")
        if parsed.userinfo:
            raise InvalidInput("an address with a user name in it is not fetched")
        return parsed

    def _request_page(self, url: httpx.URL, deadline: float) -> Fetched | str:
        """Return the page, or the location that it redirects to."""
        pinned = url.copy_with(host=self._checked_address(url))
        headers = {"Host": url.netloc.decode("ascii"), "User-Agent": AGENT, "Accept": "text/html,*/*;q=0.5"}
        # The certificate is verified against the name although the connection goes to the address.
        extensions = {"sni_hostname": url.raw_host.decode("ascii")}
        try:
            with self._client.stream("GET", pinned, headers=headers, extensions=extensions) as response:
                if response.status_code in REDIRECTS and "location" in response.headers:
                    return response.headers["location"]
                if response.status_code != httpx.codes.OK:
                    raise InvalidInput(f"{url} answers with status {response.status_code}")
                kind = response.headers.get("content-type", "").partition(";")[0].strip().lower()
                return Fetched(str(url), self._read_body(response, deadline), kind)
        except httpx.HTTPError as error:
            raise InvalidInput(f"{url} cannot be reached: {str(error) or type(error).__name__}") from error

    def _read_body(self, response: httpx.Response, deadline: float) -> bytes:
        body = bytearray()
        for part in response.iter_bytes():
            body += part
            if len(body) > LARGEST_DOCUMENT:
                raise InvalidInput(f"it is larger than {LARGEST_DOCUMENT // 1_000_000} MB")
            if self._clock() > deadline:
                raise InvalidInput(f"it takes longer than {DEADLINE_S:.0f} seconds")
        return bytes(body)

    def _checked_address(self, url: httpx.URL) -> str:
        port = url.port or (443 if url.scheme == "https" else 80)
        try:
            addresses = self._resolve(url.host, port)
        except (OSError, UnicodeError) as error:
            raise InvalidInput(f"there is no host {url.host}") from error
        if not addresses:
            raise InvalidInput(f"there is no host {url.host}")
        if not self._allow_private and not all(is_public(address) for address in addresses):
            raise InvalidInput(
                f"{url.host} is an address of a private network; --allow-private fetches it all the same"
            )
        return addresses[0]


def is_public(address: str) -> bool:
    """Whether the address is reachable from the public internet."""
    parsed: Address = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(parsed, ipaddress.IPv6Address):
        inner = parsed.ipv4_mapped or parsed.sixtofour or (parsed.teredo[1] if parsed.teredo else None)
        if parsed in NAT64:
            inner = ipaddress.IPv4Address(int(parsed) & 0xFFFFFFFF)
        if inner is not None:
            return is_public(str(inner))
    return parsed.is_global and not parsed.is_multicast
