#!/usr/bin/env bash
# What opa costs, as ratios in one run and as instruction counts. Called by `./dev bench`, which
# builds: OPA_BUILD is the build with the benchmark's functions, OPA_PHP the interpreter.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
php=${OPA_PHP:-php} modules=${OPA_BUILD:?the directory of the bench build}/modules
case "${1:-}" in
	collector | scripts) OPA_MODULES=$modules exec "$php" "$here/$1.php" "${@:2}" ;;
	sql) exec bash "$here/sql_bench.sh" ;;
esac
spool=$(mktemp -d -p /dev/shm opa-bench.XXXXXX)
trap 'rm -rf "$spool"' EXIT

# No exporter: it would share the two or so cores that are measured.
args=(-n -d "extension=$modules/opa.so" -d "opa.spool_dir=$spool/s" -d "opa.store_path=$spool/t"
	-d opa.exporter_path=/nonexistent -d opa.log_level=off)
opcache=(-d zend_extension=opcache.so -d opcache.enable_cli=1)

# Instructions of one iteration: the difference of two runs, so that start and end cancel out.
instructions() {
	local name=$1 few many
	shift
	few=$(count "$name" 1000 "$@")
	many=$(count "$name" 6000 "$@")
	echo $(((many - few) / 5000))
}
count() {
	local name=$1 iterations=$2
	shift 2
	valgrind --tool=callgrind --callgrind-out-file=/dev/null "$php" "$@" "$here/loops.php" "$name" \
		"$iterations" 2>&1 >/dev/null | sed -n 's/.*Collected *: *\([0-9]*\).*/\1/p' | tail -n 1
}

for mode in off on; do
	with=("${args[@]}")
	[ $mode = off ] || with+=("${opcache[@]}")
	echo "== opcache $mode"
	"$php" "${with[@]}" "$here/run.php"
	if command -v valgrind >/dev/null; then
		for name in floor strtr span call_floor call_off; do
			off=()
			[ $name != call_off ] || off=(-d opa.enabled=0)
			printf '%-58s %14s\n' "instructions: $name" \
				"$(instructions $name "${with[@]}" ${off[@]+"${off[@]}"})"
		done
	else
		echo "instructions: skipped, there is no valgrind"
	fi
done
echo '== from process start to the first opcode'
"$php" -n "$here/start.php" 301 "${args[@]:1}"
