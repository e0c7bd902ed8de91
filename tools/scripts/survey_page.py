"""Writes the reference of the survey profiles into docs/surveys.md, from their TOML files.

python tools/scripts/survey_page.py
"""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "surveys.md"
PROFILES = ROOT / "astromer" / "records" / "profiles"
START = "## Profiles\n"


def reference() -> str:
    """The profiles as they are, one after the other, ``generic`` first."""
    files = sorted(PROFILES.glob("*.toml"), key=lambda path: (path.stem != "generic", path.stem))
    parts = [
        f"### {path.stem}\n\n```toml\n{path.read_text(encoding='utf-8').strip()}\n```\n"
        for path in files
    ]
    return START + "\n" + "\n".join(parts)


def with_reference(page: str) -> str:
    """A page with the profiles as its last section."""
    return page.partition(START)[0] + reference()


def main() -> None:
    """Rewrites the page."""
    PAGE.write_text(with_reference(PAGE.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
