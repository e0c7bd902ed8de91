"""The name by which metadata tell the outputs of one pipeline from those of others."""

from __future__ import annotations

import secrets
from pathlib import Path

from astromer.system.atomic import write_file

ID_FILE = "pipeline_id"


def pipeline_name(name: str, output: Path) -> str:
    """The name of a pipeline in a database that several output folders share.

    TFX looks for cached results and for earlier models among runs of the same pipeline name, so
    the output folder is part of it: by a random number in a file, since folders on two machines
    may have one path. A folder that was deleted comes back as another one, for which nothing is
    cached.

    Args:
        name: of the pipeline.
        output: its output folder, which this process has locked.
    """
    file = output / "metadata" / ID_FILE
    try:
        known = file.read_text().strip()
    except FileNotFoundError:
        known = ""
    if not known:
        known = secrets.token_hex(4)
        file.parent.mkdir(parents=True, exist_ok=True)
        write_file(file, known + "\n")
    return f"{name}-{known}"
