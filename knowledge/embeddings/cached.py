"""An embedder with a cache, since sentences of evidence recur with every question."""

from __future__ import annotations

from collections import OrderedDict
from threading import Lock

import numpy as np
import numpy.typing as npt

from knowledge.types import Embeds

TEXTS = 20_000
"""About 30 MB of vectors with 384 dimensions."""


class CachedEmbedder:
    """Caches the vectors of the ``TEXTS`` most recently used texts."""

    def __init__(self, embedder: Embeds, size: int = TEXTS) -> None:
        self._embedder = embedder
        self._size = size
        self._known: OrderedDict[str, npt.NDArray[np.float32]] = OrderedDict()
        self._lock = Lock()

    def embed(self, texts: list[str]) -> npt.NDArray[np.float32]:
        """Return one row per text."""
        with self._lock:
            found = {text: self._known[text] for text in texts if text in self._known}
        new = list(dict.fromkeys(text for text in texts if text not in found))
        found |= zip(new, self._embedder.embed(new), strict=True) if new else {}
        with self._lock:
            self._known |= found
            for text in found:
                self._known.move_to_end(text)
            while len(self._known) > self._size:
                self._known.popitem(last=False)
        return np.stack([found[text] for text in texts]) if texts else self._embedder.embed([])
