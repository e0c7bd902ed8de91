#!/bin/sh
# Installs the package as a user would (pip install .) into an empty environment; in another
# folder imports its modules and embeds with a pushed model.
# Usage: tools/scripts/check_install.sh [PYTHON [MODEL [EXTRAS [REQUIREMENT ...]]]]
#   PYTHON  3.10 to 3.13 (default: python3)
#   MODEL   a pushed version (default, or empty: a small one is made there)
#   EXTRAS  such as onnx,plots (default, or empty: none)
#   REQUIREMENT  such as tensorflow==2.16.2, to be met as well
set -eu
cd "$(dirname "$0")/../.."
python=${1:-python3}
extras=${3:-}
model=${2:-}
if [ $# -gt 3 ]; then shift 3; else set --; fi # what is left are requirements
case "$model" in "" | /*) ;; *) model=$PWD/$model ;; esac
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

sh tools/scripts/copy_checkout.sh "$folder/source"
source=$folder/source${extras:+[$extras]}
# uv has what make setup fetched; pip downloads TensorFlow.
uv=$(command -v uv || echo .tools/bin/uv)
if "$uv" --version >/dev/null 2>&1; then
    "$uv" venv --quiet --no-project --python "$python" "$folder/venv"
    "$uv" pip install --quiet --python "$folder/venv/bin/python" "$source" "$@"
else
    "$python" -m venv "$folder/venv"
    "$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check "$source" \
        "$@"
fi
cp tools/scripts/check_install.py "$folder/"
cd "$folder/venv"
env -u PYTHONPATH "$folder/venv/bin/python" "$folder/check_install.py" "$model" "$extras"
"$folder/venv/bin/astromer" --version
