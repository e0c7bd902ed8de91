#!/bin/sh
# Resolves pyproject.toml into requirements.lock, for Python 3.10 and the pipeline, and into
# requirements-current.lock, for the science half on later ones; versions already there are kept
# where they fit.
set -eu
cd "$(dirname "$0")/../.."
uv=uv
command -v uv >/dev/null 2>&1 || uv=.tools/bin/uv
"$uv" --version >/dev/null 2>&1 || {
    echo "error: uv is gone; make distclean and make setup bring it back." >&2
    exit 1
}
resolve() { # LOCK OPTION ...
    lock=$1
    shift
    "$uv" pip compile pyproject.toml --extra plots --extra fits --extra onnx --extra finetune \
        --generate-hashes --no-emit-index-url --no-emit-find-links --quiet \
        --custom-compile-command "make lock" --output-file "$lock" "$@"
}
resolve requirements.lock --extra pipeline --extra dev --python-version 3.10 "$@"
resolve requirements-current.lock --extra test --universal --python-version 3.11 "$@"
