"""The content of an entry and its validation."""

from __future__ import annotations

from dataclasses import dataclass, replace

from core.errors import InvalidInput
from knowledge.types import EntryKind, Utterance

LONGEST = {"title": 500, "subject": 200, "external_id": 200, "url": 1000, "language": 8}


@dataclass(frozen=True)
class Content:
    """The text and metadata of an entry."""

    kind: EntryKind
    answer: str
    questions: tuple[str, ...] = ()
    title: str | None = None
    subject: str | None = None
    context: tuple[Utterance, ...] = ()
    language: str = "en"
    external_id: str | None = None
    url: str | None = None

    def checked(self) -> Content:
        """Return a copy with surrounding whitespace and duplicate questions removed.

        Raises:
            InvalidInput: The answer is empty, an faq has no question, or a field is too long.
        """
        questions = tuple(dict.fromkeys(q for q in map(clean_for_storage, self.questions) if any(map(str.isalnum, q))))
        answer = clean_for_storage(self.answer)
        if not answer:
            raise InvalidInput("the answer is empty")
        if self.kind == "faq" and not questions:
            raise InvalidInput("the question is empty or has no word")
        for name, longest in LONGEST.items():
            if len(getattr(self, name) or "") > longest:
                raise InvalidInput(f"the {name.replace('_', ' ')} is longer than {longest} characters")
        return replace(self, answer=answer, questions=questions)


def clean_for_storage(text: str) -> str:
    """Strip whitespace and remove NUL characters and lone surrogates, which databases reject."""
    return text.replace("\0", "").encode("utf-8", "replace").decode().strip()
