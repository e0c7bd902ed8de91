"""Writes files that lie into a folder and reads them with little memory: ``hostile_files.py DIR``.

Prints the name of each, and the message of its error.
"""

from __future__ import annotations

import gzip
import os
import resource
import sys
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from astropy.io import fits  # noqa: F401 - loaded before memory is short

from astromer.encoder.checkpoint import opened
from astromer.records.framing import masked_crc32c, record_sizes
from astromer.records.sources.fits import open_fits
from astromer.records.sources.tables import open_table
from astromer.records.survey_config import load_config
from astromer.system.errors import AstromerError
from astromer.system.untrusted_files import READ_ERRORS, read_arrays

ROOM = 1 << 30  # bytes of address space on top of what the process has


def cases(folder: Path) -> Iterator[tuple[Path, Callable[[Path], object]]]:
    """A file, and what reads it."""
    path = folder / "claims.record"
    length = (1 << 40).to_bytes(8, "little")
    path.write_bytes(length + masked_crc32c(length).to_bytes(4, "little"))
    yield path, record_sizes
    path = folder / "config.toml"
    with path.open("wb") as file:
        file.truncate(1 << 32)
    yield path, lambda path: load_config(path, folder)
    path = folder / "line.csv"
    with path.open("wb") as file:
        file.truncate(1 << 32)
    path.write_bytes(b"mjd,mag\n")
    with path.open("r+b") as file:
        file.seek(1 << 32)
        file.write(b"\n")
    yield path, lambda path: open_table(path).read([])
    path = folder / "bomb.csv.gz"
    block = gzip.compress(b"1,2\n" * (1 << 22))
    path.write_bytes(gzip.compress(b"mjd,mag\n") + block * 150)  # 2.4 GB
    yield path, lambda path: open_table(path).read([])
    path = folder / "rows.parquet"
    pq.write_table(pa.table({"newID": pa.nulls(30_000_000, pa.int64())}), path)
    yield path, lambda path: open_table(path).read([])
    path = folder / "rows.fits"
    cards = ("SIMPLE  = T", "BITPIX  = 8", "NAXIS   = 1", f"NAXIS1  = {10**12}", "END")
    path.write_bytes("".join(card.ljust(80) for card in cards).ljust(2880).encode())
    yield path, open_fits
    path = folder / "weights.zip"
    with (
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open("weights.data-00000-of-00001", "w", force_zip64=True) as member,
    ):
        for _ in range(40):
            member.write(bytes(1 << 24))  # 670 MB
    yield path, _opened
    path = folder / "state.npz"
    header = "{'descr': '<f4', 'fortran_order': False, 'shape': (1000000000000,), }"
    with zipfile.ZipFile(path, "w") as archive:
        text = header.ljust(117) + "\n"
        archive.writestr("x.npy", b"\x93NUMPY\x01\x00" + bytes([118, 0]) + text.encode())
    yield path, _arrays


def _opened(path: Path) -> None:
    with opened(path):
        pass


def _arrays(path: Path) -> None:
    try:
        read_arrays(path)
    except READ_ERRORS as error:
        raise AstromerError(f"{path}: {type(error).__name__}: {error}") from error


def main() -> None:
    """Reads each file; what is not refused ends the program."""
    taken = int(Path("/proc/self/statm").read_text().split()[0]) * os.sysconf("SC_PAGE_SIZE")
    resource.setrlimit(resource.RLIMIT_AS, (taken + ROOM, taken + ROOM))
    for path, read in cases(Path(sys.argv[1])):
        try:
            read(path)
        except AstromerError as error:
            print(f"{path.name}: {error}")
        else:
            raise SystemExit(f"{path.name} was not refused")


if __name__ == "__main__":
    main()
