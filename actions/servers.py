"""Client for a team's own action servers (rasa-sdk 3): finds the server of an action and runs it there."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from time import monotonic
from typing import Any

import httpx
import orjson
import structlog
from rasa_sdk.interfaces import ActionExecutionRejection

from core.errors import ActionFailed, SettingsInvalid

log = structlog.get_logger()

OURS = "rejoinder_"
"""Reserved prefix for the names of the base's actions."""
CONNECT_SECONDS = 2.0
RUN_SECONDS = 20.0
HUNG_SECONDS, AGAIN_SECONDS = 60.0, 4.0
"""After a timeout, turns in the first period wait only the second for that server, until it answers again."""
LIST_SECONDS = 3.0
TRIES = 3
"""Attempts at calling a server to which nothing could be sent."""
PAUSE_SECONDS = 0.3
MOST_BYTES = 1_000_000
"""Maximum size of an answer."""
_NEVER_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
UTTERS = "utter_"
_SERVER = ""
"""Key for logged problems that concern a server rather than one action."""


@dataclass
class ActionServer:
    url: str
    """The URL of its webhook."""
    actions: frozenset[str] | None = None
    """The actions it lists; None if it never did."""
    problem: str = ""
    """Why it did not list them the last time."""
    hung: set[str] = field(default_factory=set)
    """Turns in which it timed out since its last answer; a customer waits for that only once."""
    hung_until: float = 0.0
    """Until then it counts as hanging; monotonic clock."""

    @property
    def name(self) -> str:
        """Its address for logs, without credentials and query."""
        url = httpx.URL(self.url)
        return f"{url.scheme}://{url.netloc.decode()}{url.path}"

    @property
    def list_url(self) -> httpx.URL:
        """The URL where rasa-sdk lists actions: ``/actions`` next to ``/webhook``."""
        url = httpx.URL(self.url)
        return url.copy_with(path=url.path.rpartition("/")[0] + "/actions")


class ActionServers:
    """Runs a team's own actions. A server that is unavailable or answers nonsense fails one action and logs one line."""

    def __init__(
        self, urls: Sequence[str] = (), ours: Collection[str] = (), domain: dict[str, Any] | None = None
    ) -> None:
        """``ours``: names of actions that `app` runs itself; ``domain``: sent along where Rasa omits it."""
        self.servers = [ActionServer(url) for url in urls]
        self._ours = frozenset(ours)
        self._domain = domain or {}
        self._told: set[tuple[str, str]] = set()
        # One connection per call: on a kept-alive one, it is unknown whether an interrupted call was received.
        limits = httpx.Limits(max_keepalive_connections=0)
        timeout = httpx.Timeout(RUN_SECONDS, connect=CONNECT_SECONDS)
        self._http = httpx.AsyncClient(limits=limits, timeout=timeout)

    async def look_up(self, *servers: ActionServer) -> None:
        """Load the action lists of some or all servers; one that does not answer keeps its previous list."""
        await asyncio.gather(*(self._load_action_names(server) for server in servers or self.servers))

    def listed(self) -> set[str]:
        """Return all actions that the servers have listed."""
        return {name for server in self.servers for name in server.actions or ()}

    def clashes(self) -> list[str]:
        """Return a line for each duplicate name."""
        holders = {name: [each.name for each in self._list_offering_servers(name)] for name in self.listed()}
        return [
            f"The action {name} is on {' and on '.join(places)}, and Rejoinder has one of that name."
            if self._is_own_action(name)
            else f"The action {name} is on {' and on '.join(places)}."
            for name, places in sorted(holders.items())
            if self._is_own_action(name) or len(places) > 1
        ]

    def tell_clashes(self) -> None:
        for clash in self.clashes():
            if (clash, _SERVER) not in self._told:
                self._told.add((clash, _SERVER))
                log.error(clash)

    def check(self) -> None:
        """Check that no name is defined twice, as far as the servers have answered.

        Raises:
            SettingsInvalid: some are; says which, where, and what to do.
        """
        if clashes := self.clashes():
            hint = (
                "Rename it: what its class returns in name(), and the name in domain.yml, rules and stories; "
                f"names that begin with {OURS} are Rejoinder's. Or take one of the servers off REJOINDER_ACTION_SERVERS."
            )
            raise SettingsInvalid("\n".join([*clashes, hint]))

    def problems(self, named: Collection[str]) -> list[str]:
        """Return a line for each server without a list; otherwise one line with the named actions that no server has."""
        silent = [f"The action server {each.name} {each.problem}." for each in self.servers if each.problem]
        known = self.listed()
        missing = [n for n in named if not (self._is_own_action(n) or n in known or n.startswith(UTTERS))]
        if silent or not missing or not self.servers:
            return silent
        return [f"No action server has these actions of the domain: {', '.join(missing)}."]

    async def run(self, call: dict[str, Any], *, turn: str = "") -> dict[str, Any]:
        """Run an action and return its events and responses; ``turn`` is the id of its turn, if known.

        Raises:
            ActionFailed: no server has it, or its server is unavailable, too slow, or returns an invalid result; says why.
            ActionExecutionRejection: the action itself refuses to run now.
        """
        name = str(call.get("next_action"))
        server = await self._server_of(name)
        body = orjson.dumps({"domain": self._domain, **call})
        if turn in server.hung:
            raise self._report_failure(server, _SERVER, "has not answered before in this turn")
        patience = RUN_SECONDS if monotonic() >= server.hung_until else AGAIN_SECONDS
        try:
            async with asyncio.timeout(patience):
                status, answer = await self._post_with_retry(server, body)
        except (TimeoutError, httpx.ReadTimeout):
            server.hung |= {turn} if turn else set()
            server.hung_until = max(server.hung_until, monotonic() + HUNG_SECONDS * (patience == RUN_SECONDS))
            raise self._report_failure(server, _SERVER, f"has not answered within {patience:.0f} s") from None
        except httpx.HTTPError as error:
            raise self._report_failure(server, _SERVER, f"does not answer: {_describe_error(error)}") from error
        result = self._result_of(server, name, status, answer)
        server.hung.clear()
        server.hung_until = 0.0
        self._report_recovery(server, _SERVER)
        self._report_recovery(server, name)
        return result

    async def close(self) -> None:
        """Close all open connections."""
        await self._http.aclose()

    async def _server_of(self, name: str) -> ActionServer:
        if not self._list_offering_servers(name):
            await self.look_up()
            self.tell_clashes()
        having = self._list_offering_servers(name) or [server for server in self.servers if server.actions is None]
        if not having:
            raise ActionFailed(f"no action server has the action {name}")
        if len(having) > 1:
            raise ActionFailed(f"more than one action server may have the action {name}; see `rejoinder bot actions`")
        return having[0]

    def _result_of(self, server: ActionServer, name: str, status: int, body: bytes) -> dict[str, Any]:
        if status == httpx.codes.NOT_FOUND:
            server.actions = server.actions and server.actions - {name}
            raise self._report_failure(server, name, "does not know the action")
        if status not in {httpx.codes.OK, httpx.codes.BAD_REQUEST}:
            raise self._report_failure(server, name, f"answers with status {status}")
        if len(body) > MOST_BYTES:
            raise self._report_failure(server, name, f"answers with more than {MOST_BYTES} bytes")
        try:
            answer = orjson.loads(body)
        except orjson.JSONDecodeError:
            raise self._report_failure(server, name, "answers with something that is not JSON") from None
        rejected = answer.get("action_name") if isinstance(answer, dict) and status != httpx.codes.OK else None
        if isinstance(rejected, str):
            raise ActionExecutionRejection(rejected, str(answer.get("error") or ""))
        if status != httpx.codes.OK or not _is_result(answer):
            raise self._report_failure(server, name, "answers with JSON that is not the result of an action")
        return {"events": answer.get("events") or [], "responses": answer.get("responses") or []}

    async def _post_with_retry(self, server: ActionServer, body: bytes, tries: int = TRIES) -> tuple[int, bytes]:
        """Retry only if nothing was sent, because an action may have side effects, such as cancelling an order."""
        try:
            return await self._read_response("POST", httpx.URL(server.url), body)
        except _NEVER_SENT:
            if tries == 1:
                raise
        await asyncio.sleep(PAUSE_SECONDS)
        return await self._post_with_retry(server, body, tries - 1)

    async def _read_response(self, method: str, url: httpx.URL, body: bytes | None = None) -> tuple[int, bytes]:
        headers = {"content-type": "application/json", "accept-encoding": "identity"}
        read = bytearray()
        async with self._http.stream(method, url, content=body, headers=headers) as response:
            async for chunk in response.aiter_bytes():
                read += chunk
                if len(read) > MOST_BYTES:
                    break
        return response.status_code, bytes(read)

    async def _load_action_names(self, server: ActionServer) -> None:
        try:
            async with asyncio.timeout(LIST_SECONDS):
                status, body = await self._read_response("GET", server.list_url)
            found = _names_in(orjson.loads(body)) if status == httpx.codes.OK else None
        except (httpx.HTTPError, TimeoutError) as error:
            server.problem = f"does not answer: {_describe_error(error)}"
            return
        except orjson.JSONDecodeError:
            found = None
        server.problem = "" if found is not None else f"lists no actions at {server.list_url.path}"
        server.actions = found if found is not None else server.actions

    def _list_offering_servers(self, name: str) -> list[ActionServer]:
        return [server for server in self.servers if name in (server.actions or ())]

    def _is_own_action(self, name: str) -> bool:
        return name in self._ours or name.startswith(OURS)

    def _report_failure(self, server: ActionServer, about: str, why: str) -> ActionFailed:
        """Log one line for the operator until it works again."""
        if (server.url, about) not in self._told:
            self._told.add((server.url, about))
            more = {"action": about} if about else {}
            log.warning(
                "an action fails; customers hear that something went wrong", server=server.name, cause=why, **more
            )
        return ActionFailed(f"the action server {server.name} {why}")

    def _report_recovery(self, server: ActionServer, about: str) -> None:
        if (server.url, about) in self._told:
            self._told.remove((server.url, about))
            log.warning("it works again", server=server.name, **({"action": about} if about else {}))


def _names_in(listed: Any) -> frozenset[str] | None:
    """Parse rasa-sdk's list: ``[{"name": ...}]``."""
    if not isinstance(listed, list) or not all(isinstance(each, dict) for each in listed):
        return None
    return frozenset(str(each["name"]) for each in listed if each.get("name"))


def _is_result(answer: Any) -> bool:
    if not isinstance(answer, dict):
        return False
    events, responses = answer.get("events") or [], answer.get("responses") or []
    if not isinstance(events, list) or not isinstance(responses, list):
        return False
    return all(map(_is_event, events)) and all(isinstance(response, dict) for response in responses)


def _is_event(event: Any) -> bool:
    if not isinstance(event, dict) or not isinstance(event.get("event"), str):
        return False
    return event["event"] != "slot" or isinstance(event.get("name"), str)


def _describe_error(error: Exception) -> str:
    """Describe an error without the request, which contains the customer's text."""
    return f"{type(error).__name__} {error}".strip()
