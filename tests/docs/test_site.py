"""The pages as a site: every link leads somewhere, and nothing comes from the network."""

from __future__ import annotations

import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest

from tests.docs.pages import PAGES, ROOT

_ATTRIBUTES = {"a": "href", "img": "src", "link": "href", "script": "src"}


class Links(HTMLParser):
    """The links of a page, by the kind of element, and the ids that can be linked to."""

    def __init__(self, page: Path):
        super().__init__()
        self.found: list[tuple[str, str]] = []
        self.ids: set[str] = set()
        self.feed(page.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if name := given.get("id"):
            self.ids.add(name)
        if target := given.get(_ATTRIBUTES.get(tag, "")):
            self.found.append((tag, target))


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    assert "WARNING" not in done.stderr
    return folder


def test_every_page_is_in_the_site_and_in_its_menus(site):
    names = {f"{page.stem}.html" for page in PAGES} - {"README.html"} | {"contents.html"}
    assert names <= {path.name for path in site.glob("*.html")}
    linked = {target for _, target in Links(site / "index.html").found}
    assert names - linked - {"index.html"} == set()


def test_the_menus_are_the_headings_of_the_contents(site):
    text = (site / "index.html").read_text()
    menus = re.findall(r'class="nav-link dropdown-toggle"[^>]*>([^<]*)<', text)
    headings = re.findall(r"^## (.+)$", (ROOT / "docs" / "index.md").read_text(), re.MULTILINE)
    assert headings == [menu for menu in menus if menu in headings]


def test_every_link_leads_somewhere(site):
    pages = {path.name: Links(path) for path in site.glob("*.html")}
    broken = []
    for name, links in pages.items():
        for _, target in links.found:
            if re.match(r"[a-z]+:|/", target) or target in (".", ""):
                continue
            path, _, anchor = target.partition("#")
            there = not path or (site / path).is_file()
            if not there or (anchor and anchor not in pages[path or name].ids):
                broken.append((name, target))
    assert broken == []


def test_nothing_is_loaded_from_the_network(site):
    loaded = [
        (page.name, target)
        for page in site.glob("*.html")
        for tag, target in Links(page).found
        if tag != "a" and re.match(r"(https?:)?//", target)
    ]
    assert loaded == []
    for style in site.rglob("*.css"):
        assert not re.search(r"url\(['\"]?(https?:)?//", style.read_text()), style


def test_lists_and_code_are_not_taken_for_text(site):
    """mkdocs, unlike GitHub, wants an empty line before a list and no indent before a fence."""
    for page in site.glob("*.html"):
        text = page.read_text()
        assert not re.findall(r"<p>[^<]*\n- ", text), page
        assert "```" not in re.sub(r"<code.*?</code>", "", text, flags=re.DOTALL), page


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.name)
def test_links_work_in_the_repository_too(page):
    text = re.sub(r"^```.*?^```$", "", page.read_text(), flags=re.DOTALL | re.MULTILINE)
    targets = re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", text)
    broken = [t for t in targets if "://" not in t and not (page.parent / t).exists()]
    assert broken == []


def test_the_page_of_surveys_has_the_profiles_as_they_are():
    from tools.scripts.survey_page import PAGE, with_reference

    page = PAGE.read_text(encoding="utf-8")
    assert page == with_reference(page), "run: python tools/scripts/survey_page.py"
