"""Loads what the steps of a compiled pipeline need; the fork server imports this module."""

from __future__ import annotations

import importlib

from astromer.system.logs import silence
from pipeline.quick_imports import postpone, quick_imports

MODULES = (
    "components.anomaly_gate.component",
    "components.distribution_validator",
    "components.evaluator.component",
    "components.example_gen.executor",
    "components.pushed_version",
    "components.pusher.executor",
    "components.schema.component",
    "components.statistics.executor",
    "components.trainer.run_fn",
    "components.validator.executor",
    "tfx.components.example_validator.executor",
    "tfx.components.statistics_gen.executor",
    "tfx.orchestration.kubeflow.v2.container.kubeflow_v2_entrypoint_utils",
    "tfx.orchestration.kubeflow.v2.file_based_example_gen.driver",
    "tfx.orchestration.portable.outputs_utils",
)

silence()
postpone("kfp")
with quick_imports():
    for module in MODULES:
        importlib.import_module(module)
