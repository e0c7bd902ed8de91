"""Which model a new one has to measure up to."""

from __future__ import annotations

import ml_metadata as mlmd
from tfx import types
from tfx.dsl.components.common import resolver
from tfx.dsl.input_resolution.strategies.latest_blessed_model_strategy import (
    LatestBlessedModelStrategy,
)
from tfx.dsl.io import fileio
from tfx.types import channel, standard_artifacts

CURRENT, MODEL, BLESSING = "current", "model", "model_blessing"
_FINGERPRINT = "data_fingerprint"


class LatestOtherBlessedModel(resolver.ResolverStrategy):
    """The newest blessed model that is not the one this run has just trained (or reused).

    The standard strategy takes the newest blessed one, whatever it is. On the second run of
    the same command that would be the run's own model, so the judge's inputs would differ
    from the first run's and nothing after it could come from the cache.
    """

    def resolve_artifacts(
        self, store: mlmd.MetadataStore, input_dict: dict[str, list[types.Artifact]]
    ) -> dict[str, list[types.Artifact]] | None:
        """Picks the model and its blessing; empty lists where there is none yet.

        Args:
            store: unused.
            input_dict: ``current``: this run's model; ``model``, ``model_blessing``: all.
        """
        return _newest(input_dict, {artifact.id for artifact in input_dict[CURRENT]})


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
        data = {item.get_string_custom_property(_FINGERPRINT) for item in input_dict[CURRENT]}
        same = {
            model.id
            for model in input_dict[MODEL]
            if model.get_string_custom_property(_FINGERPRINT) in data
        }
        return _newest(input_dict, same)


def _newest(
    input_dict: dict[str, list[types.Artifact]], passed_over: set[int]
) -> dict[str, list[types.Artifact]]:
    blessings = {
        blessing.get_int_custom_property("current_model_id"): blessing
        for blessing in sorted(input_dict[BLESSING], key=lambda artifact: artifact.id)
        if blessing.get_int_custom_property("blessed") == 1
    }
    for model in sorted(input_dict[MODEL], key=lambda artifact: artifact.id, reverse=True):
        if model.id in passed_over or model.id not in blessings or not fileio.exists(model.uri):
            continue
        return {
            CURRENT: input_dict[CURRENT],
            MODEL: [model],
            BLESSING: [blessings[model.id]],
        }
    return {CURRENT: input_dict[CURRENT], MODEL: [], BLESSING: []}


def baseline_resolver(
    strategy: type[resolver.ResolverStrategy], current: types.BaseChannel, name: str = "Baseline"
) -> resolver.Resolver:
    """A Resolver node with the output ``model``.

    Args:
        strategy: one of this module's, or TFX's LatestBlessedModelStrategy, the only one that
            Kubeflow's compiler knows.
        current: channel of what the strategy looks at: this run's model, or its data.
        name: of the node.
    """
    channels = {
        MODEL: channel.Channel(type=standard_artifacts.Model),
        BLESSING: channel.Channel(type=standard_artifacts.ModelBlessing),
    }
    if strategy is not LatestBlessedModelStrategy:
        channels[CURRENT] = current
    return resolver.Resolver(strategy_class=strategy, **channels).with_id(name)
