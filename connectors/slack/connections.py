"""The Web API clients of all workspaces, by team or tenant."""

from __future__ import annotations

from connectors.slack.client import Slack
from connectors.slack.workspaces import Workspaces


class Connections:
    """Created once; nothing connects before the first call."""

    def __init__(self, workspaces: Workspaces, base_url: str) -> None:
        self.workspaces = workspaces
        self.all = {each.team: Slack(each, base_url) for each in workspaces.all}

    def of_team(self, team: str) -> Slack | None:
        """Return the client of the workspace with this id."""
        return self.all.get(team)

    def of_tenant(self, tenant_id: str) -> Slack | None:
        workspace = self.workspaces.of_tenant(tenant_id)
        return self.all[workspace.team] if workspace else None
