"""Sign in, sign out, and manage one's own account."""

from __future__ import annotations

import secrets

from fastapi import APIRouter, Request, Response

from console.auth import sessions, users
from console.auth.gate import COOKIE, set_cookie
from console.auth.sessions import matches_secret
from console.pages.staff.base import PREFIX, Shell, redirect_to_page
from console.pages.staff.forms import read_form
from core.errors import Forbidden, InvalidInput

FORM_COOKIE = "rejoinder_sign_in"
"""Ties the form to the browser before there is a session."""


def add_routes(routes: APIRouter, shell: Shell) -> None:
    """Add the routes of signing in and out."""

    async def form_page(
        request: Request, status: int = 200, error: str = "", email: str = "", wanted: str = ""
    ) -> Response:
        ticket = request.cookies.get(FORM_COOKIE) or secrets.token_urlsafe(24)
        nobody = not await shell.read(lambda session: users.count_users(session, shell.tenant))
        response = await shell.page(
            "sign_in", None, status=status, ticket=ticket, error=error, email=email, wanted=wanted, nobody=nobody
        )
        secure = request.url.scheme == "https"
        response.set_cookie(FORM_COOKIE, ticket, httponly=True, samesite="lax", secure=secure, path=PREFIX)
        return response

    @routes.get("/sign-in")
    async def show_sign_in(request: Request) -> Response:
        wanted = _get_return_path(request.query_params.get("next", ""))
        if await shell.gate.signed_in(request):
            return redirect_to_page(wanted)
        return await form_page(request, wanted=wanted)

    @routes.post("/sign-in")
    async def submit_sign_in(request: Request) -> Response:
        form = await read_form(request)
        ticket = request.cookies.get(FORM_COOKIE, "")
        if not ticket or not matches_secret(form.text("ticket"), ticket):
            raise Forbidden("This form did not come from this page, or the browser keeps no cookies. Load it again.")
        email, wanted = form.text("email"), _get_return_path(form.text("next"))
        address = request.client.host if request.client else "unknown"
        token = await shell.gate.sign_in(address, email, form.text("password"))
        if token is None:
            wrong = "E-mail address and password do not belong together."
            return await form_page(request, 401, wrong, email, wanted)
        response = redirect_to_page(wanted)
        set_cookie(request, response, token)
        response.delete_cookie(FORM_COOKIE, path=PREFIX)
        return response

    @routes.post("/sign-out")
    async def sign_out(request: Request) -> Response:
        person, _ = await shell.form(request)
        await shell.read(lambda session: sessions.close_session(session, person.session_id or ""))
        response = redirect_to_page(f"{PREFIX}/sign-in")
        response.delete_cookie(COOKIE, path="/")
        return response

    _add_account(routes, shell)


def _add_account(routes: APIRouter, shell: Shell) -> None:
    @routes.get("/account")
    async def show_account(request: Request) -> Response:
        person = await shell.person(request)
        return await shell.page("account", person, area="account", done="changed" in request.query_params)

    @routes.post("/account/password")
    async def change_password(request: Request) -> Response:
        person, form = await shell.form(request)
        try:
            if form.text("new") != form.text("again"):
                raise InvalidInput("The new password was written in two ways.")
            await shell.gate.change_password(person, form.text("old"), form.text("new"))
        except InvalidInput as error:
            return await shell.page("account", person, area="account", status=422, error=str(error))
        return redirect_to_page(f"{PREFIX}/account?changed")


def _get_return_path(address: str) -> str:
    """Return the address if it is a page of the console, else the dashboard's."""
    inside = address.startswith(f"{PREFIX}/") and not any(c in address for c in "\\\r\n")
    return address if inside and not address.startswith(f"{PREFIX}/sign-") else f"{PREFIX}/"
