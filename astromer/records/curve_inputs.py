"""Light curves in the forms that users have them in, as :class:`LightCurves`.

Objects of pandas, astropy and lightkurve are known by what they offer; none of these libraries
is imported unless such an object is there already.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from astromer.light_curves import ID_COLUMNS, LightCurve, LightCurves
from astromer.records.curve_values import as_days, as_magnitudes, magnitudes_of_flux
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
    ``errmag``; an array [n, 3] of these columns; a pandas DataFrame or astropy Table with columns
    of these names; or an object with ``time``, ``flux`` and ``flux_err``, such as lightkurve's.
    ``errmag`` may be left out or None: the errors are then unknown (NaN). A table with a column
    of ids holds many light curves, in any order of rows.

    Args:
        curves: :class:`LightCurves`, one light curve, or an iterable of light curves.
        zero_point: magnitude of a flux of 1 in its own unit, or the flux of magnitude 0 as an
            astropy Quantity; needed for fluxes.
        id_column: the column of ids of a table; by default one called id, ID or newID.

    Raises:
        LightCurveError: if values cannot be read or do not fit each other; says which.
        UsageError: for another form, or fluxes without a zero point.
    """
    if isinstance(curves, LightCurves):
        return curves
    table = _columns(curves)
    if table is not None and (ids := _id_column(table, id_column)) is not None:
        rows = _curve(curves, "curves", zero_point)
        names = np.asarray(curves[ids]).astype(np.str_)
        return LightCurves.from_rows(rows.mjd, rows.mag, rows.errmag, names)
    if _is_one(curves):
        return LightCurves.from_curves([_curve(curves, "curves", zero_point)])
    if isinstance(curves, (str, bytes, Mapping)) or not isinstance(curves, Iterable):
        raise UsageError(f"curves must be {_FORMS}. Received: {_describe(curves)}.")
    return LightCurves.from_curves(
        _curve(curve, f"curves[{index}]", zero_point) for index, curve in enumerate(curves)
    )


def _is_one(curves: Any) -> bool:
    if isinstance(curves, LightCurve) or _columns(curves) is not None or hasattr(curves, "flux"):
        return True
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
    return len(getattr(values, "shape", ())) == 1


def _columns(curves: Any) -> list[str] | None:
    """Names of the columns of a pandas DataFrame (``columns``) or astropy Table (``colnames``)."""
    names = getattr(curves, "colnames", None)
    if names is None and hasattr(curves, "iloc"):
        names = getattr(curves, "columns", None)
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
        return LightCurve(times, magnitudes, errors, curve.id, curve.label, curve.class_name)
    return LightCurve(times, magnitudes, errors, _id_of(curve))


def _series(curve: Any, name: str, zero_point: Any) -> tuple[Any, Any, Any]:
    """mjd, mag and errmag (or None) as they come."""
    if isinstance(curve, LightCurve):
        return curve.mjd, curve.mag, curve.errmag
    columns = _columns(curve)
    if columns is not None and "flux" in columns:
        flux_err = curve["flux_err"] if "flux_err" in columns else None
        return _times(curve, columns, name), *magnitudes_of_flux(
            curve["flux"], flux_err, zero_point, name
        )
    if columns is not None or isinstance(curve, Mapping):
        keys = list(curve) if columns is None else columns
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
    if "mjd" not in keys and "time" in keys and hasattr(curve["time"], "mjd"):
        return curve["time"]  # an astropy Time says what it is; numbers called time do not
    _check_key("mjd", keys, name)
    return curve["mjd"]


def _check_key(field: str, keys: list[Any], name: str) -> None:
    if field not in keys:
        raise LightCurveError(
            f"{name} must have mjd, mag and, where known, errmag. Received: "
            f"{', '.join(map(str, keys)) or 'nothing'}."
        )


def _id_of(curve: Any) -> str:
    """What a dict or a lightkurve object calls itself."""
    if isinstance(curve, Mapping):
        return str(curve.get("id", ""))
    return str(getattr(curve, "label", "")) if hasattr(curve, "flux") else ""


def _describe(value: Any) -> str:
    shape = getattr(value, "shape", None)
    return type(value).__name__ + (f" of shape {list(shape)}" if shape is not None else "")
