"""Settings, machines and times, as rows of name and value."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from astromer.encoder.config import EncoderConfig
from astromer.reports.run import Run
from astromer.system.environment import MACHINE
from astromer.training.config import TrainingConfig
from astromer.windows.config import MaskingConfig

Facts = list[tuple[str, str]]
_KNOBS = (EncoderConfig, MaskingConfig, TrainingConfig)
_ORIGIN = {
    "fingerprint": "training run",
    "data_fingerprint": "data",
    "code_fingerprint": "code",
    "git_revision": "git revision",
}


@dataclasses.dataclass(frozen=True)
class Setting:
    """One hyperparameter.

    Attributes:
        name: of the knob.
        value: in this run.
        reason: what it is.
        changed: whether it is not the default.
    """

    name: str
    value: str
    reason: str
    changed: bool


def settings(run: Run) -> list[Setting]:
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
        Setting(
            field.name,
            str(known[field.name]),
            field.metadata["reason"],
            _changed(field, known[field.name]),
        )
        for config in _KNOBS
        for field in dataclasses.fields(config)
        if known.get(field.name) is not None
    ]


def _changed(field: dataclasses.Field[Any], value: Any) -> bool:
    if field.name == "ffn_dim":
        return False  # a model knows the width that 0 stands for
    return value != field.default


def training_facts(run: Run) -> Facts:
    """What the training took."""
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
    """Of :func:`astromer.system.environment.describe_machine`."""
    rows = [
        ("processor", f"{machine['processor']}, {machine['cores']} cores"),
        ("memory", f"{machine['memory_gib']:g} GiB" if machine["memory_gib"] else "unknown"),
        ("GPUs", ", ".join(machine["gpus"]) or "none"),
        ("system", machine["system"]),
        ("python", machine["python"]),
    ]
    return [*rows, *machine["versions"].items()]


def duration(seconds: float) -> str:
    """For instance "1 h 37 min", "2 min 5 s" or "7.3 s"."""
    if seconds < 60:
        return f"{seconds:.3g} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    return f"{minutes // 60} h {minutes % 60} min"
