"""What a model says of where it came from, for want of a metadata database."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from astromer.reports.lineage import Lineage, LineageBuilder, Node


def lineage_of_model(path: str, config: Mapping[str, Any]) -> Lineage:
    """Data, training and model, as far as the model's ``config.json`` tells.

    Args:
        path: of the model.
        config: see :mod:`astromer.serving.export`.
    """
    metadata = config.get("metadata", {})
    summary = metadata.get("summary") or metadata.get("training", {})
    graph = LineageBuilder()
    data = [f"fingerprint {metadata['data_fingerprint']}"] if "data_fingerprint" in metadata else []
    if "train_curves" in summary:
        data.append(f"{summary['train_curves']:,} to train on")
    training = [f"run {metadata['fingerprint']}"] if "fingerprint" in metadata else []
    if "epochs" in summary:
        training.append(f"{summary['epochs']} epochs, {summary['seconds']:.0f} s")
    graph.add(Node("data", "light curves", tuple(data)))
    graph.add(Node("training", "training", tuple(training), made=True), "data")
    name = "/".join(path.rstrip("/").split("/")[-2:])
    graph.add(Node("model", "model", (name,), main=True), "training")
    return graph.build("what the model itself says")
