"""`rejoinder users` as it is typed, and what it means for the sign-in."""

from __future__ import annotations

import io

import pytest

from console.auth import passwords, users
from core.db import Database
from core.db.models import AuditEvent
from core.settings import Settings
from tests.cli.test_knowledge import CommandLine, Ran, rejoinder

__all__ = ["rejoinder"]

EMAIL, PASSWORD = "ana@example.com", "three green lamps"


def given(rejoinder: CommandLine, password: str, *words: str) -> Ran:
    """The command with a password on its standard input."""
    rejoinder.monkeypatch.setattr("sys.stdin", io.StringIO(f"{password}\n"))
    return rejoinder("users", *words, "--password-stdin")


def fits(email: str, password: str) -> bool:
    settings = Settings.load()
    database = Database(settings.database())
    with database.session() as session:
        stored = users.get_user(session, settings.tenant, email).password_hash
    database.close()
    return passwords.matches_password(stored, password)


def test_an_account_from_its_beginning_to_its_end(rejoinder: CommandLine) -> None:
    added = given(rejoinder, PASSWORD, "add", "Ana@Example.com", "--role", "admin", "--name", "Ana")
    assert (added.code, added.err) == (0, "")
    assert added.out.startswith(f"{EMAIL} may sign in as admin at http://")
    assert PASSWORD not in added.out
    given(rejoinder, PASSWORD, "add", "ben@example.com")
    listed = rejoinder("users", "list", "--json").json
    assert [(row["email"], row["name"], row["role"], row["active"]) for row in listed] == [
        (EMAIL, "Ana", "admin", True),
        ("ben@example.com", "ben", "viewer", True),
    ]
    assert EMAIL in rejoinder("users", "list").out
    assert given(rejoinder, "four blue chairs", "password", EMAIL).code == 0
    assert fits(EMAIL, "four blue chairs") and not fits(EMAIL, PASSWORD)
    for command, active in (("disable", False), ("enable", True)):
        assert rejoinder("users", command, "ben@example.com").code == 0
        assert rejoinder("users", "list", "--json").json[1]["active"] is active


def test_who_changed_an_account_is_kept(rejoinder: CommandLine) -> None:
    given(rejoinder, PASSWORD, "add", EMAIL)
    rejoinder("users", "disable", EMAIL)
    database = Database(Settings.load().database())
    with database.session() as session:
        rows = session.query(AuditEvent).filter_by(kind="user").order_by(AuditEvent.id)
        assert [(row.action, row.by) for row in rows] == [("added", "command line"), ("changed", "command line")]
    database.close()


@pytest.mark.parametrize(
    ("password", "words", "said"),
    [
        ("short", ("add", "new@example.com"), "10"),
        (PASSWORD, ("add", "no address"), "address"),
        (PASSWORD, ("add", "new@example.com", "--role", "king"), "viewer"),
        (PASSWORD, ("add", EMAIL), EMAIL),
        (PASSWORD, ("password", "nobody@example.com"), "nobody@example.com"),
    ],
)
def test_what_cannot_be_is_one_line_and_changes_nothing(
    rejoinder: CommandLine, password: str, words: tuple[str, ...], said: str
) -> None:
    given(rejoinder, PASSWORD, "add", EMAIL, "--role", "admin")
    refused = given(rejoinder, password, *words)
    assert (refused.code, refused.out, refused.err.count("\n")) == (1, "", 1)
    assert refused.err.startswith("rejoinder: ") and said in refused.err
    assert [row["email"] for row in rejoinder("users", "list", "--json").json] == [EMAIL]


def test_the_last_admin_cannot_be_closed(rejoinder: CommandLine) -> None:
    given(rejoinder, PASSWORD, "add", EMAIL, "--role", "admin")
    refused = rejoinder("users", "disable", EMAIL)
    assert refused.code == 1
    assert "last admin" in refused.err
    assert rejoinder("users", "disable", "nobody@example.com").code == 1
