"""Which column of a table is what, by a survey's profile."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from astromer.records.sources.names import BANDS, CLASS, PERIOD_NAMES
from astromer.records.survey_config import SurveyConfig
from astromer.records.survey_profile import (
    FLAG_LIKE,
    GENERIC,
    Profile,
    QualityRule,
    ValueRule,
    ab_zero_point,
    first_of,
    key,
    named_profile,
    time_column,
)
from astromer.system.errors import DataAnomalyError, UsageError

_BAND_LIKE = re.compile(r"(^|_)(pass)?band(_|$)|filt")
_PERIOD_LIKE = re.compile(rf"^({'|'.join(PERIOD_NAMES)})$")
_ERROR_LIKE = re.compile(r"(^|_)(e|d)?(mag|flux)?_?(err|error|sigma|unc|uncertainty)(_|$)|err$|^e_")


@dataclass(frozen=True)
class Measure:
    """One magnitude or flux of each row.

    Attributes:
        time, value, error: names of columns; the error may be None.
        system: time system of ``time``.
        is_flux: whether ``value`` is a flux.
        flux, flux_error: what the error of a magnitude comes from, where it has none.
        signal_to_noise: column of flux over error, likewise.
        zero_point: magnitude of a flux of 1, of all bands or by band.
        band: of all of these values, or "".
        unit_known: whether the flux is one in a unit, so that it cannot be a relative one.
        scale, error_scale: what value and error are multiplied by: thousandths of a magnitude are
            0.001, and errors of a flux may be in another unit than it.
    """

    time: str
    value: str
    error: str | None
    system: str
    is_flux: bool = False
    flux: str | None = None
    flux_error: str | None = None
    signal_to_noise: str | None = None
    zero_point: float | Mapping[str, float] | None = None
    band: str = ""
    unit_known: bool = False
    scale: float = 1.0
    error_scale: float = 1.0

    @property
    def numbers(self) -> list[str]:
        """Its columns."""
        names = (self.time, self.value, self.error, self.flux, self.flux_error)
        return [name for name in (*names, self.signal_to_noise) if name]

    @property
    def value_words(self) -> str:
        """Where the value comes from, for people."""
        return _scaled(self.value, self.scale)

    @property
    def error_words(self) -> str:
        """Where the error comes from, for people."""
        if self.error:
            return _scaled(self.error, self.error_scale)
        if self.flux_error:
            return f"from {self.flux} and {self.flux_error}"
        return f"from {self.signal_to_noise}" if self.signal_to_noise else "none"


def _scaled(name: str, scale: float) -> str:
    return name if scale == 1 else f"{name}, times {scale:g}"


@dataclass(frozen=True)
class Columns:
    """Names of a table's columns; None for what it does not have.

    Attributes:
        measures: what is observed; several where each band has columns of its own.
        id: which object a row belongs to, where the table holds several.
        id_parts: columns that tell it together, the first of which is ``id``.
        band, class_name: of the object.
        quality: rules and the columns that they look at.
        unused: columns that look like bands, flags, errors or periods, by what they look like.
    """

    measures: tuple[Measure, ...]
    id: str | None = None
    band: str | None = None
    class_name: str | None = None
    quality: tuple[tuple[QualityRule, str], ...] = ()
    unused: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    id_parts: tuple[str, ...] = ()

    @property
    def numbers(self) -> list[str]:
        """Columns with numbers."""
        names = [name for measure in self.measures for name in measure.numbers]
        names += [name for rule, name in self.quality if not _is_text(rule)]
        return list(dict.fromkeys(names))

    @property
    def texts(self) -> list[str]:
        """Columns with names."""
        texts = [n for n in (self.id, *self.id_parts, self.band, self.class_name) if n]
        texts += [name for rule, name in self.quality if _is_text(rule)]
        return [name for name in dict.fromkeys(texts) if name not in self.numbers]


def _is_text(rule: QualityRule) -> bool:
    values = (*rule.keep, *rule.drop)
    return bool(rule.character) or any(isinstance(value, (str, bool)) for value in values)


def id_of(names: Sequence[str], config: SurveyConfig, profile: Profile) -> str | None:
    """The column that tells the object: the config's, else one with a usual name."""
    if config.id_column in names:
        return config.id_column
    if config.described or config.id_stated:
        return None
    if parts := _id_parts(names, profile):
        return parts[0]
    return first_of(names, profile.id.columns or named_profile(GENERIC).id.columns)


def _id_parts(names: Sequence[str], profile: Profile) -> tuple[str, ...]:
    """The columns that tell the object together, where all of them are there."""
    found = [first_of(names, (name,)) for name in profile.id.joined]
    return tuple(name for name in found if name) if all(found) else ()


def find_columns(
    path: Path,
    names: Sequence[str],
    config: SurveyConfig,
    profile: Profile,
    units: Mapping[str, str] | None = None,
    header: Mapping[str, Any] | None = None,
) -> Columns:
    """Finds the columns of a table.

    Names that the config states must be there; else those of the profile are looked for, in
    its order.

    Args:
        path: the file, for messages.
        names: its columns.
        config: what is stated about the survey.
        profile: the survey's profile.
        units: of columns, where the file has them.
        header: FITS keywords.

    Raises:
        DataAnomalyError: times or magnitudes are not there.
        UsageError: there are fluxes of unknown zero point.
    """
    measures = _measures(path, names, config, profile, units or {}, header or {})
    band = None
    if not any(measure.band for measure in measures):
        band = first_of(names, profile.band.columns)
        if band is None and profile.has_usual_names:
            band = next((name for name in names if _BAND_LIKE.search(key(name))), None)
    own_id, parts = id_of(names, config, profile), _id_parts(names, profile)
    found = Columns(
        measures,
        id=own_id,
        id_parts=parts if own_id in parts else (),
        band=band,
        class_name=first_of(names, CLASS) if profile.has_usual_names else None,
        quality=tuple(
            (rule, column)
            for rule in profile.quality
            if (column := first_of(names, rule.column)) is not None
        ),
    )
    used = {*found.numbers, *found.texts}
    looks = {
        "bands": _BAND_LIKE,
        "flags": FLAG_LIKE,
        "errors": _ERROR_LIKE,
        "known periods": _PERIOD_LIKE,
    }
    unused: dict[str, list[str]] = {}
    for name in names:
        for what, pattern in looks.items():
            if name not in used and pattern.search(key(name)):
                unused.setdefault(what, []).append(name)
                break
    listed = {what: tuple(columns) for what, columns in unused.items()}
    return replace(found, unused=listed)


def _measures(
    path: Path,
    names: Sequence[str],
    config: SurveyConfig,
    profile: Profile,
    units: Mapping[str, str],
    header: Mapping[str, Any],
) -> tuple[Measure, ...]:
    stated_time, stated_value, stated_error = config.series
    wants_flux = config.calibration.zero_point is not None or config.flux
    usual = (stated_time, stated_value, stated_error) == ("mjd", "mag", "errmag")
    time = _stated(names, stated_time) if stated_time != "mjd" else None
    time = time or time_column(names, profile.time.columns)
    if not usual:
        value = _stated(names, stated_value)
        error = _stated(names, stated_error)
        rule = ValueRule(magnitude=(stated_value,))
        if stated_value == "mag":
            rules = [r for r in profile.value if bool(r.magnitude) != wants_flux]
            value = value or next(filter(None, (_value_of(names, r) for r in rules)), None)
        if stated_error == "errmag" and error is None:
            rules = [r for r in profile.value if bool(r.magnitude) != wants_flux]
            error = next(filter(None, (first_of(names, r.error) for r in rules)), None)
        lacking = [n for n, f in ((stated_time, time), (stated_value, value)) if not f]
        if stated_error != "errmag" and error is None:
            lacking.append(stated_error)
        if lacking or time is None or value is None:
            raise _lacks(path, names, lacking, profile)
        system = profile.time.system_of(time)
        scale, error_scale = _scales(value, error, units, wants_flux)
        return (
            Measure(
                time,
                value,
                error,
                system,
                is_flux=wants_flux,
                zero_point=config.calibration.zero_point,
                scale=scale,
                error_scale=error_scale,
            ),
        )
    found: list[Measure] = []
    for rule in profile.value:
        if wants_flux and rule.magnitude:
            continue
        measure = _measure(names, rule, time, profile, config, units, header)
        if measure is not None and (measure.band or not found):
            found.append(measure)
            if not measure.band:
                break
    known = not found or not found[0].is_flux or found[0].zero_point is not None
    if found and known:
        return tuple(found)
    if found and wants_flux:
        raise UsageError(
            "--flux needs --zero-point, the magnitude of a flux of 1. Received: --flux alone, for "
            f"{path}, whose flux has no known unit. Look it up in the survey's description; that "
            "of TESS is 20.44."
        )
    flux = next((name for r in profile.value if (name := first_of(names, r.flux))), None)
    if time and flux and not wants_flux:
        raise UsageError(
            f"{path} has fluxes (column {flux}) and no magnitudes, and their zero point is not "
            "known. Give --flux with the magnitude of a flux of 1 as --zero-point, or name the "
            "survey (--survey)."
        )
    rules = [rule for rule in profile.value if not (wants_flux and rule.magnitude)]
    lacking = ["mjd"] * (time is None)
    if not any(_value_of(names, rule) for rule in rules):
        lacking.append("flux" if wants_flux else "mag")
    raise _lacks(path, names, lacking, profile)


def _measure(
    names: Sequence[str],
    rule: ValueRule,
    time: str | None,
    profile: Profile,
    config: SurveyConfig,
    units: Mapping[str, str],
    header: Mapping[str, Any],
) -> Measure | None:
    is_flux = not rule.magnitude
    value = _value_of(names, rule)
    time = first_of(names, rule.time) or time
    if value is None or time is None:
        return None
    own: tuple[str, ...] = _errors_of(value)
    unit_in_name = _unit_in(value) if is_flux else ""
    if unit_in_name and key(value).endswith(f"_{unit_in_name}"):
        bare = key(value).removesuffix(f"_{unit_in_name}")
        own += tuple(f"{name}_{unit_in_name}" for name in _errors_of(bare))
    errors = (*rule.error, *own) if not rule.error or profile.has_usual_names else rule.error
    errors = (*own, *rule.error) if profile.has_usual_names and is_flux else errors
    error = first_of(names, errors) if is_flux else _magnitude_of(names, errors)
    flux = flux_error = signal_to_noise = None
    if error is None:
        flux_error = None if is_flux else first_of(names, rule.flux_error)
        flux = first_of(names, rule.flux) if flux_error else None
        flux_error = flux_error if flux else None
        signal_to_noise = None if flux_error else first_of(names, rule.signal_to_noise)
    zero_point: float | Mapping[str, float] | None = None
    unit_known = False
    scale, error_scale = _scales(value, error, units, is_flux)
    if is_flux:
        unit = rule.unit or units.get(value, "") or _unit_in(value)
        unit_known = unit == "relative" or ab_zero_point(unit) is not None
        zero_point = config.calibration.zero_point
        if zero_point is None and rule.zero_point_header:
            found = header.get(rule.zero_point_header)
            zero_point = float(found) if isinstance(found, (int, float)) else None
        if zero_point is None:
            zero_point = rule.zero_point
        if zero_point is None:
            zero_point = ab_zero_point(unit)
    return Measure(
        time,
        value,
        error,
        profile.time.system_of(time),
        is_flux,
        flux,
        flux_error,
        signal_to_noise,
        zero_point,
        rule.band,
        unit_known,
        scale,
        error_scale,
    )


def _value_of(names: Sequence[str], rule: ValueRule) -> str | None:
    return _magnitude_of(names, rule.magnitude) if rule.magnitude else first_of(names, rule.flux)


def _magnitude_of(names: Sequence[str], usual: Sequence[str]) -> str | None:
    """A column of magnitudes, or of thousandths of them: ``err [mmag]``."""
    return first_of(names, usual) or first_of(names, [f"{name}_mmag" for name in usual])


def _errors_of(name: str) -> tuple[str, ...]:
    """What the errors of a column are called."""
    return (f"{name}_err", f"{name}err", f"{name}_error", f"e_{name}", f"{name}_sigma")


def _scales(
    value: str, error: str | None, units: Mapping[str, str], is_flux: bool
) -> tuple[float, float]:
    """What value and error are multiplied by."""
    if is_flux:
        return 1.0, _of_fluxes(value, error, units)
    return _of_magnitudes(value, units), _of_magnitudes(error, units)


def _of_magnitudes(name: str | None, units: Mapping[str, str]) -> float:
    """What a column of magnitudes, or of their errors, is multiplied by."""
    milli = name and (units.get(name, "").lower() == "mmag" or key(name).endswith("_mmag"))
    return 1e-3 if milli else 1.0


def _of_fluxes(value: str, error: str | None, units: Mapping[str, str]) -> float:
    """What errors of a flux are multiplied by to be in its unit."""
    of_value, of_error = (ab_zero_point(units.get(name or "", "")) for name in (value, error))
    if of_value is None or of_error is None or of_value == of_error:
        return 1.0
    return float(10 ** round(0.4 * (of_value - of_error), 6))


def _unit_in(name: str) -> str:
    """The unit in a column's name: ``flux (mJy)``, ``flux_ujy``, ``uJy``."""
    words = key(name).split("_")
    return next((word for word in reversed(words) if ab_zero_point(word) is not None), "")


def _stated(names: Sequence[str], name: str) -> str | None:
    return name if name in names else first_of(names, (name,))


def _lacks(
    path: Path, names: Sequence[str], lacking: list[str], profile: Profile
) -> DataAnomalyError:
    survey = "" if profile.is_generic else f" (survey {profile.name})"
    other = (
        " If it holds something else, take it out of the folder; metadata are given as --metadata."
        if len(lacking) > 1
        else ""
    )
    return DataAnomalyError(
        f"{path} lacks the column(s) {', '.join(lacking)}{survey}; it has {', '.join(names)}. "
        f"Name the columns in config.toml if they are called differently.{other}"
    )


def folder_band(path: Path) -> str:
    """The band that a file's folder is called after, or ""."""
    return path.parent.name if path.parent.name in BANDS else ""
