"""A snippet that loads the version, on a light curve like those that it was trained on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from astromer.serving.saved_model import CLASSIFIER, model_kind

_ENCODER = """\
import astromer
import numpy as np

encoder = astromer.load(".")  # the folder of this file, or the folder of versions around it
rng = np.random.default_rng(0)
{curve}
embeddings = encoder.embed((mjd, mag, errmag))
print(embeddings.mean.shape, embeddings.status)  # status 0: fine
"""
_CLASSIFIER = """\
import numpy as np
import tensorflow as tf

classify = tf.saved_model.load(".").signatures["classify"]  # "." is the folder of this file
rng = np.random.default_rng(0)
{curve}
answer = classify(
    mjd=tf.constant([mjd], tf.float64),  # days, not float32
    mag=tf.constant([mag], tf.float32),
    errmag=tf.constant([errmag], tf.float32),
    length=tf.constant([len(mjd)], tf.int64),
)
print(answer["class_name"].numpy(), answer["probabilities"].numpy(), answer["status"].numpy())
"""
_CURVE = """\
mjd = {mjd:.1f} + np.sort(rng.uniform(0, {span:.4g}, {length}))  # days
mag = {mag:.2f} + 0.3 * np.sin(2 * np.pi * mjd / {period:.4g})
errmag = np.full({length}, {errmag:.2g})"""
_ANY = {"mjd": 55000.0, "cadence": 2.0, "mag": 15.0, "errmag": 0.02, "length": 100}


def snippet(config: Mapping[str, Any], data: Mapping[str, Any]) -> str:
    """Python that runs in the version's folder."""
    measured = data["splits"].get("train", {}).get("quantiles", {})
    typical = {name: measured.get(name, {}).get("0.5", value) for name, value in _ANY.items()}
    rules = config.get("rules", {})
    length = max(round(typical["length"]), rules.get("min_observations", 5))
    curve = _CURVE.format(
        mjd=typical["mjd"],
        span=typical["cadence"] * length,
        length=length,
        mag=typical["mag"],
        period=typical["cadence"] * 10,
        errmag=typical["errmag"],
    )
    text = _CLASSIFIER if model_kind(config) == CLASSIFIER else _ENCODER
    return text.format(curve=curve)
