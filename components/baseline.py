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
        current = {artifact.id for artifact in input_dict[CURRENT]}
        blessings = {
            blessing.get_int_custom_property("current_model_id"): blessing
            for blessing in sorted(input_dict[BLESSING], key=lambda artifact: artifact.id)
            if blessing.get_int_custom_property("blessed") == 1
        }
        for model in sorted(input_dict[MODEL], key=lambda artifact: artifact.id, reverse=True):
            if model.id in current or model.id not in blessings or not fileio.exists(model.uri):
                continue
            return {
                CURRENT: input_dict[CURRENT],
                MODEL: [model],
                BLESSING: [blessings[model.id]],
            }
        return {CURRENT: input_dict[CURRENT], MODEL: [], BLESSING: []}


def baseline_resolver(
    strategy: type[resolver.ResolverStrategy], current: types.BaseChannel
) -> resolver.Resolver:
    """A Resolver node with the output ``model``.

    Args:
        strategy: :class:`LatestOtherBlessedModel`, or TFX's LatestBlessedModelStrategy, the
            only one of the two that Kubeflow's compiler knows.
        current: channel of the model that was trained in this run.
    """
    channels = {
        MODEL: channel.Channel(type=standard_artifacts.Model),
        BLESSING: channel.Channel(type=standard_artifacts.ModelBlessing),
    }
    if strategy is not LatestBlessedModelStrategy:
        channels[CURRENT] = current
    return resolver.Resolver(strategy_class=strategy, **channels).with_id("Baseline")
