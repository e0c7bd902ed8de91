from __future__ import annotations

import tensorflow as tf

from astromer.records.codec import MOST_CHARACTERS, Context, read_context


def context(**features: bytes | int | float | list[bytes]) -> Context:
    record = tf.train.SequenceExample()
    for name, value in features.items():
        feature = record.context.feature[name]
        if isinstance(value, float):
            feature.float_list.value.append(value)
        elif isinstance(value, int):
            feature.int64_list.value.append(value)
        else:
            feature.bytes_list.value.extend([value] if isinstance(value, bytes) else value)
    return read_context(record.SerializeToString())


def test_an_id_of_any_type_is_the_same_name():
    assert context(ID=b"77").id == context(ID=77).id == context(id=77.0).id == "77"
    assert context(ID=7.5).id == "7.5"


def test_a_blank_id_gives_way_to_the_number():
    assert context(ID=b"  ", newID=12).id == "12"
    assert context(ID=b"a", newID=12).id == "a"
    assert context().id == ""


def test_names_in_another_encoding_stay_different():
    assert context(ID=b"\xe9toile").id != context(ID=b"\xe8toile").id
    assert context(ID="étoile".encode()).id == "étoile"


def test_long_names_are_cut_and_stay_different():
    one, other = context(ID=b"x" * 10_000).id, context(ID=b"x" * 10_001).id
    assert len(one) == len(other) == MOST_CHARACTERS
    assert one != other
    assert context(ID=b"x" * MOST_CHARACTERS).id == "x" * MOST_CHARACTERS


def test_the_first_of_several_values_counts():
    assert context(ID=[b"a", b"b"]).id == "a"
    assert context(ID=[]).id == ""
