"""Sentence embeddings as dense features for Rasa; also records when the pipeline started."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any, Dict, List, Optional, Text, Type

import numpy as np
from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.nlu.featurizers.dense_featurizer.dense_featurizer import DenseFeaturizer
from rasa.nlu.tokenizers.tokenizer import Tokenizer
from rasa.shared.exceptions import InvalidConfigException
from rasa.shared.nlu.constants import FEATURE_TYPE_SENTENCE, TEXT
from rasa.shared.nlu.training_data.features import Features
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData

from knowledge.embeddings.embedder import Embedder, EmbeddingModelMissing, ModelFiles

STARTED = "nlu_started"
"""Message key: start of the pipeline by the performance counter; never part of the output."""

_shared: Dict[Text, Embedder] = {}


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.MESSAGE_FEATURIZER, is_trainable=False)
class SentenceEmbeddingFeaturizer(DenseFeaturizer, GraphComponent):
    """Adds one unit vector per message, from a sentence-transformers model in ONNX."""

    @classmethod
    def required_components(cls) -> List[Type]:
        """Return the tokenizer, which other featurizers of the pipeline read from."""
        return [Tokenizer]

    @staticmethod
    def required_packages() -> List[Text]:
        """Return the packages that must be importable."""
        return ["onnxruntime", "tokenizers"]

    @staticmethod
    def get_default_config() -> Dict[Text, Any]:
        """``model``: a folder with ONNX weights, or None for the packaged all-MiniLM-L6-v2."""
        return {**DenseFeaturizer.get_default_config(), "model": None}

    @classmethod
    def validate_config(cls, config: Dict[Text, Any]) -> None:
        """Check that the folder contains a model."""
        folder = config.get("model")
        if folder:
            _require_model_files(folder)

    @classmethod
    def create(
        cls,
        config: Dict[Text, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> SentenceEmbeddingFeaturizer:
        """Create the component for Rasa's graph."""
        return cls(config, execution_context.node_name)

    def __init__(self, config: Dict[Text, Any], name: Text) -> None:
        super().__init__(name, config)
        self._embedder = _get_embedder(config.get("model"))

    def process(self, messages: List[Message]) -> List[Message]:
        """Add the vectors of all messages, embedded as one batch."""
        started = time.perf_counter()
        texts = [message.get(TEXT) or "" for message in messages]
        for message, vector in zip(messages, self._embedder.embed(texts)):
            message.set(STARTED, started)
            self._add_vector(message, vector)
        return messages

    def process_training_data(self, training_data: TrainingData) -> TrainingData:
        """Add the vectors of all training examples with a text."""
        examples = [example for example in training_data.training_examples if example.get(TEXT)]
        examples.sort(key=lambda example: len(example.get(TEXT)))  # batches of similar length need the least padding
        self.process(examples)
        return training_data

    def _add_vector(self, message: Message, vector: np.ndarray) -> None:
        row = vector[np.newaxis, :]
        message.add_features(Features(row, FEATURE_TYPE_SENTENCE, TEXT, self._identifier))


def _require_model_files(folder: Text) -> ModelFiles:
    try:
        return ModelFiles.in_folder(Path(folder))
    except EmbeddingModelMissing as error:
        raise InvalidConfigException(f"SentenceEmbeddingFeaturizer, setting 'model': {error}") from error


def _get_embedder(folder: Optional[Text]) -> Embedder:
    """Return the process-wide model, shared by all graphs (training, serving, a newly loaded model)."""
    key = folder or ""
    if key not in _shared:
        _shared[key] = Embedder(_require_model_files(folder) if folder else None)
    return _shared[key]
