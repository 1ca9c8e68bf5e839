#!/usr/bin/env bash
# Each feature on its own, and none: the library builds without warnings, with its tests.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
features=$(sed -n '/^\[features\]/,/^\[dependencies\]/s/^\([a-z]*\) = .*/\1/p' Cargo.toml)
for feature in "" $features; do
    echo "== ${feature:-no feature}"
    cargo clippy --locked --all-targets --no-default-features --features "$feature" -- -D warnings
done
