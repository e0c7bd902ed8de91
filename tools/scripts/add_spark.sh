#!/bin/sh
# Fetches what runs the validation in a Spark session into a folder of its own, for PYTHONPATH.
# Usage: tools/scripts/add_spark.sh [FOLDER]
#   FOLDER  default: .tools/spark
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
folder=${1:-$root/.tools/spark}
locked=$root/requirements-spark.txt

fail() {
    echo "error: $*" >&2
    exit 1
}

# The lock is copied when all of it has been installed.
if cmp -s "$locked" "$folder/installed.lock"; then exit 0; fi
command -v java >/dev/null 2>&1 || [ -n "${JAVA_HOME:-}" ] || fail "Spark needs Java (8, 11 or 17)," \
    "which is not here. Install it (for example: apt install openjdk-17-jre-headless)."
uv=$(command -v uv || echo "$root/.tools/bin/uv")
"$uv" --version >/dev/null 2>&1 || fail "uv is gone; make distclean and make setup bring it back."
echo "installing Spark (340 MB) into $folder" >&2
rm -rf "$folder"
if [ -t 2 ]; then quiet=; else quiet=--quiet; fi # a progress bar where someone watches
"$uv" pip install $quiet --python "$root/.venv/bin/python" --no-deps --require-hashes \
    --requirement "$locked" --target "$folder" ||
    fail "the packages of requirements-spark.txt could not be installed (see above)."
cp "$locked" "$folder/installed.lock"
