"""Light curves in the forms that users have them in, as :class:`LightCurves`.

Objects of pandas, polars, pyarrow, astropy and lightkurve are known by what they offer; none of
these libraries is imported unless such an object is there already.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from astromer.light_curves import ID_COLUMNS, LightCurve, LightCurves
from astromer.records.curve_values import (
    as_days,
    as_ids,
    as_magnitudes,
    is_datetime,
    magnitudes_of_flux,
)
from astromer.system.errors import LightCurveError, UsageError

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
    the errors are then unknown (NaN). A table with magnitudes and fluxes gives its magnitudes. A
    table with a column of ids holds many light curves, in any order of rows; rows without an id
    are left out, with a warning. Flags of quality are not looked at.

    Args:
        curves: :class:`LightCurves`, one light curve, or an iterable of light curves and tables,
            such as a ``LightCurveCollection`` or what pandas' ``groupby`` gives.
        zero_point: magnitude of a flux of 1 in its own unit, or the flux of magnitude 0 as an
            astropy Quantity; needed for fluxes.
        id_column: the column of ids of a table; by default one called id, ID or newID.

    Raises:
        LightCurveError: if values cannot be read or do not fit each other; says which.
        UsageError: for another form, or fluxes without a zero point.
    """
    if isinstance(curves, LightCurves):
        return curves
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
    if isinstance(curve, tuple) and len(curve) == 2 and _columns(curve[1]) is not None:
        key, table = curve  # of groupby
        parts = key if isinstance(key, tuple) else (key,)
        yield replace(_curve(table, name, zero_point), id=" ".join(map(str, parts)))
    elif isinstance(curve, LightCurves) or _columns(curve) is not None:
        packed = _pack(curve, name, zero_point, id_column)
        yield from (packed[index] for index in range(len(packed)))
    else:
        yield _curve(curve, name, zero_point)


def _pack(curve: Any, name: str, zero_point: Any, id_column: str | None) -> LightCurves:
    """One light curve, or those of a table with ids."""
    if isinstance(curve, LightCurves):
        return curve
    columns = _columns(curve)
    ids = None if columns is None else _id_column(columns, id_column)
    rows = _curve(curve, name, zero_point)
    if ids is None:
        return LightCurves.from_curves([rows])
    names = as_ids(curve[ids], f"{name}.{ids}")
    known = names != ""
    if not known.all():
        warnings.warn(
            f"{np.sum(~known):,} of {len(known):,} rows of {name} have no {ids} and are left out.",
            stacklevel=4,
        )
    return LightCurves.from_rows(rows.mjd[known], rows.mag[known], rows.errmag[known], names[known])


def _is_one(curves: Any) -> bool:
    if isinstance(curves, LightCurve) or _columns(curves) is not None:
        return True
    if hasattr(curves, "flux"):  # what pandas' groupby gives has one, too
        return not isinstance(curves, Iterable)
    if isinstance(curves, Mapping):
        return "mjd" in curves
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
    return None if names is None else [str(name) for name in names]


def _id_column(columns: list[str], wanted: str | None) -> str | None:
    if wanted is not None and wanted not in columns:
        raise UsageError(
            f"id_column must be a column of the table. Received: {wanted!r}; the columns are "
            f"{', '.join(columns)}."
        )
    return wanted or next((name for name in ID_COLUMNS if name in columns), None)


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
    if columns is not None or isinstance(curve, Mapping):
        keys = list(curve) if columns is None else columns
        if "mag" not in keys and "flux" in keys:
            flux_err = curve["flux_err"] if "flux_err" in keys else None
            return _times(curve, keys, name), *magnitudes_of_flux(
                curve["flux"], flux_err, zero_point, name
            )
        _check_key("mag", keys, name)
        return (
            _times(curve, keys, name),
            curve["mag"],
            curve["errmag"] if "errmag" in keys else None,
        )
    if hasattr(curve, "flux"):
        flux_err = getattr(curve, "flux_err", None)
        return curve.time, *magnitudes_of_flux(curve.flux, flux_err, zero_point, name)
    if isinstance(curve, np.ndarray) and curve.ndim == 2 and curve.shape[1] in (2, 3):
        return curve[:, 0], curve[:, 1], curve[:, 2] if curve.shape[1] == 3 else None
    if isinstance(curve, (tuple, list)) and 2 <= len(curve) <= 3:
        return curve[0], curve[1], curve[2] if len(curve) == 3 else None
    raise UsageError(f"{name} must be {_FORMS}. Received: {_describe(curve)}.")


def _times(curve: Any, keys: list[Any], name: str) -> Any:
    if "mjd" not in keys and "time" in keys:
        time = curve["time"]
        if hasattr(time, "mjd") or is_datetime(time):
            return time  # it says what it is; numbers called time do not
    _check_key("mjd", keys, name)
    return curve["mjd"]


def _check_key(field: str, keys: list[Any], name: str) -> None:
    if keys.count(field) != 1:
        raise LightCurveError(
            f"{name} must have mjd, mag and, where known, errmag. Received: "
            f"{', '.join(map(str, keys)) or 'nothing'}."
        )


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
