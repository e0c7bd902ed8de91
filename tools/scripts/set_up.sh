#!/bin/sh
# Makes a virtual environment from its lock, or leaves it alone if it is up to date.
# Usage: tools/scripts/set_up.sh [current]
#   (nothing)  .venv of requirements.lock, with the project in it; for Python 3.10
#   current    .venv-current of requirements-current.lock; for the newest Python of WANTED
# Needs a Python that is wanted, or uv, or any other Python 3.8+ (uv then fetches one).
set -eu
cd "$(dirname "$0")/../.."

case "${1:-}" in
    "") WANTED="3.10" VENV=.venv LOCK=requirements.lock ;;
    current) WANTED="3.13 3.12 3.11" VENV=.venv-current LOCK=requirements-current.lock ;;
    *)
        echo "error: the argument must be nothing or current. Received: $1." >&2
        exit 2
        ;;
esac
BEST=${WANTED%% *}
STAMP=$VENV/installed.lock # a copy of the lock, written when all of it has been installed

fail() {
    echo "error: $*" >&2
    exit 1
}

# Prints the first of the given interpreters that really runs and is of the given version. A pyenv
# shim is found by the shell and yet fails where its version is not selected, so each is tried.
first_that_runs() {
    version=$1
    shift
    for candidate in "$@"; do
        if "$candidate" -c "import sys; sys.exit('%d.%d' % sys.version_info[:2] != '$version')" \
            >/dev/null 2>&1; then
            echo "$candidate"
            return 0
        fi
    done
    return 1
}

find_python() {
    if [ "$BEST" = 3.10 ] && [ -n "${PYTHON310:-}" ]; then
        first_that_runs 3.10 "$PYTHON310" || fail "PYTHON310=$PYTHON310 is not a working Python 3.10."
        return
    fi
    for wanted in $WANTED; do
        first_that_runs "$wanted" "python$wanted" python3 python && return
        # Installed by pyenv, but not selected here.
        for root in "${PYENV_ROOT:-}" "${HOME:-}/.pyenv" "$(pyenv root 2>/dev/null || :)" \
            "$(dirname "$(dirname "$(command -v "python$wanted" || echo /-/-)")")"; do
            [ -d "$root/versions" ] || continue
            first_that_runs "$wanted" "$root/versions/$wanted"[.]*"/bin/python$wanted" && return
        done
    done
    return 1
}

# Prints a uv that runs: the user's, or our own pinned one in .tools.
find_uv() {
    for uv in uv .tools/bin/uv; do
        if "$uv" --version >/dev/null 2>&1; then
            echo "$uv"
            return
        fi
    done
    return 1
}

bootstrap_uv() {
    echo "installing uv into .tools" >&2
    rm -rf .tools
    "$1" -m venv .tools >&2 || fail "$1 cannot make virtual environments: install its venv" \
        "module (on Debian and Ubuntu: apt install python$BEST-venv)."
    .tools/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes \
        --requirement requirements-uv.txt >&2 ||
        fail "uv could not be installed (see above). Check the network and run make again."
}

up_to_date() {
    cmp -s "$LOCK" "$STAMP" && "$VENV/bin/python" -c '' 2>/dev/null &&
        { [ "$VENV" != .venv ] || [ -x .venv/bin/astromer ]; }
}

up_to_date && exit 0

python=$(find_python) || {
    [ -z "${PYTHON310:-}" ] || exit 1 # the reason has been printed
    python=
}
uv=$(find_uv) || {
    bootstrap=$python
    if [ -z "$bootstrap" ]; then
        bootstrap=$(command -v python3 || :)
        [ -n "$bootstrap" ] && "$bootstrap" -c 'import sys; sys.exit(sys.version_info < (3, 8))' \
            2>/dev/null || fail "no Python $WANTED found. Install one (for example: pyenv install" \
            "$WANTED, or apt install python$WANTED python$BEST-venv) or install uv, then run make again."
    fi
    bootstrap_uv "$bootstrap"
    uv=.tools/bin/uv
}
[ -n "$python" ] || echo "no Python $BEST here: uv fetches one" >&2

# Without its stamp the environment was never finished: a kill may have left half a package.
if [ -f "$STAMP" ] && "$VENV/bin/python" -c '' 2>/dev/null; then
    rm -f "$STAMP"
else
    [ ! -d "$VENV" ] || echo "replacing the unfinished $VENV" >&2
    rm -rf "$VENV"
    "$uv" venv --quiet --no-project --python "${python:-$BEST}" "$VENV" ||
        fail "no virtual environment could be made (see above). Install Python $BEST" \
            "(for example: pyenv install $BEST) and run make again."
fi
echo "installing $(grep -c '^[a-z0-9].*==' "$LOCK") packages into $VENV" >&2
if [ -t 2 ]; then quiet=; else quiet=--quiet; fi # a progress bar where someone watches
# Compiled once, as pip does: where PYTHONDONTWRITEBYTECODE is set, as in many containers, every
# program would else compile all that it imports, which takes TFX 17 s.
"$uv" pip sync $quiet --compile-bytecode --python "$VENV/bin/python" --require-hashes "$LOCK" ||
    fail "the packages of $LOCK could not be installed (see above). Run make again."
# The project itself, so that its programs run from any folder; all it needs is in place.
[ "$VENV" != .venv ] ||
    "$uv" pip install --quiet --python .venv/bin/python --no-deps --no-build-isolation --no-index \
        --editable . || fail "the project itself could not be installed (see above)."
cp "$LOCK" "$STAMP.new"
mv "$STAMP.new" "$STAMP"
