"""Pusher whose versions appear whole."""

from __future__ import annotations

from tfx import types
from tfx.components.pusher.component import Pusher
from tfx.dsl.components.base import executor_spec
from tfx.proto import pusher_pb2

from components.pusher.executor import Executor


class VersionPusher(Pusher):
    """Pushes a blessed model to ``folder/<version>/``.

    Args:
        model: channel of the Model.
        blessing: channel of its ModelBlessing; without a blessing nothing is pushed.
        folder: the folder that a model server watches, an absolute path.

    Outputs:
        pushed_model: PushedModel with the properties ``pushed``, ``pushed_destination`` and
            ``pushed_version``.
    """

    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(Executor)

    def __init__(self, model: types.BaseChannel, blessing: types.BaseChannel, folder: str):
        destination = pusher_pb2.PushDestination.Filesystem(base_directory=folder)
        super().__init__(
            model=model,
            model_blessing=blessing,
            push_destination=pusher_pb2.PushDestination(filesystem=destination),
        )
