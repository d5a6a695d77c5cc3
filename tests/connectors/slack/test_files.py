"""Files both ways."""

from __future__ import annotations

from sqlalchemy import select, update

from core.conversations.inbox import Inbound
from core.db.models import Conversation, Delivery, Message
from tests.connectors.slack.desk_world import HANDOFF, World

PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 64


def attached(world: World, name: str, content: bytes) -> dict[str, str]:
    world.slack.workspace.files[name] = {"body": content}
    return {"id": name, "name": f"../{name}", "url_private_download": f"{world.slack.address}/files/{name}"}


async def on_a_phone(world: World) -> str:
    """A thread whose customer has moved to a channel that takes files."""
    thread = await world.asked()
    with world.database.session() as session:
        session.execute(update(Conversation).values(channel="phone", address="+447700900123"))
    return thread


async def test_a_file_of_the_staff_is_stored_with_the_reply(world: World) -> None:
    thread = await on_a_phone(world)
    file = attached(world, "label.png", PNG)
    await world.write("Your label", thread=thread, subtype="file_share", files=[file])
    with world.database.session() as session:
        (message,) = session.scalars(select(Message).filter_by(speaker="agent")).all()
        (kept,) = message.attachments
        assert (kept["kind"], kept["name"], kept["content_type"], kept["size"]) == (
            "image",
            "label.png",
            "image/png",
            72,
        )
        assert (world.home / kept["path"]).read_bytes() == PNG
        assert session.scalars(select(Delivery).filter_by(destination="phone", message_id=message.id)).one()


async def test_what_cannot_be_sent_is_refused_in_the_thread(world: World) -> None:
    thread = await on_a_phone(world)
    for name, content, why in (("run.exe", b"MZ" + b"\0" * 64, "is no image"), ("page.png", b"<html>", "is no image")):
        ts = await world.write("", thread=thread, subtype="file_share", files=[attached(world, name, content)])
        assert world.slack.workspace.reactions[ts] == {"warning"}
        assert f"“{name}” {why}" in world.thread()
    elsewhere = {"name": "x.png", "url_private_download": "https://evil.example/x.png"}
    await world.write("", thread=thread, subtype="file_share", files=[elsewhere])
    assert "does not lie at Slack" in world.thread()
    assert await world.said() == []


async def test_on_the_web_a_file_is_refused_visibly(world: World) -> None:
    thread = await world.asked()
    await world.write("label", thread=thread, subtype="file_share", files=[attached(world, "label.png", PNG)])
    assert "on web the customer gets no files" in world.thread()
    assert await world.said() == []


async def test_a_customers_file_is_shown_in_the_thread(world: World) -> None:
    thread = await world.asked()
    (world.home / "media").mkdir(parents=True)
    (world.home / "media/1.png").write_bytes(PNG)
    file = {"kind": "image", "name": "broken.png", "content_type": "image/png", "size": len(PNG), "path": "media/1.png"}
    await world.turns.receive(Inbound(world.conversation, "f1", "look", attachments=(file,)))
    await world.deliver()
    assert "[image: broken.png]" in world.thread()
    (shared,) = [message for message in world.slack.messages(thread) if "files" in message]
    assert world.slack.workspace.files[shared["files"][0]]["body"] == PNG


async def test_a_photo_from_before_the_handoff_is_handed_over_and_so_is_what_the_bot_showed(world: World) -> None:
    (world.home / "media").mkdir(parents=True)
    (world.home / "media/1.png").write_bytes(PNG)
    file = {"kind": "image", "name": "broken.png", "content_type": "image/png", "size": len(PNG), "path": "media/1.png"}
    shown = {
        "whole": True,
        "image": "https://shop.example/lamp.png",
        "buttons": [{"title": "Yes", "payload": "/yes"}, {"title": "Shop", "url": "https://shop.example"}],
        "custom": {"open": "cart"},
    }
    world.conversation = await world.turns.open("shop", "web")
    await world.turns.receive(Inbound(world.conversation, "f1", attachments=(file,)))
    world.rasa.answers += [[shown], HANDOFF]
    await world.say("like this one")
    await world.say("a person please")
    await world.deliver()

    (root,) = world.slack.messages()
    (shared,) = [message for message in world.slack.messages(root["ts"]) if "files" in message]
    assert world.slack.workspace.files[shared["files"][0]]["body"] == PNG
    world.root = root
    told = world.thread()
    for words in ("What is it about?", "lamp: https://shop.example/lamp.png", "1. Yes", "Shop: https://shop.example"):
        assert words in told
    assert "[custom: for the page]" in told
