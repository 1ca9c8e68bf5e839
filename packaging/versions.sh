#!/usr/bin/env bash
# Checks that one version, and one address, is named everywhere: `versions.sh [TAG [OWNER/NAME]]`.
#
# With a tag, that it is this version's and the change log has it; with a repository, that it is the project's.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
tag=${1:-} repository=${2:-}
failed=0
expect() { # WHERE FOUND EXPECTED
    if [ "$2" != "$3" ]; then
        echo "$1: expected \`$3\`, found \`$2\`" >&2
        failed=1
    fi
}
field() { sed -n "s/^$1 = \"\(.*\)\"$/\1/p" "$2" | head -1; }

version=$(field version Cargo.toml)
address=$(field repository Cargo.toml)
rust=$(field rust-version Cargo.toml)
expect python/Cargo.toml "$(field version python/Cargo.toml)" "$version"
expect python/Cargo.toml "$(field rust-version python/Cargo.toml)" "$rust"
expect python/pyproject.toml "$(sed -n 's/^Repository = "\(.*\)"$/\1/p' python/pyproject.toml)" "$address"
expect .github/workflows/ci.yml "$(sed -n 's/^ *OLDEST_RUST: "\(.*\)"$/\1/p' .github/workflows/ci.yml)" "$rust"
# Every mention of the project's own address.
while read -r found; do
    expect "the files of the project" "$found" "$address"
done < <(git grep -hoE 'https://github\.com/[A-Za-z0-9_-]+/udmap\b' | sort -u)
if [ -n "$tag" ]; then
    expect "the tag" "$tag" "v$version"
    grep -q "^## $version" CHANGELOG.md || expect CHANGELOG.md "no section \"## $version\"" "## $version"
fi
if [ -n "$repository" ]; then
    expect "Cargo.toml's repository" "$address" "https://github.com/$repository"
fi
[ "$failed" = 0 ] && echo "$version"
