from __future__ import annotations

import dataclasses

import pytest

from astromer.encoder.config import EncoderConfig
from astromer.system.config import all_knobs
from astromer.system.errors import UsageError
from astromer.training.config import Hyperparameters, TrainingConfig
from components.knobs import execution_parameters, from_properties, properties


def test_knobs_survive_as_execution_properties_of_plain_types():
    training = TrainingConfig(epochs=3, learning_rate=1e-3, norm=True, decay="cosine")
    found = properties(Hyperparameters(training=training))
    assert {type(value) for value in found.values()} == {int, float, str}
    assert found["norm"] == 1
    # Clusters have numbers of one kind only.
    as_given = {name: float(v) if isinstance(v, int) else v for name, v in found.items()}
    for given in (found, as_given):
        read = from_properties(TrainingConfig, given)
        assert read == training
        assert {type(value) for value in dataclasses.astuple(read)} == {bool, int, float, str}


def test_no_two_configs_have_a_knob_of_the_same_name():
    names = [knob.name for knob, _ in all_knobs(Hyperparameters)]
    assert sorted(execution_parameters(Hyperparameters)) == sorted(names)


@pytest.mark.parametrize(
    ("config", "changed"), [(EncoderConfig, {"num_heads": 3}), (TrainingConfig, {"epochs": 0})]
)
def test_values_that_were_given_when_the_run_was_started_are_checked(config, changed):
    with pytest.raises(UsageError, match="Received"):
        from_properties(config, {**properties(config()), **changed})
