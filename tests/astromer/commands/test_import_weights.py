"""Importing public checkpoints from zips and folders."""

from __future__ import annotations

import json
import zipfile

import numpy as np
import pytest
import tensorflow as tf

from astromer.commands.import_weights import import_weights
from astromer.encoder.checkpoint import opened, read_settings, read_weights
from astromer.encoder.public_weights import load_public
from astromer.serving.export import load_model
from astromer.serving.saved_model import read_config
from astromer.system.errors import ModelError


@pytest.fixture
def checkpoint(tmp_path):
    """A checkpoint that is not of AstroMer."""
    folder = tmp_path / "other"
    tf.train.Checkpoint(w=tf.Variable([1.0, 2.0])).write(str(folder / "weights"))
    (folder / "conf.json").write_text(json.dumps({"heads": 2}))
    return folder


@pytest.mark.slow
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


def zipped(path, content=b"", *, link=False, compression=zipfile.ZIP_DEFLATED, times=1):
    with zipfile.ZipFile(path, "w") as archive:
        for number in range(times):
            member = zipfile.ZipInfo(f"{'x' * number}/weights.index")
            member.compress_type = compression
            member.external_attr = 0o120777 << 16 if link else 0
            archive.writestr(member, content)
    return path


def test_zips_that_no_one_publishes_are_refused(tmp_path):
    path = tmp_path / "w.zip"
    for made, said in (
        ({"content": bytes(50_000_000)}, r"'/weights\.index' of 50,000,000 bytes, packed in"),
        ({"content": b"/etc/passwd", "link": True}, "as a link"),
        ({"times": 2}, "twice"),
        ({"content": b"no index" * 20}, r"weights\.index is not: it is no index"),
    ):
        zipped(path, **made)
        with pytest.raises(ModelError, match=said), opened(path) as prefix:
            read_weights(prefix)


def test_damaged_zips_are_model_errors(tmp_path):
    path = zipped(tmp_path / "w.zip", bytes(range(200)))
    content = path.read_bytes()
    central = content.index(b"PK\x01\x02")
    for place, byte in ((60, 0xFF), (central + 10, 99), (central + 8, 1)):
        path.write_bytes(content[:place] + bytes([byte]) + content[place + 1 :])
        with pytest.raises(ModelError, match=r"w\.zip cannot be unpacked"), opened(path):
            pass


def test_a_zip_of_several_disks_is_no_zip(tmp_path):
    path = tmp_path / "w.zip"
    locator = b"PK\x06\x07" + (1).to_bytes(4, "little") + bytes(8) + (9).to_bytes(4, "little")
    path.write_bytes(locator + b"PK\x05\x06" + bytes(18))
    with pytest.raises(ModelError, match="must be a zip, a folder"), opened(path):
        pass
