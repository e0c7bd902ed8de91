"""No code comes out of data: what ruff's rules do not know is looked for in every file."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FOLDERS = ("astromer", "components", "pipeline", "presentation", "scripts", "benchmarks", "fuzzing")
FORBIDDEN = {
    "np.load": "astromer.system.untrusted_files.read_arrays, which believes no claim of a file",
    "numpy.load": "astromer.system.untrusted_files.read_arrays, which believes no claim of a file",
    "keras.models.load_model": "config and weights; a Keras file may hold code",
    "keras.saving.load_model": "config and weights; a Keras file may hold code",
    "tf.keras.models.load_model": "config and weights; a Keras file may hold code",
    "keras.layers.Lambda": "a layer; a Lambda is saved as code",
    "pd.read_pickle": "Parquet",
    "pq.read_table": "astromer.records.sources.tables, which refuses pickled types",
    "joblib.load": "npz",
    "shutil.unpack_archive": "members by name, as astromer.encoder.checkpoint",
    "tarfile.open": "members by name, as astromer.encoder.checkpoint",
    "eval": "a parser",
    "exec": "a parser",
    "yaml.load": "yaml.safe_load",
    "yaml.unsafe_load": "yaml.safe_load",
    "pickle.load": "components.validator.beam_pipeline",
    "pickle.loads": "components.validator.beam_pipeline",
}
METHODS = {"extractall", "extract", "enable_unsafe_deserialization"}


def _calls(tree: ast.AST) -> Iterator[tuple[int, str, ast.Call]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield node.lineno, ast.unparse(node.func), node


def unsafe_calls(text: str) -> list[str]:
    """Calls that make code of data, or write where data say."""
    found = []
    for line, name, call in _calls(ast.parse(text)):
        options = {keyword.arg: keyword.value for keyword in call.keywords}
        pickles = ast.unparse(options.get("allow_pickle", ast.Constant(False))) != "False"
        unsafe = ast.unparse(options.get("safe_mode", ast.Constant(True))) != "True"
        shell = ast.unparse(options.get("shell", ast.Constant(False))) != "False"
        if name in FORBIDDEN or name.rpartition(".")[2] in METHODS or pickles or unsafe or shell:
            found.append(f"line {line}: {name}; instead: {FORBIDDEN.get(name, 'without it')}")
    return found


def test_no_code_comes_out_of_data() -> None:
    files = [file for folder in FOLDERS for file in (ROOT / folder).rglob("*.py")]
    assert len(files) > 200
    found = [
        f"{file.relative_to(ROOT)}, {call}"
        for file in files
        for call in unsafe_calls(file.read_text(encoding="utf-8"))
    ]
    assert not found, "\n".join(found)


def test_unsafe_calls_are_found() -> None:
    for text in (
        "np.load(f)",
        "x(allow_pickle=True)",
        "z.extractall(p)",
        "subprocess.run(c, shell=True)",
        "keras.models.load_model(p)",
        "load(p, safe_mode=False)",
        "eval('1')",
    ):
        assert len(unsafe_calls(text)) == 1, text
    assert not unsafe_calls("read_arrays(p); np.save(f, a, allow_pickle=False)")


def test_only_this_package_reads_parquet_where_pickles_are_refused() -> None:
    for file in (ROOT / "astromer").rglob("*.py"):
        opens = [
            name for _, name, _ in _calls(ast.parse(file.read_text())) if "ParquetFile" in name
        ]
        assert not opens or file.name == "tables.py", f"{file} opens Parquet files by itself"
