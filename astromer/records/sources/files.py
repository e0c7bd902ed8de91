"""Which files of a folder hold light curves, told by their names.

Imports the standard library only.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from astromer.records.fold import natural_key
from astromer.system.errors import DataAnomalyError, DataNotFoundError

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


def data_files(place: Path, besides: Iterable[Path | None] = ()) -> tuple[str, list[Path]]:
    """The files with light curves, in natural order, and their kind.

    Args:
        place: a folder, or one file.
        besides: files that hold something else.

    Raises:
        DataNotFoundError: there are none.
        DataAnomalyError: they are of several kinds.
    """
    if place.is_file():
        kind = kind_of(place)
        if kind is None:
            raise DataNotFoundError(
                f"{place} is a file of no known kind: its name must end in {_suffixes()}."
            )
        return kind, [place]
    others = {path.resolve() for path in besides if path is not None}
    files: dict[str, list[Path]] = {}
    for path in place.iterdir():
        kind = kind_of(path)
        if kind and _may_hold_curves(path) and path.resolve() not in others:
            files.setdefault(kind, []).append(path)
    if not files:
        raise DataNotFoundError(
            f"{place} holds no light curves: no *.parquet shards and no other files in "
            f"{_suffixes()}."
        )
    if len(files) > 1:
        found = ", ".join(f"{len(paths)} {kind}" for kind, paths in sorted(files.items()))
        raise DataAnomalyError(
            f"{place} holds files of several kinds ({found}), so it is not clear which are the "
            "light curves. Put them into a folder of their own, or name it in config.toml."
        )
    ((kind, paths),) = files.items()
    return kind, sorted(paths, key=natural_key)


def _may_hold_curves(path: Path) -> bool:
    name = path.name.lower()
    return path.is_file() and not name.startswith((".", *_NO_CURVES))


def _suffixes() -> str:
    return ", ".join(sorted(_KINDS))
