"""The rows of a table as observations: MJD, magnitudes and errors, by a survey's profile."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import reduce
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from astromer.records.cleaning import JD_TO_MJD, JULIAN_DATES, MAG_PER_FLUX_RATIO
from astromer.records.sources.columns import Columns, Measure, find_columns
from astromer.records.sources.fits import FitsTable
from astromer.records.sources.names import BANDS
from astromer.records.sources.tables import Table
from astromer.records.survey_config import SurveyConfig
from astromer.records.survey_profile import (
    BY_VALUE,
    HEADER,
    JULIAN,
    REDUCED,
    Profile,
    QualityRule,
    days_to_mjd,
    key,
)
from astromer.system.errors import DataAnomalyError

_SHORT_JD, _MODIFIED = 20_000.0, 100_000.0
"""Where a JD is expected, smaller times are JD - 2450000, and those between the two are MJD."""
_LATE_JD = 5_000.0
"""JD - 2450000 in 2005: smaller times of a column that is called a JD may be TESS's or Kepler's."""
_MOST_BANDS = 12
_CLOSE = 1e-4
"""How close to a sentinel a number in single precision is."""


@dataclass(frozen=True)
class ObservationRows:
    """Consecutive observations.

    Attributes:
        ids, bands, classes: string arrays [n], without nulls, or one string for all.
        mjd: float64 [n], MJD [days].
        mag, errmag: float64 [n], magnitudes; NaN where missing.
        dropped: number of observations that are not here, by reason.
    """

    ids: pa.Array | str
    bands: pa.Array | str
    classes: pa.Array | str
    mjd: np.ndarray
    mag: np.ndarray
    errmag: np.ndarray
    dropped: Counter[str] = field(default_factory=Counter)

    def __len__(self) -> int:
        return len(self.mjd)


@dataclass(frozen=True)
class TimeSystem:
    """How times become MJD: ``scale * time + offset``."""

    offset: float
    words: str
    scale: float = 1.0

    def to_mjd(self, times: np.ndarray) -> np.ndarray:
        """float64, MJD [days]."""
        if self.scale != 1:
            times = times * self.scale
        return times + self.offset if self.offset else times


@dataclass(frozen=True)
class Source:
    """A table, and what its columns are.

    Attributes:
        table: the file.
        profile: of its survey.
        config: what is stated.
        columns: which column is what.
        systems: time system of each column of times, once some of it has been read.
    """

    table: Table
    profile: Profile
    config: SurveyConfig
    columns: Columns
    systems: dict[str, TimeSystem] = field(default_factory=dict)

    @property
    def path(self) -> Path:
        """The file."""
        return self.table.path

    @property
    def marks(self) -> tuple[str, ...]:
        """What the cells of upper limits begin with."""
        return self.profile.sentinels.limit_marks

    def blocks(self):  # type: ignore[no-untyped-def]
        """What parses the next block of rows; may be called in any thread."""
        return self.table.blocks(self.columns.numbers, self.columns.texts, self.marks)

    def time_system(self, measure: Measure, times: np.ndarray) -> TimeSystem:
        """The system of a column of times, some of which are given the first time."""
        if measure.time not in self.systems:
            if not np.isfinite(times).any():
                return TimeSystem(0.0, "no times")
            self.systems[measure.time] = self._time_system(measure, times)
        return self.systems[measure.time]

    def _time_system(self, measure: Measure, times: np.ndarray) -> TimeSystem:
        stated = self.config.calibration.time_offset
        reference = None
        if isinstance(self.table, FitsTable) and not _is_absolute(measure.system):
            reference = self.table.time_reference(measure.time)
        if reference is not None:
            more = f" and {stated:+g} days, as stated" if stated else ""
            return TimeSystem(reference.offset + stated, reference.words + more, reference.scale)
        if stated or self.config.time_stated:
            return TimeSystem(stated, f"MJD after {stated:+.10g} days, as stated")
        return _time_system(measure, times)


def open_source(table: Table, config: SurveyConfig, profile: Profile) -> Source:
    """Finds a table's columns; raises as :func:`find_columns` does."""
    columns = find_columns(table.path, table.names, config, profile, table.units, table.header)
    one = len(columns.measures) == 1 and not columns.measures[0].band
    if columns.band is None and profile.has_usual_names and one:
        columns = replace(columns, band=_band_by_values(table, columns))
    quality = getattr(table, "quality", None)
    if quality and profile.has_usual_names and not columns.quality:
        columns = replace(columns, quality=((QualityRule((quality,), keep=(0,)), quality),))
    return Source(table, profile, config, columns)


def _band_by_values(table: Table, columns: Columns) -> str | None:
    """A column of an unusual name whose first values are all names of bands."""
    used = {*columns.numbers, *columns.texts, *columns.unused.get("flags", ())}
    names = [name for name in table.names if name not in used]
    names = [name for name in names if not table.holds_numbers(name)]
    for make in table.blocks([], names) if names else ():
        block = make()
        for name in names:
            values = [v for v in pc.unique(block.column(name)).to_pylist() if v]
            if 0 < len(values) <= _MOST_BANDS and all(v.strip() in BANDS for v in values):
                return name
        break
    return None


def _is_absolute(system: str) -> bool:
    return system.upper() in (*JULIAN, "MJD", "HMJD", "BMJD")


def _time_system(measure: Measure, times: np.ndarray) -> TimeSystem:
    name, system = key(measure.time), measure.system
    finite = times[np.isfinite(times)]
    middle = float(np.median(finite)) if len(finite) else np.nan
    if system in (BY_VALUE, HEADER):
        if found := REDUCED.match(name):
            days = float(found["days"].replace("_", "."))
            words = f"{measure.time}, by its name"
            return TimeSystem(days + (0.0 if found["modified"] else JD_TO_MJD), words)
        if "mjd" not in name and JULIAN_DATES[0] <= middle <= JULIAN_DATES[1]:
            return TimeSystem(JD_TO_MJD, "JD, by its values")
        if "mjd" in name:
            return TimeSystem(0.0, "MJD")
        julian = re.search(r"(^|_|[hb])jd", name) is not None
        if julian and _LATE_JD <= middle < _SHORT_JD:
            return TimeSystem(JD_TO_MJD + 2_450_000, "JD - 2450000, by its values")
        # A Julian date without its first digits, 24, lacks half a day more if it is an MJD.
        doubt = "; --time-offset -0.5 if JD - 2400000" * julian
        return TimeSystem(0.0, f"taken for MJD{doubt}")
    if system in JULIAN and middle < _SHORT_JD:
        return TimeSystem(JD_TO_MJD + 2_450_000, f"{system} - 2450000, by its values")
    if system in JULIAN and middle < _MODIFIED:
        return TimeSystem(0.0, "MJD, by its values")
    return TimeSystem(days_to_mjd(system), system)


def observations_of(
    block: pa.Table, source: Source, name: str = "", band: str = ""
) -> list[ObservationRows]:
    """The observations of a block, one part for each magnitude of a row.

    Args:
        block: rows with the columns of the source.
        source: where it comes from.
        name, band: of all observations, where the table has no such column.
    """
    columns, profile = source.columns, source.profile
    return [
        _measured(block, source, measure, name, band or profile.band.value)
        for measure in columns.measures
    ]


def _measured(
    block: pa.Table, source: Source, measure: Measure, name: str, band: str
) -> ObservationRows:
    columns, profile = source.columns, source.profile
    times = _numbers(block, measure.time)
    values = _numbers(block, measure.value, measure.scale)
    system = source.time_system(measure, times)
    ids = _ids(block, columns) if columns.id else name
    bands = measure.band or band
    if columns.band and not measure.band:
        bands = _renamed(_texts(block, columns.band), profile.band.names)
    classes = _texts(block, columns.class_name) if columns.class_name else ""
    errors = _numbers(block, measure.error, measure.error_scale) if measure.error else None
    mag, errmag = _magnitudes(block, measure, values, errors, bands, source.path)
    kept, dropped = np.ones(len(values), bool), Counter[str]()
    for reason, bad in _left_out(block, source, measure, ids, values, errors):
        if bad.any():
            dropped[reason] += int(np.count_nonzero(kept & bad))
            kept &= ~bad
    rows = ObservationRows(ids, bands, classes, system.to_mjd(times), mag, errmag, dropped)
    return rows if kept.all() else _some(rows, kept)


def _left_out(
    block: pa.Table,
    source: Source,
    measure: Measure,
    ids: pa.Array | str,
    values: np.ndarray,
    errors: np.ndarray | None,
) -> Iterator[tuple[str, np.ndarray]]:
    """Reasons for which observations are left out, each with those that it holds for, bool [n]."""
    if not isinstance(ids, str):
        yield "missing_id", pc.equal(ids, "").to_numpy(zero_copy_only=False)
    for rule, column in source.columns.quality:
        if not rule.band or rule.band == measure.band:
            yield rule.reason, _is_bad(block.column(column), rule)
    sentinels = source.profile.sentinels
    if source.marks:
        yield "upper_limit", np.isinf(values)
    if sentinels.limit_errors and errors is not None:
        yield "upper_limit", _is_one_of(errors, sentinels.limit_errors)
    if sentinels.limit_without_error and errors is not None:
        yield "upper_limit", np.isnan(errors) & np.isfinite(values)
    if sentinels.magnitude:
        yield "sentinel", _is_one_of(values, sentinels.magnitude)
    if sentinels.error and errors is not None:
        yield "sentinel", _is_one_of(errors, sentinels.error)
    if measure.is_flux:
        with np.errstate(invalid="ignore"):
            yield "non_positive_flux", values <= 0


def _some(rows: ObservationRows, kept: np.ndarray) -> ObservationRows:
    def of(texts: pa.Array | str) -> pa.Array | str:
        return texts if isinstance(texts, str) else texts.filter(pa.array(kept))

    return ObservationRows(
        of(rows.ids),
        of(rows.bands),
        of(rows.classes),
        rows.mjd[kept],
        rows.mag[kept],
        rows.errmag[kept],
        rows.dropped,
    )


def _magnitudes(
    block: pa.Table,
    measure: Measure,
    values: np.ndarray,
    errors: np.ndarray | None,
    bands: pa.Array | str,
    path: Path,
) -> tuple[np.ndarray, np.ndarray]:
    """Magnitudes and their errors, float64 [n]: errmag = 2.5 / ln(10) * error / flux."""
    unknown = np.full(len(values), np.nan)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        ratio = None
        if errors is None and measure.flux and measure.flux_error:
            ratio = _numbers(block, measure.flux_error) / _numbers(block, measure.flux)
        elif errors is None and measure.signal_to_noise:
            ratio = 1 / _numbers(block, measure.signal_to_noise)
        elif errors is not None and measure.is_flux:
            ratio = errors / values
        if ratio is not None:
            errors = MAG_PER_FLUX_RATIO * ratio
        if measure.is_flux:
            zero_point = _zero_points(measure, bands, path)
            values = zero_point - 2.5 * np.log10(np.where(values > 0, values, np.nan))
    return values, unknown if errors is None else errors


def _zero_points(measure: Measure, bands: pa.Array | str, path: Path) -> float | np.ndarray:
    given = measure.zero_point
    if given is None or isinstance(given, (int, float)):
        return np.nan if given is None else float(given)
    names = [bands] if isinstance(bands, str) else pc.unique(bands).to_pylist()
    lacking = [name for name in names if name not in given]
    if lacking:
        raise DataAnomalyError(
            f"{path}: there must be a zero point for each band. Received: none for "
            f"{', '.join(map(repr, lacking))}; the profile has {', '.join(given)}."
        )
    if isinstance(bands, str):
        return given[bands]
    return np.array([given[name] for name in bands.to_pylist()])


def _numbers(block: pa.Table, name: str, scale: float = 1.0) -> np.ndarray:
    values = block.column(name).to_numpy()
    return values if scale == 1 else values * scale


def _texts(block: pa.Table, name: str) -> pa.Array:
    column = block.column(name).combine_chunks()
    if isinstance(column, pa.ChunkedArray):
        column = pa.concat_arrays(column.chunks) if column.num_chunks else pa.array([], pa.string())
    return pc.utf8_trim_whitespace(pc.fill_null(column, ""))


def _ids(block: pa.Table, columns: Columns) -> pa.Array:
    if len(columns.id_parts) < 2:
        return _texts(block, columns.id or "")
    parts = [_texts(block, name) for name in columns.id_parts]
    joined = pc.binary_join_element_wise(*parts, ".")
    # An object lacks its name where any part of it is missing.
    missing = [pc.equal(part, "") for part in parts]
    return pc.if_else(reduce(pc.or_, missing), "", joined)


def _renamed(bands: pa.Array, names: Mapping[str, str]) -> pa.Array:
    if not names or not len(bands):
        return bands
    encoded = bands.dictionary_encode()
    renamed = pa.array([names.get(name, name) for name in encoded.dictionary.to_pylist()])
    return renamed.take(encoded.indices)


def _is_one_of(values: np.ndarray, sentinels: Sequence[float]) -> np.ndarray:
    found = np.zeros(len(values), bool)
    with np.errstate(invalid="ignore"):
        for sentinel in sentinels:
            found |= (values > sentinel - _CLOSE) & (values < sentinel + _CLOSE)
    return found


def _is_bad(column: pa.ChunkedArray, rule: QualityRule) -> np.ndarray:
    """bool [n], which observations a rule leaves out; a missing flag is no bad one."""
    if pa.types.is_string(column.type):
        texts = pc.utf8_trim_whitespace(pc.fill_null(column, ""))
        if rule.character:
            texts = pc.utf8_slice_codeunits(texts, rule.character - 1, rule.character)
        texts = pc.utf8_lower(texts)
        keep, drop = _words(rule.keep), _words(rule.drop)
        bad = np.zeros(len(texts), bool)
        if keep:
            bad |= ~_in(texts, [*keep, ""])
        if drop:
            bad |= _in(texts, drop)
        return bad
    values = column.to_numpy()
    known = np.isfinite(values)
    bad = np.zeros(len(values), bool)
    if rule.keep:
        bad |= ~np.isin(values, [float(value) for value in rule.keep])
    if rule.drop:
        bad |= np.isin(values, [float(value) for value in rule.drop])
    if rule.bits:
        whole = np.where(known, values, 0).astype(np.int64)
        bad |= (whole & rule.bits) != 0
    with np.errstate(invalid="ignore"):
        if rule.minimum is not None:
            bad |= values < rule.minimum
        if rule.maximum is not None:
            bad |= values > rule.maximum
    return bad & known


def _words(values: Iterable[object]) -> list[str]:
    """Texts in small letters; those of true and false are also written T and F."""
    words = [str(value).lower() for value in values]
    return words + [str(value).lower()[0] for value in values if isinstance(value, bool)]


def _in(texts: pa.ChunkedArray, values: list[str]) -> np.ndarray:
    return pc.is_in(texts, value_set=pa.array(values)).to_numpy()
