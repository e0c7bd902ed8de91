"""What makes the documented commands cheap, each with its reason.

Blocks run as they are written. These options are added to the end of a program's command line
(of an option that is given twice, the last one counts), by the interpreter that stands for
``.venv/bin/python``. A test fails when an entry is no longer used.
"""

from __future__ import annotations

from dataclasses import dataclass

_NETWORK = "--hidden 8 --n-heads 2 --n-layers 1"
_TRAINING = f"--debug --epochs 1 {_NETWORK}"
_CLASSIFIER = (
    "--encoder frozen --shots 3 --seeds 1 --trees 5 --head-epochs 2 --epochs 1 --max-windows 16"
)


@dataclass(frozen=True)
class Smaller:
    """Options that a program gets on top of the documented ones."""

    options: str
    reason: str


SMALLER = {
    "astromer synthetic": Smaller("--curves 60", "the survey has 1,200 stars"),
    "pipeline/local_runner.py": Smaller(
        f"{_TRAINING} --init=", "a documented run trains for hours, or has the starter's size"
    ),
    "presentation.scripts.pretrain": Smaller(_TRAINING, "a documented run trains for hours"),
    "presentation.scripts.disttrain": Smaller(_TRAINING, "a documented run trains for hours"),
    "astromer finetune": Smaller(_CLASSIFIER, "a table is half an hour of work"),
    "pipeline/finetune_runner.py": Smaller(
        f"{_CLASSIFIER} --shots 500 --head-epochs 60 --baselines none --bless-over majority",
        "the same; a classifier of so little is hardly better than chance",
    ),
    "pytest": Smaller(
        "tests/astromer/system/test_text.py", "it is what runs the documented commands"
    ),
    "tools/fuzzing/run.py": Smaller(
        "--minutes 0.05 --target cluster", "a documented run takes minutes"
    ),
    "pipeline/spec_runner.py": Smaller(
        "--set hidden=8 --set n_layers=1 --set epochs=1", "the dry run trains for a minute"
    ),
}


@dataclass(frozen=True)
class Change:
    """A text in the blocks of a page that is another one on this machine."""

    page: str
    old: str
    new: str
    reason: str


CHANGES: tuple[Change, ...] = (
    Change(
        "docs/pretrain_your_survey.md",
        "records/survey/fold_0 --output outputs/trial",
        "records/fold_0 --output outputs/survey",
        "the README ran this on the same records: all of it comes from the cache",
    ),
    Change(
        "docs/train_on_several_machines.md",
        "12345",
        "{port}",
        "another process may have this port",
    ),
    Change(
        "docs/train_on_several_machines.md",
        "12346",
        "{port}",
        "another process may have this port",
    ),
    Change("docs/serve_elsewhere.md", "8502", "{port}", "another process may have this port"),
)
