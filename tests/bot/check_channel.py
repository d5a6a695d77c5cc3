"""Writes what Rasa answers over our channel, by its own server and responses: run in the bot environment."""

from __future__ import annotations

import asyncio
import json
import socket
import sys
from pathlib import Path
from typing import Any

import aiohttp
from rasa.core.actions.action import create_bot_utterance
from rasa.core.channels import channel
from rasa.core.channels.channel import UserMessage
from rasa.core.nlg.response import TemplatedNaturalLanguageGenerator
from rasa.core.run import create_http_input_channels
from rasa.shared.core.domain import Domain
from rasa.shared.core.trackers import DialogueStateTracker
from sanic import Sanic

DOMAIN = Domain.from_yaml(
    """
    version: "3.1"
    slots:
      vip: {type: bool, initial_value: true, mappings: [{type: custom}]}
    responses:
      utter_where:
        - text: "See the page.\\n\\nIt has pictures."
        - {text: "Call us.", channel: sms}
        - {text: "Dear friend, call us.", channel: sms, condition: [{type: slot, name: vip, value: true}]}
        - {text: "Look at this chat's catalogue.", channel: whatsapp}
      utter_rich:
        - text: "Our lamps."
          image: "https://shop.example/lamp.png"
          metadata: {alt: "A lamp"}
          buttons: [{title: "Shop", type: "web_url", url: "https://shop.example"}]
          elements: [{title: "Heron", image_url: "https://shop.example/heron.png"}]
          custom: {open: "cart"}
    """
)


class Agent:
    """Utters both responses, as Rasa's processor does."""

    async def handle_message(self, message: UserMessage) -> None:
        nlg, to = TemplatedNaturalLanguageGenerator(DOMAIN.responses), message.output_channel
        tracker = DialogueStateTracker.from_events("c", [], DOMAIN.slots)
        for name in ("utter_where", "utter_rich"):
            response = await nlg.generate(name, tracker, to.name(), domain_responses=DOMAIN.responses)
            await to.send_response("c", create_bot_utterance(response).message())


async def answers(names: list[str]) -> dict[str, Any]:
    """What a server with our credentials answers to somebody on each of these channels."""
    app = Sanic("channel")
    app.ctx.agent = Agent()
    channel.register(create_http_input_channels(None, "bot/credentials.yml"), app, route="/webhooks/")
    listening = socket.create_server(("127.0.0.1", 0))
    url = f"http://127.0.0.1:{listening.getsockname()[1]}/webhooks/rest/webhook"
    server = await app.create_server(sock=listening, return_asyncio_server=True)
    await server.startup()
    found = {}
    async with aiohttp.ClientSession() as http:
        for name in names:
            body = {"sender": "c", "message": "Hi", "input_channel": name}
            async with http.post(url, json=body) as response:
                found[name] = await response.json()
    server.close()
    return found


to, *asked = sys.argv[1:]
Path(to).write_text(json.dumps(asyncio.run(answers(asked))), encoding="utf-8")
