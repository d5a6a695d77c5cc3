"""Decides whether a skill or the knowledge base handles a message, or whether to ask back."""

from __future__ import annotations

import re
import time
import unicodedata
from typing import Any, Dict, List, NamedTuple, Optional, Text, Type

from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.nlu.classifiers.classifier import IntentClassifier
from rasa.shared.constants import DEFAULT_NLU_FALLBACK_INTENT_NAME
from rasa.shared.exceptions import InvalidConfigException
from rasa.shared.nlu.constants import ENTITIES, ENTITY_ATTRIBUTE_TYPE, INTENT, INTENT_RANKING_KEY, METADATA, TEXT
from rasa.shared.nlu.training_data.message import Message

from bot.components.featurizer import STARTED
from bot.components.forms import FEW_WORDS, Waiting, find_offered_intent, find_waiting_form
from bot.components.intents import OUT_OF_SCOPE, SUPPORT, ExampleNeighbours, Support
from bot.components.words import build_phrase_pattern

OOS_SCORE = "oos_score"
NLU_MS = "nlu_ms"
DECISION = "decision"
"""Part of the output: who handles the message, and why."""
KNOWLEDGE = "knowledge"
"""Key of the message's metadata: the retrieval result of `app`, ``{"level", "confidence"}``."""
LEVELS = ("exact", "sure", "probable", "unsure", "none")
"""How well the knowledge base can answer, best first."""
LONGEST_RUN = 5
SOMETHING = ("sure", "probable", "unsure")
ASK_KNOWLEDGE = "ask_knowledge"
INFORM = "inform"
STOP = "stop"
AFFIRM = "affirm"
_QUESTION = re.compile(
    rf"[?？؟]\W*$|^\W*(?:{build_phrase_pattern('asides')}\W*)*{build_phrase_pattern('questions')}",  # noqa: RUF001 - other scripts' question marks
    re.IGNORECASE,
)
"""Ends or begins like a question, possibly after a word or two ("yes, but how ...")."""
_REQUEST = re.compile(build_phrase_pattern("requests"), re.IGNORECASE)
"""Mentions the customer's own things, or asks for something to be done."""
_OWN = re.compile(r"@|\d{5}|[A-Za-z]-?\d{3}")
"""An entity that contains this is personal, unlike a date or an amount."""
_BUT = re.compile(build_phrase_pattern("doubts"), re.IGNORECASE)
"""A yes with one of these agrees to something other than what was asked."""
ALIKE_COUNTS = 0.5
"""Evidence of one example that nearly equals a message: the same as ``doubt`` examples."""
NOTHING_ELSE = (ASK_KNOWLEDGE, OUT_OF_SCOPE, INFORM, DEFAULT_NLU_FALLBACK_INTENT_NAME)
"""Intents for messages that match neither a skill nor small talk."""


class SkillDecision(NamedTuple):
    """The intent to act on, and the rule that chose it."""

    intent: Text
    why: Text

    @property
    def by(self) -> Text:
        """Who handles the message."""
        return "knowledge" if self.intent in (ASK_KNOWLEDGE, OUT_OF_SCOPE) else "skill"


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.INTENT_CLASSIFIER, is_trainable=False)
class OutOfScopeComponent(IntentClassifier, GraphComponent):
    """Score = probability of the intent x similarity to the nearest example in scope x evidence.

    The probability alone is overconfident about any familiar word; the similarity alone cannot tell two intents apart; their product
    separates better than either. Evidence is n / (n + ``doubt``) for an intent with n examples: five examples never give the same
    confidence as a hundred, so one set of thresholds fits bots with 300 and with 15,000 examples. A message that nearly equals an
    example counts as if the intent had ``doubt`` examples, so that an intent works from its first example.

    Knowledge that matches the message counts against the score: the better it answers, the surer an intent must be.
    """

    @classmethod
    def required_components(cls) -> List[Type]:
        """Return the component whose results are judged."""
        return [ExampleNeighbours]

    @staticmethod
    def get_default_config() -> Dict[Text, Any]:
        """Thresholds for keeping an intent.

        ``certain``: if the knowledge base answers; ``sure``: if it does not, or for a request rather than a question; halfway between the
        two if the knowledge base has something close. ``unsure``: from here on, ask back. ``doubt``: see above. ``near``: the similarity
        from which an example counts as evidence by itself, fully at ``same``. ``described``: by form, intents that resemble free text
        which the form waits for ("I forgot my password", as a problem description); they only count if they equal an example.
        """
        return {
            "certain": 0.35,
            "sure": 0.19,
            "unsure": 0.09,
            "doubt": 20,
            "near": 0.75,
            "same": 0.9,
            "described": {},
        }

    @classmethod
    def validate_config(cls, config: Dict[Text, Any]) -> None:
        """Check 0 <= unsure <= sure <= certain <= 1, near < same, and that doubt is not negative."""
        if not 0 <= config["unsure"] <= config["sure"] <= config["certain"] <= 1:
            raise InvalidConfigException("OutOfScopeComponent needs 0 <= unsure <= sure <= certain <= 1")
        if config["doubt"] < 0:
            raise InvalidConfigException("OutOfScopeComponent: doubt must not be below 0")
        if not config["near"] < config["same"]:
            raise InvalidConfigException("OutOfScopeComponent: near must be below same")

    @classmethod
    def create(
        cls,
        config: Dict[Text, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> OutOfScopeComponent:
        """Create the component for Rasa's graph."""
        return cls(config)

    def __init__(self, config: Dict[Text, Any]) -> None:
        self._config = config

    def process(self, messages: List[Message]) -> List[Message]:
        """Judge each message, and add the score and the pipeline's time."""
        for message in messages:
            self._judge_message(message)
            if message.get(STARTED) is not None:
                elapsed = (time.perf_counter() - message.get(STARTED)) * 1000
                message.set(NLU_MS, round(elapsed, 2), add_to_output=True)
        return messages

    def _judge_message(self, message: Message) -> None:
        """Choose the intent, keeping the ranking so that the likeliest intents can be offered."""
        intent, support = message.get(INTENT), message.get(SUPPORT)
        score = intent["confidence"] * self._weigh_support(support) if _says_something(message) else 0.0
        known = (message.get(METADATA) or {}).get(KNOWLEDGE) or {}
        level = str(known.get("level", ""))
        asks = _QUESTION.search(message.get(TEXT)) is not None
        requests = _names_own(message) or (not asks and _REQUEST.search(message.get(TEXT)) is not None)
        waits = find_waiting_form()
        form = None if asks or level == "exact" else waits
        decision = (
            self._taken_by_form(message, form, intent["name"], score)
            or self._taken_as_value(message)
            or self.decide(
                intent["name"], score, level, support.example_of, requests=requests, in_form=waits is not None
            )
        )
        if waits is None and decision.intent == AFFIRM and (offer := find_offered_intent()):
            decision = SkillDecision(offer, "offer")
        if form and decision.by == "knowledge" and _is_unusable_value(message, level):
            decision = SkillDecision(
                DEFAULT_NLU_FALLBACK_INTENT_NAME, "unusable"
            )  # a wrong answer rather than a question
        message.set(OOS_SCORE, round(score, 4), add_to_output=True)
        message.set(INTENT, {**intent, "name": decision.intent}, add_to_output=True)
        why = {"by": decision.by, "why": decision.why, "level": level or None, "likeliest": intent["name"]}
        if not message.get(METADATA):  # parsed only, without retrieval
            at = {
                each: self.decide(intent["name"], score, each, support.example_of, requests=requests) for each in LEVELS
            }
            why["at"] = {each: {"intent": one.intent, "by": one.by, "why": one.why} for each, one in at.items()}
        message.set(DECISION, {**why, "score": round(score, 4)}, add_to_output=True)

    def _weigh_support(self, support: Support) -> float:
        if not support.examples:
            return 0.0
        near, same = self._config["near"], self._config["same"]
        alike = min(1.0, max(0.0, (support.nearest - near) / (same - near))) * ALIKE_COUNTS
        return max(0.0, support.similarity) * max(support.examples / (support.examples + self._config["doubt"]), alike)

    def decide(
        self,
        intent: Text,
        score: float,
        level: Text,
        example_of: Optional[Text] = None,
        *,
        requests: bool = False,
        in_form: bool = False,
    ) -> SkillDecision:
        """Return the intent to act on, ignoring forms; ``level`` is empty without a retrieval result.

        Without anything to stop, "I want to cancel" is a question: about a contract, an order, an account.
        """
        if example_of is not None and example_of != OUT_OF_SCOPE:
            return SkillDecision(example_of, "wording")
        if level == "exact":
            return SkillDecision(ASK_KNOWLEDGE, "exact")
        if intent == STOP and not in_form and (level in SOMETHING or score < self._config["certain"]):
            return SkillDecision(ASK_KNOWLEDGE, level) if level in SOMETHING else SkillDecision(OUT_OF_SCOPE, "low")
        return self._by_score(intent, score, level, requests=requests)

    def _by_score(self, intent: Text, score: float, level: Text, *, requests: bool) -> SkillDecision:
        if intent != OUT_OF_SCOPE and score >= self._select_threshold(level, requests=requests):
            return SkillDecision(intent, "certain" if score >= self._config["certain"] else "sure")
        if level in ("sure", "probable"):
            return SkillDecision(ASK_KNOWLEDGE, level)
        if intent == OUT_OF_SCOPE or score < self._config["unsure"]:
            return SkillDecision(OUT_OF_SCOPE, "low")
        asks = level == "unsure" or intent == ASK_KNOWLEDGE
        return SkillDecision(ASK_KNOWLEDGE if asks else DEFAULT_NLU_FALLBACK_INTENT_NAME, "unsure")

    def _select_threshold(self, level: Text, *, requests: bool) -> float:
        sure, certain = self._config["sure"], self._config["certain"]
        if requests or level in ("", "none"):
            return float(sure)
        return float(certain if level in ("sure", "probable") else (sure + certain) / 2)

    def _taken_as_value(self, message: Message) -> Optional[SkillDecision]:
        """Take a message that is only an order number or an e-mail address as a value, whatever matches it."""
        informs = any(each["name"] == INFORM for each in message.get(INTENT_RANKING_KEY) or [])
        is_value = re.search(r"[\d@]", message.get(TEXT)) is not None and not re.search(
            r"\w", _beside_entities(message)
        )
        return SkillDecision(INFORM, "value") if informs and is_value else None

    def _taken_by_form(
        self, message: Message, form: Optional[Waiting], intent: Text, score: float
    ) -> Optional[SkillDecision]:
        """Take a message to a waiting form, unless it is a question: as an answer, or as something the form cannot use."""
        if form is None:
            return None
        text, entities = message.get(TEXT), message.get(ENTITIES, [])
        if form.puts_right(text, entities):
            return SkillDecision(DEFAULT_NLU_FALLBACK_INTENT_NAME, "correction")
        if form.is_optional() and _is_no(text):
            return SkillDecision(INFORM, "form")
        if form.lacks(text):
            return SkillDecision(DEFAULT_NLU_FALLBACK_INTENT_NAME, "lacking")
        agreed = self._match_agreement(message, form, intent, score)
        alone = self.decide(intent, score, "", message.get(SUPPORT).example_of, in_form=True).intent
        return agreed or self._taken_as_awaited(message, form, alone)

    def _match_agreement(self, message: Message, form: Waiting, intent: Text, score: float) -> Optional[SkillDecision]:
        """Match an awaited yes or no, also at the start of a sentence; a yes with a "but" does not count."""
        support = message.get(SUPPORT)
        sure, unsure = self._config["sure"], self._config["unsure"]
        needed = (sure + unsure) / 2 if intent in form.agreements() else unsure
        likely = intent if score >= needed else None
        said = next((one for one in (support.example_of, support.begins, likely) if one in form.intents()), None)
        if said is None:
            return None
        doubted = said in form.agreements() and said != support.example_of and _BUT.search(message.get(TEXT))
        return SkillDecision(DEFAULT_NLU_FALLBACK_INTENT_NAME if doubted else said, "form")

    def _taken_as_awaited(self, message: Message, form: Waiting, alone: Text) -> Optional[SkillDecision]:
        """Take the value that the form waits for; ``alone`` is the message's intent without a form."""
        entities = {entity[ENTITY_ATTRIBUTE_TYPE] for entity in message.get(ENTITIES, [])}
        wanted = INFORM if alone in (INFORM, DEFAULT_NLU_FALLBACK_INTENT_NAME) else alone
        if entities & set(form.entities()) or form.takes_text_as(wanted):
            return SkillDecision(INFORM if alone in NOTHING_ELSE else alone, "form")
        has_number = re.search(r"\d", _beside_entities(message)) is not None
        is_described = has_number or alone in self._config["described"].get(form.form, ())
        is_free = alone in NOTHING_ELSE or (is_described and message.get(SUPPORT).example_of is None)
        return SkillDecision(INFORM, "form") if form.takes_text() and is_free else None


def _is_unusable_value(message: Message, level: Text) -> bool:
    """Whether it is a wrong answer rather than a question to a waiting form; also one or two words without a sure match."""
    words = len(message.get(TEXT).split())
    return level in ("", "none") or (level == "unsure" and words < FEW_WORDS) or (level == "probable" and words == 1)


def _is_no(text: Text) -> bool:
    return re.match(rf"^\W*{build_phrase_pattern('refuses')}\W*$", text, re.IGNORECASE) is not None


def _says_something(message: Message) -> bool:
    """Whether it has a letter, number or symbol, such as a smiley; punctuation alone or one repeated key resembles no example."""
    signs = [sign.lower() for sign in message.get(TEXT) if unicodedata.category(sign)[0] in "LNS"]
    is_held_down = len(signs) > LONGEST_RUN and len(set(signs)) == 1 and signs[0].isalpha()
    return bool(signs) and not is_held_down


def _names_own(message: Message) -> bool:
    """Whether it has an order number, e-mail address or the like, which no knowledge entry covers."""
    return any(_OWN.search(message.get(TEXT)[each["start"] : each["end"]]) for each in message.get(ENTITIES, []))


def _beside_entities(message: Message) -> Text:
    """Return the message with the characters of entities blanked."""
    left = list(message.get(TEXT))
    for entity in message.get(ENTITIES, []):
        left[entity["start"] : entity["end"]] = " " * (entity["end"] - entity["start"])
    return "".join(left)
