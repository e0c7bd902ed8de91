from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from astromer.encoder.order import ASTROMER_1
from astromer.finetuning.encoder_sources import PretrainedSource
from astromer.finetuning.reconstruction_training import continue_reconstruction
from astromer.serving.export import export_saved_model
from astromer.system.errors import ModelError
from astromer.windows.config import MaskingConfig


def test_training_goes_on_from_the_pushed_weights(survey, source, config, tmp_path):
    config = dataclasses.replace(
        config, learning_rate=3e-3, reconstruct_epochs=3, reconstruct_batch_size=8
    )
    done = continue_reconstruction(source, survey, config, MaskingConfig(), 1, tmp_path)
    before, after = done.zero_shot.metrics, done.fine_tuned.metrics
    assert after["hidden_rmse"] < before["hidden_rmse"]
    assert after["mean_hidden_rmse"] == before["mean_hidden_rmse"]  # the same hidden steps
    assert [row[0] for row in done.rows()][1:3] == ["pushed encoder as it is", "fine-tuned encoder"]
    assert f"{after['hidden_rmse']:.4f}" in done.text()
    assert done.markdown().count("\n") == 7


def test_the_first_weights_are_those_of_the_pushed_model(survey, source, config, tmp_path):
    config = dataclasses.replace(config, learning_rate=1e-12, reconstruct_epochs=1)
    done = continue_reconstruction(source, survey, config, MaskingConfig(), 1, tmp_path)
    pairs = zip(done.model.variables, source.make(1).variables, strict=True)
    assert all(np.allclose(one, other, atol=1e-9) for one, other in pairs)


def test_public_weights_are_refused(toy, survey, config, tmp_path):
    model = toy.model("astromer_v1", num_layers=1)
    model.encoder.quirks = ASTROMER_1
    export_saved_model(model, tmp_path / "public")
    with pytest.raises(ModelError, match="public weights"):
        continue_reconstruction(
            PretrainedSource(tmp_path / "public"), survey, config, MaskingConfig(), 1, tmp_path
        )
