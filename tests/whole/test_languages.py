"""The running bot in German and Urdu: greeting, what nobody knows, a form of the demo shop, a person."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from console.chat import Chat
from testing.instance import Instance


@pytest.fixture
def chat(bot: Instance) -> Any:
    with httpx.Client(base_url=bot.url, timeout=60) as http:
        yield Chat.open(http)


def said(chat: Chat, *texts: str) -> str:
    """What is answered to the last of them."""
    return [" ".join(message["text"] for message in chat.ask(text)) for text in texts][-1]


def test_a_german_greeting_what_nobody_knows_and_a_person(chat: Chat) -> None:
    assert "Wie kann ich Ihnen helfen?" in said(chat, "Hallo")
    (unknown,) = chat.ask("Was ist die Hauptstadt von Burkina Faso?")
    assert "leid" in unknown["text"]
    assert unknown["buttons"] == ["Mit einem Menschen sprechen"]
    assert "Menschen" in said(chat, "Ich möchte mit einem Menschen sprechen")


def test_a_german_customer_has_no_number_puts_one_right_and_says_no(chat: Chat) -> None:
    assert "Bestellnummer" in said(chat, "Ich möchte meine Bestellung stornieren")
    assert "Bestellung bestätigt" in said(chat, "ich habe die Nummer gerade nicht")
    assert "E-Mail-Adresse" in said(chat, "R104233")
    assert "E-Mail-Adresse" in said(chat, "nein, ich meinte R104871")
    (question,) = chat.ask("ben@example.com")
    assert "Soll ich die Bestellung R104871 stornieren?" in question["text"]
    assert question["buttons"] == ["Ja", "Nein"]
    assert "R104871" in said(chat, "ja, aber erst morgen")
    assert "die Bestellung bleibt, wie sie ist" in said(chat, "nein, lieber nicht")


def test_stop_ends_a_form_in_german(chat: Chat) -> None:
    assert "abgebrochen" in said(chat, "Wo ist meine Bestellung?", "abbrechen")


def test_an_urdu_greeting_what_nobody_knows_and_a_person(chat: Chat) -> None:
    assert "السلام علیکم" in said(chat, "السلام علیکم")
    (unknown,) = chat.ask("برکینا فاسو کا دارالحکومت کیا ہے؟")
    assert "معذرت" in unknown["text"] or "کیا آپ کچھ اور پوچھ رہے تھے؟" in unknown["text"]
    assert unknown["buttons"][-1] == "کسی شخص سے بات کریں"
    assert "شخص" in said(chat, "مجھے کسی انسان سے بات کرنی ہے")
