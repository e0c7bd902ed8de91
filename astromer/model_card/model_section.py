"""Sections about the network and how it was trained."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from astromer.model_card.markdown import UNKNOWN, escaped, number, settings

ENCODER, CLASSIFIER = "encoder", "classifier"


def kind_of(config: Mapping[str, Any]) -> str:
    """What a model is, by its config."""
    return CLASSIFIER if "head" in config else ENCODER


def architecture_section(config: Mapping[str, Any], facts: Mapping[str, Any]) -> str:
    """All sizes."""
    sizes: dict[str, Any] = {**config.get("encoder", {}), "window_size": config.get("window_size")}
    sizes["quirks"] = sizes.get("quirks") or "none"
    if kind_of(config) == CLASSIFIER:
        sizes = {"encoder": sizes, "pooling": config.get("pooling"), "head": config["head"]}
    return (
        f"{number(facts['parameters'])} parameters, float32 in the "
        f"SavedModel.\n\n{settings(sizes)}\n\n"
        "The network reads times and magnitudes of a window, and which steps are shown. It does "
        "not read "
        "errors."
    )


def training_section(config: Mapping[str, Any]) -> str:
    """Settings, what came of them, packages and machine."""
    metadata = config.get("metadata", {})
    used = {name: metadata[name] for name in ("training", "finetune", "cell") if name in metadata}
    if kind_of(config) == CLASSIFIER and "study" in metadata:
        used["study"] = metadata["study"]
    lines = [_course(config), settings(used) if used else "", _made_with(config)]
    return "\n\n".join(line for line in lines if line)


def _course(config: Mapping[str, Any]) -> str:
    metadata = config.get("metadata", {})
    done = metadata.get("summary", {})
    if kind_of(config) == CLASSIFIER:
        encoder = metadata.get("encoder", {})
        return (
            f"Fine-tuned from the pushed encoder {escaped(encoder.get('version') or UNKNOWN)} "
            "(fingerprint "
            f"`{encoder.get('fingerprint') or UNKNOWN}`, pre-trained on light curves with "
            "fingerprint "
            f"`{encoder.get('data_fingerprint') or UNKNOWN}`). Best epoch: {_epoch(done)}."
        )
    training = metadata.get("training", {})
    return (
        f"{number(done.get('epochs'))} of at most {number(training.get('epochs'))} epochs; the "
        "weights are "
        f"those of epoch {_epoch(done)}, with the lowest error at hidden steps of the validation "
        "split "
        f"({number(done.get('val_hidden_rmse'))} mag). Precision: "
        f"{training.get('precision') or UNKNOWN}; "
        f"seed: {number(training.get('seed'))}; {number(done.get('seconds'))} s on "
        f"{number(done.get('replicas'))} device(s)."
    )


def _epoch(done: Mapping[str, Any]) -> str:
    """Counted from 1 for people."""
    best = done.get("best_epoch")
    return number(best + 1) if isinstance(best, int) else UNKNOWN


def _made_with(config: Mapping[str, Any]) -> str:
    metadata = config.get("metadata", {})
    made = metadata.get("environment") or {}
    packages = {
        "astromer-pipeline": config.get("astromer_version"),
        "python": made.get("python"),
        **(made.get("packages") or {"tensorflow": config.get("tensorflow_version")}),
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
