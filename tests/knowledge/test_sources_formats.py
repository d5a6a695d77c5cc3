"""What documents of each format become: entries in plain words, with questions as faq entries."""

from __future__ import annotations

import io

import openpyxl
import pytest

from core.errors import InvalidInput
from knowledge.imports.sources.document import Failure
from knowledge.imports.sources.encodings import decode_text
from knowledge.imports.sources.questions import QUESTION
from knowledge.imports.sources.readers import why_passed_over
from tests.knowledge.documents import pairs, passages, read_bytes, told


def answer(markdown: str, base_url: str | None = None) -> str:
    """The text of a page that is one section."""
    ((_, _, text),) = told(read_bytes("page.md", f"# Page\n\n{markdown}", base_url))
    return text


@pytest.mark.parametrize(
    ("markdown", "text"),
    [
        ("Press **Save** and `_wait_`, see [us](mailto:a@b.example).", "Press Save and _wait_, see us (a@b.example)."),
        (
            "See [plans](https://x.example/p) and [refunds](./refunds.md).",
            "See plans (https://x.example/p) and refunds.",
        ),
        ("<https://x.example/a> is it, or [x.example](https://x.example).", "https://x.example/a is it, or x.example."),
        ("Click ![gear](img/gear.png) twice. ![](big.png)", "Click gear twice."),
        (":::tip Good to know\nIt is *free*.\n:::", "Good to know: It is free."),
        ('!!! warning "Careful"\n    Never do it.\n', "Careful: Never do it."),
        ("> [!NOTE]\n> Keep the receipt.", "Note: Keep the receipt."),
        ("[!INCLUDE [name](../x.md)]\n\nText of the page.", "Text of the page."),
        ("<!-- hidden\ntext -->Shown text here.", "Shown text here."),
        ("{{< note >}}Read this first.{{< /note >}}", "Read this first."),
        ("{% include a.html %}Ask {{ site.support_team }} for it.", "Ask support team for it."),
        ("Use `{{ user.name }}` for the name.", "Use {{ user.name }} for the name."),
        ("Open https://<your-domain>/x in <your browser>.", "Open https://<your-domain>/x in <your browser>."),
        ("- [ ] Passport\n- [x] Photo of you", "- Passport\n- Photo of you"),
        ("Bring these:\n• a towel\n• a cap", "Bring these:\n\n- a towel\n- a cap"),
        ("1. One\n\n   ```sh\n   run it\n   ```\n\n2. Two", "1. One\n   run it\n2. Two"),
        ("Fee | Price\n---|---\nBasic | **9** EUR", "Fee: Basic; Price: 9 EUR"),
        ("| a | b |\n| c | d |", "a: b\nc: d"),
        ("<b>Bold</b> and <br>a line<sup>2</sup>", "Bold and\na line2"),
        ("Term\n: What it means", "- Term: What it means"),
        ("It costs 40 EUR[^b].\n\n[^b]: Plus 5 EUR\nfor shipping.", "It costs 40 EUR (Plus 5 EUR for shipping)."),
        ("Free^[For members only.] and open[^gone].", "Free (For members only.) and open."),
        ("import Tabs from '@theme/Tabs';\n\nIt is open.", "It is open."),
        ("It is open.\n\n<p>Was this article helpful? <button>Yes</button> <button>No</button></p>", "It is open."),
    ],
)
def test_no_markup_reaches_a_customer(markdown: str, text: str) -> None:
    assert answer(markdown) == text


def test_the_value_of_a_constant_is_shown_where_it_stands() -> None:
    page = "export const price = '£5';\nexport const days = 14;\n\n# Plans\n\nIt costs {price} for { days } days, {other} aside, as `{price}` says."
    assert [text for _, _, text in told(read_bytes("page.mdx", page))] == [
        "It costs £5 for 14 days, aside, as {price} says."
    ]


def test_a_note_stays_with_the_section_that_cites_it() -> None:
    page = "# Page\n\n## Price\n\nIt costs 40 EUR[^b].\n\n## Change\n\nNo, never at all.\n\n[^b]: Only with a card."
    assert [text for _, _, text in told(read_bytes("page.md", page))] == [
        "It costs 40 EUR (Only with a card).",
        "No, never at all.",
    ]


def test_a_section_that_only_leads_elsewhere_is_no_answer() -> None:
    links = "<ul><li><a href='/a'>Nib sizes</a></li><li><a href='/b'>Ink</a></li></ul>"
    page = f"<main><h1>Repairs</h1><p>A nib costs 35 EUR.</p><h2>Related articles</h2>{links}</main>"
    assert [text for _, _, text in told(read_bytes("page.html", page))] == ["A nib costs 35 EUR."]
    asked = "# Plans\n\nThere are two.\n\n## How do I cancel my plan?\n\n[Read the guide](./cancel.md)"
    assert [text for _, _, text in told(read_bytes("page.md", asked))] == ["There are two."]


def test_links_are_resolved_against_the_address_of_the_source() -> None:
    document = read_bytes(
        "billing/plans.md", "# Plans\n\nSee [refunds](../refunds.md#late).", "https://help.example/docs"
    )
    assert document.url == "https://help.example/docs/billing/plans"
    assert list(passages(document).values()) == ["See refunds (https://help.example/docs/refunds#late)."]
    page = read_bytes("a.md", "---\nslug: /pay\n---\n# Pay\n\nText for all.", "https://help.example/docs/")
    assert page.url == "https://help.example/docs/pay"


@pytest.mark.parametrize(
    "markdown",
    [
        "**Can I pay?**\n\nYes, by card.",
        "**Can I pay?** Yes, by card.",
        "**Can I pay?**\nYes, by card.",
        "Q: Can I pay?\nA: Yes, by card.",
        "**Q1. Can I pay?**\n\nA. Yes, by card.",
        "## 3. Can I pay?\n\nYes, by card.",
        "1. **Can I pay?**\n   Yes, by card.\n",
        "1. Can I pay?\n\nYes, by card.",
        "Can I pay?\n: Yes, by card.",
        "<details>\n<summary>Can I pay?</summary>\nYes, by card.\n</details>",
        '??? question "Can I pay?"\n    Yes, by card.',
        ":::details Can I pay?\nYes, by card.\n:::",
        '{{% expand "Can I pay?" %}}\nYes, by card.\n{{% /expand %}}',
        '<FAQ question="Can I pay?" answer="Yes, by card." />',
        '<Accordion title="Can I pay?">\n    Yes, by card.\n</Accordion>',
        '<AccordionTab header="Can I pay?">Yes, by card.</AccordionTab>',
        "| Question | Answer |\n|---|---|\n| Can I pay? | Yes, by card. |",
    ],
)
def test_a_question_in_any_dress_is_an_faq_entry(markdown: str) -> None:
    document = read_bytes("help.md", f"# FAQ\n\n{markdown}\n")
    assert pairs(document) == {"Can I pay?": "Yes, by card."}
    assert [piece.content.title for piece in document.pieces] == ["FAQ"]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.html", "<h1>FAQ</h1><dl><dt>Can I pay?</dt><dd>Yes, by card.</dd></dl>"),
        ("a.html", "<h1>FAQ</h1><p><b>Can I pay?</b><br>Yes, by card.</p>"),
        ("a.html", "<h1>FAQ</h1><p>Q: Can I pay?<br>A: Yes, by card.</p>"),
        ("a.html", "<h1>FAQ</h1><button aria-expanded=false>Can I pay?</button><div hidden>Yes, by card.</div>"),
        ("a.html", "<h1>FAQ</h1><div class='faq-question'>Can I pay?</div><div>Yes, by card.</div>"),
        ("a.rst", "FAQ\n===\n\nCan I pay?\n----------\n\nYes, by card.\n"),
        ("a.adoc", "= FAQ\n\n[qanda]\nCan I pay?:: Yes, by card.\n"),
        ("a.txt", "FAQ\n===\n\nCan I pay?\nYes, by card.\n"),
        ("a.txt", "Q: Can I pay?\nA: Yes, by\ncard.\n"),
        ("a.csv", "Nr;FAQ Question;Our Answer\n1;Can I pay?;Yes, by card.\n"),
        ("a.csv", 'answer,question\n"Yes, by card.",Can I pay?\n'),
        ("a.csv", 'Can I pay?,"Yes, by card."\nIs it free?,\n'),
        ("a.csv", "question,answer\nCan I pay?,Yes, by card.\n"),
        ("a.tsv", "question\tanswer\nCan I pay?\tYes, <b>by card</b>.\n"),
        ("a.json", '{"faq": [{"q": "Can I pay?", "a": "Yes, by card."}]}'),
        ("a.json", '{"Can I pay?": "Yes, by card."}'),
    ],
)
def test_questions_are_found_in_every_format(name: str, text: str) -> None:
    assert pairs(read_bytes(name, text)) == {"Can I pay?": "Yes, by card."}


def test_prose_that_asks_is_no_faq() -> None:
    text = "Want to know more? Then read on, since there is a lot to tell.\n\nWe are here. Who else?\n"
    assert pairs(read_bytes("a.md", f"# About us\n\n{text}")) == {}
    assert QUESTION.match("A plan: see below") is None


def test_a_wrong_row_costs_only_itself() -> None:
    table = 'question,answer\nOne?,Yes.\n"Two?,No.\nThree?,\nFour?,Good.\n'
    document = read_bytes("a.csv", table)
    assert pairs(document) == {"One?": "Yes.", "Four?": "Good."}
    assert document.failed == (
        Failure("row 3", "a quotation mark is not closed"),
        Failure("row 4", "the answer is empty"),
    )
    lines = read_bytes("a.jsonl", '{"question": "One?", "answer": "Yes."}\nnope\n')
    assert [failure.uri for failure in lines.failed] == ["line 2"]


def test_sheets_of_questions_and_of_prices() -> None:
    book = openpyxl.Workbook()
    first = book.worksheets[0]
    for row in (["Our FAQ"], ["Nr", "Question", "Answer"], [1, "Can I pay?", "Yes."], [2, "Is it safe?", None]):
        first.append(row)
    second = book.create_sheet("Prices")
    for line in (["Room", "Price"], ["Tower", 199.0]):
        second.append(line)
    target = io.BytesIO()
    book.save(target)
    document = read_bytes("book.xlsx", target.getvalue())
    assert pairs(document) == {"Can I pay?": "Yes."}
    assert passages(document) == {"Book > Prices": "Room: Tower; Price: 199"}
    assert [failure.uri for failure in document.failed] == ["sheet Sheet, row 4"]


def test_of_a_page_nothing_stands_around_the_content() -> None:
    page = """<html><head><title>Returns | Shop</title></head><body><div id="menu"><ul><li><a href=1>Phones</a></li>
      <li><a href=2>Cables</a></li><li><a href=3>Sale</a></li><li><a href=4>Cart</a></li></ul></div>
      <ol class="breadcrumbs"><li>Home</li></ol><h1>Returns<a class=headerlink href="#r">¶</a></h1><p>Within 45 days.</p>
      <div class="admonition warning"><p class="admonition-title">Warning</p><p>Not food.</p></div>
      <table><tr><th>Land</th><th>Fee</th></tr><tr><td>Norland</td><td>4 EUR</td></tr></table>
      <div class="related-articles"><a href=5>Refunds</a></div><div id="footer">Imprint</div></body></html>"""
    assert passages(read_bytes("p.html", page)) == {
        "Returns": "Within 45 days.\n\nWarning: Not food.\n\nLand: Norland; Fee: 4 EUR"
    }


def test_questions_that_a_page_only_tells_search_engines() -> None:
    page = """<script type="application/ld+json">{"@type": "FAQPage", "mainEntity": [{"@type": "Question",
      "name": "Can I pay?", "acceptedAnswer": {"@type": "Answer", "text": "<p>Yes, by card.</p>"}}]}</script>"""
    assert pairs(read_bytes("p.html", page)) == {"Can I pay?": "Yes, by card."}


def test_a_section_of_one_word_is_a_line_of_the_section_above() -> None:
    text = "# Extensions\n\n" + "\n\n".join(f"## Person {number}\n\n{1000 + number}" for number in range(500))
    document = read_bytes("phones.md", text)
    assert len(document.pieces) < 12
    lines = [line for piece in document.pieces for line in piece.content.answer.splitlines()]
    assert "Person 7: 1007" in lines
    assert sum(line.startswith("Person ") for line in lines) == 500


def test_sections_of_the_same_name_keep_keys_of_their_own() -> None:
    text = "\n\n".join(f"## Overview\n\nThis is the text number {number} of that name." for number in range(30))
    keys = [piece.key for piece in read_bytes("a.md", text).pieces]
    assert len(keys) == 30
    assert len(set(keys)) == 30


def test_a_section_stays_whole_and_a_longer_one_is_cut_between_blocks() -> None:
    whole = "\n\n".join(f"Paragraph {number} has exactly nine words in it now." for number in range(35))
    assert len(read_bytes("a.md", f"# A\n\n{whole}").pieces) == 1
    parts = read_bytes("a.md", f"# A\n\n{whole}\n\n{whole}").pieces
    assert len(parts) == 3
    assert all(piece.content.answer.endswith("now.") for piece in parts)


def test_each_part_of_a_long_list_begins_with_its_lead_in() -> None:
    items = "\n".join(f"* Land number {number} with a few more words" for number in range(100))
    parts = [piece.content.answer for piece in read_bytes("a.md", f"# A\n\nWe do not deliver to:\n\n{items}").pieces]
    assert len(parts) > 2
    assert all(part.startswith("We do not deliver to:\n\n- Land number ") for part in parts)


def test_a_long_list_that_nothing_introduces_is_introduced_by_its_heading() -> None:
    items = "\n".join(f"* Dock number {number} with a few more words" for number in range(100))
    parts = [
        piece.content.answer for piece in read_bytes("a.md", f"# Harbour\n\n## Docks with power\n\n{items}").pieces
    ]
    assert len(parts) > 2
    assert all(part.startswith("Docks with power:\n\n- Dock number ") for part in parts)


def test_numbered_steps_stay_whole() -> None:
    steps = "\n".join(f"{number}. Do the thing of this step and go on." for number in range(1, 41))
    words = "Some words stand before the steps. " * 8
    parts = [p.content.answer for p in read_bytes("a.md", f"# A\n\n{words}\n\nDo this:\n\n{steps}").pieces]
    assert any("1. Do" in part and "40. Do" in part for part in parts)


def test_the_title_is_the_path_of_headings() -> None:
    text = "---\ntitle: Billing\n---\n# Billing\n\n## Cards\n\n### Expired cards\n\nWe send you a new one."
    assert list(passages(read_bytes("a.md", text))) == ["Billing > Cards > Expired cards"]


def test_an_introduction_names_what_it_introduces() -> None:
    text = "# A\n\n## Before you start\n\nYou need:\n\n### A server\n\nWith four cores at least.\n\n### A domain\n\nAny one will do."
    assert passages(read_bytes("a.md", text))["A > Before you start"] == "You need:\n\n- A server\n- A domain"


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-32", "cp1252", "mac_roman", "cp850"])
def test_western_encodings(encoding: str) -> None:
    text = "Wie groß ist die Größe?\nÜber fünf Meter, schätze ich.\n"
    assert decode_text(text.encode(encoding)) == text


@pytest.mark.parametrize(
    ("encoding", "text"),
    [
        ("cp1250", "Zboží můžete vrátit do čtrnácti dnů."),
        ("cp1253", "Σε 14 ημέρες μπορείτε να το επιστρέψετε."),
        ("koi8_r", "Вернуть товар можно за 14 дней."),
        ("shift_jis", "返品できますか。はい、できます。"),
        ("big5", "收到商品後十四天內可以退貨。"),
        ("euc_kr", "반품은 14일 이내에 가능합니다."),
        ("cp1256", "يمكنك إعادته خلال أربعة عشر يوما."),
    ],
)
def test_encodings_of_other_scripts(encoding: str, text: str) -> None:
    assert decode_text(text.encode(encoding)) == text


def test_what_is_no_text_is_refused() -> None:
    for data in (bytes(range(256)), b"\xff\xd8\xff\xe0JFIF" + bytes(range(128, 255))):
        with pytest.raises(InvalidInput, match=r"no text file|encoding cannot be told"):
            decode_text(data)


def test_what_is_passed_over_says_why() -> None:
    assert why_passed_over("a/b.md") == ""
    assert why_passed_over("logo.png") == ".png is no kind of document that can be read"
    assert why_passed_over("old.doc") == ".doc is an old format; save it as DOCX"
    assert why_passed_over("docs/_category_.json") == "it holds settings of a site"
    assert why_passed_over("LICENSE") == "it has no ending"


def test_cells_without_words_say_what_their_sign_or_picture_means() -> None:
    table = """
| Service | Flex | Resident |
|---|---|---|
| Towel | ✔ | :white_check_mark: |
| Garden | ❌ | ✅ |
| Repair | - | • |
"""
    assert answer(table).splitlines() == [
        "Service: Towel; Flex: ✓; Resident: ✓",
        "Service: Garden; Flex: ✗; Resident: ✓",
        "Service: Repair; Flex: -; Resident: •",
    ]
    cells = '<td><img src="x.png" alt="Yes"></td><td><i class="x" aria-label="not included"></i></td><td>&#10007;</td>'
    page = f"<table><tr><th>A</th><th>B</th><th>C</th></tr><tr>{cells}</tr></table>"
    assert answer(page) == "A: Yes; B: not included; C: ✗"


def test_a_head_of_two_rows_names_each_column_by_both() -> None:
    page = (
        '<table><thead><tr><th rowspan="2">House</th><th colspan="2">Price</th></tr><tr><th>Summer</th><th>Winter</th></tr>'
        "</thead><tr><td>Harbour</td><td>5</td><td>6</td></tr></table>"
    )
    assert answer(page) == "House: Harbour; Price Summer: 5; Price Winter: 6"


@pytest.mark.parametrize("tab", ["Tab", "Tabs.Tab"])
def test_tabs_that_are_named_by_their_set_keep_their_names(tab: str) -> None:
    inside = "".join(f"<{tab}>\nUp to {n} guests may come with you.\n</{tab}>\n" for n in (1, 2))
    page = f"<Tabs items={{['Flex', \"Team Studio\"]}}>\n{inside}</Tabs>"
    assert answer(page).split("\n\n") == [
        "Flex: Up to 1 guests may come with you.",
        "Team Studio: Up to 2 guests may come with you.",
    ]


def test_a_set_of_tabs_inside_a_tab_takes_no_name_of_the_outer_ones() -> None:
    inner = "<Tabs items={['Mac', 'Linux', 'Other']}>\n<Tab>\nRun it with the icon.\n</Tab>\n</Tabs>\n"
    page = f"<Tabs items={{['Old', 'New']}}>\n<Tab>\n{inner}</Tab>\n<Tab>\nOpen the new page.\n</Tab>\n</Tabs>"
    assert "New: Open the new page." in answer(page)
