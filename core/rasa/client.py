"""Client for a Rasa server's REST channel and HTTP API.

Wire formats: https://rasa.com/docs/rasa/connectors/your-own-website and https://rasa.com/docs/rasa/pages/http-api
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import httpx

from core.errors import RasaUnavailable, Unavailable

RasaItem = dict[str, Any]
"""An item of Rasa's answer, with the fields of a response: ``text``, ``buttons``, ``quick_replies``, ``image``,
``attachment``, ``elements``, ``custom`` and ``metadata``. With ``whole``, it is a complete utterance
(`bot/components/channel.py`)."""
_SAID = ("buttons", "quick_replies", "image", "attachment", "elements", "custom")

ANSWER_SECONDS = 60.0
CONNECT_SECONDS = 2.0
LOAD_SECONDS = 120.0
STARTING = (httpx.codes.NOT_FOUND, httpx.codes.CONFLICT, httpx.codes.SERVICE_UNAVAILABLE)
"""Status codes while no model is loaded yet: 404 or 503 from the channel, 409 from the HTTP API."""
COMMAND = re.compile(r"[\s/]+")
"""The beginning of a command: Rasa strips any Unicode white space, and treats a text that then begins with a slash as one."""
TYPED = re.compile(r"[\s/]*/[\s/]*(\w+)\s*(?:\{.*\})?\s*", re.DOTALL)
"""A complete command, as typed by a customer who has seen the payload of a button."""
BROKE_OFF = (httpx.NetworkError, httpx.RemoteProtocolError, httpx.ConnectTimeout)
"""Rasa is unavailable, or died during the request."""


class Rasa:
    """One Rasa server, or several behind one address."""

    def __init__(self, base_url: str, token: str = "", transport: httpx.AsyncBaseTransport | None = None) -> None:
        timeout = httpx.Timeout(ANSWER_SECONDS, connect=CONNECT_SECONDS)
        params = {"token": token} if token else None
        self._http = httpx.AsyncClient(base_url=base_url, timeout=timeout, params=params, transport=transport)

    async def say(self, conversation_id: str, text: str, channel: str, metadata: dict[str, Any]) -> list[RasaItem]:
        """Send what a customer wrote, which is never a command, and wait for the complete answer.

        Raises:
            RasaUnavailable: Rasa is unavailable; ``maybe_heard`` says whether it may have received the message.
            Unavailable: Rasa failed to answer.
        """
        return await self._post_message(conversation_id, escape_commands(text), channel, metadata)

    async def press(self, conversation_id: str, payload: str, channel: str, metadata: dict[str, Any]) -> list[RasaItem]:
        """Send the payload of a button that the bot offered, which may be a command, and wait for the complete answer.

        Raises:
            RasaUnavailable: Rasa is unavailable; ``maybe_heard`` says whether it may have received the message.
            Unavailable: Rasa failed to answer.
        """
        return await self._post_message(conversation_id, payload, channel, metadata)

    async def _post_message(
        self, conversation_id: str, message: str, channel: str, metadata: dict[str, Any]
    ) -> list[RasaItem]:
        body = {"sender": conversation_id, "message": message, "input_channel": channel, "metadata": metadata}
        try:
            response = await self._http.post("/webhooks/rest/webhook", json=body)
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            raise RasaUnavailable(f"Rasa does not answer: {error}") from error
        except (httpx.NetworkError, httpx.RemoteProtocolError) as error:
            raise RasaUnavailable(f"Rasa broke off: {error}", maybe_heard=True) from error
        except httpx.HTTPError as error:
            raise Unavailable(f"Rasa did not finish its answer: {type(error).__name__} {error}") from error
        _check_loaded(response)
        if response.is_error:
            raise Unavailable(f"Rasa answered with status {response.status_code}")
        items: list[RasaItem] = response.json()
        return items

    async def record(self, conversation_id: str, said: list[tuple[str, str]]) -> None:
        """Add messages from elsewhere to the tracker: (customer | bot | agent, text), oldest first.

        Raises:
            RasaUnavailable: Rasa is unavailable; it may have stored the messages, and a retry then duplicates them.
            Unavailable: Rasa did not store the messages.
        """
        events: list[dict[str, Any]] = []
        for speaker, text in said:
            if speaker == "customer":
                events.append({"event": "user", "text": text, "parse_data": {"text": text}})
            else:
                events += [{"event": "bot", "text": text}, {"event": "action", "name": "action_listen"}]
        if events:
            # The first post starts the session: Rasa reads back only events newer than its start.
            await self._append_events(conversation_id, [{"event": "action", "name": "action_listen"}])
            await self._append_events(conversation_id, events)

    async def _append_events(self, conversation_id: str, events: list[dict[str, Any]]) -> None:
        try:
            response = await self._http.post(f"/conversations/{conversation_id}/tracker/events", json=events)
            _check_loaded(response)
            response.raise_for_status()
        except BROKE_OFF as error:
            raise RasaUnavailable(f"Rasa does not answer: {error}") from error
        except httpx.HTTPError as error:
            raise Unavailable(f"Rasa did not record the history: {error}") from error

    async def latest_message(self, conversation_id: str) -> dict[str, Any]:
        """Return how Rasa understood the last customer message: ``intent``, ``metadata`` and the pipeline's output."""
        tracker = await self._get_tracker(conversation_id, "NONE")
        latest: dict[str, Any] = tracker.get("latest_message") or {}
        return latest

    async def understand(self, text: str) -> dict[str, Any]:
        """Return how Rasa understands a message outside any conversation; nothing is stored.

        Raises:
            RasaUnavailable: Rasa is unavailable.
            Unavailable: Rasa failed to answer.
        """
        try:
            response = await self._http.post("/model/parse", json={"text": escape_commands(text)})
            _check_loaded(response)
            response.raise_for_status()
        except BROKE_OFF as error:
            raise RasaUnavailable(f"Rasa does not answer: {error}") from error
        except httpx.HTTPError as error:
            raise Unavailable(f"Rasa did not understand in time: {type(error).__name__}") from error
        understood: dict[str, Any] = response.json()
        return understood

    async def answer_to(self, conversation_id: str, turn_id: str) -> list[RasaItem]:
        """Return what Rasa already answered to a turn, read from the tracker; empty if there is no answer."""
        tracker = await self._get_tracker(conversation_id, "ALL")
        found: list[RasaItem] | None = None
        for event in tracker.get("events", []):
            if event["event"] == "user":
                if found is not None:
                    break
                if (event.get("metadata") or {}).get("turn_id") == turn_id:
                    found = []
            elif event["event"] == "bot" and found is not None:
                found.append(_to_rasa_item(event))
        return found or []

    async def ready(self) -> bool:
        """Whether a model is loaded."""
        try:
            response = await self._http.get("/status", timeout=CONNECT_SECONDS)
        except httpx.HTTPError:
            return False
        return response.is_success and bool(response.json().get("model_file"))

    async def load(self, archive: Path) -> None:
        """Switch to another model; requests in progress finish with the old one.

        Rasa reads the file itself, so the path must be accessible to it. Messages wait while it loads.

        Raises:
            RasaUnavailable: Rasa is unavailable.
            Unavailable: Rasa could not load the file, and continues with the old model.
        """
        try:
            response = await self._http.put("/model", json={"model_file": str(archive)}, timeout=LOAD_SECONDS)
        except BROKE_OFF as error:
            raise RasaUnavailable(f"Rasa does not answer: {error}") from error
        except httpx.HTTPError as error:
            raise Unavailable(f"Rasa did not load the model in time: {type(error).__name__}") from error
        if response.is_error:
            raise Unavailable(
                f"Rasa could not load {archive.name}: status {response.status_code}; its log has the cause"
            )

    async def model(self) -> str | None:
        """Return the file name of the loaded model, or None.

        Raises:
            RasaUnavailable: Rasa does not respond.
        """
        try:
            response = await self._http.get("/status")
        except httpx.HTTPError as error:
            raise RasaUnavailable(f"Rasa does not answer: {error}") from error
        return str(response.json()["model_file"]) if response.is_success else None

    async def close(self) -> None:
        """Close the HTTP connections."""
        await self._http.aclose()

    async def _get_tracker(self, conversation_id: str, include: str) -> dict[str, Any]:
        try:
            response = await self._http.get(
                f"/conversations/{conversation_id}/tracker", params={"include_events": include}
            )
            _check_loaded(response)
            response.raise_for_status()
        except BROKE_OFF as error:
            raise RasaUnavailable(f"Rasa does not answer: {error}") from error
        except httpx.HTTPError as error:
            raise Unavailable(f"The tracker could not be read: {error}") from error
        tracker: dict[str, Any] = response.json()
        return tracker


def escape_commands(said: str) -> str:
    """Escape a customer's text, which Rasa must not run as a command; a typed one becomes words ("/book_table{...}": "book table")."""
    if typed := TYPED.fullmatch(said):
        return typed[1].replace("_", " ")
    begins = COMMAND.match(said)
    return said[begins.end() :] or said.replace("/", "|") if begins else said


def _check_loaded(response: httpx.Response) -> None:
    if response.status_code in STARTING:
        raise RasaUnavailable(f"Rasa is starting or has no model: status {response.status_code}")


def _to_rasa_item(event: dict[str, Any]) -> RasaItem:
    """Convert a bot event of the tracker, which repeats an image as an attachment."""
    data, beside = event.get("data") or {}, (event.get("metadata") or {}).get("metadata")
    said = {"text": event.get("text"), **{name: data.get(name) for name in _SAID}, "metadata": beside}
    if said["attachment"] == said["image"]:
        del said["attachment"]
    return {"whole": True, **{name: value for name, value in said.items() if value}}
