"""Light curves in the forms that users have them in, as :class:`LightCurves`.

Objects of pandas, polars, pyarrow, astropy and lightkurve are known by what they offer; none of
these libraries is imported unless such an object is there already. Numbers, times, magnitudes and
ids of their columns become NumPy arrays.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from astromer.light_curves import ID_COLUMNS, LightCurve, LightCurves
from astromer.records.cleaning import MAG_PER_FLUX_RATIO
from astromer.system.errors import LightCurveError, UsageError

_MJD_ZERO = np.datetime64("1858-11-17")
_EXACT = 2**53
"""Whole numbers beyond are not all different in float64."""


def as_numbers(values: Any, name: str, unit: Any = None) -> np.ndarray:
    """float64 [n], NaN where masked, null or not available.

    Args:
        values: numbers in any container; an astropy Quantity or Column is converted.
        name: what errors call them.
        unit: the unit that is wanted; values without one are taken to be in it.

    Raises:
        LightCurveError: if they are no numbers, not one series, or of another kind of unit.
    """
    given = getattr(values, "unit", None)
    try:
        data, missing = _plain(values)
        if data.dtype.kind == "M" and unit == "day":
            data = (data - _MJD_ZERO) / np.timedelta64(1, "D")
        elif data.dtype.kind in "cmM":
            raise TypeError(f"values of {data.dtype}")
        if missing is not None and data.dtype.kind == "O":
            data = np.where(missing, np.nan, data)
        numbers = np.array(data, dtype=np.float64)
        if unit is not None and given is not None and given != unit:
            # ABmag and its like are functions of a flux; their numbers are magnitudes.
            numbers = np.asarray(getattr(given, "function_unit", given).to(unit, numbers))
    except (TypeError, ValueError) as error:
        wanted = "numbers" if unit is None else f"numbers in {unit}"
        raise LightCurveError(f"{name} must be {wanted}. Received: {error}.") from error
    if numbers.ndim != 1:
        raise LightCurveError(
            f"{name} must have one dimension. Received: shape {list(numbers.shape)}."
        )
    if missing is not None:
        numbers[missing] = np.nan
    return numbers


def as_days(times: Any, name: str) -> np.ndarray:
    """float64 [n], MJD [days], from numbers, a Quantity, an astropy Time, or datetimes in UTC."""
    return as_numbers(getattr(times, "mjd", times), name, "day")


def as_magnitudes(mag: Any, name: str) -> np.ndarray:
    """float32 [n], magnitudes."""
    with np.errstate(over="ignore"):  # what does not fit is infinite, so not usable
        return as_numbers(mag, name, "mag").astype(np.float32)


def magnitudes_of_flux(
    flux: Any, flux_err: Any, zero_point: Any, name: str
) -> tuple[np.ndarray, np.ndarray | None]:
    """Magnitudes zero_point - 2.5 log10(flux) and their errors, to first order; NaN below zero.

    Args:
        flux, flux_err: numbers or Quantities [n]; ``flux_err`` may be None.
        zero_point: the magnitude of a flux of 1 in its own unit, or the flux of magnitude 0.
        name: what errors call the light curve.

    Raises:
        UsageError: if there is no zero point, or it is no number.
    """
    if zero_point is None:
        raise UsageError(
            f"{name} has fluxes, which need zero_point=, the magnitude of a flux of 1. "
            "Received: none."
        )
    unit = getattr(flux, "unit", None)
    of_zero, magnitude = 1.0, 0.0
    given = getattr(zero_point, "unit", None)
    try:
        if given is None or hasattr(given, "function_unit") or str(given) == "mag":
            magnitude = float(getattr(zero_point, "value", zero_point))
        else:
            unit, of_zero = given, float(zero_point.value)
    except (TypeError, ValueError) as error:
        raise UsageError(f"zero_point must be a number. Received: {zero_point!r}.") from error
    fluxes = as_numbers(flux, f"{name}.flux", unit) / of_zero
    with np.errstate(divide="ignore", invalid="ignore"):
        mag = np.where(fluxes > 0, magnitude - 2.5 * np.log10(fluxes), np.nan)
        if flux_err is None:
            return mag, None
        errors = as_numbers(flux_err, f"{name}.flux_err", unit) / of_zero
        if len(errors) != len(fluxes):
            raise LightCurveError(
                f"{name}.flux_err must be as long as flux ({len(fluxes)}). Received: {len(errors)}."
            )
        return mag, np.where(fluxes > 0, MAG_PER_FLUX_RATIO * errors / fluxes, np.nan)


def as_ids(values: Any, name: str) -> np.ndarray:
    """str [n], the ids as they are written; "" where one is missing.

    Args:
        values: text, bytes in UTF-8, or whole numbers. A pandas column of whole numbers in which
            some are missing is of floats; they are taken as far as floats keep them apart.
        name: what errors call them.

    Raises:
        LightCurveError: an id is a fraction, a float of 2^53 or more, or no UTF-8.
    """
    data, missing = _plain(values)
    listed = getattr(values, "to_pylist", None) or getattr(values, "to_list", None)
    if data.dtype.kind == "f" and listed:  # numbers of arrow and polars, of which some are null
        data = np.array(listed(), dtype=object)
    if data.dtype.kind in "iu":
        ids = data.astype(np.str_)
    else:
        ids = np.array([_id(value, name) for value in data.tolist()], dtype=np.str_)
    return ids if missing is None else np.where(missing, "", ids)


def _id(value: Any, name: str) -> str:
    if isinstance(value, bytes):
        try:
            return value.decode()
        except UnicodeDecodeError as error:
            raise LightCurveError(f"{name} must be in UTF-8. Received: {value!r}.") from error
    if isinstance(value, float):
        if np.isnan(value):
            return ""
        if abs(value) >= _EXACT or value != int(value):
            raise LightCurveError(
                f"{name} must be text or whole numbers; floats do not keep long ids apart. "
                f"Received: {value!r}. Read the column as text."
            )
        return str(int(value))
    return "" if value is None else str(value)


def is_datetime(values: Any) -> bool:
    """Whether a column holds datetimes."""
    return bool(_plain(values)[0].dtype.kind == "M")


def count_set(flags: Any) -> int:
    """How many flags are set: numbers that are not 0, or texts other than the commonest."""
    data, missing = _plain(flags)
    data = data if missing is None else data[~missing]
    if data.dtype.kind in "biuf":
        return int(np.count_nonzero(np.nan_to_num(data)))
    counts = np.unique(data.astype(np.str_), return_counts=True)[1]
    return int(counts.sum() - counts.max(initial=0))


def _plain(values: Any) -> tuple[np.ndarray, np.ndarray | None]:
    """The values as they are, and bool [n], which of them are missing, where that is known."""
    missing = None
    if getattr(getattr(values, "dtype", None), "tz", None) is not None and hasattr(values, "dt"):
        values = values.dt.tz_convert("UTC").dt.tz_localize(None)  # pandas
    if isinstance(values, np.ma.MaskedArray):
        missing, values = np.ma.getmaskarray(values), np.ma.getdata(values)
    elif hasattr(values, "unmasked"):  # astropy.utils.masked
        missing, values = np.asarray(values.mask), values.unmasked
    elif hasattr(values, "isna"):  # pandas, whose nullable types become objects
        missing = np.asarray(values.isna())
    return np.asarray(values), missing


_SEPARATOR = "\x1f"
_FORMS = (
    "LightCurves, a LightCurve, a tuple or dict of mjd, mag and errmag, an array [n, 3], a table "
    "with these columns, or an iterable of such"
)


def as_light_curves(
    curves: Any, *, zero_point: Any = None, id_column: str | None = None
) -> LightCurves:
    """Packs light curves of any supported form, in their order.

    One light curve is a :class:`LightCurve`; a tuple, list or dict of ``mjd``, ``mag`` and
    ``errmag``; an array [n, 3] of these columns; a table with columns of these names: a DataFrame
    of pandas or polars, a Table of pyarrow or astropy, a structured array; or an object with
    ``time``, ``flux`` and ``flux_err``, such as lightkurve's. ``errmag`` may be left out or None:
    the errors are then unknown (NaN). A table with magnitudes and fluxes gives its magnitudes. Its
    other columns may have any of the usual names (docs/data_format.md): those of ids and bands
    make a light curve of each star in each band, in any order of rows. Rows without an id are left
    out, with a warning. Flags of quality are not looked at; a warning says so where they are set.

    Args:
        curves: :class:`LightCurves`, one light curve, or an iterable of light curves and tables,
            such as a ``LightCurveCollection`` or what pandas' ``groupby`` gives.
        zero_point: magnitude of a flux of 1 in its own unit, or the flux of magnitude 0 as an
            astropy Quantity; needed for fluxes.
        id_column: the column of ids of a table; by default id, ID or newID, else another of the
            usual names.

    Raises:
        LightCurveError: if values cannot be read or do not fit each other; says which.
        UsageError: for another form, or fluxes without a zero point.
    """
    if isinstance(curves, LightCurves):
        return curves
    curves = _with_index(curves)
    if _is_one(curves):
        return _pack(curves, "curves", zero_point, id_column)
    # lightkurve's collections can be indexed, but say nowhere that they can be iterated over.
    iterable = isinstance(curves, Iterable) or (
        hasattr(curves, "__len__") and hasattr(curves, "__getitem__")
    )
    if isinstance(curves, (str, bytes, Mapping)) or not iterable:
        raise UsageError(f"curves must be {_FORMS}. Received: {_describe(curves)}.")
    return LightCurves.from_curves(
        one
        for index, curve in enumerate(curves)
        for one in _each(curve, f"curves[{index}]", zero_point, id_column)
    )


def _each(curve: Any, name: str, zero_point: Any, id_column: str | None) -> Iterator[LightCurve]:
    """The light curves of one element of an iterable, which is mostly one."""
    curve = _with_index(curve)
    if isinstance(curve, tuple) and len(curve) == 2 and _columns(curve[1]) is not None:
        key, table = curve  # of groupby
        parts = key if isinstance(key, tuple) else (key,)
        if any(part is None or part != part for part in parts):
            _warn(f"{len(table):,} rows of {name} have no id and are left out.")
            return
        packed = _pack(table, name, zero_point, None, " ".join(map(str, parts)))
    elif isinstance(curve, LightCurves) or _columns(curve) is not None:
        packed = _pack(curve, name, zero_point, id_column)
    else:
        yield _curve(curve, name, zero_point)
        return
    yield from (packed[index] for index in range(len(packed)))


def _pack(
    curve: Any, name: str, zero_point: Any, id_column: str | None, star: str | None = None
) -> LightCurves:
    """One light curve, or those of a table; all of the star, where that is known."""
    if isinstance(curve, LightCurves):
        return curve
    rows = _curve(curve, name, zero_point)
    columns = _columns(curve)
    if columns is None:
        return LightCurves.from_curves([rows])
    used = _TableColumns.of(columns, id_column)
    _warn_of_flags(curve, columns, used, name)
    count = len(rows)
    ids, bands = np.full(count, star or rows.id), np.full(count, "")
    if star is None and used.id is not None:
        ids = as_ids(curve[used.id], f"{name}.{used.id}")
    if used.band is not None:
        bands = as_ids(curve[used.band], f"{name}.{used.band}")
    known = (ids != "") | (used.id is None) | (star is not None)
    if not known.all():
        _warn(f"{np.sum(~known):,} of {count:,} rows of {name} have no {used.id} and are left out.")
    if not count:
        return LightCurves.from_curves([rows])
    if not known.any():
        return LightCurves.from_curves([])
    keys = np.char.add(np.char.add(ids, _SEPARATOR), bands)[known]
    packed = LightCurves.from_rows(rows.mjd[known], rows.mag[known], rows.errmag[known], keys)
    parts = np.char.partition(packed.ids, _SEPARATOR)
    return replace(packed, ids=parts[:, 0], bands=parts[:, 2])


@dataclass(frozen=True)
class _TableColumns:
    """Names of a table's columns; None for what it does not have."""

    mjd: str | None
    mag: str | None
    errmag: str | None
    flux: str | None
    flux_err: str | None
    id: str | None
    band: str | None

    @classmethod
    def of(cls, names: list[str], id_column: str | None = None) -> _TableColumns:
        """Finds them by the usual names, those of this package first."""
        from astromer.records.survey_profile import GENERIC, first_of, named_profile

        if id_column is not None and id_column not in names:
            raise UsageError(
                f"id_column must be a column of the table. Received: {id_column!r}; the columns "
                f"are {', '.join(names)}."
            )
        usual = named_profile(GENERIC)
        mag, flux = usual.value
        own_id = next((name for name in ID_COLUMNS if name in names), None)
        return cls(
            first_of(names, [name for name in usual.time.columns if "mjd" in name]),
            first_of(names, mag.magnitude),
            first_of(names, mag.error),
            first_of(names, ("flux", *flux.flux)),
            first_of(names, ("flux_err", *flux.error)),
            id_column or own_id or first_of(names, usual.id.columns),
            first_of(names, usual.band.columns),
        )


def _warn_of_flags(curve: Any, columns: list[str], used: _TableColumns, name: str) -> None:
    from astromer.records.survey_profile import FLAG_LIKE, key

    for column in columns:
        if FLAG_LIKE.search(key(column)) and column not in (used.id, used.band):
            flagged = count_set(curve[column])
            if flagged:
                _warn(
                    f"{flagged:,} rows of {name} have {column} set, which is not looked at. Leave "
                    "bad rows out, or read the survey's files with astromer.read."
                )


def _warn(text: str) -> None:
    warnings.warn(text, stacklevel=5)


def _with_index(curve: Any) -> Any:
    """A table of pandas whose named index, which may tell the stars, is among its columns."""
    names = getattr(getattr(curve, "index", None), "names", None)
    if names is None or not hasattr(curve, "reset_index") or not hasattr(curve, "iloc"):
        return curve
    new = [name for name in names if name is not None and name not in curve.columns]
    return curve.reset_index(level=new) if new else curve


def _is_one(curves: Any) -> bool:
    if isinstance(curves, LightCurve) or _columns(curves) is not None:
        return True
    if hasattr(curves, "flux"):  # what pandas' groupby gives has one, too
        return not isinstance(curves, Iterable)
    if isinstance(curves, Mapping):
        return any(name in curves for name in ("mjd", "mag", "flux"))
    if isinstance(curves, np.ndarray):
        return curves.dtype != object and curves.ndim == 2
    if isinstance(curves, (tuple, list)) and 2 <= len(curves) <= 3:
        return _is_series(curves[0])
    return False


def _is_series(values: Any) -> bool:
    """Whether this is one series of numbers or times, and not a light curve."""
    if isinstance(values, (Mapping, LightCurve)) or hasattr(values, "flux"):
        return False
    if _columns(values) is not None:
        return False
    if isinstance(values, (list, tuple)):
        return all(isinstance(value, (int, float, np.number)) for value in values)
    return len(getattr(values, "shape", ())) == 1 or hasattr(values, "to_pylist")  # arrow


def _columns(curves: Any) -> list[str] | None:
    """Names of the columns of a table; None if this is none."""
    names: Any = None
    if isinstance(curves, np.ndarray):  # structured, masked or not
        names = curves.dtype.names
    elif hasattr(curves, "iloc") or hasattr(curves, "get_column"):  # pandas, polars
        names = getattr(curves, "columns", None)
    else:  # astropy, pyarrow
        names = getattr(curves, "colnames", None) or getattr(curves, "column_names", None)
        if names is None and hasattr(curves, "num_columns"):  # a batch of pyarrow's
            names = curves.schema.names
    return None if names is None else [str(name) for name in names]


def _curve(curve: Any, name: str, zero_point: Any) -> LightCurve:
    """One light curve with arrays of the right types; ``name`` is what errors call it."""
    if isinstance(curve, LightCurve):
        name += f" ({curve.id})" if curve.id else ""
    mjd, mag, errmag = _series(curve, name, zero_point)
    times = as_days(mjd, f"{name}.mjd")
    magnitudes = as_magnitudes(mag, f"{name}.mag")
    if errmag is None:
        errors = np.full(len(times), np.nan, np.float32)
    else:
        errors = as_magnitudes(errmag, f"{name}.errmag")
    for field, values in (("mag", magnitudes), ("errmag", errors)):
        if len(values) != len(times):
            raise LightCurveError(
                f"{name}.{field} must be as long as mjd ({len(times)}). Received: {len(values)}."
            )
    if isinstance(curve, LightCurve):
        return replace(curve, mjd=times, mag=magnitudes, errmag=errors)
    return LightCurve(times, magnitudes, errors, _id_of(curve))


def _series(curve: Any, name: str, zero_point: Any) -> tuple[Any, Any, Any]:
    """mjd, mag and errmag (or None) as they come."""
    if isinstance(curve, LightCurve):
        return curve.mjd, curve.mag, curve.errmag
    columns = _columns(curve)
    if columns is not None:
        used = _TableColumns.of(columns)
        times = _times(curve, columns, used.mjd, name)
        if used.mag is None and used.flux is not None:
            errors = None if used.flux_err is None else curve[used.flux_err]
            return times, *magnitudes_of_flux(curve[used.flux], errors, zero_point, name)
        mag = _only(used.mag, columns, name)
        return times, curve[mag], None if used.errmag is None else curve[used.errmag]
    if isinstance(curve, Mapping):
        keys = list(curve)
        used = _TableColumns.of([str(key) for key in keys])
        if "mag" not in keys and "flux" in keys:
            errors = None if used.flux_err is None else curve[used.flux_err]
            fluxes = magnitudes_of_flux(curve["flux"], errors, zero_point, name)
            return _times(curve, keys, "mjd", name), *fluxes
        _only("mag", keys, name)
        errors = None if used.errmag is None else curve[used.errmag]
        return _times(curve, keys, "mjd", name), curve["mag"], errors
    if hasattr(curve, "flux"):
        flux_err = getattr(curve, "flux_err", None)
        return curve.time, *magnitudes_of_flux(curve.flux, flux_err, zero_point, name)
    if isinstance(curve, np.ndarray) and curve.ndim == 2 and curve.shape[1] in (2, 3):
        return curve[:, 0], curve[:, 1], curve[:, 2] if curve.shape[1] == 3 else None
    if isinstance(curve, (tuple, list)) and 2 <= len(curve) <= 3:
        return curve[0], curve[1], curve[2] if len(curve) == 3 else None
    raise UsageError(f"{name} must be {_FORMS}. Received: {_describe(curve)}.")


def _times(curve: Any, keys: list[Any], mjd: str | None, name: str) -> Any:
    if mjd not in keys and "time" in keys:
        time = curve["time"]
        if hasattr(time, "mjd") or is_datetime(time):
            return time  # it says what it is; numbers called time do not
    return curve[_only(mjd, keys, name)]


def _only(field: str | None, keys: list[Any], name: str) -> str:
    """The name of a column that must be there, once."""
    if field is None or keys.count(field) != 1:
        raise LightCurveError(
            f"{name} must have mjd, mag and, where known, errmag. Received: "
            f"{', '.join(map(str, keys)) or 'nothing'}."
        )
    return field


def _id_of(curve: Any) -> str:
    """What a dict, a lightkurve object or the header of an astropy table calls its object."""
    if isinstance(curve, Mapping):
        return str(curve.get("id", ""))
    meta = getattr(curve, "meta", None)
    if isinstance(meta, Mapping):
        called = [meta.get(name) for name in ("LABEL", "OBJECT", "TARGETID")]
    else:
        called = [getattr(curve, "label", None) if _columns(curve) is None else None]
    return next((str(name) for name in called if name not in (None, "")), "")


def _describe(value: Any) -> str:
    shape = getattr(value, "shape", None)
    return type(value).__name__ + (f" of shape {list(shape)}" if shape is not None else "")
