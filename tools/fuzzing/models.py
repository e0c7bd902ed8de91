"""A tiny model, exported once for each process."""

from __future__ import annotations

import atexit
import functools
import shutil
import tempfile
from pathlib import Path
from typing import Any

from astromer.encoder.config import EncoderConfig
from astromer.encoder.reconstructor import Reconstructor
from astromer.serving.export import export_saved_model


@functools.cache
def a_model_folder() -> Path:
    """A pushed version: a SavedModel of 8 dimensions and windows of 20."""
    small: dict[str, Any] = {
        "d_model": 8,
        "num_heads": 2,
        "num_layers": 1,
        "ffn_dim": 12,
        "window_size": 20,
    }
    model = Reconstructor.from_settings(EncoderConfig("astromer_v2", **small), seed=1)
    folder = Path(tempfile.mkdtemp(prefix="fuzz-model-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return export_saved_model(model, folder / "1")
