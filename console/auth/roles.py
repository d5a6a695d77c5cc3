"""Five roles, each extending the permissions of the one before."""

from __future__ import annotations

from typing import Literal, get_args

Role = Literal["viewer", "agent", "reviewer", "builder", "admin"]
Permission = Literal["analytics:view", "handoffs:answer", "knowledge:review", "model:deploy", "users:manage"]

ROLES: tuple[Role, ...] = get_args(Role)
PERMISSIONS: dict[Role, frozenset[Permission]] = {
    "viewer": frozenset({"analytics:view"}),
    "agent": frozenset({"analytics:view", "handoffs:answer"}),
    "reviewer": frozenset({"analytics:view", "handoffs:answer", "knowledge:review"}),
    "builder": frozenset({"analytics:view", "handoffs:answer", "knowledge:review", "model:deploy"}),
    "admin": frozenset({"analytics:view", "handoffs:answer", "knowledge:review", "model:deploy", "users:manage"}),
}
