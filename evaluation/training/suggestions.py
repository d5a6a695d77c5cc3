"""Propose examples and new intents by clustering messages that were not understood."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

import numpy as np
import numpy.typing as npt
from sqlalchemy import select
from sqlalchemy.orm import Session

from core.bot.parts import BotParts
from core.db.models import Message, TrainingExample, Turn, get_current_time
from evaluation.training.data import Example, read_parts
from evaluation.training.examples import propose_example
from knowledge.types import Embeds

MESSAGES = 1000
"""Maximum number of recent unknown messages; clustering needs memory quadratic in their number."""
ALIKE = 0.55
"""Minimum average cosine similarity within a cluster."""
KNOWN = 0.72
"""Minimum cosine similarity at which a cluster belongs to an existing intent."""
LEAST = 3
"""Minimum number of messages in a cluster."""
_WORD = re.compile(r"[a-z]{3,}")
_COMMON = frozenset(
    ["the", "and", "for", "you", "your", "can", "could", "would", "will", "what", "when", "where", "who", "why", "how", "are", "was", "does", "did", "has", "have", "had", "this", "that", "with", "from", "into", "about", "not", "but", "get", "got", "need", "want", "please", "there", "any", "some", "its", "it's", "mine", "our", "out", "off", "who's", "just", "know", "tell"]
)  # fmt: skip


@dataclass(frozen=True)
class Cluster:
    """Similar messages, with their likely intent."""

    intent: str
    known: bool
    """Whether the intent exists already."""
    texts: Sequence[str]


def suggest_examples(
    session: Session, tenant_id: str, parts: BotParts, embedder: Embeds, days: int = 30
) -> list[Cluster]:
    """Propose training examples from recent unknown messages, except those decided before."""
    clusters = find_clusters(_list_unknown_messages(session, tenant_id, days), read_parts(parts), embedder)
    for cluster in clusters:
        for text in cluster.texts:
            propose_example(session, tenant_id, Example(text, cluster.intent), "suggestion", "cluster")
    return clusters


def find_clusters(texts: list[str], examples: list[Example], embedder: Embeds) -> list[Cluster]:
    """Return the clusters, largest first; new names are unique among clusters and intents."""
    if len(texts) < LEAST:
        return []
    vectors = embedder.embed(texts)
    known = embedder.embed([example.text for example in examples]) if examples else vectors[:0]
    intents = {example.intent for example in examples}
    found: dict[str, Cluster] = {}
    for members in sorted(cluster_vectors(vectors), key=len, reverse=True):
        if len(members) < LEAST:
            continue
        inside = [texts[i] for i in members]
        near = _find_nearest_intent(vectors[members], known, examples)
        name = near or _choose_free_name(_build_cluster_name(inside, texts), {*intents, *found})
        earlier = found.get(name)
        found[name] = Cluster(name, bool(near), (*(earlier.texts if earlier else ()), *inside))
    return sorted(found.values(), key=lambda cluster: -len(cluster.texts))


def cluster_vectors(vectors: npt.NDArray[np.float32], alike: float = ALIKE) -> list[list[int]]:
    """Cluster by average linkage: merge the two most similar clusters until none are similar enough."""
    members = [[i] for i in range(len(vectors))]
    similar = (vectors @ vectors.T).astype(np.float64)
    np.fill_diagonal(similar, -1.0)
    while len(members) > 1:
        one, other = sorted(divmod(int(similar.argmax()), len(members)))
        if similar[one, other] < alike:
            break
        a, b = len(members[one]), len(members[other])
        merged = (a * similar[one] + b * similar[other]) / (a + b)
        similar[one], similar[:, one] = merged, merged
        similar[one, one] = -1.0
        similar = np.delete(np.delete(similar, other, axis=0), other, axis=1)
        members[one] += members.pop(other)
    return members


def _list_unknown_messages(session: Session, tenant_id: str, days: int) -> list[str]:
    """Return unknown messages without duplicates, newest first."""
    rows = session.scalars(
        select(Message.text)
        .join(Turn, Turn.message_id == Message.id)
        .where(
            Turn.tenant_id == tenant_id,
            Turn.outcome == "unknown",
            Turn.created_at > get_current_time() - timedelta(days=days),
        )
        .order_by(Turn.id.desc())
        .limit(MESSAGES)
    )
    decided = {
        _build_text_key(text) for text in session.scalars(select(TrainingExample.text).filter_by(tenant_id=tenant_id))
    }
    new = {_build_text_key(text): " ".join(text.split()) for text in rows if not text.startswith("/")}
    return [text for key, text in new.items() if key and key not in decided]


def _find_nearest_intent(
    vectors: npt.NDArray[np.float32], known: npt.NDArray[np.float32], examples: list[Example]
) -> str | None:
    """Return the intent closest to most of the messages, or None if it is not close enough."""
    if not len(known):
        return None
    similar = vectors @ known.T
    best = similar.argmax(axis=1)
    intent, votes = Counter(examples[i].intent for i in best).most_common(1)[0]
    mine = [i for i, at in enumerate(best) if examples[at].intent == intent]
    near = float(similar.max(axis=1)[mine].mean()) >= KNOWN
    return intent if near and votes > len(vectors) / 2 else None


def _build_cluster_name(inside: Sequence[str], everything: Sequence[str]) -> str:
    """Join the two words that are frequent in the cluster and rare elsewhere."""
    here = Counter(word for text in inside for word in _extract_terms(text))
    there = Counter(word for text in everything for word in _extract_terms(text))
    best = sorted(here, key=lambda word: (-(here[word] ** 2) / there[word], word))[:2]
    return "_".join(best) or "unknown_topic"


def _extract_terms(text: str) -> set[str]:
    return set(_WORD.findall(text.lower())) - _COMMON


def _choose_free_name(name: str, taken: set[str]) -> str:
    candidates = (name, *(f"{name}_{n}" for n in range(2, 1000)))
    return next(candidate for candidate in candidates if candidate not in taken)


def _build_text_key(text: str) -> str:
    return " ".join(text.casefold().split())
