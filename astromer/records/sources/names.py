"""Names that surveys use for their files and columns.

Imports the standard library only.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from astromer.records.fold import natural_key
from astromer.system.errors import DataAnomalyError, DataNotFoundError, UsageError

if TYPE_CHECKING:
    from astromer.records.survey_config import SurveyConfig

TEXT, FITS, PARQUET = "text", "FITS", "Parquet"
_KINDS = {
    ".csv": TEXT,
    ".dat": TEXT,
    ".lc": TEXT,
    ".tsv": TEXT,
    ".txt": TEXT,
    ".fit": FITS,
    ".fits": FITS,
    ".parquet": PARQUET,
}
_SPLITS = ("train", "validation", "val", "test")
_NO_CURVES = ("readme", "license", "licence", "metadata", "sha256sums")
METADATA = ("metadata.parquet", "metadata.csv", "metadata.fits")
_METADATA = (*METADATA, "metadata.tsv", "metadata.dat", "metadata.txt", "metadata.csv.gz")
TIME = ("mjd", "hjd", "jd", "bjd", "time", "date", "t")
MAG = ("mag", "magnitude", "m")
MAG_ERROR = ("errmag", "err", "error", "magerr", "mag_err", "e_mag", "sigma", "mag_error")
FLUX = ("pdcsap_flux", "flux", "sap_flux")
FLUX_ERROR = ("flux_err", "fluxerr", "e_flux", "flux_error", "err", "error", "sigma")
ID = (
    *("newid", "id", "object_id", "objectid", "object", "oid", "objid", "star", "star_id"),
    *("starid", "source_id", "sourceid", "name", "kepid", "keplerid", "kic", "ticid", "tic"),
)
CLASS = ("class", "type", "vartype", "var_type", "label")
BAND = ("band", "filter", "filt", "passband", "bandpass", "fid")
CONTEXT = {name.lower(): name for name in ("newID", "ID", "Class", "Band", "Label")}
"""Usual names of context features, as records write them."""
FILE = ("file", "path", "filename", "file_name")


def kind_of(path: Path) -> str | None:
    """``"text"``, ``"FITS"``, ``"Parquet"`` or None, by the suffix; ``.gz`` may follow it."""
    name = path.name.lower().removesuffix(".gz")
    return _KINDS.get(Path(name).suffix)


def stem_of(path: Path) -> str:
    """The name without its suffix and ``.gz``: ``OGLE-1.2.dat.gz`` is ``OGLE-1.2``."""
    name = path.name[:-3] if path.name.lower().endswith(".gz") else path.name
    return Path(name).stem if kind_of(path) else name


def is_fold(folder: Path) -> bool:
    """Whether a folder is a fold of records."""
    return sum((folder / name).is_dir() for name in _SPLITS) >= 2


def metadata_file(folder: Path) -> Path | None:
    """The metadata table of a folder, where there is one under a usual name."""
    return next((folder / name for name in _METADATA if (folder / name).is_file()), None)


def data_files(survey: Path, besides: Iterable[Path | None] = ()) -> tuple[str, list[Path]]:
    """The files with light curves, in natural order, and their kind.

    Args:
        survey: a folder, or one file.
        besides: files that hold something else.

    Raises:
        DataNotFoundError: there are none.
        DataAnomalyError: they are of several kinds.
    """
    if survey.is_file():
        kind = kind_of(survey)
        if kind is None:
            raise DataNotFoundError(
                f"{survey} is a file of no known kind: its name must end in {_suffixes()}."
            )
        return kind, [survey]
    others = {path.resolve() for path in besides if path is not None}
    files: dict[str, list[Path]] = {}
    for path in survey.iterdir():
        kind = kind_of(path)
        if kind and _may_hold_curves(path) and path.resolve() not in others:
            files.setdefault(kind, []).append(path)
    if not files:
        raise DataNotFoundError(
            f"{survey} holds no light curves: no *.parquet shards and no other files in "
            f"{_suffixes()}."
        )
    if len(files) > 1:
        found = ", ".join(f"{len(paths)} {kind}" for kind, paths in sorted(files.items()))
        raise DataAnomalyError(
            f"{survey} holds files of several kinds ({found}), so it is not clear which are the "
            "light curves. Put them into a folder of their own, or name it in config.toml."
        )
    ((kind, paths),) = files.items()
    return kind, sorted(paths, key=natural_key)


def _may_hold_curves(path: Path) -> bool:
    name = path.name.lower()
    return path.is_file() and not name.startswith((".", *_NO_CURVES))


def _suffixes() -> str:
    return ", ".join(sorted(_KINDS))


@dataclass(frozen=True)
class Columns:
    """Names of a table's columns; None for what it does not have.

    Attributes:
        time, value, error: of the observations; value is a magnitude or a flux.
        id: which object a row belongs to, where the table holds several.
        band, class_name: of the object.
    """

    time: str
    value: str
    error: str | None
    id: str | None = None
    band: str | None = None
    class_name: str | None = None

    @property
    def numbers(self) -> list[str]:
        """Columns with numbers."""
        return [self.time, self.value, *([self.error] if self.error else [])]

    @property
    def texts(self) -> list[str]:
        """Columns with names."""
        return [name for name in (self.id, self.band, self.class_name) if name]


def first_of(names: Sequence[str], usual: Sequence[str]) -> str | None:
    """The first of some usual names that a table has, whatever their case."""
    by_lower = {name.lower(): name for name in reversed(names)}
    return next((by_lower[name] for name in usual if name in by_lower), None)


def id_of(names: Sequence[str], config: SurveyConfig) -> str | None:
    """The column that tells the object: the config's, else one with a usual name."""
    if config.id_column in names:
        return config.id_column
    return None if config.described else first_of(names, ID)


def find_columns(path: Path, names: Sequence[str], config: SurveyConfig) -> Columns:
    """Finds the columns of a table.

    Names that the config states must be there; the canonical ones (mjd, mag, errmag) stand
    for any usual name. A table without errors has them all missing.

    Raises:
        DataAnomalyError: times or magnitudes are not there.
        UsageError: there are fluxes, and it is not stated that they are to be taken.
    """
    is_flux = config.calibration.zero_point is not None
    time = _find(names, config.series[0], "mjd", TIME)
    value = _find(names, config.series[1], "mag", FLUX if is_flux else MAG)
    if is_flux:
        of_value = (f"{value}_err".lower(), f"{value}err".lower(), f"e_{value}".lower())
        error = _find(names, config.series[2], "errmag", (*of_value, *FLUX_ERROR))
    else:
        error = _find(names, config.series[2], "errmag", MAG_ERROR)
    if time and not value and not is_flux and (flux := first_of(names, FLUX)):
        raise UsageError(
            f"{path} has fluxes (column {flux}) and no magnitudes. Give --flux with the magnitude "
            "of a flux of 1 as --zero-point."
        )
    lacking = [
        name for name, found in zip(config.series[:2], (time, value), strict=True) if not found
    ]
    if config.series[2] != "errmag" and error is None:
        lacking.append(config.series[2])
    if lacking or time is None or value is None:
        raise DataAnomalyError(
            f"{path} lacks the column(s) {', '.join(lacking)}; it has {', '.join(names)}. "
            "Name the columns in config.toml if they are called differently."
        )
    return Columns(
        time,
        value,
        error,
        id=id_of(names, config),
        band=first_of(names, BAND),
        class_name=first_of(names, CLASS),
    )


def _find(names: Sequence[str], stated: str, canonical: str, usual: tuple[str, ...]) -> str | None:
    if stated in names:
        return stated
    return first_of(names, usual if stated == canonical else (stated.lower(),))
