"""How a test drives the widget, in the words of a visitor."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Locator, Page, expect

WIDGET = "rejoinder-chat"


@dataclass
class ChatPage:
    """A page with the widget in it, wherever it is served."""

    page: Page
    url: str

    def load(self) -> Self:
        self.page.goto(self.url)
        expect(self.launcher).to_be_visible()
        return self

    def open(self) -> Self:
        self.launcher.click()
        expect(self.panel).to_be_visible()
        return self

    def say(self, text: str) -> Self:
        """Write and send; the message is there at once."""
        self.input.fill(text)
        self.input.press("Enter")
        expect(self.own.last).to_have_text(text)
        return self

    def say_connected(self, text: str) -> Self:
        """Write for so long that the stream is open before the message goes, as people do; nothing passing is missed."""
        self.input.fill(text)
        expect(self.page.locator(WIDGET)).to_have_attribute("data-state", "open")
        return self.say(text)

    def choose(self, title: str) -> Self:
        self.choice(title).click()
        return self

    def sees(self, text: str) -> Self:
        """The last answer says this, and is not being written any more."""
        expect(self.answers.last).to_contain_text(text, timeout=15_000)
        expect(self.draft).to_have_count(0)
        return self

    def another_tab(self) -> ChatPage:
        """A second tab of the same visitor."""
        return ChatPage(self.page.context.new_page(), self.url).load()

    def violations(self) -> list[str]:
        """What axe-core finds, as readable lines."""
        found = Axe().run(self.page).response["violations"]
        return [f"{each['id']}: {node['html']} {node['failureSummary']}" for each in found for node in each["nodes"]]

    def texts(self) -> list[str]:
        """Everything said, in order."""
        return self._find(".row:not(.draft) .bubble").all_inner_texts()

    def choice(self, title: str) -> Locator:
        return self.panel.get_by_role("button", name=title, exact=True).last

    def button(self, name: str) -> Locator:
        return self.panel.get_by_role("button", name=name, exact=True)

    @property
    def launcher(self) -> Locator:
        return self._find(".launcher")

    @property
    def badge(self) -> Locator:
        return self._find(".badge")

    @property
    def panel(self) -> Locator:
        return self.page.get_by_role("dialog")

    @property
    def input(self) -> Locator:
        return self.page.get_by_label("Your message")

    @property
    def log(self) -> Locator:
        return self.page.get_by_role("log")

    @property
    def own(self) -> Locator:
        return self._find(".row.own .bubble")

    @property
    def own_rows(self) -> Locator:
        return self._find(".row.own")

    @property
    def answers(self) -> Locator:
        return self._find(".row.bot:not(.draft)")

    @property
    def draft(self) -> Locator:
        return self._find(".row.draft")

    @property
    def typing(self) -> Locator:
        return self._find(".typing")

    @property
    def notice(self) -> Locator:
        return self._find(".notice")

    def style(self, target: Locator, name: str) -> Any:
        return target.evaluate(f"element => getComputedStyle(element).{name}")

    def _find(self, selector: str) -> Locator:
        return self.page.locator(f"{WIDGET} {selector}")
