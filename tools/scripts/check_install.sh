#!/bin/sh
# Installs the package as a user would (pip install .) into an empty environment; in another
# folder imports its modules and embeds with a pushed model.
# Usage: tools/scripts/check_install.sh [PYTHON [MODEL [EXTRAS]]]
#   PYTHON  3.10, 3.11 or 3.12 (default: python3)
#   MODEL   a pushed version (default, or empty: a small one is made there)
#   EXTRAS  such as onnx,plots (default: none)
set -eu
cd "$(dirname "$0")/../.."
python=${1:-python3}
extras=${3:-}
case "${2:-}" in "" | /*) model=${2:-} ;; *) model=$PWD/$2 ;; esac
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# Built from a copy, so that setuptools leaves no build folder in the working tree.
mkdir "$folder/source"
git ls-files --cached --others --exclude-standard | while IFS= read -r file; do
    if [ -f "$file" ]; then
        mkdir -p "$folder/source/$(dirname "$file")"
        cp "$file" "$folder/source/$file"
    fi
done
source=$folder/source${extras:+[$extras]}
# uv has what make setup fetched; pip downloads TensorFlow.
uv=$(command -v uv || echo .tools/bin/uv)
if "$uv" --version >/dev/null 2>&1; then
    "$uv" venv --quiet --no-project --python "$python" "$folder/venv"
    "$uv" pip install --quiet --python "$folder/venv/bin/python" "$source"
else
    "$python" -m venv "$folder/venv"
    "$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check "$source"
fi
cp tools/scripts/check_install.py "$folder/"
cd "$folder/venv"
env -u PYTHONPATH "$folder/venv/bin/python" "$folder/check_install.py" "$model" "$extras"
"$folder/venv/bin/astromer" --version
