"""Numbers, times, magnitudes and ids from columns of any library, as NumPy arrays.

The columns of pandas, polars, pyarrow and astropy are known by what they offer; none of these
libraries is imported here.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from astromer.system.errors import LightCurveError, UsageError

_MAG_PER_FRACTION = 2.5 / np.log(10)
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
        return mag, np.where(fluxes > 0, _MAG_PER_FRACTION * errors / fluxes, np.nan)


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
    if isinstance(values, np.ma.MaskedArray):
        missing, values = np.ma.getmaskarray(values), np.ma.getdata(values)
    elif hasattr(values, "unmasked"):  # astropy.utils.masked
        missing, values = np.asarray(values.mask), values.unmasked
    elif hasattr(values, "isna"):  # pandas, whose nullable types become objects
        missing = np.asarray(values.isna())
    return np.asarray(values), missing
