"""FITS headers that lie, and what astropy would make of them."""

from __future__ import annotations

import gzip
import io
from pathlib import Path

import numpy as np
import pytest

from astromer.records.sources import fits as fits_structure
from astromer.records.sources.fits import check_structure, open_fits
from astromer.system.errors import RecordError

fits = pytest.importorskip("astropy.io.fits")


@pytest.fixture(scope="module")
def whole() -> bytes:
    columns = [fits.Column(n, "D", array=np.arange(600.0)) for n in ("TIME", "FLUX")]
    sink = io.BytesIO()
    table = fits.BinTableHDU.from_columns(columns, name="LIGHTCURVE")
    fits.HDUList([fits.PrimaryHDU(), table]).writeto(sink)
    return sink.getvalue()


def write(folder: Path, content: bytes) -> Path:
    (folder / "a.fits").write_bytes(content)
    return folder / "a.fits"


def test_whole_files_pass(whole: bytes, tmp_path: Path) -> None:
    unpadded = whole[: 2 * 2880 + 600 * 16]
    for content in (whole, gzip.compress(whole), unpadded):
        check_structure(write(tmp_path, content))
    assert open_fits(write(tmp_path, whole)).names == ("TIME", "FLUX")


@pytest.mark.parametrize(
    ("keyword", "value"),
    [
        ("NAXIS2", 10**12),
        ("NAXIS2", -600),
        ("NAXIS1", -2880),
        ("PCOUNT", -9600),
        ("GCOUNT", 10**9),
        ("NAXIS", -1),
        ("NAXIS", 1000),
        ("BITPIX", 7),
    ],
)
@pytest.mark.parametrize("packed", [False, True])
def test_sizes_that_lie_are_refused(
    whole: bytes, tmp_path: Path, keyword: str, value: int, packed: bool
) -> None:
    extension = whole.index(b"XTENSION")
    place = whole.index(f"{keyword:8}=".encode(), extension)
    card = f"{keyword:8}= {value:20}".ljust(80).encode()
    content = whole[:place] + card + whole[place + 80 :]
    with pytest.raises(RecordError, match=r"a\.fits cannot be read as FITS: extension 1 must have"):
        open_fits(write(tmp_path, gzip.compress(content) if packed else content))


def test_other_files_are_not_given_to_astropy(whole: bytes, tmp_path: Path) -> None:
    first = "its first header must have"
    for content, said in (
        (b"", first),
        (b"PK\x03\x04" + bytes(5000), first),
        (b"BZh9" + bytes(5000), first),
        (whole[:2000], "the card END"),
        (b"SIMPLE  =" + b" " * (2880 * 1100), "at most 1024 blocks"),
        (whole + whole, "extension 2 must have XTENSION"),  # it reads this for ever
        (whole[:-4000], "fewer"),
    ):
        with pytest.raises(RecordError, match=said):
            open_fits(write(tmp_path, content))


def test_what_is_unpacked_in_memory_is_bounded(
    whole: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fits_structure, "MOST_PACKED_DATA", 5000)
    check_structure(write(tmp_path, whole))
    with pytest.raises(RecordError, match=r"5,000 bytes of data in a compressed file.*gunzip"):
        check_structure(write(tmp_path, gzip.compress(whole)))
