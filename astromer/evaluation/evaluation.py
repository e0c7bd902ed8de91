"""Evaluation: how well a model and the baselines reconstruct hidden magnitudes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from astromer.encoder.folding import periods_of_windows, prepare
from astromer.encoder.inference import Predictor
from astromer.encoder.reconstructor import Reconstructor
from astromer.evaluation.baselines import BASELINE_TITLES, fixed_masks, score_baselines
from astromer.evaluation.metrics import SpreadScores, WindowScores, log_likelihood_of_one_sigma
from astromer.light_curves import LightCurves
from astromer.periodogram.curve_periods import CurvePeriods, PeriodRecovery, period_recovery
from astromer.system.terminal import progress_bar
from astromer.system.text import shortened
from astromer.windows.batches import Batch, Windows, sequential_windows
from astromer.windows.config import MaskingConfig

_LENGTH_EDGES = (5, 50, 100, 150, 200)


@dataclass(frozen=True)
class Evaluation:
    """Scores of a model and of the baselines on the same windows and masks.

    Attributes:
        windows: the scored windows.
        hidden: scores at hidden steps, by "model" and the names of the baselines.
        probed: scores of the model at all probed steps, comparable with publications.
        class_names: str [num_windows].
        periods: of the light curves, from what the masks show; for a model that folds.
        spread: scores of its standard deviations at hidden steps, for a model that has them.
        recovery: how often known periods are found, where there are any and the model folds.
    """

    windows: Windows
    hidden: dict[str, WindowScores]
    probed: WindowScores
    class_names: np.ndarray
    periods: CurvePeriods | None = None
    spread: SpreadScores | None = None
    recovery: PeriodRecovery | None = None

    @property
    def metrics(self) -> dict[str, float]:
        """Named numbers; RMSE in magnitudes, skill = 1 - (RMSE / baseline RMSE)^2."""
        model, named = self.hidden["model"], {}
        for steps, scores in (("hidden", model), ("probed", self.probed)):
            named[f"{steps}_rmse"] = scores.rmse()
            named[f"{steps}_r2"] = scores.r2()
            named[f"{steps}_rmse_per_window"] = scores.rmse_per_window()
        named["hidden_steps"] = float(model.count.sum())
        named["windows"] = float(len(self.windows))
        if self.spread is not None:
            named |= {f"hidden_{name}": value for name, value in self.spread.metrics().items()}
            one = log_likelihood_of_one_sigma(model.rmse())
            named["hidden_log_likelihood_of_one_sigma"] = one
        if self.recovery is not None:
            named["periods_known"] = float(self.recovery.stars)
            named["periods_found"] = self.recovery.exact_first
            named["periods_related"] = self.recovery.related_first
        for name in BASELINE_TITLES:
            baseline = self.hidden[name]
            named[f"{name}_hidden_rmse"] = baseline.rmse()
            named[f"{name}_hidden_r2"] = baseline.r2()
            named[f"skill_over_{name}"] = model.skill_over(baseline)
        return named

    def groups(self) -> dict[str, np.ndarray]:
        """bool [num_windows] for each class and each range of window lengths that occurs."""
        named = filter(None, np.unique(self.class_names))
        groups = {f"class {name}": self.class_names == name for name in named}
        for low, high in pairwise((1, *_LENGTH_EDGES, np.inf)):
            chosen = (self.windows.length >= low) & (self.windows.length < high)
            upper = f" to {high - 1}" if np.isfinite(high) else " and more"
            groups[f"{low}{upper} steps"] = chosen
        return {name: chosen for name, chosen in groups.items() if chosen.any()}

    def group_metrics(self) -> dict[str, dict[str, float]]:
        """RMSE at hidden steps [mag] of model and baselines for each group that has any."""
        found = {}
        for group, chosen in self.groups().items():
            scores = {name: scored.where(chosen) for name, scored in self.hidden.items()}
            if steps := float(scores["model"].count.sum()):
                rmse = {f"{name}_hidden_rmse": scores[name].rmse() for name in scores}
                found[group] = {"hidden_steps": steps, "windows": float(chosen.sum()), **rmse}
                if self.spread is not None:
                    found[group] |= {
                        f"hidden_{name}": value
                        for name, value in self.spread.where(chosen).metrics().items()
                    }
        return found

    def table(self, by_group: bool = False) -> str:
        """Hidden-step scores as text: all windows, then optionally each group with any."""
        rows = [("hidden steps", "", "RMSE [mag]", "R2", "skill")]
        groups = {"all": np.ones(len(self.windows), dtype=bool)}
        if by_group:
            groups |= self.groups()
        for group, chosen in groups.items():
            model = self.hidden["model"].where(chosen)
            if group != "all" and not model.count.any():
                continue
            for name in ("model", *BASELINE_TITLES):
                scores = self.hidden[name].where(chosen)
                skill = "" if name == "model" else f"{model.skill_over(scores):+.3f}"
                rows.append(
                    (shortened(group), name, f"{scores.rmse():.4f}", f"{scores.r2():.3f}", skill)
                )
        widths = [max(len(row[i]) for row in rows) for i in range(5)]
        return "\n".join(
            "  ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)).rstrip() for row in rows
        )


def evaluate(
    model: Reconstructor,
    curves: LightCurves,
    *,
    masking: MaskingConfig,
    seed: int,
    batch_size: int = 256,
    predictor: Predictor | None = None,
    earlier: Evaluation | None = None,
    progress: bool = False,
) -> Evaluation:
    """Scores a model on sequential windows with masks that depend on the seed alone.

    Args:
        masking: fractions of probed, same and random steps.
        seed: of the masks; models are comparable under equal seeds.
        batch_size: windows per call; changes speed only.
        predictor: reused over calls so that the network is compiled once.
        earlier: an evaluation of the same light curves and masks, whose baselines are taken if
            its windows are the same.
        progress: whether to show a bar.
    """
    predictor = predictor or Predictor(model)
    windows = sequential_windows(curves.offsets, model.window_size)
    periods = None
    if earlier is not None and np.array_equal(earlier.windows.length, windows.length):
        baselines = {name: earlier.hidden[name] for name in BASELINE_TITLES}
        periods = earlier.periods
    else:
        baselines = score_baselines(
            curves,
            model.window_size,
            masking=masking,
            seed=seed,
            periodogram=model.encoder.periodogram,
            progress=progress,
        )
    if periods is None:
        periods = fixed_periods(model, curves, windows, masking, seed, progress=progress)
    hidden: list[WindowScores] = []
    probed: list[WindowScores] = []
    spreads: list[SpreadScores] = []
    bar = progress_bar(total=len(windows), desc="evaluate", unit="window", disable=not progress)
    with bar:
        for batch in fixed_batches(model, curves, windows, masking, seed, batch_size, periods):
            predicted, spread = predictor.with_spread(batch)
            if spread is not None:
                spreads.append(SpreadScores.of(batch, predicted, spread, batch.probing.hidden))
            hidden.append(WindowScores.of(batch, predicted, batch.probing.hidden))
            probed.append(WindowScores.of(batch, predicted, batch.probing.probed))
            bar.update(len(batch))
    return Evaluation(
        windows,
        {"model": WindowScores.concatenate(hidden), **baselines},
        WindowScores.concatenate(probed),
        curves.class_names[windows.curve],
        periods,
        SpreadScores.concatenate(spreads) if spreads else None,
        None if periods is None else period_recovery(periods.frequencies, curves.periods),
    )


def fixed_periods(
    model: Reconstructor,
    curves: LightCurves,
    windows: Windows,
    masking: MaskingConfig,
    seed: int,
    *,
    progress: bool = False,
) -> CurvePeriods | None:
    """The periods in what the masks of an evaluation show; None for a model that does not fold."""
    if not model.encoder.folds:
        return None
    masks = fixed_masks(windows, model.window_size, masking, seed)
    return periods_of_windows(curves, masks, model.encoder.periodogram, progress=progress)


def fixed_batches(
    model: Reconstructor,
    curves: LightCurves,
    windows: Windows,
    masking: MaskingConfig,
    seed: int,
    batch_size: int,
    periods: CurvePeriods | None = None,
) -> Iterator[Batch]:
    """Batches whose masks are fixed by the seed, whatever the batch size."""
    for some, probing in fixed_masks(windows, model.window_size, masking, seed, batch_size):
        yield prepare(model, curves, some, probing, periods)
