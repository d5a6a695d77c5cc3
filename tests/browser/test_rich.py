"""Pictures, films, files, links, cards and what is for the page, as a visitor sees them; nothing of it can run."""

from __future__ import annotations

import base64

import pytest
from playwright.sync_api import expect

from tests.connectors.doubles import FakeTurns

SHOP = "https://shop.example"
PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
SVG = b"""<svg xmlns="http://www.w3.org/2000/svg" width="40" height="30" onload="parent.ran = true; alert(1)">
<script>top.ran = true; alert(1)</script><rect width="40" height="30"/></svg>"""
CARDS = tuple(
    {
        "kind": "card", "title": f"Lamp {n}", "text": "Brass, 40 cm", "image": f"{SHOP}/{n}.png", "choices": [n],
        "links": [{"kind": "link", "title": "Read on", "url": f"{SHOP}/lamp{n}"}],
    }
    for n in range(4)
)  # fmt: skip


def shows(turns: FakeTurns, conversation_id: str, turn_id: str, text: str) -> None:
    """What was asked for."""
    said = {
        "picture": ({"kind": "image", "name": "A brass lamp", "url": f"{SHOP}/lamp.png"},),
        "svg": ({"kind": "image", "name": "A plan", "url": f"{SHOP}/plan.svg"},),
        "gone": ({"kind": "image", "name": "An old lamp", "url": f"{SHOP}/gone.png"},),
        "files": (
            {"kind": "video", "name": "How to hang it", "url": f"{SHOP}/how.mp4"},
            {"kind": "audio", "name": "Its sound", "url": f"{SHOP}/bell.mp3"},
            {"kind": "document", "name": "Sizes", "url": f"{SHOP}/sizes.pdf"},
            {"kind": "location", "latitude": 51.5, "longitude": -0.1, "name": "Our shop"},
        ),
        "links": (
            {"kind": "link", "title": "The shop", "url": SHOP},
            {"kind": "link", "title": "Bad", "url": "javascript:window.ran=true"},
            {"kind": "image", "name": "Bad", "url": "javascript:window.ran=true"},
        ),
        "cards": CARDS,
        "custom": ({"kind": "custom", "payload": {"open": "<img src=x onerror='window.ran=true'>"}},),
    }.get(text, ())
    more = {"buttons": tuple("Buy" for _ in CARDS)} if text == "cards" else {}
    words = "" if text in {"custom", "svg"} else f"You asked for {text}"
    turns.say(conversation_id, words, turn_id=turn_id, attachments=said, **more)


@pytest.fixture
def rich(server, chat):
    """A chat that shows things, on a page whose shop has them."""
    server.turns.answering = shows
    kinds = {"svg": (SVG, "image/svg+xml"), "png": (PNG, "image/png")}

    def serve(route):
        name, _, kind = route.request.url.rpartition(".")
        body, content_type = kinds.get(kind, (b"", ""))
        found = bool(body) and not name.endswith("gone")
        route.fulfill(status=200 if found else 404, body=body if found else "", content_type=content_type)

    chat.page.context.route(f"{SHOP}/**", serve)
    chat.page.on("dialog", lambda dialog: pytest.fail(f"a script ran: {dialog.message}"))
    return chat


def ran(chat) -> bool:
    return chat.page.evaluate("Boolean(window.ran)")


def test_a_picture_has_its_words_and_waits_until_it_is_near(rich):
    rich.say("picture").sees("You asked for picture")
    picture = rich.answers.last.get_by_role("img", name="A brass lamp")
    expect(picture).to_have_attribute("loading", "lazy")
    expect(picture).to_have_js_property("complete", True)
    assert picture.evaluate("image => image.naturalWidth") == 1


def test_nothing_of_an_svg_or_an_address_can_run(rich):
    rich.say("svg")
    picture = rich.answers.last.get_by_role("img", name="A plan")
    expect(picture).to_have_js_property("naturalWidth", 40)
    rich.say("links").sees("You asked for links")
    link = rich.answers.last.get_by_role("link", name="The shop")
    expect(link).to_have_attribute("href", f"{SHOP}/")
    expect(link).to_have_attribute("rel", "noopener noreferrer nofollow")
    expect(rich.answers.last.get_by_text("Bad")).to_have_count(0)
    assert not ran(rich)


def test_a_picture_that_is_gone_is_a_link(rich):
    rich.say("gone").sees("You asked for gone")
    expect(rich.answers.last.get_by_role("link", name="An old lamp")).to_have_attribute("href", f"{SHOP}/gone.png")


def test_films_sound_files_and_places(rich):
    rich.say("files").sees("You asked for files")
    answer = rich.answers.last
    for name in ("Sizes", "How to hang it"):  # the film is not there, so only the link to it
        expect(answer.get_by_role("link", name=name)).to_be_visible()
    expect(answer.locator("audio")).to_have_attribute("src", f"{SHOP}/bell.mp3")
    expect(answer.locator("audio")).to_have_attribute("preload", "none")
    expect(answer.get_by_role("link", name="Our shop")).to_have_attribute(
        "href", "https://maps.google.com/?q=51.5,-0.1"
    )


def test_cards_are_gone_through_by_keyboard_and_button_and_chosen(server, rich):
    rich.say("cards").sees("You asked for cards")
    answer = rich.answers.nth(1)  # after the greeting
    row, first, last = answer.get_by_role("list", name="4 cards side by side"), CARDS[0], CARDS[-1]
    expect(answer.get_by_role("button", name="Previous card")).to_be_disabled()
    row.focus()
    for key in ("ArrowRight", "End"):
        row.press(key)
    expect(answer.get_by_role("button", name="Next card")).to_be_disabled()
    expect(answer.get_by_text(last["title"])).to_be_in_viewport()
    row.press("Home")
    expect(answer.get_by_text(first["title"])).to_be_in_viewport()
    answer.get_by_role("button", name="Next card").click()
    expect(answer.get_by_role("button", name="Previous card")).to_be_enabled()
    expect(answer.get_by_role("link", name="Read on").nth(1)).to_have_attribute("href", f"{SHOP}/lamp1")
    answer.get_by_role("button", name="Buy").nth(2).click()
    expect(rich.own.last).to_have_text("Buy")
    assert server.turns.received[-1].press.index == 2
    expect(answer.get_by_role("button", name="Buy").first).to_be_disabled()


def test_the_page_gets_what_is_for_it_once_and_the_visitor_sees_nothing_of_it(rich):
    listen = "window.given = []; addEventListener('rejoinder:custom', (event) => given.push(event.detail.payload))"
    rich.page.context.add_init_script(listen)
    rich.page.reload()
    rich.say("custom")
    rich.page.wait_for_function("given.length === 1")
    assert rich.page.evaluate("given[0].open").startswith("<img")
    rich.say("hello").sees("You asked for hello")
    expect(rich.answers.filter(visible=True)).to_have_count(2)  # the greeting and the second answer
    rich.page.reload()
    rich.sees("You asked for hello")
    assert rich.page.evaluate("given.length") == 0
    assert not ran(rich)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 360])
def test_axe_finds_nothing(server, visit, scheme, width):
    server.turns.answering = shows
    chat = visit(server.url, color_scheme=scheme, viewport={"width": width, "height": 800}).open()
    for what in ("files", "links", "cards"):
        chat.say(what).sees(f"You asked for {what}")
    assert chat.violations() == []
