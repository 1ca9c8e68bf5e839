#!/usr/bin/env bash
# Makes a release's archive for one target: `build.sh TARGET DIR`, on a machine that can run what it builds.
#
# Linux: static (musl), linked by zig (pip install -r packaging/requirements-build.txt).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
target=$1 dist=$2
version=$(packaging/versions.sh)
name=udmap-$version-$target
program=udmap
build=(cargo build)
case $target in
*-linux-musl) build=(cargo zigbuild) ;;
*-windows-*) program=udmap.exe ;;
esac

export CARGO_PROFILE_RELEASE_STRIP=true CARGO_PROFILE_RELEASE_DEBUG=false
"${build[@]}" --locked --release --target "$target" --bin udmap

rm -rf "${dist:?}/$name"
mkdir -p "$dist/$name/man" "$dist/$name/completions"
built=${CARGO_TARGET_DIR:-target}/$target/release/$program
cp "$built" LICENSE README.md CHANGELOG.md "$dist/$name/"
"$built" man "$dist/$name/man"
"$built" completions bash >"$dist/$name/completions/udmap.bash"
"$built" completions zsh >"$dist/$name/completions/_udmap"
"$built" completions fish >"$dist/$name/completions/udmap.fish"
"$built" completions powershell >"$dist/$name/completions/_udmap.ps1"

# It works: the first example of README, which has one reject.
status=0
"$built" convert fixtures/quickstart/input.ndjson -q >"$dist/events" || status=$?
if [ "$status" != 1 ] || ! cmp "$dist/events" fixtures/quickstart/events.ndjson; then
    echo "$built converts otherwise than the fixture says (status $status)" >&2
    exit 1
fi
rm "$dist/events"

cd "$dist"
case $target in
*-windows-*) 7z a -bso0 "$name.zip" "$name" ;;
*) tar -czf "$name.tar.gz" "$name" ;;
esac
ls -l "$name".*
