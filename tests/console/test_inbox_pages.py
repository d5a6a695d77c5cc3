"""Staff see who waits and answer in the browser: each by their role, nothing twice, nothing of another tenant."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from sqlalchemy import select

from console import inbox as live
from core.db import Database
from core.db.models import Conversation, Customer, Handoff, HandoffNote, Message
from core.delivery.receipts import CustomerReceipts
from core.events import AgentTyping, Hub, inbox_of
from tests.console.inbox_world import ANSWERED, InboxWorld
from tests.console.staff import AMY, ANA, BEN, VERA, Browser, hidden
from tests.knowledge.review.doubles import T

JSON = {"Accept": "application/json"}


@pytest.fixture
def world(sqlite: Database) -> InboxWorld:
    return InboxWorld(sqlite)


async def act(browser: Browser, handoff: str, action: str, event: str, **fields: str) -> Any:
    data = {"csrf": await browser.csrf(), "event": event, **fields}
    return await browser.http.post(f"/console/inbox/{handoff}/{action}", data=data, headers=JSON)


def said(database: Database, speaker: str = "agent") -> list[str]:
    with database.session() as session:
        return list(session.scalars(select(Message.text).filter_by(speaker=speaker).order_by(Message.id)))


async def test_a_handoff_is_taken_answered_noted_and_given_back(world: InboxWorld) -> None:
    conversation, handoff = await world.asked()
    async with world.staff.browser(AMY) as amy:
        listed = (await amy.get("/inbox")).text
        assert "Ada Lovelace" in listed and "(1) Inbox" in listed
        assert (await act(amy, handoff, "claim", "e1", held_by="")).status_code == 200
        assert (
            await act(amy, handoff, "reply", "e2", held_by=AMY, text="Hello Ada, it comes today.")
        ).status_code == 200
        assert (await act(amy, handoff, "note", "e3", text="Called the courier.")).status_code == 200
        page = (await amy.get(f"/inbox/{handoff}")).text
        for shown in (
            "Hello Ada, it comes today.",
            "Called the courier.",
            "Internal note",
            "Delivery times",
            "Waiting",
        ):
            assert shown in page, shown
        assert (await act(amy, handoff, "return", "e4")).status_code == 200
        assert "This handoff is over: returned" in (await amy.get(f"/inbox/{handoff}")).text
    await world.say("Thanks", conversation=conversation)
    assert said(world.database, "bot")[-1] == "Hello!"
    assert said(world.database) == ["Hello Ada, it comes today."]


async def test_what_is_sent_twice_is_done_once(world: InboxWorld) -> None:
    _, handoff = await world.asked()
    async with world.staff.browser(BEN) as ben:
        for _ in range(2):
            assert (await act(ben, handoff, "reply", "e1", held_by="", text="On its way.")).status_code == 200
            assert (await act(ben, handoff, "note", "e2", text="A note.")).status_code == 200
        for _ in range(2):
            assert (await act(ben, handoff, "resolved", "e3")).status_code == 200
    assert said(world.database) == ["On its way."]
    with world.database.session() as session:
        assert len(session.scalars(select(HandoffNote)).all()) == 1
        assert session.get_one(Handoff, handoff).resolved is True


async def test_a_page_that_was_loaded_once_does_several_things(world: InboxWorld) -> None:
    _, handoff = await world.asked()
    async with world.staff.browser(AMY) as amy:
        states = []
        for action, more in (("claim", {}), ("reply", {"text": "Hello"}), ("return", {})):
            await act(amy, handoff, action, "e1", held_by="" if action == "claim" else AMY, **more)
            with world.database.session() as session:
                states.append(session.get_one(Handoff, handoff).state)
    assert states == ["claimed", "with_person", "returned"]


async def test_who_comes_second_is_told_who_has_it_and_keeps_their_text(world: InboxWorld) -> None:
    _, handoff = await world.asked()
    async with world.staff.browser(AMY) as amy, world.staff.browser(BEN) as ben:
        await act(amy, handoff, "claim", "e1", held_by="")
        for action, more in (("claim", {}), ("reply", {"text": "Mine too"})):
            refused = await act(ben, handoff, action, f"e2-{action}", held_by="", **more)
            assert (refused.status_code, refused.json()["error"]) == (409, f"{AMY} took this meanwhile.")
        plain = await ben.send(f"/inbox/{handoff}/reply", event="e3", held_by="", text="Mine <too>")
        assert plain.status_code == 409
        assert f"{AMY} took this meanwhile." in plain.text and "Mine &lt;too&gt;</textarea>" in plain.text
        assert "disabled>Send" in (await ben.get(f"/inbox/{handoff}")).text
        assert (await act(ben, handoff, "claim", "e4", held_by=AMY)).status_code == 200
        assert (await act(amy, handoff, "reply", "e5", held_by=AMY, text="Still me")).status_code == 409
    assert said(world.database) == []


async def test_each_role_may_what_it_may(world: InboxWorld) -> None:
    conversation, handoff = await world.asked()
    async with world.staff.browser() as stranger:
        assert (await stranger.get(f"/inbox/{handoff}")).status_code == 303
        assert (await stranger.get("/inbox/stream")).status_code == 303
    async with world.staff.browser(VERA) as vera:
        page = (await vera.get(f"/inbox/{handoff}")).text
        assert "Your role may read here" in page and "<textarea" not in page
        for path in (f"/inbox/{handoff}/claim", f"/inbox/{handoff}/presence", "/customers/ada", "/canned", f"/conversations/{conversation}/takeover"):  # fmt: skip
            assert (await vera.send(path, event="e1")).status_code == 403, path
    async with world.staff.browser(AMY) as amy:
        forged = await amy.http.post(f"/console/inbox/{handoff}/claim", data={"event": "e1", "csrf": "no"})
        assert forged.status_code == 403
        assert (await act(amy, handoff, "claim", "")).status_code == 422
        assert (await act(amy, handoff, "sleep", "e1")).status_code == 404
        assert (await act(amy, handoff, "reply", "e1", text=" ")).status_code == 422
        assert (await amy.get("/users")).status_code == 403


async def test_another_tenants_is_not_there(world: InboxWorld) -> None:
    conversation, handoff = await world.asked()
    with world.database.session() as session:
        for row in (session.get_one(Handoff, handoff), session.get_one(Conversation, conversation), session.get_one(Customer, "ada")):  # fmt: skip
            row.tenant_id = "other"
    async with world.staff.browser(ANA) as ana:
        for path in (f"/inbox/{handoff}", f"/inbox/{handoff}/suggestions", f"/inbox/stream?conversation={conversation}", f"/conversations/{conversation}", "/customers/ada", "/media/m/0"):  # fmt: skip
            assert (await ana.get(path)).status_code == 404, path
        for path in (f"/inbox/{handoff}/claim", f"/inbox/{handoff}/presence", f"/conversations/{conversation}/takeover", "/customers/ada"):  # fmt: skip
            assert (await ana.send(path, event="e1", vip="1")).status_code == 404, path
        assert "Ada Lovelace" not in (await ana.get("/inbox")).text


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("", ["Ada", "Bob"]),
        ("show=requested", ["Bob"]),
        ("show=mine", ["Ada"]),
        ("show=others", []),
        ("show=late", []),
        ("urgency=high", ["Bob"]),
        ("sentiment=angry", ["Bob"]),
        ("channel=sms", []),
        ("text=lamp", ["Ada"]),
        ("text=bob", ["Bob"]),
        ("text=100%25", []),
    ],
)
async def test_the_list_is_filtered(world: InboxWorld, query: str, names: list[str]) -> None:
    _, handoff = await world.asked("ada", "Ada")
    await world.say("what is this!!", customer="bob")
    with world.database.session() as session:
        session.get_one(Customer, "bob").name = "Bob"
    await world.handoffs.claim(T, handoff, ANA)
    async with world.staff.browser(ANA) as ana:
        page = (await ana.get(f"/inbox?{query}")).text
    shown = page[page.index('id="list"') : page.index('id="waiting"')]
    assert [name for name in ("Ada", "Bob") if f">{name}</b>" in shown] == names


async def test_a_conversation_of_the_bot_is_taken_over(world: InboxWorld) -> None:
    conversation = await world.say("Hi")
    async with world.staff.browser(AMY) as amy:
        event = hidden((await amy.get(f"/conversations/{conversation}")).text, "event")
        taken = await amy.send(f"/conversations/{conversation}/takeover", event=event)
        assert taken.status_code == 303
        again = await amy.send(f"/conversations/{conversation}/takeover", event=event)
        assert again.headers["location"] == taken.headers["location"]
        page = (await amy.http.get(taken.headers["location"])).text
        assert f"Taken over by {AMY}" in page
    async with world.staff.browser(BEN) as ben:
        late = await ben.send(f"/conversations/{conversation}/takeover", event="e9")
    assert late.status_code == 409 and f"{AMY} took this meanwhile." in late.text


async def test_the_customer_is_shown_and_changed(world: InboxWorld) -> None:
    _, handoff = await world.asked()
    await world.say("Do you sell gift cards?", *ANSWERED)
    await world.handoffs.note(T, handoff, "Likes blue.", BEN)
    async with world.staff.browser(AMY) as amy:
        assert (await amy.send("/customers/ada", vip="1", back=f"/console/inbox/{handoff}")).headers["location"] == f"/console/inbox/{handoff}"  # fmt: skip
        assert (await amy.send("/customers/ada", name="Ada King", language="en", back="https://evil.example")).headers["location"] == "/console/customers/ada"  # fmt: skip
        page = (await amy.get("/customers/ada")).text
        for shown in ("Ada King", "VIP", "2 conversations", "Likes blue.", "handoff: requested"):
            assert shown in page, shown
        assert (await amy.send("/customers/ada", language="x" * 9)).status_code == 422


async def test_ready_texts_are_written_put_in_changed_and_deleted(world: InboxWorld) -> None:
    _, handoff = await world.asked()
    async with world.staff.browser(AMY) as amy:
        assert (await amy.send("/canned", name="Greeting", text="Hello {first_name}, I am {agent}.")).status_code == 303
        twice = await amy.send("/canned", name=" Greeting ", text="Again <b>")
        assert twice.status_code == 409 and "Again &lt;b&gt;" in twice.text
        assert (await amy.send("/canned", name="", text="x")).status_code == 422
        assert 'data-insert="Hello Ada, I am amy."' in (await amy.get(f"/inbox/{handoff}")).text
        page = (await amy.get("/canned")).text
        id_ = page.split('action="/console/canned/')[1].split('"')[0]
        assert (await amy.send(f"/canned/{id_}", name="Greeting", text="Hi {name}")).status_code == 303
        assert 'data-insert="Hi Ada Lovelace"' in (await amy.get(f"/inbox/{handoff}")).text
        assert (await amy.send(f"/canned/{id_}/delete")).status_code == 303
        assert (await amy.send(f"/canned/{id_}/delete")).status_code == 404


async def test_suggestions_come_with_their_source(world: InboxWorld) -> None:
    _, handoff = await world.asked()
    async with world.staff.browser(AMY) as amy:
        found = (await amy.get(f"/inbox/{handoff}/suggestions")).text
    assert 'data-insert="Most orders arrive within 3 days."' in found
    assert 'href="https://shop.example/delivery"' in found


async def test_what_customers_send_is_shown_and_served_harmlessly(world: InboxWorld) -> None:
    conversation, handoff = await world.asked()
    (world.inbox.home / "media").mkdir()
    (world.inbox.home / "media/a.png").write_bytes(b"\x89PNG")
    files = [
        {"kind": "image", "name": "lamp.png", "content_type": "image/png", "path": "media/a.png"},
        {"kind": "document", "name": "bill.html", "content_type": "text/html", "path": "media/a.png"},
        {"kind": "document", "name": "secret", "content_type": "text/plain", "path": "../test.db"},
        {"kind": "card", "title": "x", "url": "javascript:alert(1)"},
    ]
    with world.database.session() as session:
        message = session.scalars(select(Message).filter_by(conversation_id=conversation, seq=1)).one()
        message.attachments = files
    async with world.staff.browser(VERA) as vera:
        page = (await vera.get(f"/inbox/{handoff}")).text
        assert f'src="/console/media/{message.id}/0"' in page and "javascript:" not in page
        image, bill, secret, none = [await vera.get(f"/media/{message.id}/{n}") for n in (0, 1, 2, 4)]
    assert (image.status_code, image.content, image.headers["content-type"]) == (200, b"\x89PNG", "image/png")
    assert (
        bill.headers["content-disposition"].startswith("attachment")
        and "sandbox" in bill.headers["content-security-policy"]
    )
    assert (secret.status_code, none.status_code) == (404, 404)


async def test_staff_see_what_the_bot_showed(world: InboxWorld) -> None:
    conversation, handoff = await world.asked()
    shop = "https://shop.example"
    link = {"kind": "link", "title": "To the shop", "url": shop}
    shown = [
        {"kind": "image", "name": "A lamp", "url": f"{shop}/lamp.png"},
        {
            "kind": "card",
            "title": "Heron",
            "text": "Brass",
            "image": f"{shop}/heron.png",
            "choices": [0],
            "links": [link],
        },
        {"kind": "custom", "payload": {"open": "<script>alert(1)</script>"}},
    ]
    with world.database.session() as session:
        message = session.scalars(select(Message).filter_by(conversation_id=conversation, seq=1)).one()
        message.text, message.attachments, message.speaker = "", shown, "bot"
    async with world.staff.browser(VERA) as vera:
        page = (await vera.get(f"/inbox/{handoff}")).text
    for part in (
        f'href="{shop}/lamp.png"',
        "A lamp",
        "Heron",
        "Brass",
        f"{shop}/heron.png",
        f'href="{shop}"',
        "To the shop",
    ):
        assert part in page, part
    assert "For the page:" in page and "<script>alert" not in page


async def test_the_page_shows_how_far_a_reply_came(world: InboxWorld) -> None:
    conversation, handoff = await world.asked()
    await world.handoffs.reply(T, handoff, "On its way.", AMY, desk="console", event_id="e1")
    async with world.staff.browser(AMY) as amy:
        assert "way-waiting" in (await amy.get(f"/inbox/{handoff}")).text
        await world.deliverer.idle()
        assert "way-sent" in (await amy.get(f"/inbox/{handoff}")).text
        async with world.staff.browser() as visitor:
            visitor.http.headers["Origin"] = "http://app"
            token = (await visitor.http.post("/api/chat/sessions", json={})).json()["token"]
            other = {"Authorization": f"Bearer {token}"}
            assert (await visitor.http.post("/api/chat/signs", json={"seen": 99}, headers=other)).status_code == 204
            assert (await visitor.http.post("/api/chat/signs", json={"seen": 99})).status_code == 401
        assert "way-sent" in (await amy.get(f"/inbox/{handoff}")).text
        await CustomerReceipts(world.database, world.hub).seen(conversation, 99)
        assert "way-read" in (await amy.get(f"/inbox/{handoff}")).text


class Following:
    """The inbox's events, as they come."""

    def __init__(self, hub: Hub, conversation: str | None = None, allowed: bool = True) -> None:
        async def may() -> bool:
            return allowed

        self.events = live.stream_inbox_events(hub, T, conversation, may)

    async def next(self) -> tuple[str | None, dict[str, Any]]:
        event = await asyncio.wait_for(anext(self.events), 10)
        return event.event, json.loads(event.data)


async def test_the_stream_tells_of_requests_words_states_and_who_is_there(world: InboxWorld) -> None:
    following = Following(world.hub)
    assert (await following.next())[0] == "open"
    conversation, handoff = await world.asked()
    await world.deliverer.idle()
    assert await following.next() == ("handoff", {"handoff_id": handoff, "conversation_id": conversation, "state": "requested", "claimed_by": None})  # fmt: skip
    await world.say("Hello?", conversation=conversation)
    await world.deliverer.idle()
    name, told = await following.next()
    assert (name, told["speaker"], told["text"], told["handoff_id"]) == ("message", "customer", "Hello?", handoff)
    async with world.staff.browser(AMY) as amy:
        here = await amy.send(f"/inbox/{handoff}/presence", typing="1")
        assert here.json()["viewers"] == [{"email": AMY, "name": "amy", "typing": True}]
        assert (await following.next())[0] == "present"
        await amy.send(f"/inbox/{handoff}/presence", left="1")
        assert await following.next() == ("present", {"handoff_id": handoff, "viewers": []})
        await act(amy, handoff, "reply", "e1", held_by="", text="Here.")
    await world.deliverer.idle()
    assert {(await following.next())[0] for _ in range(2)} == {"handoff", "message"}
    await following.events.aclose()  # type: ignore[attr-defined]
    assert not world.hub.watched(f"inbox of {T}")


async def test_the_stream_ends_for_who_may_not_see_it_any_more(monkeypatch, world: InboxWorld) -> None:
    monkeypatch.setattr(live, "CHECK_SECONDS", 0.01)
    following = Following(world.hub, allowed=False)
    assert [(await following.next())[0] for _ in range(2)] == ["open", "over"]


async def test_other_tenants_hear_nothing_and_customers_no_names(world: InboxWorld) -> None:
    conversation, handoff = await world.asked()
    with world.hub.watch(inbox_of("other")) as elsewhere, world.hub.watch(conversation) as customer:
        async with world.staff.browser(AMY) as amy:
            await amy.send(f"/inbox/{handoff}/presence", typing="1")
            await act(amy, handoff, "claim", "e1", held_by="")
        await world.deliverer.idle()
        assert elsewhere.empty()
        told = [customer.get_nowait() for _ in range(customer.qsize())]
    assert isinstance(told[0], AgentTyping)
    assert AMY not in repr(told[0])
