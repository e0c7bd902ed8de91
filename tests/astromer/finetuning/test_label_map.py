from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest

from astromer.finetuning.label_map import LabelMap
from astromer.system.errors import DataAnomalyError


def test_names_are_sorted_and_keep_the_numbers_of_the_survey(survey):
    label_map = LabelMap.of(survey["train"])
    assert label_map.names == ("LPV", "RRL", "flat")
    assert label_map.labels == (11, 10, 12)
    indices = label_map.indices(survey["train"])
    assert [label_map.names[i] for i in indices] == survey["train"].class_names.tolist()


def test_it_survives_json(survey):
    label_map = LabelMap.of(survey["train"])
    assert LabelMap.from_dict(json.loads(json.dumps(label_map.to_dict()))) == label_map


def test_records_with_labels_alone_are_named_by_them_in_numeric_order(toy):
    curves = toy.curves([9] * 4)
    bare = dataclasses.replace(
        curves, class_names=np.array([""] * 4), labels=np.array([10, 9, 10, -1])
    )
    label_map = LabelMap.of(bare)
    assert label_map.names == ("9", "10")
    assert label_map.indices(bare).tolist() == [1, 0, 1, -1]


def test_classes_without_numbers_are_numbered(toy):
    curves = dataclasses.replace(toy.curves([9] * 4), labels=np.full(4, -1))
    assert LabelMap.of(curves).labels == (0, 1)


def test_classes_of_joined_surveys_are_counted_anew(toy):
    curves = toy.curves([9] * 4)
    mixed = dataclasses.replace(curves, labels=np.array([0, 1, 0, 5]))
    assert LabelMap.of(mixed).labels == (0, 1)


def test_a_single_class_is_refused(toy):
    with pytest.raises(DataAnomalyError, match="two classes or more.*RRL"):
        LabelMap.of(toy.curves([9] * 4).take(np.array([0, 2])))
