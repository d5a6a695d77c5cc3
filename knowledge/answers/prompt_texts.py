"""The versioned prompts of ``prompts/``, filled in only here.

Text from customers and documents is data. It is enclosed in lines with a random code, drawn anew for each prompt, so
no text can close its block and continue as an instruction.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from string import Template

from core.llm.types import ChatMessage
from knowledge.types import Entry, Question, Utterance

NO_ANSWER = "NO_ANSWER"
"""A model's exact reply when the evidence does not answer."""
FOLDER = Path(__file__).parent / "prompts"
NAMES = ("system", "answer", "rewrite", "summary", "judge", "harvest")
FRONT = re.compile(r"version: (\d+)\n---\n")
HISTORY_TURNS = 8
LONGEST_TURN = 1000
"""Maximum characters per turn; a customer may paste a page."""
NOTHING = "(nothing)"
TONES = dict.fromkeys(
    ("negative", "angry"),
    "\n- The customer is upset, and we have already said that we are sorry: be calm and warm, say first what can be done, never argue.",
)
"""Addition to the prompt by the mood of the customer's message."""
BEST_MARK = 10


@dataclass(frozen=True)
class Prompts:
    """The templates by name, and the version stored with each call."""

    templates: dict[str, Template]
    version: str
    """Version of the answer prompt plus a hash over all prompts, so every edit changes it."""

    @classmethod
    def load(cls, folder: Path = FOLDER) -> Prompts:
        """Load the prompts of a folder.

        Raises:
            ValueError: a file does not begin with its version.
            FileNotFoundError: one of the files is missing.
        """
        texts = {name: (folder / f"{name}.md").read_text(encoding="utf-8") for name in NAMES}
        versions = {name: _match_front_matter(name, text)[1] for name, text in texts.items()}
        digest = sha256("\0".join(texts.values()).encode()).hexdigest()[:8]
        templates = {name: Template(FRONT.sub("", text, count=1).strip()) for name, text in texts.items()}
        return cls(templates, f"answer-{versions['answer']}-{digest}")

    def answer(self, question: Question, evidence: Sequence[Entry]) -> tuple[ChatMessage, ...]:
        """Build the prompt to answer from the evidence, numbered from 1."""
        return self._fill_template(
            "answer",
            evidence=_format_evidence(evidence),
            history=_format_history(question.history),
            question=question.text,
            tone=TONES.get(question.mood, ""),
        )

    def rewrite(self, question: Question) -> tuple[ChatMessage, ...]:
        """Build the prompt to make a question self-contained."""
        return self._fill_template("rewrite", history=_format_history(question.history), question=question.text)

    def summary(self, utterances: Iterable[Utterance]) -> tuple[ChatMessage, ...]:
        """Build the prompt to summarise a conversation for an agent."""
        return self._fill_template("summary", history=_format_utterances(utterances))

    def harvest(self, lines: Sequence[str], categories: Sequence[str]) -> tuple[ChatMessage, ...]:
        """Build the prompt to extract general knowledge from a finished conversation; the reply is JSON."""
        return self._fill_template(
            "harvest", history="\n".join(lines) or NOTHING, categories=", ".join(categories) or NOTHING
        )

    def judge(self, question: Question, evidence: Sequence[Entry], answer: str) -> tuple[ChatMessage, ...]:
        """Build the prompt to mark an answer; ``mark`` parses the reply."""
        return self._fill_template("judge", evidence=_format_evidence(evidence), question=question.text, answer=answer)

    def mark(self, reply: str) -> float:
        """Parse the judge's mark, 0 to 1; 0 if the reply has none."""
        found = re.search(r"\d+(?:\.\d+)?", reply)
        return min(float(found[0]) / BEST_MARK, 1.0) if found else 0.0

    def _fill_template(self, name: str, **data: str) -> tuple[ChatMessage, ...]:
        code = _generate_block_code("".join(data.values()))
        text = self.templates[name].safe_substitute(data, code=code, no_answer=NO_ANSWER)
        return ChatMessage("system", self.templates["system"].template), ChatMessage("user", text)


def _match_front_matter(name: str, text: str) -> re.Match[str]:
    found = FRONT.match(text)
    if found is None:
        raise ValueError(f'prompts/{name}.md does not begin with "version: N" and "---"')
    return found


def _generate_block_code(data: str) -> str:
    """Return a random code that does not occur in the data."""
    while (code := secrets.token_hex(6)) in data:
        pass
    return code


def _format_evidence(entries: Sequence[Entry]) -> str:
    return "\n\n".join(f"[{n}] {_format_entry(entry)}" for n, entry in enumerate(entries, 1)) or NOTHING


def _format_entry(entry: Entry) -> str:
    heading = " - ".join(filter(None, (entry.subject, entry.title, *entry.questions[:1])))
    return f"{heading}\n{entry.answer}" if heading else entry.answer


def _format_history(history: Sequence[Utterance]) -> str:
    return _format_utterances(history[-HISTORY_TURNS:])


def _format_utterances(utterances: Iterable[Utterance]) -> str:
    return "\n".join(f"{said.speaker}: {said.text[:LONGEST_TURN]}" for said in utterances) or NOTHING
