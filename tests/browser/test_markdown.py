"""Markdown becomes DOM nodes, and only those that are meant."""

from __future__ import annotations

from playwright.sync_api import expect

LINK = '<a href="{0}" target="_blank" rel="noopener noreferrer nofollow">{1}</a>'
CASES = (
    ("plain", "<p>plain</p>"),
    ("one\ntwo\n\nthree", "<p>one<br>two</p><p>three</p>"),
    ("**bold** and *italic* and _this_", "<p><strong>bold</strong> and <em>italic</em> and <em>this</em></p>"),
    ("**bold with *italic* in it**", "<p><strong>bold with <em>italic</em> in it</strong></p>"),
    ("snake_case_name and 2 * 3 * 4", "<p>snake_case_name and 2 * 3 * 4</p>"),
    ("`<b>code</b>`", "<p><code>&lt;b&gt;code&lt;/b&gt;</code></p>"),
    ("- a\n- b", "<ul><li>a</li><li>b</li></ul>"),
    ("3. c\n4. d", '<ol start="3"><li>c</li><li>d</li></ol>'),
    ("# Title\ntext", "<p><strong>Title</strong></p><p>text</p>"),
    ("```\nx < y\n```", '<pre tabindex="0"><code>x &lt; y</code></pre>'),
    ("[us](https://a.example/?q=1)", "<p>" + LINK.format("https://a.example/?q=1", "us") + "</p>"),
    ("[mail](mailto:a@b.example)", "<p>" + LINK.format("mailto:a@b.example", "mail") + "</p>"),
    ("see https://a.example/x.", "<p>see " + LINK.format("https://a.example/x", "https://a.example/x") + ".</p>"),
    ("[x](javascript:alert)", "<p>[x](javascript:alert)</p>"),
    ("[x](JaVaScRiPt:alert)", "<p>[x](JaVaScRiPt:alert)</p>"),
    ("[x](data:text/html,y)", "<p>[x](data:text/html,y)</p>"),
    ("[x](//evil.example)", "<p>[x](//evil.example)</p>"),
    ("<b onclick=x>&amp;", "<p>&lt;b onclick=x&gt;&amp;amp;</p>"),
    ("**never closed", "<p>**never closed</p>"),
)


def test_markdown(server, chat):
    chat.say("Hello")
    expect(chat.own_rows.last).to_contain_text("Sent")
    for source, _ in CASES:
        server.do(server.turns.say, server.conversation_id, source)
    expect(chat.answers).to_have_count(1 + len(CASES))
    shown = chat.answers.locator(".bubble").evaluate_all("all => all.map((one) => one.innerHTML)")
    found = [html.replace(' dir="auto"', "") for html in shown[1:]]
    assert list(zip([source for source, _ in CASES], found, strict=True)) == list(CASES)


def test_text_made_to_stall_the_page_does_not(server, chat):
    chat.say("Hello")
    expect(chat.own_rows.last).to_contain_text("Sent")
    for hard in ("*" * 20_000, "[" * 20_000, "**a" * 7_000, "_a" * 10_000, "`" * 20_000, "https://" * 3_000):
        server.do(server.turns.say, server.conversation_id, hard)
    server.do(server.turns.say, server.conversation_id, "done")
    chat.sees("done")


def test_the_mark_of_a_list_stays_in_the_bubble_in_both_directions(server, chat):
    chat.say("Hello")
    server.do(server.turns.say, server.conversation_id, "- one\n- دو")
    expect(chat.answers.last.locator("li")).to_have_count(2)
    room = "(item) => { const list = item.parentElement.getBoundingClientRect(), own = item.getBoundingClientRect();"
    left, right = (chat.answers.last.locator("li").nth(n) for n in (0, 1))
    assert left.evaluate(room + "return own.left - list.left; }") >= 20
    assert right.evaluate(room + "return list.right - own.right; }") >= 20
