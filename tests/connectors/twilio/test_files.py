"""Files that customers send are taken for what they are; ours go out by signed links."""

from __future__ import annotations

import struct
import zlib

import pytest

from connectors.twilio import media
from connectors.twilio.links import FileLinks
from core import outbox
from core.db.models import Conversation, Message, Turn
from testing.twilio_rig import PUBLIC, TENANT, Rig


def _chunk(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


PNG = (
    b"\x89PNG\r\n\x1a\n"
    + _chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0))
    + _chunk(b"IDAT", zlib.compress(b"\0\0"))
    + _chunk(b"IEND", b"")
)


async def test_a_picture_is_kept_with_what_was_written_to_it(rig: Rig) -> None:
    await rig.post(rig.event("image", MediaUrl0=rig.twilio.add_media(PNG, "image/png")))
    await rig.settle()

    message = rig.rows(Message)[0]
    (attachment,) = message.attachments
    assert (message.text, attachment["kind"], attachment["size"]) == ("It came like this", "image", len(PNG))
    assert (rig.home / attachment["path"]).read_bytes() == PNG


@pytest.mark.parametrize(
    ("event", "content"),
    [
        ("image", b"MZ\x90\x00" + b"\0" * 100),
        ("document", PNG),
        ("image", b"<script>"),
        ("image", PNG + b"\0" * 17_000_000),
    ],
)
async def test_what_is_not_what_it_says_or_too_large_is_not_kept_and_the_customer_is_told(
    rig: Rig, event: str, content: bytes
) -> None:
    fields = rig.event(event, MediaUrl0=rig.twilio.add_media(content, "image/png"))
    await rig.post(fields)
    await rig.settle()

    assert "could not take a file" in rig.said()[0]
    assert not (rig.home / "media").exists()
    assert rig.rasa.heard == [fields["Body"]]


async def test_a_file_elsewhere_is_not_fetched(rig: Rig) -> None:
    await rig.post(rig.event("image", MediaUrl0="https://evil.example/2010-04-01/x.png"))
    await rig.settle()

    assert "could not take a file" in rig.said()[0]


@pytest.mark.parametrize("event", ["voice", "sticker"])
async def test_what_only_a_person_understands_is_asked_for_in_words(rig: Rig, event: str) -> None:
    fields = rig.event(event, MediaUrl0=rig.twilio.add_media(PNG, "image/png"))
    await rig.post(fields)
    await rig.post(fields)
    await rig.settle()

    assert rig.said() == ["I can only read text. Please write what it is about."]
    assert rig.rasa.heard == []


async def test_a_file_of_ours_goes_out_after_the_text_by_a_link_that_cannot_be_forged(rig: Rig) -> None:
    await rig.write("Hi")
    (rig.home / "media").mkdir()
    (rig.home / "media/label.png").write_bytes(PNG)
    attachment = {
        "kind": "image",
        "name": "label.png",
        "content_type": "image/png",
        "size": 1,
        "path": "media/label.png",
    }
    send(rig, "Your label", attachment)
    await rig.settle()

    file, text = rig.twilio.messages[-2:]
    assert text.body == "Your label"
    assert (await rig.http.get(file.media)).content == PNG
    assert (await rig.http.get(file.media + "x")).status_code == 404


async def test_a_place_goes_out_as_a_place(rig: Rig) -> None:
    await rig.write("Hi")
    send(rig, "Here", {"kind": "location", "latitude": 51.5, "longitude": -0.1, "name": "The shop"})
    await rig.settle()

    assert rig.twilio.messages[-2].location == "geo:51.5,-0.1|The shop"


async def test_a_link_leads_nowhere_outside_the_home_folder(rig: Rig) -> None:
    await rig.write("Hi")
    (rig.home.parent / "secret").write_text("secret")
    message_id = send(rig, "x", {"kind": "document", "name": "s", "content_type": "text/plain", "path": "../secret"})
    link = FileLinks("secret", rig.home).to(PUBLIC, message_id, 0)

    assert (await rig.http.get(link)).status_code == 404


def send(rig: Rig, text: str, attachment: dict[str, object]) -> str:
    """Staff send something."""
    with rig.database.session() as session:
        conversation = Conversation.lock(session, rig.rows(Conversation)[0].id)
        message = Message(
            tenant_id=TENANT, conversation_id=conversation.id, seq=conversation.next_seq(), speaker="agent", text=text
        )
        message.attachments = [attachment]
        session.add(message)
        session.flush()
        outbox.to_customer(session, conversation, message)
        return message.id


async def test_certificates_are_read_for_files_only_and_once(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[object] = []
    real = media.httpx.create_ssl_context
    monkeypatch.setattr(media.httpx, "create_ssl_context", lambda: made.append(1) or real())
    media._get_ssl_context.cache_clear()
    await rig.write("How long does delivery take?")
    assert made == []
    for _ in range(2):
        await rig.post(rig.event("image", MediaUrl0=rig.twilio.add_media(PNG, "image/png")))
    assert made == [1]


@pytest.mark.parametrize(
    ("event", "content", "words"), [("image", PNG, "your photo"), ("document", b"%PDF-1.7\n" + b"0" * 64, "your file")]
)
async def test_a_lone_file_is_acknowledged_and_asked_about_and_goes_with_what_is_said_then(
    rig: Rig, event: str, content: bytes, words: str
) -> None:
    stated = rig.event(event)["MediaContentType0"]
    await rig.post(rig.event(event, Body="", MediaUrl0=rig.twilio.add_media(content, stated)))
    await rig.settle()

    (asked,) = rig.twilio.messages
    assert asked.body == f"Thank you, I've got {words}. What is it about?"
    assert [title for title, _ in asked.buttons] == ["Talk to a person"]
    assert rig.rasa.heard == []
    await rig.write("The lamp came broken")
    assert rig.rasa.heard == ["The lamp came broken"]
    assert [turn.outcome for turn in rig.rows(Turn)] == ["clarified", "action"]


async def test_photos_one_after_the_other_are_asked_about_once(rig: Rig) -> None:
    for _ in range(3):
        await rig.post(rig.event("image", Body="", MediaUrl0=rig.twilio.add_media(PNG, "image/png")))
        await rig.settle()

    assert rig.said() == ["Thank you, I've got your photo. What is it about?"]
    assert {turn.status for turn in rig.rows(Turn)} == {"answered"}
    await rig.write("All three came broken")
    await rig.post(rig.event("image", Body="", MediaUrl0=rig.twilio.add_media(PNG, "image/png")))
    await rig.settle()
    assert rig.said()[2:] == ["Thank you, I've got your photo. What is it about?"]


async def test_a_lone_place_is_asked_about_too(rig: Rig) -> None:
    await rig.post(rig.event("location"))
    await rig.settle()

    assert rig.said() == ["Thank you, I've got the place. What is it about?"]
