"""Beam where there are machines or processes to spread work over, and none where there are not.

In one process Beam costs more than it does: a pipeline of a hundred steps is built, checked and
staged for light curves that are counted in less time.
"""

from __future__ import annotations

import copy
import os
from collections.abc import Sequence
from typing import Any, ClassVar

import apache_beam as beam
from apache_beam.options.pipeline_options import DirectOptions, PipelineOptions, StandardOptions
from tfx.dsl.components.base import base_beam_executor
from tfx.utils import name_utils, telemetry_utils

from components.beam_cluster import require_cluster
from components.provenance import ROOT

CODE = "components/in_process.py"
_DIRECT = ("direct", "directrunner")


def runs_in_process(beam_pipeline_args: Sequence[str]) -> bool:
    """Whether Beam with these arguments would work in this process, in one thread."""
    options = PipelineOptions(list(beam_pipeline_args))
    direct = options.view_as(DirectOptions)
    runner = options.view_as(StandardOptions).runner or "direct"
    return (
        runner.lower() in _DIRECT
        and direct.direct_running_mode == "in_memory"
        and direct.direct_num_workers == 1
    )


class InProcess(base_beam_executor.BaseBeamExecutor):
    """A Beam executor that knows whether it needs Beam.

    Attributes:
        can_use_beam: False for executors that only TFX wants to be Beam executors.
        in_process: True where Beam would run in this process: do the work without it.
    """

    can_use_beam: ClassVar = True

    def __init__(self, context: Any = None):
        arguments = list(context.beam_pipeline_args or ()) if context is not None else []
        self.in_process = (
            not self.can_use_beam
            or context is None
            or (context.make_beam_pipeline_fn is None and runs_in_process(arguments))
        )
        if context is not None:
            # With any, TFX packs its source, and workers would try to install it. They have it:
            # without it they could not import this package either.
            context = copy.copy(context)
            context.beam_pipeline_args = []
        super().__init__(context)
        if not self.in_process:
            self._beam_pipeline_args = [*arguments, *_labels(type(self))]
            _let_workers_import()

    def _make_beam_pipeline(self) -> beam.Pipeline:
        """Of TFX.

        Raises:
            ClusterError: the cluster that it is for cannot be reached.
        """
        require_cluster(self._beam_pipeline_args or ())
        return super()._make_beam_pipeline()


def _labels(executor: type) -> list[str]:
    """By which Google Cloud tells whose work it was, as TFX writes them."""
    with telemetry_utils.scoped_labels(
        {telemetry_utils.LABEL_TFX_EXECUTOR: name_utils.get_full_name(executor)}
    ):
        return telemetry_utils.make_beam_labels_args()


def _let_workers_import() -> None:
    """Processes on this machine inherit the environment, not this one's list of folders."""
    places = [str(ROOT), *os.environ.get("PYTHONPATH", "").split(os.pathsep)]
    os.environ["PYTHONPATH"] = os.pathsep.join(dict.fromkeys(filter(None, places)))
