#!/usr/bin/env bash
# Builds the Python package and runs its tests, in an environment of its own below target/.
#
#   python/test.sh              all but Ray's
#   python/test.sh ray          Ray's, too (its packages take half a gigabyte)
#   python/test.sh spark-large  Spark on 2 million records
#
# It needs Python 3.11 or later as python3, openssl, and Java 17 or later for Spark.
set -euo pipefail
cd "$(dirname "$0")/.."

requirements=python/tests/requirements.txt
tests=(python/tests --ignore python/tests/test_ray.py)
case "${1:-}" in
"") ;;
ray)
    requirements=python/tests/requirements-ray.txt
    tests=(python/tests)
    ;;
spark-large)
    export UDMAP_SPARK_RECORDS=2000000 UDMAP_SPARK_SUBMIT=1
    tests=(python/tests/test_spark.py)
    ;;
*)
    sed -n '2,9s/^# \{0,1\}//p' "$0" >&2
    exit 2
    ;;
esac

if ! java -version >/dev/null 2>&1; then
    echo "python/test.sh: Spark needs Java 17 or later as java (Debian: openjdk-17-jre-headless)" >&2
    exit 2
fi

export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-$PWD/target}"
venv="$CARGO_TARGET_DIR/python-$(basename "$requirements" .txt)"
if ! cmp -s "$requirements" "$venv/installed"; then
    rm -rf "$venv"
    python3 -m venv "$venv"
    "$venv/bin/pip" install --quiet --disable-pip-version-check --require-hashes -r "$requirements"
    cp "$requirements" "$venv/installed"
fi

# What the package is held against: the programs that `cargo test` has built, if it ran before.
cargo test --locked --quiet --features lambda --no-run
"$venv/bin/python" python/build_backend.py "$CARGO_TARGET_DIR/debug/udmap"
(cd python && VIRTUAL_ENV="$venv" "$venv/bin/maturin" develop --locked --quiet)
# The wheel, from the same build, for the tests that install it in an environment of its own.
rm -rf "$CARGO_TARGET_DIR/wheels/test"
(cd python && "$venv/bin/maturin" build --locked --quiet --profile dev --interpreter "$venv/bin/python" \
    --out "$CARGO_TARGET_DIR/wheels/test")
UDMAP_WHEEL=$(echo "$CARGO_TARGET_DIR"/wheels/test/*.whl)
export UDMAP_WHEEL
UDMAP="$CARGO_TARGET_DIR/debug/udmap" "$venv/bin/python" -m pytest -c python/pytest.ini "${tests[@]}"
