"""The component that fine-tunes a pushed encoder on labelled Examples."""

import json
from dataclasses import asdict

from tfx.dsl.component.experimental.annotations import InputArtifact, OutputArtifact, Parameter
from tfx.dsl.component.experimental.decorators import component
from tfx.types import standard_artifacts
from tfx.utils import path_utils

from astromer.finetuning.classification import fine_tune_classifiers
from astromer.finetuning.config import FinetuneConfig, StudyConfig
from astromer.finetuning.encoder_sources import PretrainedSource
from astromer.records.config import LightCurveRules
from astromer.records.fold import SPLITS
from astromer.records.reader import read_light_curves
from astromer.serving.config import ServingConfig
from astromer.serving.saved_model import read_config
from astromer.system.atomic import replace_folder
from astromer.system.environment import MACHINE, describe_machine
from astromer.system.storage import as_path, copy_tree, remove_tree
from astromer.system.terminal import say
from components import split_files
from components.provenance import DATA_FINGERPRINT, flatten, set_property, settings_fingerprint

_CLASSIFIER = "classifier"
CHOSEN_FILE = "chosen.json"
"""Beside the tables: the trial whose classifier was exported."""


@component
def Finetuner(
    examples: InputArtifact[standard_artifacts.Examples],
    encoder: InputArtifact[standard_artifacts.PushedModel],
    model: OutputArtifact[standard_artifacts.Model],
    results: OutputArtifact[standard_artifacts.ModelEvaluation],
    settings: Parameter[str],
    work: Parameter[str],
    code_fingerprint: Parameter[str],
):
    """Fine-tunes classifiers and baselines, and exports the best classifier.

    Args:
        examples: with the splits train, validation and test, and classes.
        encoder: the pushed encoder.
        model: output; the SavedModel, with its lineage as custom properties.
        results: output; the tables and pictures of :mod:`astromer.finetuning.study_report`.
        settings: JSON of ``{"study", "finetune", "rules", "serving", "public_weights"}``.
        work: folder outside the pipeline root for finished cells: a stopped run resumes
            from them.
        code_fingerprint: of the code that fine-tunes, for the cache.
    """
    knobs = json.loads(settings)
    curves = {split: read_light_curves(split_files(examples, split)) for split in SPLITS}
    source = PretrainedSource(encoder.uri)
    survey = examples.get_string_custom_property(DATA_FINGERPRINT)
    pushed = encoder.get_string_custom_property("pushed_destination")
    facts = {
        "examples_fingerprint": survey,
        "code_fingerprint": code_fingerprint,
        "pushed_encoder": pushed or encoder.uri,
    }
    output = as_path(results.uri)
    done = fine_tune_classifiers(
        source,
        curves,
        StudyConfig(**knobs["study"]),
        FinetuneConfig(**knobs["finetune"]),
        output,
        work=as_path(work) / settings_fingerprint({"code": code_fingerprint}),
        public_weights=knobs["public_weights"],
        rules=LightCurveRules(**knobs["rules"]),
        serving=ServingConfig(**knobs["serving"]),
        facts={**facts, MACHINE: describe_machine()},
        say=say,
        progress=True,
    )
    (output / CHOSEN_FILE).write_text(json.dumps(asdict(done.trial)))
    with replace_folder(path_utils.serving_model_dir(model.uri)) as partial:
        copy_tree(output / _CLASSIFIER, partial)
    remove_tree(output / _CLASSIFIER)
    metadata = read_config(path_utils.serving_model_dir(model.uri))["metadata"]
    kept = {name: metadata[name] for name in ("encoder", "cell", *facts)}
    for name, value in flatten({**kept, DATA_FINGERPRINT: survey}).items():
        set_property(model, name, value)
