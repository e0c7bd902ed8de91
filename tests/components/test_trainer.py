"""The Trainer names its runs by what matters, exports, and writes down where a model came from."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tfx.types import channel, standard_artifacts

from astromer.encoder.config import EncoderConfig
from astromer.records.config import LightCurveRules
from astromer.serving.export import load_model
from astromer.serving.saved_model import read_config
from astromer.serving.starter.package import identity_of
from astromer.training.config import TrainingConfig
from astromer.windows.config import MaskingConfig
from components.trainer import AstromerTrainer
from components.trainer.executor import Executor, settings_of
from components.trainer.run_fn import trainer_fingerprint
from tests.components.conftest import artifact, run_example_gen

ENCODER = EncoderConfig(d_model=8, num_heads=2, num_layers=1, window_size=20)
TRAINING = TrainingConfig(epochs=1, batch_size=16)


def make_trainer(root: Path, **changed: Any) -> AstromerTrainer:
    settings = {
        "encoder": ENCODER,
        "masking": MaskingConfig(),
        "training": TRAINING,
        "rules": LightCurveRules(),
        **changed,
    }
    examples = channel.Channel(type=standard_artifacts.Examples)
    return AstromerTrainer(examples, training_root=str(root), **settings)


def fingerprint(data: str = "d", **changed: Any) -> str:
    settings = settings_of(make_trainer(Path("/x"), **changed).exec_properties)
    return trainer_fingerprint({**settings, "data_fingerprint": data})


@pytest.mark.parametrize(
    "change",
    [
        {"data": "other"},
        {"encoder": dataclasses.replace(ENCODER, dropout=0.2)},
        {"masking": MaskingConfig(probed=0.4)},
        {"training": dataclasses.replace(TRAINING, epochs=2)},
        {"training": dataclasses.replace(TRAINING, norm=True)},
    ],
)
def test_another_model_is_another_run(change):
    assert fingerprint(**change) != fingerprint()


@pytest.mark.parametrize(
    "change",
    [
        {"training": dataclasses.replace(TRAINING, log_every=7)},
        {"training": dataclasses.replace(TRAINING, checkpoint_seconds=1.0)},
        {"rules": LightCurveRules(max_mag=30.0)},
    ],
)
def test_what_does_not_change_the_weights_does_not_start_anew(change):
    assert fingerprint(**change) == fingerprint()


def test_trains_and_tells_where_the_model_came_from(fold, tmp_path):
    (fold / "config.toml").write_text('[processing]\nmissing_errors = "constant"\n')
    examples = run_example_gen(fold, tmp_path / "examples")
    model = artifact(standard_artifacts.Model, tmp_path / "model")
    model_run = artifact(standard_artifacts.ModelRun, tmp_path / "model_run")
    trainer = make_trainer(tmp_path / "training")

    Executor().Do(
        {"examples": [examples]},
        {"model": [model], "model_run": [model_run]},
        trainer.exec_properties,
    )

    served = tmp_path / "model" / "Format-Serving"
    assert load_model(served).window_size == 20
    fingerprint = model.get_string_custom_property("fingerprint")
    metadata = read_config(served)["metadata"]
    assert metadata["fingerprint"] == fingerprint
    assert metadata["processing"] == {"missing_errors": "constant"}
    assert model.get_string_custom_property("data_fingerprint")
    assert model.get_string_custom_property("git_revision")
    assert model.get_int_custom_property("encoder.d_model") == 8
    assert model.get_int_custom_property("training.batch_size") == 16
    assert model.get_int_custom_property("summary.train_curves") == 24
    assert model.get_float_custom_property("summary.val_hidden_rmse") > 0
    checkpoints = Path(model_run.get_string_custom_property("checkpoint_dir"))
    assert checkpoints == tmp_path / "training" / fingerprint / "checkpoints"
    assert any(checkpoints.iterdir())

    again = dataclasses.replace(TRAINING, init=str(served), learning_rate=1e-12)
    Executor().Do(
        {"examples": [examples]},
        {
            "model": [adapted := artifact(standard_artifacts.Model, tmp_path / "adapted")],
            "model_run": [artifact(standard_artifacts.ModelRun, tmp_path / "adapted_run")],
        },
        make_trainer(tmp_path / "training", training=again).exec_properties,
    )
    identity = identity_of(served)
    assert adapted.get_string_custom_property("started_from.sha256") == identity.sha256
    assert adapted.get_string_custom_property("training.init") == str(served)
    of_adapted = tmp_path / "adapted" / "Format-Serving"
    assert read_config(of_adapted)["metadata"]["started_from"] == identity.to_dict()
    for one, other in zip(load_model(served).variables, load_model(of_adapted).variables):
        np.testing.assert_allclose(np.asarray(one), np.asarray(other), atol=1e-6)
