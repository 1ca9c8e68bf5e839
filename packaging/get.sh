#!/usr/bin/env bash
# Prints the path of an `udmap` of this checkout's version: what action.yml and the pre-commit hooks run.
#
# In this order: the one on PATH; the one got before; the release's, if its SHA-256 is that of the release's list;
# built here with cargo. Only "there is no such release" leads on to the build: a wrong checksum ends it.
#
#   UDMAP_HOME      where what was got is kept (default: target/got of this checkout)
#   UDMAP_RELEASES  where releases are (default: Cargo.toml's `repository`, /releases/download)
#   UDMAP_BUILD     1: take nothing but what was built here; 0: never build
set -euo pipefail

checkout=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
say() { echo "udmap: $*" >&2; }
of_cargo() { sed -n "s/^$1 = \"\(.*\)\"$/\1/p" "$checkout/Cargo.toml" | head -1; }

version=$(of_cargo version)
repository=$(of_cargo repository)
home=${UDMAP_HOME:-$checkout/target/got}
releases=${UDMAP_RELEASES:-}
# The address stays a placeholder until the project has one.
if [ -z "$releases" ] && [ "$repository" != "https://github.com/OWNER/udmap" ]; then
    releases=$repository/releases/download
fi

archive=tar.gz program=udmap
case "$(uname -s) $(uname -m)" in
"Linux x86_64") target=x86_64-unknown-linux-musl ;;
"Linux aarch64" | "Linux arm64") target=aarch64-unknown-linux-musl ;;
"Darwin x86_64") target=x86_64-apple-darwin ;;
"Darwin arm64") target=aarch64-apple-darwin ;;
MINGW*x86_64 | MSYS*x86_64 | CYGWIN*x86_64) target=x86_64-pc-windows-msvc archive=zip program=udmap.exe ;;
*) target= ;;
esac

is_ours() { [ "$("$1" --version 2>/dev/null)" = "udmap $version" ]; }

sha256() {
    if command -v sha256sum >/dev/null; then sha256sum "$1"; else shasum -a 256 "$1"; fi | cut -d ' ' -f 1
}

# 0: there; 1: there is no such release; ends the script where what came is not what was released.
release() {
    [ -n "$target" ] && [ -n "$releases" ] || return 1
    local name=udmap-$version-$target.$archive expected found
    curl --fail --silent --show-error --location --retry 3 --output "$work/SHA256SUMS" \
        "$releases/v$version/SHA256SUMS" 2>"$work/said" || return 1
    curl --fail --silent --show-error --location --retry 3 --output "$work/$name" \
        "$releases/v$version/$name" 2>"$work/said" || return 1
    expected=$(awk -v name="$name" '$2 == name || $2 == "*" name { print $1 }' "$work/SHA256SUMS")
    found=$(sha256 "$work/$name")
    if [ "$found" != "$expected" ]; then
        say "$releases/v$version/$name: expected SHA-256 ${expected:-in SHA256SUMS}, found $found"
        exit 2
    fi
    case $archive in
    zip) unzip -q "$work/$name" -d "$work" ;;
    *) tar -xzf "$work/$name" -C "$work" ;;
    esac
    mv "$work/udmap-$version-$target/$program" "$work/$program"
}

build() {
    if ! command -v cargo >/dev/null; then
        say "there is no release of $version for this machine, and no cargo to build it with"
        say "hint: install Rust (https://rustup.rs), or put udmap $version on PATH"
        exit 2
    fi
    [ ! -s "$work/said" ] || say "no released binary: $(head -1 "$work/said")"
    say "building udmap $version, which takes minutes once"
    CARGO_TARGET_DIR=$home/build cargo build --release --locked --quiet \
        --manifest-path "$checkout/Cargo.toml" --bin udmap >&2
    cp "$home/build/release/$program" "$work/$program"
}

known=("$(command -v udmap || true)" "$home/udmap-$version/$program")
if [ "${UDMAP_BUILD:-}" = 1 ]; then known=("$home/udmap-$version-built/$program"); fi
for udmap in "${known[@]}"; do
    if [ -n "$udmap" ] && is_ours "$udmap"; then
        echo "$udmap"
        exit
    fi
done

mkdir -p "$home"
work=$(mktemp -d "$home/getting.XXXXXX")
trap 'rm -rf "$work"' EXIT
if [ "${UDMAP_BUILD:-}" = 1 ] || ! release; then
    if [ "${UDMAP_BUILD:-}" = 0 ]; then
        say "there is no release of $version for this machine in ${releases:-a known place}"
        exit 2
    fi
    build
fi
if ! is_ours "$work/$program"; then
    say "what was got does not say \`udmap $version\`"
    exit 2
fi
# Renamed into place, so that two of these at once both end with a whole program.
kept=$home/udmap-$version
if [ "${UDMAP_BUILD:-}" = 1 ]; then kept+=-built; fi
mkdir -p "$kept"
mv -f "$work/$program" "$kept/$program"
echo "$kept/$program"
