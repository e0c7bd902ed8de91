"""A model server's view: a process that lists and loads what is served, through the whole campaign.

It polls as TensorFlow Serving does: the newest number in the folder is loaded and asked for an
embedding, in turns by its number and by way of ``latest``, whenever it has changed and every few
seconds besides. Between the loads it looks, much more often, whether the newest version and the
alias are whole.
"""

from __future__ import annotations

import multiprocessing
import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any

from astromer.serving.versions.folder import LATEST, aliased, is_number
from astromer.system.errors import AstromerError
from astromer.system.logs import silence
from astromer.system.text import brief
from tools.faults.workplace import Workplace

LOOK_EVERY, LOAD_EVERY = 0.2, 30.0  # seconds
_LOADS = 12  # of one process: TensorFlow keeps some 80 MiB of each, whatever becomes of the model
_CURVE = {
    "mjd": [[58000.1, 58002.3, 58007.2, 58011.9, 58013.4]],
    "mag": [[15.1, 15.4, 15.2, 15.0, 15.3]],
    "errmag": [[0.02, 0.02, 0.03, 0.02, 0.02]],
}


@dataclass
class Seen:
    """What the watcher saw since it was asked last.

    Attributes:
        looks, loads: how many there were.
        transitions: how often there was a newer version than before.
        failures: what went wrong.
    """

    looks: int = 0
    loads: int = 0
    transitions: int = 0
    failures: list[str] = field(default_factory=list)


class View:
    """What one folder of versions looks like to a server.

    Args:
        place: whose versions are watched.
        load: loads a SavedModel and tells what went wrong; "" where nothing did.
    """

    def __init__(self, place: Workplace, load: Callable[[Path], str]):
        self.place = place
        self._answer = load
        self.seen = Seen()
        self._number = ""
        self._loaded: tuple[str, int] | None = None
        self._loaded_at = 0.0
        self._by_alias = False

    def look(self) -> None:
        """Looks, and loads where that is due."""
        with self.place.looking():
            serving = self.place.serving
            if not serving.is_dir():
                return  # nothing was pushed yet
            self.seen.looks += 1
            version = newest_number(serving)
            if version is None:
                self.seen.failures.append("watcher: no version is served")
                return
            if self._number and int(version.name) > int(self._number):
                self.seen.transitions += 1  # a lower one has been put back by the campaign
            self._number = version.name
            self.seen.failures += [f"watcher: {what}" for what in incomplete(version)]
            try:
                if aliased(serving) is None:
                    self.seen.failures.append(f"watcher: no {LATEST}")
            except AstromerError as error:
                self.seen.failures.append(f"watcher: {error}")
            due = time.monotonic() - self._loaded_at >= LOAD_EVERY
            if due or _identity(version) != self._loaded:
                self._load(version)

    def _load(self, version: Path) -> None:
        self._by_alias = not self._by_alias
        path = version.parent / LATEST if self._by_alias else version
        self._loaded, self._loaded_at = _identity(version), time.monotonic()
        self.seen.loads += 1
        if wrong := self._answer(path):
            self.seen.failures.append(f"watcher: {path.name} does not load: {wrong}")

    def take(self) -> Seen:
        """What was seen, which begins anew."""
        seen, self.seen = self.seen, Seen()
        return seen


def newest_number(serving: Path) -> Path | None:
    """The folder that a model server takes: that with the highest number, whole or not."""
    found = [path for path in serving.iterdir() if is_number(path.name)]
    return max(found, key=lambda path: int(path.name), default=None)


def incomplete(version: Path) -> list[str]:
    """Files of a version's list of checksums that are not there."""
    try:
        lines = (version / "checksums.txt").read_text(encoding="utf-8").splitlines()
    except OSError as error:
        return [f"version {version.name} has no checksums ({error.strerror})"]
    names = [line.split("  ", 1)[1] for line in lines]
    return [
        f"version {version.name} lacks {name}" for name in names if not (version / name).is_file()
    ]


def answer(path: Path) -> str:
    """Loads a SavedModel, asks it for an embedding, and tells what went wrong."""
    silence()
    try:
        _ask(path)
    except Exception as error:  # whatever it is, a server would be without a model
        return f"{type(error).__name__}: {brief(error, 200)}"
    return ""


def _ask(path: Path) -> None:
    import numpy as np
    import tensorflow as tf

    model = tf.saved_model.load(str(path))
    inputs: dict[str, Any] = {
        name: tf.constant(value, tf.float64 if name == "mjd" else tf.float32)
        for name, value in _CURVE.items()
    }
    given = model.signatures["embed_pooled"](**inputs, length=tf.constant([5], tf.int64))
    if not (np.isfinite(given["mean"].numpy()).all() and (given["status"].numpy() == 0).all()):
        raise ValueError("the embedding is not finite")


def _identity(version: Path) -> tuple[str, int] | None:
    try:
        return version.name, os.stat(version / "saved_model.pb").st_ino
    except OSError:
        return None


def watch(folders: list[Path], connections: list[Connection]) -> None:
    """Watches until the connections are closed; a message on one is answered after a look.

    Args:
        folders: of workplaces.
        connections: one for each of them.
    """
    os.nice(5)
    silence()
    os.environ["TF_NUM_INTRAOP_THREADS"] = os.environ["TF_NUM_INTEROP_THREADS"] = "1"
    context = multiprocessing.get_context("spawn")
    with context.Pool(1, maxtasksperchild=_LOADS) as loader:
        views = [
            View(Workplace(folder), lambda path: loader.apply(answer, (path,)))
            for folder in folders
        ]
        _watch(views, connections)


def _watch(views: list[View], connections: list[Connection]) -> None:
    while True:
        ready = wait(connections, LOOK_EVERY)
        for view, connection in zip(views, connections, strict=True):
            if connection not in ready:
                continue
            try:
                connection.recv()
            except EOFError:
                return
            view.look()
            connection.send(view.take())
        for view in views:
            view.look()


class Watcher:
    """The process.

    Args:
        places: whose versions it watches.
    """

    def __init__(self, places: list[Workplace]):
        context = multiprocessing.get_context("spawn")
        pipes = [context.Pipe() for _ in places]
        self._ends = [own for own, _ in pipes]
        others = [other for _, other in pipes]
        folders = [place.folder for place in places]
        self._process = context.Process(target=watch, args=(folders, others))
        self._process.start()
        for other in others:
            other.close()

    def seen(self, number: int) -> Seen:
        """Has it look at a workplace now, and returns what it saw there since the last time."""
        self._ends[number].send("look")
        return self._ends[number].recv()

    def stop(self) -> None:
        """Ends it."""
        for end in self._ends:
            end.close()
        self._process.join(30)
        if self._process.is_alive():
            self._process.kill()
