"""What an installation must do; run by check_install.sh, outside of the project.

python check_install.py [MODEL [EXTRAS]]
"""

import importlib
import importlib.metadata as metadata
import importlib.util
import pkgutil
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

import astromer
from astromer.system.environment import missing_extra
from astromer.system.logs import silence

# Of the extras.
EXTRAS = ("tfx", "apache_beam", "matplotlib", "jinja2", "sklearn", "pandas")


def main(model: str = "", extras: str = "") -> None:
    """Raises what goes wrong."""
    there = [name for name in EXTRAS if importlib.util.find_spec(name)]
    if there and not extras:
        raise SystemExit(f"error: an installation without extras must not bring {there}.")
    if "tensorflow" in sys.modules:
        raise SystemExit("error: import astromer must not load TensorFlow.")
    silence()
    modules = import_all(extras.split(","))
    with tempfile.TemporaryDirectory() as folder:
        encoder = astromer.load(model or make_model(Path(folder) / "model"))
        lengths = (5, 200, 1500)
        curves = [
            {"mjd": np.arange(n) + 58000.0, "mag": 15 + np.sin(np.arange(n)), "errmag": [0.02] * n}
            for n in lengths
        ]
        found = encoder.embed(curves, progress=False)
        check_program(encoder.path, Path(folder))
        check_pipeline(folder)
        if found.mean.shape[0] != len(lengths) or not np.isfinite(found.mean).all():
            raise SystemExit(f"error: embeddings must be finite. Received: {found.mean}.")
    versions = (f"{name} {metadata.version(name)}" for name in ("tensorflow", "keras", "numpy"))
    print(
        f"Python {sys.version.split()[0]}: {', '.join(versions)}; {modules} modules import; "
        f"curves of {', '.join(map(str, lengths))} observations embedded in {found.mean.shape[1]} "
        "numbers"
    )


def import_all(extras: list[str]) -> int:
    """Imports every module but those that need a library of another extra; says how many."""
    names = [
        found.name
        for found in pkgutil.walk_packages(astromer.__path__, "astromer.")
        if not found.name.endswith("__main__")
    ]
    left = 0
    for name in names:
        try:
            importlib.import_module(name)
        except ModuleNotFoundError as error:
            missing = missing_extra(error)
            if missing is None or missing.extra in extras:
                raise
            left += 1
    return len(names) - left


def check_program(model: Path, folder: Path) -> None:
    """``astromer embed`` reads a CSV file and writes a Parquet table."""
    rows = [f"a,{58000 + n / 3},{15 + np.sin(n):.3f},0.02" for n in range(60)]
    (folder / "star.csv").write_text("\n".join(["id,mjd,mag,errmag", *rows]) + "\n")
    program = str(Path(sys.executable).with_name("astromer"))
    options = ["--model", str(model), "--data", "star.csv", "--out", "star.parquet"]
    subprocess.run([program, "embed", *options], cwd=folder, stdout=subprocess.DEVNULL, check=True)
    if not (folder / "star.parquet").is_file():
        raise SystemExit("error: astromer embed must write its table.")


def check_pipeline(data: str) -> None:
    """Where there is no TFX, the pipeline's program says why in one line."""
    if sys.version_info < (3, 11):
        return
    program = str(Path(sys.executable).with_name("astromer-pipeline"))
    done = subprocess.run([program, "--data", data], capture_output=True, text=True)
    if done.returncode != 1 or not re.fullmatch(r"error: .* Python 3\.10, .*\n", done.stderr):
        raise SystemExit(f"error: astromer-pipeline must say why it cannot run: {done.stderr}")


def make_model(folder: Path) -> Path:
    """A small model with random weights."""
    from astromer.encoder.config import EncoderConfig
    from astromer.encoder.reconstructor import Reconstructor
    from astromer.serving.export import export_saved_model

    config = EncoderConfig(num_layers=1, d_model=16, num_heads=2, ffn_dim=16)
    return export_saved_model(Reconstructor.from_settings(config, seed=0), folder)


if __name__ == "__main__":
    main(*sys.argv[1:])
