"""Members of staff and the tenant's settings, for admins."""

from __future__ import annotations

import asyncio
from typing import Any

from fastapi import APIRouter, Request, Response
from sqlalchemy.orm import Session

from console.auth import passwords, users
from console.auth.roles import PERMISSIONS, ROLES
from console.auth.sessions import Person
from console.pages.staff.base import PREFIX, Shell, redirect_to_page
from console.pages.staff.forms import Form
from core.errors import Conflict, InvalidInput
from core.feedback import settings

CHECKED = ("csat", "nps", "four_eyes")
ASKED = ("ask_feedback", "nps_days", "expire_weeks", "faq_asks", "faq_days", "reuse_error", "hold_out")


def add_routes(routes: APIRouter, shell: Shell) -> None:
    """Add the routes of users and settings."""
    _add_users(routes, shell)
    _add_settings(routes, shell)


def _add_users(routes: APIRouter, shell: Shell) -> None:
    async def render_users_page(person: Person, status: int = 200, **values: Any) -> Response:
        people = await shell.read(lambda session: users.list_users(session, shell.tenant))
        return await shell.page(
            "users", person, area="users", status=status, people=people, roles=ROLES, permissions=PERMISSIONS, **values
        )

    @routes.get("/users")
    async def list_users(request: Request) -> Response:
        person = await shell.person(request, "users:manage")
        return await render_users_page(person, done=request.query_params.get("done", "") in {"added", "changed"})

    @routes.post("/users")
    async def add_user(request: Request) -> Response:
        person, form = await shell.form(request, "users:manage")
        email = form.text("email")

        def store_user(session: Session, stored: str) -> None:
            users.add_user(session, shell.tenant, email, form.text("role"), stored, person.email, form.text("name"))

        try:
            stored = await asyncio.to_thread(passwords.hash_password, form.text("password"), email)
            await shell.read(lambda session: store_user(session, stored))
        except (InvalidInput, Conflict) as error:
            return await render_users_page(person, 422, error=str(error), given=form)
        return redirect_to_page(f"{PREFIX}/users?done=added")

    @routes.post("/users/{user_id}")
    async def update_user(request: Request, user_id: str) -> Response:
        person, form = await shell.form(request, "users:manage")

        def store_update(session: Session) -> None:
            user = users.get_user(session, shell.tenant, user_id)
            users.update_user(session, user, person.email, role=form.text("role"), active=bool(form.text("active")))

        await shell.read(store_update)
        return redirect_to_page(f"{PREFIX}/users?done=changed")


def _add_settings(routes: APIRouter, shell: Shell) -> None:
    @routes.get("/settings")
    async def show_settings(request: Request) -> Response:
        person = await shell.person(request, "users:manage")
        found = await shell.read(lambda session: settings.get_learning_settings(session, shell.tenant))
        done = "changed" in request.query_params
        return await shell.page("settings", person, area="settings", values=found.model_dump(), done=done)

    @routes.post("/settings")
    async def update_settings(request: Request) -> Response:
        person, form = await shell.form(request, "users:manage")
        wanted = _parse_settings(form)
        try:
            await shell.read(
                lambda session: settings.update_learning_settings(session, shell.tenant, wanted, person.email)
            )
        except InvalidInput as error:
            return await shell.page("settings", person, area="settings", status=422, values=wanted, error=str(error))
        return redirect_to_page(f"{PREFIX}/settings?changed")


def _parse_settings(form: Form) -> dict[str, Any]:
    return {name: form.text(name) for name in ASKED} | {name: bool(form.text(name)) for name in CHECKED}
