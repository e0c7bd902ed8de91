"""Any understood record as a canonical one: three lists of one Feature each, known names.

Programs that read features by name, such as TensorFlow Data Validation, need this; the
readers of this package understand every layout by themselves.
"""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from astromer.records.codec import OLDER_SERIES, RESIDUAL, SERIES


def canonicalise(serialized: bytes) -> bytes:
    """Renames ``dim_0, dim_1, dim_2`` and joins lists spread over several Features.

    Args:
        serialized: a record that :func:`astromer.records.reader.iterate_batches` accepts.

    Returns:
        The record with its context and all other lists kept; a canonical record unchanged.
    """
    record = tf.train.SequenceExample.FromString(serialized)
    lists = record.feature_lists.feature_list
    changed = False
    for name, older in zip(SERIES, OLDER_SERIES):
        if older in lists and not (name in lists and _values(lists[name])):
            lists[name].CopyFrom(lists[older])
            del lists[older]
            changed = True
    for name in (*SERIES, RESIDUAL):
        if name in lists and len(lists[name].feature) != 1:
            values = _values(lists[name])
            del lists[name].feature[:]
            lists[name].feature.add().float_list.value.extend(values)
            changed = True
    return record.SerializeToString(deterministic=True) if changed else serialized


def complete_errors(serialized: bytes, errmag: np.ndarray) -> bytes:
    """A canonical record whose missing errors, if any, are taken from ``errmag``, float32 [n]."""
    record = tf.train.SequenceExample.FromString(serialized)
    errors = record.feature_lists.feature_list["errmag"]
    before = _values(errors)
    if len(before) == len(errmag) and not np.isnan(before).any():
        return serialized
    del errors.feature[:]
    errors.feature.add().float_list.value.extend(errmag.tolist())
    return record.SerializeToString(deterministic=True)


def read_series(serialized: bytes) -> tuple[np.ndarray, ...]:
    """mjd (float64), mag and errmag (float32) of a record as they are, equally long or not."""
    lists = tf.train.SequenceExample.FromString(serialized).feature_lists.feature_list
    mjd, mag, errmag = (
        np.array([*_values(lists[name]), *_values(lists[older])], np.float32)
        for name, older in zip(SERIES, OLDER_SERIES)
    )
    times = mjd.astype(np.float64)
    residual = _values(lists[RESIDUAL])
    if len(residual) == len(times):
        times += residual
    return times, mag, errmag


def _values(feature_list: tf.train.FeatureList) -> list[float]:
    return [value for feature in feature_list.feature for value in feature.float_list.value]
