#!/usr/bin/env bash
# Checks what no test of the code sees: spelling, workflows, the action, hooks, image, scripts, versions.
#
# The linters come from PyPI, pinned, into target/packaging once. It needs Python 3.11 or later as python3.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
if ! git ls-files >/dev/null; then
    echo "packaging/check.sh: this is not a checkout with git, so it is not known which files are the project's" >&2
    exit 0
fi
requirements=packaging/requirements.txt
tools=${CARGO_TARGET_DIR:-$PWD/target}/packaging
if ! cmp -s "$requirements" "$tools/installed"; then
    rm -rf "$tools"
    python3 -m venv "$tools"
    "$tools/bin/pip" install --quiet --disable-pip-version-check --require-hashes --only-binary :all: -r "$requirements"
    cp "$requirements" "$tools/installed"
fi
PATH=$tools/bin:$PATH

mapfile -t scripts < <(git ls-files '*.sh' .ci/run)
mapfile -t yaml < <(git ls-files '*.yml' '*.yaml' ':!deploy/aws' ':!fixtures' ':!tests')
status=0
run() {
    echo "== $1"
    "$@" || status=1
}
run packaging/versions.sh
run typos
run shellcheck --severity=style "${scripts[@]}"
run yamllint --strict "${yaml[@]}"
run actionlint
run zizmor --offline --quiet --strict-collection --persona regular .github action.yml
run check-jsonschema --builtin-schema vendor.github-workflows .github/workflows/*.yml
run check-jsonschema --builtin-schema vendor.github-actions action.yml
run check-jsonschema --builtin-schema vendor.dependabot .github/dependabot.yml
run pre-commit validate-manifest .pre-commit-hooks.yaml
run packaging/hooks.sh
run hadolint packaging/Containerfile
# It can't get its advisories without the network, and takes minutes to build: CI has it.
if command -v cargo-deny >/dev/null; then
    run cargo deny --all-features check bans licenses sources
else
    echo "== cargo deny: not here (cargo install --locked cargo-deny); left to CI"
fi
exit "$status"
