"""The vector index on a real Chroma server."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import uuid4

import numpy as np
import pytest

from core.errors import KnowledgeUnavailable
from knowledge.index.vector_index import VectorIndex
from testing import services


@pytest.fixture
def index(chroma_url: str) -> Iterator[VectorIndex]:
    index = VectorIndex(chroma_url, "test-model")
    yield index
    index.close()


@pytest.fixture
def tenant(index: VectorIndex) -> str:
    tenant = f"ä tenant/{uuid4().hex[:8]}"
    index.create(tenant, "db1")
    return tenant


def unit(*values: float) -> np.ndarray:
    row = np.array([*values, 0, 0, 0], dtype=np.float32)
    return row / np.linalg.norm(row)


def test_gives_each_entry_its_best_cosine(index: VectorIndex, tenant: str) -> None:
    index.push(tenant, "db1", {"a": np.stack([unit(1, 0), unit(0, 1)]), "b": np.stack([unit(1, 1)])})
    scores = index.nearest(tenant, "db1", np.stack([unit(0, 1)]), 10)
    assert scores == pytest.approx({"a": 1.0, "b": 0.7071}, abs=1e-3)
    assert index.entry_ids(tenant, "db1") == {"a", "b"}
    assert index.vectors_of(tenant, "db1", {"a": 5, "x": 1})["a"].shape == (2, 5)


def test_forgets_phrasings_and_entries(index: VectorIndex, tenant: str) -> None:
    index.push(tenant, "db1", {"a": np.stack([unit(1, 0), unit(0, 1)]), "b": np.stack([unit(1, 1)])})
    index.remove(tenant, "db1", {"a": 1, "b": 0})
    assert index.nearest(tenant, "db1", np.stack([unit(0, 1)]), 10) == pytest.approx({"a": 0.0}, abs=1e-6)


def test_is_not_there_for_another_database_or_model(index: VectorIndex, tenant: str, chroma_url: str) -> None:
    other = VectorIndex(chroma_url, "other-model")
    assert index.exists(tenant, "db1")
    assert not index.exists(tenant, "db2")
    assert not other.exists(tenant, "db1")
    with pytest.raises(KnowledgeUnavailable, match="not been built"):
        other.nearest(tenant, "db1", np.stack([unit(1, 0)]), 3)
    other.close()


def test_a_server_that_is_away_is_left_alone_for_a_moment() -> None:
    now = [0.0]
    index = VectorIndex(f"http://127.0.0.1:{services.free_port()}", "m", clock=lambda: now[0])
    with pytest.raises(KnowledgeUnavailable) as first:
        index.exists("t", "db1")
    assert first.value.__cause__ is not None
    with pytest.raises(KnowledgeUnavailable) as second:
        index.exists("t", "db1")
    assert second.value.__cause__ is None
    now[0] = 2.0
    assert not index.is_alive()


def test_nobody_waits_long_for_a_query_but_a_write_may_take_its_time(index: VectorIndex, tenant: str) -> None:
    waited: dict[str, float] = {}
    session = index._get_client()._server._session
    session.event_hooks["request"] = [
        *session.event_hooks["request"],
        lambda request: waited.update({request.url.path.rpartition("/")[2]: request.extensions["timeout"]["read"]}),
    ]
    index.push(tenant, "db1", {"a": np.stack([unit(1, 0)])})
    index.nearest(tenant, "db1", np.stack([unit(1, 0)]), 1)
    assert waited["query"] == 5.0
    assert waited["upsert"] == 120.0
