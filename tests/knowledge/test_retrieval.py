"""Retrieval: by meaning and by words, only what may be served, and with an index that comes and goes."""

from __future__ import annotations

import fcntl
from itertools import product
from pathlib import Path

import numpy as np
import pytest

from core.db import Database
from core.db.upgrade import upgrade_database
from core.settings import Settings
from knowledge.embeddings.embedder import Embedder
from knowledge.entries.content import Content
from knowledge.entries.editor import EntryEditor
from knowledge.index.retriever import fuse_rankings
from knowledge.index.synchroniser import Synchroniser
from knowledge.services import Knowledge
from testing import services
from testing.instance import chroma_server
from tests.knowledge.conftest import BY_TEST, Shop, opened

HOUSE = ("Dogs are welcome.", "Cars stay outside.", "Breakfast is at eight.")


@pytest.fixture
def stocked(shop: Shop) -> Shop:
    shop.add("How long do I have to return an item?", "30 days.")
    shop.add("Which payment methods do you accept?", "Visa and PayPal.")
    shop.add("Do you ship to Ireland?", "Yes, for £9.95.")
    shop.add("Error E-4711 is shown, what now?", "Restart it.")
    shop.sync()
    return shop


def test_finds_by_meaning_and_by_words(stocked: Shop) -> None:
    assert stocked.best("can I send stuff back") == "30 days."
    assert stocked.best("4711") == "Restart it."
    found = stocked.ask("can I pay with visa?")
    assert found[0].entry.answer == "Visa and PayPal."
    assert 0.3 < found[0].dense < 1.0
    assert all(c.dense for c in found)
    assert stocked.ask("What payment methods are accepted?")[0].lexical > 0


def test_takes_the_best_of_several_texts(stocked: Shop) -> None:
    answers = {c.entry.answer for c in stocked.ask("Ireland", "how to pay", k=2)}
    assert answers == {"Yes, for £9.95.", "Visa and PayPal."}


def test_a_long_answer_comes_with_how_near_each_of_its_units_is(stocked: Shop) -> None:
    """Its units are in the index already, so that no question waits for them to be embedded; an edit is noticed."""
    parts = [
        f"{what} {'Please read all of it before you come, and ask us if you are not sure. ' * 7}" for what in HOUSE
    ]
    long_one = stocked.add("What are the rules of the house?", "\n\n".join(parts))
    for answer, is_indexed in product((parts, parts[::-1]), (True, False)):
        stocked.edit(long_one, "amend", Content("faq", "\n\n".join(answer), ("What are the rules of the house?",)))
        if is_indexed:
            stocked.sync()
        found = next(c for c in stocked.ask("are dogs allowed") if c.entry.id == long_one)
        assert [text.split(".")[0] for text in answer][int(np.argmax(found.units))] == "Dogs are welcome"
        texts = stocked.knowledge.spaces.base.texts
        rows = texts.embed_entries([found.entry])[long_one][1:]
        assert found.units == pytest.approx((rows @ texts.embed_asked(["are dogs allowed"])[0]).tolist(), abs=0.01)
    assert stocked.ask("can I pay with visa?")[0].units == ()


@pytest.mark.parametrize(
    "text", ["", "   ", "😀😀", "\x00\x01", 'AND OR ( " +x:y ~^', "مرحبا", "x" * 20_000, "/restart", "a " * 5000]
)
def test_any_text_can_be_asked(stocked: Shop, text: str) -> None:
    assert len(stocked.ask(text)) <= 5


def test_an_entry_goes_by_its_questions_and_a_section_by_its_heading(shop: Shop) -> None:
    entry_id = shop.add("Are dogs allowed in the shop?", "On a lead.")
    with shop.knowledge.database.session() as session:
        section = Content("passage", "Every Sunday.", title="Leeds > Open days")
        EntryEditor(session, shop.tenant, BY_TEST).add(section, approved=True)
    assert [e.answer for e in shop.named("ARE dogs allowed, in the shop")] == ["On a lead."]
    assert [e.answer for e in shop.named("open days!")] == ["Every Sunday."]
    for text in ("are dogs allowed", "Leeds", "Leeds > Open days", "?!", "", "مرحبا", "x" * 100_000):
        assert not shop.named(text)
    shop.edit(entry_id, "retire")
    assert not shop.named("Are dogs allowed in the shop?")


def test_an_unknown_tenant_knows_nothing(stocked: Shop) -> None:
    assert stocked.knowledge.retriever.candidates("nobody", ["return"], 5) == []
    assert stocked.knowledge.retriever.named("nobody", "How do I return an item?") == []


def test_a_change_is_served_with_the_next_question(stocked: Shop, settings: Settings, chroma_url: str) -> None:
    """Another process changes, this one answers."""
    stocked.best("can I send stuff back")
    other = Knowledge(settings.model_copy(update={"chroma_url": chroma_url}), stocked.knowledge.database, Embedder())
    entry_id = Shop(other, stocked.tenant).add("Are dogs allowed in the shop?", "On a lead.")
    other.synchroniser.sync(stocked.tenant)
    assert stocked.best("may I bring my puppy?") == "On a lead."
    stocked.edit(entry_id, "amend", Content("faq", "No dogs.", ("Are dogs allowed in the shop?",)))
    assert stocked.best("Are dogs allowed?") == "No dogs."
    other.close()


def test_a_retired_entry_is_never_served_even_before_the_index_knows(stocked: Shop) -> None:
    entry_id = stocked.ask("return an item")[0].entry.id
    stocked.edit(entry_id, "retire")
    assert entry_id not in [c.entry.id for c in stocked.ask("return an item")]
    stocked.sync()
    assert entry_id not in [c.entry.id for c in stocked.ask("return an item")]


def test_what_is_approved_while_chroma_is_down_is_found_at_once_and_indexed_later(
    settings: Settings, sqlite: Database, tmp_path: Path, embedder: Embedder
) -> None:
    port = services.free_port()
    settings = settings.model_copy(update={"chroma_url": f"http://127.0.0.1:{port}"})
    clock = [0.0]
    for shop in opened(settings, sqlite, embedder):
        shop.knowledge.spaces.base.index._clock = lambda: clock[0]
        shop.add("Do you repair chairs?", "Yes, in Leeds.")
        assert not shop.knowledge.spaces.base.index.is_alive()
        found = shop.ask("are chairs repaired?")
        assert found[0].entry.answer == "Yes, in Leeds."
        assert found[0].dense > 0.7
        with chroma_server(tmp_path, port):
            clock[0] += 10
            assert shop.knowledge.synchroniser.sync_all() == 1
            assert shop.best("can my furniture be mended?") == "Yes, in Leeds."
            assert shop.knowledge.synchroniser.rebuild(shop.tenant).agree
        clock[0] += 10
        assert shop.best("are chairs repaired?") == "Yes, in Leeds."


def test_an_index_of_another_database_is_made_anew(small_shop: Shop, tmp_path: Path, embedder: Embedder) -> None:
    small_shop.add("Old question about carpets?", "Old.")
    small_shop.sync()
    small_shop.knowledge.database.close()
    fresh = Database(f"sqlite:///{tmp_path / 'fresh.db'}")
    upgrade_database(fresh)
    settings = Settings.load(home=tmp_path / "var", chroma_url=str(small_shop.knowledge.spaces.base.index._url))
    for shop in opened(settings, fresh, embedder):
        shop.tenant = small_shop.tenant
        shop.add("New question about rugs?", "New.")
        shop.sync()
        assert [c.entry.answer for c in shop.ask("carpets and rugs")] == ["New."]
        assert shop.knowledge.synchroniser.rebuild(shop.tenant).agree
    fresh.close()


def test_fusion_puts_first_what_both_find() -> None:
    assert fuse_rankings({"a": 0.5, "b": 0.45}, {"b": 30.0, "c": 2.0}) == ["b", "a", "c"]
    assert fuse_rankings({}, {"c": 2.0}) == ["c"]


def test_a_lost_vector_index_comes_back(small_shop: Shop) -> None:
    small_shop.add("Do you repair chairs?", "Yes, in Leeds.")
    assert small_shop.sync() == 1
    client = small_shop.knowledge.spaces.base.index._get_client()
    client.delete_collection(small_shop.knowledge.spaces.base.index._get_collection_name(small_shop.tenant))
    assert small_shop.best("are chairs repaired?") == "Yes, in Leeds."
    assert small_shop.knowledge.synchroniser.sync_all() == 1
    assert small_shop.ask("are chairs repaired?")[0].dense > 0.7


def test_while_another_process_indexes_one_sees_how_far_it_is(small_shop: Shop, tmp_path: Path) -> None:
    small_shop.add("Do you sell rugs?", "Yes.")
    knowledge, lock = small_shop.knowledge, tmp_path / "lock"
    told: list[tuple[int, int]] = []
    with lock.open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        waits = Synchroniser(
            knowledge.database,
            knowledge.spaces,
            knowledge.words,
            lock,
            pause=lambda _: fcntl.flock(held, fcntl.LOCK_UN),
        )
        waits.sync(small_shop.tenant, lambda done, total: told.append((done, total)))
    assert told[0] == (0, 1)
    assert small_shop.best("rugs") == "Yes."
