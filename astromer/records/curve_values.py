"""Numbers, times and magnitudes from columns of any library, as NumPy arrays."""

from __future__ import annotations

from typing import Any

import numpy as np

from astromer.system.errors import LightCurveError, UsageError

_MAG_PER_FRACTION = 2.5 / np.log(10)


def as_numbers(values: Any, name: str, unit: str = "") -> np.ndarray:
    """float64 [n], NaN where masked or null.

    Args:
        values: numbers in any container; an astropy Quantity or Column is converted.
        name: what errors call them.
        unit: the unit that is wanted; values without one are taken to be in it.

    Raises:
        LightCurveError: if they are no numbers, not one series, or of another kind of unit.
    """
    given = getattr(values, "unit", None)
    masked = np.ma.getmaskarray(values) if isinstance(values, np.ma.MaskedArray) else None
    if masked is None and hasattr(values, "unmasked"):  # astropy.utils.masked
        masked, values = np.asarray(values.mask), values.unmasked
    try:
        if hasattr(values, "to_numpy"):  # pandas and polars; null becomes NaN
            numbers = np.array(values.to_numpy(), dtype=np.float64)
        else:
            numbers = np.array(np.ma.getdata(values), dtype=np.float64)
        if unit and given is not None:
            # ABmag and its like are functions of a flux; their numbers are magnitudes.
            numbers = np.asarray(getattr(given, "function_unit", given).to(unit, numbers))
    except (TypeError, ValueError) as error:
        wanted = f"numbers in {unit}" if unit else "numbers"
        raise LightCurveError(f"{name} must be {wanted}. Received: {error}.") from error
    if numbers.ndim != 1:
        raise LightCurveError(
            f"{name} must have one dimension. Received: shape {list(numbers.shape)}."
        )
    if masked is not None:
        numbers[masked] = np.nan
    return numbers


def as_days(times: Any, name: str) -> np.ndarray:
    """float64 [n], MJD [days], from numbers, a Quantity or an astropy Time of any format."""
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
    unit = str(getattr(flux, "unit", None) or "")
    of_zero, magnitude = 1.0, 0.0
    given = getattr(zero_point, "unit", None)
    try:
        if given is None or hasattr(given, "function_unit") or str(given) == "mag":
            magnitude = float(getattr(zero_point, "value", zero_point))
        else:
            unit, of_zero = str(given), float(zero_point.value)
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
