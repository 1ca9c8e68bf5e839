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

cd "$work"
git init --quiet repository
cd repository
cat >.pre-commit-config.yaml <<CONFIG
repos:
  - repo: $checkout
    rev: $(git -C "$checkout" rev-parse HEAD)
    hooks:
      - id: udmap-validate
      - id: udmap-test
        args: [cases]
CONFIG
mkdir -p cases/one
cp "$checkout/fixtures/quickstart/"* cases/one/
git add --all
status=0
said=$(pre-commit run --all-files 2>&1) || status=$?
if [ "$status" != 0 ] || [ "$(grep -c Passed <<<"$said")" != 2 ]; then
    echo "the hooks fail for right events (status $status): $said" >&2
    exit 1
fi
sed -i '1s/GENERIC_EVENT\|USER_UNCATEGORIZED\|STATUS_UPDATE/NO_SUCH_TYPE/' cases/one/events.ndjson
git add --all
status=0
said=$(pre-commit run --all-files 2>&1) || status=$?
if [ "$status" != 1 ] || [ "$(grep -c Failed <<<"$said")" != 2 ] || [ "$(grep -c NO_SUCH_TYPE <<<"$said")" -lt 2 ]; then
    echo "the hooks don't show what is wrong (status $status): $said" >&2
    exit 1
fi
