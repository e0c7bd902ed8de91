"""A hook of mkdocs: README.md and the code that pages link to are part of the site.

Pages are written to be read in the repository, where ``../README.md`` and ``docs/serving.md`` are
right. The navigation is that of docs/index.md: its headings are the menus, and a page that it does
not name is under "More".
"""

from __future__ import annotations

import re
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).resolve().parents[2]
RENAMED = {"README.md": "index.md", "docs/index.md": "contents.md"}
"""The README is the first page."""
CODE = "code/"
"""Folder of the site for what is linked and is no page."""
AS_IT_IS = (".cff", ".ipynb", ".png", ".svg")
"""Other code ends in .txt, so that browsers show it."""
_LINK = re.compile(r"(\]\()([^)#\s]+)(#[^)\s]*)?\)")


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Makes the navigation."""
    pages = Path(config.docs_dir)
    menus: list = [{"Start": "index.md"}, {"Contents": "contents.md"}]
    named = {"index.md"}
    for heading, text in re.findall(
        r"^## ([^\n]+)\n(.*?)(?=^## |\Z)",
        (pages / "index.md").read_text(),
        re.MULTILINE | re.DOTALL,
    ):
        found = [one for one in re.findall(r"\]\((\w+\.md)\)", text) if one not in named]
        named.update(found)
        menus.append({heading: found})
    if rest := sorted(path.name for path in pages.glob("*.md") if path.name not in named):
        menus.append({"More": rest})
    config.nav = menus
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Adds the README and every file outside docs/ that a page links to."""
    if contents := files.get_file_from_path("index.md"):
        files.remove(contents)
    pages = [ROOT / "README.md", *sorted(Path(config.docs_dir).glob("*.md"))]
    linked = {
        path
        for page in pages
        for _, target, _ in _LINK.findall(page.read_text(encoding="utf-8"))
        if (path := (page.parent / target).resolve()).is_file()
        and path.is_relative_to(ROOT)
        and not path.is_relative_to(config.docs_dir)
    }
    for path in sorted(linked | {ROOT / name for name in RENAMED}):
        files.append(File.generated(config, _uri(path, config), abs_src_path=str(path)))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Turns links as they are in the repository into links of the site."""
    folder = Path(page.file.abs_src_path or "").parent

    def moved(link: re.Match[str]) -> str:
        path = (folder / link[2]).resolve()
        if "://" in link[2] or not path.is_file() or not path.is_relative_to(ROOT):
            return link[0]
        return f"{link[1]}{_uri(path, config)}{link[3] or ''})"

    return _LINK.sub(moved, markdown)


def _uri(path: Path, config: MkDocsConfig) -> str:
    """Where a file of the repository is in the site, whose pages are all in one folder."""
    name = str(path.relative_to(ROOT))
    if name in RENAMED:
        return RENAMED[name]
    if path.is_relative_to(config.docs_dir):
        return str(path.relative_to(config.docs_dir))
    return f"{CODE}{name}" if path.suffix in AS_IT_IS else f"{CODE}{name}.txt"
