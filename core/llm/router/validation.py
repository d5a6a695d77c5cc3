"""Validates routing documents and reports all errors at once."""

from __future__ import annotations

from collections.abc import Collection
from itertools import combinations
from typing import Any

from pydantic import ValidationError

from core.errors import RulesInvalid
from core.llm.router.rules import APPROVED, NONE, ROLES, Conditions, RoutingDocument, RoutingLimits, Rule


def validate_routing(document: dict[str, Any], models: Collection[str] | None) -> RoutingDocument:
    """Return the validated document, with defaults for missing values.

    Args:
        document: as read from a file or a request.
        models: the ids in models.yml; None: model names are not checked.

    Raises:
        RulesInvalid: lists all reasons.
    """
    try:
        parsed = RoutingDocument.model_validate(document)
    except ValidationError as error:
        raise _build_rules_error(
            [f"{'.'.join(map(str, e['loc'])) or 'document'}: {e['msg']}" for e in error.errors()]
        ) from None
    reasons = [
        *_check_first_rule(parsed.rules),
        *_check_rule_names(parsed.rules),
        *_check_rule_targets(parsed.rules, models),
    ]
    reasons += [*_check_reachability(parsed.rules), *_check_limits(parsed.limits)]
    if parsed.judge and parsed.candidates == 1:
        reasons.append("judge: there is nothing to choose from; set candidates to 2 or more")
    if reasons:
        raise _build_rules_error(reasons)
    return parsed


def _build_rules_error(reasons: list[str]) -> RulesInvalid:
    return RulesInvalid("\n".join(["These routing rules cannot be used:", *(f"  {reason}" for reason in reasons)]))


def _check_first_rule(rules: tuple[Rule, ...]) -> list[str]:
    if rules[:1] == (APPROVED,):
        return []
    return ['rules: the first one is always {"name": "approved", "when": {"approved": true}, "use": "none"}']


def _check_rule_names(rules: tuple[Rule, ...]) -> list[str]:
    names = [rule.name for rule in rules]
    return [f"rules: {name!r} is there more than once" for name in sorted(set(names)) if names.count(name) > 1]


def _check_rule_targets(rules: tuple[Rule, ...], models: Collection[str] | None) -> list[str]:
    reasons = []
    for rule in rules:
        if rule.use in {NONE, *ROLES} or (rule.use in models if models is not None else "/" in rule.use):
            continue
        known = ", ".join([NONE, *ROLES])
        reasons.append(f"rules: {rule.name!r} uses {rule.use!r}, which is neither {known} nor a model of models.yml")
    return reasons


def _check_reachability(rules: tuple[Rule, ...]) -> list[str]:
    reasons = [
        f"rules: {rule.name!r} can never fit: no number is above {rule.when.complexity_above} and below {rule.when.complexity_below}"
        for rule in rules
        if rule.when.complexity_above is not None
        and rule.when.complexity_below is not None
        and rule.when.complexity_below <= rule.when.complexity_above
    ]
    covered = {
        later.name: f"rules: {later.name!r} is never reached: whatever fits it fits {earlier.name!r} before it"
        for earlier, later in combinations(rules, 2)
        if earlier.name != later.name and _has_wider_conditions(earlier.when, later.when)
    }
    return [*reasons, *covered.values()]


def _has_wider_conditions(wide: Conditions, narrow: Conditions) -> bool:
    """Whether ``wide`` matches everything that ``narrow`` matches."""
    return (
        (wide.approved is None or wide.approved == narrow.approved)
        and set(narrow.purposes or ("answer",)) <= set(wide.purposes or ("answer",))
        and (
            wide.complexity_below is None
            or (narrow.complexity_below is not None and narrow.complexity_below <= wide.complexity_below)
        )
        and (
            wide.complexity_above is None
            or (narrow.complexity_above is not None and narrow.complexity_above >= wide.complexity_above)
        )
        and (
            wide.context_above is None
            or (narrow.context_above is not None and narrow.context_above >= wide.context_above)
        )
    )


def _check_limits(limits: RoutingLimits) -> list[str]:
    named = {
        "connect_seconds": limits.connect_seconds,
        "first_token_seconds": limits.first_token_seconds,
        "between_tokens_seconds": limits.between_tokens_seconds,
    }
    return [
        f"limits: {name} is longer than total_seconds" for name, value in named.items() if value > limits.total_seconds
    ]
