#!/usr/bin/env bash
# Makes a release's wheel: `wheel.sh TARGET UDMAP DIR`, with the command UDMAP that build.sh made for the same machine.
#
# Linux: for glibc 2.17 or later (manylinux2014), linked by zig; the command in it is static.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
target=$1 command=$2
mkdir -p "$3"
dist=$(cd "$3" && pwd)
options=()
case $target in *-linux-gnu) options=(--zig --compatibility manylinux2014) ;; esac
export CARGO_PROFILE_RELEASE_STRIP=true
"${PYTHON:-python3}" python/build_backend.py "$command"
cd python
# `+`: an empty list is no unbound variable for the bash of macOS.
maturin build --locked --release --target "$target" ${options[@]+"${options[@]}"} --out "$dist"
