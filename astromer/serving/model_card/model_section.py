"""Sections about the network and how it was trained."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from astromer.serving.model_card.markdown import UNKNOWN, escaped, listed, number, settings
from astromer.serving.saved_model import CLASSIFIER, model_kind
from astromer.system.environment import MACHINE


def architecture_section(config: Mapping[str, Any], facts: Mapping[str, Any]) -> str:
    """All sizes."""
    sizes: dict[str, Any] = {**config.get("encoder", {}), "window_size": config.get("window_size")}
    sizes["quirks"] = sizes.get("quirks") or "none"
    if model_kind(config) == CLASSIFIER:
        sizes = {"encoder": sizes, "pooling": config.get("pooling"), "head": config["head"]}
    return (
        f"{number(facts['parameters'])} parameters, float32 in the SavedModel.\n\n"
        f"{settings(sizes)}\n\n"
        "The network reads times and magnitudes of a window, and which steps are shown. It does "
        "not read errors."
    )


def training_section(config: Mapping[str, Any], facts: Mapping[str, Any]) -> str:
    """Settings, what came of them, packages and machine."""
    metadata = config.get("metadata", {})
    names = ("training", "finetune", "cell", "study")
    used = {name: metadata[name] for name in names if name in metadata}
    course = (
        _fine_tuned(metadata, facts) if model_kind(config) == CLASSIFIER else _trained(metadata)
    )
    lines = [course, settings(used) if used else "", _made_with(config)]
    return "\n\n".join(line for line in lines if line)


def _fine_tuned(metadata: Mapping[str, Any], facts: Mapping[str, Any]) -> str:
    encoder, known = metadata.get("encoder", {}), facts.get("encoder", {})
    return (
        f"Fine-tuned from the pushed encoder {escaped(known.get('version') or UNKNOWN)} "
        f"(fingerprint `{encoder.get('fingerprint') or UNKNOWN}`), pre-trained on light curves of "
        f"{listed(known.get('surveys', ()))} (fingerprint "
        f"`{encoder.get('data_fingerprint') or UNKNOWN}`). Best epoch: "
        f"{_epoch(metadata.get('summary', {}))}."
    )


def _trained(metadata: Mapping[str, Any]) -> str:
    training, done = metadata.get("training", {}), metadata.get("summary", {})
    return (
        f"{number(done.get('epochs'))} of at most {number(training.get('epochs'))} epochs; the "
        f"weights are those of epoch {_epoch(done)}, with the lowest error at hidden steps of the "
        f"validation split ({number(done.get('val_hidden_rmse'))} mag). Precision: "
        f"{training.get('precision') or UNKNOWN}; seed: {number(training.get('seed'))}; "
        f"{number(done.get('seconds'))} s on {number(done.get('replicas'))} device(s)."
    )


def _epoch(done: Mapping[str, Any]) -> str:
    """Counted from 1 for people."""
    best = done.get("best_epoch")
    return number(best + 1) if isinstance(best, int) else UNKNOWN


def _made_with(config: Mapping[str, Any]) -> str:
    metadata = config.get("metadata", {})
    made = metadata.get(MACHINE) or {}
    packages = {
        "astromer-pipeline": config.get("astromer_version"),
        "python": made.get("python"),
        **(made.get("versions") or {"tensorflow": config.get("tensorflow_version")}),
    }
    listed = ", ".join(f"{name} {version or UNKNOWN}" for name, version in packages.items())
    machine = UNKNOWN
    if made:
        gpus = ", ".join(escaped(name) for name in made["gpus"]) or "no GPU"
        machine = f"{escaped(made['processor'])}, {number(made['cores'])} cores, {gpus}"
    return (
        f"Made with {listed}. Machine: {machine}. Revision of the code: "
        f"`{metadata.get('git_revision') or UNKNOWN}`, fingerprint "
        f"`{metadata.get('code_fingerprint') or UNKNOWN}`."
    )
