from __future__ import annotations

import os
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from astromer.system.errors import DataAnomalyError, DataNotFoundError, UsageError
from presentation.pretraining import parse, pretrain

SMALL = "--hidden 8 --n-heads 2 --n-layers 1 --window 20 --bs 4 --epochs 2 --lr 1e-2".split()  # noqa: SIM905
SCRIPTS = ("presentation.scripts.pretrain", "presentation.scripts.disttrain")


def write(folder: Path, splits: dict) -> Path:
    from tests.pipeline.folds import write_with_writer

    def items(split, curves):
        for number in range(len(curves)):
            curve = curves[number]
            names = {"ID": f"{split}-{curve.id}", "newID": number, "Class": curve.class_name}
            yield curve, {**names, "Label": curve.label}

    config = '[context_features]\nvalue = ["ID", "newID", "Class", "Label"]\n'
    write_with_writer(
        folder, {name: items(name, curves) for name, curves in splits.items()}, config
    )
    return folder


@pytest.fixture(scope="module")
def fold(toy, tmp_path_factory: pytest.TempPathFactory) -> Path:
    splits = ("train", "validation", "test")
    curves = {split: toy.curves((30, 20, 50, 7, 45), i) for i, split in enumerate(splits)}
    return write(tmp_path_factory.mktemp("records") / "fold_0", curves)


@pytest.fixture(scope="module")
def trained(toy, fold: Path, tmp_path_factory: pytest.TempPathFactory):
    """The documented command, as a user gives it."""
    output = tmp_path_factory.mktemp("outputs")
    arguments = ["--data", str(fold), "--output", str(output), *SMALL]
    done = toy.python("-m", SCRIPTS[0], *arguments)
    return done, arguments, output


def here(arguments: list[str]) -> Path:
    return pretrain(parse(arguments, "pretrain", "d"), one_device=True)


def test_the_documented_command_trains_evaluates_and_exports(trained) -> None:
    done, _, output = trained
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    (run,) = (output / "pretrain").iterdir()
    assert run.name.startswith("astromer_v1_")
    assert (run / "checkpoints" / "state.npz").is_file()
    for line in ("train", "validation"):
        assert list((run / "logs" / line).glob("events.*"))
    assert list((output / "logs").glob("*.log"))
    assert [p.name for p in run.iterdir() if p.name.startswith(".")] == []
    lines = done.stdout.splitlines()
    assert any(line.startswith("epoch 2/2 ") for line in lines)
    for name in ("model", "mean", "interpolation"):
        assert any(line.startswith("all ") and name in line for line in lines)
    assert lines[-1] == f"SavedModel: {run / 'model'}"


def test_the_model_can_be_served_and_trained_on(trained, toy) -> None:
    from astromer.serving.export import load_model
    from astromer.serving.load_check import check_servable
    from astromer.serving.saved_model import read_config

    (model,) = (trained[2] / "pretrain").glob("*/model")
    assert check_servable(model, toy.curves([45, 5]))["curves"] == 2
    assert load_model(model).encoder.d_model == 8
    metadata = read_config(model)["metadata"]
    assert metadata["training"]["epochs"] == 2
    assert np.isfinite(metadata["test"]["hidden_rmse"])


def test_the_same_command_again_trains_nothing(
    trained, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    from astromer.training import loop

    first, arguments, output = trained
    (model,) = (output / "pretrain").glob("*/model")
    with np.load(model / "assets.extra" / "weights.npz") as arrays:
        before = {name: arrays[name].tobytes() for name in arrays.files}
    monkeypatch.setattr(loop.TrainStep, "__call__", None)
    assert here(arguments) == model
    with np.load(model / "assets.extra" / "weights.npz") as arrays:
        assert {name: arrays[name].tobytes() for name in arrays.files} == before
    out = capfd.readouterr().out
    table = [line for line in first.stdout.splitlines() if line.startswith(("all ", "class "))]
    assert table
    assert [line for line in out.splitlines() if line.startswith(("all ", "class "))] == table
    assert "epoch " not in out


@pytest.mark.slow
def test_other_settings_have_a_folder_of_their_own(trained, fold: Path) -> None:
    _, arguments, output = trained
    other = here([*arguments, "--seed", "7", "--epochs", "1", "--model", "astromer_v2"])
    assert other.parent.name.startswith("astromer_v2_")
    assert len(list((output / "pretrain").iterdir())) == 2


@pytest.mark.slow
def test_two_logical_devices_can_be_asked_for(toy, fold: Path, tmp_path: Path) -> None:
    arguments = ["--data", str(fold), "--output", str(tmp_path), *SMALL, "--epochs", "1"]
    done = toy.python("-m", SCRIPTS[1], *arguments, "--replicas", "2")
    assert done.returncode == 0, done.stderr
    assert list((tmp_path / "pretrain").glob("*/model/saved_model.pb"))


@pytest.mark.parametrize("script", SCRIPTS)
def test_help_is_answered_at_once(toy, script: str) -> None:
    started = time.monotonic()
    done = toy.python("-m", script, "--help")
    seconds = time.monotonic() - started
    assert done.returncode == 0
    assert done.stderr == ""
    for flag in ("--data", "--output", "--hidden", "--d-model", "--norm", "--debug", "--log-every"):
        assert flag in done.stdout
    assert seconds < 3, "something heavy is imported"


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["--data", "/nowhere"], DataNotFoundError.exit_code),
        ([], UsageError.exit_code),
        (["--data", ".", "--lr", "-1"], UsageError.exit_code),
        (["--data", ".", "--hidden", "10"], UsageError.exit_code),
    ],
)
def test_a_mistake_is_told_before_anything_heavy_is_loaded(
    toy, tmp_path: Path, arguments: list[str], code: int
) -> None:
    done = toy.python(
        "-X", "importtime", "-m", SCRIPTS[0], "--output", str(tmp_path / "out"), *arguments
    )
    assert done.returncode == code
    lines = done.stderr.splitlines()
    assert [line for line in lines if not line.startswith("import time:")] == lines[-1:]
    assert lines[-1].startswith("error: ")
    assert not any("tensorflow" in line or "numpy" in line for line in lines[:-1])
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
def test_light_curves_that_break_a_rule_are_left_out_and_told(
    toy, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    splits = {split: toy.curves([25] * 12, i) for i, split in enumerate(("train", "validation"))}
    bad = toy.curves([25] * 12, 2)
    bad.mag[30] = np.nan
    fold = write(tmp_path / "fold_0", {**splits, "test": bad})
    here(["--data", str(fold), "--output", str(tmp_path / "out"), *SMALL, "--epochs", "1"])
    out = capfd.readouterr().out
    assert "1 of 36 objects rejected: 1 not_finite" in out
    assert "Test split, 11 light curves" in out
    assert "test-star-1" in (tmp_path / "out" / "validation" / "rejected.csv").read_text()


def test_too_many_such_light_curves_are_refused_before_the_training(toy, tmp_path: Path) -> None:
    good, bad = toy.curves((30, 20)), toy.curves((30, 20), 1)
    bad.mag[35] = np.nan
    splits = {"train": good, "validation": bad, "test": toy.curves((30, 20), 2)}
    fold = write(tmp_path / "fold_0", splits)
    with pytest.raises(
        DataAnomalyError, match=r"validation-star-1.*validation.*mag\[5\]"
    ) as caught:
        here(["--data", str(fold), "--output", str(tmp_path / "out"), *SMALL])
    report = tmp_path / "out" / "validation"
    assert str(report) in str(caught.value)
    assert "1 of 6 objects rejected" in caught.value.table
    assert (report / "findings.parquet").is_file()
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"logs", "validation"}


def test_an_output_that_cannot_be_written_is_one_line(fold: Path, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match="--output|output"):
        here(["--data", str(fold), "--output", str(tmp_path / "file"), *SMALL])


@pytest.mark.parametrize("seed", [2**32, 2**70])
def test_a_seed_that_no_generator_takes_is_one_line(fold: Path, tmp_path: Path, seed: int) -> None:
    with pytest.raises(UsageError, match="--seed"):
        here(["--data", str(fold), "--output", str(tmp_path), *SMALL, "--seed", str(seed)])


def test_a_failed_export_leaves_the_model_of_before(
    trained, monkeypatch: pytest.MonkeyPatch
) -> None:
    from astromer.serving import export

    _, arguments, output = trained
    (model,) = (output / "pretrain").glob("astromer_v1_*/model")
    before = sorted(path.relative_to(model) for path in model.rglob("*"))

    def broken(*args: object, **kwargs: object) -> None:
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr(export.np, "savez", broken)
    with pytest.raises(OSError, match="No space"):
        here(arguments)
    assert sorted(path.relative_to(model) for path in model.rglob("*")) == before


@pytest.mark.slow
def test_unsorted_records_train_as_sorted_ones(toy, tmp_path: Path) -> None:
    """Windows are runs in time; the served model sorts, so training must not see another order."""
    curves = {
        split: toy.curves((30, 25), i) for i, split in enumerate(("train", "validation", "test"))
    }
    rng = np.random.default_rng(0)
    shuffled = {}
    for split, sorted_curves in curves.items():
        order = np.concatenate([rng.permutation(30), 30 + rng.permutation(25)])
        shuffled[split] = replace(
            sorted_curves, **{n: getattr(sorted_curves, n)[order] for n in ("mjd", "mag", "errmag")}
        )
    weights = []
    keep = ["--rule", "unsorted_mjd=warn"]
    for name, splits in (("sorted", curves), ("shuffled", shuffled)):
        fold = write(tmp_path / name, splits)
        model = here(
            ["--data", str(fold), "--output", str(tmp_path / f"{name}-out"), *SMALL, *keep]
        )
        with np.load(model / "assets.extra" / "weights.npz") as arrays:
            weights.append({n: arrays[n].tobytes() for n in arrays.files})
    assert weights[0] == weights[1]


@pytest.fixture
def first(trained) -> Path:
    """The model of the documented command."""
    return Path(trained[0].stdout.splitlines()[-1].removeprefix("SavedModel: "))


def test_it_begins_with_the_weights_and_the_sizes_of_another_model(first, fold, tmp_path, capsys):
    from astromer.serving.export import load_model
    from astromer.serving.saved_model import read_config
    from astromer.serving.starter.package import identity_of

    options = ["--data", str(fold), "--output", str(tmp_path), "--init", str(first)]
    tiny = ["--bs", "4", "--epochs", "1", "--lr", "1e-12", "--hidden", "8"]
    model = here([*options, *tiny])
    identity = identity_of(first)
    assert f"begins with the weights of {identity}" in capsys.readouterr().out
    assert read_config(model)["metadata"]["started_from"] == identity.to_dict()
    before, after = load_model(first), load_model(model)
    assert after.encoder.settings == before.encoder.settings
    for one, other in zip(before.variables, after.variables, strict=True):
        np.testing.assert_allclose(np.asarray(one), np.asarray(other), atol=1e-6)


@pytest.mark.parametrize(
    ("option", "theirs"),
    [("--hidden 16", "8"), ("--model astromer_v2", "astromer_v1"), ("--norm", "not normalised")],
)
def test_what_contradicts_the_model_is_refused(first, fold, option: str, theirs: str) -> None:
    with pytest.raises(UsageError, match=f"Received: {option} with --init .*{theirs}") as refused:
        parse(["--data", str(fold), "--init", str(first), *option.split()], "pretrain", "d")
    assert "\n" not in str(refused.value)
    config = parse(["--data", str(fold), "--init", str(first), "--dropout", "0.3"], "pretrain", "d")
    assert (config.encoder.d_model, config.encoder.dropout) == (8, 0.3)


def test_other_weights_than_a_run_was_set_up_with_are_refused(first, fold) -> None:
    from dataclasses import replace

    from astromer.finetuning.warm_start import starting_point
    from astromer.system.errors import ModelError

    config = parse(["--data", str(fold), "--init", str(first)], "pretrain", "d")
    assert len(starting_point(config.encoder, config.training).weights)
    with pytest.raises(ModelError, match="--init-sha256"):
        starting_point(config.encoder, replace(config.training, init_sha256="0" * 64))
    with pytest.raises(UsageError, match="which has d_model 8"):
        starting_point(replace(config.encoder, d_model=4), config.training)
