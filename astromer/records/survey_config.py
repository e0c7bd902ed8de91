"""The ``config.toml`` that describes a raw survey and the records made from it.

Imports the standard library (and its TOML reader) only.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from astromer.errors import DataNotFoundError, UsageError
from astromer.toml import tomllib

DTYPES = ("string", "integer", "float")
_SERIES = ("mjd", "mag", "errmag")
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
    """Where a raw survey lies and what its columns are called.

    Attributes:
        text: the TOML text that goes with the records.
        target: where records go by default, as written.
        id_column: column that joins metadata and observations.
        metadata: Parquet table, one row per light curve.
        test_metadata: a second such table whose stars make up the test subset, or None.
        light_curves: folder of Parquet shards (or one file), one row per observation.
        context: dtype ('string', 'integer' or 'float') of each metadata column to write.
        series: columns that hold time, magnitude and error, in this order.
    """

    text: str
    target: str
    id_column: str
    metadata: Path
    test_metadata: Path | None
    light_curves: Path
    context: Mapping[str, str]
    series: tuple[str, str, str]


def default_config(survey: Path) -> SurveyConfig:
    """The config of a survey that has none: the documented layout and column names."""
    target = f"./data/records/{survey.resolve().name}"
    return SurveyConfig(
        text=_to_toml("newID", target, "metadata.parquet", "light_curves", _DEFAULT_CONTEXT),
        target=target,
        id_column="newID",
        metadata=_existing("metadata.parquet", [survey], "the metadata table"),
        test_metadata=None,
        light_curves=_existing("light_curves", [survey], "the light-curve folder"),
        context=_DEFAULT_CONTEXT,
        series=_SERIES,
    )


def load_config(path: Path, survey: Path) -> SurveyConfig:
    """Reads a ``config.toml``.

    Relative input paths are looked for in the config's folder, the current folder and the
    survey's folder, in this order.

    Raises:
        UsageError: the file is no TOML, or a setting is missing or of the wrong kind.
        DataNotFoundError: a file that it names does not exist.
    """
    try:
        text = path.read_text(encoding="utf-8")
        settings = _Settings(path, tomllib.loads(text))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UsageError(f"{path} cannot be read as TOML: {error}.") from None
    places = [path.resolve().parent, Path.cwd(), survey]
    id_column = settings.string("id_column", "value")
    target = settings.string("target", "path", default=f"./data/records/{survey.resolve().name}")
    metadata = settings.string("context_features", "path")
    test_metadata = settings.string("context_features", "test_path", default="")
    light_curves = settings.string("sequential_features", "path")
    context = settings.columns("context_features")
    if id_column not in context:
        id_dtype = settings.string("id_column", "dtype", default="integer")
        context = {id_column: settings.dtype("id_column", id_dtype), **context}
    series = _order_series(list(settings.columns("sequential_features")), path)
    if series != _SERIES:
        # Records always carry the canonical names, so their config must say so.
        text = _to_toml(id_column, target, metadata, light_curves, context)
    return SurveyConfig(
        text=text,
        target=target,
        id_column=id_column,
        metadata=_existing(metadata, places, "the metadata table"),
        test_metadata=(
            _existing(test_metadata, places, "the test metadata table") if test_metadata else None
        ),
        light_curves=_existing(light_curves, places, "the light-curve folder"),
        context=context,
        series=series,
    )


class _Settings:
    """Typed access to a TOML document."""

    def __init__(self, path: Path, document: Mapping[str, Any]) -> None:
        self._path = path
        self._document = document

    def string(self, section: str, key: str, default: str | None = None) -> str:
        value = self._get(section, key, default)
        if not isinstance(value, str):
            raise UsageError(f"[{section}] {key} in {self._path} must be a string, got {value!r}.")
        return value

    def columns(self, section: str) -> dict[str, str]:
        names = self._get(section, "value")
        dtypes = self._get(section, "dtypes", ["float"] * len(names))
        for key, value in (("value", names), ("dtypes", dtypes)):
            if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
                raise UsageError(
                    f"[{section}] {key} in {self._path} must be a list of strings, got {value!r}."
                )
        if len(names) != len(dtypes) or len(set(names)) != len(names):
            raise UsageError(
                f"[{section}] value and dtypes in {self._path} must be equally long and value "
                f"without repeats, got {names} and {dtypes}."
            )
        return {n: self.dtype(section, d) for n, d in zip(names, dtypes, strict=True)}

    def dtype(self, section: str, name: str) -> str:
        if name not in DTYPES:
            raise UsageError(
                f"dtypes of [{section}] in {self._path} must be among {', '.join(DTYPES)}, "
                f"got {name!r}."
            )
        return name

    def _get(self, section: str, key: str, default: Any = None) -> Any:
        table = self._document.get(section, {})
        value = table.get(key, default) if isinstance(table, dict) else None
        if value is None:
            raise UsageError(f"{self._path} lacks [{section}] {key}. See docs/data_format.md.")
        return value


def _order_series(names: list[str], path: Path) -> tuple[str, str, str]:
    if set(_SERIES) <= set(names):
        return _SERIES
    if len(names) != 3:
        raise UsageError(
            f"[sequential_features] value in {path} must name {', '.join(_SERIES)}, or three "
            f"columns in the order time, magnitude, error; got {names}."
        )
    return names[0], names[1], names[2]


def _existing(name: str, places: list[Path], what: str) -> Path:
    tried = [place / Path(name).expanduser() for place in places]
    for path in tried:
        if path.exists():
            return path
    unique = dict.fromkeys(str(path) for path in tried)
    raise DataNotFoundError(
        f"{what} is missing: there is no {' nor '.join(unique)}. A raw survey needs "
        "metadata.parquet and light_curves/, or a config.toml that says where they are."
    )


def _to_toml(
    id_column: str, target: str, metadata: str, light_curves: str, context: Mapping[str, str]
) -> str:
    # A JSON string or list of strings is valid TOML.
    return "\n".join(
        [
            "[id_column]",
            f"value = {json.dumps(id_column)}",
            f"dtype = {json.dumps(context[id_column])}",
            "",
            "[target]",
            f"path = {json.dumps(target)}",
            "",
            "[context_features]",
            f"path = {json.dumps(metadata)}",
            f"value = {json.dumps(list(context))}",
            f"dtypes = {json.dumps(list(context.values()))}",
            "",
            "[sequential_features]",
            f"path = {json.dumps(light_curves)}",
            f"value = {json.dumps(list(_SERIES))}",
            f"dtypes = {json.dumps(['float'] * 3)}",
            "",
        ]
    )
