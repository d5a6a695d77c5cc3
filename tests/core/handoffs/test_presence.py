"""Who of the staff looks at a handoff: for seconds, told when it changes, and never to a customer by name."""

from __future__ import annotations

from dataclasses import dataclass

from core.db import Database
from core.events import AgentTyping, Hub, Present, inbox_of
from core.handoffs.staff.presence import LOOKING_SECONDS, TYPING_SECONDS, Presence
from core.handoffs.staff.views import HandoffView
from tests.core.handoffs.test_stepping_back import ASKED, Talk


@dataclass
class Clock:
    at: float = 0.0

    def __call__(self) -> float:
        return self.at


async def asked(database: Database) -> HandoffView:
    talk = Talk(database)
    await talk.say("A person please", *ASKED)
    handoff = talk.handoff()
    assert handoff
    return await talk.service.one("shop", handoff.id)


async def test_it_is_told_when_it_changes_and_forgotten_after_seconds(sqlite: Database) -> None:
    handoff, hub, clock = await asked(sqlite), Hub(), Clock()
    presence = Presence(hub, clock)
    with hub.watch(inbox_of("shop")) as inbox, hub.watch(handoff.conversation_id) as customer:
        presence.beat(handoff, "ana", "Ana", typing=False)
        presence.beat(handoff, "ana", "Ana", typing=False)
        assert inbox.qsize() == 1 and customer.empty()
        here = presence.beat(handoff, "ben", "Ben", typing=True)
        assert [(each.name, each.typing) for each in here] == [("Ana", False), ("Ben", True)]
        assert customer.get_nowait() == AgentTyping()
        clock.at = TYPING_SECONDS
        assert not any(each.typing for each in presence.viewers(handoff.id))
        clock.at = LOOKING_SECONDS - 1
        presence.beat(handoff, "ben", "Ben", typing=False)
        clock.at = LOOKING_SECONDS + 1
        assert [each.name for each in presence.viewers(handoff.id)] == ["Ben"]
        presence.leave(handoff, "ben")
        last = [inbox.get_nowait() for _ in range(inbox.qsize())][-1]
    assert last == Present(handoff.id, ())


async def test_while_the_bot_speaks_the_customer_sees_nobody_type(sqlite: Database) -> None:
    handoff, hub = await asked(sqlite), Hub()
    late = HandoffView(**{**vars(handoff), "state": "timed_out"})
    with hub.watch(handoff.conversation_id) as customer:
        Presence(hub).beat(late, "ana", "Ana", typing=True)
        assert customer.empty()
