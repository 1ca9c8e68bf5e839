#!/usr/bin/env bash
# All that must hold before a change lands: format, lints, documents, and every test, none skipped.
#
#   tests/all.sh
#
# It installs what the tests need (see tests/tools.sh), pinned, below target/. It needs Rust, Python 3.11 or later with
# venv, Node.js 20 or later with npm, Java 17 or later and systemd; and for Ceph, which is left out with a warning where
# it can't be installed, Debian's or Ubuntu's packages.
set -euo pipefail
cd "$(dirname "$0")/.."

step() {
    printf '== %(%H:%M:%S)T %s\n' -1 "$*" >&2
    "$@"
}

# Downloads go on while Rust compiles.
tests/tools.sh oracle checks deploy s3 fake-gcs azurite pages </dev/null &
tools=$!
tests/tools.sh ceph </dev/null &
ceph=$!
trap 'kill $tools $ceph 2>/dev/null || true' EXIT

step cargo fmt --check
step env -C python cargo fmt --check
step cargo clippy --locked --all-targets --all-features -- -D warnings
step cargo clippy --locked --lib --no-default-features -- -D warnings
RUSTDOCFLAGS="-D warnings" step cargo doc --locked --no-deps --all-features
step cargo test --locked --all-features --no-run
wait $tools
if ! wait $ceph; then
    echo "tests/all.sh: warning: Ceph can't be installed here: its tests are skipped" >&2
    export UDMAP_TEST_WITHOUT=ceph
fi
# Before the tests: some of them use the Python package.
step env -C python CARGO_TARGET_DIR="$(cd "${CARGO_TARGET_DIR:-target}" && pwd)" cargo clippy --locked -- -D warnings
step python/test.sh
UDMAP_TEST_ALL=1 step cargo test --locked --all-features
step web/check.sh
step packaging/check.sh
