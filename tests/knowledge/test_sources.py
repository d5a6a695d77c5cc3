"""Reading what a help centre is made of, and refusing what is broken or made to do harm."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import httpx
import pytest

from core.errors import InvalidInput
from core.language import language_of
from knowledge.imports.chunker import Article, is_question, pieces_of
from knowledge.imports.sources.blocks import Text
from knowledge.imports.sources.document import Document, Failure, PassedOver, Raw
from knowledge.imports.sources.fetcher import Fetcher, is_public
from knowledge.imports.sources.files import in_folder, list_zip_documents
from knowledge.imports.sources.readers import read_raw_document
from knowledge.imports.sources.web import list_web_documents


def read_bytes(name: str, data: bytes | str) -> Document:
    data = data.encode() if isinstance(data, str) else data
    return read_raw_document(Raw(name, Path(name).suffix, lambda: data), data)


def told(document: Document) -> list[tuple[str, tuple[str, ...], str]]:
    return [(p.content.kind, p.content.questions, p.content.answer) for p in document.pieces]


def test_a_question_as_heading_becomes_an_faq_and_the_rest_passages() -> None:
    text = "---\ntitle: Returns\nurl: https://x.example/r\n---\n# Returns\nWe like you.\n## How do I return?\nSend it.\n```\n# no heading\n```\n"
    document = read_bytes("a.md", text)
    assert (document.title, document.url) == ("Returns", "https://x.example/r")
    assert told(document) == [
        ("passage", (), "We like you."),
        ("faq", ("How do I return?",), "Send it.\n\n# no heading"),
    ]


def test_a_long_text_is_cut_at_sentences() -> None:
    pieces = pieces_of(Article("Terms", [Text("This is one sentence about something. " * 100)]))
    assert len(pieces) > 2
    assert all(p.content.answer.endswith(".") and len(p.content.answer.split()) <= 250 for p in pieces)
    assert len({p.key for p in pieces}) == len(pieces)


@pytest.mark.parametrize(
    ("heading", "asks"),
    [
        ("Can I pay?", True),
        ("کیا میں واپس کر سکتا ہوں؟", True),
        ("How to return an item", True),
        ("Delivery", False),
        ("Is it", False),
    ],
)
def test_questions_are_recognised(heading: str, asks: bool) -> None:
    assert is_question(heading) is asks


def test_of_a_web_page_only_the_main_content_is_read() -> None:
    page = """<html lang=de><title>T</title><nav>Menu</nav><script>x()</script><main><h1>Hilfe</h1>
      <h2>Was kostet der Versand?</h2><p>Er kostet <b>4</b> Euro. <a href="https://a.example">Mehr</a></p>
      <ul><li>eins</li><li>zwei</li></ul></main><footer>Impressum</footer></html>"""
    document = read_bytes("p.html", page)
    assert document.title == "Hilfe"
    kind, questions, answer = told(document)[0]
    assert (kind, questions) == ("faq", ("Was kostet der Versand?",))
    assert answer == "Er kostet 4 Euro. Mehr (https://a.example)\n\n- eins\n- zwei"
    assert document.pieces[0].content.language == "de"


def test_tables_of_questions_and_answers() -> None:
    csv = "id;Question;Answer;Phrasings;url\n7;Do you ship?;Yes.;Shipping\n8;Jobs?;No.;;https://j.example\n"
    first, second = read_bytes("faq.csv", csv).pieces
    assert (first.key, first.content.external_id, first.content.questions) == ("7", "7", ("Do you ship?", "Shipping"))
    assert second.content.url == "https://j.example"
    line = (
        '{"question": "Pool?", "answer": "Yes.", "phrasings": ["Is there a pool?"], "subject": "Inn", "language": "en"}'
    )
    piece = read_bytes("faq.jsonl", line + "\n\n").pieces[0]
    assert (piece.content.questions, piece.content.subject) == (("Pool?", "Is there a pool?"), "Inn")


def test_word_documents() -> None:
    document = read_bytes(
        "guide.docx",
        docx(
            "<w:p><w:pPr><w:pStyle w:val='Heading1'/></w:pPr><w:r><w:t>Care</w:t></w:r></w:p>"
            "<w:p><w:r><w:t>Wash it </w:t></w:r><w:r><w:t>cold.</w:t></w:r></w:p>"
            "<w:tbl><w:tr><w:tc><w:p><w:r><w:t>a</w:t></w:r></w:p></w:tc><w:tc><w:p><w:r><w:t>b</w:t></w:r></w:p></w:tc></w:tr></w:tbl>"
        ),
    )
    assert document.title == "Care"
    assert told(document) == [("passage", (), "Wash it cold.\n\na: b")]


def test_pdfs() -> None:
    assert told(read_bytes("guide.pdf", pdf("The warranty is ten years.")))[0][2] == "The warranty is ten years."


@pytest.mark.parametrize(
    ("name", "data", "reason"),
    [
        ("broken.pdf", b"%PDF-1.4 nothing", "the PDF cannot be read"),
        ("empty.pdf", b"", "it is empty"),
        (
            "page.html",
            "<html><body><div id=app></div><script>render()</script></body></html>",
            "no text in the page, it is filled by scripts",
        ),
        ("faq.csv", "name,price\nmug,18\n", r"no column question and no column answer \(found: name, price\)"),
        ("faq.csv", "question,answer\nWhy?,\n", "row 2: the answer is empty"),
        ("faq.csv", "question,answer\n", "the table has no rows"),
        ("faq.jsonl", "nope\n", "line 1: this is no JSON"),
        ("faq.jsonl", "[1]", "line 1: this is no JSON object"),
        ("faq.json", "{}", "no questions and answers in it"),
        ("faq.json", "{", "this is no JSON"),
        ("a.docx", b"no zip", "no readable Word document"),
        ("a.md", b"\x00\x01\x02", "no text file"),
        ("a.md", "<!-- only a comment -->", "no text in it"),
        ("a.exe", b"MZ", "is not supported"),
    ],
)
def test_what_cannot_be_read_says_why(name: str, data: bytes | str, reason: str) -> None:
    with pytest.raises(InvalidInput, match=reason):
        read_bytes(name, data)


def test_a_word_document_with_an_entity_bomb() -> None:
    bomb = b'<!DOCTYPE d [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><d>&b;</d>'
    with pytest.raises(InvalidInput, match="no readable XML"):
        read_bytes("a.docx", zipped({"word/document.xml": bomb}))


def test_a_zip_is_read_with_care(tmp_path: Path) -> None:
    path = tmp_path / "help.zip"
    path.write_bytes(
        zipped(
            {
                "a.md": b"# Hello\nthere",
                "../evil.md": b"x",
                "in.zip": zipped({"b.md": b"b"}),
                ".hidden.md": b"h",
                "pic.png": b"p",
            }
        )
    )
    found = list(list_zip_documents(path))
    assert [f.uri for f in found if isinstance(f, Raw)] == ["a.md"]
    assert [f.uri for f in found if isinstance(f, PassedOver)] == ["pic.png"]
    assert {f.uri: f.reason for f in found if isinstance(f, Failure)} == {
        "../evil.md": "its name points outside the zip",
        "in.zip": "an archive inside an archive is not opened",
    }


def test_a_zip_bomb_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "bomb.zip"
    path.write_bytes(zipped({"a.md": b"0" * 20_000_000}))
    with pytest.raises(InvalidInput, match="zip bomb"):
        list(list_zip_documents(path))
    path.write_bytes(b"PK nonsense")
    with pytest.raises(InvalidInput, match="no readable zip"):
        list(list_zip_documents(path))


def test_a_folder_does_not_lead_outside(tmp_path: Path) -> None:
    (tmp_path / "secret.md").write_text("secret")
    (tmp_path / "help/sub").mkdir(parents=True)
    (tmp_path / "help/sub/a.md").write_text("a")
    (tmp_path / "help/link.md").symlink_to(tmp_path / "secret.md")
    found = list(in_folder(tmp_path / "help"))
    assert [(type(f).__name__, f.uri) for f in found] == [("Failure", "link.md"), ("Raw", "sub/a.md")]


PUBLIC = "93.184.216.34"


def fetcher(pages: dict[str, httpx.Response], addresses: dict[str, str] | None = None) -> Fetcher:
    """The web in a dictionary; every host has a public address unless told otherwise."""

    def answer(request: httpx.Request) -> httpx.Response:
        assert request.url.host in {PUBLIC, *(addresses or {}).values()}
        return pages.get(f"{request.headers['host']}{request.url.path}", httpx.Response(404))

    return Fetcher(
        resolve=lambda host, _port: [(addresses or {}).get(host, PUBLIC)], transport=httpx.MockTransport(answer)
    )


def page(text: str, kind: str = "text/html") -> httpx.Response:
    return httpx.Response(200, text=text, headers={"content-type": kind})


def moved(to: str) -> httpx.Response:
    return httpx.Response(302, headers={"location": to})


def test_a_sitemap_gives_its_own_pages_only() -> None:
    sitemap = "<urlset><url><loc>https://s.example/a</loc></url><url><loc>https://s.example/b</loc></url><url><loc>https://other.example/</loc></url></urlset>"
    web = fetcher(
        {
            "s.example/sitemap.xml": page(sitemap, "application/xml"),
            "s.example/a": page("<p>A text</p>"),
            "s.example/b": moved("https://other.example/x"),
            "other.example/x": page("no"),
        }
    )
    first, second, third = list_web_documents("https://s.example/sitemap.xml", web)
    assert isinstance(first, Raw)
    assert isinstance(second, Raw)
    assert told(read_raw_document(first, first.load()))[0][2] == "A text"
    with pytest.raises(InvalidInput, match="redirects to another site"):
        second.load()
    assert third == Failure("https://other.example/", "it is on another site")


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.0.0.5",
        "169.254.169.254",
        "::1",
        "::ffff:192.168.1.1",
        "64:ff9b::a00:1",
        "fd00::1",
        "0.0.0.0",
        "100.64.0.1",
        "224.0.0.1",
        "2002:7f00:1::",
    ],
)
def test_a_redirect_to_a_private_address_is_not_followed(address: str) -> None:
    web = fetcher(
        {"s.example/": moved("http://inside.example/"), "inside.example/": page("secret")}, {"inside.example": address}
    )
    with pytest.raises(InvalidInput, match="private network"):
        web.fetch("http://s.example/")
    assert not is_public(address)
    assert is_public(PUBLIC)


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("ftp://s.example/", "no http or https address"),
        ("file:///etc/passwd", "no http or https address"),
        ("http://user:pw@s.example/", "user name"),
        ("http://s.example/gone", "answers with status 404"),
        ("http://s.example/loop", "redirects more than 5 times"),
        ("http://[::", "no web address"),
        ("http://127.0.0.1/", "private network"),
    ],
)
def test_what_is_not_fetched_says_why(url: str, reason: str) -> None:
    web = fetcher({"s.example/loop": moved("/loop")}, {"127.0.0.1": "127.0.0.1"})
    with pytest.raises(InvalidInput, match=reason):
        web.fetch(url)


def test_a_page_that_is_too_large_is_not_read_to_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("knowledge.imports.sources.fetcher.LARGEST_DOCUMENT", 1000)
    with pytest.raises(InvalidInput, match="larger than"):
        fetcher({"s.example/": page("x" * 2000)}).fetch("http://s.example/")


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("How can we help you with the order?", "en"),
        ("Wie können wir Ihnen mit der Bestellung helfen?", "de"),
        ("آپ کی کیا مدد کر سکتے ہیں ٹھیک ہے", "ur"),
        ("مرحبا كيف الحال", "ar"),
        ("Où est la commande que vous avez faite dans notre boutique", "fr"),
        ("42", "en"),
        ("do you do birthday parties", "en"),
    ],
)
def test_language(text: str, language: str) -> None:
    assert language_of(text) == language


def zipped(files: dict[str, bytes]) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return target.getvalue()


def docx(body: str) -> bytes:
    space = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
    return zipped({"word/document.xml": f"<w:document xmlns:w='{space}'><w:body>{body}</w:body></w:document>".encode()})


def pdf(text: str) -> bytes:
    stream = f"BT /F1 12 Tf 72 720 Td ({text}) Tj ET"
    objects = [
        "<</Type/Catalog/Pages 2 0 R>>",
        "<</Type/Pages/Kids[3 0 R]/Count 1>>",
        "<</Type/Page/Parent 2 0 R/MediaBox[0 0 612 792]/Contents 4 0 R/Resources<</Font<</F1 5 0 R>>>>>>",
        f"<</Length {len(stream)}>>stream\n{stream}\nendstream",
        "<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
    ]
    out, places = "%PDF-1.4\n", []
    for number, body in enumerate(objects, start=1):
        places.append(len(out))
        out += f"{number} 0 obj{body}endobj\n"
    table = "".join(f"{place:010d} 00000 n \n" for place in places)
    return f"{out}xref\n0 6\n0000000000 65535 f \n{table}trailer<</Size 6/Root 1 0 R>>\nstartxref\n{len(out)}\n%%EOF".encode()


def test_a_row_that_tells_no_language_has_that_of_its_table() -> None:
    table = "question;answer\nWelche Karten nehmen Sie?;Visa, PayPal\nWie lange dauert es?;Wir liefern in der Regel nach zwei Tagen\nWifi?;Free\n"
    assert [piece.content.language for piece in read_bytes("faq.csv", table).pieces] == ["de", "de", "de"]
