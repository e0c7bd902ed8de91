"""Shows what the checks of the data rejected or warn of, in every run."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from astromer.system.atomic import replace_folder
from astromer.system.storage import as_path
from astromer.system.storage.trees import copy_tree
from astromer.validation.output import TABLE_FILE
from pipeline.beam_options import VALIDATOR
from pipeline.local.dag_runner import Step
from pipeline.pipeline import GATE, validation_folder


def tell_rejections(step: Step, output: Path, say: Callable[[str], None]) -> None:
    """Prints the validator's table and the gate's warnings.

    The validator's findings are copied to where users look.

    They are copied from cached results, too: the folder shows the data of the last run.

    Args:
        step: any component's part in the run; others than these two are passed over.
        output: the run's output folder.
        say: prints.
    """
    if step.name == GATE:
        findings = step.outputs["findings"][0]
        for warning in json.loads(as_path(findings.uri).read_text(encoding="utf-8")):
            say(f"warning: {warning}")
    if step.name != VALIDATOR:
        return
    anomalies = as_path(step.outputs["anomalies"][0].uri)
    folder = validation_folder(output)
    with replace_folder(folder) as partial:
        copy_tree(anomalies, partial)
    say((anomalies / TABLE_FILE).read_text(encoding="utf-8").rstrip())
