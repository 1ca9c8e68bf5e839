#!/usr/bin/env bash
# Fills the Homebrew formula: `formula.sh SHA256SUMS > udmap.rb`, with the list of a release's checksums.
set -euo pipefail
sums=$(realpath "$1")
cd "$(dirname "${BASH_SOURCE[0]}")/.."
version=$(packaging/versions.sh)
address=$(sed -n 's/^repository = "\(.*\)"$/\1/p' Cargo.toml)
edits=(-e "s|@ADDRESS@|$address|g" -e "s|@VERSION@|$version|g")
for target in aarch64-apple-darwin x86_64-apple-darwin aarch64-unknown-linux-musl x86_64-unknown-linux-musl; do
    sum=$(awk -v name="udmap-$version-$target.tar.gz" '$2 == name { print $1 }' "$sums")
    if [ -z "$sum" ]; then
        echo "$1 has no checksum of udmap-$version-$target.tar.gz" >&2
        exit 1
    fi
    edits+=(-e "s|@SHA256 $target@|$sum|g")
done
sed "${edits[@]}" packaging/udmap.rb.in
