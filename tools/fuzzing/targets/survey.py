"""A whole survey, made of a metadata table and a table of observations, as records."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from astromer.records.config import LightCurveRules, RecordsConfig
from astromer.records.conversion import convert_survey
from astromer.records.fold import Fold
from astromer.records.reader import iterate_batches
from astromer.records.survey_config import default_config, load_config
from astromer.system.errors import AstromerError, UsageError
from tools.fuzzing.choices import Choices
from tools.fuzzing.target import Target, allowed, check_refusal, require

_RECORDS = RecordsConfig(val_frac=0.3, test_frac=0.3, folds=1, njobs=1)
_SEPARATOR = b"\n---\n"


def check(data: bytes, folder: Path) -> None:
    """Records hold what the summary says, or the survey is refused."""
    survey = folder / "survey"
    survey.mkdir()
    choices = Choices(data)
    layout = choices.below(3)
    if layout == 2:
        _write_parquet(survey, choices)
    else:
        _write_text(survey, choices.rest(), long=layout == 1)
    config = allowed(lambda: default_config(survey), survey)
    if (survey / "config.toml").exists():
        config = allowed(lambda: load_config(survey / "config.toml", survey))
    if config is None:
        return
    rules = LightCurveRules()
    output = folder / "records"
    try:
        made = convert_survey(config, _RECORDS, rules, output, progress=False)
    except UsageError:
        return  # for instance fluxes, which need an option
    except AstromerError as error:
        check_refusal(error, [str(survey), "there are", "light curve", "star"])
        return
    fold = Fold.open(output / "fold_0")
    written = sum(
        int(batch.lengths.sum())
        for files in fold.files.values()
        for batch in iterate_batches(files)
    )
    require(written == made["written"]["observations"], "the tally is wrong")


def _write_text(survey: Path, data: bytes, long: bool) -> None:
    parts = data.split(_SEPARATOR)
    names = ["curves.csv", "metadata.csv"] if long else ["metadata.csv", "config.toml"]
    for name, part in zip(names, parts):
        (survey / name).write_bytes(part)
    if not long:
        (survey / "light_curves").mkdir()
    for number, part in enumerate(parts[2:10]):
        place = survey if long else survey / "light_curves"
        (place / f"{'abcdefgh'[number]}.dat").write_bytes(part)


def _write_parquet(survey: Path, choices: Choices) -> None:
    (survey / "light_curves").mkdir()
    rows = choices.below(8)
    kind = choices.one_of((pa.int64(), pa.int32(), pa.uint64(), pa.string(), pa.float64()))
    ids = [_value(choices, kind) for _ in range(rows)]
    metadata = {"newID": pa.array(ids, kind)}
    for name in ("ID", "Class", "Band", "Label", "shard", "Period"):
        if choices.truth():
            of_column = choices.one_of((pa.string(), pa.int64(), pa.float64(), pa.bool_()))
            metadata[name] = pa.array([_value(choices, of_column) for _ in ids], of_column)
    pq.write_table(pa.table(metadata), survey / "metadata.parquet")
    series: dict[str, list] = {"newID": [], "mjd": [], "mag": [], "errmag": []}
    for _ in range(choices.below(40)):
        series["newID"].append(choices.one_of(ids) if ids else None)
        for name in ("mjd", "mag", "errmag"):
            series[name].append(choices.number())
    table = {n: pa.array(v, kind if n == "newID" else pa.float64()) for n, v in series.items()}
    pq.write_table(pa.table(table), survey / "light_curves" / "shard_0.parquet")


def _value(choices: Choices, kind: pa.DataType) -> object:
    if choices.below(8) == 7:
        return None
    if kind == pa.string():
        return choices.text(6)
    if kind == pa.float64():
        return choices.number()
    if kind == pa.bool_():
        return choices.truth()
    return choices.below(9) if kind != pa.int64() else choices.one_of((1, 2, 3, -1, 2**62))


def seeds() -> Iterable[bytes]:
    """Small surveys of each layout."""
    curve = b"# mjd mag err\n" + b"".join(b"%d.5 15.%d 0.02\n" % (59000 + i, i) for i in range(6))
    metadata = b"ID,Class,Band\na,RRab,I\nb,Cep,I\nc,RRab,I\nd,Cep,I\ne,RRab,I\nf,Cep,I"
    files = _SEPARATOR.join([metadata, b"", *[curve] * 6])
    long = b"ID,mjd,mag,errmag,Band,Class\n" + b"".join(
        b"%s,%d.5,15.2,0.004,I,Cep\n" % (name.encode(), 59000 + i)
        for name in "abcdef"
        for i in range(6)
    )
    return [
        b"\0" + files,
        b"\1" + long,
        b"\1" + long + _SEPARATOR + metadata,
        b"\2" + bytes(range(256)) * 4,
        b"\2\6\0" + b"\1\2\3" * 200,
    ]


TARGET = Target("survey", "whole surveys of text or Parquet, as records", check, seeds)
