#!/usr/bin/env bash
# A pre-commit hook: `hook.sh COMMAND ARGUMENTS...` runs udmap with them. pre-commit shows what it prints if it fails.
set -euo pipefail
udmap=$("$(dirname "${BASH_SOURCE[0]}")/get.sh")
exec "$udmap" "$@"
