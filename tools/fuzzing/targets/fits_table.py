"""Any bytes as a FITS table."""

from __future__ import annotations

import gzip
import io
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pyarrow as pa

from astromer.records.sources.fits import FitsTable, open_fits
from tools.fuzzing.target import Target, allowed, require


def check(data: bytes, folder: Path) -> None:
    """A table is read as a whole and in blocks, or refused."""
    path = folder / "a.fits"
    path.write_bytes(data)
    table = allowed(lambda: open_fits(path), path)
    if table is None:
        return
    whole = allowed(lambda: table.read(table.names[:1]), path)
    blocks = allowed(lambda: _read(table, list(table.names[1:4]), list(table.names[:1])), path)
    if whole is not None and blocks is not None and whole.num_columns:
        require(sum(block.num_rows for block in blocks) == whole.num_rows, "rows were lost")


def _read(table: FitsTable, numbers: list[str], texts: list[str]) -> list[pa.Table]:
    return [make() for make in table.blocks(numbers, texts)]


def seeds() -> Iterable[bytes]:
    """Binary and ASCII tables, as Kepler's are and without keywords, plain and gzip."""
    from astropy.io import fits

    columns = [
        fits.Column("ID", "4A", array=np.array(["a", "b"])),
        fits.Column("TIME", "D", array=np.array([1.5, 2.5])),
        fits.Column("FLUX", "E", array=np.array([10.0, np.nan])),
        fits.Column("FLUX_ERR", "E", array=np.array([0.1, 0.2])),
        fits.Column("QUALITY", "J", array=np.array([0, 1])),
    ]
    kepler = fits.BinTableHDU.from_columns(columns, name="LIGHTCURVE")
    kepler.header["BJDREFI"], kepler.header["BJDREFF"], kepler.header["OBJECT"] = 2454833, 0.5, "K"
    ascii_table = fits.TableHDU.from_columns(
        [fits.Column("mjd", "F10.3", array=np.array([1.0, 2.0]))]
    )
    found = [_bytes(fits.HDUList([fits.PrimaryHDU(), hdu])) for hdu in (kepler, ascii_table)]
    return [b"", *found, gzip.compress(found[0], mtime=0)]


def _bytes(hdus: object) -> bytes:
    sink = io.BytesIO()
    hdus.writeto(sink)  # type: ignore[attr-defined]
    return sink.getvalue()


TARGET = Target("fits_table", "any bytes as a FITS table", check, seeds, longest=1 << 14)
