"""Surveys in every layout, and what becomes of them."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from astromer.commands.create_records import main
from astromer.records.fold import SPLITS, Fold
from astromer.records.reader import read_light_curves

NAMES = [f"OGLE-LMC.{i:03d}" for i in range(9)]


def values(count: int = 9) -> dict[str, dict[str, np.ndarray]]:
    """Light curves by name; their float32 values survive text and back."""
    rng = np.random.default_rng(1)
    curves = {}
    for number, name in enumerate(NAMES[:count]):
        length = 6 + number
        curves[name] = {
            "mjd": 59000 + np.sort(rng.uniform(0, 300, length)).round(6),
            "mag": rng.normal(15, 1, length).astype(np.float32),
            "errmag": rng.uniform(0.01, 0.1, length).astype(np.float32),
        }
    return curves


def lines(curve: dict[str, np.ndarray], delimiter: str = ",") -> str:
    """Rows of time, magnitude and error."""
    rows = zip(*(curve[name].tolist() for name in ("mjd", "mag", "errmag")), strict=True)
    return "".join(delimiter.join(map(repr, row)) + "\n" for row in rows)


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    data = text.encode()
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)
    return path


def convert(data: Path, *options: str) -> tuple[dict, dict]:
    """Runs create_records: its summary, and (mjd, mag, errmag, class) by id of all records."""
    output = data.parent / f"{data.name}-out"
    assert main(["--data", str(data), "--output", str(output), "--overwrite", *options]) == 0
    assert sorted(path.name for path in output.iterdir()) == ["fold_0", "summary.json"]
    found = {}
    fold = Fold.open(output / "fold_0")
    for split in SPLITS:
        curves = read_light_curves(fold.files[split])
        for i, name in enumerate(curves.ids.tolist()):
            span = slice(curves.offsets[i], curves.offsets[i + 1])
            label = str(curves.class_names[i])
            series = (curves.mjd[span], curves.mag[span], curves.errmag[span])
            found.setdefault(name, []).append((*series, label))
    return json.loads((output / "summary.json").read_text()), found


def check(found: dict, expected: dict[str, dict[str, np.ndarray]]) -> None:
    """Asserts that the records hold the values, times to 1e-9 days."""
    assert sorted(found) == sorted(expected)
    for name, curve in expected.items():
        ((mjd, mag, errmag, _),) = found[name]
        np.testing.assert_allclose(mjd, curve["mjd"], rtol=0, atol=1e-9)
        np.testing.assert_array_equal(mag, curve["mag"])
        np.testing.assert_array_equal(errmag, curve["errmag"])


@pytest.fixture(scope="session")
def survey() -> SimpleNamespace:
    """The functions above."""
    return SimpleNamespace(
        values=values, lines=lines, write=write, convert=convert, check=check, names=NAMES
    )
