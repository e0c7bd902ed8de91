"""Folders and files of any name: they are read, written and named so that it can be copied."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from astromer.commands import create_records, merge_folds, validate
from astromer.commands.embed import embed, parse
from astromer.commands.export_onnx import export_onnx
from astromer.commands.versions import main as versions
from astromer.records.fold import Fold
from astromer.serving.export import export_saved_model
from astromer.serving.versions.promotion import push_version
from tests.astromer.records.conftest import write_survey
from tests.pages import assert_self_contained
from tests.pipeline.folds import make_curves, write_fold

NAMES = {
    "letters": ' a  b it\'s "`x`" é e\u0301 星🌟 100%25 #a&amp;b $HOME;~ & | <x> \\n\t\x1b[31m\n..',
    "globs": "[a]*?{b}",
    "dash": "-x",
    "tilde": "~",
    "long": "l" * 252 + "星",
}
assert all(len(os.fsencode(name)) <= 255 for name in NAMES.values())


@pytest.fixture(params=NAMES.values(), ids=NAMES)
def place(request, tmp_path: Path, monkeypatch) -> Path:
    """An oddly named folder in the current one."""
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / request.param
    folder.mkdir()
    return folder


@pytest.fixture(scope="module")
def model(toy, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return export_saved_model(toy.model(num_layers=1), tmp_path_factory.mktemp("model") / "1")


def copied(said: str) -> list[str]:
    """The words of the command that a program says is next, as a shell takes them."""
    start = said.index("next: ") + len("next: ")
    (line,) = said[start:].strip().splitlines()
    assert line.isprintable()
    # shlex knows no $'...', bash does.
    done = subprocess.run(
        ["bash", "-c", f"printf '%s\\0' {line}"], capture_output=True, check=True, cwd="/"
    )
    return os.fsdecode(done.stdout).split("\0")[:-1]


def test_folds_are_made_merged_and_validated(place, capsys) -> None:
    make = {"-x": "./-x", "~": str(place)}.get(place.name, place.name)
    curves = make_curves(40, seed=77)
    series = ("mjd", "mag", "errmag")
    survey = [{name: getattr(curve, name) for name in series} for curve in curves]
    write_survey(place / place.name, survey)
    create_records.main([f"--data={make}/{place.name}", f"--output={make}/records"])
    words = copied(capsys.readouterr().out)
    made = Path(words[words.index("--data") + 1])
    assert Fold.open(made).path.samefile(place / "records" / "fold_0")
    write_fold(place / "other" / place.name)
    merged = place / "merged"
    folds = [f"{make}/records/fold_0", f"{make}/other/{place.name}"]
    merge_folds.main(["--data", *folds, "--output", f"{make}/merged"])
    words = copied(capsys.readouterr().out)
    assert Path(words[words.index("--data") + 1]).samefile(merged)
    link = Path("link")
    link.symlink_to(merged)
    for given in (f"{make}/merged/", f"{make}/../link", "link"):
        assert validate.main(["--data", given, "--report", f"{make}/report {place.name[:60]}"]) == 0
    (page,) = (place / f"report {place.name[:60]}").glob("report.html")
    assert_self_contained(page.read_text(encoding="utf-8"))


@pytest.mark.parametrize("place", [NAMES["globs"], NAMES["long"]], indirect=True)
def test_a_model_is_found_and_its_answers_written(place, model, capsys) -> None:
    folder = place / "serving"
    version = push_version(model, folder)
    fold = write_fold(place / place.name)
    # A file has an ending, too, within the 255 bytes of a name.
    stem = place.name[:240]
    out = Path(place.name) / f"{stem}.parquet"
    embed(parse([f"--model={folder}", f"--data={fold}", f"--out={out}"]))
    assert pq.read_table(place / out.name).num_rows == 48
    export_onnx(folder, place / f"{stem}.onnx")
    for command in ("list", "verify"):
        versions([command, "--model", str(folder)])
    assert version.name in capsys.readouterr().out
    assert {path.name for path in place.iterdir() if path.name != ".staging"} == {
        *("serving", place.name, f"{stem}.parquet", f"{stem}.onnx")
    }
