"""What a watcher sees while an answer is written."""

from __future__ import annotations

from knowledge.answers.draft import Draft, Nobody


class Watcher(Nobody):
    """Draws what it is told, as the widget does."""

    def __init__(self) -> None:
        super().__init__()
        self.text = ""
        self.replaced = 0

    async def append(self, text: str) -> None:
        self.text += text

    async def replace(self, text: str) -> None:
        self.text, self.replaced = text, self.replaced + 1


async def test_a_part_that_ends_as_it_was_shown_is_not_drawn_again() -> None:
    draft = Draft(watcher := Watcher())
    await draft.append("Two ")
    await draft.append("days.")
    await draft.settle("Two days.")
    assert (watcher.text, watcher.replaced) == ("Two days.", 0)


async def test_a_part_that_begins_anew_leaves_the_settled_ones() -> None:
    draft = Draft(watcher := Watcher())
    await draft.settle("First.")
    await draft.append("Sec")
    assert watcher.text == "First.\n\nSec"
    await draft.restart()
    assert watcher.text == "First."
    await draft.append("Second.")
    await draft.settle("Second, shorter.")
    assert watcher.text == "First.\n\nSecond, shorter."


async def test_a_part_that_comes_to_nothing_disappears() -> None:
    draft = Draft(watcher := Watcher())
    await draft.append("I have been")
    await draft.settle("")
    await draft.settle("Second.")
    assert watcher.text == "Second."
