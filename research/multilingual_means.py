"""Writes the mean vectors of questions and passages in other languages: `python -m research.multilingual_means`.

Of the help centres of ours that may be tuned on (`benchmarks/answers/languages`); see `knowledge/embeddings/multilingual.py`.
"""

from __future__ import annotations

import numpy as np

from benchmarks.answers.worlds import LANGUAGES_TUNED, language_worlds
from benchmarks.public_data import read_rows
from knowledge.embeddings.multilingual import COMMON, MultilingualEmbedder
from knowledge.relevance.reader import describe_entry


def main() -> None:
    """Read every text once and write."""
    embedder = MultilingualEmbedder()
    worlds = [world for world in language_worlds() if world.name in LANGUAGES_TUNED]
    rows = [row for world in worlds for row in read_rows(world.documents)]
    asked = [case.text for world in worlds for case in world.cases]
    passages = [describe_entry(row["category"], row["question"], row["answer"]) for row in rows]
    means = [embedder.read(texts, is_question=texts is asked).mean(0) for texts in (asked, passages)]
    np.save(COMMON, np.stack(means).astype(np.float32))


if __name__ == "__main__":
    main()
