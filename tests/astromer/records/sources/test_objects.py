from __future__ import annotations

import numpy as np
import pytest

from astromer.commands.create_records import main
from astromer.system.errors import AstromerError, DataAnomalyError, DataNotFoundError, RecordError

DIALECTS = {
    "comma": ("{}.csv", "mjd,mag,errmag\n", ","),
    "usual names in capitals": ("{}.csv", "HJD,Magnitude,E_MAG\n", ","),
    "comments and blanks": ("{}.dat", "# survey X\n\n", "   "),
    "header in a comment": ("{}.txt", "# written by hand\n#  jd  mag  err\n", " "),
    "tab": ("{}.tsv", "mjd\tmag\terrmag\n", "\t"),
    "semicolon": ("{}.csv", '"t";"m";"sigma"\r\n', ";"),
    "spaces around commas": ("{}.dat", "", " , "),
    "gzip": ("{}.csv.gz", "mjd,mag,errmag\n", ","),
    "byte order mark": ("{}.csv", "\ufeffmjd,mag,errmag\n", ","),
}


@pytest.mark.parametrize("dialect", DIALECTS)
def test_every_dialect_gives_the_same_values(tmp_path, survey, dialect):
    name, header, delimiter = DIALECTS[dialect]
    curves = survey.values()
    for star, curve in curves.items():
        text = header + survey.lines(curve, delimiter) + "# the end\n"
        survey.write(tmp_path / "data" / name.format(star), text)
    survey.write(tmp_path / "data" / "README.txt", "Read me: 1 2 3")
    summary, found = survey.convert(tmp_path / "data")
    survey.check(found, curves)
    assert summary["notes"] == []


def test_jobs_and_blocks_do_not_change_the_bytes(tmp_path, survey, monkeypatch):
    from astromer.records.sources import survey as survey_module
    from astromer.records.sources import text_tables

    curves = survey.values()
    for star, curve in curves.items():
        survey.write(tmp_path / "data" / f"{star}.dat", survey.lines(curve, " "))

    def records(name, *options):
        main(["--data", str(tmp_path / "data"), "--output", str(tmp_path / name), *options])
        return [p.read_bytes() for p in sorted((tmp_path / name).rglob("*.record"))]

    expected = records("a", "--njobs", "1")
    monkeypatch.setattr(text_tables, "_BLOCK_BYTES", 50)
    monkeypatch.setattr(survey_module, "_ROWS", 7)
    assert records("b", "--njobs", "4") == expected


def test_columns_without_header_can_be_named(tmp_path, survey):
    curves = survey.values()
    for star, curve in curves.items():
        rows = survey.lines(curve, " ").splitlines()
        text = "".join(f"1 {' '.join(reversed(row.split()))} extra\n" for row in rows)
        survey.write(tmp_path / "data" / f"{star}.dat", text)
    with pytest.raises(AstromerError):
        survey.convert(tmp_path / "data", "--columns", "a,b,c,d,e,f")
    _, found = survey.convert(tmp_path / "data", "--columns", "flag,errmag,mag,mjd")
    survey.check(found, curves)
    config = '[text]\ncolumns = ["flag", "s", "g", "when"]\n'
    config += '[sequential_features]\nvalue = ["when", "g", "s"]\n'
    survey.write(tmp_path / "data" / "config.toml", config)
    _, found = survey.convert(tmp_path / "data")
    survey.check(found, curves)


def test_metadata_are_joined_by_id(tmp_path, survey):
    curves = survey.values()
    table = "Name,Type,Period\n" + "".join(
        f"{n},{'AB'[i % 2]},{i}.5\n" for i, n in enumerate(curves)
    )
    survey.write(tmp_path / "data" / "metadata.csv", table + "absent,A,\n")
    for star, curve in curves.items():
        survey.write(tmp_path / "data" / "light_curves" / f"{star}.dat", survey.lines(curve))
    survey.write(tmp_path / "data" / "light_curves" / "extra.dat", survey.lines(curves[star]))
    summary, found = survey.convert(tmp_path / "data")
    survey.check(found, curves)
    assert [found[name][0][3] for name in curves] == ["A", "B"] * 4 + ["A"]
    assert summary["input"]["light_curves"] == 10
    assert summary["dropped_light_curves"]["without_observations"] == 1
    assert summary["dropped_observations"]["unknown_light_curve"] == len(curves[star]["mjd"])
    without_row, without_file = summary["notes"]
    assert "1 light curve(s), for instance extra, without a row" in without_row
    assert "1 light curve(s), for instance absent," in without_file
    config = (tmp_path / "data-out" / "fold_0" / "config.toml").read_text()
    assert '["newID", "ID", "Class", "Period", "Label"]' in config
    assert '["integer", "string", "string", "float", "integer"]' in config


def test_metadata_name_the_files(tmp_path, survey):
    curves = survey.values()
    rows = [f"{star},a/{i}.txt,V\n" for i, star in enumerate(curves)]
    table = "ID,File,Band\n" + "".join(rows) + "gone,a/gone.txt,V\n"
    metadata = survey.write(tmp_path / "tables" / "stars.csv", table)
    for i, curve in enumerate(curves.values()):
        survey.write(tmp_path / "data" / "a" / f"{i}.txt", survey.lines(curve, " "))
    survey.write(tmp_path / "data" / "unnamed.txt", "1 2 3\n")
    summary, found = survey.convert(tmp_path / "data", "--metadata", str(metadata))
    survey.check(found, curves)
    assert len(summary["notes"]) == 2
    assert "unnamed.txt" in summary["notes"][0]
    assert "a/gone.txt" in summary["notes"][1]


def test_a_file_for_each_band_and_bands_in_one_file(tmp_path, survey):
    curves = survey.values()
    rows = []
    for star, curve in curves.items():
        for band in "RB":
            survey.write(tmp_path / "apart" / f"{star}{band}.csv", survey.lines(curve))
            rows.append(f"{star},{star}{band}.csv,{band}\n")
        both = "".join(
            f"{line},{band}\n" for line in survey.lines(curve).splitlines() for band in "RB"
        )
        survey.write(tmp_path / "within" / f"{star}.csv", "mjd,mag,err,filter\n" + both)
    survey.write(tmp_path / "apart" / "metadata.csv", "ID,file,Band\n" + "".join(rows))
    for layout in ("apart", "within"):
        summary, found = survey.convert(tmp_path / layout)
        assert summary["written"]["light_curves"] == 18
        assert summary["written"]["stars"] == 9
        summary, found = survey.convert(tmp_path / layout, "--band", "R")
        survey.check(found, curves)
        assert summary["dropped_light_curves"]["other_band"] == 9
        assert summary["processing"]["bands"] == ["R"]
        assert summary["written"]["observations"] * 2 == summary["input"]["observations"]


def test_missing_values_and_sentinels_are_dropped_and_counted(tmp_path, survey):
    for star, curve in survey.values().items():
        bad = "1,nan,.1\n2,,.1\n3,99.999,.1\n4,12,-99\n5,12,99.999\n6,12,NULL\n,12,.1\n"
        text = "mjd,mag,errmag\n" + survey.lines(curve) + bad
        survey.write(tmp_path / "data" / f"{star}.csv", text)
    summary, found = survey.convert(tmp_path / "data")
    survey.check(found, survey.values())
    dropped = {k: v for k, v in summary["dropped_observations"].items() if v}
    assert dropped == {"not_finite": 27, "missing_errmag": 27, "mag_out_of_range": 9}


def test_an_empty_file_is_a_light_curve_without_observations(tmp_path, survey):
    for star, curve in survey.values().items():
        survey.write(tmp_path / "data" / f"{star}.dat", survey.lines(curve, " "))
    survey.write(tmp_path / "data" / "empty.dat", "")
    survey.write(tmp_path / "data" / "comments.dat", "# mjd mag err\n# nothing\n")
    summary, found = survey.convert(tmp_path / "data")
    survey.check(found, survey.values())
    assert summary["dropped_light_curves"]["without_observations"] == 2


FIRST = "OGLE-LMC.000"
SPOILT = {
    "text for a number": (
        lambda d: (d / f"{FIRST}.csv").write_text("# c\nmjd,mag,errmag\n1,2,.1\n3,oops,.1\n"),
        RecordError,
        r"000.csv, line 4: mag must be a number, got 'oops'",
    ),
    "line cut off": (
        lambda d: (d / f"{FIRST}.csv").write_text("mjd,mag,errmag\n1,2,.1\n\n3,4"),
        RecordError,
        r"000.csv, line 4 has 2 cell",
    ),
    "binary": (
        lambda d: (d / f"{FIRST}.csv").write_bytes(b"\x00\x01" * 50),
        RecordError,
        r"000.csv is not a text file",
    ),
    "not UTF-8": (
        lambda d: (d / f"{FIRST}.csv").write_bytes(b"mjd,mag,errmag\n\xff\xfe,2,3\n"),
        RecordError,
        r"000.csv, line 2: mjd must be a number, got 'ÿþ'",
    ),
    "gzip cut off": (
        lambda d: (d / "z.csv.gz").write_bytes(b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03ab"),
        RecordError,
        r"z.csv.gz is a damaged gzip file",
    ),
    "no magnitudes": (
        lambda d: (d / f"{FIRST}.csv").write_text("mjd,brightness\n1,2\n"),
        DataAnomalyError,
        r"000.csv lacks the column\(s\) mag; it has mjd, brightness",
    ),
    "fluxes": (
        lambda d: (d / f"{FIRST}.csv").write_text("mjd,flux,fluxerr\n1,2,3\n"),
        AstromerError,
        r"column flux.*--flux.*--zero-point",
    ),
    "one column": (
        lambda d: (d / f"{FIRST}.csv").write_text("1\n2\n"),
        DataAnomalyError,
        r"000.csv has no header and 1 column",
    ),
    "two files of one id": (
        lambda d: (d / f"{FIRST}.dat").write_text("1 2 .1\n"),
        DataAnomalyError,
        r"OGLE-LMC.000.(csv|dat) are both called 'OGLE-LMC.000'",
    ),
    "several kinds": (
        lambda d: (d / "a.fits").write_bytes(b"SIMPLE"),
        DataAnomalyError,
        r"several kinds \(1 FITS, 9 text\)",
    ),
    "no file": (
        lambda d: [p.unlink() for p in d.iterdir()],
        DataNotFoundError,
        r"no light curves",
    ),
    "metadata of others": (
        lambda d: (d / "metadata.csv").write_text("ID,Class\nx,A\n"),
        DataAnomalyError,
        r"no light curve is listed in .*metadata.csv: its ID are like 'x'",
    ),
    "metadata twice": (
        lambda d: (d / "metadata.csv").write_text(f"ID\n{FIRST}\n{FIRST}\n"),
        DataAnomalyError,
        r"unique .* 'OGLE-LMC.000' 2 times",
    ),
    "metadata without ids": (
        lambda d: (d / "metadata.csv").write_text("Period,Class\n1,A\n"),
        DataAnomalyError,
        r"no column with the objects' ids; it has Period, Class",
    ),
    "metadata name no file": (
        lambda d: (d / "metadata.csv").write_text("ID,file\nx,x.dat\n"),
        DataNotFoundError,
        r"none of the 1 file.*'x.dat'",
    ),
    "a file of two objects": (
        lambda d: (d / "metadata.csv").write_text(f"ID,file\nx,{FIRST}.csv\ny,{FIRST}.csv\n"),
        DataAnomalyError,
        r"for 'x' and for 'y'",
    ),
}


@pytest.mark.parametrize("case", SPOILT)
def test_a_fault_is_named_and_nothing_is_written(tmp_path, survey, case):
    spoil, error, expected = SPOILT[case]
    for star, curve in survey.values().items():
        survey.write(tmp_path / "data" / f"{star}.csv", "mjd,mag,errmag\n" + survey.lines(curve))
    spoil(tmp_path / "data")
    output = tmp_path / "out"
    with pytest.raises(error, match=expected) as caught:
        main(["--data", str(tmp_path / "data"), "--output", str(output)])
    assert "\n" not in str(caught.value)
    assert not output.exists() or not list(output.iterdir())


def test_real_light_curves_survive_text(shared, tmp_path, survey):
    import pyarrow.parquet as pq

    source = shared / "data" / "eros2_lmc_cep"
    names = pq.read_table(source / "metadata.parquet").column("ID").to_pylist()[:12]
    table = pq.read_table(source / "light_curves" / "shard_000.parquet")
    curves = {}
    for number, name in enumerate(names):
        own = table.filter(np.asarray(table["newID"]) == number)
        own = own.filter(np.asarray(own["errmag"]) < 1)
        curves[name] = {n: own[n].to_numpy() for n in ("mjd", "mag", "errmag")}
        survey.write(tmp_path / "data" / f"{name}.dat", survey.lines(curves[name], "  "))
    _, found = survey.convert(tmp_path / "data")
    survey.check(found, curves)
