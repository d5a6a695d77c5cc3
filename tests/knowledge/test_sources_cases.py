"""Documents that were read wrongly once: each says what a customer gets of it now."""

from __future__ import annotations

import pytest

from core.errors import InvalidInput
from knowledge.imports.sources.document import Failure
from tests.knowledge.documents import case, pairs, passages


def test_of_a_table_with_one_bad_row_only_that_row_is_lost() -> None:
    document = case("csvbad/one_empty_answer.csv")
    assert len(document.pieces) == 50
    assert document.failed == (Failure("row 51", "the answer is empty"),)


@pytest.mark.parametrize(
    ("name", "question", "answer"),
    [
        ("faq_utf8.csv", "怎么退货？", "收到商品后十四天内可以退货。"),
        ("faq_gbk.csv", "怎么退货？", "收到商品后十四天内可以退货。"),
        ("faq_excel_utf16.csv", "Wie lange habe ich Garantie?", "Drei Jahre ab Kaufdatum für Großgeräte."),
        ("faq_cp1251.csv", "Как вернуть товар?", "Верните товар в течение 14 дней."),
    ],
)
def test_tables_are_readable_in_every_encoding(name: str, question: str, answer: str) -> None:
    assert pairs(case(f"encodings/{name}"))[question] == answer


def test_a_page_whose_encoding_only_its_meta_names() -> None:
    assert passages(case("htmlcharset/page.html")) == {"Возврат": "Вы можете вернуть товар в течение тридцати дней."}


def test_folded_questions_are_faq_entries() -> None:
    assert pairs(case("details/faq.md")) == {
        "How much does the car park cost?": "Two euros an hour, at most nine euros a day.",
        "Is there a charging point for electric cars?": "Yes, four of them on level 2.",
    }


def test_questions_in_bold_are_faq_entries_and_no_answer_repeats_them() -> None:
    assert pairs(case("details/qa_bold.md")) == {
        "Is there a lift to the second floor?": "Yes, next to the cloakroom.",
        "May I take photos?": "Yes, but without flash and tripod.",
        "Do you lend wheelchairs?": "Yes, three of them, free of charge, at the desk.",
    }


def test_code_that_closes_on_its_own_line_swallows_nothing() -> None:
    document = case("fence/setup.md")
    assert list(passages(document)) == [
        "Setting up the Brightlamp > Install the command line tool",
        "Setting up the Brightlamp > Cleaning",
    ]
    assert pairs(document) == {"How long does the battery last?": "The battery lasts nine hours at medium brightness."}


def test_underlined_headings() -> None:
    document = case("setext/manual.md")
    assert list(passages(document)) == ["Kettle manual > Descaling"]
    assert list(pairs(document)) == ["What does the red light mean?"]


def test_a_question_in_the_front_matter() -> None:
    answer = "Yes. Enter the voucher's code on the last page of the checkout. One voucher per order."
    assert pairs(case("frontmatter/q1.md")) == {"Can I pay with a gift voucher?": answer}


@pytest.mark.parametrize("name", ["mdx/limits.mdx", "mdx/limits_as_md.md", "skip/limits.mdx"])
def test_components_are_read_and_none_reaches_a_customer(name: str) -> None:
    document = case(name)
    assert pairs(document) == {
        "Which file types can I attach?": "PNG, JPG and PDF files can be attached to a ticket.",
        "How many files per ticket?": "Up to six files per ticket.",
    }
    assert passages(document) == {
        "Upload limits": "Warning: A single file may be at most 40 MB.\n\n"
        "1. Open the ticket: Click on Reply.\n2. Attach: Drag the file into the box."
    }


@pytest.mark.parametrize("name", ["jsonarray/faq.json", "jsonarray/faq.jsonl", "skip/faq.json"])
def test_json_of_questions_and_answers(name: str) -> None:
    assert pairs(case(name)) == {
        "Do you repair zips?": "Yes, a zip repair costs 12 euros.",
        "How long does a repair take?": "A repair takes four working days.",
    }


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.txt", "hello there, the desk opens at nine."),
        ("guide.rst", "text"),
        ("b.adoc", "asciidoc text"),
    ],
)
def test_kinds_that_were_passed_over(name: str, text: str) -> None:
    assert list(passages(case(f"skip/{name}")).values()) == [text]


def test_each_row_of_a_table_says_what_its_cells_are() -> None:
    text = passages(case("table/prices.md"))["Room prices"]
    assert "Room: Tower Suite; Summer: 240 EUR; Winter: 199 EUR; Pets: no" in text.splitlines()


def test_every_part_of_a_long_table_can_be_read_alone() -> None:
    document = case("table/long_table.md")
    answers = [piece.content.answer for piece in document.pieces]
    assert len(answers) > 2
    assert all(answer.startswith("Every bracket with its weight and order number.\n\nPart: ") for answer in answers)
    assert any("Part: Bracket model N39; Weight: 373 g; Order number: BR-5507" in answer for answer in answers)
    assert sum(answer.count("Part: ") for answer in answers) == 80


def test_a_list_stays_with_what_is_said_of_it() -> None:
    (text,) = passages(case("list/countries.md")).values()
    assert text == "We do not deliver to these countries:\n\n- Norland\n- Suderia\n- Westmark\n- Ostania"


def test_every_section_of_a_long_document_is_found() -> None:
    document = case("longdoc/handbook.md")
    titles = {piece.content.title for piece in document.pieces}
    assert {f"Works handbook > Section {number}" for number in (1, 60, 120)} <= titles
    assert all(len(piece.content.answer.split()) <= 350 for piece in document.pieces)


def test_columns_of_a_pdf_are_not_mixed() -> None:
    found = passages(case("pdf/rowwise.pdf"))
    assert found["Handheld lantern HL-3 > Battery care"].startswith(
        "Charge the battery fully before the first use. The"
    )
    assert "not a dive. Never hold it under a running tap." in found["Handheld lantern HL-3 > Water"]


def test_questions_in_a_pdf_are_faq_entries() -> None:
    found = pairs(case("pdf/qa.pdf"))
    assert found["Can I return an opened box?"] == "Yes, within three weeks, when nothing is missing."
    assert len(found) == 3


def test_a_scan_says_that_it_is_one() -> None:
    with pytest.raises(InvalidInput, match="no text in the PDF; are its pages pictures"):
        case("pdf/scan.pdf")


def test_codes_and_signs_stay_as_they_were_written() -> None:
    found = pairs(case("special/codes.csv"))
    assert found["What is the C++ plan?"] == "The C++ plan has 20 GB & costs €9.50 <monthly>."
    assert found["What is the C# plan?"] == 'The C# plan has 5 GB; costs "€4.00" monthly.'
    assert found["What does error E-17/B mean?"] != found["What does error E-71/B mean?"]


def test_languages_are_told() -> None:
    assert {piece.content.language for piece in case("lang/hilfe.md").pieces} == {"de"}
    assert [piece.content.language for piece in case("lang/mixed.csv").pieces] == ["en", "de", "fr"]
