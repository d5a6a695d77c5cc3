"""Intent classification by logistic regression on embeddings, corrected by each intent's most similar example.

Rasa's own class fixes C = 1 and balanced class weights, with which unit vectors hardly count, and stacks one sparse row per
message, which for 15,000 examples takes longer than the fit. Regression alone ignores a single example that nearly equals the
message; the most similar one, by meaning and by characters, restores it (BANKING77, a split of train: 91.0 -> 92.4 %).
Characters also cover typos and scripts that the embedding does not know.
"""

from __future__ import annotations

import json
import re
import unicodedata
from dataclasses import dataclass
from typing import Any, Dict, List, Optional, Set, Text, Tuple, Type

import numpy as np
from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.nlu.classifiers import LABEL_RANKING_LENGTH
from rasa.nlu.classifiers.classifier import IntentClassifier
from rasa.nlu.featurizers.dense_featurizer.dense_featurizer import DenseFeaturizer
from rasa.nlu.featurizers.sparse_featurizer.sparse_featurizer import SparseFeaturizer
from rasa.shared.exceptions import InvalidConfigException
from rasa.shared.nlu.constants import ENTITIES, INTENT, INTENT_RANKING_KEY, TEXT
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData
from scipy.sparse import csr_matrix, spmatrix, vstack
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import normalize

from bot.components.forms import UNSPACED
from bot.components.words import build_phrase_pattern

OUT_OF_SCOPE = "out_of_scope"
SUPPORT = "nlu_support"
"""Message key: the training data's support for the intent; never part of the output."""
FILE = "intents.npz"
CANDIDATES = 10
"""Number of likeliest intents, by regression, that are compared with their examples."""
FIRST_WORDS = 4
"""Maximum number of first words that are read as a yes or no at the start of a sentence."""
MASK = "\ue000"
"""Prefix of an entity's name in a masked text."""
_POLITE = re.compile(rf"^(?:{build_phrase_pattern('polite')} )+|(?: {build_phrase_pattern('polite')})+$")
LAST_LATIN = "\u024f"


@dataclass(frozen=True)
class Support:
    """How well the training data supports a message."""

    similarity: float
    """Cosine similarity to the nearest in-scope example."""
    examples: int
    """Number of examples of the likeliest intent; 0 for out of scope."""
    example_of: Optional[Text] = None
    """The intent with an example that equals this message."""
    nearest: float = 0.0
    """Cosine similarity to the nearest example of the likeliest intent."""
    begins: Optional[Text] = None
    """The intent with an example that equals the longest possible start of the message."""


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.INTENT_CLASSIFIER, is_trainable=True)
class ExampleNeighbours(IntentClassifier, GraphComponent):
    """Remembers all examples and computes their similarity to a message classified by another component.

    It lets `OutOfScopeComponent` judge the intents of any preceding classifier, such as Rasa's own.
    """

    @classmethod
    def required_components(cls) -> List[Type]:
        """Return the featurizer for the embedding."""
        return [DenseFeaturizer]

    @staticmethod
    def get_default_config() -> Dict[Text, Any]:
        """``meaning``, ``writing``: aliases of the featurizers to read; None if the pipeline has one of each."""
        return {"meaning": None, "writing": None}

    @classmethod
    def create(
        cls,
        config: Dict[Text, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> ExampleNeighbours:
        """Create the component for Rasa's graph."""
        return cls(config, model_storage, resource)

    def __init__(self, config: Dict[Text, Any], model_storage: ModelStorage, resource: Resource) -> None:
        self._config = config
        self._model_storage = model_storage
        self._resource = resource

    def train(self, training_data: TrainingData) -> Resource:
        examples = [e for e in training_data.intent_examples if e.get(INTENT) and e.get(TEXT)]
        if len({e.get(INTENT) for e in examples}) < 2:
            raise InvalidConfigException(f"{type(self).__name__} needs examples of two intents at least")
        examples.sort(key=lambda example: example.get(INTENT))
        with self._model_storage.write_to(self._resource) as folder:
            np.savez_compressed(folder / FILE, **self._fit_examples(examples))
        return self._resource

    def _fit_examples(self, examples: List[Message]) -> Dict[Text, np.ndarray]:
        intents, firsts = np.unique([example.get(INTENT) for example in examples], return_index=True)
        return {
            "intents": intents.astype(str),
            "firsts": firsts,
            "patterns": _pack_wordings(_collect_patterns(examples)),
            "wordings": _pack_wordings(
                {normalise_text(example.get(TEXT)): example.get(INTENT) for example in examples}
            ),
            "vectors": self._vectors_of(examples).astype(np.float16),
        }

    @classmethod
    def load(
        cls,
        config: Dict[Text, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
        **kwargs: Any,
    ) -> ExampleNeighbours:
        """Load the component from a model."""
        component = cls(config, model_storage, resource)
        with model_storage.read_from(resource) as folder, np.load(folder / FILE) as found:
            component._restore_arrays(dict(found))
        return component

    def _restore_arrays(self, found: Dict[Text, np.ndarray]) -> None:
        self._intents: List[Text] = found["intents"].tolist()
        self._wordings = _unpack_wordings(found["wordings"]) if "wordings" in found else {}
        self._patterns = _unpack_wordings(found["patterns"]) if "patterns" in found else {}
        self._vectors = found["vectors"].astype(np.float32)
        bounds = np.r_[found["firsts"], len(self._vectors)]
        self._rows = [slice(first, after) for first, after in zip(bounds, bounds[1:])]
        self._inside = np.array([name != OUT_OF_SCOPE for name in self._intents])
        self._sizes = [int(size) if inside else 0 for size, inside in zip(np.diff(bounds), self._inside)]

    def process(self, messages: List[Message]) -> List[Message]:
        """Add the support to each message."""
        for message in messages:
            self._compare_message(message)
        return messages

    def _compare_message(self, message: Message) -> None:
        vector = self._vectors_of([message])[0]
        meaning = np.array([(self._vectors[rows] @ vector).max() for rows in self._rows])
        intent = message.get(INTENT) or {"name": None, "confidence": 0.0}
        place = self._intents.index(intent["name"]) if intent["name"] in self._intents else None
        similarity = float(meaning[self._inside].max(initial=0.0))
        self._set_support(message, similarity, place, 0.0 if place is None else float(meaning[place]))
        message.set(INTENT, intent, add_to_output=True)

    def _set_support(self, message: Message, similarity: float, likeliest: Optional[int], nearest: float) -> None:
        example_of, begins = self._match_wording(normalise_text(message.get(TEXT)))
        example_of = example_of or self._patterns.get(build_pattern(message))
        size = 0 if likeliest is None else self._sizes[likeliest]
        message.set(SUPPORT, Support(similarity, size, example_of, nearest, begins))

    def _match_wording(self, said: Text) -> Tuple[Optional[Text], Optional[Text]]:
        """Return the intents whose examples equal the whole message, and its first words."""
        words = said.split()
        first = (" ".join(words[:count]) for count in range(min(FIRST_WORDS, len(words)), 0, -1))
        begins = next((self._wordings[each] for each in first if each in self._wordings), None)
        return self._wordings.get(said), begins or self._begun_without_space(said)

    def _begun_without_space(self, said: Text) -> Optional[Text]:
        """Match the start of a message in languages without spaces between words."""
        if not UNSPACED.match(said):
            return None
        fitting = [each for each in self._wordings if UNSPACED.match(each) and said.startswith(each)]
        return self._wordings[max(fitting, key=len)] if fitting else None

    def _vectors_of(self, messages: List[Message]) -> np.ndarray:
        named = [self._config["meaning"]] if self._config["meaning"] else None
        features = [message.get_dense_features(TEXT, named)[1] for message in messages]
        if any(feature is None for feature in features):
            raise InvalidConfigException(f"{type(self).__name__} needs SentenceEmbeddingFeaturizer before it")
        return np.vstack([feature.features for feature in features]).astype(np.float32)

    def _count_characters(self, message: Message) -> spmatrix:
        named = [self._config["writing"]] if self._config["writing"] else None
        feature = message.get_sparse_features(TEXT, named)[1]
        if feature is None:
            raise InvalidConfigException(f"{type(self).__name__} needs CountVectorsFeaturizer before it")
        return feature.features


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.INTENT_CLASSIFIER, is_trainable=True)
class NeighbourLogisticRegression(ExampleNeighbours):
    """softmax((regression + ``neighbour_weight`` x similarity to each intent's nearest example) / ``temperature``)."""

    @classmethod
    def required_components(cls) -> List[Type]:
        """Return the featurizers for embedding and characters."""
        return [DenseFeaturizer, SparseFeaturizer]

    @staticmethod
    def required_packages() -> List[Text]:
        """Return the packages that must be importable."""
        return ["sklearn"]

    @staticmethod
    def get_default_config() -> Dict[Text, Any]:
        """``C``: lower is smoother; ``characters``: their share of the similarity; ``temperature``: higher is less confident.

        ``other_scripts``: whether the embedding supports non-Latin scripts; if not, only characters count for such messages.
        """
        own = {"C": 30.0, "neighbour_weight": 10.0, "characters": 0.5, "temperature": 1.5, "other_scripts": False}
        return {**ExampleNeighbours.get_default_config(), **own}

    @classmethod
    def validate_config(cls, config: Dict[Text, Any]) -> None:
        """Check the ranges of the numbers."""
        if not (config["C"] > 0 and config["temperature"] > 0):
            raise InvalidConfigException("NeighbourLogisticRegression: C and temperature must be above 0")
        if config["neighbour_weight"] < 0:
            raise InvalidConfigException("NeighbourLogisticRegression: neighbour_weight must not be below 0")
        if not 0 <= config["characters"] <= 1:
            raise InvalidConfigException("NeighbourLogisticRegression: characters must be between 0 and 1")

    def _fit_examples(self, examples: List[Message]) -> Dict[Text, np.ndarray]:
        """Fit the regression in addition."""
        regression = LogisticRegression(C=self._config["C"], max_iter=100, tol=1e-3)
        counts = vstack([self._count_characters(message) for message in examples], format="csr").astype(np.float32)
        regression.fit(self._vectors_of(examples), [example.get(INTENT) for example in examples])
        inverse_frequency = _inverse_document_frequency(counts)
        grams = _weigh_counts(counts, inverse_frequency)
        two_sided = len(regression.coef_) == 1  # for two intents, scikit-learn fits only the second
        return {
            **super()._fit_examples(examples),
            "coefficients": np.vstack([-regression.coef_, regression.coef_]) if two_sided else regression.coef_,
            "intercepts": np.r_[-regression.intercept_, regression.intercept_] if two_sided else regression.intercept_,
            "inverse_frequency": inverse_frequency,
            "grams_data": grams.data.astype(np.float16),
            "grams_indices": grams.indices,
            "grams_indptr": grams.indptr,
        }

    def _restore_arrays(self, found: Dict[Text, np.ndarray]) -> None:
        super()._restore_arrays(found)
        self._coefficients = found["coefficients"].astype(np.float32)
        self._intercepts = found["intercepts"].astype(np.float32)
        self._inverse_frequency = found["inverse_frequency"]
        parts = (found["grams_data"].astype(np.float32), found["grams_indices"], found["grams_indptr"])
        grams = csr_matrix(parts, shape=(len(self._vectors), len(self._inverse_frequency)))
        self._grams = [grams[rows] for rows in self._rows]

    def _compare_message(self, message: Message) -> None:
        """Rank the intents in addition."""
        vector = self._vectors_of([message])[0]
        regression = self._coefficients @ vector + self._intercepts
        is_read = self._config["other_scripts"] or _is_latin(message.get(TEXT))
        regression = regression if is_read else np.zeros_like(regression)
        candidates = np.sort(np.argsort(-regression)[: CANDIDATES if is_read else None])
        meaning, characters = self._compute_similarities(candidates, vector, message)
        meaning = meaning if is_read else characters
        part = self._config["characters"]
        nearest = (1 - part) * meaning + part * characters
        logits = regression[candidates] + self._config["neighbour_weight"] * nearest
        probabilities = np.exp((logits - logits.max()) / self._config["temperature"])
        probabilities /= probabilities.sum()
        order = np.argsort(-probabilities)
        ranking = [
            {"name": self._intents[candidates[i]], "confidence": float(probabilities[i])}
            for i in order[:LABEL_RANKING_LENGTH]
        ]
        similarity = float(meaning[self._inside[candidates]].max(initial=0.0))
        self._set_support(message, similarity, candidates[order[0]], float(meaning[order[0]]))
        message.set(INTENT, ranking[0], add_to_output=True)
        message.set(INTENT_RANKING_KEY, ranking, add_to_output=True)

    def _compute_similarities(
        self, candidates: np.ndarray, vector: np.ndarray, message: Message
    ) -> Tuple[np.ndarray, np.ndarray]:
        """Return each candidate's highest similarity by meaning and by characters."""
        grams = _weighed_row(self._count_characters(message), self._inverse_frequency)
        meaning = [(self._vectors[self._rows[i]] @ vector).max() for i in candidates]
        characters = [(self._grams[i] @ grams).max() for i in candidates]
        return np.array(meaning), np.array(characters)


def _is_latin(text: Text) -> bool:
    letters = [letter for letter in text if letter.isalpha()]
    return sum(letter <= LAST_LATIN for letter in letters) * 2 >= len(letters)


def normalise_text(text: Text) -> Text:
    """Return the words without case and punctuation; a text of punctuation only is kept (":)", "?")."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    kept = "".join(c for c in folded if unicodedata.category(c)[0] != "P")
    return " ".join(kept.split()) or " ".join(folded.split())


def mask_entities(message: Message) -> Text:
    """Replace the values of entities by their names: "book a massage" becomes "book a {treatment}"."""
    text, end = message.get(TEXT), 0
    masked = []
    for entity in sorted(message.get(ENTITIES) or [], key=lambda each: each["start"]):
        if entity["start"] >= end:  # several extractors may have found it
            masked += [text[end : entity["start"]], f" {MASK}{entity['entity']} "]
            end = entity["end"]
    return normalise_text("".join([*masked, text[end:]]))


def build_pattern(message: Message) -> Text:
    """Mask entities and remove polite phrases: "I'd like to book a massage, please" becomes "book a {treatment}"."""
    masked = mask_entities(message)
    return _POLITE.sub("", masked).strip() or masked


def _collect_patterns(examples: List[Message]) -> Dict[Text, Text]:
    """Map patterns of examples to intents, without ambiguous ones and single words, which may mean many things ("cancel")."""
    found: Dict[Text, Set[Text]] = {}
    for example in examples:
        pattern = build_pattern(example)
        if " " in pattern or MASK in pattern:
            found.setdefault(pattern, set()).add(example.get(INTENT))
    return {words: next(iter(intents)) for words, intents in found.items() if len(intents) == 1}


def _pack_wordings(wordings: Dict[Text, Text]) -> np.ndarray:
    return np.frombuffer(json.dumps(wordings).encode(), np.uint8)


def _unpack_wordings(packed: np.ndarray) -> Dict[Text, Text]:
    found: Dict[Text, Text] = json.loads(packed.tobytes())
    return found


def _inverse_document_frequency(counts: csr_matrix) -> np.ndarray:
    """Return smoothed values, as in scikit-learn's ``TfidfTransformer``."""
    frequency = np.bincount(counts.indices, minlength=counts.shape[1])
    return (np.log((1 + counts.shape[0]) / (1 + frequency)) + 1).astype(np.float32)


def _weigh_counts(counts: csr_matrix, inverse_frequency: np.ndarray) -> csr_matrix:
    """Return rows of unit length, whose dot product is their cosine."""
    grams = csr_matrix((1 + np.log(counts.data), counts.indices, counts.indptr), shape=counts.shape)
    grams.data *= inverse_frequency[grams.indices]
    return normalize(grams, copy=False)


def _weighed_row(counted: spmatrix, inverse_frequency: np.ndarray) -> np.ndarray:
    """Weigh one message's counts as a plain vector; building and stacking a single row takes scipy 2 ms."""
    counts = counted.tocoo()
    row = np.zeros(len(inverse_frequency), np.float32)
    row[counts.col] = (1 + np.log(counts.data)) * inverse_frequency[counts.col]
    return row / max(float(np.linalg.norm(row)), 1e-9)
