"""Merge a project with the base bot; the project's names stay, conflicting base names change."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import yaml

from core.bot.parts import BASE_DATA, BASE_DOMAIN, QUESTIONS, VALUE
from evaluation.adoption.checks import collect_findings
from evaluation.adoption.dialogue import (
    actions_of,
    find_active_form,
    intents_of,
    list_required_slots,
    rule_left,
    slots_of,
    story_left,
)
from evaluation.adoption.documents import ProjectFile, read_document
from evaluation.adoption.findings import Finding
from evaluation.adoption.pipeline import DECIDES, RULES, Recipe, get_class_name
from evaluation.adoption.project import Project, ensure_list, get_item_name
from evaluation.adoption.wishes import Wishes
from evaluation.forms import SAMPLES
from evaluation.training.data import Example, is_learnt, read_folder, read_item
from knowledge.types import Embeds

PERSON = "talk_to_person"
ENTRY, ASK_ENTRY = "entry", "ask_entry"
NEEDED = (*QUESTIONS, VALUE, PERSON)
"""Intents that the base bot's rules and forms require."""
OWN_SLOTS = ("bot_name", "greeting", "tone", "unknown_count", "language")
CUSTOM = {"type": "custom"}
THEIRS_IF_THERE = ("utter_default", "utter_form_", "utter_without_", "utter_title_")
"""Responses that a project may override with its own wording."""
ENDS_FORM = ("stop", "goodbye")
FEW = 10
"""For two public bots with 5 examples per intent, DIET misclassified 106 of 649 messages, our classifier 63 (docs/your-own-bot.md)."""
OWN_CLASSIFIER = "NeighbourLogisticRegression"
ENGLISH = "en"
SHOWN = 3

Texts = dict[str, Any]


@dataclass(frozen=True)
class Merge:
    findings: list[Finding]
    domain: dict[str, Any]
    config: dict[str, Any]
    endpoints: dict[str, Any]
    data: dict[str, Any]
    """Training data by file name."""
    names: dict[str, str] = field(default_factory=dict)
    """Base names that were renamed, with their names in the merged domain."""
    action_servers: tuple[str, ...] = ()

    @property
    def unresolved(self) -> bool:
        """Whether the team must fix something first."""
        return any(one.kind == "unresolved" for one in self.findings)


def merge_project(
    project: Project, recipe: Recipe, embedder: Embeds, base_endpoints: Mapping[str, Any], *, their_handoff: bool
) -> Merge:
    """Merge a project with the base bot.

    Raises:
        InvalidInput: an example cannot be read; the message names its file.
    """
    return _Merging(project, recipe, embedder, base_endpoints, their_handoff=their_handoff).merged()


class _Merging:
    def __init__(
        self,
        project: Project,
        recipe: Recipe,
        embedder: Embeds,
        base_endpoints: Mapping[str, Any],
        *,
        their_handoff: bool,
    ) -> None:
        self._project, self._recipe, self._base_endpoints = project, recipe, base_endpoints
        self._said: list[Finding] = []
        self._base = yaml.safe_load(BASE_DOMAIN.read_text(encoding="utf-8"))
        self._rules = [
            rule
            for file in sorted((BASE_DATA / "rules").glob("*.yml"))
            for rule in read_document(file).content["rules"]
        ]
        self._their_rules = self._named_by_them()
        theirs = [example for document, part in project.examples() for example in read_item(part, document.name)]
        base = [e for e in read_folder(BASE_DATA) if not is_learnt(e)] if project.language == ENGLISH else []
        self._theirs = theirs
        wishes = Wishes(base, theirs, embedder)
        self._same = wishes.same()
        self._persons = [] if their_handoff else self._wish_for_a_person()
        self._asking = {} if their_handoff else wishes.some(PERSON)
        self._added = self._added_intents()
        self._lent = self._intents_that_are_lent_to(theirs)
        known = {example.key for example in theirs}
        self._examples = [e for e in wishes.free() if e.intent in self._get_taught_intents()]
        self._examples += [e for e in wishes.lent(self._lent) if e.key not in known]
        self._doubled = self._find_unusable_examples(theirs)
        self._names = self._build_name_map()

    def merged(self) -> Merge:
        said = self._said
        said.append(Finding("fits", self._format_summary()))
        said += collect_findings(self._project)
        self._tell_intents()
        data = self._build_data_files()
        domain = self._build_domain()
        endpoints, servers = self._build_endpoints()
        config = self._build_config()
        findings = [*said, *self._recipe.findings]
        return Merge(findings, domain, config, endpoints, data, self._names, servers)

    # ---- intents and names

    def _named_by_them(self) -> set[str]:
        """Return the intents that the project's rules and stories use."""
        paths = [path for kind in ("rules", "stories") for _, path in self._project.paths(kind)]
        return {name for path in paths for step in path["steps"] for name in intents_of(step)}

    def _wish_for_a_person(self) -> list[str]:
        """Return the project's intents that ask for a person."""
        return [name for name in dict.fromkeys([PERSON, *self._same.get(PERSON, ())]) if name in self._their_intents()]

    def _their_intents(self) -> set[str]:
        in_data = {str(part["intent"]).partition("/")[0] for _, part in self._project.examples()}
        return {*self._project.intents, *in_data, *self._their_rules}

    def _get_taken_intents(self) -> set[str]:
        """Return the intents that always follow the base bot's rules, whatever the project's rules say."""
        return {*QUESTIONS, *self._persons}

    def _added_intents(self) -> list[str]:
        """Return the base intents without a counterpart in the project."""
        theirs = self._their_intents()
        own = [get_item_name(each) for each in self._base["intents"]]
        free = [name for name in own if name not in NEEDED and name not in theirs and not self._same.get(name)]
        return free if self._project.language == ENGLISH else []

    def _intents_that_are_lent_to(self, theirs: Sequence[Example]) -> dict[str, str]:
        """Map base intents to the project's intents of the same meaning or name, which also train on their examples."""
        plain = {example.intent for example in theirs} - {example.base for example in theirs if "/" in example.intent}
        own = [name for name in map(get_item_name, self._base["intents"]) if name not in (*QUESTIONS, VALUE)]
        pairs = {name: [*(n for n in [name] if n in plain), *self._same.get(name, ())] for name in own}
        return {name: found[0] for name, found in pairs.items() if found and found[0] in plain}

    def _get_taught_intents(self) -> set[str]:
        """Return the base intents whose examples are added to the training data."""
        person = set() if self._persons or self._same.get(PERSON) else {PERSON}
        return {*self._added, *person, "ask_knowledge", "out_of_scope"}

    def _kept_rules(self) -> list[dict[str, Any]]:
        kept = {*NEEDED, *self._added}
        return [rule for rule in self._rules if intents_of(rule["steps"][0]) <= kept]

    def _build_name_map(self) -> dict[str, str]:
        """Map conflicting base names to their new names."""
        ruled = {action for rule in self._rules for action in actions_of(rule["steps"])}
        responses = [
            name for name in self._base["responses"] if name not in ruled and not name.startswith(THEIRS_IF_THERE)
        ]
        there = {*self._project.responses(), *(get_item_name(each) for each in self._project.domain["actions"])}
        names = {name: name.replace("_", "_rejoinder_", 1) for name in responses if name in there}
        return names | {name: f"rejoinder_{name}" for name in OWN_SLOTS if name in self._project.domain["slots"]}

    # ---- findings

    def _format_summary(self) -> str:
        project = self._project
        counts = {kind: len(list(project.paths(kind))) for kind in ("rules", "stories")}
        parts = [(len(project.intents), "intents"), (len(project.domain["slots"]), "slots")]
        parts += [(len(project.domain["forms"]), "forms"), (len(project.responses()), "responses")]
        parts += [(len(project.actions), "actions"), *((count, kind) for kind, count in counts.items())]
        return ", ".join(f"{count} {what}" for count, what in parts) + f", language {project.language}"

    def _tell_intents(self) -> None:
        for ours, theirs in self._same.items():
            if ours not in (*QUESTIONS, PERSON, *theirs):
                self._add_merged_finding(
                    f"your {', '.join(theirs)} means what our {ours} does: yours stays, ours is left out"
                )
        shared = [
            n
            for n in map(get_item_name, self._base["intents"])
            if n in self._their_intents() and n not in (*NEEDED, PERSON)
        ]
        if shared:
            self._add_merged_finding(
                f"{', '.join(shared)}: your intents stay with your rules, ours of these names are left out"
            )
        if self._lent:
            names = ", ".join(dict.fromkeys(self._lent.values()))
            self._add_merged_finding(
                f"{names}: learn from our examples as well, but for those that are near to another intent of yours"
            )
        self._tell_few_examples()
        self._tell_wish_for_a_person()
        if self._added:
            self._add_merged_finding(f"added, since nothing of yours means it: {', '.join(self._added)}")
        if self._project.language != ENGLISH:
            text = f"examples are compared in English only: customers reach a person by the button, and by an intent {PERSON} with examples of yours"
            self._said.append(Finding("attend", text))
        for kind, name in ((self._get_name_kind(name), name) for name in self._names):
            self._add_merged_finding(f"the {kind} {name} is yours; ours is called {self._names[name]}")
        worded = [n for n in self._base["responses"] if n in self._project.responses() and n not in self._names]
        if worded:
            self._add_merged_finding(f"{', '.join(worded)}: said in your words")

    def _tell_few_examples(self) -> None:
        """Report intents with too few examples for Rasa's own classifiers."""
        counts = Counter(example.base for example in self._theirs)
        few = [f"{name} ({count})" for name, count in counts.items() if count < FEW and name not in self._lent.values()]
        theirs = not any(
            get_class_name(component) == OWN_CLASSIFIER for component in self._recipe.config.get("pipeline") or ()
        )
        if few and theirs:
            text = f"fewer than {FEW} examples: {', '.join(few)}; of such intents --pipeline ours understands more wordings, and mistakes fewer"
            self._said.append(Finding("attend", text))

    def _tell_wish_for_a_person(self) -> None:
        if self._persons:
            self._add_merged_finding(
                f"{', '.join(self._persons)} leads to Rejoinder's inbox; --their-handoff keeps your own rules for it"
            )
        for intent, texts in self._asking.items():
            if intent not in (*self._persons, PERSON):
                quoted = ", ".join(f'"{text}"' for text in texts[:SHOWN])
                text = f"{intent} has examples that ask for a person ({quoted}) and leads to no inbox: put them under {PERSON}"
                self._said.append(Finding("attend", text))

    def _get_name_kind(self, name: str) -> str:
        return "slot" if name in OWN_SLOTS else "response"

    def _add_merged_finding(self, text: str, place: str = "") -> None:
        self._said.append(Finding("merged", text, place))

    # ---- files

    def _build_data_files(self) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for document in self._project.data:
            content = {part: self._merge_part(document, part, value) for part, value in document.content.items()}
            found[f"theirs/{document.name.replace('/', '-')}"] = content
        found["ours/nlu.yml"] = {
            "version": "3.1",
            "nlu": [*_build_intent_items(self._examples), *self._build_pattern_items()],
        }
        found["ours/rules.yml"] = {"version": "3.1", "rules": [self._own_rule(rule) for rule in self._kept_rules()]}
        return found

    def _merge_part(self, document: ProjectFile, part: str, value: Any) -> Any:
        if part == "nlu":
            return [self._without_doubled(item) for item in value or ()]
        if part == "rules":
            return self._filter_paths(document, value or (), rule_left, "rule")
        if part == "stories":
            return self._filter_paths(document, value or (), story_left, "story")
        return value

    def _filter_paths(
        self, document: ProjectFile, paths: Iterable[Any], cut: Callable[[Any, set[str]], Any], kind: str
    ) -> list[Any]:
        found = []
        for path in paths:
            left = cut(path, self._get_taken_intents())
            if left is not path and left != path:
                what = "left out" if left is None else "kept without these turns"
                taken = ", ".join(
                    sorted({n for step in path["steps"] for n in intents_of(step)} & self._get_taken_intents())
                )
                self._add_merged_finding(
                    f'{kind} "{path.get(kind, "")}" answers {taken}, which Rejoinder answers: {what}', document.at(path)
                )
            found += [left] if left is not None else []
        return found

    def _own_rule(self, rule: dict[str, Any]) -> dict[str, Any]:
        own = {**rule, "steps": list(rule["steps"])}
        wishes = [name for name in self._persons if name != PERSON]
        if intents_of(own["steps"][0]) == {PERSON} and wishes:
            own["steps"][0] = {"or": [{"intent": name} for name in (PERSON, *wishes)]}
        return own

    def _build_pattern_items(self) -> list[dict[str, Any]]:
        """Return each pattern with one example, without which Rasa does not use it."""
        found: list[dict[str, Any]] = []
        for name, pattern in self._recipe.patterns.items():
            found.append({"regex": name, "examples": f"- {pattern}\n"})
            found.append({"intent": VALUE, "examples": f"- [{SAMPLES[name]}]({name})\n"})
        return found

    def _find_unusable_examples(self, theirs: Sequence[Example]) -> set[tuple[str, str]]:
        """Return (key, intent) of unusable examples: texts of an earlier intent, and texts that Rasa takes for commands."""
        first: dict[str, str] = {}
        left_out = {(e.key, e.intent) for e in theirs if not e.key or e.key.startswith("/")}
        contradicting = []
        for example in theirs:
            if first.setdefault(example.key, example.intent) != example.intent:
                left_out.add((example.key, example.intent))
                contradicting.append(f'"{example.text}" ({first[example.key]}, not {example.intent})')
        if contradicting:
            more = f" and {len(contradicting) - SHOWN} more" if len(contradicting) > SHOWN else ""
            self._add_merged_finding(
                f"examples of two intents stay with the first: {', '.join(contradicting[:SHOWN])}{more}"
            )
        return left_out

    def _without_doubled(self, item: Any) -> Any:
        if "intent" not in item or not any(intent == str(item["intent"]) for _, intent in self._doubled):
            return item
        if isinstance(item.get("examples"), str):
            lines = item["examples"].splitlines(keepends=True)
            return {**item, "examples": "".join(line for line in lines if self._should_keep_line(line, item))}
        return {
            **item,
            "examples": [each for each in item["examples"] if self._should_keep_line(str(each.get("text", "")), item)],
        }

    def _should_keep_line(self, line: str, item: Any) -> bool:
        found = read_item({**item, "examples": line if line.lstrip().startswith("-") else f"- {line}"}, "")
        return not found or (found[0].key, found[0].intent) not in self._doubled

    def _list_intents(self) -> list[str]:
        """Return all intents of the project and the base bot."""
        return list(dict.fromkeys([*sorted(self._their_intents()), *NEEDED, *self._added]))

    def _build_domain(self) -> dict[str, Any]:
        theirs, base, names = self._project.domain, self._base, self._names
        merged = dict(theirs)
        intents = {get_item_name(each): each for each in theirs["intents"]}
        merged["intents"] = list({**dict.fromkeys(self._list_intents()), **intents}.items())
        merged["intents"] = [setting if setting is not None else name for name, setting in merged["intents"]]
        merged["entities"] = [*theirs["entities"], *self._own_entities()]
        # an adopted bot has one language, so messages need not set it
        own_slots = {names.get(name, name): {**base["slots"][name], "mappings": [CUSTOM]} for name in OWN_SLOTS}
        merged["slots"] = {**{n: self._their_slot(n, s) for n, s in theirs["slots"].items()}, **own_slots}
        merged["actions"] = [*(self._their_action(each) for each in theirs["actions"]), *base["actions"]]
        merged["responses"] = {**theirs["responses"], **self._own_responses(), **self._build_titles()}
        merged.setdefault("session_config", base["session_config"])
        merged["version"] = "3.1"
        return merged

    def _own_entities(self) -> list[str]:
        there = {get_item_name(each) for each in self._project.domain["entities"]}
        return [name for name in (ENTRY, *self._recipe.patterns) if name not in there]

    def _their_slot(self, name: str, slot: dict[str, Any]) -> dict[str, Any]:
        """Exclude intents that must not fill a slot from its mappings.

        A press on a known question must not fill a slot that reads `entry`, and a greeting or another intent must not fill one
        that a form asks for.
        """
        mappings = [self._their_mapping(name, mapping) for mapping in slots_of(slot.get("mappings"))]
        return {**slot, "mappings": mappings} if mappings else slot

    def _their_mapping(self, slot: str, mapping: dict[str, Any]) -> dict[str, Any]:
        refused = ensure_list(mapping.get("not_intent"))
        if mapping.get("intent"):
            return mapping
        if mapping.get("type") == "from_entity" and mapping.get("entity") == ENTRY:
            return {**mapping, "not_intent": [*refused, ASK_ENTRY]}
        if mapping.get("type") == "from_text" and slot in self._free_slots():
            others = (name for name in self._list_intents() if name != VALUE)
            return {**mapping, "not_intent": list(dict.fromkeys([*refused, *others]))}
        return mapping

    def _free_slots(self) -> list[str]:
        """Return the slots that a form asks for and that accept any text."""
        asked = {slot for form in self._project.domain["forms"].values() for slot in list_required_slots(form)}
        return [
            name
            for name, slot in self._project.domain["slots"].items()
            if name in asked and any(_is_free_text(mapping) for mapping in slots_of(slot.get("mappings")))
        ]

    def _select_opening_intents(self) -> dict[str, list[str]]:
        """Map forms with free-text slots to the intents that start them, except intents excluded by a slot's mappings."""
        slots = self._project.domain["slots"]
        mappings = [m for slot in self._free_slots() for m in slots_of(slots[slot]["mappings"])]
        refused = {name for mapping in mappings for name in ensure_list(mapping.get("not_intent"))}
        begun = {form: sorted(intents - refused) for form, intents in self._collect_opening_intents().items()}
        free = set(self._free_slots())
        return {
            form: begun[form]
            for form, value in self._project.domain["forms"].items()
            if begun.get(form) and free & set(list_required_slots(value))
        }

    def _collect_opening_intents(self) -> dict[str, set[str]]:
        """Map the project's forms to the intents after which a rule or story starts them."""
        found: dict[str, set[str]] = defaultdict(set)
        for _, path in (pair for kind in ("rules", "stories") for pair in self._project.paths(kind)):
            said: set[str] = set()
            for step in path["steps"]:
                said = intents_of(step) or said
                form = find_active_form(step) or str(step.get("action") or "")
                if form in self._project.domain["forms"]:
                    found[form] |= said
                    said = set()
        return found

    def _build_config(self) -> dict[str, Any]:
        """Return the recipe's configuration, extended by the slots and intents that its components need."""
        slots = self._free_slots()
        if slots:
            self._add_merged_finding(
                f"{', '.join(slots)}: a greeting, thanks, stop, a question and, word for word, the example of another intent are no value of it"
            )
        known: dict[str, dict[str, Any]] = {
            DECIDES: {"described": self._select_opening_intents()} if slots else {},
            RULES: {"agrees": self._list_intents_like("affirm"), "ends": self._list_intents_like(*ENDS_FORM)},
        }
        parts = {
            part: [
                {**component, **known.get(get_class_name(component), {})}
                for component in self._recipe.config.get(part) or ()
            ]
            for part in ("pipeline", "policies")
        }
        return {**self._recipe.config, **parts}

    def _list_intents_like(self, *intents: str) -> list[str]:
        """Return the given base intents and the project's intents of the same meaning."""
        return list(dict.fromkeys(name for ours in intents for name in (ours, *self._same.get(ours, ()))))

    def _their_action(self, action: Any) -> Any:
        """Set ``send_domain`` for an action, since the project's action server expects the domain."""
        name = get_item_name(action)
        return action if isinstance(action, dict) or name.startswith("utter_") else {name: {"send_domain": True}}

    def _own_responses(self) -> Texts:
        ruled = {action for rule in self._rules for action in actions_of(rule["steps"])}
        kept = {action for rule in self._kept_rules() for action in actions_of(rule["steps"])}
        theirs = self._project.responses()
        wanted = {n: t for n, t in self._base["responses"].items() if n in kept or n not in ruled}
        slots = {name: self._names[name] for name in OWN_SLOTS if name in self._names}
        return {
            self._names.get(name, name): [_with_slots(text, slots) for text in texts]
            for name, texts in wanted.items()
            if name in self._names or name not in theirs
        }

    def _build_titles(self) -> Texts:
        """Return titles for clarification choices: the intents that start a rule or story, without small talk."""
        first = (path["steps"][0] for kind in ("rules", "stories") for _, path in self._project.paths(kind))
        begun = dict.fromkeys(name for step in first for name in sorted(intents_of(step)))
        retrieved = {name.partition("/")[0] for name in self._project.responses() if "/" in name}
        small_talk = {
            *map(get_item_name, self._base["intents"]),
            *(name for names in self._same.values() for name in names),
        }
        kept = (
            begun.keys() - small_talk - self._get_taken_intents() - {name.removeprefix("utter_") for name in retrieved}
        )
        names = {f"utter_title_{intent}": intent for intent in begun if intent in kept}
        there = self._project.responses()
        return {
            name: [{"text": intent.replace("_", " ").capitalize()}]
            for name, intent in names.items()
            if name not in there
        }

    def _build_endpoints(self) -> tuple[dict[str, Any], tuple[str, ...]]:
        given = dict(self._project.endpoints.content) if self._project.endpoints else {}
        place = self._project.endpoints.name if self._project.endpoints else ""
        found = {name: given[name] for name in ("lock_store", "event_broker", "nlg") if given.get(name)}
        server = given.get("action_endpoint") or {}
        url = str(server.get("url") or "") if isinstance(server, dict) else ""
        if url:
            self._add_merged_finding(
                f"Rasa calls Rejoinder for every action, and Rejoinder calls your action server at {url}", place
            )
        elif self._project.actions:
            count = len(self._project.actions)
            text = f"{count} actions, and no action_endpoint in endpoints.yml: set REJOINDER_ACTION_SERVERS to where they are run"
            self._said.append(Finding("attend", text, place))
        if given.get("models"):
            self._add_merged_finding("models: Rejoinder says which model Rasa loads, so this is left out", place)
        self._tell_channels()
        store = given.get("tracker_store")
        if isinstance(store, dict) and (store.get("type") or "SQL").lower() == "sql":
            self._add_merged_finding("the tracker store is yours, read through Rejoinder's own class", place)
            return {
                **self._base_endpoints,
                **found,
                "tracker_store": {**store, "type": self._base_endpoints["tracker_store"]["type"]},
            }, (url,) if url else ()
        if store:
            self._add_merged_finding(
                "the tracker store becomes Rejoinder's, in SQLite: what a form waits for is read from it", place
            )
        return {**self._base_endpoints, **found}, (url,) if url else ()

    def _tell_channels(self) -> None:
        if self._project.credentials is None:
            return
        named = [name for name in self._project.credentials.content if name not in {"rest", "rasa"}]
        if named:
            text = f"channels of Rasa are not used: {', '.join(named)}; Rejoinder has the widget, WhatsApp and SMS"
            self._said.append(Finding("attend", text, self._project.credentials.name))


def _build_intent_items(examples: Sequence[Example]) -> list[dict[str, str]]:
    by_intent: dict[str, list[str]] = defaultdict(list)
    for example in examples:
        by_intent[example.intent].append(example.text)
    return [{"intent": name, "examples": "".join(f"- {t}\n" for t in texts)} for name, texts in by_intent.items()]


def _with_slots(text: dict[str, Any], slots: Mapping[str, str]) -> dict[str, Any]:
    said = dict(text)
    for old, new in slots.items():
        said["text"] = str(said.get("text", "")).replace(f"{{{old}}}", f"{{{new}}}")
    if said.get("condition"):
        said["condition"] = [{**each, "name": slots.get(each["name"], each["name"])} for each in said["condition"]]
    return said


def _is_free_text(mapping: dict[str, Any]) -> bool:
    """Whether the mapping accepts any text."""
    return mapping.get("type") == "from_text" and not mapping.get("intent")
