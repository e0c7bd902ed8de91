#!/bin/sh
# Resolves pyproject.toml into requirements.lock; versions already there are kept where they fit.
set -eu
cd "$(dirname "$0")/../.."
uv=uv
command -v uv >/dev/null 2>&1 || uv=.tools/bin/uv
"$uv" --version >/dev/null 2>&1 || {
    echo "error: uv is gone; make distclean and make setup bring it back." >&2
    exit 1
}
exec "$uv" pip compile pyproject.toml \
    --extra pipeline --extra plots --extra fits --extra onnx --extra finetune --extra dev \
    --generate-hashes --no-emit-index-url --no-emit-find-links --python-version 3.10 --quiet \
    --custom-compile-command "make lock" --output-file requirements.lock "$@"
