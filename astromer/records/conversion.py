"""Turns a survey into fold records, one chunk of light curves at a time."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from astromer.light_curves import LightCurves
from astromer.records.cleaning import CleanCurves, clean
from astromer.records.config import LightCurveRules, MissingErrorsConfig, RecordsConfig
from astromer.records.division import cross_validate
from astromer.records.encoding import SERIES, ContextValue, encode_light_curve
from astromer.records.fold import SPLITS
from astromer.records.sources.metadata import KnownPeriods, Metadata
from astromer.records.sources.survey import Survey, open_survey
from astromer.records.sources.understood import Understood
from astromer.records.survey_config import Processing, SurveyConfig
from astromer.records.writer import FoldWriter, refuse_existing, write_folders
from astromer.system.errors import LightCurveError, UsageError
from astromer.system.parallel import map_ahead
from astromer.system.terminal import progress_bar

_SUBSETS = np.arange(len(SPLITS))[:, np.newaxis]


@dataclass
class Tally:
    """What became of a survey's light curves and observations.

    Attributes:
        dropped_observations: number by reason.
        dropped_curves: number by reason.
        written: bool [metadata rows], light curves that went into the records.
        observations: observations that went into each fold.
        filled_errors: those of them whose error was filled in.
        julian_dates: dropped observations whose time looks like a Julian date.
        without_errors: the columns of a survey, none of which was taken for errors.
    """

    written: np.ndarray
    observations: int = 0
    dropped_observations: Counter[str] = field(default_factory=Counter)
    dropped_curves: Counter[str] = field(default_factory=Counter)
    filled_errors: int = 0
    julian_dates: int = 0
    without_errors: tuple[str, ...] = ()

    def add(self, rows: np.ndarray, cleaned: CleanCurves) -> None:
        """Counts light curves of some metadata rows."""
        self.written[rows] = True
        self.observations += cleaned.curves.num_observations
        self.dropped_observations.update(cleaned.dropped_observations)
        self.dropped_curves.update(cleaned.dropped_curves)
        self.filled_errors += cleaned.filled_errors
        self.julian_dates += cleaned.julian_dates

    def reasons(self) -> str:
        """Why things were dropped, in words."""
        parts = [
            f"{number} {what} {reason.replace('_', ' ')}"
            for what, counts in (
                ("light curve(s)", self.dropped_curves),
                ("observation(s)", self.dropped_observations),
            )
            for reason, number in counts.items()
            if number
        ]
        return "; ".join(parts) or "nothing was dropped"

    def hints(self) -> list[str]:
        """What would keep some of what was dropped."""
        hints = []
        if self.julian_dates:
            hints.append(
                f"{self.julian_dates} time(s) look like JD: state --time-offset -2400000.5 (or "
                "time_offset = -2400000.5 under [sequential_features] in config.toml)"
            )
        missing = self.dropped_observations["missing_errmag"]
        if missing and self.without_errors:
            hints.append(
                f"{missing} observation(s) have no error: none of the columns "
                f"{', '.join(self.without_errors)} was taken for errors. If one of them holds "
                "errors, name it (docs/surveys.md); docs/validation.md has what else can be done"
            )
        elif missing:
            hints.append(
                f"{missing} observation(s) have no error: state a policy, --missing-errors "
                "constant (with --error-fill) or --missing-errors scatter"
            )
        return hints


def convert_survey(
    config: SurveyConfig,
    options: RecordsConfig,
    rules: LightCurveRules,
    output: Path,
    *,
    errors: MissingErrorsConfig = MissingErrorsConfig(),
    bands: tuple[str, ...] = (),
    overwrite: bool = False,
    progress: bool = True,
    announce: Callable[[Understood], None] | None = None,
) -> dict[str, Any]:
    """Writes ``output/fold_0``, ``fold_1``, ... or nothing.

    The same survey, options and seed give the same bytes, whatever ``njobs`` is.

    Args:
        config: the survey.
        options: how it is divided.
        rules: which observations and light curves are kept.
        output: folder of the folds.
        errors: how missing errors are filled in.
        bands: only light curves in these bands; all where there are none.
        overwrite: replace folds that are there.
        progress: show progress bars.
        announce: is called with what was understood before anything is written.

    Returns:
        What was taken, dropped and written, in plain JSON types.

    Raises:
        UsageError: a fold is there already, there are too few stars to divide, or a band is
            not there.
        DataNotFoundError, RecordError, DataAnomalyError: something is wrong with the files.
        LightCurveError: no light curve is left after cleaning.
    """
    folders = tuple(output / f"fold_{number}" for number in range(options.folds))
    for folder in folders:
        refuse_existing(folder, overwrite)
    with open_survey(config, options.njobs, output, progress=progress) as survey:
        processing = Processing(survey.done, errors, bands, survey.profile_name)
        if announce is not None and survey.understood is not None:
            announce(survey.understood)
        wanted = in_bands(survey.metadata, bands, config.light_curves)
        tally, divisions = _divide(survey, config, options, rules, wanted)

        def work(
            part: tuple[np.ndarray, LightCurves],
        ) -> tuple[int, np.ndarray, CleanCurves, list[bytes]]:
            rows, curves = part
            cleaned = clean(curves, rules, survey.calibration, errors)
            rows = rows[cleaned.kept]
            records = _encode(cleaned.curves, survey.metadata.contexts(rows))
            return curves.num_observations, rows, cleaned, records

        with write_folders(list(folders), overwrite=overwrite) as unfinished, ExitStack() as stack:
            text = survey.config.text + processing.to_toml()
            writers = [
                stack.enter_context(FoldWriter(folder, text, options.elements_per_shard))
                for folder in unfinished
            ]
            bar = stack.enter_context(
                progress_bar(
                    total=int(survey.inventory.observations[wanted].sum()),
                    desc="writing records",
                    unit=" obs",
                    disable=not progress,
                )
            )
            parts = map_ahead(work, survey.light_curves(wanted), options.njobs)
            for observations, rows, cleaned, records in parts:
                tally.add(rows, cleaned)
                _write(writers, divisions[:, rows], records)
                bar.update(observations)
            _check_filled(config, tally, divisions)
    return _summarise(survey, options, rules, processing, divisions, tally)


def count_usable(
    config: SurveyConfig, rules: LightCurveRules, workspace: Path, errors: MissingErrorsConfig
) -> list[str]:
    """What is understood of a survey and what cleaning leaves of it, in lines.

    Raises:
        DataNotFoundError, RecordError, DataAnomalyError, UsageError: something is wrong with the
            files.
        LightCurveError: no light curve is left.
    """
    with open_survey(config, 1, workspace) as survey:
        tally = Tally(np.zeros(len(survey.metadata), bool))
        lines = []
        if survey.understood is not None:
            lines = survey.understood.lines()
            tally.without_errors = survey.understood.without_errors
        tally.dropped_observations.update(survey.dropped)
        for rows, curves in survey.light_curves(np.ones(len(survey.metadata), bool)):
            cleaned = clean(curves, rules, survey.calibration, errors)
            tally.add(rows[cleaned.kept], cleaned)
        if not tally.observations:
            raise _nothing_left(config, tally)
        usable = f"{int(tally.written.sum()):,} light curves, {tally.observations:,} observations"
        notes = [f"note: {note}" for note in (*survey.notes, *tally.hints())]
        return [*lines, f"usable       {usable}; {tally.reasons()}", *notes]


def _divide(
    survey: Survey,
    config: SurveyConfig,
    options: RecordsConfig,
    rules: LightCurveRules,
    wanted: np.ndarray,
) -> tuple[Tally, np.ndarray]:
    """Counts what is left out before reading, and gives the rest their subsets."""
    metadata, observations = survey.metadata, survey.inventory.observations
    tally = Tally(np.zeros(len(metadata), bool))
    if survey.understood is not None:
        tally.without_errors = survey.understood.without_errors
    tally.dropped_observations.update(
        unknown_light_curve=survey.inventory.unknown_observations,
        **{"flagged": 0, **survey.dropped},
        other_band=int(observations[~wanted].sum()),
    )
    tally.dropped_curves["other_band"] = int((~wanted).sum())
    tally.dropped_curves["without_observations"] = int((wanted & (observations == 0)).sum())
    usable = wanted & (observations >= rules.min_observations)
    if not usable.any():
        tally.dropped_curves["too_short"] = int((wanted & (observations > 0)).sum())
        raise _nothing_left(config, tally)
    divisions = cross_validate(
        metadata.stars,
        metadata.classes,
        usable,
        metadata.in_test_table,
        options.val_frac,
        options.test_frac,
        options.seed,
        options.folds,
    )
    return tally, divisions


def in_bands(metadata: Metadata, bands: tuple[str, ...], survey: Path) -> np.ndarray:
    """bool [rows], light curves in one of some bands; all of them where none is named.

    Raises:
        UsageError: a band is not there.
    """
    if not bands:
        return np.ones(len(metadata), bool)
    there = metadata.bands
    if there is None:
        raise UsageError(
            f"--band {' '.join(bands)}: {survey} has no column of bands. Leave out --band."
        )
    unknown = [band for band in bands if band not in there]
    if unknown:
        raise UsageError(
            f"--band: there is no light curve in {', '.join(unknown)}. The bands of {survey} are "
            f"{', '.join(sorted(set(there.tolist())))}."
        )
    return np.isin(there, bands)


def _encode(curves: LightCurves, contexts: list[dict[str, ContextValue]]) -> list[bytes]:
    records = []
    for context, start, end in zip(contexts, curves.offsets[:-1], curves.offsets[1:], strict=True):
        series = {name: getattr(curves, name)[start:end] for name in SERIES}
        records.append(encode_light_curve(series, context))
    return records


def _write(writers: list[FoldWriter], subsets: np.ndarray, records: list[bytes]) -> None:
    for writer, chosen in zip(writers, subsets.tolist(), strict=True):
        for subset, record in zip(chosen, records, strict=True):
            writer.write(SPLITS[subset], record)


def _check_filled(config: SurveyConfig, tally: Tally, divisions: np.ndarray) -> None:
    """Raises where nothing, or nothing of one subset, is left."""
    if not tally.written.any():
        raise _nothing_left(config, tally)
    for number, division in enumerate(divisions):
        for subset, split in enumerate(SPLITS):
            if not (tally.written & (division == subset)).any():
                chosen = int((division == subset).sum())
                raise UsageError(
                    f"fold {number} would have no {split} light curves: all {chosen} chosen for "
                    f"it were dropped ({tally.reasons()}). Nothing was written. Give larger "
                    "fractions or another --seed."
                )


def _nothing_left(config: SurveyConfig, tally: Tally) -> LightCurveError:
    if not (tally.dropped_curves.total() or tally.dropped_observations.total()):
        return LightCurveError(
            f"{config.light_curves} must hold observations. Received: columns without rows. "
            "Nothing was written. Download or export it again."
        )
    hints = "".join(f" {hint[0].upper()}{hint[1:]}." for hint in tally.hints())
    advice = hints or " Usable observations are finite, with 0 < errmag < 1."
    return LightCurveError(
        f"no light curve of {config.light_curves} is usable: {tally.reasons()}. Nothing was "
        f"written.{advice}"
    )


def _summarise(
    survey: Survey,
    options: RecordsConfig,
    rules: LightCurveRules,
    processing: Processing,
    divisions: np.ndarray,
    tally: Tally,
) -> dict[str, Any]:
    metadata, dropped = survey.metadata, tally.dropped_observations
    observations = int(survey.inventory.observations.sum())
    # How many jobs shared the work does not show in the result.
    settings = {k: v for k, v in dataclasses.asdict(options).items() if k != "njobs"}

    def light_curves(chosen: np.ndarray) -> dict[str, Any]:
        stars = len(np.unique(metadata.stars[chosen]))
        return {"light_curves": int(chosen.sum()), "stars": stars}

    def classes(chosen: np.ndarray) -> dict[str, int]:
        return dict(sorted(Counter(metadata.classes[chosen].tolist()).items()))

    everything = np.ones(len(metadata), bool)
    return {
        "options": settings,
        "rules": dataclasses.asdict(rules),
        "processing": processing.as_dict(),
        "input": {
            **light_curves(everything),
            "observations": observations
            + dropped["unknown_light_curve"]
            + sum(survey.dropped.values()),
            "classes": classes(everything),
        },
        "dropped_observations": dict(dropped),
        "dropped_light_curves": dict(tally.dropped_curves),
        "written": {
            **light_curves(tally.written),
            "observations": tally.observations,
            "filled_errors": tally.filled_errors,
        },
        **({"known_periods": dataclasses.asdict(metadata.periods)} if metadata.periods else {}),
        "notes": [*survey.notes, *tally.hints()],
        "folds": {
            f"fold_{number}": {
                split: {**light_curves(chosen), "classes": classes(chosen)}
                for split, chosen in zip(SPLITS, tally.written & (division == _SUBSETS))
            }
            for number, division in enumerate(divisions)
        },
    }


def summary_table(summary: dict[str, Any]) -> str:
    """The summary in lines for a terminal."""
    taken, written = summary["input"], summary["written"]
    lines = [f"{'':28}{'light curves':>14}{'observations':>16}"]
    lines.append(_row("read", taken["light_curves"], taken["observations"]))
    for reason, number in summary["dropped_observations"].items():
        if number:
            lines.append(_row(f"- {reason.replace('_', ' ')}", "", number))
    for reason, number in summary["dropped_light_curves"].items():
        if number:
            lines.append(_row(f"- {reason.replace('_', ' ')}", number, ""))
    lines.append(_row("written", written["light_curves"], written["observations"]))
    for fold, splits in summary["folds"].items():
        for split, part in splits.items():
            lines.append(_row(f"  {fold}/{split}", part["light_curves"], ""))
    if written["filled_errors"]:
        policy = summary["processing"]["missing_errors"]
        lines.append(f"{written['filled_errors']:,} missing error(s) were filled in ({policy})")
    if "known_periods" in summary:
        lines.append(str(KnownPeriods(**summary["known_periods"])))
    lines += [f"note: {note}" for note in summary["notes"]]
    return "\n".join(lines)


def _row(name: str, curves: int | str, observations: int | str) -> str:
    def number(value: int | str) -> str:
        return f"{value:,}" if isinstance(value, int) else value

    return f"{name:28}{number(curves):>14}{number(observations):>16}"
