"""Names that surveys use for their files and columns.

Imports nothing heavier than NumPy.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from astromer.records.encoding import PERIOD
from astromer.records.fold import FOLDER_NAMES, natural_key
from astromer.system.errors import DataAnomalyError, DataNotFoundError

TEXT, FITS, PARQUET, VOTABLE = "text", "FITS", "Parquet", "VOTable"
_KINDS = {
    **dict.fromkeys((".csv", ".dat", ".lc", ".tsv", ".txt", ".tbl", ".ecsv", ".mrt"), TEXT),
    **dict.fromkeys((".mjd", ".time"), TEXT),
    **dict.fromkeys((".fit", ".fits"), FITS),
    **dict.fromkeys((".parquet", ".pq", ".parq"), PARQUET),
    **dict.fromkeys((".vot", ".votable", ".xml"), VOTABLE),
}
_PACKED = (".gz", ".zip")
_ARCHIVES = (".bz2", ".xz", ".zst", ".z", ".lzma", ".tar", ".tgz", ".7z", ".rar")
"""What is to be unpacked by other programs."""
_MOST_KINDS = 3
_NUMBERED = re.compile(r"\d\.\d+$")
"""Names of text files that end in a number and not in a suffix: ASAS's 002000-0452.0."""
_NO_CURVES = ("readme", "license", "licence", "metadata", "sha256sums", "ident.dat", "remarks.txt")
METADATA = ("metadata.parquet", "metadata.csv", "metadata.fits")
_METADATA = (*METADATA, "metadata.tsv", "metadata.dat", "metadata.txt", "metadata.csv.gz")
CLASS = ("class", "type", "vartype", "var_type", "label")
BAND = ("band", "filter", "filt", "passband", "bandpass", "fid")
BANDS = frozenset(
    [
        "U",
        "B",
        "V",
        "R",
        "I",
        "J",
        "H",
        "K",
        "Ks",
        "Y",
        "u",
        "g",
        "r",
        "i",
        "z",
        "y",
        "w",
        "o",
        "c",
        "L",
        "M",
        "clear",
        "CV",
        "VIS",
        "BT",
        "VT",
        "G",
        "BP",
        "RP",
        "G_BP",
        "G_RP",
        "W1",
        "W2",
        "W3",
        "W4",
        "Rc",
        "Ic",
        "B_E",
        "R_E",
        "zg",
        "zr",
        "zi",
        "red",
        "blue",
        "u'",
        "g'",
        "r'",
        "i'",
        "z'",
        "SG",
        "SR",
        "SI",
        "SZ",
        "TG",
        "TB",
        "TR",
    ]
)
"""Names of bands, by which a folder of each is known."""
PERIOD_NAMES = ("period", "per", "period_d", "period_days")
CONTEXT = {name.lower(): name for name in ("newID", "ID", "Class", "Band", "Label", PERIOD)}
"""Usual names of context features, as records write them."""
FILE = ("file", "path", "filename", "file_name")


def kind_of(path: Path) -> str | None:
    """Text, FITS, Parquet, VOTable or None, by the suffix; ``.gz`` or ``.zip`` may follow it."""
    name = path.name.lower()
    packed = Path(name).suffix
    other = None
    if packed in _PACKED:
        name = name.removesuffix(packed)
        other = TEXT if packed == ".zip" else None
    return _KINDS.get(Path(name).suffix, TEXT if _NUMBERED.search(name) else other)


def stem_of(path: Path) -> str:
    """The name without its suffix and ``.gz``: ``OGLE-1.2.dat.gz`` is ``OGLE-1.2``."""
    packed = path.suffix.lower() in _PACKED
    name = path.name[: -len(path.suffix)] if packed else path.name
    return Path(name).stem if _KINDS.get(Path(name).suffix.lower()) else name


def is_fold(folder: Path) -> bool:
    """Whether a folder is a fold of records."""
    names = [name for options in FOLDER_NAMES.values() for name in options]
    return sum((folder / name).is_dir() for name in names) >= 2


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
                f"{survey} is a file of no known kind: its name must end in {_suffixes()}. "
                f"{_way_out(survey.name)}."
            )
        return kind, [survey]
    if partitions := _partitions(survey):
        return PARQUET, partitions
    others = {path.resolve() for path in besides if path is not None}
    files = _by_kind(survey, others)
    if not files:
        for folder in sorted(path for path in survey.iterdir() if path.name in BANDS):
            for kind, paths in _by_kind(folder, others).items():
                files.setdefault(kind, []).extend(paths)
    if not files:
        raise DataNotFoundError(
            f"{survey} holds no light curves: no *.parquet shards and no other files in "
            f"{_suffixes()}, and no folder of such files called after a band. Received: "
            f"{_what_is_there(survey)}."
        )
    if len(files) > 1:
        found = ", ".join(f"{len(paths)} {kind}" for kind, paths in sorted(files.items()))
        raise DataAnomalyError(
            f"{survey} holds files of several kinds ({found}), so it is not clear which are the "
            "light curves. Put them into a folder of their own, or name it in config.toml."
        )
    ((kind, paths),) = files.items()
    return kind, sorted(paths, key=natural_key)


def _partitions(catalogue: Path) -> list[Path]:
    """The tables of a HATS catalogue: dataset/Norder=1/Dir=0/Npix=7.parquet, or files below."""
    folders = [path for path in (catalogue / "dataset", catalogue) if path.is_dir()]
    found = [path for folder in folders for path in folder.glob("Norder=*/Dir=*/Npix=*")]
    inside = [path for one in found if one.is_dir() for path in one.glob("*.parquet")]
    files = [path for path in found if path.suffix == ".parquet" and path.is_file()]
    return sorted([*files, *inside], key=natural_key)


def _what_is_there(folder: Path) -> str:
    """Files and folders by their kind, and what to do with them."""
    shown = sorted(path for path in folder.iterdir() if not path.name.startswith("."))
    inner = [path.name for path in shown if path.is_dir()]
    found = []
    if inner:
        found.append(
            f"{len(inner)} folder(s), for instance {inner[0]}: give one of them, or put the files "
            "of all into one folder, under names that differ"
        )
    ends: dict[str, list[str]] = {}
    for path in shown:
        if path.is_file() and _may_hold_curves(path):
            ends.setdefault(path.suffix, []).append(path.name)
    for suffix, names in list(ends.items())[:_MOST_KINDS]:
        kind = f"in {suffix}" if suffix else "without a suffix"
        way_out = _way_out(names[0], it="them", its="each")
        found.append(f"{len(names)} file(s) {kind}, for instance {names[0]}: {way_out}")
    return "; ".join(found) or "nothing"


def _way_out(name: str, it: str = "it", its: str = "its") -> str:
    """What to do with a file, or with several, that are not read as they are."""
    if Path(name.removesuffix(".gz")).suffix.lower() in _ARCHIVES:
        return f"Unpack {it} first"
    if Path(name).suffix:
        return f"Export {it} as CSV, FITS or Parquet"
    return f"Add .txt, .fits or .parquet to {its} name"


def _by_kind(folder: Path, others: set[Path]) -> dict[str, list[Path]]:
    files: dict[str, list[Path]] = {}
    for path in folder.iterdir() if folder.is_dir() else ():
        kind = kind_of(path)
        if kind and _may_hold_curves(path) and path.resolve() not in others:
            files.setdefault(kind, []).append(path)
    return files


def _may_hold_curves(path: Path) -> bool:
    name = path.name.lower()
    return path.is_file() and not name.startswith((".", *_NO_CURVES))


def _suffixes() -> str:
    return ", ".join(sorted(_KINDS))
