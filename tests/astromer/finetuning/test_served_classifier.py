from __future__ import annotations

import dataclasses
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from astromer.finetuning.classifier import Classifier, make_classifier
from astromer.finetuning.config import MLP, WITH_FEATURES
from astromer.finetuning.encoder_sources import FOREST
from astromer.finetuning.forest_head import ForestHead
from astromer.finetuning.served_classifier import (
    export_classifier,
    load_classifier,
    served_classes,
    served_scores,
)
from astromer.periodogram.curve_periods import find_periods
from astromer.records.encoding import encode_light_curve
from astromer.serving.checksums import write_checksums
from astromer.serving.graph_input import STATUS_OK, STATUS_UNREADABLE
from astromer.serving.load_check import check_servable
from astromer.system.errors import DamagedVersionError, ModelError


@pytest.fixture(scope="module", params=["mean", "layers", "mlp+features", "forest", "both"])
def exported(
    request, dataset, source, phase_source, config, tmp_path_factory
) -> tuple[Classifier, Path]:
    """By pooling, by head, and on an encoder that sees periods: an MLP, a forest with features."""
    way = request.param
    head = {"forest": FOREST, "both": FOREST + WITH_FEATURES, "mlp+features": way}.get(way, MLP)
    pooling = way if way in ("mean", "layers") else "auto"
    config = dataclasses.replace(config, head=pooling)
    model = (phase_source if way == "both" else source).make(1)
    classifier = make_classifier(model, config, dataset.label_map, 2, head)
    curves = dataset.curves["train"]
    vectors = classifier.encode(curves)
    beside = classifier.beside(curves, find_periods(curves))
    if head.startswith(FOREST):
        grown = (vectors, beside, dataset.classes["train"], len(dataset.label_map), config, 1)
        classifier.head = ForestHead.grow(*grown)
    else:
        classifier.head.standardise(vectors, beside)
    folder = tmp_path_factory.mktemp("exported") / "1"
    return classifier, export_classifier(classifier, folder, {"encoder": source.lineage()})


def test_it_answers_as_the_classifier_does(exported, dataset):
    classifier, folder = exported
    curves = dataset.curves["test"]
    served = tf.saved_model.load(str(folder)).signatures["serving_default"]
    records = [
        encode_light_curve({"mjd": c.mjd, "mag": c.mag, "errmag": c.errmag}, {"ID": c.id})
        for c in (curves[i] for i in range(len(curves)))
    ]
    answer = served(examples=tf.constant(records))
    wanted = tf.nn.softmax(classifier.logits(curves)).numpy()
    np.testing.assert_allclose(answer["probabilities"], wanted, atol=1e-5)
    index = wanted.argmax(axis=1)
    names, labels = dataset.label_map.names, dataset.label_map.labels
    assert [n.decode() for n in answer["class_name"].numpy()] == [names[i] for i in index]
    assert answer["label"].numpy().tolist() == [labels[i] for i in index]
    assert not answer["status"].numpy().any()
    assert served_classes(folder, curves) == [names[i] for i in index]
    scores = served_scores(folder, dataset)
    assert scores["accuracy"] == pytest.approx(np.mean(index == dataset.classes["test"]))


def test_a_server_could_load_it(exported, dataset):
    _, folder = exported
    assert check_servable(folder, dataset.curves["test"])["difference"] <= 1e-4


def test_short_and_broken_light_curves_get_no_class_and_do_not_touch_others(exported):
    _, folder = exported
    classify = tf.saved_model.load(str(folder)).signatures["classify"]
    rng = np.random.default_rng(0)
    mjd = 59000 + np.sort(rng.uniform(0, 100, (1, 30)), axis=1)
    mag = rng.normal(14, 1, (1, 30)).astype(np.float32)
    errmag = np.full((1, 30), 0.03, np.float32)

    def ask(count: int, *lengths: int, spoil: bool = False) -> dict[str, np.ndarray]:
        magnitudes = np.repeat(mag, count, axis=0)
        if spoil:
            magnitudes[1:] = np.nan
        answer = classify(
            mjd=tf.constant(np.repeat(mjd, count, axis=0)),
            mag=tf.constant(magnitudes),
            errmag=tf.constant(np.repeat(errmag, count, axis=0)),
            length=tf.constant(lengths, tf.int64),
        )
        return {name: value.numpy() for name, value in answer.items()}

    alone, mixed, spoiled = ask(1, 30), ask(2, 30, 4), ask(2, 30, 30, spoil=True)
    for answer in (mixed, spoiled):
        np.testing.assert_allclose(answer["probabilities"][0], alone["probabilities"][0], atol=1e-6)
        assert answer["status"].tolist() == [0, 1]
        assert not answer["probabilities"][1].any()
        assert (answer["label"][1], answer["class_name"][1]) == (-1, b"")


def test_a_record_that_cannot_be_read_spoils_no_other(exported):
    _, folder = exported
    answer = tf.saved_model.load(str(folder)).signatures["serving_default"]
    n = np.arange(30)
    series = {"mjd": 59000.0 + n, "mag": 14 + np.sin(n), "errmag": np.full(30, 0.03)}
    fine = encode_light_curve(series, {"ID": "a"})
    alone = answer(examples=tf.constant([fine]))["probabilities"].numpy()
    got = answer(examples=tf.constant([b"\xff\xff", fine, b""]))
    assert got["status"].numpy().tolist() == [STATUS_UNREADABLE, STATUS_OK, STATUS_UNREADABLE]
    np.testing.assert_allclose(got["probabilities"].numpy()[1], alone[0], atol=1e-6)
    assert got["label"].numpy()[[0, 2]].tolist() == [-1, -1]


def test_it_needs_none_of_the_project_s_code(exported, dataset, tmp_path):
    _, folder = exported
    curve = dataset.curves["test"][0]
    np.savez(tmp_path / "curve.npz", mjd=curve.mjd, mag=curve.mag, errmag=curve.errmag)
    code = (
        "import sys, numpy as np, tensorflow as tf\n"
        "curve = np.load(sys.argv[2])\n"
        "model = tf.saved_model.load(sys.argv[1])\n"
        "given = {k: tf.constant(curve[k][None]) for k in ('mjd', 'mag', 'errmag')}\n"
        "n = tf.constant([len(curve['mjd'])], tf.int64)\n"
        "answer = model.signatures['classify'](**given, length=n)\n"
        "assert not any(m.split('.')[0] in ('astromer', 'pipeline_config') for m in sys.modules)\n"
        "print(answer['class_name'].numpy()[0].decode())\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(folder), str(tmp_path / "curve.npz")],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    assert [done.stdout.strip()] == served_classes(folder, dataset.curves["test"])[:1]


def test_it_can_be_rebuilt_with_its_label_map(exported, dataset):
    classifier, folder = exported
    rebuilt = load_classifier(folder)
    assert rebuilt.label_map == dataset.label_map
    before, after = classifier.get_weights(), rebuilt.get_weights()
    assert all(np.array_equal(before[name], after[name]) for name in before)
    curves = dataset.curves["test"]
    assert np.array_equal(rebuilt.logits(curves), classifier.logits(curves))


def test_its_config_leads_back_to_the_encoder(exported, source):
    _, folder = exported
    encoder = json.loads((folder / "assets.extra/config.json").read_text())["metadata"]["encoder"]
    assert encoder["version"] == "7"
    assert encoder["fingerprint"] == source.fingerprint
    assert encoder["data_fingerprint"] == "survey-of-the-encoder"


def test_a_damaged_label_map_is_named(exported, tmp_path):
    import shutil

    _, folder = exported
    copy = shutil.copytree(folder, tmp_path / "copy")
    (copy / "assets.extra/label_map.json").write_text("{}")
    with pytest.raises(DamagedVersionError, match=r"label_map\.json"):
        load_classifier(copy)
    write_checksums(copy)
    with pytest.raises(ModelError, match="label map"):
        load_classifier(copy)
