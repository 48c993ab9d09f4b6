#!/usr/bin/env bash
# Prints a generated document: make.sh functions|settings. PHP names the interpreter.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../.." && pwd)
case ${1:-} in
functions)
	ext=()
	"${PHP:-php}" -n -r 'exit(extension_loaded("tokenizer") ? 0 : 1);' ||
		ext=(-d extension=tokenizer)
	"${PHP:-php}" -n ${ext[@]+"${ext[@]}"} "$here/functions.php"
	;;
settings)
	dir=$(mktemp -d)
	trap 'rm -rf "$dir"' EXIT
	core=()
	for file in "$top"/core/*.c; do
		[[ $file == *_win32.c ]] || core+=("$file")
	done
	${CC:-cc} -std=c11 -D_GNU_SOURCE -o "$dir/settings" "$here/settings.c" "$top/opa_setting.c" \
		"${core[@]}" -lpthread
	"$dir/settings" >"$dir/table"
	sed -e "/^<!-- made by/,/^<!-- end -->/{/^<!--/!d}" -e "/^<!-- made by/r $dir/table" \
		"$top/docs/settings.md"
	;;
*)
	echo "usage: $0 functions|settings" >&2
	exit 2
	;;
esac
