from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from astromer.finetuning.config import HEADS, StudyConfig
from astromer.finetuning.encoder_sources import PublicSource, RandomSource, encoder_fingerprint
from astromer.finetuning.study import Study
from astromer.finetuning.trials import Trial, best_trial
from astromer.system.errors import ModelError, UsageError

STUDY = StudyConfig(
    encoder=("frozen", "trainable"), shots=(3, 20), seeds=(1,), baselines=("random", "forest")
)


def make_study(dataset, source, config, folder, study=STUDY, lines=None) -> Study:
    sources = [source, RandomSource(source)] if "random" in study.baselines else [source]
    say = lines.append if lines is not None else lambda text: None
    return Study(dataset, sources, study, config, folder, say=say)


@pytest.fixture(scope="module")
def finished(dataset, source, config, tmp_path_factory):
    study = make_study(dataset, source, config, tmp_path_factory.mktemp("study"))
    return study, study.run()


def test_every_method_is_tried_on_the_same_draws(finished, dataset):
    _, results = finished
    assert len(results) == 2 * 2 * 2 + 2
    for shots in (3, 20):
        counts = {
            (r["seed"], *r["train_per_class"].values()) for r in results if r["shots"] == shots
        }
        assert counts == {(seed, *[min(shots, 12)] * 3) for seed in (1,)}
    for result in results:
        assert np.sum(result["confusion"]) == len(dataset.curves["test"])
        assert result["accuracy"] == pytest.approx(
            np.trace(result["confusion"]) / len(dataset.curves["test"])
        )
        supports = [scores["support"] for scores in result["classes"].values()]
        assert supports == [8, 8, 8]


def test_validation_has_no_more_shots_than_training(finished):
    _, results = finished
    found = {(r["shots"], r["validation_curves"]) for r in results if r["source"] != "forest"}
    assert found == {(3, 9), (20, 18)}


def test_the_forest_tells_the_classes_apart(finished):
    _, results = finished
    scores = [r["macro_f1"] for r in results if r["source"] == "forest" and r["shots"] == 20]
    assert min(scores) > 0.7


def test_a_finished_trial_is_not_done_again(finished, dataset, source, config, monkeypatch):
    study, results = finished
    lines: list[str] = []
    again = make_study(dataset, source, config, study.folder, lines=lines)
    monkeypatch.setattr(again, "_train", None)
    monkeypatch.setattr(again, "_grow_forest", None)
    assert again.run() == results
    assert lines == [f"10 of 10 trials are finished already in {study.folder}"]


def test_a_lost_trial_is_done_again_with_the_same_result(finished, dataset, source, config):
    study, results = finished
    lost = study.trials()[0]
    (study.store(lost).folder / f"{lost.name}.json").unlink()
    lines: list[str] = []
    again = make_study(dataset, source, config, study.folder, lines=lines).run()
    assert len(lines) == 2
    assert lines[1].startswith(f"{lost.name}: macro-F1")
    timeless = [{k: v for k, v in r.items() if k != "seconds"} for r in (again[0], results[0])]
    assert timeless[0] == timeless[1]


def test_other_settings_or_data_are_other_results(finished, dataset, source, config, survey):
    study, _ = finished
    trial = study.trials()[0]
    changed = dataclasses.replace(config, head_hidden=4)
    assert make_study(dataset, source, changed, study.folder).store(trial).load(trial) is None
    other = dataclasses.replace(dataset, curves={**dataset.curves, "test": survey["train"]})
    assert make_study(other, source, config, study.folder).store(trial).load(trial) is None


def test_the_random_encoder_has_fresh_weights_for_each_seed(source):
    random = RandomSource(source)
    first, again, other = (encoder_fingerprint(random.make(seed)) for seed in (1, 1, 2))
    assert first == again
    assert len({first, other, source.fingerprint}) == 3
    shapes = [[v.shape for v in s.make(1).encoder.variables] for s in (random, source)]
    assert shapes[0] == shapes[1]


def test_a_study_leaves_the_pushed_encoder_as_it_was(finished, source):
    assert encoder_fingerprint(source.make(0)) == source.fingerprint


def test_the_exported_classifier_is_chosen_on_validation_and_rebuilt_as_it_was(finished, dataset):
    study, results = finished
    trial = best_trial(results)
    assert (trial.source, trial.shots) == ("pretrained", 20)
    rivals = [r for r in results if r["source"] == "pretrained" and r["shots"] == 20]
    best = max(rivals, key=lambda r: r["validation_macro_f1"])["validation_macro_f1"]
    [result] = [r for r in rivals if (r["encoder"], r["seed"]) == (trial.encoder, trial.seed)]
    assert result["validation_macro_f1"] == best
    predicted = study.rebuild(trial).logits(dataset.curves["test"]).argmax(axis=1)
    assert np.mean(predicted == dataset.classes["test"]) == pytest.approx(result["accuracy"])


def test_weights_that_are_gone_are_named(dataset, source, config, tmp_path):
    small = StudyConfig(encoder=("frozen",), shots=(3,), seeds=(1,), baselines=("none",))
    study = make_study(dataset, source, config, tmp_path, small)
    trial = best_trial(study.run())
    (study.store(trial).folder / f"{trial.name}.npz").unlink()
    with pytest.raises(ModelError, match="pretrained-frozen-3-1"):
        study.rebuild(trial)


def test_public_weights_are_frozen_unless_asked_for(shared, dataset, source, config, tmp_path):
    public = PublicSource(shared / "weights" / "macho_a0.zip")
    small = StudyConfig(shots=(2,), seeds=(1,), baselines=("public",))

    def modes(config) -> list[str]:
        study = Study(dataset, [source, public], small, config, tmp_path)
        return [trial.encoder for trial in study.trials() if trial.source == "public"]

    assert modes(config) == ["frozen"]
    assert modes(dataclasses.replace(config, public_trainable=True)) == ["frozen", "trainable"]
    assert public.make(1).encoder.quirks is not None


@pytest.mark.slow
def test_a_study_of_an_encoder_that_sees_periods(dataset, phase_source, config, tmp_path):
    """Every head, those that a forest wins included, is chosen, rebuilt and taken up again."""
    small = StudyConfig(shots=(12,), seeds=(1,), baselines=("forest",))
    study = make_study(dataset, phase_source, config, tmp_path, small)
    results = study.run()
    ways = {(r["encoder"], r["head"]) for r in results if r["source"] == "pretrained"}
    assert ways == {("frozen", "mlp"), ("frozen", "forest"), ("trainable", "mlp")}
    for result in results[:-1]:
        trial = Trial.of(result)
        predicted = study.rebuild(trial).logits(dataset.curves["test"]).argmax(axis=1)
        assert np.mean(predicted == dataset.classes["test"]) == pytest.approx(result["accuracy"])
    assert best_trial(results).source == "pretrained"
    lines: list[str] = []
    assert make_study(dataset, phase_source, config, tmp_path, small, lines).run() == results
    assert len(lines) == 1


def test_heads_depend_on_the_encoder_unless_named():
    assert StudyConfig().heads_of(folds=False) == ("mlp",)
    assert StudyConfig().heads_of(folds=True) == ("mlp", "forest")
    assert StudyConfig(heads=("forest",)).heads_of(folds=False) == ("forest",)
    assert StudyConfig(heads=HEADS).heads_of(folds=False) == HEADS
    # Features are part of an embedding with periods.
    assert StudyConfig(heads=HEADS).heads_of(folds=True) == ("mlp", "forest")
    with pytest.raises(UsageError, match="--heads auto"):
        StudyConfig(heads=("auto", "mlp"))
