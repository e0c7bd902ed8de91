#!/bin/sh
# Installs the package as a user would (pip install .), without TFX, into an empty environment,
# and imports it from another folder. Slow: it downloads TensorFlow.
# Usage: scripts/check_install.sh [PYTHON]   (default: python3; 3.10 or 3.11)
set -eu
cd "$(dirname "$0")/.."
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

"${1:-python3}" -m venv "$folder/venv"
# Built from a copy, so that setuptools leaves no build folder in the working tree.
mkdir "$folder/source"
git ls-files --cached --others --exclude-standard | while IFS= read -r file; do
    if [ -f "$file" ]; then
        mkdir -p "$folder/source/$(dirname "$file")"
        cp "$file" "$folder/source/$file"
    fi
done
"$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check "$folder/source"
cd "$folder/venv"
"$folder/venv/bin/python" - <<'END'
import importlib.metadata as metadata
import importlib.util
import pkgutil
import sys

import astromer
import pipeline_config

assert importlib.util.find_spec("tfx") is None, "TFX was installed"
assert "tensorflow" not in sys.modules, "import astromer loads TensorFlow"
names = [found.name for found in pkgutil.walk_packages(astromer.__path__, "astromer.")]
for name in names:
    if not name.endswith("__main__"):
        importlib.import_module(name)
versions = (f"{name} {metadata.version(name)}" for name in ("tensorflow", "keras", "numpy"))
print(f"Python {sys.version.split()[0]}:", ", ".join(versions), f"- {len(names)} modules import")
END
