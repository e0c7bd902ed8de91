from __future__ import annotations

import pytest

from astromer.records.cleaning import Calibration
from astromer.records.survey_config import default_config, load_config
from astromer.system.errors import DataNotFoundError, UsageError

CONFIG = """
[id_column]
value = "oid"
dtype = "string"
[target]
path = "./records/here"
[context_features]
path = "tables/stars.parquet"
value = ["oid", "Period"]
dtypes = ["string", "float"]
[sequential_features]
path = "obs"
value = ["hjd", "magnitude", "e_mag"]
dtypes = ["float", "float", "float"]
"""


@pytest.fixture
def survey(tmp_path):
    (tmp_path / "tables").mkdir()
    (tmp_path / "tables" / "stars.parquet").touch()
    (tmp_path / "obs").mkdir()
    return tmp_path


def load(folder, text):
    path = folder / "config.toml"
    path.write_text(text)
    return load_config(path, folder)


def test_columns_and_paths_come_from_the_file(survey):
    config = load(survey, CONFIG)
    assert config.id_column == "oid"
    assert config.target == "./records/here"
    assert config.metadata == survey / "tables" / "stars.parquet"
    assert config.light_curves == survey / "obs"
    assert config.context == {"oid": "string", "Period": "float"}
    assert config.series == ("hjd", "magnitude", "e_mag")
    # The copy that goes with the records describes the records.
    (survey / "copy").mkdir()
    copy = load_config(_write(survey / "copy" / "config.toml", config.text), survey)
    assert copy.series == ("mjd", "mag", "errmag")
    assert copy.context == config.context


def _write(path, text):
    path.write_text(text)
    return path


def test_a_config_that_fits_the_records_is_copied_as_it_is(survey):
    text = "# mine\n" + CONFIG.replace("hjd", "mjd").replace("magnitude", "mag").replace(
        "e_mag", "errmag"
    )
    assert load(survey, text).text == text


def test_relative_paths_are_also_looked_for_in_the_current_folder(survey, tmp_path, monkeypatch):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(survey)
    config = load_config(_write(elsewhere / "config.toml", CONFIG), elsewhere)
    assert config.metadata.resolve() == survey / "tables" / "stars.parquet"


def test_without_a_config_the_documented_layout_is_taken(survey):
    (survey / "light_curves").mkdir()
    (survey / "light_curves" / "shard_000.parquet").touch()
    with pytest.raises(DataNotFoundError, match="metadata table"):
        default_config(survey)
    (survey / "metadata.parquet").touch()
    config = default_config(survey)
    assert config.light_curves == survey / "light_curves"
    assert config.target == f"./data/records/{survey.name}"
    assert load(survey, config.text) == config


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("[id_column]", "[id_column", "TOML"),
        ('value = "oid"', "value = 3", "must be a string"),
        ('path = "obs"', 'kind = "flux"', "lacks .* zero_point"),
        ('path = "obs"', 'kind = "colour"', "magnitude or flux"),
        ('path = "obs"', 'time_offset = "JD"', "must be a number"),
        ('["string", "float"]', '["string"]', "equally long"),
        ('["string", "float"]', '["string", "double"]', "'double'"),
        ('["hjd", "magnitude", "e_mag"]', '"mag"', "list of strings"),
        ('"hjd", "magnitude"', '"hjd"', "equally long"),
    ],
)
def test_mistakes_are_usage_errors_that_name_the_file(survey, old, new, expected):
    with pytest.raises(UsageError, match=expected) as caught:
        load(survey, CONFIG.replace(old, new))
    assert str(survey / "config.toml") in str(caught.value)


def test_what_a_config_does_not_say_is_as_usual(survey):
    (survey / "light_curves").mkdir()
    (survey / "metadata.csv").touch()
    config = load(
        survey,
        '[sequential_features]\nvalue = ["BJD", "f", "df"]\nkind = "flux"\nzero_point = 25\n'
        'time_offset = -2400000.5\n[text]\ncolumns = ["BJD", "f", "df"]\n',
    )
    assert config.metadata == survey / "metadata.csv"
    assert config.light_curves == survey / "light_curves"
    assert config.series == config.columns == ("BJD", "f", "df")
    assert config.calibration == Calibration(25.0, -2400000.5)
    assert not config.described
    # The records hold magnitudes and MJD, and so says their config.
    (survey / "metadata.parquet").touch()
    copy = load(survey, config.text)
    assert (copy.series, copy.calibration) == (("mjd", "mag", "errmag"), Calibration())
