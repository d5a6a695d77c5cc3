"""Verify request signatures (https://docs.slack.dev/authentication/verifying-requests-from-slack)."""

from __future__ import annotations

from slack_sdk.signature import SignatureVerifier

from connectors.base import RawRequest
from connectors.slack.workspaces import Workspaces
from core.errors import Unauthorised


def signed_by(workspaces: Workspaces, request: RawRequest) -> frozenset[str]:
    """Return the teams whose signing secret matches; the signature may be five minutes old or ahead.

    Raises:
        Unauthorised: no secret matches, or the signature is too old.
    """
    secrets = {each.team: each.signing_secret.get_secret_value() for each in workspaces.all}
    teams = frozenset(team for team, secret in secrets.items() if secret and _is_valid_signature(secret, request))
    if not teams:
        raise Unauthorised("The signature is missing, wrong or too old.")
    return teams


def _is_valid_signature(secret: str, request: RawRequest) -> bool:
    try:
        return SignatureVerifier(secret).is_valid_request(request.body, dict(request.headers))
    except (ValueError, TypeError):  # the timestamp is not a number, or the body is not text
        return False
