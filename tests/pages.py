"""Reading pages: their tags, addresses and text; and looking at them with a browser."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

_VOID = ("meta", "img", "br")
_CHROMIUM = Path("/usr/bin/chromium")
_WIDTHS = (390, 1200)


class Page(HTMLParser):
    """Tags, addresses and text of a page; closing tags must match."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.addresses: list[str] = []
        self.descriptions: list[str] = []
        self.text = ""
        self._open: list[str] = []
        self.feed(text)
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list) -> None:
        self.tags.append(tag)
        self.addresses += [v for name, v in attrs if name in ("src", "href", "action", "data")]
        self.descriptions += [v for name, v in attrs if name == "alt"]
        if tag not in _VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def assert_self_contained(page: str, *beside: str) -> None:
    """Nothing is loaded from elsewhere; links go to places in the page, or to files beside it."""
    parsed = Page(page)
    assert {"script", "link", "iframe", "object"} & set(parsed.tags) == set()
    assert all(a.startswith(("data:image/", "#")) or a in beside for a in parsed.addresses)
    assert "http" not in re.sub(r'src="data:[^"]*"', "", page)
    assert "@import" not in page
    assert 'name="viewport"' in page
    assert len(parsed.descriptions) == parsed.tags.count("img")
    assert all(parsed.descriptions)


def look_at(page: Path) -> dict[int, dict[str, Any]]:
    """By width of the window: what a browser makes of a page. Skips where there is none."""
    playwright = pytest.importorskip("playwright.sync_api", reason="needs playwright (extra dev)")
    if not _CHROMIUM.exists():
        pytest.skip(f"needs {_CHROMIUM}")
    seen: dict[int, dict[str, Any]] = {}
    with playwright.sync_playwright() as tools:
        browser = tools.chromium.launch(executable_path=str(_CHROMIUM), args=["--no-sandbox"])
        for width in _WIDTHS:
            tab = browser.new_page(viewport={"width": width, "height": 900})
            said: list[str] = []
            asked: list[str] = []
            tab.on("console", lambda message, said=said: said.append(message.text))
            tab.on("pageerror", lambda error, said=said: said.append(str(error)))
            tab.on("request", lambda request, asked=asked: asked.append(request.url))
            tab.goto(page.as_uri())
            found = tab.evaluate(
                "({width: document.documentElement.scrollWidth, images: document.images.length, "
                "broken: [...document.images].filter(i => !i.naturalWidth).length})"
            )
            elsewhere = [url for url in asked if not url.startswith("data:")]
            seen[width] = {**found, "said": said, "asked": elsewhere}
        browser.close()
    return seen


def assert_looks_right(page: Path) -> None:
    """No errors, no request but for itself, whole images, no sideways scrolling."""
    for width, seen in look_at(page).items():
        assert seen["said"] == []
        assert seen["asked"] == [page.as_uri()]
        assert seen["images"] > 0
        assert seen["broken"] == 0
        assert seen["width"] <= width
