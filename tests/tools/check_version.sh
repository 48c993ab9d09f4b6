#!/usr/bin/env bash
# The version that stands in C and the one that stands in the viewer are the same.
set -euo pipefail
cd "$(dirname "$0")/../.."
c=$(sed -n 's/^#define OPA_VERSION_TEXT "\(.*\)"$/\1/p' core/opa_version.h)
php=$(sed -n "s/.*const VERSION = '\(.*\)';/\1/p" viewer/Application.php)
[ -n "$c" ] && [ "$c" = "$php" ] || {
	echo "core/opa_version.h has '$c', viewer/Application.php has '$php'"
	exit 1
}
