"""What programs read and decide through ``/api/v1/ai/training``."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import httpx
import pytest

from core.db import Database
from core.db.models import ReuseObservation, TrainingSession, Turn, get_current_time
from core.errors import Conflict
from tests.console.staff import TOKEN, Staff, open_console
from tests.knowledge.review.doubles import T, add_entry, add_item, events, item, served

PREFIX = "http://app/api/v1/ai/training/"


@pytest.fixture
def staff(sqlite: Database) -> Staff:
    def start(tenant: str, kind: str, by: str, reason: str) -> str:
        with sqlite.session() as session:
            row = TrainingSession(tenant_id=tenant, kind=kind, author=by, reason=reason)
            session.add(row)
            session.flush()
            return row.id

    async def harvest(tenant: str, conversation_id: str) -> dict[str, object]:
        return {"conversation_id": conversation_id, "new": 1}

    return open_console(sqlite, harvest=harvest, start_training=start, models=Deployed())


@dataclass
class Deployed:
    """Notes what is asked of it; there is one NLU model to go back to, and of the embedding only the base model."""

    asked: list[tuple[object, ...]] = field(default_factory=list)

    def deploy(self, tenant_id: str, training: tuple[str, str], by: str, reason: str, *, force: bool) -> None:
        if training[1] == "embedding":
            raise Conflict("This training is waiting.")
        self.asked.append((tenant_id, *training, by, reason, force))

    def rollback(self, tenant_id: str, kind: str, by: str, reason: str) -> str | None:
        self.asked.append((tenant_id, kind, by, reason))
        return None if kind == "embedding" else str(self.asked[0][1])


@pytest.fixture
async def api(staff: Staff) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(staff.app)
    async with httpx.AsyncClient(transport=transport, base_url=PREFIX, headers=TOKEN) as client:
        yield client


async def got(api: httpx.AsyncClient, path: str, body: Any = None, method: str = "", code: int = 200) -> Any:
    response = await api.request(method or ("GET" if body is None else "POST"), path, json=body)
    assert response.status_code == code, response.text
    return response.json()


async def test_items_are_read_and_decided(api: httpx.AsyncClient, staff: Staff) -> None:
    ids = [add_item(staff.database, f"Question {n}", effect=float(n)) for n in range(5)]
    page = await got(api, "training-data/?limit=2&offset=1")
    assert (page["total"], [i["questions"][0] for i in page["items"]]) == (5, ["Question 3", "Question 2"])
    edited = await got(api, f"training-data/{ids[0]}/", {"revision": 1, "answer": "New words"}, "PATCH")
    assert (edited["questions"], edited["answer"], edited["revision"]) == (["Question 0"], "New words", 2)
    approved = await got(api, f"training-data/{ids[0]}/approve/", {"revision": 2})
    assert (approved["status"], approved["decided_by"], approved["live"]) == ("approved", "api", True)
    late = await got(api, f"training-data/{ids[0]}/reject/", {"revision": 2, "reason": "no"}, code=409)
    assert "approved by api" in late["error"]["message"]
    await got(api, f"training-data/{ids[0]}/undo/", {"revision": 3})
    assert served(staff.database) == {}
    await got(api, f"training-data/{ids[1]}/reject/", {"revision": 1, "reason": "no"})
    entry = add_entry(staff.database)
    await got(api, f"training-data/{ids[2]}/merge/", {"revision": 1, "entry_id": entry, "take_answer": True})
    until = (get_current_time() + timedelta(days=3)).isoformat()
    await got(api, f"training-data/{ids[3]}/snooze/", {"revision": 1, "until": until})
    found = await got(api, "training-data/analytics/")
    assert found["by_status"] == {"open": 2, "rejected": 1, "merged": 1, "snoozed": 1}
    assert (found["decided"], found["approval_rate"]) == (2, 0.5)
    assert events(staff.database)[:3] == [("edited", "api"), ("approved", "api"), ("undone", "api")]


@pytest.mark.parametrize(
    ("path", "body", "code"),
    [
        ("approve/", {}, 422),
        ("approve/", {"revision": 0}, 422),
        ("approve/", {"revision": 1, "colour": 1}, 422),
        ("reject/", {"revision": 1}, 422),
        ("merge/", {"revision": 1, "entry_id": "none"}, 404),
        ("snooze/", {"revision": 1, "until": "2020-01-01T00:00:00Z"}, 422),
        ("snooze/", {"revision": 1, "until": "2020-01-01T00:00:00"}, 422),
        ("undo/", {"revision": 1}, 409),
    ],
)
async def test_bad_decisions_change_nothing(api: httpx.AsyncClient, staff: Staff, path: str, body: Any, code: int) -> None:  # fmt: skip
    id_ = add_item(staff.database)
    assert (await got(api, f"training-data/{id_}/{path}", body, code=code))["error"]["message"]
    assert (item(staff.database, id_).status, item(staff.database, id_).revision) == ("open", 1)


async def test_entries_are_written_changed_and_read_with_their_history(api: httpx.AsyncClient, staff: Staff) -> None:
    made = await got(api, "knowledge-base/", {"questions": ["Gift wrap?"], "answer": "£4"}, code=201)
    path = f"knowledge-base/{made['entry']['id']}/"
    changed = await got(api, path, {"version": 1, "answer": "£5", "reason": "dearer"}, "PATCH")
    assert (changed["entry"]["questions"], changed["entry"]["answer"]) == (["Gift wrap?"], "£5")
    await got(api, path, {"version": 1, "answer": "£6"}, "PATCH", code=409)
    whole = await got(api, path)
    assert [(v["version"], v["reason"]) for v in whole["versions"]] == [(1, "written by hand"), (2, "dearer")]
    await got(api, f"{path}restore/", {"version": 2, "old": 1})
    await got(api, f"{path}retire/", {"version": 3})
    assert (await got(api, "knowledge-base/?status=retired&search=gift"))["total"] == 1
    assert (await got(api, "knowledge-base/?status=approved"))["total"] == 0
    await got(api, f"{path}approve/", {"version": 4})
    assert served(staff.database) == {"Gift wrap?": "£4"}


async def test_entries_are_found_by_intent_and_their_use_is_recorded(api: httpx.AsyncClient, staff: Staff) -> None:
    often, seldom = add_entry(staff.database, "Often?"), add_entry(staff.database, "Seldom?")
    with staff.database.session() as session:
        session.connection().exec_driver_sql("PRAGMA foreign_keys=OFF")
    with staff.database.session() as session:
        for entry in (often, often, seldom):
            used = [{"id": entry, "version": 1, "score": 1.0}]
            session.add(Turn(tenant_id=T, conversation_id="c", message_id="m", channel="web", intent="wrap", entries=used))  # fmt: skip
    found = await got(api, "knowledge-base/search_by_intent/?intent=wrap")
    assert [(f["entry"]["id"], f["answers"]) for f in found] == [(often, 2), (seldom, 1)]
    await got(api, f"knowledge-base/{often}/record_usage/", {"text": "wrapping?", "correct": True}, code=201)
    await got(api, "knowledge-base/none/record_usage/", {"text": "wrapping?"}, code=404)
    with staff.database.session() as session:
        (row,) = session.query(ReuseObservation).all()
        assert (row.entry_id, row.correct, row.judged_by) == (often, True, "reviewer")


async def test_trainings_begin_and_are_listed(api: httpx.AsyncClient) -> None:
    begun = await got(api, "training-sessions/start_training/", {"kind": "nlu", "reason": "new examples"}, code=202)
    assert (begun["status"], begun["author"]) == ("waiting", "api")
    assert (await got(api, f"training-sessions/{begun['id']}/"))["reason"] == "new examples"
    assert (await got(api, "training-sessions/?kind=embedding"))["total"] == 0
    await got(api, "training-sessions/none/", code=404)


async def test_models_are_deployed_and_taken_back_with_a_reason(api: httpx.AsyncClient) -> None:
    begun = (await got(api, "training-sessions/start_training/", {"kind": "nlu"}, code=202))["id"]
    path = f"training-sessions/{begun}/deploy/"
    assert (await got(api, path, {"reason": "better", "force": True}, code=202))["id"] == begun
    assert (await got(api, "training-sessions/rollback/", {"reason": "worse"}, code=202))["id"] == begun
    assert await got(api, "training-sessions/rollback/", {"kind": "embedding", "reason": "worse"}, code=202) is None
    for wrong, code in ((path, 422), ("training-sessions/none/deploy/", 404)):
        await got(api, wrong, {"reason": "" if code == 422 else "x"}, code=code)
    tuned = (await got(api, "training-sessions/start_training/", {"kind": "embedding"}, code=202))["id"]
    refused = await got(api, f"training-sessions/{tuned}/deploy/", {"reason": "try it"}, code=409)
    assert refused["error"]["message"] == "This training is waiting."


async def test_what_is_not_installed_says_so(api: httpx.AsyncClient) -> None:
    assert (await got(api, "training-data/process_conversation/", {"conversation_id": "c1"}))["new"] == 1
    answer = await got(api, "training-data/bulk_process/", {}, code=503)
    assert "not part of this installation" in answer["error"]["message"]


async def test_figures_are_read_by_period(api: httpx.AsyncClient) -> None:
    series = await got(api, "performance-metrics/?by=week&from=2026-01-01&to=2026-03-31")
    assert (series["by"], series["items"]) == ("week", [])
    assert (await got(api, "performance-metrics/summary/"))["figures"]["questions"] == 0
    for wrong in ("by=year", "from=2026-02-02&to=2026-01-01", "from=1900-01-01"):
        assert (await got(api, f"performance-metrics/?{wrong}", code=422))["error"]["message"]


async def test_the_description_has_every_route_under_a_tag(staff: Staff) -> None:
    paths = staff.app.openapi()["paths"]
    ours = {path: route for path, route in paths.items() if path.startswith("/api/v1/ai/training/")}
    assert len(ours) >= 19
    assert all(operation["tags"] for route in ours.values() for operation in route.values())
