"""Any bytes as ``config.toml``, of a survey and of a fold."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from pathlib import Path

from astromer.records.fold import SPLITS, Fold, read_processing
from astromer.records.survey_config import DTYPES, load_config
from astromer.records.writer import merge_folds
from astromer.system.errors import DataNotFoundError, UsageError
from tools.fuzzing.light_curve import a_record, frame
from tools.fuzzing.target import Target, allowed, check_refusal, require


def check(data: bytes, folder: Path) -> None:
    """What is read is described by a text that reads the same; other files are refused."""
    path = folder / "config.toml"
    path.write_bytes(data)
    read_processing(path)
    _check_merging(path, folder)
    try:
        config = load_config(path, folder)
    except DataNotFoundError:
        return  # a file that it names is missing; the message names that one
    except UsageError as error:
        return check_refusal(error, [str(path)])
    require(config.id_column in config.context, "the id column is none of the context")
    require(set(config.context.values()) <= set(DTYPES), "unknown types")
    require(len(config.series) == 3, "not three series")
    again = folder / "again" / "config.toml"
    again.parent.mkdir()
    again.write_text(config.text, encoding="utf-8")
    other = allowed(lambda: load_config(again, folder))
    if other is not None:
        kept = dataclasses.replace(config, text="", target="", columns=())
        require(dict(kept.context) == dict(other.context), "the text describes another context")


def _check_merging(path: Path, folder: Path) -> None:
    files = {}
    for split in SPLITS:
        (folder / "fold" / split).mkdir(parents=True)
        files[split] = (folder / "fold" / split / "0.record",)
        files[split][0].write_bytes(frame(a_record()))
    fold = Fold(folder / "fold", files, path)
    allowed(lambda: merge_folds({"a": fold, "b": fold}, folder / "merged"), path)


def seeds() -> Iterable[bytes]:
    """Configs as documented, and what TOML has besides."""
    whole = b"""[id_column]
value = "newID"
dtype = "integer"
[target]
path = "./data/records/my_survey"
[context_features]
path = "config.toml"
value = ["newID", "ID", "Class"]
dtypes = ["integer", "string", "string"]
[sequential_features]
value = ["mjd", "mag", "errmag"]
dtypes = ["float", "float", "float"]
kind = "flux"
zero_point = 25.0
time_offset = -2400000.5
[period]
path = "config.toml"
value = "P"
[text]
columns = ["mjd", "mag"]
[processing]
done = true
"""
    return [
        b"",
        whole,
        b"[processing]\nt = 1979-05-27T07:32:00Z\nx = nan\ny = inf\n",
        b"a.b.c = [[1], {x = 2}]\n[[processing]]\n",
        b'[context_features]\nvalue = ["a"]\n[id_column]\nvalue = "a"\n',
    ]


TARGET = Target("survey_config", "any bytes as config.toml", check, seeds)
