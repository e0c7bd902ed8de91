"""What a fine-tuning run did, in a screenful."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tfx.types import Artifact

from astromer.finetuning.study_report import TEXT_FILE
from astromer.system.atomic import replace_folder
from astromer.system.storage import as_path
from astromer.system.storage.trees import copy_tree
from components.evaluator.component import METRICS_FILE
from pipeline.finetune_pipeline import FINETUNER, JUDGE
from pipeline.local.dag_runner import Step
from pipeline.local.run_end import for_machines, paragraph, times, verdict
from pipeline.local.summary import pushed_line, version_news
from pipeline.pipeline import PUSHER


class FinetuneOutcome:
    """The outcome of a run.

    Attributes:
        blessed: whether the classifier may be served.
        reasons: why not.
    """

    def __init__(self, steps: Mapping[str, Step]):
        self._steps = steps
        self._results = as_path(self._output(FINETUNER, "results").uri)
        evaluation = as_path(self._output(JUDGE, "evaluation").uri)
        self._judged = json.loads((evaluation / METRICS_FILE).read_text())
        blessing = self._output(JUDGE, "blessing")
        self.blessed = blessing.get_int_custom_property("blessed") == 1
        self.reasons = blessing.get_string_custom_property("reasons")

    def copy_to(self, folder: Path) -> Path:
        """Puts tables and pictures where users look, from cached results, too."""
        with replace_folder(folder) as partial:
            copy_tree(self._results, partial)
        return folder

    def text(self, results: Path) -> str:
        """The table, and what the classifier that is served reaches."""
        table = (self._results / TEXT_FILE).read_text(encoding="utf-8").rstrip()
        served, cell = self._judged["served"], self._judged["cell"]
        line = ""
        if served:
            line = (
                f"\n\nas served ({cell['encoder']}, {cell['shots'] or 'all'} per class, seed "
                f"{cell['seed']}): macro-F1 {served['macro_f1']:.3f}, accuracy "
                f"{served['accuracy']:.3f}"
            )
        news = version_news(self._steps[PUSHER]) if self.blessed else ""
        parts = [
            verdict("" if self.blessed else self.reasons, news),
            times(self._steps),
            paragraph("Tables", f"and pictures: {results}"),
        ]
        return f"\n{table}{line}\n\n" + "\n".join(parts)

    def to_dict(self) -> dict[str, Any]:
        """The same for machines, as JSON types."""
        return {
            "blessed": self.blessed,
            "reasons": self.reasons,
            "test": self._judged,
            "components": for_machines(self._steps),
        }

    def next_step(self) -> str:
        """Where a pushed classifier is."""
        return pushed_line(self._steps[PUSHER])

    def _output(self, component: str, key: str) -> Artifact:
        return self._steps[component].outputs[key][0]
