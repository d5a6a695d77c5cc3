"""The script that shops embed."""

from __future__ import annotations

import re

from connectors.web import widget


async def test_any_page_may_load_it_and_browsers_keep_it(client):
    response = await client.get("/widget.js")
    assert response.headers["content-type"] == "text/javascript; charset=utf-8"
    assert response.headers["access-control-allow-origin"] == "*"
    assert "max-age" in response.headers["cache-control"]
    again = await client.get("/widget.js", headers={"If-None-Match": response.headers["etag"]})
    assert again.status_code == 304
    assert again.content == b""


def test_it_is_one_script_without_module_syntax():
    assert not re.search(r"^(import|export) ", widget.build_script(), re.MULTILINE)


def test_it_never_parses_html_or_code():
    assert not re.search(
        r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function", widget.build_script()
    )


def test_it_is_small():
    assert len(widget.build_script().encode()) < 84_000
