"""The recipe of an adopted bot: the project's components plus those that the knowledge base needs."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal, NamedTuple

import httpx
import yaml

from core.bot.parts import ROOT
from evaluation.adoption.documents import format_yaml
from evaluation.adoption.findings import Finding
from evaluation.adoption.project import Project
from evaluation.training.rasa import run_rasa

Choice = Literal["theirs", "ours"]
Component = dict[str, Any]
OURS = "bot.components."
MEANING, WRITING = "rejoinder_meaning", "rejoinder_writing"
DIET, DUCKLING, FALLBACK = "DIETClassifier", "DucklingEntityExtractor", "FallbackClassifier"
RULES = "FormRulePolicy"
FORM_POLICY = f"{OURS}form_policy.{RULES}"
FALLBACK_ACTION, ASKS_BACK = "action_default_fallback", "rejoinder_clarify"
LEAST_SURE = 0.05
"""Threshold of the core fallback for projects that had none: it answers only if no policy is more confident."""
SELECTOR = "ResponseSelector"
DECIDES = "OutOfScopeComponent"
_NO_CLASSIFIERS = (DIET, FALLBACK, SELECTOR)
"""Registered as classifiers, but not replaced by `ours`."""
ASKS_SECONDS = 3.0
PATTERNS = {
    "email": r"[A-Za-z0-9._%+\-]+@[A-Za-z0-9\-]+(?:\.[A-Za-z0-9\-]+)+",
    "url": r"https?://[^\s,]+",
    "amount-of-money": r"(?:[$€£] ?\d[\d,]*(?:\.\d+)?|\b\d[\d,]*(?:\.\d+)? ?(?:dollars?|euros?|pounds?|USD|EUR|GBP))",
    "time": r"\b(?:today|tomorrow|yesterday|(?:last|next|this) (?:week|month|year|Monday|Tuesday|Wednesday|Thursday|Friday|Saturday|Sunday)"
    r"|\d{4}-\d{2}-\d{2}|\d{1,2}(?:st|nd|rd|th)? (?:of )?(?:January|February|March|April|May|June|July|August|September|October|November|December)"
    r"|(?:January|February|March|April|May|June|July|August|September|October|November|December) \d{1,2}(?:st|nd|rd|th)?)\b",
    "number": r"\b\d+(?:\.\d+)?\b",
}
"""Replace Duckling's dimensions while Duckling is unavailable; they yield text, not Duckling's normalised values."""


class Recipe(NamedTuple):
    """The configuration of the bot, and the findings about it."""

    config: dict[str, Any]
    findings: list[Finding]
    patterns: dict[str, str]
    """Replacements for Duckling, by entity."""


class Usable(NamedTuple):
    """A component with its kinds and problem in the Rasa environment."""

    component: Component
    kinds: Sequence[str]
    problem: str | None

    @property
    def name(self) -> str:
        return get_class_name(self.component)


def make_recipe(project: Project, choice: Choice, duckling: str, own_ports: Iterable[int]) -> Recipe:
    """Return the project's pipeline with the components for the knowledge base, or ours with the project's entities.

    Raises:
        InvalidInput: a component has no name.
        Unavailable: the Rasa environment is not set up.
    """
    config = dict(project.config.content)
    base = yaml.safe_load((ROOT / "config.yml").read_text(encoding="utf-8"))
    pipeline, policies = (
        [dict(each) if isinstance(each, dict) else {"name": str(each)} for each in config.get(part) or []]
        for part in ("pipeline", "policies")
    )
    pipeline = [c for c in pipeline if not str(c.get("name")).startswith(OURS)]
    judged = _check_components(project, pipeline, policies)
    findings: list[Finding] = []
    kept = [one for one in judged[: len(pipeline)] if _should_keep_component(one, project, findings)]
    kept, patterns = _with_duckling(kept, duckling, set(own_ports), project, findings)
    config |= {"recipe": "default.v1", "language": project.language}
    config.setdefault("assistant_id", project.name)
    config["pipeline"] = _build_pipeline(kept, choice, base["pipeline"], project, findings)
    if patterns:
        config["pipeline"].insert(
            _after_tokenizer(config["pipeline"]), {"name": "RegexEntityExtractor", "use_lookup_tables": False}
        )
    config["policies"] = _build_policies(judged[len(pipeline) :], project, findings)
    if config.pop("importers", None):
        findings.append(
            Finding(
                "unresolved",
                "importers are not followed: name their files with --domain and --data",
                project.config.name,
            )
        )
    return Recipe(config, findings, patterns)


def get_class_name(component: Component) -> str:
    """Return the class name of a component."""
    return str(component.get("name")).rpartition(".")[2]


def _check_components(project: Project, pipeline: list[Component], policies: list[Component]) -> list[Usable]:
    with TemporaryDirectory() as name:
        config, out, log = (Path(name) / each for each in ("config.yml", "out.jsonl", "log"))
        asked = {"language": project.language, "pipeline": pipeline, "policies": policies}
        config.write_text(format_yaml(asked), encoding="utf-8")
        run_rasa(["--config", str(config), "--out", str(out)], log, "bot.available", project=project.folder)
        rows = [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]
    return [Usable(c, row["kinds"], row["problem"]) for c, row in zip([*pipeline, *policies], rows, strict=True)]


def _should_keep_component(one: Usable, project: Project, findings: list[Finding]) -> bool:
    if one.name == FALLBACK:
        text = f"{FALLBACK} is left out: below its threshold nothing would reach the knowledge; OutOfScopeComponent decides in its place"
        findings.append(Finding("merged", text, project.config.name))
        return False
    if one.problem:
        findings.append(
            Finding(
                "attend",
                f"{one.name} is left out: {one.problem}; install it there and adopt again",
                project.config.name,
            )
        )
        return False
    return True


def _with_duckling(
    kept: list[Usable], url: str, own_ports: set[int], project: Project, findings: list[Finding]
) -> tuple[list[Usable], dict[str, str]]:
    """Keep Duckling if it responds; otherwise remove it and return patterns for the dimensions that patterns can find."""
    place = next((at for at, one in enumerate(kept) if one.name == DUCKLING), None)
    if place is None:
        return kept, {}
    found = kept[place]
    address = url or str(found.component.get("url") or "")
    if httpx.URL(address).port in own_ports and httpx.URL(address).host in {"localhost", "127.0.0.1"}:
        text = f"Duckling at {address} has a port of Rejoinder's own: set REJOINDER_PORT, or give another address with --duckling"
        findings.append(Finding("attend", text, project.config.name))
    elif _is_duckling_reachable(address):
        findings.append(Finding("fits", f"Duckling answers at {address}", project.config.name))
        kept[place] = found._replace(component={**found.component, "url": address})
        return kept, {}
    dimensions = [str(each) for each in found.component.get("dimensions") or PATTERNS]
    patterns = {name: PATTERNS[name] for name in dimensions if name in PATTERNS}
    lost = [name for name in dimensions if name not in PATTERNS]
    text = f"Duckling does not answer at {address}: until it does, and the project is adopted again, {', '.join(patterns) or 'nothing'} is found by patterns, as text"
    findings.append(
        Finding("attend", text + (f", and {', '.join(lost)} not at all" if lost else ""), project.config.name)
    )
    return [one for one in kept if one is not found], patterns


def _is_duckling_reachable(address: str) -> bool:
    try:
        asked = httpx.post(
            f"{address.rstrip('/')}/parse", data={"text": "tomorrow", "locale": "en_GB"}, timeout=ASKS_SECONDS
        )
        return asked.is_success and isinstance(asked.json(), list)
    except (httpx.HTTPError, ValueError):
        return False


def _build_pipeline(
    kept: list[Usable], choice: Choice, base: list[Component], project: Project, findings: list[Finding]
) -> list[Component]:
    ours = {get_class_name(component): component for component in base}
    classifiers = [one for one in kept if "INTENT_CLASSIFIER" in one.kinds and one.name not in _NO_CLASSIFIERS]
    understood_by = [
        *classifiers,
        *(one for one in kept if one.name == DIET and one.component.get("intent_classification", True)),
    ]
    if choice == "theirs" and not understood_by:
        choice = "ours"
        findings.append(
            Finding(
                "merged",
                "no classifier of intents is left, so Rejoinder's own one takes its place",
                project.config.name,
            )
        )
    components = [one.component for one in kept]
    if choice == "ours":
        dropped = [one.component for one in classifiers]
        components = [_entities_only(c) for c in components if c not in dropped]
        names = ", ".join(one.name for one in understood_by)
        if names:
            findings.append(
                Finding(
                    "merged",
                    f"intents are understood by Rejoinder's own classifier in place of {names}",
                    project.config.name,
                )
            )
    else:
        text = f"{', '.join(one.name for one in understood_by)} and the other components stay as they are"
        findings.append(Finding("fits", text, project.config.name))
    retrieves = any("/" in str(part["intent"]) for _, part in project.examples())
    if retrieves and not any(one.name == SELECTOR for one in kept):
        components.append({"name": SELECTOR})
        text = f"{SELECTOR} is added: your retrieval intents need it"
        findings.append(Finding("merged", text, project.config.name))
    if not any("MESSAGE_TOKENIZER" in one.kinds for one in kept):
        components.insert(0, _choose_tokenizer(project, findings))
    embedding = {**ours["SentenceEmbeddingFeaturizer"], "alias": MEANING}
    tail = [embedding, {"name": f"{OURS}intents.ExampleNeighbours", "meaning": MEANING}]
    if choice == "ours":
        writing = {**ours["CountVectorsFeaturizer"], "alias": WRITING}
        tail = [embedding, writing, {**ours["NeighbourLogisticRegression"], "meaning": MEANING, "writing": WRITING}]
    findings.append(
        Finding(
            "merged",
            "behind them: the embedding, and the component that decides between a skill and the knowledge",
            project.config.name,
        )
    )
    return [*components, *tail, ours[DECIDES]]


def _choose_tokenizer(project: Project, findings: list[Finding]) -> Component:
    if project.language in {"zh", "ja", "th"}:
        text = f"{project.language} is written without spaces, and there is no tokenizer for it: name one in the pipeline that is installed in .venv-bot"
        findings.append(Finding("unresolved", text, project.config.name))
    return {"name": "WhitespaceTokenizer"}


def _entities_only(component: Component) -> Component:
    return {**component, "intent_classification": False} if get_class_name(component) == DIET else component


def _after_tokenizer(pipeline: list[Component]) -> int:
    return next((at + 1 for at, one in enumerate(pipeline) if get_class_name(one).endswith("Tokenizer")), 0)


def _build_policies(found: list[Usable], project: Project, findings: list[Finding]) -> list[Component]:
    kept = []
    for one in found:
        if one.problem:
            findings.append(Finding("attend", f"{one.name} is left out: {one.problem}", project.config.name))
        elif one.name in {"RulePolicy", RULES}:
            kept.append(_rule_policy(one.component))
            findings += [
                Finding("merged", text, project.config.name)
                for text in (
                    "RulePolicy becomes FormRulePolicy, with its settings: it answers whatever a form cannot use",
                    *_change_of_fallback(one.component),
                )
            ]
        else:
            kept.append(one.component)
            findings.append(Finding("fits", f"{one.name} works beside the rules", project.config.name))
    if not any(one["name"] == FORM_POLICY for one in kept):
        kept.append(_rule_policy({"enable_fallback_prediction": False}))
        findings.append(Finding("merged", "FormRulePolicy is added: Rejoinder's rules need it", project.config.name))
    return kept


def _rule_policy(settings: Component) -> Component:
    """Return FormRulePolicy with the given settings and a fallback, so that no message goes unanswered."""
    found = {"core_fallback_action_name": FALLBACK_ACTION, **settings, "name": FORM_POLICY}
    if not settings.get("enable_fallback_prediction", True):
        found |= {"enable_fallback_prediction": True, "core_fallback_threshold": LEAST_SURE}
    if found["core_fallback_action_name"] == FALLBACK_ACTION:
        found["core_fallback_action_name"] = ASKS_BACK
    return found


def _change_of_fallback(settings: Component) -> list[str]:
    name = settings.get("core_fallback_action_name", FALLBACK_ACTION)
    return [f"core fallback: {ASKS_BACK} in place of {name}"] if name == FALLBACK_ACTION else []
