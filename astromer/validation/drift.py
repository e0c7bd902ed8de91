"""Training data compared with those that an earlier model was trained on."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from astromer.serving.export import read_config
from astromer.system.errors import DataAnomalyError, ModelError
from astromer.validation.profile import SplitProfile

PROFILES_FILE = "profiles.json"
TRAIN_PROFILE = "train_profile"
"""Key of the profile of the training split in the metadata of a SavedModel."""

COMPARED = ("mag", "errmag", "length", "cadence", "time_span")
"""What the encoder gets to see. When the observations were made is not part of it, and goes
on from one data release to the next."""


def write_profiles(profiles: Mapping[str, SplitProfile], folder: Path) -> None:
    """Writes what the splits are like beside the records."""
    plain = {split: profile.to_dict() for split, profile in profiles.items()}
    (folder / PROFILES_FILE).write_text(json.dumps(plain), encoding="utf-8")


def read_train_profile(folder: Path) -> dict[str, Any] | None:
    """The training split's profile as plain JSON types; None where none was written."""
    file = folder / PROFILES_FILE
    return json.loads(file.read_text(encoding="utf-8"))["train"] if file.is_file() else None


def data_drift(train_profile: Mapping[str, Any] | None, model: Path, most: float) -> list[str]:
    """In what the training data are unlike those of a model.

    Args:
        train_profile: of the data that are to be trained on.
        model: SavedModel that may hold the profile of its own.
        most: Jensen-Shannon distance up to which two distributions are alike.

    Returns:
        A sentence for each quantity that differs by more; none where either profile is
        missing, or was made by a version that counted in other bins.
    """
    try:
        pushed = read_config(model)["metadata"].get(TRAIN_PROFILE)
        if train_profile is None or pushed is None:
            return []
        distances = SplitProfile.from_dict(train_profile).distance(SplitProfile.from_dict(pushed))
    except (ModelError, DataAnomalyError):
        return []
    return [
        f"{name} is distributed unlike in the data of the pushed model (Jensen-Shannon distance "
        f"{distances[name]:.2f}, limit {most:.2f})."
        for name in COMPARED
        if distances[name] > most
    ]
