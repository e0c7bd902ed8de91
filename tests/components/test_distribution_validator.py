from __future__ import annotations

from typing import Any

import pytest
from tfx.components.distribution_validator import executor
from tfx.proto import distribution_validator_pb2
from tfx.utils import proto_utils

from components.distribution_validator import Executor


@pytest.mark.parametrize("compiled", [False, True], ids=["as it is", "as JSON"])
def test_the_executor_takes_its_configuration_in_both_forms(monkeypatch, compiled):
    given: dict[str, Any] = {}
    monkeypatch.setattr(executor.Executor, "Do", lambda self, inputs, outputs, it: given.update(it))
    config = distribution_validator_pb2.DistributionValidatorConfig()
    config.default_slice_config.feature.add().path.step.append("mag")
    properties = {
        "distribution_validator_config": proto_utils.proto_to_json(config) if compiled else config,
        "include_split_pairs": "[]",
    }

    Executor().Do({}, {}, properties)

    assert given == {"distribution_validator_config": config, "include_split_pairs": "[]"}
