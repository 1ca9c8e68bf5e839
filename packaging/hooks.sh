#!/usr/bin/env bash
# The hooks by pre-commit itself: a repository with wrong events fails and shows why, a right one passes.
#
# Uses the committed state of this checkout, the `pre-commit` on PATH, and an `udmap` that is built or got.
set -euo pipefail
checkout=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export PRE_COMMIT_HOME=$work/pre-commit GIT_CONFIG_GLOBAL=/dev/null
export GIT_AUTHOR_NAME=test GIT_AUTHOR_EMAIL=test@example.com GIT_COMMITTER_NAME=test GIT_COMMITTER_EMAIL=test@example.com
udmap=$checkout/target/debug/udmap
[ -x "$udmap" ] || udmap=$("$checkout/packaging/get.sh")
PATH=$(dirname "$udmap"):$PATH

# The snippet of docs/checks.md with this hook, for this checkout's commit.
snippet() {
    awk -v hook="- id: $1" '
        /^```yaml/ { inside = 1; block = ""; next }
        /^```/ { if (inside && index(block, hook)) printf "%s", block; inside = 0 }
        inside { block = block $0 "\n" }' "$checkout/docs/checks.md" |
        sed -e "s|https://github.com/OWNER/udmap|$checkout|" -e "s|rev: .*|rev: $(git -C "$checkout" rev-parse HEAD)|"
}

# A repository with this hook; what `pre-commit` says of all its files is in $said, its status in $status.
repository() {
    mkdir "$work/$1"
    cd "$work/$1"
    git init --quiet
    snippet "$1" >.pre-commit-config.yaml
}
hook() {
    git add --all
    status=0
    said=$(pre-commit run --all-files 2>&1) || status=$?
}
passes() {
    hook
    if [ "$status" != 0 ] || [ "$(grep -c Passed <<<"$said")" != 1 ]; then
        echo "$1 fails for right events (status $status): $said" >&2
        exit 1
    fi
}
fails() {
    hook
    if [ "$status" != 1 ] || [ "$(grep -c Failed <<<"$said")" != 1 ] || ! grep -q NO_SUCH_TYPE <<<"$said"; then
        echo "$1 doesn't show what is wrong (status $status): $said" >&2
        exit 1
    fi
}

# All three layouts: content-hub's, secops-toolkit's, a folder a case.
repository udmap-validate
cp -r "$checkout"/fixtures/content-hub/* .
cp -r "$checkout/fixtures/secops-toolkit/parsers" .
mkdir -p cases/one
cp "$checkout/fixtures/quickstart/"* cases/one/
git add --all
git commit --quiet --no-verify -m "right events"
passes udmap-validate
for file in content/parsers/third_party/community/ONFIDO/cbn/testdata/expected_events/default_events.json \
    parsers/DUO_TELEPHONY/events/quickstart.yaml cases/one/events.ndjson; do
    sed -i 's/GENERIC_EVENT\|USER_UNCATEGORIZED/NO_SUCH_TYPE/' "$file"
    fails "udmap-validate ($file)"
    grep -q "$file" <<<"$said" || { echo "udmap-validate does not name $file: $said" >&2; exit 1; }
    git checkout --quiet HEAD -- "$file"
done

repository udmap-test
mkdir -p cases/one
cp "$checkout/fixtures/quickstart/"* cases/one/
passes udmap-test
sed -i '1s/GENERIC_EVENT\|USER_UNCATEGORIZED\|STATUS_UPDATE/NO_SUCH_TYPE/' cases/one/events.ndjson
fails udmap-test
