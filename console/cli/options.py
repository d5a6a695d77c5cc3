"""Options that all commands share."""

from __future__ import annotations

import json
import sys
from typing import Annotated, Any

import typer

from core.settings import Settings

JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON on standard output, and nothing else there.")]
TenantOption = Annotated[
    str | None, typer.Option("--tenant", help="The tenant; the setting REJOINDER_TENANT where it is not given.")
]


def tenant_of(settings: Settings, tenant: str | None) -> str:
    """Return the named tenant, or the configured one."""
    return tenant or settings.tenant


def print_json(value: Any) -> None:
    """Print one JSON document on standard output."""
    json.dump(value, sys.stdout, ensure_ascii=False, indent=2, default=str)
    sys.stdout.write("\n")
