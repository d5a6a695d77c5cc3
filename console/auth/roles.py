"""Four roles, each with what the one before it may do."""

from __future__ import annotations

from typing import Literal, get_args

Role = Literal["viewer", "reviewer", "builder", "admin"]
Permission = Literal["analytics:view", "knowledge:review", "model:deploy", "users:manage"]

ROLES: tuple[Role, ...] = get_args(Role)
PERMISSIONS: dict[Role, frozenset[Permission]] = {
    "viewer": frozenset({"analytics:view"}),
    "reviewer": frozenset({"analytics:view", "knowledge:review"}),
    "builder": frozenset({"analytics:view", "knowledge:review", "model:deploy"}),
    "admin": frozenset({"analytics:view", "knowledge:review", "model:deploy", "users:manage"}),
}
