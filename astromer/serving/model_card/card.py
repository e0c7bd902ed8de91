"""Writes the model card: a YAML header for model hubs and Markdown for people.

The facts that it is written from are plain JSON types: what a run knows and the model's files do
not. They are kept beside it. The Markdown is the template ``card.md.jinja``, in which a value is
shown by :func:`astromer.system.text.number`: as text that is escaped, and as "unknown" if it is
missing. Needs the extra ``pipeline``.
"""

from __future__ import annotations

import datetime
import json
import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

import jinja2
import yaml
from markupsafe import Markup

from astromer.evaluation.baselines import BASELINE_TITLES
from astromer.serving.config import STARTER
from astromer.serving.saved_model import (
    CARD_FILE,
    CLASSIFIER,
    EXTRA,
    FACTS_FILE,
    WEIGHTS,
    flat,
    model_kind,
    read_config,
    read_facts,
)
from astromer.system.environment import MACHINE
from astromer.system.errors import DataAnomalyError
from astromer.system.storage import MODEL_FILE, as_path
from astromer.system.text import UNKNOWN, escaped, listed
from astromer.system.text import number as as_markdown
from astromer.system.untrusted_files import READ_ERRORS, read_arrays
from astromer.validation.profile import BINS, NO_NAME, QUANTITIES, SplitProfile

FRACTIONS = (0.0, 0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99, 1.0)
"""Of the quantiles of each split."""

_STUDY = ("test_curves", "majority", "notes", "verdicts")
_TRIAL = ("source", "encoder", "shots", "seed", "macro_f1", "accuracy")


@dataclass(frozen=True)
class Evidence:
    """Results of a run, as plain JSON types; an empty one is unknown.

    Attributes:
        fold: path of the fold folder that was ingested.
        data_fingerprint: of the light curves that were used.
        missing_errors, error_fill: policy for missing errors, and its constant [mag].
        processing: what was done to the values of the survey, see
            :class:`astromer.records.survey_config.Processing`; by survey where several were merged.
        validation: ``summary.json`` of :mod:`astromer.validation.output`.
        evaluation: scores on the test split: of an encoder "model", "groups" and "conditions"
            (:class:`~astromer.evaluation.evaluation.Evaluation`), of a classifier "served" and
            "cell".
        study: ``results.json`` of :mod:`astromer.finetuning.study_report`, for a classifier.
    """

    fold: str = ""
    data_fingerprint: str = ""
    missing_errors: str = ""
    error_fill: float = 0.0
    processing: Mapping[str, Any] = field(default_factory=dict)
    validation: Mapping[str, Any] = field(default_factory=dict)
    evaluation: Mapping[str, Any] = field(default_factory=dict)
    study: Mapping[str, Any] = field(default_factory=dict)


def gather_facts(version: Path, number: str, evidence: Evidence, name: str) -> dict[str, Any]:
    """Everything in the card that is not in the model's config.

    Args:
        version: a copy of the model.
        number: the version that it will be.
        evidence: of the run.
        name: of the served model.

    Raises:
        ModelError: the model has no config.
    """
    config = read_config(version)
    study = {key: evidence.study[key] for key in _STUDY if key in evidence.study}
    if trials := evidence.study.get("cells"):
        study["cells"] = [{key: trial[key] for key in _TRIAL} for trial in trials]
    return {
        "name": name,
        "version": number,
        "kind": model_kind(config),
        "saved_model": (version / MODEL_FILE).is_file(),
        "pushed": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
        "parameters": _count_parameters(version),
        **({"encoder": _encoder(config)} if model_kind(config) == CLASSIFIER else {}),
        "data": _data_facts(evidence, config),
        "evaluation": dict(evidence.evaluation),
        "study": study,
    }


def _count_parameters(version: Path) -> int | None:
    """Numbers in the weights; None if they cannot be read."""
    try:
        return sum(array.size for array in read_arrays(version / EXTRA / WEIGHTS).values())
    except READ_ERRORS:
        return None


def _encoder(config: Mapping[str, Any]) -> dict[str, Any]:
    """The pushed encoder of a classifier, with the surveys of its own card if it can be read."""
    metadata = config.get("metadata", {})
    own = metadata.get("encoder", {})
    path = metadata.get("pushed_encoder") or own.get("path")
    if not path:
        return {}
    surveys = read_facts(as_path(path)).get("data", {}).get("surveys", [])
    version = f"{STARTER} {own['version']}" if own.get("name") == STARTER else as_path(path).name
    return {"version": version, "path": path, "surveys": surveys}


def _data_facts(evidence: Evidence, config: Mapping[str, Any]) -> dict[str, Any]:
    """Names of the surveys, and counts and quantiles of each split.

    The config may hold the profile of the training split, in case that there was no validation.
    """
    profiles = dict(evidence.validation.get("profiles") or {})
    stored = config.get("metadata", {}).get("train_profile")
    if stored and "train" not in profiles:
        profiles = {"train": stored, **profiles}
    rejected = evidence.validation.get("rejected", {})
    rules = evidence.validation.get("rules", {})
    findings = evidence.validation.get("findings", {})
    filled = evidence.missing_errors not in ("", "refuse")
    return {
        "surveys": _survey_names(evidence),
        "fold": PurePosixPath(evidence.fold).name,
        "fingerprint": evidence.data_fingerprint,
        "missing_errors": evidence.missing_errors,
        "error_fill": evidence.error_fill if filled else None,
        "processing": dict(evidence.processing),
        "splits": {
            split: {**_split_facts(profile), "rejected": rejected.get(split)}
            for split, profile in profiles.items()
        },
        "findings": {
            rule: {"objects": count, "severity": rules.get(rule, {}).get("severity", "")}
            for rule, count in findings.items()
            if count
        },
    }


def _survey_names(evidence: Evidence) -> list[str]:
    """Names of the surveys: of the folder that holds ``fold_N``, or of those that were merged."""
    merged = [name for name, done in evidence.processing.items() if isinstance(done, Mapping)]
    if merged:
        return merged
    fold = PurePosixPath(evidence.fold)
    name = fold.parent.name if fold.name.startswith("fold_") else fold.name
    return [name] if name else []


def _split_facts(profile: Mapping[str, Any]) -> dict[str, Any]:
    counts = {name: profile[name] for name in ("curves", "observations", "classes", "bands")}
    try:
        histograms = SplitProfile.from_dict(profile)
    except (DataAnomalyError, KeyError):
        return {**counts, "quantiles": {}}  # a version with other bins counted it
    quantiles = {q.name: histograms.quantiles(q.name, FRACTIONS) for q in QUANTITIES}
    return {
        **counts,
        "quantiles": {
            name: {f"{fraction:g}": value for fraction, value in zip(FRACTIONS, values)}
            for name, values in quantiles.items()
            if all(map(math.isfinite, values))
        },
    }


CITATION_FILE = Path(__file__).with_name("CITATION.cff")
"""A link to the repository's file, so that an installed package has it, too."""

TEMPLATE_FILE = Path(__file__).with_name("card.md.jinja")
_FEW = 20  # light curves of a class
_TAGS = ("astronomy", "light-curves", "time-series", "variable-stars", "transformer", "tensorflow")
_SERVED = {
    "serve_max_observations": "observations of a light curve",
    "serve_max_batch": "light curves of a request",
    "serve_max_steps": "steps of the windows of a request",
}
_Names = tuple[tuple[str, str, str], ...]  # type, name and key of scores
_ENCODER_SCORES: _Names = (
    ("rmse", "RMSE at hidden steps [mag]", "hidden_rmse"),
    ("r_squared", "R2 at hidden steps", "hidden_r2"),
    ("rmse", "RMSE at hidden steps of the window's mean [mag]", "mean_hidden_rmse"),
    ("rmse", "RMSE at hidden steps of interpolation [mag]", "interpolation_hidden_rmse"),
    ("rmse", "RMSE at hidden steps of the window's harmonic fit [mag]", "harmonic_hidden_rmse"),
    (
        "rmse",
        "RMSE at hidden steps of the light curve's harmonic fit [mag]",
        "harmonic_curve_hidden_rmse",
    ),
    ("coverage", "Hidden steps within one predicted standard deviation", "hidden_within_1_sigma"),
    ("coverage", "Hidden steps within two predicted standard deviations", "hidden_within_2_sigma"),
    ("recovery", "Known periods found within 1 %", "periods_found"),
    ("recovery", "Known periods found up to a factor of 2 or one alias", "periods_related"),
)
_CLASSIFIER_SCORES: _Names = (("f1", "macro-F1", "macro_f1"), ("accuracy", "Accuracy", "accuracy"))
# A curve for the snippet, where the training light curves are unknown.
_TYPICAL = {"mjd": 55000.0, "cadence": 2.0, "mag": 15.0, "errmag": 0.02, "length": 100}


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
    facts = gather_facts(version, number, evidence, name)
    text = card_text(facts, read_config(version))
    (version / EXTRA / FACTS_FILE).write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8")
    (version / CARD_FILE).write_text(text, encoding="utf-8")


def card_text(facts: Mapping[str, Any], config: Mapping[str, Any]) -> str:
    """The card, from the facts of :func:`gather_facts` and the model's config."""
    header = to_yaml(_front_matter(facts, config))
    body = _environment().from_string(TEMPLATE_FILE.read_text(encoding="utf-8"))
    return f"---\n{header}---\n\n{body.render(_context(facts, config))}"


def to_yaml(content: Mapping[str, Any]) -> str:
    """Nested mappings and lists of plain types, as YAML 1.1 and 1.2 alike."""
    return yaml.dump(content, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=math.inf)


def paper(citation: Mapping[str, Any]) -> str:
    """The paper that describes the model, in one line."""
    [reference] = citation["references"]
    first, (title, journal, volume, start, year, doi) = (
        reference["authors"][0]["family-names"],
        (reference[name] for name in ("title", "journal", "volume", "start", "year", "doi")),
    )
    return f"{first} et al. ({year}): {title}. {journal} {volume}, {start}. https://doi.org/{doi}"


class _Dumper(yaml.SafeDumper):
    """Quotes text, except plain words, so that no reader takes a name for another type."""

    def represent_str(self, data: str) -> yaml.ScalarNode:
        plain = re.fullmatch(r"[a-z][a-z_-]+", data)
        return self.represent_scalar("tag:yaml.org,2002:str", data, style=None if plain else '"')


_Dumper.add_representer(str, _Dumper.represent_str)


def _front_matter(facts: Mapping[str, Any], config: Mapping[str, Any]) -> dict[str, Any]:
    """Licence, library, tags, data sets and scores, as model hubs name them."""
    kind = model_kind(config)
    evaluation, surveys = facts["evaluation"], facts["data"]["surveys"]
    architecture = config.get("encoder", {}).get("architecture")
    if kind == CLASSIFIER:
        task = ("time-series-classification", "Classification of light curves")
        measured, named = evaluation.get("served") or {}, _CLASSIFIER_SCORES
    else:
        task = ("masked-reconstruction", "Reconstruction of hidden magnitudes")
        measured, named = evaluation.get("model") or {}, _ENCODER_SCORES
    scores = [
        {"type": metric, "name": name, "value": measured[key]}
        for metric, name, key in named
        if measured.get(key) is not None and math.isfinite(measured[key])
    ]
    header: dict[str, Any] = {
        "license": _citation()["license"].lower(),
        "library_name": "astromer",
        "tags": [*_TAGS, *([architecture] if architecture else []), kind],
        "datasets": surveys,
        "metrics": list(dict.fromkeys(score["type"] for score in scores)),
    }
    if scores:
        split = evaluation.get("conditions", {}).get("split") or "test"
        name = ", ".join(surveys) or UNKNOWN
        result = {
            "task": {"type": task[0], "name": task[1]},
            "dataset": {"type": "light-curves", "name": name, "split": split},
            "metrics": scores,
        }
        title = f"{facts['name']} {facts['version']}"
        header["model-index"] = [{"name": title, "results": [result]}]
    return header


def _citation() -> dict[str, Any]:
    return yaml.safe_load(CITATION_FILE.read_text(encoding="utf-8"))


def _environment() -> jinja2.Environment:
    def shown(value: Any, digits: int = 4) -> Markup:
        return value if isinstance(value, Markup) else Markup(as_markdown(value, digits))

    def span(quantiles: Mapping[str, float], digits: int = 3) -> Markup:
        low, high = (quantiles[fraction] for fraction in ("0.01", "0.99"))
        if not digits:
            low, high = round(low), round(high)
        return Markup(f"{shown(low, digits)} to {shown(high, digits)}")

    # Not HTML: ``finalize`` escapes every value for Markdown instead.
    environment = jinja2.Environment(  # noqa: S701
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        undefined=jinja2.ChainableUndefined,
        finalize=shown,
    )
    environment.filters |= {
        "number": shown,
        "span": span,
        "plain": lambda value, form: Markup(form % value),
        "code": lambda value: Markup(f"`{value or UNKNOWN}`"),
        "listed": lambda names: Markup(listed(names)),
        "escaped": lambda text, most: Markup(escaped(text, most)),
        "flat": lambda values: flat(values).items(),
    }
    return environment


def _context(facts: Mapping[str, Any], config: Mapping[str, Any]) -> dict[str, Any]:
    """The values of the template that are not simply facts or settings."""
    data, evaluation, metadata = facts["data"], facts["evaluation"], config.get("metadata", {})
    classifier = facts["kind"] == CLASSIFIER
    sizes = {**config.get("encoder", {}), "window_size": config.get("window_size")}
    sizes["quirks"] = sizes.get("quirks") or "none"
    if classifier:
        sizes = {"encoder": sizes, "pooling": config.get("pooling"), "head": config["head"]}
    train_classes = data["splits"].get("train", {}).get("classes", {})
    scores = (evaluation.get("served") or {}).get("classes", {})
    served = config.get("serving") or {}
    machine = metadata.get(MACHINE) or {}
    names = ("training", "finetune", "cell", "study")
    return {
        "facts": facts,
        "config": config,
        "data": data,
        "evaluation": evaluation,
        "metadata": metadata,
        "classifier": classifier,
        "pushed": facts["pushed"].replace("T", " ").replace("+00:00", " UTC"),
        "typical": _typical(data, config),
        "no_name": NO_NAME,
        "few": _FEW,
        "few_classes": _rare({n: count for n, count in train_classes.items() if n != NO_NAME}),
        "rare_classes": _rare({name: score["support"] for name, score in scores.items()}),
        "missed_classes": [
            name for name, score in scores.items() if not score["f1"] > 0 and score["support"]
        ],
        "worse_groups": [
            name
            for name, score in evaluation.get("groups", {}).items()
            if not score["model_hidden_rmse"]
            < min(score[f"{baseline}_hidden_rmse"] for baseline in BASELINE_TITLES)
        ],
        "served": [
            f"{as_markdown(served[name])} {what}"
            for name, what in _SERVED.items()
            if name in served
        ],
        "baselines": BASELINE_TITLES,
        "score_rows": [
            ("", "this model"),
            *((f"{name}_", title) for name, title in BASELINE_TITLES.items()),
        ],
        "comparable_trials": _comparable_trials(facts["study"], evaluation.get("cell", {})),
        "classes": dict.fromkeys(
            name for split in data["splits"].values() for name in split["classes"]
        ),
        "quantiles": list(_quantiles(data["splits"])),
        "bins": _bins(),
        "sizes": sizes,
        "used": {name: metadata[name] for name in names if name in metadata},
        "packages": {
            "astromer-pipeline": config.get("astromer_version"),
            "python": machine.get("python"),
            **(machine.get("versions") or {"tensorflow": config.get("tensorflow_version")}),
        },
        "machine": machine,
        "citation_text": CITATION_FILE.read_text(encoding="utf-8").rstrip(),
        "license": _citation()["license"],
        "paper": paper(_citation()),
    }


def _typical(data: Mapping[str, Any], config: Mapping[str, Any]) -> dict[str, float]:
    """Medians of the training light curves, for a snippet that runs in the version's folder."""
    measured = data["splits"].get("train", {}).get("quantiles", {})
    typical = {name: measured.get(name, {}).get("0.5", value) for name, value in _TYPICAL.items()}
    least = config.get("rules", {}).get("min_observations", 5)
    return {**typical, "length": max(round(typical["length"]), least)}


def _rare(counts: Mapping[str, int]) -> list[str]:
    return [f"{name} ({count})" for name, count in counts.items() if 0 < count < _FEW]


def _comparable_trials(
    study: Mapping[str, Any], trial: Mapping[str, Any]
) -> list[tuple[str, Mapping[str, Any]]]:
    """Trials of baselines with the light curves of the pushed classifier, with their names."""
    titles = {"random": "random encoder, the same recipe", "forest": "random forest"}
    return [
        (titles.get(other["source"], f"{other['source']} encoder"), other)
        for other in study.get("cells", ())
        if (other["shots"], other["seed"]) == (trial.get("shots"), trial.get("seed"))
        and other["source"] != trial.get("source")
        and other["encoder"] in (trial.get("encoder"), "none")
        and (other["encoder"] == "none" or other.get("head") == trial.get("head"))
    ]


def _quantiles(
    splits: Mapping[str, Any],
) -> Iterable[tuple[str, str, int, Mapping[str, float]]]:
    """Rows of the table: quantity, split, digits and quantiles."""
    for quantity in QUANTITIES:
        title = quantity.title
        if quantity.name == "cadence":
            title = "days between observations (median of a light curve)"
        elif quantity.unit:
            title += f" [{quantity.unit}]"
        digits = 5 if quantity.name in ("mjd", "mag") else 3
        for split, facts in splits.items():
            if quantiles := facts["quantiles"].get(quantity.name):
                yield title, split, digits, quantiles


def _bins() -> str:
    even = [q for q in QUANTITIES if not q.log]
    widths = ", ".join(
        f"{(q.high - q.low) / BINS:.3g} {q.unit.replace('MJD', 'days')}" for q in even
    )
    logs = max((q.high / q.low) ** (1 / BINS) - 1 for q in QUANTITIES if q.log)
    return f"{widths} wide for {' and '.join(q.title for q in even)}, up to {logs:.0%}"
