"""Convert dialects of Markdown (MDX, admonitions, shortcodes, includes) into CommonMark and HTML."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from knowledge.imports.markup.components import CLOSE, OPEN, convert_components, has_mdx_components, note_name
from knowledge.imports.markup.templates import without_templates
from knowledge.imports.sources.questions import ANSWER, QUESTION

FENCE = re.compile(r"^(?P<prefix>[ \t>]*(?:(?:[-*+]|\d+[.)])[ \t]+)?)(?P<mark>`{3,}|~{3,})(?P<info>[^`]*)$")
CODE_SPAN = re.compile(r"(?<![`\\])(`+)(?!`)((?:[^`\n]|\n(?!\s*\n)|(?!\1(?!`))`+)+?)(?<!`)\1(?!`)")
KEPT = re.compile("\x00([0-9]+)\x00")
KEPT_LINE = re.compile("^(.*?)\x00([0-9]+)\x00$")
NOTE_FENCE = re.compile(
    r"^\{(note|warning|tip|important|caution|danger|hint|admonition|seealso|dropdown)\}\s*(.*)$", re.IGNORECASE
)

COMMENT = re.compile(r"<!--.*?-->|\{/\*.*?\*/\}|^\[(?://|comment)\]:\s*#.*$", re.DOTALL | re.MULTILINE)
IMPORT = re.compile(r"^import\s+(?:[\w*\s{},$]+?\sfrom\s+)?['\"][^'\"\n]+['\"];?[ \t]*$", re.MULTILINE)
EXPORT = re.compile(
    r"^export\s+(?:const|let|var|default|function|async|class|\{|\*)(?:[^\n]|\n(?!\s*\n))*", re.MULTILINE
)
CONSTANT = re.compile(
    r"^export\s+const\s+([\w$]+)\s*=\s*(?:\"([^\"\n]*)\"|'([^'\n]*)'|`([^`$\n]*)`|(-?\d[\d.]*))\s*;?[ \t]*$",
    re.MULTILINE,
)
FOOTNOTE = re.compile(
    r"^ {0,3}\[\^([^\]\s]+)\]:[ \t]*(.*(?:\n(?! {0,3}(?:\[\^|#|[-*+>] |\d+[.)] ))[ \t]*\S.*|\n[ \t]*(?=\n {4}))*)",
    re.MULTILINE,
)
FOOTNOTE_MARK = re.compile(r"[ \t]*\[\^([^\]\s]+)\]")
FOOTNOTE_IN_LINE = re.compile(r"[ \t]*\^\[([^\[\]]+)\]")
INCLUDE = re.compile(
    r"\[!(?:INCLUDE|VIDEO|div|code|image|icon|button)(?:[^\[\]]|\[[^\]]*\](?:\([^)]*\))?)*\](?:\([^)]*\))?",
    re.IGNORECASE,
)
ATTRIBUTES = re.compile(r"[ \t]*\{:?\s*[.#][^{}\n]*\}|^[ \t]*\{:[^{}\n]*\}[ \t]*$|(?<=[)\]])\{[^{}\n]*\}", re.MULTILINE)
WIKI_PICTURE = re.compile(r"!\[\[[^\]]*\]\]")
WIKI_LINK = re.compile(r"(?<!!)\[\[(?:[^\]|\n]*\|)?([^\]|\n]+)\]\]")
SHORTCODE = re.compile(
    r"\{\{[<%]\s*(?P<close>/?)\s*(?P<name>[\w/-]+)\s*(?P<rest>.*?)\s*/?[>%]\}\}|\{%-?\s*(?P<end>end)?(?P<tag>[\w-]+)\s*(?P<more>.*?)\s*-?%\}",
    re.DOTALL,
)
SHORTCODE_TITLE = re.compile(r"(?:(?:title|summary|question|header|label|name)\s*=\s*)?[\"“]([^\"”]+)[\"”]")
FOLDED = re.compile(r"details|expand|accordion|collaps|faq|toggle|spoiler|question", re.IGNORECASE)
TITLED = re.compile(r"^tabs?$|^tab-?item|^step$|^card$", re.IGNORECASE)

DIRECTIVE = re.compile(r"^(?P<indent>\s*):{3,}\s*\{?(?P<kind>[\w-]*)\}?\s*(?P<title>.*?)\s*$")
ADMONITION = re.compile(
    r"^(?P<indent>\s*)(?P<mark>!!!|\?\?\?|===)[+!]?\s*(?P<kind>[\w-]*)[\w -]*?\s*(?:\"(?P<title>.*?)\")?\s*$"
)
ALERT = re.compile(r"^(?P<quote>\s*(?:>\s*)+)\[!(?P<kind>[\w-]+)\][+-]?[ \t]*(?P<title>.*)$")
TASK = re.compile(r"^(\s*(?:[-*+]|\d+[.)])\s+)\[[ xX]\]\s+")
SIGN = re.compile(r"^(\s*)[•●○▪■‣◦·►✓✔➤➢]\s+")
DELIMITER = re.compile(r"^\s*\|?\s*:?-+:?\s*(\|\s*:?-+:?\s*)*\|?\s*$")


@dataclass
class _KeptText:
    """Code that is removed before the conversion, to keep it unchanged, and restored at the end."""

    blocks: list[tuple[str, list[str]]] = field(default_factory=list)
    spans: list[str] = field(default_factory=list)

    def without_code(self, text: str) -> str:
        lines = "\n".join(self._without_fences(text.split("\n")))
        return CODE_SPAN.sub(self._keep_span, lines)

    def with_code(self, text: str) -> str:
        lines = (line for kept in text.split("\n") for line in self._restore_code(kept))
        return re.sub("\x05([0-9]+)\x05", lambda found: self.spans[int(found.group(1))], "\n".join(lines))

    def _without_fences(self, lines: list[str]) -> Iterator[str]:
        opened = ""
        for line in lines:
            found = FENCE.match(line)
            if opened:
                self.blocks[-1][1].append(line)
                closes = found and found.group("mark").startswith(opened) and not found.group("info").strip()
                opened = "" if closes else opened
            elif found:
                opened = found.group("mark")
                self.blocks.append((found.group("prefix"), [line]))
                yield f"{found.group('prefix')}\x00{len(self.blocks) - 1}\x00"
            else:
                yield line

    def _keep_span(self, found: re.Match[str]) -> str:
        self.spans.append(found.group())
        return f"\x05{len(self.spans) - 1}\x05"

    def _restore_code(self, line: str) -> Iterator[str]:
        found = KEPT_LINE.match(line)
        if found is None:
            yield KEPT.sub("", line)
            return
        prefix, lines = self.blocks[int(found.group(2))]
        note = NOTE_FENCE.match(lines[0].strip().strip("`~").strip())
        going_on = re.sub(r"[^\s>]", " ", found.group(1))
        inner = [_without_indent(code, prefix) for code in lines[1:]]
        if note:
            title = note.group(2) or note_name(note.group(1))
            yield from (
                f"{going_on}{code}"
                for code in ["", f'<div data-label="{html.escape(title)}">', "", *inner[:-1], "", "</div>", ""]
            )
            return
        yield found.group(1) + lines[0][len(prefix) :]
        yield from (going_on + code for code in inner)


def prepare_markdown(text: str, *, mdx: bool = False) -> str:
    """Prepare a text for a CommonMark parser."""
    kept = _KeptText()
    text = kept.without_code(text.expandtabs(4))
    text = _without_additions(text, mdx=mdx)
    lines = _with_directives(text.split("\n"))
    lines = _with_admonitions(list(lines))
    text = convert_components("\n".join(lines), mdx=mdx)
    return kept.with_code("\n".join(_with_pairs(_with_tables(list(_dedent_lines(text.split("\n")))))))


def _without_additions(text: str, *, mdx: bool) -> str:
    mdx = mdx or has_mdx_components(text)
    text = COMMENT.sub("", text)
    text = IMPORT.sub("", text)
    text = EXPORT.sub("", _with_constants(text)) if mdx else text
    text = _with_footnotes(INCLUDE.sub("", text))
    if "{" in text:
        text = ATTRIBUTES.sub("", SHORTCODE.sub(_convert_shortcode, text))
    text = without_templates(text)
    return WIKI_LINK.sub(r"\1", WIKI_PICTURE.sub("", text)) if "[[" in text else text


def _with_constants(text: str) -> str:
    """Replace exported constants by their values."""
    values = {name: next(filter(None, value), "") for name, *value in CONSTANT.findall(text)}
    return re.sub(r"\{\s*([\w$]+)\s*\}", lambda found: values.get(found[1], found[0]), text) if values else text


def _with_footnotes(text: str) -> str:
    """Insert each footnote in brackets where it is cited, so that conditions stay with what they limit."""
    notes = {name.lower(): " ".join(note.split()).rstrip(".") for name, note in FOOTNOTE.findall(text)}
    text = FOOTNOTE_IN_LINE.sub(r" (\1)", FOOTNOTE.sub("", text))
    return FOOTNOTE_MARK.sub(lambda m: f" ({note})" if (note := notes.get(m[1].lower(), "")) else "", text)


def _convert_shortcode(found: re.Match[str]) -> str:
    name = found.group("name") or found.group("tag") or ""
    rest = found.group("rest") or found.group("more") or ""
    closes = bool(found.group("close") or found.group("end"))
    title = SHORTCODE_TITLE.search(rest)
    if FOLDED.search(name):
        if closes:
            return "\n\n</details>\n\n"
        return (
            f"\n\n<details data-asks><summary>{html.escape(title.group(1))}</summary>\n\n"
            if title
            else "\n\n<details>\n\n"
        )
    if TITLED.match(name) and title and not closes:
        return f"\n\n{title.group(1)}:\n\n"
    return "" if name in ("ref", "relref", "link", "var", "param", "br") or "=" in rest else "\n\n" if closes else ""


def _with_directives(lines: list[str]) -> Iterator[str]:
    """Convert ``:::note Title`` to ``:::`` blocks (Docusaurus, VitePress, MyST); unknown uses keep only their text."""
    closings: list[str] = []
    for line in lines:
        found = DIRECTIVE.match(line)
        if found is None:
            yield line
        elif not found.group("kind"):
            yield from ("", closings.pop() if closings else "", "")
        elif not found.group("title").endswith(":::"):
            opening, closing = _get_label_tags(found.group("kind"), found.group("title").strip("[]\"' "))
            closings.append(found.group("indent") + closing)
            yield from ("", found.group("indent") + opening, "")


def _get_label_tags(kind: str, title: str, *, folded: bool = False) -> tuple[str, str]:
    """Return the opening and closing tags for a text with a title or a kind."""
    title = re.sub(r"\{[^{}]*\}", "", title).strip()
    asks = " data-asks" if kind.lower() in ("question", "faq") else ""
    if title and (folded or asks or FOLDED.search(kind)):
        return f"<details{asks}><summary>{html.escape(title)}</summary>", "</details>"
    label = title or note_name(kind)
    return (f'<div data-label="{html.escape(label)}">', "</div>") if label else ("<div>", "</div>")


def _with_admonitions(lines: list[str]) -> Iterator[str]:
    """Convert MkDocs admonitions (``!!! note "Title"`` with indented lines) and alerts (``> [!NOTE]``)."""
    at = 0
    while at < len(lines):
        found = ADMONITION.match(lines[at])
        at += 1
        if found is None:
            yield _without_alert(lines[at - 1])
            continue
        depth = len(found.group("indent"))
        inside: list[str] = []
        while at < len(lines) and (not lines[at].strip() or _get_line_indent(lines[at]) >= depth + 2):
            inside.append(lines[at])
            at += 1
        shift = min((_get_line_indent(line) for line in inside if line.strip()), default=depth) - depth
        body = list(_with_admonitions([line[shift:] for line in inside]))
        folded, title = found.group("mark") == "???", found.group("title") or ""
        if found.group("mark") == "===":
            yield from ("", f"{found.group('indent')}{title}:", "", *body, "")
            continue
        opening, closing = _get_label_tags(found.group("kind"), title, folded=folded)
        pad = found.group("indent")
        yield from ("", pad + opening, "", *body, "", pad + closing, "")


def _without_alert(line: str) -> str:
    found = ALERT.match(line)
    if found is None:
        return line
    kind, title = found.group("kind"), found.group("title").strip()
    if kind.lower() in ("question", "faq") and title:
        return f"{found.group('quote')}**Q: {title}**\n{found.group('quote').rstrip()}"
    label = title or note_name(kind)
    return f"{found.group('quote')}{label}:" if label else found.group("quote").rstrip()


def _dedent_lines(lines: list[str]) -> Iterator[str]:
    """Reduce the indentation of lines inside a tag to that of the tag."""
    levels: list[list[int | None]] = []
    shift = 0
    for line in lines:
        if line.startswith(OPEN):
            levels.append([int(line[1:]) - shift, None, shift])
        elif line.startswith(CLOSE):
            shift = (levels.pop()[2] or 0) if levels else 0
        elif not line.strip():
            yield ""
        else:
            if levels and levels[-1][1] is None:
                levels[-1][1] = 1
                shift = max(_get_line_indent(line) - (levels[-1][0] or 0), 0) if _get_line_indent(line) else 0
            yield " " * max(_get_line_indent(line) - shift, 0) + line.lstrip()


def _with_tables(lines: list[str]) -> Iterator[str]:
    """Add or repair the delimiter row of tables."""
    for at, line in enumerate(lines):
        before = lines[at - 1] if at else ""
        after = lines[at + 1] if at + 1 < len(lines) else ""
        if DELIMITER.match(line) and "|" in line and "|" in before:
            yield "|" + "---|" * _count_cells(before)
            continue
        if _is_table_row(line) and not _is_table_row(before):
            if not DELIMITER.match(after):
                yield from ("", "|" + " |" * _count_cells(line), "|" + "---|" * _count_cells(line))
            elif before.strip() and "|" not in before:
                yield ""
        yield line


def _is_table_row(line: str) -> bool:
    return line.lstrip().startswith("|") and line.rstrip().endswith("|") and line.count("|") > 2  # noqa: PLR2004


def _count_cells(line: str) -> int:
    return len(re.split(r"(?<!\\)\|", line.strip().strip("|")))


def _with_pairs(lines: Iterator[str]) -> Iterator[str]:
    """Start a new paragraph at each question and answer, and turn typed bullets into list items."""
    before = ""
    for text in lines:
        line = TASK.sub(r"\1", SIGN.sub(r"\1- ", text))
        bare = line.strip(" >*_#")
        if before.strip() and (QUESTION.match(bare) or ANSWER.match(bare)):
            yield line[: len(line) - len(line.lstrip(" >"))].rstrip()
        yield line
        before = line


def _get_line_indent(line: str) -> int:
    return len(line) - len(line.lstrip(" "))


def _without_indent(line: str, prefix: str) -> str:
    """Remove the indentation of the fence from a line of code."""
    quote = prefix.count(">")
    for _ in range(quote):
        line = re.sub(r"^\s*> ?", "", line, count=1)
    width = len(prefix.rpartition(">")[2]) if quote else len(prefix)
    return line[min(width, _get_line_indent(line)) :]
