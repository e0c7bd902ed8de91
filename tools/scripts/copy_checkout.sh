#!/bin/sh
# Copies the files of the checkout, as they are now, without what git ignores: to build a package
# from, since setuptools leaves its build folder there.
# Usage: tools/scripts/copy_checkout.sh FOLDER
set -eu
cd "$(dirname "$0")/../.."
mkdir -p "$1"
git ls-files --cached --others --exclude-standard | while IFS= read -r file; do
    if [ -f "$file" ]; then
        mkdir -p "$1/$(dirname "$file")"
        cp "$file" "$1/$file"
    fi
done
