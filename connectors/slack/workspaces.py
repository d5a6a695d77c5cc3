"""The Slack workspaces, their tenants and their secrets."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, TypeAdapter, ValidationError, model_validator

from core.errors import SettingsInvalid


class Workspace(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    tenant: Annotated[str, Field(min_length=1)]
    team: Annotated[str, Field(pattern=r"^[TE][A-Z0-9]+$")]
    """The workspace's id, such as T0123ABCD."""
    channel: Annotated[str, Field(pattern=r"^[CG][A-Z0-9]+$")]
    """The id of the channel in which threads are opened, such as C0123ABCD."""
    bot_token: SecretStr
    signing_secret: SecretStr = SecretStr("")
    """Verifies that requests to our routes come from Slack."""
    app_token: SecretStr = SecretStr("")
    """Enables Socket Mode, for servers that Slack cannot reach."""

    @model_validator(mode="after")
    def _can_be_heard(self) -> Self:
        if not self.bot_token.get_secret_value():
            raise ValueError("a bot token is needed")
        if not self.signing_secret.get_secret_value() and not self.app_token.get_secret_value():
            raise ValueError("a signing secret is needed, or an app token for Socket Mode")
        return self


class Workspaces:
    """All workspaces of the installation."""

    def __init__(self, workspaces: Iterable[Workspace]) -> None:
        """Index the workspaces by team and tenant.

        Raises:
            SettingsInvalid: a tenant or workspace occurs twice.
        """
        self.all = tuple(workspaces)
        self._teams = {each.team: each for each in self.all}
        self._tenants = {each.tenant: each for each in self.all}
        if not len(self._teams) == len(self._tenants) == len(self.all):
            raise SettingsInvalid("Slack: a tenant has one workspace, and a workspace one tenant.")

    def of_team(self, team: str) -> Workspace | None:
        """Return the workspace with this id."""
        return self._teams.get(team)

    def of_tenant(self, tenant_id: str) -> Workspace | None:
        return self._tenants.get(tenant_id)


def read_workspaces(path: Path) -> list[Workspace]:
    """Read workspaces from a JSON file: a list of objects with the fields of a ``Workspace``.

    Raises:
        SettingsInvalid: the file cannot be read; the message names the place and contains no secret.
    """
    try:
        return TypeAdapter(list[Workspace]).validate_python(json.loads(path.read_text()))
    except ValidationError as error:
        wrong = [f"  {'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors()]
        raise SettingsInvalid("\n".join([f"{path.name} is wrong:", *wrong])) from None
    except (OSError, ValueError) as error:
        raise SettingsInvalid(f"{path.name} cannot be read: {error}") from None
