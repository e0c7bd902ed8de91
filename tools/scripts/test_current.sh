#!/bin/sh
# Tests the science half as installed from its wheel, with the Python and libraries of today.
# Usage: tools/scripts/test_current.sh [OPTION ...]
#   OPTION  of pytest, such as -k windows
set -eu
cd "$(dirname "$0")/../.."
sh tools/scripts/set_up.sh current
python=$PWD/.venv-current/bin/python
# Models and checkpoints cross over between it and .venv, which has the checkout.
if [ -x .venv/bin/astromer ]; then
    export ASTROMER_OTHER_PYTHON="$PWD/.venv/bin/python" ASTROMER_CHECKOUT="$PWD"
fi
uv=$(command -v uv || echo "$PWD/.tools/bin/uv")
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

sh tools/scripts/copy_checkout.sh "$folder/checkout"
"$uv" build --quiet --wheel --no-build-isolation --python "$python" --out-dir "$folder" \
    "$folder/checkout"
"$uv" pip install --quiet --compile-bytecode --python "$python" --no-deps --no-index --reinstall "$folder"/*.whl
# The tests must find what is installed, and nothing else.
(cd "$folder/checkout" && rm -rf build ./*.egg-info astromer components pipeline presentation \
    pipeline_config.py)
[ ! -d ../shared ] || ln -s "$(cd ../shared && pwd)" "$folder/shared"
cd "$folder/checkout"
"$python" -c 'import platform, sys; from importlib.metadata import version as of; import astromer
print(f"Python {platform.python_version()},", ", ".join(f"{name} {of(name)}" for name in
    ("tensorflow", "keras", "numpy", "astropy", "pyarrow", "scikit-learn", "onnx")))
print("package", astromer.__file__)
sys.exit("site-packages" not in astromer.__file__)'
"$python" -m pytest -p no:cacheprovider -m "not slow" "$@" tests/astromer tests/presentation
