"""Who gets in, for how long, and what they may do there."""

from __future__ import annotations

from datetime import timedelta

import pytest

from console.auth import passwords, users
from console.auth.attempts import Attempts
from console.auth.gate import COOKIE
from core.db import Database
from core.db.models import User, UserSession, get_current_time
from core.errors import Conflict, InvalidInput
from tests.console.staff import ANA, BEN, PASSWORD, TOKEN, VERA, Staff, hidden, open_console
from tests.knowledge.review.doubles import T, events


@pytest.fixture
def staff(sqlite: Database) -> Staff:
    return open_console(sqlite)


async def test_nothing_is_shown_before_the_sign_in(staff: Staff) -> None:
    async with staff.browser() as browser:
        for path in ("/", "/review", "/entries", "/users", "/settings", "/account"):
            response = await browser.get(path)
            assert response.status_code == 303
            assert response.headers["location"].startswith("/console/sign-in?next=%2Fconsole")


async def test_signing_in_leads_to_the_wanted_page_and_nowhere_else(staff: Staff) -> None:
    wanted = {"/console/review?kind=faq": "/console/review?kind=faq", "//evil.example": "/console/", "/console/\\evil": "/console/"}  # fmt: skip
    for asked, there in wanted.items():
        async with staff.browser() as browser:
            response = await browser.sign_in(ANA, next=asked)
            assert (response.status_code, response.headers["location"]) == (303, there)
            assert (await browser.get("/")).status_code == 200


async def test_the_cookie_is_out_of_reach_and_only_its_hash_is_stored(staff: Staff) -> None:
    for url, secure in (("http://app", False), ("https://app", True)):
        async with staff.browser(url=url) as browser:
            response = await browser.sign_in(ANA)
            cookie = next(c for c in response.headers.get_list("set-cookie") if c.startswith(COOKIE + "=")).lower()
            assert "httponly" in cookie and "samesite=lax" in cookie
            assert ("secure" in cookie) == secure
            with staff.database.session() as session:
                stored = [row.token_hash for row in session.query(UserSession)]
            assert browser.http.cookies[COOKIE] not in stored


@pytest.mark.parametrize(("email", "password"), [(ANA, "wrong horse"), ("who@example.com", PASSWORD), (ANA, ""), (ANA, "x" * 100_000)])  # fmt: skip
async def test_a_wrong_pair_is_refused_without_saying_what_is_wrong(staff: Staff, email: str, password: str) -> None:
    async with staff.browser() as browser:
        response = await browser.sign_in(email, password)
        assert response.status_code == 401
        assert "do not belong together" in response.text
        assert COOKIE not in browser.http.cookies


async def test_guessing_is_slowed_down(sqlite: Database) -> None:
    staff = open_console(sqlite, Attempts(per_minute=3, per_hour=10))
    async with staff.browser() as browser:
        assert [(await browser.sign_in(ANA, "wrong horse")).status_code for _ in range(4)] == [401, 401, 401, 429]
        assert (await browser.sign_in(ANA)).status_code == 429


async def test_a_form_from_another_page_is_refused(staff: Staff) -> None:
    async with staff.browser() as stranger:
        page = await stranger.get("/sign-in")
        fields = {"email": ANA, "password": PASSWORD, "ticket": "guess" + hidden(page.text, "ticket")}
        assert (await stranger.http.post("/console/sign-in", data=fields)).status_code == 403
    async with staff.browser(ANA) as browser:
        for csrf in ("", "guess", "é"):
            response = await browser.http.post("/console/users", data={"csrf": csrf, "email": "new@example.com"})
            assert response.status_code == 403
            assert "did not come from this page" in response.text


async def test_a_session_ends_by_sign_out_by_time_and_when_the_account_is_closed(staff: Staff) -> None:
    async with staff.browser(BEN) as browser:
        cookie = browser.http.cookies[COOKIE]
        await browser.send("/sign-out")
        browser.http.cookies.set(COOKIE, cookie)
        assert (await browser.get("/")).status_code == 303
    async with staff.browser(BEN) as browser:
        with staff.database.session() as session:
            for row in session.query(UserSession):
                row.expires_at = get_current_time() - timedelta(seconds=1)
        assert (await browser.get("/")).status_code == 303
    async with staff.browser(BEN) as browser:
        with staff.database.session() as session:
            users.update_user(session, users.get_user(session, T, BEN), ANA, active=False)
        assert (await browser.get("/")).status_code == 303
        assert (await browser.sign_in(BEN)).status_code == 401


async def test_a_role_decides_what_may_be_done(staff: Staff) -> None:
    async with staff.browser(VERA) as viewer:
        assert (await viewer.get("/review")).status_code == 200
        assert "New entry" not in (await viewer.get("/entries")).text
        for path in ("/entries/new", "/users", "/settings"):
            assert (await viewer.get(path)).status_code == 403
        response = await viewer.send("/entries/new", questions="q", answer="a")
        assert response.status_code == 403
        assert "knowledge:review" in response.text
    async with staff.browser(BEN) as reviewer:
        assert (await reviewer.get("/entries/new")).status_code == 200
        assert (await reviewer.get("/users")).status_code == 403


async def test_a_password_is_changed_and_other_sessions_end(staff: Staff) -> None:
    async with staff.browser(BEN) as here, staff.browser(BEN) as there:
        for old, new, again, status in (
            ("wrong", "four blue chairs", "four blue chairs", 422),
            (PASSWORD, "four blue chairs", "four blue", 422),
            (PASSWORD, "short", "short", 422),
            (PASSWORD, "aaaaaaaaaaaa", "aaaaaaaaaaaa", 422),
            (PASSWORD, "four blue chairs", "four blue chairs", 303),
        ):
            assert (await here.send("/account/password", old=old, new=new, again=again)).status_code == status
        assert (await here.get("/")).status_code == 200
        assert (await there.get("/")).status_code == 303
        assert (await there.sign_in(BEN)).status_code == 401
        assert (await there.sign_in(BEN, "four blue chairs")).status_code == 303


async def test_an_admin_adds_and_changes_people(staff: Staff) -> None:
    async with staff.browser(ANA) as admin:
        new = {"email": "Mei@Example.com", "name": "Mei <b>T</b>", "role": "reviewer", "password": PASSWORD}
        assert (await admin.send("/users", **new)).status_code == 303
        page = (await admin.get("/users")).text
        assert "mei@example.com" in page and "Mei &lt;b&gt;T" in page
        assert (await admin.send("/users", **new)).status_code == 422
        with staff.database.session() as session:
            mei, ana = (users.get_user(session, T, email).id for email in ("mei@example.com", ANA))
        assert (await admin.send(f"/users/{mei}", role="builder", active="1")).status_code == 303
        last = await admin.send(f"/users/{ana}", role="viewer", active="1")
        assert last.status_code == 409
        assert "last admin" in last.text
    with staff.database.session() as session:
        assert session.get_one(User, mei).role == "builder"
    assert ("changed", ANA) in events(staff.database, "user")


def test_passwords_that_are_easy_to_guess_are_refused() -> None:
    for bad in ("short", "x" * 201, "ana@example.com", "aaaaaaaaaaaaa"):
        with pytest.raises(InvalidInput):
            passwords.hash_password(bad, ANA)
    stored = passwords.hash_password(PASSWORD)
    assert stored.startswith("$argon2id$")
    assert (
        passwords.matches_password(stored, PASSWORD)
        and not passwords.matches_password(stored, "other")
        and not passwords.matches_password(None, "x")
    )


def test_addresses_are_unique_and_real(sqlite: Database) -> None:
    with sqlite.session() as session:
        users.add_user(session, T, "Ana@example.com", "viewer", "hash", "test")
        for email, role, kind in (("ana@example.com", "viewer", Conflict), ("ana", "viewer", InvalidInput), ("b@example.com", "king", InvalidInput)):  # fmt: skip
            with pytest.raises(kind):
                users.add_user(session, T, email, role, "hash", "test")


async def test_the_first_visit_says_how_to_make_an_account(sqlite: Database) -> None:
    staff = open_console(sqlite)
    with sqlite.session() as session:
        session.query(User).delete()
    async with staff.browser() as browser:
        assert "rejoinder users add" in (await browser.get("/sign-in")).text


async def test_the_api_takes_the_token_or_a_session_with_its_csrf_token(staff: Staff) -> None:
    path = "/api/v1/ai/training/knowledge-base/"
    body = {"questions": ["Do you gift wrap?"], "answer": "Yes."}
    async with staff.browser() as nobody:
        assert (await nobody.http.get(path)).status_code == 401
        assert (await nobody.http.get(path, headers={"Authorization": "Bearer guess"})).status_code == 401
        assert (await nobody.http.get(path, headers=TOKEN)).status_code == 200
    async with staff.browser(VERA) as viewer:
        header = {"X-CSRF-Token": await viewer.csrf()}
        assert (await viewer.http.get(path)).status_code == 200
        assert (await viewer.http.post(path, json=body)).status_code == 403
        assert (await viewer.http.post(path, json=body, headers=header)).status_code == 403
    async with staff.browser(BEN) as reviewer:
        assert (await reviewer.http.post(path, json=body)).status_code == 403
        created = await reviewer.http.post(path, json=body, headers={"X-CSRF-Token": await reviewer.csrf()})
        assert (created.status_code, created.json()["entry"]["author"]) == (201, BEN)
