from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from astromer.encoder.pooling import CurveEncoder
from astromer.light_curves import LightCurves


@pytest.mark.parametrize("head", ["mean", "max", "layers"])
def test_an_embedding_does_not_depend_on_the_company(head, survey, source):
    encode = CurveEncoder(source.make(0), head)
    some = survey["test"].take(np.array([3, 0, 5]))
    together = encode(some)
    for i in range(3):
        np.testing.assert_allclose(encode(some.take(np.array([i])))[0], together[i], atol=2e-6)


def test_the_mean_is_that_of_the_served_embedding(survey, source):
    served = tf.saved_model.load(str(source.path)).signatures["embed"]
    curve = survey["test"][1]
    answer = served(
        mjd=tf.constant(curve.mjd[None]),
        mag=tf.constant(curve.mag[None]),
        errmag=tf.constant(curve.errmag[None]),
        length=tf.constant([len(curve)], tf.int64),
    )
    curves = LightCurves.from_curves([curve])
    for head in ("mean", "max"):
        found = CurveEncoder(source.make(0), head)(curves)[0, 0]
        np.testing.assert_allclose(found, answer[head].numpy()[0], atol=2e-6)
