"""The page of a customer: profile, conversations, and what staff can change."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request, Response

from console.pages.staff.base import PREFIX, Shell, redirect_to_page, status_of
from console.pages.staff.forms import Form
from console.pages.staff.inbox import build_script_response, by_script
from core.conversations import customer_profile
from core.errors import InvalidInput


def add_routes(routes: APIRouter, shell: Shell) -> None:
    """Add the page of a customer and its forms."""

    @routes.get("/customers/{customer_id}")
    async def show_customer(request: Request, customer_id: str) -> Response:
        person = await shell.person(request)
        customer = await shell.read(
            lambda session: customer_profile.get_customer_record(session, shell.tenant, customer_id)
        )
        return await shell.page("customer", person, area="conversations", customer=customer)

    @routes.post("/customers/{customer_id}")
    async def update_customer(request: Request, customer_id: str) -> Response:
        person, form = await shell.form(request, "handoffs:answer")
        values = _parse_customer_form(form)
        try:
            await shell.read(
                lambda session: customer_profile.update_customer(
                    session, shell.tenant, customer_id, person.email, **values
                )
            )
        except InvalidInput as error:
            if by_script(request):
                return build_script_response({"error": str(error)}, status_of(error))
            raise
        if by_script(request):
            return build_script_response({})
        return redirect_to_page(_get_return_path(form) or f"{PREFIX}/customers/{customer_id}")


def _parse_customer_form(form: Form) -> dict[str, Any]:
    """Return the values in the form; an empty ``vip`` means no."""
    values: dict[str, Any] = {name: form.text(name) for name in ("name", "language") if name in form.fields}
    return values | ({"vip": bool(form.text("vip"))} if "vip" in form.fields else {})


def _get_return_path(form: Form) -> str:
    """Return the form's return path if it is an inbox or customer page, else an empty string."""
    back = form.text("back")
    return back if back.startswith((f"{PREFIX}/inbox/", f"{PREFIX}/customers/")) and "\\" not in back else ""
