"""Vector spaces, one per embedding model; a question is always embedded and searched in the same space."""

from __future__ import annotations

import logging
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from threading import Lock

from core.errors import KnowledgeUnavailable
from knowledge.embeddings.embedder import Embedder, ModelFiles
from knowledge.embeddings.multilingual import MultilingualEmbedder
from knowledge.index.entry_vectors import TextEmbedder
from knowledge.index.vector_index import VectorIndex
from knowledge.types import Embeds

log = logging.getLogger(__name__)

KEPT = 4
"""Maximum number of tuned models in memory, about 100 MB each."""


@dataclass(frozen=True)
class VectorSpace:
    """An embedding model, the multilingual model beside it, and the collections with their vectors."""

    embedder: Embeds
    index: VectorIndex
    multilingual: MultilingualEmbedder | None = None

    @property
    def texts(self) -> TextEmbedder:
        """An embedder for entries and queries."""
        return TextEmbedder(self.embedder, self.multilingual)


def load_tuned_embedder(folder: Path) -> Embedder:
    """Load a tuned embedding model.

    Raises:
        KnowledgeUnavailable: its files are missing or unreadable; the message names the folder and the remedy.
    """
    try:
        return Embedder(ModelFiles.in_folder(folder))
    except Exception as error:  # the errors of ONNX Runtime and tokenizers have no common base
        raise KnowledgeUnavailable(
            f"The embedding model {folder} cannot be loaded ({error}). Put the folder back, or go back to the model "
            "before it: `rejoinder embeddings rollback`."
        ) from error


class Spaces:
    """The base model's space, and those of the tuned models below ``home``."""

    def __init__(
        self,
        base: VectorSpace,
        home: Path,
        open_: Callable[[str], VectorIndex],
        load: Callable[[Path], Embeds] = load_tuned_embedder,
    ) -> None:
        self.base = base
        self._home = home
        self._open = open_
        self._load = load
        self._tuned: OrderedDict[str, VectorSpace] = OrderedDict()
        self._lock = Lock()

    def of(self, model: str | None) -> VectorSpace:
        """Return the space of a tuned model, given its folder below ``home``; None for the base model.

        Raises:
            KnowledgeUnavailable: the model cannot be loaded.
        """
        if model is None:
            return self.base
        with self._lock:
            if model not in self._tuned:
                self._tuned[model] = VectorSpace(
                    self._load(self._home / model), self._open(model), self.base.multilingual
                )
            self._tuned.move_to_end(model)
            if len(self._tuned) > KEPT:
                self._tuned.popitem(last=False)[1].index.close()
            return self._tuned[model]

    def serving(self, model: str | None) -> VectorSpace:
        """Like ``of``, for a customer's question; falls back to the base model if the model cannot be loaded."""
        try:
            return self.of(model)
        except KnowledgeUnavailable as error:
            log.error("the base embedding model answers instead: %s", error)  # noqa: TRY400 - the cause is in it
            return self.base

    def close(self) -> None:
        """Close all open connections."""
        for space in (self.base, *self._tuned.values()):
            space.index.close()
