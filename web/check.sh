#!/usr/bin/env bash
# Builds the page of `udmap serve` from web/, and fails if web/dist is not what that gives, byte for byte.
#
#   web/check.sh           compares
#   web/check.sh --write   puts what was built into web/dist
#
# It needs Node.js 20.19 or later with npm. Packages come from npm, pinned with hashes, into target/web.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

folder=${CARGO_TARGET_DIR:-$PWD/../target}/web
mkdir -p "$folder"
rm -rf "$folder/src" "$folder/dist"
cp -R package.json package-lock.json tsconfig.json vite.config.js index.html src "$folder/"
cd "$folder"
if ! cmp -s package-lock.json installed; then
    npm ci --loglevel=error --ignore-scripts --no-audit --no-fund
    cp package-lock.json installed
fi
npm run --silent build >&2
cd - >/dev/null
if [ "${1:-}" = --write ]; then
    rm -rf dist
    cp -R "$folder/dist" dist
elif ! diff -rq dist "$folder/dist"; then
    echo "web/check.sh: web/dist is not what web/ builds: run web/check.sh --write" >&2
    exit 1
fi
