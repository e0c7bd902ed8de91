"""Importing public checkpoints from zips and folders."""

from __future__ import annotations

import json
import zipfile

import numpy as np
import pytest
import tensorflow as tf

from astromer.checkpoint_source import opened, read_settings, read_weights
from astromer.errors import ModelError
from astromer.export import load_model, read_config
from astromer.import_weights import import_weights, load_public


@pytest.fixture
def checkpoint(tmp_path):
    """A checkpoint that is not of AstroMer."""
    folder = tmp_path / "other"
    tf.train.Checkpoint(w=tf.Variable([1.0, 2.0])).write(str(folder / "weights"))
    (folder / "conf.json").write_text(json.dumps({"heads": 2}))
    return folder


def test_public_weights_become_a_saved_model(shared, tmp_path):
    source = shared / "weights" / "macho_a0.zip"
    out = import_weights(source, tmp_path / "model")
    assert (out / "saved_model.pb").is_file()
    assert read_config(out)["encoder"]["quirks"]["attention_bias"] == 1.0
    reference, _ = load_public(source)
    for ours, theirs in zip(load_model(out).variables, reference.variables):
        np.testing.assert_array_equal(np.array(ours), np.array(theirs))


def test_a_folder_reads_as_a_zip_does(checkpoint, tmp_path):
    with zipfile.ZipFile(tmp_path / "w.zip", "w") as archive:
        for path in checkpoint.iterdir():
            archive.write(path, f"deep/er/{path.name}")
    for source in (checkpoint, tmp_path / "w.zip", checkpoint / "weights"):
        with opened(source) as prefix:
            np.testing.assert_array_equal(read_weights(prefix)["w"], [1.0, 2.0])
            assert read_settings(prefix) == {"heads": 2}


def test_a_zip_cannot_write_outside(checkpoint, tmp_path):
    with zipfile.ZipFile(tmp_path / "w.zip", "w") as archive:
        archive.write(checkpoint / "weights.index", "../../evil.index")
        archive.writestr("../../../evil.sh", "echo")
    with opened(tmp_path / "w.zip") as prefix:
        assert prefix.name == "evil"
        inside = sorted(path.name for path in prefix.parent.iterdir())
    assert inside == ["evil.index"]
    assert not list(tmp_path.rglob("evil.*"))


def test_other_weights_are_refused_and_nothing_is_written(checkpoint, tmp_path):
    with pytest.raises(ModelError, match="must have one of the variables"):
        import_weights(checkpoint, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_damaged_checkpoints_are_refused(checkpoint, tmp_path):
    data = next(checkpoint.glob("weights.data-*"))
    data.write_bytes(data.read_bytes()[:2])
    with pytest.raises(ModelError, match="whole and of TensorFlow"):
        import_weights(checkpoint, tmp_path / "out")


def test_missing_settings_and_sources(checkpoint, tmp_path):
    (checkpoint / "conf.json").unlink()
    with pytest.raises(ModelError, match="has neither"):
        import_weights(checkpoint, tmp_path / "out")
    with pytest.raises(ModelError, match="must exist"):
        import_weights(tmp_path / "nothing", tmp_path / "out")
