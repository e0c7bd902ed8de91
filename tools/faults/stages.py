"""The parts of a run that faults are aimed at, in the order in which they run."""

from __future__ import annotations

START, CLOSING = "start-up", "closing"
"""Before the first component: Python, checks, imports. After the last one: the summary."""

COMPONENTS = (
    "FoldExampleGen",
    "LightCurveSchemaGen",
    "LightCurveValidator",
    "PushedModel",
    "StatisticsGen",
    "DistributionValidator",
    "ExampleValidator",
    "AnomalyGate",
    "Trainer",
    "Baseline",
    "Evaluator",
    "Pusher",
    "Reporter",
)
REPORTER = "Reporter"
AFTER_PUSH = (REPORTER, CLOSING)
"""Before these begin the model is pushed already."""

STAGES = (START, *COMPONENTS, CLOSING)
