"""TensorBoard's event files, cut back to where a resumed training goes on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import tensorflow as tf

Keep = Callable[[str, int], bool]
"""Whether the value of a tag at a step stays."""


def event_files(folder: Path) -> list[Path]:
    """The event files in a folder, oldest first."""
    return sorted(folder.glob("events.out.tfevents.*")) if folder.is_dir() else []


def read_events(path: Path) -> Iterator[Any]:
    """The events of a file, up to where a kill has cut it off."""
    records = tf.data.TFRecordDataset([str(path)]).as_numpy_iterator()
    try:
        for record in records:
            yield tf.compat.v1.Event.FromString(record)
    except tf.errors.DataLossError:
        return


def cut_back(folder: Path, keep: Keep) -> None:
    """Removes values from the event files of a folder.

    A killed training has told TensorBoard of steps that its checkpoint does not know. It takes
    them again, and would tell of them twice.

    Args:
        folder: of the event files; need not exist.
        keep: which values stay.
    """
    for path in event_files(folder):
        events = list(read_events(path))
        kept = [event for event in events if _stays(event, keep)]
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


def _stays(event: Any, keep: Keep) -> bool:
    return all(keep(value.tag, event.step) for value in event.summary.value)
