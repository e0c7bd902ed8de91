from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest

from astromer.finetuning.labelled_data import (
    Dataset,
    LabelMap,
    class_weights,
    divide_labelled,
    draw_shots,
)
from astromer.light_curves import LightCurve, LightCurves
from astromer.system.errors import DataAnomalyError

CLASSES = np.array([0] * 30 + [1] * 10 + [2] * 3)


def test_a_draw_has_the_same_number_of_each_class_and_all_of_a_scarce_one():
    drawn = draw_shots(CLASSES, 5, [1])
    assert np.bincount(CLASSES[drawn]).tolist() == [5, 5, 3]
    assert len(set(drawn.tolist())) == 13
    assert (np.diff(drawn) > 0).all()


def test_no_shots_means_all():
    assert draw_shots(CLASSES, 0, [1]).tolist() == list(range(43))


def test_a_smaller_draw_is_part_of_a_larger_one():
    small, large = draw_shots(CLASSES, 4, [3]), draw_shots(CLASSES, 9, [3])
    assert set(small) < set(large)


def test_a_draw_depends_on_its_seed_alone():
    assert draw_shots(CLASSES, 5, [1]).tolist() == draw_shots(CLASSES, 5, [1]).tolist()
    assert draw_shots(CLASSES, 5, [1]).tolist() != draw_shots(CLASSES, 5, [2]).tolist()


def test_train_and_validation_are_drawn_apart(dataset):
    assert dataset.draw("train", 4, 1).tolist() != dataset.draw("validation", 4, 1).tolist()


def test_scarce_classes_are_told(dataset):
    assert dataset.scarce(12) == {}
    assert dataset.scarce(13) == {"RRL": 12, "LPV": 12, "flat": 12}


def test_weights_are_even_for_even_classes_and_lift_rare_ones():
    assert class_weights(np.array([0, 1, 0, 1])).tolist() == [1, 1, 1, 1]
    weights = class_weights(np.array([0] * 100 + [1] * 4))
    assert weights[-1] / weights[0] == pytest.approx(5)
    assert weights.mean() == pytest.approx(1)


def without_labels(curves, chosen=slice(None)):
    names, labels = curves.class_names.copy(), curves.labels.copy()
    names[chosen], labels[chosen] = "", -1
    return dataclasses.replace(curves, class_names=names, labels=labels)


def test_unlabelled_data_are_refused_naming_the_fields(survey):
    bare = {split: without_labels(curves) for split, curves in survey.items()}
    with pytest.raises(DataAnomalyError, match=r"Class \(bytes_list\) and Label \(int64_list\)"):
        Dataset.of(bare)
    with pytest.raises(DataAnomalyError, match="test has none"):
        Dataset.of({**survey, "test": bare["test"]})


def test_single_curves_without_a_class_are_left_out_and_told(survey):
    made = Dataset.of({**survey, "train": without_labels(survey["train"], slice(0, 2))})
    assert len(made.curves["train"]) == len(survey["train"]) - 2
    assert made.notes == ("2 light curves of train have no class",)


def test_a_class_that_train_lacks_is_left_out_and_told(survey):
    before = survey["test"].class_names
    count = int((before == "flat").sum())
    names = np.array([name.replace("flat", "QSO") for name in before.tolist()])
    made = Dataset.of({**survey, "test": dataclasses.replace(survey["test"], class_names=names)})
    assert len(made.curves["test"]) == len(made.classes["test"]) == len(names) - count
    assert "QSO" not in made.label_map.names
    assert made.notes == (
        f"{count} light curves of test are left out: train has none of their class (QSO)",
        "test has no flat: the macro-F1 is over the other classes",
    )


def test_a_split_without_any_class_of_train_is_refused(survey):
    names = np.full(len(survey["test"]), "QSO")
    odd = dataclasses.replace(survey["test"], class_names=names)
    with pytest.raises(DataAnomalyError, match="class that is in train. test has none"):
        Dataset.of({**survey, "test": odd})


def test_a_class_that_the_test_lacks_is_told(survey):
    kept = np.flatnonzero(survey["test"].class_names != "LPV")
    made = Dataset.of({**survey, "test": survey["test"].take(kept)})
    assert made.notes == ("test has no LPV: the macro-F1 is over the other classes",)


def test_the_fingerprint_tells_data_and_classes_apart(survey, dataset):
    assert Dataset.of(survey).fingerprint == dataset.fingerprint
    shifted = dataclasses.replace(survey["test"], mag=survey["test"].mag + np.float32(0.1))
    assert Dataset.of({**survey, "test": shifted}).fingerprint != dataset.fingerprint


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


def test_classes_with_few_test_curves_can_be_left_out(survey):
    test = survey["test"]
    fewer = test.take(np.flatnonzero((test.class_names != "LPV") | (np.arange(len(test)) < 9)))
    left = Dataset.of({**survey, "test": fewer}, min_test_curves=8)
    assert left.label_map.names == ("RRL", "flat")
    assert all((curves.class_names != "LPV").all() for curves in left.curves.values())
    assert any("LPV" in note and "fewer than 8" in note for note in left.notes)
    assert Dataset.of(survey, min_test_curves=8).notes == Dataset.of(survey).notes


def test_labels_by_hand_are_divided_whatever_split_they_were_in():
    def curve(name: str) -> LightCurve:
        series = np.arange(5.0)
        return LightCurve(series, series.astype(np.float32), series.astype(np.float32), id=name)

    names = [f"s{number}" for number in range(40)]
    curves = {
        "train": LightCurves.from_curves(map(curve, names[:30])),
        "validation": LightCurves.from_curves(map(curve, names[30:35])),
        "test": LightCurves.from_curves(map(curve, names[35:])),
    }
    labels = {name: "AB"[number % 2] for number, name in enumerate(names[:20])}
    labels |= {"s20": "rare", "elsewhere": "A"}
    divided = divide_labelled(curves, labels, 0)
    assert {split: len(some) for split, some in divided.items()} == {
        "train": 12,
        "validation": 4,
        "test": 4,
    }
    ids = np.concatenate([some.ids for some in divided.values()]).tolist()
    assert sorted(ids) == sorted(names[:20])
    for some in divided.values():
        assert some.class_names.tolist() == [labels[name] for name in some.ids.tolist()]
        assert set(some.class_names) == {"A", "B"}
    with pytest.raises(DataAnomalyError, match="Received: {'A': 1}"):
        divide_labelled(curves, {"s1": "A"}, 0)
