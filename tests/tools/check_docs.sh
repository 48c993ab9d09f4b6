#!/usr/bin/env bash
# The generated documents are what their sources give.
set -euo pipefail
cd "$(dirname "$0")/../.."
status=0
for name in functions settings; do
	docs/tools/make.sh "$name" | diff -u "docs/$name.md" - || {
		echo "docs/$name.md is not what its source gives: ./dev docs"
		status=1
	}
done
exit $status
