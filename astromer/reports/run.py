"""A run to report: its model, data and results, with settings and counts of the data as rows."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from astromer.encoder.reconstructor import Reconstructor
from astromer.light_curves import LightCurves
from astromer.records.fold import SPLITS
from astromer.records.sources.tables import parquet_file
from astromer.reports.lineage import Lineage
from astromer.system.config import all_knobs
from astromer.system.environment import MACHINE
from astromer.system.text import duration
from astromer.training.config import Hyperparameters
from astromer.validation.output import FINDINGS_FILE, SUMMARY_FILE
from astromer.validation.profile import NO_NAME
from astromer.windows.config import MaskingConfig


@dataclass(frozen=True)
class Run:
    """One model, the light curves that it is tested on, and what is known of both.

    Attributes:
        title: name of the model.
        model: the model.
        model_config: ``config.json`` of its SavedModel, see :mod:`astromer.serving.export`.
        curves: of the split.
        split: its name.
        data: where the records are.
        masking, seed: select the steps that are hidden from the model.
        metrics: of the whole split, by "model" and "pushed_model", where it was evaluated.
        blessed: whether the model may be served; None where it was not evaluated.
        reasons: why not.
        pushed: folder of the pushed version; "" where there is none.
        validation: folder of the validation's findings; None where it is not known.
        logs: folder of the TensorBoard logs; None where it is not known.
        lineage: of the model.
    """

    title: str
    model: Reconstructor
    model_config: Mapping[str, Any]
    curves: LightCurves
    split: str
    data: str
    masking: MaskingConfig
    seed: int
    metrics: Mapping[str, Any] = field(default_factory=dict)
    blessed: bool | None = None
    reasons: str = ""
    pushed: str = ""
    validation: Path | None = None
    logs: Path | None = None
    lineage: Lineage = field(default_factory=Lineage)

    @property
    def metadata(self) -> Mapping[str, Any]:
        """What was kept beside the weights."""
        return self.model_config.get("metadata", {})


Facts = list[tuple[str, str]]
_ORIGIN = {
    "fingerprint": "training run",
    "data_fingerprint": "data",
    "code_fingerprint": "code",
    "git_revision": "git revision",
}


@dataclass(frozen=True)
class HyperparameterRow:
    """One hyperparameter.

    Attributes:
        name: of the config's field.
        value: in this run.
        reason: its description.
        changed: True where it differs from the default.
    """

    name: str
    value: str
    reason: str
    changed: bool


def hyperparameters(run: Run) -> list[HyperparameterRow]:
    """The hyperparameters that the model carries."""
    metadata = run.metadata
    training = metadata.get("training", {})
    known = {
        **run.model_config.get("encoder", {}),
        "window_size": run.model_config.get("window_size"),
        **metadata.get("masking", {}),
        # Models of `pretrain` keep the outcome under this name.
        **(training if "summary" in metadata else {}),
    }
    return [
        HyperparameterRow(
            field.name,
            str(known[field.name]),
            field.metadata["reason"],
            # A model knows the width that a ffn_dim of 0 stands for.
            field.name != "ffn_dim" and known[field.name] != field.default,
        )
        for field, _ in all_knobs(Hyperparameters)
        if known.get(field.name) is not None
    ]


def training_facts(run: Run) -> Facts:
    """Size, data and duration of the training, and its fingerprints."""
    metadata = run.metadata
    done: Mapping[str, Any] = metadata.get("summary") or metadata.get("training", {})
    facts: Facts = []
    if "parameters" in done:
        facts.append(("parameters", f"{done['parameters']:,}"))
    if "train_curves" in done:
        curves, observations = done["train_curves"], done["train_observations"]
        facts.append(("trained on", f"{curves:,} light curves, {observations:,} observations"))
        facts.append(("validated on", f"{done['validation_curves']:,} light curves"))
    if "epochs" in done:
        facts.append(("epochs", f"{done['epochs']}, best: {done['best_epoch'] + 1}"))
    if "seconds" in done:
        seconds, epochs = done["seconds"], max(done.get("epochs", 1), 1)
        facts.append(
            ("time of the training", f"{duration(seconds)}, {seconds / epochs:.3g} s per epoch")
        )
        facts.append(("replicas", str(done.get("replicas", 1))))
    facts += [(title, str(metadata[key])) for key, title in _ORIGIN.items() if metadata.get(key)]
    return facts


def machine_facts(run: Run) -> Facts:
    """The machine that trained, and its libraries; empty where the model does not say."""
    machine = run.metadata.get(MACHINE)
    facts = machine_rows(machine) if machine else []
    if not facts and "tensorflow_version" in run.model_config:
        facts = [("tensorflow", run.model_config["tensorflow_version"])]
    if "astromer_version" in run.model_config:
        facts.append(("astromer", run.model_config["astromer_version"]))
    return facts


def machine_rows(machine: Mapping[str, Any]) -> Facts:
    """Rows of what ``describe_machine`` returns."""
    rows = [
        ("processor", f"{machine['processor']}, {machine['cores']} cores"),
        ("memory", f"{machine['memory_gib']:g} GiB" if machine["memory_gib"] else "unknown"),
        ("GPUs", ", ".join(machine["gpus"]) or "none"),
        ("system", machine["system"]),
        ("python", machine["python"]),
    ]
    if "kernels" in machine:  # models of older releases do not say
        rows.insert(1, ("kernels", machine["kernels"]))
    return [*rows, *machine["versions"].items()]


_MOST_ROWS = 24


@dataclass(frozen=True)
class DataSummary:
    """Tables for the page.

    Attributes:
        splits: names of the columns.
        counts: rows of a name, and a number for each split.
        rejections: rows of rule, severity, and a number for each split.
        classes, bands: rows of name, and a number for each split; the rarest are joined.
        headline: how many were rejected, in words.
        complete: True where the validation's findings are known.
    """

    splits: tuple[str, ...]
    counts: list[tuple[str, list[int]]]
    rejections: list[tuple[str, str, list[int]]] = field(default_factory=list)
    classes: list[tuple[str, list[int]]] = field(default_factory=list)
    bands: list[tuple[str, list[int]]] = field(default_factory=list)
    headline: str = ""
    complete: bool = True


def summarise_data(validation: Path | None, split: str, curves: LightCurves) -> DataSummary:
    """From the validation's files, or from the light curves of one split where there are none.

    Args:
        validation: folder of its files.
        split: name of the split.
        curves: its light curves.
    """
    if validation is None or not (validation / SUMMARY_FILE).is_file():
        return _of_curves(split, curves)
    summary = json.loads((validation / SUMMARY_FILE).read_text(encoding="utf-8"))
    splits = tuple(name for name in SPLITS if name in summary["curves"])
    profiles = [summary["profiles"].get(name, {}) for name in splits]
    checked = [summary["curves"][name] for name in splits]
    rejected = [summary["rejected"][name] for name in splits]
    counts = [
        ("light curves checked", checked),
        ("rejected", rejected),
        ("accepted", [all_ - out for all_, out in zip(checked, rejected)]),
        ("observations accepted", [profile.get("observations", 0) for profile in profiles]),
    ]
    return DataSummary(
        splits,
        counts,
        _by_rule(validation, splits, summary["rules"]),
        _by_name([profile.get("classes", {}) for profile in profiles]),
        _by_name([profile.get("bands", {}) for profile in profiles]),
        summary["headline"],
    )


def _of_curves(split: str, curves: LightCurves) -> DataSummary:
    classes = Counter(name or NO_NAME for name in curves.class_names.tolist())
    counts = [("light curves", [len(curves)]), ("observations", [curves.num_observations])]
    return DataSummary((split,), counts, classes=_by_name([classes]), complete=False)


def _by_rule(
    validation: Path, splits: tuple[str, ...], rules: Mapping[str, Any]
) -> list[tuple[str, str, list[int]]]:

    with (validation / FINDINGS_FILE).open("rb") as file:
        table = parquet_file(file).read(columns=["rule", "split"])
    counts = Counter(zip(table["rule"].to_pylist(), table["split"].to_pylist()))
    broken = {rule for rule, _ in counts}
    return [
        (name, rule["severity"], [counts[name, split] for split in splits])
        for name, rule in rules.items()
        if name in broken
    ]


def _by_name(columns: list[Mapping[str, int]]) -> list[tuple[str, list[int]]]:
    total: Counter[str] = Counter()
    for column in columns:
        total.update(column)
    ordered = sorted(total, key=lambda name: (-total[name], name))
    rows = [(name, [column.get(name, 0) for column in columns]) for name in ordered[:_MOST_ROWS]]
    if rest := ordered[_MOST_ROWS:]:
        joined = [sum(column.get(name, 0) for name in rest) for column in columns]
        rows.append((f"{len(rest)} more", joined))
    return rows
