"""Runs one target under libFuzzer, in a process that may die of what it finds.

    python -m tools.fuzzing.worker TARGET FOLDER CORPUS [libFuzzer's options]

Exceptions of Python are written down and do not stop the run; each kind is kept once. What ends the
process (a crash in C++, a hang, too much memory) is written down by libFuzzer.
"""

from __future__ import annotations

import gc
import hashlib
import os
import resource
import shutil
import sys
import traceback
from collections.abc import Callable
from pathlib import Path

import atheris

from tools.fuzzing.counter import Counter

ROOM = 2 << 30
"""Bytes of address space that an input may take on top of what the process has."""
_INSTRUMENTED = (
    *("astromer", "pipeline", "pipeline_config", "components", "fuzzing"),
    *("tomli", "astropy.io.fits", "numpy.lib.format", "zipfile"),
)


def kind_of(error: BaseException) -> str:
    """Tells crashes apart: the type of the error and the innermost place in the project."""
    frames = traceback.extract_tb(error.__traceback__)
    root = str(Path(__file__).resolve().parents[2])
    own = [f for f in frames if f.filename.startswith(root) and "/.venv/" not in f.filename]
    last = (own or frames)[-1]
    return f"{type(error).__name__}-{Path(last.filename).stem}-{last.lineno}"


def fuzz(name: str, folder: Path, options: list[str]) -> None:
    """Does not return: libFuzzer ends the process."""
    crashes = folder / "crashes" / name
    crashes.mkdir(parents=True, exist_ok=True)
    counter = Counter(folder / f"{name}.executions")
    seen = {path.name.rsplit("-", 1)[0] for path in crashes.glob("*.txt")}
    place, corpus = folder / "work" / name, Path(options[0])
    with atheris.instrument_imports(include=list(_INSTRUMENTED)):
        from tools.fuzzing.targets import load_target

        target = load_target(name)
        one_input = guarded(target.check, place, crashes, seen, counter)
        # What is imported, traced and loaded once is no input's memory.
        for seed in target.seeds():
            one_input(seed)
            (corpus / f"seed-{hashlib.sha256(seed).hexdigest()[:12]}").write_bytes(seed)
    gc.freeze()  # under Python 3.10 pyarrow asks the collector about every object, again and again
    _limit_memory()
    atheris.Setup(
        [sys.argv[0], f"-max_len={target.longest}", *options],
        one_input,
        enable_python_coverage=True,
    )
    atheris.Fuzz()


def guarded(
    check: Callable[[bytes, Path], None],
    place: Path,
    crashes: Path,
    seen: set[str],
    counter: Counter,
) -> Callable[[bytes], None]:
    """The check as libFuzzer calls it."""

    def one_input(data: bytes) -> None:
        counter.add()
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir(parents=True)
        try:
            check(data, place)
        except (Exception, SystemExit) as error:
            kind = kind_of(error)
            if kind not in seen:
                seen.add(kind)
                digest = hashlib.sha256(data).hexdigest()[:12]
                (crashes / f"{kind}-{digest}").write_bytes(data)
                (crashes / f"{kind}-{digest}.txt").write_text(traceback.format_exc())

    return one_input


def _limit_memory() -> None:
    taken = int(Path("/proc/self/statm").read_text().split()[0]) * os.sysconf("SC_PAGE_SIZE")
    resource.setrlimit(resource.RLIMIT_AS, (taken + ROOM, taken + ROOM))


if __name__ == "__main__":
    fuzz(sys.argv[1], Path(sys.argv[2]), sys.argv[3:])
