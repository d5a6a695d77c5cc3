"""Masking at the router's door, and putting back in the reply."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.llm.masking import Masker, Vault, make_masker
from core.llm.types import ChatMessage, Request, RequestOrigin


@pytest.fixture(scope="module")
def masker() -> Masker:
    return make_masker()


def _request(*texts: str) -> Request:
    return Request(tuple(ChatMessage("user", text) for text in texts), RequestOrigin("demo"))


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("Write to jo.bloggs+x@example.co.uk.", "Write to <EMAIL_1>."),
        ("Call +44 20 7946 0958 or 0300 1234567", "Call <PHONE_1> or <PHONE_2>"),
        ("It is (579)888-3058", "It is <PHONE_1>"),
        ("card 4111 1111 1111 1111, exp 12/26", "card <CARD_1>, exp 12/26"),
        ("iban gb82west12345698765432", "iban <IBAN_1>"),
        ("CNIC 35202-1234567-1", "CNIC <ID_1>"),
        ("my SSN is 856-45-6789", "my SSN is <ID_1>"),
        ("NINO AB 12 34 56 C", "NINO <ID_1>"),
        ("My name is Sara Khan and I moved", "My name is <NAME_1> and I moved"),
        ("It's for Mrs Lovelace's order", "It's for Mrs <NAME_1>'s order"),
        ("Bye\n\nKind regards,\nAhmed Ali", "Bye\n\nKind regards,\n<NAME_1>"),
    ],
)
def test_personal_data_is_masked(masker: Masker, text: str, masked: str) -> None:
    request, vault = masker.mask(_request(text))
    assert request.messages[0].text == masked
    assert vault.restore(masked) == text


@pytest.mark.parametrize(
    "text",
    [
        "Where is order 100234? I ordered on 12 March 2024 for £1,250.00",
        "order number 4111111111111112, tracking 1Z999AA10123456784",
        "from 2024-03-12 10:00 to 13/03/2024, 10-15 days",
        "10 000 000 views, 2023-2024, ISBN 978-3-16-148410-0",
        "I am in New York with the Lumen Desk Lamp. I'm Looking Forward to it",
        "version 1.2.3.4 of 192.168.10.20",
    ],
)
def test_what_the_model_needs_stays(masker: Masker, text: str) -> None:
    assert masker.mask(_request(text))[0].messages[0].text == text


def test_a_value_has_one_placeholder_in_all_messages(masker: Masker) -> None:
    request, _ = masker.mask(_request("I am a@example.com", "a@example.com or b@example.com"))
    assert [m.text for m in request.messages] == ["I am <EMAIL_1>", "<EMAIL_1> or <EMAIL_2>"]


def test_what_a_customer_types_as_a_placeholder_is_nobodys_value(masker: Masker) -> None:
    request, vault = masker.mask(_request("what is <EMAIL_1>? mine is a@example.com"))
    assert request.messages[0].text == "what is <EMAIL_1>? mine is <EMAIL_2>"
    assert vault.restore("<EMAIL_1> and <EMAIL_2>") == "<EMAIL_1> and a@example.com"


@pytest.fixture(scope="module")
def vault() -> Vault:
    return _vault()


def _vault() -> Vault:
    vault = Vault()
    vault.placeholder("EMAIL", "a@example.com")
    vault.placeholder("PHONE", "+44 20 7946 0958")
    return vault


@pytest.mark.parametrize(
    "written",
    ["<EMAIL_1>", "<email_1>", "[EMAIL_1]", "EMAIL_1", "<EMAIL_1", "< EMAIL 1 >", r"<EMAIL\_1>", "&lt;EMAIL_1&gt;"],
)
def test_a_model_may_change_a_placeholder_a_little(vault: Vault, written: str) -> None:
    assert vault.restore(f"Write to {written}.") == "Write to a@example.com."


@pytest.mark.parametrize("text", ["<EMAIL_2>", "email 1", "MY_EMAIL_1", "<EMAIL_", "a < b", "EMAIL_1x", "<FAX_1>"])
def test_what_only_looks_like_one_stays(vault: Vault, text: str) -> None:
    assert vault.restore(text) == text


PIECES = st.sampled_from(
    [
        "<EMAIL_1>",
        "<PHONE_1>",
        "EMAIL_1",
        "<EMAIL",
        "_1",
        ">",
        "<",
        " ",
        "&lt;",
        "email",
        "e",
        "[",
        "1",
        "x",
        "\n",
        "\\",
    ]
)


@given(st.lists(PIECES, max_size=12).map("".join), st.lists(st.integers(1, 7), min_size=1))
def test_any_chunks_give_the_same_text(text: str, sizes: list[int]) -> None:
    vault = _vault()
    restorer, out, place = vault.restorer(), "", 0
    while place < len(text):
        size = sizes[place % len(sizes)]
        out += restorer.feed(text[place : place + size])
        place += size
    assert out + restorer.flush() == vault.restore(text)


def test_text_is_not_held_back_without_need(vault: Vault) -> None:
    restorer = vault.restorer()
    assert restorer.feed("It costs 5 < 6") == "It costs 5 < 6"
    assert restorer.feed(" and <EMA") == " and "
    assert restorer.feed("IL_1>!") == "a@example.com!"
