"""Detection of text encodings."""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable

from charset_normalizer import from_bytes

from core.errors import InvalidInput

MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
WESTERN = "äöüßéèêëàâçîïôùûœæáíóúñìòãõåøÿ¿¡’‘‚“”„«»–—…€£§°·×®©™½¼¾²³ªº•\xa0"  # noqa: RUF001 -- what texts have
LATIN = {
    "cp1252": WESTERN,
    "cp1250": WESTERN + "ąćęłńóśźżčďěňřšťůžýáéíúőűăâîşľĺŕô",
    "cp1254": WESTERN + "ğışâû",
    "mac_roman": WESTERN,
    "cp850": WESTERN,
}
"""Encodings of Latin scripts, the likelier first, with the characters that are expected in each."""
OTHER_SCRIPTS = [
    "gb18030",
    "big5",
    "cp932",
    "euc_jp",
    "cp949",
    "cp1251",
    "koi8_r",
    "cp866",
    "cp1253",
    "cp1255",
    "cp1256",
    "cp874",
]
NAMES = {"gb18030": "GBK", "cp932": "Shift JIS", "cp949": "EUC-KR", "koi8_r": "KOI8-R", "mac_roman": "Mac Roman"}
JAPANESE = ("cp932", "euc_jp")
EAST_ASIAN: dict[str, Callable[[str], bool]] = {
    "cp949": lambda sign: b"\xb0" <= sign.encode("euc_kr", "ignore")[:1] < b"\xc9",
    "gb18030": lambda sign: b"\xb0" <= sign.encode("gb2312", "ignore")[:1] < b"\xd8",
    "big5": lambda sign: b"\xa4" <= sign.encode("big5", "ignore")[:1] < b"\xc7",
    "cp932": lambda sign: "\u3040" <= sign <= "\u30ff" or b"\x88" <= sign.encode("cp932", "ignore")[:1] < b"\x98",
    "euc_jp": lambda sign: "\u3040" <= sign <= "\u30ff" or b"\xb0" <= sign.encode("euc_jp", "ignore")[:1] < b"\xd0",
}
"""Predicates for the common characters of an encoding; for Chinese and Japanese, the first level of its standard."""
PUNCTUATION = "，。？！：；、（）《》「」『』“”‘’…—～ー・·\u3000％￥"  # noqa: RUF001 -- theirs
NEARLY_ALL = 0.95
MOSTLY_FOREIGN = 0.3
"""The share of non-ASCII bytes among the letters; Latin scripts stay below it."""
CONTROLS = re.compile(r"[\x00-\x08\x0e-\x1f\x7f-\x9f\ufffd\ue000-\uf8ff]")
FEWEST_USUAL = 0.8
SAMPLE = 60_000

NO_TEXT = "this is no text file, or a damaged one; save it as text in UTF-8, or in the format that its name says"


def decode_text(data: bytes, declared: str | None = None) -> str:
    """Decode a text; ``declared`` is the encoding that the document or its server names.

    Raises:
        InvalidInput: The data is no text, or its encoding cannot be detected.
    """
    for mark, encoding in MARKS:
        if data.startswith(mark):
            return _decode_strictly(data, encoding)
    if b"\0" in data:
        return _without_mark(data)
    for encoding in filter(None, ("utf-8", declared)):
        text = _try_decoding(data, encoding)
        if text is not None:
            return text
    return _decode_strictly(data, _encoding_of(data[:SAMPLE]))


def _decode_strictly(data: bytes, encoding: str) -> str:
    text = _try_decoding(data, encoding)
    if text is None:
        raise InvalidInput(
            f"its encoding looks like {_format_encoding_name(encoding)}, but some of it is not; save it as UTF-8"
        )
    return text


def _try_decoding(data: bytes, encoding: str) -> str | None:
    try:
        return data.decode(encoding)
    except (UnicodeDecodeError, LookupError):
        return None


def _without_mark(data: bytes) -> str:
    """Decode UTF-16 without a byte order mark; in Western text every other byte is zero."""
    even, odd = data[0:SAMPLE:2].count(0), data[1:SAMPLE:2].count(0)
    text = _try_decoding(data, "utf-16-le" if odd > even else "utf-16-be")
    if min(even, odd) > max(even, odd) / 10 or text is None or CONTROLS.search(text):
        raise InvalidInput(NO_TEXT)
    return text


def _encoding_of(data: bytes) -> str:
    if CONTROLS.search(data.decode("ascii", "ignore")):
        raise InvalidInput(NO_TEXT)
    beyond = sum(byte > 127 for byte in data)  # noqa: PLR2004 -- ASCII ends there
    letters = beyond + sum(bytes((byte,)).isalpha() for byte in data)
    return _detect_latin_encoding(data) if beyond / letters < MOSTLY_FOREIGN else _detect_other_encoding(data)


def _detect_latin_encoding(data: bytes) -> str:
    shares = {encoding: _share_of_usual(data, encoding, usual) for encoding, usual in LATIN.items()}
    best = max(shares, key=lambda encoding: shares[encoding])
    if shares[best] >= FEWEST_USUAL:
        return best
    return _detect_other_encoding(data)


def _share_of_usual(data: bytes, encoding: str, usual: str) -> float:
    text = data.decode(encoding, "replace")
    places = [place for place, letter in enumerate(text) if not letter.isascii()]
    return sum(text[place].lower() in usual and not _is_misplaced_sign(text, place) for place in places) / (
        len(places) or 1
    )


def _is_misplaced_sign(text: str, place: int) -> bool:
    """Whether a symbol stands inside a word, or a capital follows a small letter."""
    before, letter, after = text[place - 1 : place], text[place], text[place + 1 : place + 2]
    if letter.isalpha():
        return letter.isupper() and before.islower()
    return before.isalpha() and after.isalpha() and letter not in "’\xa0"  # noqa: RUF001 -- the apostrophe of most texts


def _detect_other_encoding(data: bytes) -> str:
    telling = _lines_of_interest(data)
    shares = {encoding: _share_of_common(telling, encoding) for encoding in EAST_ASIAN}
    best = max(shares, key=lambda encoding: shares[encoding])
    if shares[best] >= NEARLY_ALL:
        return best
    if _share_of_small_cyrillic(telling, "koi8_r") >= FEWEST_USUAL:
        return "koi8_r"
    found = from_bytes(telling, cp_isolation=OTHER_SCRIPTS).best()
    if found is None or CONTROLS.search(str(found)):
        likely = f"; it may be {_format_encoding_name(found.encoding)}" if found is not None else ""
        raise InvalidInput(f"its encoding cannot be told{likely}; save it as UTF-8")
    return str(found.encoding)


def _share_of_common(data: bytes, encoding: str) -> float:
    """Return the share of non-ASCII characters that are common in the language of the encoding."""
    text = _try_decoding(data, encoding) or ""
    signs = [sign for sign in text if not sign.isascii() and sign not in PUNCTUATION]
    if encoding in JAPANESE and not any("\u3040" <= sign <= "\u30ff" for sign in signs):
        return 0.0
    return sum(bool(EAST_ASIAN[encoding](sign)) for sign in signs) / (len(signs) or 1)


def _share_of_small_cyrillic(data: bytes, encoding: str) -> float:
    """Return the share of small Cyrillic letters; in KOI8-R they have the bytes of capitals in Windows-1251 and others."""
    signs = [sign for sign in data.decode(encoding, "replace") if not sign.isascii()]
    return sum("\u0430" <= sign <= "\u044f" for sign in signs) / (len(signs) or 1)


def _lines_of_interest(data: bytes) -> bytes:
    """Return the lines with non-ASCII bytes; ASCII lines such as a table header would outweigh them."""
    return b"\n".join(line for line in data.splitlines() if not line.isascii())


def _format_encoding_name(encoding: str) -> str:
    return NAMES.get(encoding, encoding.replace("cp125", "Windows-125").replace("_", "-"))
