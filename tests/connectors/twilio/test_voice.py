"""What is said in a voice note is answered like what is written; where that fails the customer is asked to write."""

from __future__ import annotations

import struct
from collections.abc import AsyncIterator, Iterator
from decimal import Decimal
from pathlib import Path

import pytest
from pydantic import SecretStr

from core.db import Database
from core.db.models import LlmCall, Message
from core.llm.catalogue import Catalogue
from core.llm.providers.openai import OpenAIProvider
from core.llm.providers.transcriptions import OpenAITranscriptions
from core.llm.transcriber import Transcriber
from testing.behaviour import Behaviour
from testing.openai import SPEECH, FakeOpenAI
from testing.twilio import FakeTwilio
from testing.twilio_rig import TENANT, Rig, answer

MODEL = Catalogue.load(Path(__file__).parents[3] / "models.yml").transcription[0]
WRITE = "I can only read text. Please write what it is about."


def note(seconds: float) -> bytes:
    """An Ogg Opus file of that length, as far as its pages say."""

    def page(kind: int, samples: int, content: bytes) -> bytes:
        head = struct.pack("<4sBBqIII", b"OggS", 0, kind, samples, 1, 0, 0)
        return head + bytes([1, len(content)]) + content

    opened = page(2, 0, b"OpusHead" + bytes([1, 1, 0, 0]) + struct.pack("<I", 16_000) + bytes(3))
    return opened + page(4, int(seconds * 48_000), b"\0" * 40)


@pytest.fixture
def openai() -> Iterator[FakeOpenAI]:
    with FakeOpenAI() as fake:
        yield fake


@pytest.fixture
async def rig(sqlite: Database, twilio: FakeTwilio, openai: FakeOpenAI, tmp_path: Path) -> AsyncIterator[Rig]:
    vendor = OpenAITranscriptions(OpenAIProvider(SecretStr("sk-test"), {}, openai.url), MODEL.name)
    transcriber = Transcriber(MODEL, vendor, sqlite)
    async with Rig(sqlite, twilio, tmp_path, transcriber=transcriber).running() as running:
        yield running
    await vendor.close()


async def said(rig: Rig, sound: bytes) -> None:
    fields = rig.event("voice", MediaUrl0=rig.twilio.add_media(sound, "audio/ogg"))
    assert await rig.post(fields) == 200
    await rig.settle()


async def test_a_voice_note_is_stored_as_its_words_with_the_note_beside_them(rig: Rig, openai: FakeOpenAI) -> None:
    openai.plan(Behaviour(text="Where is my order?"))
    rig.rasa.answers.append(answer("On its way."))
    await said(rig, note(12))

    message = rig.rows(Message)[0]
    assert message.text == "Where is my order?" and rig.rasa.heard == ["Where is my order?"]
    (kept,) = message.attachments
    assert kept["kind"] == "audio" and kept["transcribed"] and (rig.home / kept["path"]).read_bytes() == note(12)
    assert rig.said()[0].startswith("On its way.")
    (request,) = openai.requests
    assert (request.path, request.model, request.key) == (SPEECH, MODEL.name, "sk-test") and note(12) in request.body


async def test_it_is_in_the_ledger_with_its_price(rig: Rig, openai: FakeOpenAI) -> None:
    openai.plan(Behaviour(text="Hello there"))
    rig.rasa.answers.append(answer("Hello."))
    await said(rig, note(12))

    (call,) = rig.rows(LlmCall)
    assert (call.tenant_id, call.purpose, call.model, call.success) == (TENANT, "transcription", MODEL.id, True)
    assert call.cost == MODEL.minute * Decimal(12) / 60 > 0


@pytest.mark.parametrize("fault", ["server", "unauthorised", "rate_limited", "closed", "no_text"])
async def test_where_the_provider_fails_the_customer_is_asked_to_write(
    rig: Rig, openai: FakeOpenAI, fault: str
) -> None:
    openai.plan(Behaviour(fault=fault))
    await said(rig, note(12))

    assert rig.said() == [WRITE] and rig.rasa.heard == []
    (call,) = rig.rows(LlmCall)
    assert not call.success and call.error_kind and call.cost is None


async def test_a_note_that_is_too_long_is_not_sent_to_a_provider(rig: Rig, openai: FakeOpenAI) -> None:
    await said(rig, note(301))

    assert rig.said() == [WRITE] and openai.requests == []
