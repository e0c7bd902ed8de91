"""The version that users get as an artifact, where the orchestrator looks up no artifacts."""

import functools
from collections.abc import Callable
from pathlib import Path

import ml_metadata as mlmd
from tfx import types
from tfx.dsl.component.experimental.annotations import OutputArtifact, Parameter
from tfx.dsl.component.experimental.decorators import component
from tfx.dsl.components.common import resolver
from tfx.dsl.input_resolution.strategies.latest_blessed_model_strategy import (
    LatestBlessedModelStrategy,
)
from tfx.dsl.io import fileio
from tfx.types import channel, standard_artifacts
from tfx.utils import io_utils, path_utils

from astromer.serving.versions.folder import withdrawn
from astromer.serving.versions.promotion import current, versions_of_users
from astromer.system.storage import as_path
from components.provenance import DATA_FINGERPRINT
from components.pusher.executor import same_model

CURRENT_KEY, MODEL_KEY, BLESSING_KEY = "current", "model", "model_blessing"
_Judged = tuple[types.Artifact, types.Artifact]


class LatestOtherBlessedModel(resolver.ResolverStrategy):
    """What users get, unless it is the model that this run has just trained (or reused).

    That is the blessed model of the version that the alias ``latest`` names. Where it is the
    run's own, the one that was named before counts: on the second run of the same command
    the judge's inputs must be those of the first, or nothing after it could come from the
    cache. (The standard strategy takes the newest blessed one, whatever it is.) Where no
    version tells, it is the newest other blessed model that has not been withdrawn.

    Args:
        folder: the folder of pushed versions.
    """

    def __init__(self, folder: str = ""):
        self._folder = folder

    def resolve_artifacts(
        self, store: mlmd.MetadataStore, input_dict: dict[str, list[types.Artifact]]
    ) -> dict[str, list[types.Artifact]] | None:
        """Picks the model and its blessing; empty lists where there is none yet.

        Args:
            store: unused.
            input_dict: ``current``: this run's model; ``model``, ``model_blessing``: all.
        """
        own = {artifact.id for artifact in input_dict[CURRENT_KEY]}
        blessed = _blessed(input_dict, own)
        if self._folder:
            folder = as_path(self._folder)
            for version in versions_of_users(folder):
                if found := _first(blessed, functools.partial(_is, version=version)):
                    return _chosen(input_dict, found)
            gone = withdrawn(folder)
            return _chosen(
                input_dict,
                _first(blessed, lambda pair: not any(_is(pair, version) for version in gone)),
            )
        return _chosen(input_dict, _first(blessed))


class LatestBlessedModelOfOtherData(resolver.ResolverStrategy):
    """The newest blessed model that was trained on other data than ``current``.

    A model of the same data has nothing to tell about drift, and would be this run's own when
    the same command is given again.
    """

    def resolve_artifacts(
        self, store: mlmd.MetadataStore, input_dict: dict[str, list[types.Artifact]]
    ) -> dict[str, list[types.Artifact]] | None:
        """Picks the model and its blessing; empty lists where there is none yet.

        Args:
            store: unused.
            input_dict: ``current``: the examples; ``model``, ``model_blessing``: all.
        """
        data = {
            item.get_string_custom_property(DATA_FINGERPRINT) for item in input_dict[CURRENT_KEY]
        }
        same = {
            model.id
            for model in input_dict[MODEL_KEY]
            if model.get_string_custom_property(DATA_FINGERPRINT) in data
        }
        return _chosen(input_dict, _first(_blessed(input_dict, same)))


def _blessed(input_dict: dict[str, list[types.Artifact]], passed_over: set[int]) -> list[_Judged]:
    """The blessed models, newest first, each with its blessing."""
    blessings = {
        blessing.get_int_custom_property("current_model_id"): blessing
        for blessing in sorted(input_dict[BLESSING_KEY], key=lambda artifact: artifact.id)
        if blessing.get_int_custom_property("blessed") == 1
    }
    newest_first = sorted(input_dict[MODEL_KEY], key=lambda artifact: artifact.id, reverse=True)
    return [
        (model, blessings[model.id])
        for model in newest_first
        if model.id not in passed_over and model.id in blessings
    ]


def _first(
    blessed: list[_Judged], wanted: Callable[[_Judged], bool] = lambda pair: True
) -> _Judged | None:
    """The first that is wanted and whose files are still there.

    Each look may be one at a store: no more are looked at than needed.
    """
    return next((pair for pair in blessed if fileio.exists(pair[0].uri) and wanted(pair)), None)


def _is(judged: _Judged, version: Path) -> bool:
    return same_model(as_path(path_utils.serving_model_path(judged[0].uri)), version)


def _chosen(
    input_dict: dict[str, list[types.Artifact]], judged: _Judged | None
) -> dict[str, list[types.Artifact]]:
    model, blessing = ([judged[0]], [judged[1]]) if judged else ([], [])
    return {CURRENT_KEY: input_dict[CURRENT_KEY], MODEL_KEY: model, BLESSING_KEY: blessing}


def baseline_resolver(
    strategy: type[resolver.ResolverStrategy],
    current: types.BaseChannel,
    name: str = "Baseline",
    *,
    makers: tuple[str, str],
    folder: str = "",
) -> resolver.Resolver:
    """A Resolver node with the output ``model``.

    Args:
        strategy: one of this module's, or TFX's LatestBlessedModelStrategy, the only one that
            Kubeflow's compiler knows.
        current: channel of what the strategy looks at: this run's model, or its data.
        name: of the node.
        makers: the nodes that train and that judge. Without them TFX would look at whatever all
            nodes of all runs have made.
        folder: of pushed versions, for LatestOtherBlessedModel.
    """
    standard = strategy is LatestBlessedModelStrategy
    trainer, judge = (None, None) if standard else makers
    # Not by the key of the output: TFX would take a channel of the same node and key for `current`.
    channels: dict[str, types.BaseChannel] = {
        MODEL_KEY: channel.Channel(standard_artifacts.Model, producer_component_id=trainer),
        BLESSING_KEY: channel.Channel(
            standard_artifacts.ModelBlessing, producer_component_id=judge
        ),
    }
    if not standard:
        channels[CURRENT_KEY] = current
    config = {"folder": folder} if strategy is LatestOtherBlessedModel else None
    return resolver.Resolver(strategy_class=strategy, config=config, **channels).with_id(name)


@component
def PushedVersion(folder: Parameter[str], model: OutputArtifact[standard_artifacts.Model]):
    """Copies the version that ``latest`` names, else the newest.

    The artifact is empty where nothing has been pushed yet.

    Its result must not come from a cache: the parameters stay the same when a version is added.

    Args:
        folder: the folder that a model server watches.
        model: output.
    """
    version = current(as_path(folder))
    if version is not None:
        io_utils.copy_dir(str(version), path_utils.serving_model_dir(model.uri))
