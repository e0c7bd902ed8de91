"""What was understood of a survey: profile, columns, times, and what was left out."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta

import numpy as np

from astromer.records.cleaning import Calibration
from astromer.records.config import LightCurveRules
from astromer.records.sources.observations import ObservationRows, Source, TimeSystem
from astromer.records.survey_profile import Choice, key
from astromer.system.text import shortened

_MJD_EPOCH = date(1858, 11, 17)
_EARLIEST = 44239.0
"""MJD of 1980: there are few digital light curves before."""
_FINE = 1e-3
"""Days, a minute and a half: times of single precision that are finer are not warned of."""
_MOST_SHOWN = 8
_NO_DAYS = ("s", "sec", "second", "seconds", "min", "h", "hr", "hour", "yr", "year", "a")
"""Units of times that are not days."""


@dataclass
class Understood:
    """Counts while a survey is read, and says in lines what it was taken for.

    Attributes:
        choice: the profile, and why.
        kind: of files.
        files: how many were read.
        layouts: names of columns and the like, by what they are.
        unused: columns that look like something else, by what they look like.
        all_columns: of the first file.
        units: of values and times, by column.
        singles: columns of times in single precision.
        unit_known: whether fluxes are known to be in a unit, or relative.
        comments: of the first file, that call what was taken for a magnitude a flux.
        calibration: what was done to all values: none where files or bands differ.
        times: first and last MJD.
        errors, magnitudes: smallest and largest [mag].
        without_error: observations without one.
        observations: that were read.
        dropped: observations left out, by reason.
        bands: of light curves.
        curves: how many, where they are counted while they are read.
    """

    choice: Choice
    kind: str = ""
    files: int = 0
    unused: dict[str, dict[str, None]] = field(default_factory=dict)
    all_columns: tuple[str, ...] = ()
    times: tuple[float, float] = (np.inf, -np.inf)
    errors: tuple[float, float] = (np.inf, -np.inf)
    magnitudes: tuple[float, float] = (np.inf, -np.inf)
    without_error: int = 0
    observations: int = 0
    dropped: Counter[str] = field(default_factory=Counter)
    bands: set[str] = field(default_factory=set)
    curves: int = 0
    layouts: dict[str, set[str]] = field(default_factory=dict)
    calibration: Calibration = Calibration()
    comments: tuple[str, ...] = ()
    units: dict[str, str] = field(default_factory=dict)
    singles: set[str] = field(default_factory=set)
    unit_known: bool = False

    def add_source(self, source: Source, named_by: str = "") -> None:
        """Notes the columns of a file.

        Args:
            source: the file.
            named_by: what tells its object, where that is no column.
        """
        self.files += 1
        self.all_columns = self.all_columns or tuple(source.table.names)
        columns = source.columns
        if not getattr(source.table, "has_header", True):
            words = _by_position(source.table.names, columns.numbers, columns.texts)
            remark = source.table.comments[-1:]
            above = f"; the comment above them is {shortened(remark[0], 60)!r}" if remark else ""
            self._note("columns", words + above * (self.files == 1))
        for measure in columns.measures:
            named = {
                "time": measure.time,
                "flux" if measure.is_flux else "magnitude": measure.value_words,
                "error": measure.error_words,
            }
            if measure.is_flux:
                zero_point = measure.zero_point
                self.unit_known |= measure.unit_known
                if isinstance(zero_point, (int, float)):
                    self.calibration = replace(self.calibration, zero_point=float(zero_point))
                named["zero point"] = (
                    f"{zero_point:g} mag"
                    if isinstance(zero_point, (int, float))
                    else str(dict(zero_point or {}))
                )
            for what, column in named.items():
                self._note(what, column)
        self._note("band", columns.band or source.profile.band.value or "")
        self._note("id", named_by or ".".join(columns.id_parts) or columns.id or "")
        self._note("class", columns.class_name or "")
        for rule, column in columns.quality:
            self._note("quality", f"{column} ({rule.words})")
        for what, names in columns.unused.items():
            self.unused.setdefault(what, {}).update(dict.fromkeys(names))
        for measure in columns.measures:
            if not measure.is_flux:
                remarks = source.table.comments if self.files == 1 else ()
                self.comments += tuple(c for c in remarks if _calls_flux(c, measure.value))
            if source.table.is_single(measure.time):
                self.singles.add(measure.time)
            for column in (measure.time, measure.value):
                if unit := source.table.units.get(column, ""):
                    self.units[column] = unit

    @property
    def without_errors(self) -> tuple[str, ...]:
        """The columns, where none was taken for errors."""
        return self.all_columns if self.layouts.get("error") == {"none"} else ()

    def add_metadata(self, path: str, column: str, class_name: str | None) -> None:
        """Notes the table of metadata, the column that joins it, and that of classes."""
        classes = f", classes from {class_name}" if class_name else ""
        self._note("metadata", f"{path}, joined by {column}{classes}")

    def add_system(self, system: TimeSystem) -> None:
        """Notes a time system."""
        self._note("system", system.words)
        if system.scale == 1:
            self.calibration = replace(self.calibration, time_offset=system.offset)

    def _note(self, what: str, text: str) -> None:
        if text:
            self.layouts.setdefault(what, set()).add(text)

    def add(self, rows: ObservationRows, source: Source) -> None:
        """Counts observations."""
        self.observations += len(rows) + sum(rows.dropped.values())
        self.dropped.update(rows.dropped)
        for system in source.systems.values():
            self.add_system(system)
        self.add_times(rows.mjd)
        self.magnitudes = _widened(self.magnitudes, rows.mag)
        self.errors = _widened(self.errors, rows.errmag)
        self.without_error += int(np.count_nonzero(np.isnan(rows.errmag)))

    def add_times(self, mjd: np.ndarray) -> None:
        """Notes times [days]."""
        self.times = _widened(self.times, mjd)

    def lines(self) -> list[str]:
        """The report, for a terminal."""
        lines = [
            _row("survey", f"{self.choice.profile.name}: {self.choice.why}"),
            _row("files", f"{self.files:,} {self.kind}"),
            _row("time", f"{self._named('time')} ({self._named('system')}): {self._range()}"),
        ]
        for what in ("columns", "magnitude", "flux", "zero point", "error"):
            if what in self.layouts:
                lines.append(_row(what, self._named(what)))
        bands = sorted(self.bands - {""})
        if bands:
            bands += ["none"] * ("" in self.bands)
            lines.append(_row("bands", f"{_some(bands)} ({self._named('band') or 'its files'})"))
        lines.append(_row("id", self._named("id")))
        for what in ("class", "metadata", "quality"):
            if what in self.layouts:
                lines.append(_row(what, self._named(what)))
        left_out = [f"{n:,} {r.replace('_', ' ')}" for r, n in self.dropped.items() if n]
        lines.append(_row("left out", ", ".join(left_out) or "nothing"))
        if self.without_error and not self.without_errors:
            lines.append(_row("no error", f"{self.without_error:,} observations"))
        for what, names in self.unused.items():
            lines.append(_row("not used", f"{_some(list(names))} (like {what})"))
        lines += [f"warning: {text}" for text in self.warnings()]
        return lines

    def warnings(self) -> Iterator[str]:
        """What is probably not as it was taken, naming the column."""
        first, last = self.times
        time = self._named("time")
        if np.isfinite(first) and first < _EARLIEST and last < _EARLIEST:
            yield (
                f"the times in {time} are before 1980 ({self._range()}). Are they days since "
                "another date? TESS's are BJD - 2457000 (--survey tess, or --time-offset 56999.5), "
                "Kepler's BJD - 2454833 (--time-offset 54832.5), Gaia's BJD - 2455197.5 "
                "(--time-offset 55197), and HJD - 2450000 takes --time-offset 49999.5."
            )
        elif np.isfinite(first) and first < _EARLIEST:
            yield f"some times in {time} are before 1980: the first is {_date(first)}."
        else:
            yield from self._other_years()
        if self.singles and np.isfinite(last):
            step = float(np.spacing(np.float32(last - self.calibration.time_offset)))
            if step > _FINE:
                yield (
                    f"{', '.join(sorted(self.singles))} is in single precision, so that times are "
                    f"multiples of {1440 * step:.1f} minutes. Write it in double precision."
                )
        if last > LightCurveRules.max_mjd:
            yield f"{time} is no MJD: it goes to {last:.10g}. Is it seconds, or a date? Write MJD."
        elif last > _today() + 1:
            yield f"times in {time} are in the future: the last is {_date(last)}."
        for name, unit in self.units.items():
            if self._named("magnitude") == name and _is_flux_unit(unit):
                yield f"{name} is taken for a magnitude, but its unit is {unit}: give --flux."
            if (
                time == name
                and unit.strip().lower() in _NO_DAYS
                and "taken" in self._named("system")
            ):
                yield f"{name} is taken for days, but its unit is {unit}: write MJD."
        for comment in self.comments[:1]:
            yield (
                f"{self._named('magnitude')} is taken for a magnitude, but a comment says: "
                f"{shortened(comment, 100)}. Is it a flux (--flux)?"
            )
        zero_point = self.calibration.zero_point
        if zero_point is not None and zero_point > 5 and self._is_relative(zero_point):
            yield (
                f"the fluxes in {self._named('flux')} are around 1, so they are relative, and so "
                f"are the magnitudes: {zero_point:g} stands for a flux of 1."
            )
        low, high = self.errors
        if np.isfinite(low) and low == high and low in (0.0, 1.0):
            yield f"the errors in {self._named('error')} are all {low:g}."
        lowest, highest = self.magnitudes
        if np.isfinite(lowest) and (lowest < -20 or highest > 60) and "magnitude" in self.layouts:
            yield (
                f"{self._named('magnitude')} is taken for a magnitude, but goes from {lowest:.4g} "
                f"to {highest:.4g}. Is it a flux (--flux)?"
            )
        kept = self.observations - sum(self.dropped.values())
        if self.files < self.curves == kept:
            yield (
                f"no id in {self._named('id')} has two observations in a band. Is it the number "
                "of a row? Name the column of the objects' ids (--id-column)."
            )
        if self.choice.profile.is_generic and self.curves <= max(len(self.bands), 1) < self.files:
            yield (
                f"all {self.files:,} files have one and the same {self._named('id')}, so that they "
                "are one object. If each is an object of its own, remove this column, or name the "
                "files in a column file of the metadata."
            )
        if len(self.layouts.get("system", ())) > 1:
            yield f"the files have several time systems: {self._named('system')}."
        if self.without_errors:
            names = ", ".join(self.without_errors)
            yield (
                f"no column was taken for errors; the columns are {names}. If one holds errors, "
                "name it (docs/surveys.md)."
            )

    def _other_years(self) -> Iterator[str]:
        """Times in which the survey did not observe."""
        profile = self.choice.profile
        if not profile.time.years or not np.isfinite(self.times).all():
            return
        began, *ended = profile.time.years
        first, last = self.times
        if first < _new_year(began) or (ended and last > _new_year(ended[0] + 1)):
            until = f"from {began:.0f} to {ended[0]:.0f}" if ended else f"since {began:.0f}"
            yield (
                f"the times in {self._named('time')} ({self._range()}) are not all of the years "
                f"in which {profile.name} observed, {until}. Is it another survey (--survey), or "
                "another time system (--time-offset)?"
            )

    def _is_relative(self, zero_point: float) -> bool:
        low, high = self.magnitudes
        return not self.unit_known and abs((low + high) / 2 - zero_point) < 1

    def _named(self, what: str) -> str:
        return ", ".join(sorted(self.layouts.get(what, ())))

    def _range(self) -> str:
        first, last = self.times
        if not np.isfinite(first):
            return "no times"
        return f"MJD {first:.2f} to {last:.2f}, {_date(first)} to {_date(last)}"


def _by_position(names: Sequence[str], *used: Sequence[str]) -> str:
    """What the columns of a text file without a header were taken for."""
    taken = {name for own in used for name in own}
    found = {name: number for number, name in enumerate(names, 1) if name in taken}
    numbers = ", ".join(map(str, found.values()))
    return f"no header: {', '.join(found)} are columns {numbers} of {len(names)} (--columns)"


def _widened(limits: tuple[float, float], values: np.ndarray) -> tuple[float, float]:
    """Limits that hold all finite values, too."""
    if not len(values):
        return limits
    low, high = float(np.fmin.reduce(values)), float(np.fmax.reduce(values))
    if not np.isfinite([low, high]).all():
        finite = values[np.isfinite(values)]
        return _widened(limits, finite) if len(finite) else limits
    return min(limits[0], low), max(limits[1], high)


def _date(mjd: float) -> str:
    try:
        return (_MJD_EPOCH + timedelta(days=mjd)).isoformat()
    except OverflowError:
        return f"MJD {mjd:g}"


def _new_year(year: float) -> float:
    return float((date(int(year), 1, 1) - _MJD_EPOCH).days)


def _today() -> float:
    return float((date.today() - _MJD_EPOCH).days)


def _calls_flux(comment: str, column: str) -> bool:
    """Whether a comment says that a column holds fluxes."""
    text = comment.lower()
    if "flux" not in text:
        return False
    named = re.search(rf"(?<!\w){re.escape(column.lower())}(?!\w)(?P<rest>[^,;]*)", text)
    return "flux" in named["rest"] if named else "mag" not in text


def _is_flux_unit(unit: str) -> bool:
    words = key(unit)
    return "mag" not in words and any(w in words for w in ("jy", "electron", "adu", "flux", "e_s"))


def _row(name: str, text: str) -> str:
    return f"{name:12} {text}"


def _some(names: list[str]) -> str:
    more = f" and {len(names) - _MOST_SHOWN} more" if len(names) > _MOST_SHOWN else ""
    return ", ".join(names[:_MOST_SHOWN]) + more
