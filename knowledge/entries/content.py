"""What an entry says, checked before it is stored."""

from __future__ import annotations

from dataclasses import dataclass, replace

from core.errors import InvalidInput
from knowledge.types import EntryKind, Utterance

LONGEST = {"title": 500, "subject": 200, "external_id": 200, "url": 1000, "language": 8}


@dataclass(frozen=True)
class Content:
    """What an entry says."""

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
        """The same without surrounding blanks and repeated phrasings.

        Raises:
            InvalidInput: the answer is empty, an faq has no question, or something is too long.
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
    """Without surrounding blanks, and without what no database takes: NUL and half characters."""
    return text.replace("\0", "").encode("utf-8", "replace").decode().strip()
