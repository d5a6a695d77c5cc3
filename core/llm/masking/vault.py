"""The masked values of one request, and restoring them in whole or streamed text."""

from __future__ import annotations

import re
from collections.abc import Iterable

_OPENING, _CLOSING = r"(?:&lt;|[<\[{])", r"(?:&gt;|[>\]}])"
_WRITTEN = re.compile(r"<([A-Z]+)_(\d+)>", re.IGNORECASE)
_LONGEST = 40
"""Maximum length of a placeholder, in any form a model may write it."""
_BEGUN = re.compile(
    r"(?P<open>&(?:l(?:t;?)?)?|[<\[{])? ?(?P<kind>[A-Z]*)(?:\\?[_ -]?|\\)(?P<number>\d*) ?(?:&(?:g(?:t)?)?)?",
    re.IGNORECASE,
)


class Vault:
    """The values behind the placeholders of one request."""

    def __init__(self, texts: Iterable[str] = ()) -> None:
        """Reserve everything in ``texts`` that already looks like a placeholder, so that its numbers are not used."""
        self._taken = {(found[1].upper(), int(found[2])) for text in texts for found in _WRITTEN.finditer(text)}
        self._values: dict[str, str] = {}
        self._names: dict[tuple[str, str], str] = {}

    def placeholder(self, kind: str, value: str) -> str:
        """Return the placeholder for a value of this kind; always the same for the same value."""
        name = self._names.get((kind, value))
        if name is None:
            number = 1
            while (kind, number) in self._taken:
                number += 1
            self._taken.add((kind, number))
            name = f"{kind}_{number}"
            self._names[kind, value] = name
            self._values[name] = value
        return f"<{name}>"

    @property
    def kinds(self) -> frozenset[str]:
        """The kinds of data that were found."""
        return frozenset(name.rpartition("_")[0] for name in self._values)

    def restore(self, text: str) -> str:
        """Restore the values, even if the model changed case, brackets or the underscore."""
        restorer = self.restorer()
        return restorer.feed(text) + restorer.flush()

    def restorer(self) -> Restorer:
        """Return a restorer for one streamed text."""
        return Restorer(self._values)


class Restorer:
    """Restores values in a stream; holds back an incomplete placeholder."""

    def __init__(self, values: dict[str, str]) -> None:
        self._values = values
        self._kinds = frozenset(name.rpartition("_")[0] for name in values)
        self._pattern = _compile_placeholders(self._kinds)
        self._held = ""
        self._before = ""

    def feed(self, text: str) -> str:
        """Add a piece and return the text that can be released now."""
        if not self._values:
            return text
        text = self._held + text
        cut = self._find_tail_start(text)
        self._held = text[cut:]
        return self._restore_text(text[:cut])

    def flush(self) -> str:
        held, self._held = self._held, ""
        return self._restore_text(held)

    def _restore_text(self, text: str) -> str:
        if not text:
            return ""
        whole, place = self._before + text, len(self._before)
        pieces = []
        for found in self._pattern.finditer(whole, place):  # the preceding character shows word boundaries
            pieces += [whole[place : found.start()], self._resolve_placeholder(found)]
            place = found.end()
        self._before = whole[-1]
        return "".join([*pieces, whole[place:]])

    def _resolve_placeholder(self, found: re.Match[str]) -> str:
        name = f"{found['a'] or found['b']}_{int(found['m'] or found['n'])}".upper()
        return self._values.get(name, found[0])

    def _find_tail_start(self, text: str) -> int:
        """Return the start of the tail that may become a placeholder."""
        for start in range(max(0, len(text) - _LONGEST), len(text)):
            found = _BEGUN.fullmatch(text, start)
            if found and self._may_become(found, text[:start] or self._before):
                return start
        return len(text)

    def _may_become(self, found: re.Match[str], before: str) -> bool:
        if not found["open"] and (not found["kind"] or _is_name_character(before[-1:])):
            return False
        kind = found["kind"].upper()
        if found["number"]:
            return kind in self._kinds
        return any(known.startswith(kind) for known in self._kinds)


def _compile_placeholders(kinds: Iterable[str]) -> re.Pattern[str]:
    names = "|".join(sorted(kinds)) or "(?!)"
    return re.compile(
        rf"{_OPENING} ?(?P<a>{names})\\?[_ -]?(?P<m>\d{{1,6}}) ?{_CLOSING}"
        rf"|{_OPENING}?(?<![^\W])(?P<b>{names})\\?_(?P<n>\d{{1,6}})(?!\w){_CLOSING}?",
        re.IGNORECASE,
    )


def _is_name_character(character: str) -> bool:
    return character.isalnum() or character == "_"
