"""Decides what the assistant may act on: sure, ask back, or out of scope."""

from __future__ import annotations

import time
from typing import Any, Dict, List, Text, Type

from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.nlu.classifiers.classifier import IntentClassifier
from rasa.shared.constants import DEFAULT_NLU_FALLBACK_INTENT_NAME
from rasa.shared.exceptions import InvalidConfigException
from rasa.shared.nlu.constants import INTENT
from rasa.shared.nlu.training_data.message import Message

from bot.components.embedding import STARTED
from bot.components.intents import OUT_OF_SCOPE, SUPPORT, NeighbourLogisticRegression, Support

OOS_SCORE = "oos_score"
NLU_MS = "nlu_ms"


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.INTENT_CLASSIFIER, is_trainable=False)
class OutOfScopeComponent(IntentClassifier, GraphComponent):
    """Score = probability of the intent x similarity to the nearest example in scope x evidence.

    The probability alone is sure of anything that has a familiar word; the similarity alone cannot tell two intents
    apart; their product separates better than either. Evidence is n / (n + ``doubt``) for an intent of n examples:
    what is known from five examples is never as sure as what is known from a hundred, and this is what lets one set
    of thresholds serve a bot of 300 examples and one of 15,000.
    """

    @classmethod
    def required_components(cls) -> List[Type]:
        """It judges what that one found."""
        return [NeighbourLogisticRegression]

    @staticmethod
    def get_default_config() -> Dict[Text, Any]:
        """``sure``: keep the intent from this score on; ``unsure``: ask back from this one on; ``doubt``: see above."""
        return {"sure": 0.19, "unsure": 0.09, "doubt": 20}

    @classmethod
    def validate_config(cls, config: Dict[Text, Any]) -> None:
        """0 <= unsure <= sure <= 1, and no negative doubt."""
        if not 0 <= config["unsure"] <= config["sure"] <= 1:
            raise InvalidConfigException("OutOfScopeComponent needs 0 <= unsure <= sure <= 1")
        if config["doubt"] < 0:
            raise InvalidConfigException("OutOfScopeComponent: doubt must not be below 0")

    @classmethod
    def create(
        cls,
        config: Dict[Text, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> OutOfScopeComponent:
        """Build it as the graph asks for it."""
        return cls(config)

    def __init__(self, config: Dict[Text, Any]) -> None:
        self._config = config

    def process(self, messages: List[Message]) -> List[Message]:
        """Judge each message, and note the score and the time the pipeline took."""
        for message in messages:
            self._judge(message)
            if message.get(STARTED) is not None:
                elapsed = (time.perf_counter() - message.get(STARTED)) * 1000
                message.set(NLU_MS, round(elapsed, 2), add_to_output=True)
        return messages

    def _judge(self, message: Message) -> None:
        """The ranking stays as it is, so that the assistant can offer what it holds likeliest."""
        intent, support = message.get(INTENT), message.get(SUPPORT)
        score = intent["confidence"] * self._weight(support)
        message.set(OOS_SCORE, round(score, 4), add_to_output=True)
        message.set(INTENT, {**intent, "name": self.band(intent["name"], score)}, add_to_output=True)

    def _weight(self, support: Support) -> float:
        evidence = support.examples / (support.examples + self._config["doubt"]) if support.examples else 0.0
        return max(0.0, support.similarity) * evidence

    def band(self, intent: Text, score: float) -> Text:
        """The intent to act on."""
        if intent == OUT_OF_SCOPE or score < self._config["unsure"]:
            return OUT_OF_SCOPE
        return intent if score >= self._config["sure"] else DEFAULT_NLU_FALLBACK_INTENT_NAME
