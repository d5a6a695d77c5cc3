"""An answer that a model is writing: drawn as it comes, replaced, stopped, and with its sources as it cites them."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import expect

from core.events import Chunk, Citable, DraftEvent, Estimate, TurnEnded, Typing
from testing.waiting import eventually
from tests.browser.chat_page import ChatPage
from tests.browser.server import ChatServer

SOURCES = (
    {"title": "Returns and refunds", "url": "https://shop.example/returns"},
    {"title": "A note of the team", "url": None},
)
TURN = "t-m1"


class Model:
    """What the model does next."""

    def __init__(self, server: ChatServer) -> None:
        self.server = server

    def __call__(self, *events: Any) -> None:
        for event in events:
            self.server.do(self.server.turns.hub.publish, self.server.conversation_id, event)

    def ends(self, text: str, **more: Any) -> None:
        self.server.do(self.server.turns.say, self.server.conversation_id, text, turn_id=TURN, **more)
        self(TurnEnded(TURN, "answered"))


@pytest.fixture
def model(server: ChatServer, chat: ChatPage) -> Model:
    chat.say("Can I send it back?")
    model = Model(server)
    eventually(lambda: any(map(server.turns.hub.watched, [*server.turns.conversations])))
    model(Typing(TURN))
    expect(chat.typing).to_be_visible()
    return model


def marks(chat: ChatPage) -> list[str | None]:
    return [mark.get_attribute("aria-label") for mark in chat.page.locator("rejoinder-chat sup > *").all()]


def listed(chat: ChatPage) -> list[str]:
    return chat.page.locator("rejoinder-chat .sources li").all_inner_texts()


def test_the_usual_time_is_shown_until_the_first_word(chat: ChatPage, model: Model) -> None:
    model(Estimate(TURN, 3.2))
    expect(chat.typing).to_contain_text("about 3 s")
    model(Chunk(TURN, "You can "))
    expect(chat.typing).to_be_hidden()
    expect(chat.draft).to_have_text("You can")


def test_a_draft_that_is_replaced_stays_one_answer(chat: ChatPage, model: Model) -> None:
    model(Chunk(TURN, "You can send it back for fr"))
    expect(chat.draft).to_have_text("You can send it back for fr")
    model(DraftEvent(TURN, ""), Chunk(TURN, "Yes, "), Chunk(TURN, "within 30 days."))
    expect(chat.draft).to_have_text("Yes, within 30 days.")
    expect(chat.draft).to_have_count(1)
    model.ends("Yes, within 30 days.")
    chat.sees("Yes, within 30 days.")
    assert chat.texts()[-1] == "Yes, within 30 days."


def test_sources_come_as_they_are_cited(chat: ChatPage, model: Model) -> None:
    model(Citable(TURN, SOURCES[:1]), Chunk(TURN, "Within 30 days [1"))
    expect(chat.draft).to_have_text("Within 30 days")
    assert listed(chat) == []
    model(Chunk(TURN, "]. It is "), Citable(TURN, SOURCES), Chunk(TURN, "free [2], or [7]."))
    expect(chat.draft).to_contain_text("or [7].")
    assert marks(chat) == ["Source 1: Returns and refunds (opens in a new tab)", "Source 2: A note of the team"]
    assert len(listed(chat)) == 2
    model.ends("Within 30 days [1]. It is free.", sources=SOURCES)
    chat.sees("It is free.")
    assert marks(chat) == ["Source 1: Returns and refunds (opens in a new tab)"]
    (only,) = listed(chat)
    assert "Returns and refunds" in only
    assert chat.violations() == []


def test_an_answer_without_marks_shows_all_its_sources(chat: ChatPage, model: Model) -> None:
    model.ends("Within 30 days.", sources=SOURCES)
    chat.sees("Within 30 days.")
    assert len(listed(chat)) == 2


def test_half_of_a_format_does_not_show(chat: ChatPage, model: Model) -> None:
    for piece, seen in [
        ("It costs *", "It costs"),
        ("*noth", "It costs noth"),
        ("ing**. See [the pol", "It costs nothing. See the pol"),
        ("icy](https://shop.exa", "It costs nothing. See the policy"),
        ("mple/x).", "It costs nothing. See the policy."),
    ]:
        model(Chunk(TURN, piece))
        expect(chat.draft).to_have_text(seen)
    expect(chat.draft.locator("strong")).to_have_text("nothing")


def test_writing_can_be_stopped_with_the_keyboard(server: ChatServer, chat: ChatPage, model: Model) -> None:
    stop = chat.button("Stop writing")
    expect(stop).to_be_hidden()
    model(Estimate(TURN, None))
    expect(stop).to_be_visible()
    chat.input.press("Tab")
    expect(stop).to_be_focused()
    chat.page.keyboard.press("Enter")
    eventually(lambda: server.turns.stopped == [server.conversation_id])
    expect(chat.input).to_be_focused()
    model.ends("You can")
    chat.sees("You can")
    expect(stop).to_be_hidden()
    expect(chat.button("Send")).to_be_visible()


def test_who_writes_the_next_message_can_send_it(chat: ChatPage, model: Model) -> None:
    model(Chunk(TURN, "You can"))
    expect(chat.button("Stop writing")).to_be_visible()
    chat.input.fill("Never mind")
    expect(chat.button("Send")).to_be_enabled()
    expect(chat.button("Stop writing")).to_be_hidden()


def test_a_lost_connection_drops_the_draft_and_the_stored_answer_wins(
    server: ChatServer, chat: ChatPage, model: Model
) -> None:
    model(Chunk(TURN, "You can send it ba"))
    expect(chat.draft).to_have_count(1)
    server.restart()
    server.do(server.turns.say, server.conversation_id, "Yes, within 30 days.", turn_id=TURN)
    chat.sees("Yes, within 30 days.")
    assert len([text for text in chat.texts() if "days" in text]) == 1


def test_who_comes_in_the_middle_sees_no_half_of_an_answer(server: ChatServer, chat: ChatPage, model: Model) -> None:
    model(Chunk(TURN, "You can send it ba"))
    server.restart()
    eventually(lambda: server.turns.hub.watched(server.conversation_id))
    model(Chunk(TURN, "ck within 30 days."))
    expect(chat.typing).to_be_visible()
    expect(chat.draft).to_be_hidden()
    expect(chat.button("Stop writing")).to_be_visible()
    model(DraftEvent(TURN, "You can send it back"), Chunk(TURN, " within 30 days."))
    expect(chat.draft).to_have_text("You can send it back within 30 days.")
    expect(chat.typing).to_be_hidden()
    model.ends("You can send it back within 30 days.")
    chat.sees("within 30 days.")
    expect(chat.typing).to_be_hidden()
