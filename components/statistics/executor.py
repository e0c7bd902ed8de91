"""StatisticsGen executor: TFX's own with a cluster, TFDV's generators alone without one."""

from __future__ import annotations

from typing import Any

from tfx import types
from tfx.components.statistics_gen import executor
from tfx.types import artifact_utils, standard_component_specs
from tfx.utils import json_utils

from astromer.system.storage import as_path
from astromer.system.terminal import progress_bar
from components.example_gen.executor import NUM_CURVES
from components.in_process import InProcess
from components.statistics.generation import statistics_of


class Executor(InProcess, executor.Executor):
    """Writes the same statistics with Beam and without it."""

    def Do(
        self,
        input_dict: dict[str, list[types.Artifact]],
        output_dict: dict[str, list[types.Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Computes the statistics of every split."""
        if not self.in_process:
            super().Do(input_dict, output_dict, exec_properties)
            return
        self._log_startup(input_dict, output_dict, exec_properties)
        examples = artifact_utils.get_single_instance(
            input_dict[standard_component_specs.EXAMPLES_KEY]
        )
        statistics = artifact_utils.get_single_instance(
            output_dict[standard_component_specs.STATISTICS_KEY]
        )
        splits = artifact_utils.decode_split_names(examples.split_names)
        statistics.split_names = examples.split_names
        statistics.span = examples.span
        statistics.set_string_custom_property(executor.STATS_DASHBOARD_LINK, "")
        statistics.set_json_value_custom_property(
            executor.SAMPLE_RATE_BY_SPLIT_PROPERTY_NAME,
            json_utils.dumps(dict.fromkeys(splits, 1.0)),
        )
        for split in splits:
            files = sorted(as_path(artifact_utils.get_split_uri([examples], split)).iterdir())
            folder = as_path(artifact_utils.get_split_uri([statistics], split))
            folder.mkdir(parents=True, exist_ok=True)
            curves = examples.get_int_custom_property(f"{NUM_CURVES}_{split}") or None
            with progress_bar(total=curves, desc=f"statistics of {split}", unit="curves") as bar:
                found = statistics_of(files, bar.update).SerializeToString(deterministic=True)
            (folder / executor.DEFAULT_FILE_NAME).write_bytes(found)
