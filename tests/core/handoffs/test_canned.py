"""Ready texts: names put in, one of a name, each tenant its own."""

from __future__ import annotations

import pytest

from core.db import Database
from core.errors import Conflict, InvalidInput, NotFound
from core.handoffs.staff import canned_replies


@pytest.mark.parametrize(
    ("text", "customer", "filled"),
    [
        ("Hello {name}, I am {agent}.", "Ada King", "Hello Ada King, I am Ben."),
        ("Hello {first_name},", " Ada  King ", "Hello Ada,"),
        ("Hello {name},", None, "Hello,"),
        ("{first_name} and {other}", "Ada", "Ada and {other}"),
        ("Hello {name}", "{agent}", "Hello {agent}"),
    ],
)
def test_names_are_put_in(text: str, customer: str | None, filled: str) -> None:
    assert canned_replies.fill_placeholders(text, customer, "Ben") == filled


def test_each_tenant_has_its_own_and_one_of_a_name(database: Database) -> None:
    with database.session() as session:
        made = canned_replies.add_canned_reply(session, "shop", "  Two   words ", " Text ", "ana")
        assert (made.name, made.text) == ("Two words", "Text")
        canned_replies.add_canned_reply(session, "other", "Two words", "Text", "eve")
        with pytest.raises(Conflict):
            canned_replies.add_canned_reply(session, "shop", "Two words", "Text", "ana")
        with pytest.raises(InvalidInput):
            canned_replies.add_canned_reply(session, "shop", "Long", "x" * 4001, "ana")
        for work in (lambda: canned_replies.update_canned_reply(session, "other", made.id, "x", "y", by="eve"), lambda: canned_replies.delete_canned_reply(session, "other", made.id, "eve")):  # fmt: skip
            with pytest.raises(NotFound):
                work()
        assert canned_replies.update_canned_reply(session, "shop", made.id, "Two words", "New", by="ben").text == "New"
        canned_replies.delete_canned_reply(session, "shop", made.id, "ben")
        assert canned_replies.list_canned_replies(session, "shop") == []
