"""TensorBoard's event files: finding, reading and shortening them. Imports TensorFlow on use."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from astromer.system.errors import DataNotFoundError
from astromer.system.text import pipeline_command

TRAIN_RUN, VALIDATION_RUN = "train", "validation"
LINES = {
    TRAIN_RUN: "train_",
    VALIDATION_RUN: "val_",
    "mean": "val_mean_",
    "interpolation": "val_interpolation_",
    "harmonic": "val_harmonic_",
    "harmonic_curve": "val_harmonic_curve_",
}
"""The folder of each line in a chart, and the prefix of its metrics in a training's history."""

_PATTERN = "events.out.tfevents.*"


def find_runs(output: Path) -> list[Path]:
    """The log folders of trainings in an output folder or below it, the newest first.

    Raises:
        DataNotFoundError: there are none.
    """
    newest: dict[Path, float] = {}
    for file in output.rglob(_PATTERN):
        folder = file.parent.parent if file.parent.name in LINES else file.parent
        newest[folder] = max(newest.get(folder, 0.0), file.stat().st_mtime)
    if not newest:
        raise DataNotFoundError(
            "--output must be a folder in which something was trained. Received: "
            f"{output}{'' if output.exists() else ', which does not exist'}. Train with "
            f"{pipeline_command()}, or give its --output."
        )
    return sorted(newest, key=lambda folder: newest[folder], reverse=True)


def event_files(folder: Path) -> list[Path]:
    """The event files in a folder, oldest first."""
    return sorted(folder.glob(_PATTERN)) if folder.is_dir() else []


def read_events(path: Path) -> Iterator[Any]:
    """The events of a file, up to where a kill has cut it off."""
    import tensorflow as tf

    try:
        for record in tf.data.TFRecordDataset([str(path)]).as_numpy_iterator():
            yield tf.compat.v1.Event.FromString(record)
    except tf.errors.DataLossError:
        return


def remove_events(folder: Path, keep: Callable[[str, int], bool]) -> None:
    """Removes the values that a resumed training writes again.

    A killed training has logged steps after its last checkpoint; it repeats them.

    Args:
        folder: of the event files; need not exist.
        keep: whether the value of a tag at a step stays.
    """
    import tensorflow as tf

    for path in event_files(folder):
        events = list(read_events(path))
        kept = [e for e in events if all(keep(value.tag, e.step) for value in e.summary.value)]
        if len(kept) == len(events):
            continue
        if not any(event.summary.value for event in kept):
            path.unlink()
            continue
        partial = path.with_name(".events.partial")  # TensorBoard does not read it
        with tf.io.TFRecordWriter(str(partial)) as writer:
            for event in kept:
                writer.write(event.SerializeToString())
        partial.replace(path)
