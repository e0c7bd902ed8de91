"""The ``config.toml`` that describes a survey and the records made from it.

Imports nothing heavier than NumPy.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from astromer.records.cleaning import Calibration
from astromer.records.config import MissingErrorsConfig, SurveyOptions
from astromer.records.encoding import SERIES
from astromer.records.sources.names import is_fold, metadata_file, stem_of
from astromer.records.survey_profile import (
    AUTO_PROFILE,
    GENERIC,
    SECTIONS,
    Profile,
    make_profile,
)
from astromer.system.errors import DataNotFoundError, UsageError
from astromer.system.storage import RemotePath, local_path
from astromer.system.text import brief, shortened
from astromer.system.untrusted_files import (
    MOST_TOML_BYTES,
    parse_toml,
    read_text,
    to_toml,
)

DTYPES = ("string", "integer", "float")
_METADATA, _LIGHT_CURVES = "metadata.parquet", "light_curves"
_FOLDERS = (_LIGHT_CURVES, "phot")
"""Where observations lie in a survey's folder; ``phot`` is OGLE's."""
_DEFAULT_CONTEXT = {
    "newID": "integer",
    "ID": "string",
    "Class": "string",
    "Band": "string",
    "Label": "integer",
    "shard": "integer",
}


@dataclass(frozen=True)
class SurveyConfig:
    """Where a survey lies, what its columns are called and what its numbers mean.

    Attributes:
        text: the TOML text that goes with the records.
        target: where records go by default, as written.
        id_column: column that joins metadata and observations.
        metadata: table with one row per light curve or star, or None.
        test_metadata: a second such table whose stars make up the test subset, or None.
        light_curves: folder of files with observations, or one such file.
        context: dtype ('string', 'integer' or 'float') of each metadata column to write.
        series: columns that hold time, magnitude (or flux) and error, in this order.
        columns: names of the columns of text files without a header, in order.
        calibration: whether there are magnitudes or fluxes, and which times.
        period_column: the column of known periods [days]; "" for one with a usual name.
        period_table: a table of known periods, with a column of ids; None where the metadata
            have that column, or no period is known.
        survey: name of the profile, a profile's TOML file, or ``auto``.
        profile: what ``config.toml`` itself says of the survey, as a profile does.
        flux: whether fluxes are wanted where there are magnitudes too.
        id_stated: whether the id column must be there.
        time_stated: whether the calibration's time offset was stated, be it 0.
        described: whether a file says all this; the usual names are looked for otherwise.
    """

    text: str
    target: str
    id_column: str
    metadata: Path | None
    test_metadata: Path | None
    light_curves: Path
    context: Mapping[str, str]
    series: tuple[str, str, str]
    columns: tuple[str, ...] = ()
    calibration: Calibration = field(default_factory=Calibration)
    period_column: str = ""
    period_table: Path | None = None
    described: bool = field(default=True, compare=False)
    survey: str = AUTO_PROFILE
    profile: Profile | None = None
    flux: bool = False
    id_stated: bool = False
    time_stated: bool = False

    @property
    def tables(self) -> tuple[Path | None, ...]:
        """Files that may lie among the light curves and hold none."""
        return self.metadata, self.test_metadata, self.period_table

    def with_context(self, context: Mapping[str, str], id_column: str) -> SurveyConfig:
        """The config of records with these context features."""
        if dict(context) == dict(self.context) and id_column == self.id_column:
            return self
        metadata = self.metadata.name if self.metadata else _METADATA
        text = features_toml(id_column, context, self.target, metadata, self.light_curves.name)
        return dataclasses.replace(self, text=text, context=context, id_column=id_column)


def default_config(survey: Path, metadata: Path | None = None) -> SurveyConfig:
    """The config of a survey that has none: the documented layouts and column names.

    Args:
        survey: a folder, or a file that holds all observations.
        metadata: its metadata table, where that lies elsewhere.
    """
    found = _default_metadata(survey, metadata)
    light_curves = _default_light_curves(survey)
    shards = light_curves != survey and any(light_curves.glob("*.parquet"))
    if found is None and survey.is_dir() and shards:
        raise DataNotFoundError(
            f"the metadata table is missing: there is no {survey / _METADATA}. A raw survey needs "
            f"metadata.parquet and light_curves/. To do without, give --data {light_curves}."
        )
    target = f"./data/records/{_stem(survey)}"
    return SurveyConfig(
        text=features_toml("newID", _DEFAULT_CONTEXT, target),
        target=target,
        id_column="newID",
        metadata=found,
        test_metadata=None,
        light_curves=light_curves,
        context=_DEFAULT_CONTEXT,
        series=SERIES,
        described=False,
    )


def load_config(path: Path, survey: Path, metadata: Path | None = None) -> SurveyConfig:
    """Reads a ``config.toml``; what it does not say is as in :func:`default_config`.

    Relative input paths are looked for in the config's folder, the current folder and the
    survey's folder, in this order.

    Args:
        path: the file.
        survey: the survey's folder or file.
        metadata: its metadata table, instead of the one that the file names.

    Raises:
        UsageError: the file is no TOML, or a setting is missing or of the wrong kind.
        DataNotFoundError: a file that it names does not exist.
    """
    try:
        text = read_text(path, MOST_TOML_BYTES)
        settings = _Settings(path, parse_toml(text))
    except (OSError, ValueError) as error:
        raise UsageError(f"{path} cannot be read as TOML: {brief(error)}.") from None
    folders = [path.resolve().parent, Path.cwd(), survey]
    target = settings.string("target", "path", default=f"./data/records/{_stem(survey)}")
    table = settings.string("context_features", "path", default="")
    test_table = settings.string("context_features", "test_path", default="")
    series_path = settings.string("sequential_features", "path", default="")
    period_table = settings.string("period", "path", default="")
    described = settings.has("context_features", "value")
    context = settings.columns("context_features") if described else dict(_DEFAULT_CONTEXT)
    id_column = settings.string("id_column", "value", default=None if described else "newID")
    if id_column not in context:
        id_dtype = settings.string("id_column", "dtype", default="integer")
        context = {id_column: settings.dtype("id_column", id_dtype), **context}
    series = SERIES
    if settings.has("sequential_features", "value"):
        series = _order_series(list(settings.columns("sequential_features")), path)
    calibration = _calibration(settings)
    columns = tuple(settings.names("text", "columns"))
    own = settings.profile()
    name = settings.string("survey", "name", default=AUTO_PROFILE)
    as_written = series == SERIES and calibration == Calibration() and described
    processed = settings.has("processing") or settings.has("period")
    if not as_written or columns or own or name != AUTO_PROFILE or processed:
        # Records always carry the canonical names, so their config must say so.
        text = features_toml(
            id_column, context, target, table or _METADATA, series_path or _LIGHT_CURVES
        )
    if metadata is None and table:
        metadata = _existing(table, folders, "the metadata table")
    return SurveyConfig(
        text=text,
        target=target,
        id_column=id_column,
        metadata=_default_metadata(survey, metadata),
        test_metadata=(
            _existing(test_table, folders, "the test metadata table") if test_table else None
        ),
        light_curves=(
            _existing(series_path, folders, "the light-curve folder")
            if series_path and survey.is_dir() and not is_fold(survey)
            else _default_light_curves(survey)
        ),
        context=context,
        series=series,
        columns=columns,
        calibration=calibration,
        period_column=settings.string("period", "value", default=""),
        period_table=(
            _existing(period_table, folders, "the table of periods") if period_table else None
        ),
        described=described,
        survey=name,
        profile=own,
        flux=calibration.zero_point is not None,
        time_stated=settings.has("sequential_features", "time_offset"),
    )


def describe_survey(options: SurveyOptions, survey: Path) -> SurveyConfig:
    """The config of a survey, with what the options say in its place.

    Args:
        options: of a command.
        survey: the survey's folder or file.

    Raises:
        UsageError: options do not fit each other, or a file does not say what it must.
        DataNotFoundError: a file is not there.
    """
    path = Path(options.config)
    if options.config or not isinstance(survey, RemotePath):
        path = local_path(options.config or survey / "config.toml", "--config").expanduser()
    metadata = None
    if options.metadata:
        metadata = local_path(options.metadata, "--metadata").expanduser()
    for option, file in (("config", options.config and path), ("metadata", metadata)):
        if file and not file.is_file():
            raise DataNotFoundError(f"there is no {option} file {file}.")
    # The config of a fold describes its records, which describe themselves.
    if options.config or (path.is_file() and not is_fold(survey)):
        config = load_config(path, survey, metadata)
    else:
        config = default_config(survey, metadata)
    calibration = config.calibration
    if (
        options.zero_point is not None
        and options.survey == AUTO_PROFILE
        and not (options.flux or calibration.zero_point is not None)
    ):
        raise UsageError("--zero-point is for fluxes: give --flux too.")
    if options.zero_point is not None:
        calibration = dataclasses.replace(calibration, zero_point=options.zero_point)
    if options.time_offset is not None:
        calibration = dataclasses.replace(calibration, time_offset=options.time_offset)
    columns = config.columns
    if options.columns:
        columns = tuple(name.strip() for name in options.columns.split(","))
    return dataclasses.replace(
        config,
        calibration=calibration,
        columns=columns,
        survey=options.survey if options.survey != AUTO_PROFILE else config.survey,
        profile=config.profile if options.survey == AUTO_PROFILE else None,
        id_column=options.id_column or config.id_column,
        id_stated=bool(options.id_column),
        flux=options.flux or config.flux,
        time_stated=config.time_stated or options.time_offset is not None,
    )


def _calibration(settings: _Settings) -> Calibration:
    kind = settings.string("sequential_features", "kind", default="magnitude")
    if kind not in ("magnitude", "flux"):
        raise UsageError(
            f"[sequential_features] kind in {settings.path} must be magnitude or flux. Received: "
            f"{_shown(kind)}."
        )
    offset = settings.number("sequential_features", "time_offset", 0.0)
    if kind == "magnitude":
        return Calibration(None, offset)
    return Calibration(settings.number("sequential_features", "zero_point"), offset)


def _default_metadata(survey: Path, given: Path | None) -> Path | None:
    if given is not None or survey.is_file() or is_fold(survey):
        return given
    return metadata_file(survey)


def _default_light_curves(survey: Path) -> Path:
    inside = (survey / name for name in _FOLDERS)
    return next((folder for folder in inside if folder.is_dir()), survey)


def _stem(survey: Path) -> str:
    return stem_of(survey) if survey.is_file() else survey.resolve().name


class _Settings:
    """Typed access to a TOML document."""

    def __init__(self, path: Path, document: Mapping[str, Any]) -> None:
        self.path = path
        self._document = document

    def has(self, section: str, key: str = "") -> bool:
        table = self._document.get(section)
        return table is not None and (not key or (isinstance(table, dict) and key in table))

    def profile(self) -> Profile | None:
        """The profile that the document holds, where it has sections of one."""
        own = {name: value for name, value in self._document.items() if name in SECTIONS}
        if not own:
            return None
        base = self.string("survey", "name", default=GENERIC)
        return make_profile({"based_on": base, "name": self.path.stem, **own}, self.path)

    def string(self, section: str, key: str, default: str | None = None) -> str:
        value = self._get(section, key, default)
        return str(self._check(isinstance(value, str), section, key, "a string", value))

    def number(self, section: str, key: str, default: float | None = None) -> float:
        value = self._get(section, key, default)
        is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
        return float(self._check(is_number, section, key, "a number", value))

    def names(self, section: str, key: str) -> list[str]:
        value = self._get(section, key, [])
        are_names = isinstance(value, list) and all(isinstance(item, str) for item in value)
        return list(self._check(are_names, section, key, "a list of strings", value))

    def columns(self, section: str) -> dict[str, str]:
        names = self.names(section, "value")
        dtypes = self.names(section, "dtypes") or ["float"] * len(names)
        fit = len(names) == len(dtypes) and len(set(names)) == len(names)
        rule = f"without repeats, and dtypes ({_shown(dtypes)}) equally long"
        self._check(fit, section, "value", rule, names)
        return {n: self.dtype(section, d) for n, d in zip(names, dtypes, strict=True)}

    def dtype(self, section: str, name: str) -> str:
        rule = f"among {', '.join(DTYPES)}"
        return str(self._check(name in DTYPES, section, "dtype or dtypes", rule, name))

    def _check(self, valid: bool, section: str, key: str, rule: str, value: Any) -> Any:
        if not valid:
            raise UsageError(
                f"[{section}] {key} in {self.path} must be {rule}. Received: {_shown(value)}."
            )
        return value

    def _get(self, section: str, key: str, default: Any = None) -> Any:
        table = self._document.get(section, {})
        value = table.get(key, default) if isinstance(table, dict) else None
        if value is None:
            raise UsageError(f"{self.path} lacks [{section}] {key}. See docs/data_format.md.")
        return value


def _shown(value: Any) -> str:
    """A value as a message shows it: a config may hold anything, of any length."""
    return shortened(repr(value), 300)


def _order_series(names: list[str], path: Path) -> tuple[str, str, str]:
    if set(SERIES) <= set(names):
        return SERIES
    if len(names) != 3:
        raise UsageError(
            f"[sequential_features] value in {path} must name {', '.join(SERIES)}, or three "
            f"columns in the order time, magnitude, error. Received: {_shown(names)}."
        )
    return names[0], names[1], names[2]


def _existing(name: str, folders: list[Path], what: str) -> Path:
    try:
        tried = [folder / Path(name).expanduser() for folder in folders]
        for path in tried:
            if path.exists():
                return path
    except (OSError, RuntimeError) as error:  # a name that is too long, ~ of nobody
        raise DataNotFoundError(
            f"{what} must be a path. Received: {shortened(name)!r} ({brief(error)}). "
            "Correct config.toml."
        ) from None
    unique = dict.fromkeys(str(path) for path in tried)
    raise DataNotFoundError(
        f"{what} is missing: there is no {' nor '.join(unique)}. A raw survey needs "
        "metadata.parquet and light_curves/, or a config.toml that says where they are."
    )


def features_toml(
    id_column: str,
    context: Mapping[str, str],
    target: str = "",
    metadata: str = _METADATA,
    light_curves: str = _LIGHT_CURVES,
) -> str:
    """The ``config.toml`` of records: their features, and where they come from and go to."""
    return toml_tables(
        {
            "id_column": {"value": id_column, "dtype": context[id_column]},
            **({"target": {"path": target}} if target else {}),
            "context_features": {
                "path": metadata,
                "value": list(context),
                "dtypes": list(context.values()),
            },
            "sequential_features": {
                "path": light_curves,
                "value": list(SERIES),
                "dtypes": ["float"] * 3,
            },
        }
    )


def toml_tables(tables: Mapping[str, Mapping[str, Any]]) -> str:
    """TOML tables by name, with an empty line between them."""
    texts = []
    for name, values in tables.items():
        lines = [f"{key} = {to_toml(value)}" for key, value in values.items()]
        texts.append("\n".join([f"[{name}]", *lines, ""]))
    return "\n".join(texts)


@dataclass(frozen=True)
class Processing:
    """How values became what the records hold.

    Attributes:
        calibration: of magnitudes and times.
        errors: what became of missing errors.
        bands: the bands that were kept; all where there are none.
        survey: name of the profile, where one was known.
    """

    calibration: Calibration
    errors: MissingErrorsConfig
    bands: tuple[str, ...] = ()
    survey: str = ""

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON types; only what was done."""
        done: dict[str, Any] = {"missing_errors": self.errors.missing_errors}
        if self.errors.missing_errors != "refuse":
            done["error_fill"] = self.errors.error_fill
        if self.calibration.zero_point is not None:
            done["kind"] = "flux"
            done["zero_point"] = self.calibration.zero_point
        if self.calibration.time_offset:
            done["time_offset"] = self.calibration.time_offset
        if self.survey:
            done["survey"] = self.survey
        if self.bands:
            done["bands"] = list(self.bands)
        return done

    def to_toml(self) -> str:
        """A table ``[processing]``."""
        return "\n" + toml_tables({"processing": self.as_dict()})
