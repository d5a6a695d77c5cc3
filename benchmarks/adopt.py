"""`bench adopt`: public Rasa projects become bots behind Rejoinder, without a step by hand, and are talked to.

Of each project below rasa_projects a copy is made (its text stays there) with fewer epochs and the address of an action
server of ours, which speaks rasa-sdk's wire format and has a stand-in for each action. Then: `rejoinder bot adopt`,
`rejoinder train`, `rejoinder start`, `rejoinder knowledge import`, and conversations over the web channel. What customers say
comes from the project's own data, as for `rejoinder bot check`.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import uvicorn
from fastapi import FastAPI
from fastapi.responses import JSONResponse
from sqlalchemy import select

from benchmarks.report import Result, at_least, at_most
from console.chat import Chat, Shown
from core.bot.parts import BotParts
from core.db import Database
from core.db.models import Handoff, Turn
from core.secrets import derive_key
from core.settings import Settings
from evaluation.adoption.dialogue import intents_of
from evaluation.adoption.documents import format_yaml, read_document
from evaluation.forms import form_scripts
from evaluation.training.data import read_parts
from testing.instance import Instance, instance

OPTIONS = {"nlu_epochs": 30.0, "policy_epochs": 5.0}
"""At most so many of components and of policies; a project's own numbers where they are smaller."""
CONVERSATIONS = 10
MOST_MESSAGES = 15
"""A form that has not ended after so many has none."""
EVENTS: dict[str, list[dict[str, Any]]] = {
    "action_session_start": [{"event": "session_started"}, {"event": "action", "name": "action_listen"}],
    "action_restart": [{"event": "restart"}],
}
"""Of actions of Rasa's own that a project may have in its own way."""
KNOWN = "How long do you keep my personal records?"
ANSWER = "We keep personal records for two years and delete them then."
ASKED = "for how long are my personal records kept by you?"
UNKNOWN = "Which planet has the most moons?"
PERSON = "I want to talk to a person"
STORED_SECONDS = 30.0


@dataclass
class Seen:
    """What came of the conversations of one project."""

    conversations: int = 0
    wrong: list[str] = field(default_factory=list)
    forms: dict[str, bool] = field(default_factory=dict)
    known: bool = False
    handed_over: bool = False
    adopting_s: float = 0.0
    training_s: float = 0.0


def run(data: Path, nlu_epochs: float, policy_epochs: float) -> Result:
    """Every project there is."""
    projects = sorted(file.parent for file in (data / "rasa_projects").glob("*/config.yml"))
    found = {
        project.name: _adopted(project, {"pipeline": int(nlu_epochs), "policies": int(policy_epochs)})
        for project in projects
    }
    forms = [ended for seen in found.values() for ended in seen.forms.values()]
    figures = {
        name: {
            "conversations": seen.conversations,
            "went wrong": seen.wrong,
            "forms": len(seen.forms),
            "s to adopt": seen.adopting_s,
            "s to train": seen.training_s,
        }
        for name, seen in found.items()
    }
    targets = [
        at_least("projects", len(found), 2),
        at_least(
            "projects that run after two commands", sum(seen.conversations > 0 for seen in found.values()), len(found)
        ),
        at_most("conversations with something wrong", sum(len(seen.wrong) for seen in found.values()), 0),
        at_least("forms to the end", sum(forms) / max(1, len(forms)), 1.0),
        at_least("projects whose knowledge is reached", sum(seen.known for seen in found.values()), len(found)),
        at_least(
            "projects whose handoff is in the inbox", sum(seen.handed_over for seen in found.values()), len(found)
        ),
    ]
    return {
        "figures": figures,
        "targets": targets,
        "notes": [f"at most {int(nlu_epochs)} epochs of components, {int(policy_epochs)} of policies; no Duckling"],
    }


def _adopted(project: Path, epochs: dict[str, int]) -> Seen:
    seen = Seen()
    try:
        _talked_to(project, epochs, seen)
    except RuntimeError as error:  # a command failed: this project needs a step by hand, and the next one is tried
        seen.wrong.append(str(error))
    return seen


def _talked_to(project: Path, epochs: dict[str, int], seen: Seen) -> None:
    with tempfile.TemporaryDirectory() as name, action_server(project) as url:
        copied = copy_project(project, Path(name) / project.name, epochs, url)
        faq = Path(name) / "faq.jsonl"
        faq.write_text(json.dumps({"question": KNOWN, "answer": ANSWER}) + "\n", encoding="utf-8")

        def prepare(env: dict[str, str]) -> None:
            seen.adopting_s = _timed(lambda: rejoinder(env, "bot", "adopt", str(copied)))
            seen.training_s = _timed(lambda: rejoinder(env, "train", "--no-report"))

        env = {"REJOINDER_MESSAGES_PER_MINUTE": "1000"}
        with instance(env, Path(name) / "none", prepare=prepare) as bot:
            home = {"REJOINDER_HOME": str(bot.home), "REJOINDER_PORT": str(bot.port)}
            rejoinder(home, "knowledge", "import", str(faq))
            with httpx.Client(base_url=bot.url, timeout=120) as http:
                _Customers(bot, http, seen, first_intents(project)).talk()


def rejoinder(env: dict[str, str], *words: str) -> str:
    """A command as a user runs it.

    Raises:
        RuntimeError: it failed; with what it said.
    """
    command = [str(Path(sys.executable).parent / "rejoinder"), *words]
    done = subprocess.run(command, env={**_inherited(), **env}, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"rejoinder {' '.join(words)}:\n{done.stdout}{done.stderr}")
    return done.stdout


def _inherited() -> dict[str, str]:
    return {**os.environ, "REJOINDER_ENV_FILE": os.devnull}


def copy_project(project: Path, to: Path, epochs: dict[str, int], actions: str) -> Path:
    """With at most so many epochs and another action server."""
    shutil.copytree(project, to)
    config = dict(read_document(to / "config.yml").content)
    for part, most in epochs.items():
        for component in config.get(part) or ():
            if "epochs" in component:
                component["epochs"] = min(int(component["epochs"]), most)
    (to / "config.yml").write_text(format_yaml(config), encoding="utf-8")
    file = to / "endpoints.yml"
    endpoints = dict(read_document(file).content) if file.is_file() else {}
    file.write_text(format_yaml({**endpoints, "action_endpoint": {"url": actions}}), encoding="utf-8")
    return to


def first_intents(project: Path) -> set[str]:
    """Those that begin a rule or a story; a yes means something only as an answer."""
    files = [read_document(file).content for file in sorted((project / "data").rglob("*.yml"))]
    paths = [path for content in files for kind in ("rules", "stories") for path in content.get(kind) or ()]
    return {name for path in paths for name in intents_of(path["steps"][0])}


@contextmanager
def action_server(project: Path) -> Iterator[str]:
    """Runs every action of the project's domain as rasa-sdk answers; the address of its webhook."""
    domain = read_document(project / "domain.yml").content
    names = [str(next(iter(each)) if isinstance(each, dict) else each) for each in domain.get("actions") or ()]
    app = FastAPI()

    @app.get("/actions")
    async def list_actions() -> list[dict[str, str]]:
        return [{"name": name} for name in names]

    @app.post("/webhook")
    async def run_action(call: dict[str, Any]) -> JSONResponse:
        name = call["next_action"]
        if name not in names:
            return JSONResponse({"action_name": name, "error": f"No registered action found for name {name!r}."}, 404)
        events = EVENTS.get(name, [])
        said = [] if events or name.startswith(("validate_", "action_validate_")) else [{"text": name}]
        return JSONResponse({"events": events, "responses": said})

    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, log_level="error"))
    listening = server.config.bind_socket()
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}/webhook"
    finally:
        server.should_exit = True
        thread.join()


class _Customers:
    """Each conversation is somebody else's."""

    def __init__(self, bot: Instance, http: httpx.Client, seen: Seen, wishes: set[str]) -> None:
        self._bot, self._http, self._seen, self._first = bot, http, seen, wishes
        settings = Settings(home=bot.home, port=bot.port, _env_file=None)
        self._parts: BotParts = settings.bot()
        token = derive_key(settings.secret_key(), "rasa")
        self._rasa = httpx.Client(base_url=settings.rasa(), params={"token": token}, timeout=60)
        self._database = Database(settings.database())

    def talk(self) -> None:
        """All of them."""
        scripts = form_scripts(self._parts)
        self._seen.forms = dict.fromkeys(self._parts.domain()["forms"], False)
        talks: list[Callable[[Chat], str]] = [
            self._known,
            self._unknown,
            self._person,
            *(self._form(script) for script in scripts),
            *(self._form(script, aside=KNOWN) for script in scripts),
        ]
        spoken = (self._says(text) for text in self._wishes({script["begin"] for script in scripts}))
        while len(talks) < CONVERSATIONS and (more := next(spoken, None)):
            talks.append(more)
        for talk in talks[: max(CONVERSATIONS, 3 + len(scripts))]:
            chat = Chat.open(self._http)
            wrong = talk(chat) or self._failed(chat)
            self._seen.conversations += 1
            self._seen.wrong += [wrong] if wrong else []
        self._database.close()

    def _known(self, chat: Chat) -> str:
        self._seen.known = all(ANSWER in _text(chat.ask(text)) for text in (KNOWN, ASKED))
        return "" if self._seen.known else f"the knowledge was not reached by {ASKED!r}"

    def _unknown(self, chat: Chat) -> str:
        chat.ask(UNKNOWN)
        return "" if self._outcomes(chat)[-1] == "unknown" else f"{UNKNOWN!r} ended as {self._outcomes(chat)[-1]}"

    def _person(self, chat: Chat) -> str:
        chat.ask(PERSON)
        with self._database.session() as session:
            found = session.scalar(select(Handoff.id).filter_by(conversation_id=chat.conversation_id))
        self._seen.handed_over = found is not None
        return "" if found else f"{PERSON!r} did not reach the inbox"

    def _says(self, text: str) -> Callable[[Chat], str]:
        return lambda chat: "" if chat.ask(text) else f"{text!r} was not answered"

    def _form(self, script: dict[str, Any], aside: str = "") -> Callable[[Chat], str]:
        def talk(chat: Chat) -> str:
            form, values = script["form"], script["values"]
            said = [script["begin"]]
            heard = chat.ask(script["begin"])
            if self._waits(chat)[0] != form:
                return f"{form}: not begun by {said[0]!r}, but {_text(heard)!r}"
            if aside and ANSWER not in _text(chat.ask(aside)):
                return f"{form}: the question in its middle was not answered"
            while (waits := self._waits(chat))[0] == form and len(said) < MOST_MESSAGES:
                text = values.get(waits[1])
                if text is None:
                    return f"{form}: the project's data has no value for {waits[1]}"
                said.append(text)
                heard = chat.ask(text)
            self._seen.forms[form] |= waits[0] is None
            return "" if waits[0] is None else f"{form}: not ended after {said}"

        return talk

    def _waits(self, chat: Chat) -> tuple[str | None, str]:
        """The form that is active, and the slot that it asks for."""
        tracker = self._rasa.get(f"/conversations/{chat.conversation_id}/tracker").json()
        return (tracker.get("active_loop") or {}).get("name"), tracker["slots"].get("requested_slot")

    def _wishes(self, begun: set[str]) -> Iterator[str]:
        """An example of each intent of theirs that may begin a conversation, and begins no form."""
        first = {
            example.base: example.text
            for example in reversed(read_parts(self._parts))
            if example.file.startswith("theirs/") and example.base in self._first
        }
        yield from (text for text in first.values() if text not in begun)

    def _failed(self, chat: Chat) -> str:
        outcomes = self._outcomes(chat)
        said = [message["text"] for message in chat.history() if message.get("speaker") == "customer"]
        return f"something went wrong after {said}: {outcomes}" if "failed" in outcomes else ""

    def _outcomes(self, chat: Chat) -> list[str]:
        """Of an action that is not ours it is stored shortly after the answer."""
        deadline = time.monotonic() + STORED_SECONDS
        while time.monotonic() < deadline:
            with self._database.session() as session:
                rows = session.execute(
                    select(Turn.status, Turn.outcome).filter_by(conversation_id=chat.conversation_id).order_by(Turn.id)
                ).all()
            if all(status not in {"waiting", "running"} for status, _ in rows):
                break
            time.sleep(0.05)
        return [str(outcome or status) for status, outcome in rows]


def _text(messages: Sequence[Shown]) -> str:
    return "\n".join(str(message["text"]) for message in messages)


def _timed(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started
