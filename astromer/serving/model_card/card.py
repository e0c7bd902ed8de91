"""Gathers the facts of a version and writes its card."""

from __future__ import annotations

import datetime
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from astromer.serving.model_card.citation import citation_text, license_name, reference
from astromer.serving.model_card.data_facts import data_facts
from astromer.serving.model_card.data_section import data_section, preprocessing_section
from astromer.serving.model_card.evidence import Evidence
from astromer.serving.model_card.front_matter import front_matter
from astromer.serving.model_card.limits import limits
from astromer.serving.model_card.markdown import UNKNOWN, escaped, listed, number
from astromer.serving.model_card.model_section import architecture_section, training_section
from astromer.serving.model_card.scores_section import classifier_scores, encoder_scores
from astromer.serving.model_card.usage import snippet
from astromer.serving.model_card.yaml_text import to_yaml
from astromer.serving.saved_model import (
    CARD_FILE,
    CLASSIFIER,
    EXTRA,
    FACTS_FILE,
    WEIGHTS,
    model_kind,
    read_config,
    read_facts,
)
from astromer.system.storage import as_path
from astromer.system.untrusted_files import DAMAGED, read_arrays

_STUDY = ("test_curves", "majority", "notes", "verdicts")
_CELL = ("source", "encoder", "shots", "seed", "macro_f1", "accuracy")


def write_card(version: Path, number: str, evidence: Evidence, name: str) -> None:
    """Writes ``README.md`` and ``assets.extra/card.json`` into a copy of a model.

    Args:
        version: the copy, on this machine or in a store.
        number: the version that it will be.
        evidence: what the run knows about it.
        name: of the served model, for instance "astromer".

    Raises:
        ModelError: the model has no config.
    """
    config = read_config(version)
    facts = gather_facts(version, number, evidence, name)
    text = card_text(facts, config, evidence)
    (version / EXTRA / FACTS_FILE).write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8")
    (version / CARD_FILE).write_text(text, encoding="utf-8")


def gather_facts(version: Path, number: str, evidence: Evidence, name: str) -> dict[str, Any]:
    """What the card says and the config does not, as plain JSON types."""
    config = read_config(version)
    study = {key: evidence.study[key] for key in _STUDY if key in evidence.study}
    if cells := evidence.study.get("cells"):
        study["cells"] = [{key: cell[key] for key in _CELL} for cell in cells]
    return {
        "name": name,
        "version": number,
        "kind": model_kind(config),
        "pushed": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
        "parameters": count_parameters(version),
        **({"encoder": _encoder(config)} if model_kind(config) == CLASSIFIER else {}),
        "data": data_facts(evidence, config),
        "evaluation": dict(evidence.evaluation),
        "study": study,
    }


def card_text(facts: Mapping[str, Any], config: Mapping[str, Any], evidence: Evidence) -> str:
    """The card: YAML for hubs, then Markdown for people."""
    data, evaluation = facts["data"], facts["evaluation"]
    classifier = facts["kind"] == CLASSIFIER
    scores = (
        classifier_scores(evaluation, facts["study"]) if classifier else encoder_scores(evaluation)
    )
    bullets = "\n".join(f"- {sentence}" for sentence in limits(config, data, evaluation))
    sections = {
        "How to load it": f"```python\n{snippet(config, data)}```\n\n{_HOW}",
        "Limits": bullets,
        "Scores": scores,
        "Labelled light curves" if classifier else "Training data": data_section(data),
        "Preprocessing": preprocessing_section(data, config),
        "Architecture": architecture_section(config, facts),
        "Training": training_section(config, facts),
        "Licence and citation": _licence(),
        "Files": _FILES,
    }
    body = "\n\n".join(f"## {title}\n\n{text}" for title, text in sections.items())
    title = f"# {escaped(facts['name'])} {facts['version']}"
    header = f"---\n{to_yaml(front_matter(facts, config))}---"
    return f"{header}\n\n{title}\n\n{_intro(facts, config)}\n\n{body}\n"


def count_parameters(version: Path) -> int | None:
    """Numbers in the weights; None where they cannot be read."""
    try:
        return sum(array.size for array in read_arrays(as_path(version) / EXTRA / WEIGHTS).values())
    except DAMAGED:
        return None


def _encoder(config: Mapping[str, Any]) -> dict[str, Any]:
    """The pushed encoder that a classifier was made from, by its own card where it can be read."""
    metadata = config.get("metadata", {})
    place = metadata.get("pushed_encoder") or metadata.get("encoder", {}).get("path")
    if not place:
        return {}
    surveys = read_facts(as_path(place)).get("data", {}).get("surveys", [])
    return {"version": as_path(place).name, "path": place, "surveys": surveys}


def _intro(facts: Mapping[str, Any], config: Mapping[str, Any]) -> str:
    encoder = config.get("encoder", {})
    shape = (
        f"{encoder.get('architecture') or UNKNOWN}, {number(encoder.get('num_layers'))} layer(s) "
        f"of width {number(encoder.get('d_model'))}"
    )
    surveys = f"the survey {listed(facts['data']['surveys'])}"
    pushed = facts["pushed"].replace("T", " ").replace("+00:00", " UTC")
    if facts["kind"] == CLASSIFIER:
        return (
            f"A classifier of single-band light curves: an Astromer encoder ({shape}) with a head "
            f"that was trained on labelled light curves of {surveys}. Pushed {pushed}."
        )
    return (
        f"An Astromer encoder of single-band light curves ({shape}), pre-trained on light curves "
        f"of {surveys} to predict magnitudes that were hidden from it. Pushed {pushed}."
    )


def _licence() -> str:
    return (
        f"{license_name()} licence. The model is described in {reference()}. To cite the software, "
        f"`CITATION.cff`:\n\n```yaml\n{citation_text().rstrip()}\n```"
    )


_HOW = (
    "It is a TensorFlow SavedModel that model servers load, too: raw light curves in. "
    "Signatures and the meaning of `status` are in `docs/serving.md` of AstroMer pipeline."
)
_FILES = (
    "`checksums.txt` holds the SHA-256 of every other file: `sha256sum -c checksums.txt`. "
    "`assets.extra/config.json` and `weights.npz` rebuild the model for training on; "
    "`assets.extra/card.json` has the facts of this card for programs."
)
