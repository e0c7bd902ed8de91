"""Stars of the endless synthetic survey as fold records, made once."""

from __future__ import annotations

from pathlib import Path

from astromer.records.encoding import PERIOD, encode_curve
from astromer.records.survey_config import features_toml
from astromer.records.synthetic.endless import SyntheticSurvey
from astromer.records.writer import FoldWriter, write_folders
from astromer.system.terminal import progress_bar

HELD_OUT = 20
"""Of so many stars one is for validation and one for the test."""

_CONTEXT = {
    "ID": "string",
    "Class": "string",
    "Band": "string",
    "Label": "integer",
    PERIOD: "float",
}
_CONFIG_TOML = (
    "# Stars of astromer.records.synthetic.endless, made by tools/starter/train.py.\n"
    + features_toml("ID", _CONTEXT, target=".")
)


def provide_stars(folder: Path, stars: int, seed: int, longest: int) -> Path:
    """Writes stars 0 to ``stars`` - 1 of a seed, unless they are there.

    Args:
        folder: gets ``synthetic_<seed>_<stars>_<longest>/fold_0``, which appears whole or not at
            all.
        stars: how many, at least 2; equal numbers give equal bytes.
        seed, longest: of the survey.

    Returns:
        The fold.

    Raises:
        UsageError: the folder cannot be written to.
    """
    fold = folder / f"synthetic_{seed}_{stars}_{longest}" / "fold_0"
    if fold.is_dir():
        return fold
    survey = SyntheticSurvey(seed, longest)
    fold.parent.mkdir(parents=True, exist_ok=True)
    with (
        write_folders([fold]) as (unfinished,),
        FoldWriter(unfinished, _CONFIG_TOML) as writer,
        progress_bar(total=stars, desc="making stars", unit=" stars") as bar,
    ):
        for number in range(stars):
            star = survey[number]
            writer.write(split_of(number), encode_curve(star, star.band))
            bar.update()
    return fold


def split_of(number: int) -> str:
    """The split of a star: ``validation`` of numbers 0, 20, ..., ``test`` of 1, 21, ..."""
    return {0: "validation", 1: "test"}.get(number % HELD_OUT, "train")
