from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from astromer.system.distribution import divide_rows, is_chief, make_strategy
from astromer.system.errors import UsageError


class Pretended:
    """A strategy of several replicas that hands out what each would hold."""

    def __init__(self, replicas: int):
        self.num_replicas_in_sync = replicas

    def experimental_distribute_values_from_function(self, function) -> list[np.ndarray]:
        contexts = (
            type("Context", (), {"replica_id_in_sync_group": i})
            for i in range(self.num_replicas_in_sync)
        )
        return [function(context).numpy() for context in contexts]


@pytest.mark.parametrize("replicas", [2, 3, 5])
@pytest.mark.parametrize("length", [1, 4, 7])
def test_each_row_goes_to_one_replica_and_the_rest_is_zero(replicas: int, length: int) -> None:
    strategy = Pretended(replicas)
    rows = -(-7 // strategy.num_replicas_in_sync)
    array = np.arange(1, 2 * length + 1, dtype=np.float32).reshape(length, 2)
    shares = divide_rows(strategy, {"a": array, "b": array[:, 0] > 0}, rows)  # type: ignore[arg-type]
    assert [share.shape for share in shares["a"]] == [(rows, 2)] * replicas
    joined = np.concatenate(shares["a"])
    assert (joined[:length] == array).all()
    assert (joined[length:] == 0).all()
    assert np.concatenate(shares["b"]).sum() == length


def test_one_replica_gets_it_all() -> None:
    strategy = make_strategy()
    assert strategy.num_replicas_in_sync == max(len(tf.config.list_logical_devices("GPU")), 1)
    strategy = make_strategy(one_device=True)
    assert strategy.num_replicas_in_sync == 1
    got = divide_rows(strategy, {"a": np.ones((3, 2), np.float32)}, 5)["a"]
    assert got.numpy().tolist() == [[1, 1]] * 3 + [[0, 0]] * 2


def test_replicas_after_the_start_of_tensorflow_are_a_usage_error() -> None:
    tf.zeros(1)
    with pytest.raises(UsageError, match=r"--replicas.*Received: 64.*fresh process"):
        make_strategy(64)


def test_this_process_is_the_chief_of_a_strategy_of_its_own() -> None:
    assert is_chief(make_strategy())


@pytest.mark.parametrize(
    "text", ["{", "[]", "worker", '{"cluster": 3}', '{"cluster": {"worker": 5}}']
)
def test_a_broken_tf_config_is_a_usage_error(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv("TF_CONFIG", text)
    with pytest.raises(UsageError, match="TF_CONFIG"):
        make_strategy()


@pytest.mark.parametrize("text", ["", "{}", '{"cluster": {"worker": ["127.0.0.1:1"]}}'])
def test_a_cluster_of_one_is_no_cluster(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv("TF_CONFIG", text)
    assert not isinstance(make_strategy(), tf.distribute.MultiWorkerMirroredStrategy)
