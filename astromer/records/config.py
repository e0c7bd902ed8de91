"""How surveys become records, and which light curves are usable."""

from __future__ import annotations

from dataclasses import dataclass

from astromer.system.config import Config, knob
from astromer.system.errors import UsageError


@dataclass(frozen=True)
class SurveyOptions(Config):
    """What the files of a survey are taken for."""

    survey: str = knob(
        "auto",
        "the survey that the files are of (astromer surveys lists them), a profile of your own in "
        "TOML, or auto: the one that the columns are known by",
        "--survey",
        metavar="NAME",
    )
    config: str = knob(
        "",
        "description of the survey (default: PATH/config.toml, or the usual names)",
        "--config",
        metavar="FILE",
    )
    metadata: str = knob(
        "",
        "table of the light curves or stars (default: PATH/metadata.parquet, .csv or .fits)",
        "--metadata",
        metavar="FILE",
    )
    id_column: str = knob(
        "",
        "the tables' column of ids (default: the profile's, or a usual name)",
        "--id-column",
        metavar="NAME",
    )
    columns: str = knob(
        "",
        "names of the columns of text files without a header (default: mjd,mag,errmag)",
        "--columns",
        metavar="NAME,NAME,...",
    )
    flux: bool = knob(False, "take the fluxes; needs --zero-point if it is not known", "--flux")
    zero_point: float | None = knob(
        None, "magnitude of a flux of 1 (with --flux)", "--zero-point", metavar="MAG"
    )
    time_offset: float | None = knob(
        None,
        "days to add to the times to get MJD, for instance -2400000.5 to a JD (default: found)",
        "--time-offset",
        metavar="DAYS",
    )


@dataclass(frozen=True)
class HeldOutConfig(Config):
    """How many stars are held out."""

    val_frac: float = knob(
        0.2, "fraction of the stars held out for validation", "--val-frac", bounds="(0, 1)"
    )
    test_frac: float = knob(
        0.2, "fraction of the stars held out for the test", "--test-frac", bounds="(0, 1)"
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.val_frac + self.test_frac >= 1:
            raise UsageError(
                "--val-frac and --test-frac must leave stars to train on. Received: "
                f"{self.val_frac} and {self.test_frac}."
            )


@dataclass(frozen=True)
class RecordsConfig(HeldOutConfig):
    """How surveys become fold records."""

    folds: int = knob(
        1,
        "divisions of the same stars whose tests have no star in common (K-fold cross-validation)",
        "--folds",
        bounds="[1, inf)",
    )
    njobs: int = knob(
        4,
        "threads that clean and encode light curves while the next shard is read",
        "--njobs",
        bounds="[1, inf)",
    )
    elements_per_shard: int = knob(
        200000, "most light curves in one record file", "--elements-per-shard", bounds="[1, inf)"
    )
    seed: int = knob(42, "seed of the division into subsets", "--seed", bounds="[0, 4294967296)")


@dataclass(frozen=True)
class SyntheticConfig(HeldOutConfig):
    """Which built-in survey to make, and how it is divided."""

    curves: int = knob(
        1200,
        "stars in the survey; enough for a small model to beat interpolation in minutes",
        "--curves",
        bounds="[3, 1e6]",
    )
    seed: int = knob(42, "seed of the stars and of their division", "--seed", bounds="[0, inf)")


@dataclass(frozen=True)
class MissingErrorsConfig(Config):
    """What becomes of observations without an error (errmag missing, null or NaN)."""

    missing_errors: str = knob(
        "refuse",
        "refuse them, fill in the constant --error-fill, or each curve's own robust scatter",
        "--missing-errors",
        choices=("refuse", "constant", "scatter"),
    )
    error_fill: float = knob(
        0.02,
        "error that is filled in, and the least for scatter [mag]; typical of ground-based surveys",
        "--error-fill",
        bounds="(0, 1)",
    )


@dataclass(frozen=True)
class LightCurveRules(Config):
    """What counts as a usable observation and a usable light curve."""

    min_observations: int = knob(
        5, "shorter curves say nothing about variability (public convention)"
    )
    min_errmag: float = knob(0.0, "errors must be above this [mag]")
    max_errmag: float = knob(1.0, "errors must be below this [mag]; larger ones are failed fits")
    min_mag: float = knob(-30.0, "instrumental magnitudes go down to about -15 [mag]")
    max_mag: float = knob(40.0, "no survey reaches fainter; 99.999 is a common sentinel [mag]")
    min_mjd: float = knob(0.0, "MJD 0 is 1858: earlier times mean a wrong time system [days]")
    max_mjd: float = knob(
        200000.0, "MJD 200000 is the year 2406; a JD (2.4 million) is caught [days]"
    )
    min_time_span: float = knob(
        0.01, "shorter curves [days] are one visit of a quarter of an hour, whatever they count"
    )
    max_time_span: float = knob(
        45000.0,
        "longer than photographic plates (39,000 days): a zero among times after 1982 [days]",
    )
    max_residual: float = knob(
        0.5, "float32 loses less [days] even of a JD: larger residuals belong to other times"
    )
    max_split_distance: float = knob(
        0.3,
        "Jensen-Shannon distance of mag between splits that stops a run; like splits reach 0.01",
    )
