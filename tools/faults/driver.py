"""Runs the trials of a campaign, several at once, and keeps what came of each."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path

from astromer.system.terminal import say
from components.provenance import code_fingerprint
from tools.faults.plan import Planned, plan
from tools.faults.profile import Profile
from tools.faults.record import Record, Records
from tools.faults.table import table
from tools.faults.trial import run_trial
from tools.faults.watcher import Watcher
from tools.faults.workplace import Workplace

_CODE = ("astromer", "components", "pipeline", "pipeline_config.py")


class Campaign:
    """Trials of one seed on one state of the code.

    Args:
        output: folder of campaigns.
        seed: of all that is random.
        trials: how many there are to be, by kind of fault.
        stages: those to be aimed at; all by default.
    """

    def __init__(
        self,
        output: Path,
        seed: int,
        trials: Mapping[str, int],
        stages: Sequence[str] | None = None,
    ):
        self.seed = seed
        self.folder = output / f"seed-{seed}-{code_fingerprint(*_CODE)[:8]}"
        self.found = self.folder / "wrong"
        self.records = Records(self.folder / "trials.jsonl")
        self._planned = [one for one in plan(trials) if stages is None or one.stage in stages]

    def run(self, jobs: int, until: float | None = None) -> None:
        """Runs the trials that are not done yet.

        Args:
            jobs: how many at once, each in a workplace of its own.
            until: moment of the monotonic clock after which none begins.
        """
        done = {record.name for record in self.records.read()}
        left = [one for one in self._planned if one.name not in done]
        if not left:
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        say(f"{len(left)} trials to run, {len(done)} done before; results in {self.folder}")
        places = [Workplace(self.folder / f"place-{number}") for number in range(jobs)]
        profiles = self._make(places)
        waiting: queue.SimpleQueue[Planned] = queue.SimpleQueue()
        for one in left:
            waiting.put(one)
        watcher = Watcher(places)
        stopping = threading.Event()
        errors: list[BaseException] = []

        def work(number: int) -> None:
            try:
                while not stopping.is_set() and (until is None or time.monotonic() < until):
                    self._trial(waiting.get_nowait(), number, places, profiles, watcher)
            except queue.Empty:
                return
            except BaseException as error:
                errors.append(error)
                stopping.set()

        threads = [threading.Thread(target=work, args=(number,)) for number in range(jobs)]
        try:
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        finally:
            stopping.set()
            for thread in threads:
                thread.join()
            watcher.stop()
        if errors:
            raise errors[0]

    def _make(self, places: list[Workplace]) -> list[Profile]:
        say("making the workplaces: data, a first version, snapshots ...")
        with ThreadPoolExecutor(len(places)) as pool:
            profiles = list(pool.map(Workplace.make, places))
        for place, profile in zip(places, profiles, strict=True):
            if different := profile.outcome.differences(profiles[0].outcome):
                raise SystemExit(
                    f"runs without faults are not bit-identical in {', '.join(different)}: "
                    f"{place.folder} and {places[0].folder}"
                )
        return profiles

    def _trial(
        self,
        planned: Planned,
        number: int,
        places: list[Workplace],
        profiles: list[Profile],
        watcher: Watcher,
    ) -> None:
        profile = profiles[number]
        fault = planned.draw(self.seed, profile)
        watched = {"looks": 0, "loads": 0, "transitions": 0, "failures": 0}

        def load() -> list[str]:
            seen = asdict(watcher.seen(number))
            failures = seen.pop("failures")
            for name, count in {**seen, "failures": len(failures)}.items():
                watched[name] += count
            return failures

        record = run_trial(planned.name, places[number], fault, profile, load, self.found, watched)
        self.records.add(record)
        say(_line(record))

    def table(self) -> str:
        """What is known so far."""
        return table(self.records.read())

    def wrong(self) -> int:
        """In how many trials something was wrong."""
        return sum(bool(record.offences) for record in self.records.read())


def _line(record: Record) -> str:
    what = "; ".join(record.offences) or "fine"
    return f"{record.name:12} {record.component:22} {record.fault}: {what} ({record.seconds:.0f} s)"
