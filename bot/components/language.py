"""Adds the conversation's language, as sent by `app`, to each message as an entity that fills the slot ``language``."""

from __future__ import annotations

from typing import Any, Dict, List, Text

from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.shared.nlu.constants import ENTITIES, METADATA, TEXT
from rasa.shared.nlu.training_data.message import Message

LANGUAGE = "language"
"""Key of the message's metadata, the entity and the slot; an ISO 639-1 code."""


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.ENTITY_EXTRACTOR, is_trainable=False)
class ConversationLanguage(GraphComponent):
    """Adds the entity; must be last in the pipeline, because the entity has no words in the message."""

    @classmethod
    def create(
        cls,
        config: Dict[Text, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> ConversationLanguage:
        """Create the component for Rasa's graph."""
        return cls()

    def process(self, messages: List[Message]) -> List[Message]:
        """Add the entity if the language is known."""
        for message in messages:
            language = (message.get(METADATA) or {}).get(LANGUAGE)
            if language and message.get(TEXT):
                entity = {"entity": LANGUAGE, "value": language, "start": 0, "end": 0, "extractor": type(self).__name__}
                message.set(ENTITIES, [*message.get(ENTITIES, []), entity], add_to_output=True)
        return messages
