from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from astromer.encoder.encoder import Encoder
from astromer.encoder.reconstructor import Reconstructor
from astromer.serving.export import export_saved_model, load_model
from astromer.serving.saved_model import read_config
from astromer.system.errors import ModelError


@pytest.fixture(scope="module")
def model(toy):
    return toy.model("astromer_v2", pe_base=777.0, dropout=0.25, normalise=True)


@pytest.fixture(scope="module")
def exported(model, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return export_saved_model(model, tmp_path_factory.mktemp("export") / "1", {"rmse": 0.5})


@pytest.fixture
def copy(exported: Path, tmp_path: Path) -> Path:
    """An exported model that may be damaged; without the SavedModel, which is not read here."""
    shutil.copytree(exported / "assets.extra", tmp_path / "7" / "assets.extra")
    return tmp_path / "7"


def test_the_trainable_model_comes_back_bit_for_bit(model, exported: Path, toy) -> None:
    loaded = load_model(exported)
    assert [v.path for v in loaded.variables] == [v.path for v in model.variables]
    for one, other in zip(loaded.variables, model.variables):
        assert np.asarray(one).tobytes() == np.asarray(other).tobytes()
    assert (loaded.window_size, loaded.normalise) == (20, True)
    config, expected = loaded.encoder.get_config(), model.encoder.get_config()
    for name in (
        "architecture",
        "d_model",
        "num_heads",
        "num_layers",
        "ffn_dim",
        "dropout",
        "pe_base",
    ):
        assert config[name] == expected[name], name
    batch = toy.batch(normalise=True)
    arguments = (batch.times, batch.magnitudes, batch.probing.visible)
    assert loaded(*arguments).numpy().tobytes() == model(*arguments).numpy().tobytes()
    assert len(loaded.trainable_variables) == len(model.variables)


def test_what_lies_in_the_folder(exported: Path) -> None:
    config = read_config(exported)
    assert config["metadata"] == {"rmse": 0.5}
    assert config["window_size"] == 20
    assert config["rules"]["min_observations"] == 5
    assert (exported / "saved_model.pb").is_file()
    with np.load(exported / "assets.extra" / "weights.npz") as weights:
        assert "encoder/mask_token" in weights.files


def test_the_saved_model_embeds_in_a_process_that_knows_nothing_of_us(
    exported: Path, model, toy
) -> None:
    from astromer.serving.signatures import ServingModule

    curve = toy.curves([45])[0]
    arrays = {
        "mjd": tf.constant(curve.mjd[None]),
        "mag": tf.constant(curve.mag[None]),
        "errmag": tf.constant(curve.errmag[None]),
        "length": tf.constant([45], tf.int64),
    }
    loaded = tf.saved_model.load(str(exported))
    got = loaded.signatures["embed"](**arrays)
    expected = ServingModule(model).embed_curves(**arrays)
    assert got["mean"].numpy() == pytest.approx(expected["mean"].numpy(), abs=1e-5)
    assert set(loaded.signatures) == set(ServingModule(model).signatures)


@pytest.mark.slow
@pytest.mark.parametrize("dtype", [tf.float32, tf.float64])
def test_the_loaded_object_embeds_ragged_rows_and_can_be_differentiated(
    exported: Path, toy, dtype: tf.DType
) -> None:
    curves = toy.curves([45, 7])
    mjd, mag, errmag = (
        tf.RaggedTensor.from_row_lengths(tf.cast(getattr(curves, name), kind), curves.lengths)
        for name, kind in (("mjd", tf.float64), ("mag", dtype), ("errmag", dtype))
    )
    loaded = tf.saved_model.load(str(exported))
    flat = {name: tf.constant(getattr(curves, name)) for name in ("mjd", "mag", "errmag")}
    expected = loaded.signatures["embed_ragged"](**flat, length=tf.constant(curves.lengths))
    with tf.GradientTape() as tape:
        got = loaded.embed(mjd, mag, errmag)
        loss = tf.reduce_sum(got["max"])
    for name in ("mean", "max"):
        assert got[name].numpy() == pytest.approx(expected[name].numpy(), abs=1e-6)
    gradients = tape.gradient(loss, loaded.model_variables)
    assert sum(gradient is not None and np.any(gradient) for gradient in gradients) > 10


def test_a_model_made_by_hand_comes_back_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Keras numbers layers that have no name: the next one built would have another path."""
    model = Reconstructor(Encoder(d_model=8, num_heads=2, num_layers=1), window_size=20)
    traced: list[None] = []
    layer_outputs = Encoder.layer_outputs
    monkeypatch.setattr(
        Encoder, "layer_outputs", lambda *inputs: traced.append(None) or layer_outputs(*inputs)
    )
    export_saved_model(model, tmp_path / "1")
    assert len(traced) == 1, "all signatures share one trace of the encoder"
    loaded = load_model(tmp_path / "1")
    for one, other in zip(loaded.variables, model.variables):
        assert (np.asarray(one) == np.asarray(other)).all()


def rewrite(folder: Path, change) -> None:
    path = folder / "assets.extra" / "weights.npz"
    with np.load(path) as saved:
        weights = {name: saved[name] for name in saved.files}
    change(weights)
    np.savez(path, **weights)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (lambda w: w.pop("encoder/mask_token"), "encoder/mask_token"),
        (lambda w: w.update({"stranger/kernel": np.ones(3)}), "stranger/kernel"),
        (
            lambda w: w.update({"encoder/block_0/ffn_in/kernel": np.ones((8, 3), np.float32)}),
            "encoder/block_0/ffn_in/kernel",
        ),
    ],
)
def test_weights_that_do_not_fit_are_refused_by_name(copy: Path, change, named: str) -> None:
    rewrite(copy, change)
    with pytest.raises(ModelError, match="differ") as caught:
        load_model(copy)
    assert named in str(caught.value)
    assert "ffn_out" not in str(caught.value)


@pytest.mark.parametrize("content", [b"", b"hello", b"PK\x03\x04 cut off", None, "npy"])
def test_damaged_weights_are_a_model_error(copy: Path, content: bytes | str | None) -> None:
    path = copy / "assets.extra" / "weights.npz"
    if content is None:
        path.unlink()
    elif isinstance(content, str):
        with open(path, "wb") as file:
            np.save(file, np.ones(3))
    else:
        path.write_bytes(content)
    with pytest.raises(ModelError, match=r"assets\.extra"):
        load_model(copy)


def test_a_name_as_long_as_the_file_is_not_told_whole(copy: Path) -> None:
    path = copy / "assets.extra" / "weights.npz"
    content = bytearray(path.read_bytes())
    entry = content.index(b"PK\x01\x02")  # the directory's first, whose name takes in all others
    length = content.rindex(b"PK\x05\x06") - entry - 46
    content[entry + 28 : entry + 30] = length.to_bytes(2, "little")
    path.write_bytes(content)
    with pytest.raises(ModelError, match="must hold its config and weights") as error:
        load_model(copy)
    assert len(str(error.value)) < 700


def test_a_cut_off_weights_file_is_a_model_error(copy: Path) -> None:
    path = copy / "assets.extra" / "weights.npz"
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(ModelError, match=r"assets\.extra"):
        load_model(copy)


@pytest.mark.parametrize(
    "content",
    ["", "{", "[]", "{}", '{"encoder": {"d_modle": 8}, "window_size": 20, "normalise": 0}'],
)
def test_a_damaged_config_is_a_model_error(copy: Path, content: str) -> None:
    (copy / "assets.extra" / "config.json").write_text(content)
    with pytest.raises(ModelError, match=r"assets\.extra"):
        load_model(copy)


def test_a_config_of_another_model_is_refused(copy: Path) -> None:
    path = copy / "assets.extra" / "config.json"
    config = json.loads(path.read_text())
    config["encoder"]["architecture"] = "astromer_v1"
    path.write_text(json.dumps(config))
    with pytest.raises(ModelError, match="mask_token"):
        load_model(copy)


def test_a_folder_without_config_is_refused(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "nowhere"):
        with pytest.raises(ModelError, match=r"config\.json.*FileNotFoundError"):
            read_config(path)
