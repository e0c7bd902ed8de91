"""What the pipeline's environment makes and what today's makes can be used in the other one."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import numpy as np
import pytest

from tests.astromer import crossing
from tests.conftest import ROOT
from tests.pipeline.folds import write_fold

OTHER, CHECKOUT = "ASTROMER_OTHER_PYTHON", "ASTROMER_CHECKOUT"
"""Set by tools/scripts/test_current.sh: the interpreter of .venv, and where its package is."""


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """``here`` and ``other``: what each environment made; ``here-by-other``: what the other one
    made of the former, and so on.
    """
    if OTHER not in os.environ:
        pytest.skip("needs a second environment: make test-current runs it")
    place = tmp_path_factory.mktemp("crossing")
    fold = write_fold(place / "fold_0")

    def in_the_other(what: str, *folders: str) -> None:
        done = subprocess.run(
            [os.environ[OTHER], "-m", "tests.astromer.crossing", what]
            + [str(path) for path in (fold, *(place / folder for folder in folders))],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": os.pathsep.join([os.environ[CHECKOUT], str(ROOT)])},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr

    crossing.make(fold, place / "here", place / "here-by-here")
    in_the_other("make", "other", "other-by-other")
    crossing.take(fold, place / "other", place / "other-by-here")
    in_the_other("take", "here", "here-by-other")
    return place


@pytest.mark.parametrize("maker", ["here", "other"])
@pytest.mark.parametrize("model", [crossing.PUSHED, "trained"])
def test_a_model_embeds_alike_in_both(place: Path, maker: str, model: str) -> None:
    import pyarrow.parquet as pq

    first, second = (
        pq.read_table(place / f"{maker}-by-{user}" / f"{model}.parquet").to_pydict()
        for user in ("here", "other")
    )
    assert first["id"] == second["id"]
    assert first["status"] == second["status"]
    assert 0 in first["status"]
    for column in ("mean", "max"):
        one, other = (np.array(table[column]) for table in (first, second))
        assert np.isfinite(one).all()
        assert np.abs(one).max() > 0.1
        np.testing.assert_allclose(one, other, rtol=0, atol=1e-5)


@pytest.mark.parametrize("crossed", ["here-by-other", "other-by-here"])
def test_a_training_is_not_resumed_inexactly(place: Path, crossed: str) -> None:
    told = (place / crossed / crossing.REFUSED).read_text()
    assert "must be resumed with the libraries it began with" in told
    assert "tensorflow 2." in told
    assert "\n" not in told
