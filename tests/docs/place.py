"""A folder like a checkout with a survey in it, where documented commands are run."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from astropy.table import Table

from astromer.light_curves import LightCurve
from astromer.records.synthetic.built_in import make_survey
from tests.docs.commands import INSTALLED
from tests.docs.pages import BLOCKS, ROOT, Block
from tests.docs.small import CHANGES, SMALLER
from tests.docs.surroundings import Surroundings
from tests.pipeline.folds import write_fold

_OWN = {".fuzz", ".git", ".venv", ".tools", "outputs", "data", "records", "site", "shared"}
"""What a place has of its own, if at all; everything else is a link to the code."""
SURVEYS = ("SURVEY", "my_survey", "asas", "sss")
FOLDS = (
    "fold_0",
    "records/macho/fold_0",
    "records/ogle/fold_0",
    "data/records/alcock/fold_0",  # of the documents in ../shared
)
"""Names that the documents use."""
_HERE = Path(__file__).resolve().parent


@dataclass(frozen=True)
class Done:
    """What a block has printed, and its exit status."""

    code: int
    output: str


class Place:
    """The folder, and the process that runs Python programs in it."""

    def __init__(self, folder: Path, shared: Path | None):
        self.folder = folder
        folder.mkdir(parents=True)
        for path in ROOT.iterdir():
            if path.name not in _OWN and not path.name.endswith("_cache"):
                (folder / path.name).symlink_to(path)
        (folder / ".tools").mkdir()
        (folder / ".tools" / "bin").symlink_to(ROOT / ".tools" / "bin")  # uv
        self._environment = folder / ".environment"
        self.log = folder / ".commands.jsonl"
        self._make_interpreter()
        _make_data(folder)
        self.has_reference_data = shared is not None
        if shared:
            (folder / "macho_a0.zip").symlink_to(shared / "weights" / "macho_a0.zip")

    def _make_interpreter(self) -> None:
        programs = self.folder / ".venv" / "bin"
        programs.mkdir(parents=True)
        # What set-up compares to see that nothing is to be installed.
        shutil.copy(ROOT / "requirements.lock", self.folder / ".venv" / "installed.lock")
        for path in Path(sys.executable).parent.iterdir():
            if not path.name.startswith("python") and path.name not in INSTALLED:
                (programs / path.name).symlink_to(path)
        client = (_HERE / "warm_client.py").read_text()
        for name in ("python", *INSTALLED):
            program = programs / name
            program.write_text(f"#!{sys.executable} -IS\n{client}")
            program.chmod(0o755)
        # A socket's path may have 108 characters; the folder's, and pytest's, more.
        address = f"/tmp/astromer-docs-{os.getpid()}.socket"
        (programs / "warm.json").write_text(
            json.dumps({"python": sys.executable, "socket": address})
        )
        smaller = {name: entry.options.split() for name, entry in SMALLER.items()}
        self._address = Path(address)
        self._address.unlink(missing_ok=True)
        words = ["-m", "tests.docs.warm_server", address, str(self.log), json.dumps(smaller)]
        with open(self.folder / ".server.log", "w") as noise:
            self._server = subprocess.Popen(
                [sys.executable, *words],
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=noise,
                text=True,
            )
        assert self._server.stdout is not None
        if self._server.stdout.readline() != "ready\n":
            raise RuntimeError((self.folder / ".server.log").read_text())

    def run(
        self, block: Block, around: Surroundings = Surroundings(), timeout: float = 600
    ) -> Done:
        """Runs a block as a reader would, after all blocks before it.

        Variables that a ``sh`` block sets are there in those that follow. What it leaves running
        is ended with it.
        """
        text = block.text
        for old, new in around.texts.items():
            text = text.replace(old, new)
        for change in CHANGES:
            if change.page == block.page:
                text = text.replace(change.old, change.new.format(port=_free_port()))
        programs = self.folder / ".venv" / "bin"
        if block.language == "python":
            text = f"'{programs / 'python'}' - <<'PYTHON_CODE'\n{text}\nPYTHON_CODE\n"
        kept = around.kept or self._environment
        # As the shell of a reader, who sees an error: it ends with the first failing command.
        begin = f"set -e -a\n[ ! -f {kept} ] || . {kept}\n{around.exports()}"
        script = f"{begin}\n{text}\nexport -p > {kept}\n"
        environment = {
            **os.environ,
            "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",
            "WARM_FOLDER": str(programs),
        }
        environment.pop("PYTHONPATH", None)
        with open(self.folder / ".output", "w+") as output:
            shell = subprocess.Popen(
                ["sh", "-c", script],
                cwd=self.folder,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
            try:
                code = shell.wait(timeout)
            finally:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(shell.pid, signal.SIGKILL)
            output.seek(0)
            return Done(code, output.read())

    def commands(self) -> list[dict]:
        """Every Python program that was run: words, exit status, processor seconds."""
        return [json.loads(line) for line in self.log.read_text().splitlines()]

    def close(self) -> None:
        """Ends the process that runs programs."""
        self._server.kill()
        self._server.wait()
        self._address.unlink(missing_ok=True)


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def _make_data(folder: Path) -> None:
    """Surveys and folds under the names that the documents use."""
    for seed, name in enumerate(SURVEYS):
        _write_survey(folder / name, _survey(90, seed))
    for seed, name in enumerate(FOLDS):
        curves = _survey(60, 10 + seed)
        write_fold(folder / name, train=curves[:36], validation=curves[36:48], test=curves[48:])
    _write_tess_files(folder / "tess_files", _survey(12, 20))
    for name in re.findall(r"\.fuzz/crashes/[\w/-]+", "".join(block.text for block in BLOCKS)):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"what a fuzzer has found and somebody mended")


def _survey(stars: int, seed: int) -> list[LightCurve]:
    """The first observations of synthetic stars: as many of each, so that one graph is made."""
    made, part = make_survey(stars, seed), slice(40)
    return [
        dataclasses.replace(
            curve, mjd=curve.mjd[part], mag=curve.mag[part], errmag=curve.errmag[part]
        )
        for curve in (made[row] for row in range(stars))
    ]


def _write_survey(folder: Path, curves: list[LightCurve]) -> None:
    (folder / "light_curves").mkdir(parents=True)
    rows = np.arange(len(curves))
    stars = {
        "newID": rows,
        "ID": [curve.id for curve in curves],
        "Class": [curve.class_name for curve in curves],
        "Label": [curve.label for curve in curves],
        "Band": ["V"] * len(curves),
        "shard": np.zeros(len(curves), np.int64),
    }
    observations = {
        "newID": np.repeat(rows, [len(curve) for curve in curves]),
        **{
            name: np.concatenate([getattr(curve, name) for curve in curves])
            for name in ("mjd", "mag", "errmag")
        },
    }
    pq.write_table(pa.table(stars), folder / "metadata.parquet")
    pq.write_table(pa.table(observations), folder / "light_curves" / "shard_000.parquet")


def _write_tess_files(folder: Path, curves: list[LightCurve]) -> None:
    folder.mkdir()
    for number, curve in enumerate(curves):
        flux = 10 ** (0.4 * (20.44 - curve.mag.astype(float)))
        table = Table(
            {
                "TIME": curve.mjd - 56999.5,
                "PDCSAP_FLUX": flux,
                "PDCSAP_FLUX_ERR": flux * curve.errmag,
                "QUALITY": np.zeros(len(curve), np.int32),
            },
            meta={"EXTNAME": "LIGHTCURVE", "BJDREFI": 2457000, "BJDREFF": 0.0, "TICID": number + 1},
        )
        table.write(folder / f"tess{number:04}_lc.fits")
