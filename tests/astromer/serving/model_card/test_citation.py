"""What is taken from CITATION.cff is what a YAML reader finds there."""

from __future__ import annotations

import yaml

from astromer.serving.model_card.citation import (
    CITATION_FILE,
    citation_text,
    license_name,
    reference,
)


def test_the_repository_s_own_file_is_read(toy) -> None:
    assert CITATION_FILE.resolve() == toy.root / "CITATION.cff"


def test_licence_and_paper_are_those_of_the_file() -> None:
    found = yaml.safe_load(citation_text())
    [paper] = found["references"]
    assert license_name() == found["license"]
    for told in (paper["title"], paper["journal"], str(paper["year"]), str(paper["doi"])):
        assert told in reference()
    assert reference().startswith(f"{paper['authors'][0]['family-names']} et al. (2023)")
