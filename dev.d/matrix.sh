# shellcheck shell=bash
# ./dev matrix: opa built and its phpt run on more than one PHP. Each of the others is made once,
# below build/php/, and kept until ./dev clean. The core is built for Windows, too.

matrix_names=(8.2-nts 8.4-nts 8.2-zts-debug windows-core)

matrix() {
	local name status table=$root/build/matrix.table
	[ $# -gt 0 ] || set -- "${matrix_names[@]}"
	mkdir -p build/php
	: >"$table"
	for name in "$@"; do
		say "== $name"
		status=0
		case $name in
			8.2-nts) (PHP=8.2 matrix_here) || status=$? ;;
			8.4-nts) matrix_chroot 8.4 || status=$? ;;
			8.2-zts-debug) matrix_zts_debug || status=$? ;;
			windows-core) matrix_windows_core || status=$? ;;
			*) die "matrix: no '$name'; there are ${matrix_names[*]}" ;;
		esac
		[ $status -eq 0 ] || record "matrix $name (could not be made or built)" 0 1 0
		matrix_row "$name" >>"$table"
	done
	printf '\n%-16s %-26s %8s %8s %8s\n' name php passed failed skipped
	cat "$table"
}

# The rows that a PHP's own run of ./dev phpt left, added to ours under its name.
matrix_row() {
	local results=$root/build/matrix-$1.results
	[ -e "$results" ] || {
		printf '%-16s %-26s %8s %8s %8s\n' "$1" '(not there)' - 1 -
		return
	}
	awk -F '\t' -v name="$1" -v php="$(cat "$results.php" 2>/dev/null)" '
		{ p += $2; f += $3; s += $4 }
		END { printf "%-16s %-26s %8d %8d %8d\n", name, php, p, f, s }' "$results"
	sed "s/^/$1: /" "$results" >>"$OPA_RESULTS"
	rm -f "$results" "$results.php"
}

# ./dev phpt with the PHP in $PHP, its results in a file of their own.
matrix_run() {
	local name=$1 results=$root/build/matrix-$1.results
	: >"$results"
	OPA_RESULTS=$results ./dev phpt || true
	[ -s "$results" ]
}

matrix_here() {
	export PHP
	matrix_run 8.2-nts && "php$PHP" -n -r 'echo PHP_VERSION, PHP_ZTS ? " ZTS" : " NTS";' \
		>build/matrix-8.2-nts.results.php
}

matrix_zts_debug() {
	local prefix=${OPA_PHP_ZTS_DEBUG:-$root/build/php/8.2-zts-debug}
	if [ ! -x "$prefix/bin/php" ]; then
		say 'building a thread-safe debug PHP 8.2 from source; this takes some minutes'
		tests/tools/php_source.sh "$prefix" zts-debug || return 1
	fi
	(
		export PHP=$prefix
		matrix_run 8.2-zts-debug
	) || return 1
	"$prefix/bin/php" -n -r \
		'echo PHP_VERSION, PHP_ZTS ? " ZTS" : " NTS", PHP_DEBUG ? " debug" : "";' \
		>build/matrix-8.2-zts-debug.results.php
}

# Span table, settings and core/ for Windows. They are compiled and linked into a DLL, not run.
matrix_windows_core() {
	local name=windows-core sources out=$root/build/windows-core
	need gcc-mingw-w64-x86-64-posix
	mkdir -p "$out"
	mapfile -t sources < <(sed -En 's/^((core\/|opa_(span|span_trace|trace|config|config_cache|config_sampling|setting)\.)[^ ]*) .*/\1/p' \
		sources.txt | grep -v '_posix\.c$')
	if x86_64-w64-mingw32-gcc-posix -std=gnu11 -O2 -Wall -Wextra -Wshadow -Wundef -Wvla -Werror \
		-shared -o "$out/opa-core.dll" "${sources[@]}" -lbcrypt >"$out/log" 2>&1; then
		printf 'core for Windows\t1\t0\t0\n' >"build/matrix-$name.results"
	else
		tail -n 20 "$out/log" >&2
		printf 'core for Windows\t0\t1\t0\n' >"build/matrix-$name.results"
	fi
	x86_64-w64-mingw32-gcc-posix -dumpmachine >"build/matrix-$name.results.php"
}

# The same inside a chroot, with a /proc and a /dev of its own where this machine lets us mount them.
matrix_chroot() {
	local version=$1 name=$1-nts directory=$root/build/php/$1-chroot
	if [ ! -x "$directory/usr/bin/php$version" ]; then
		say "making a Debian with PHP $version"
		as_root rm -rf "$directory"
		tests/tools/php_chroot.sh "$version" "$directory" || return 1
	fi
	sync_sources "$root/build/php/$version-src"
	as_root mkdir -p "$directory/opa"
	as_root find "$directory/opa" -mindepth 1 -maxdepth 1 ! -name build -exec rm -rf {} +
	as_root cp -a "$root/build/php/$version-src/." "$directory/opa/"
	as_root rm -f "$directory/opa/build/matrix.results"
	# shellcheck disable=SC2016
	as_root unshare --mount --propagation private sh -c '
		mount -t proc proc "$1/proc" 2>/dev/null || mount --rbind /proc "$1/proc"
		mount --rbind /dev "$1/dev"
		exec chroot "$1" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root PHP="$2" \
			OPA_RESULTS=/opa/build/matrix.results \
			bash -c "mkdir -p /opa/build && /opa/dev phpt"' \
		matrix "$directory" "$version" || true
	[ -s "$directory/opa/build/matrix.results" ] || return 1
	cp "$directory/opa/build/matrix.results" "build/matrix-$name.results"
	as_root chroot "$directory" "php$version" -n -r \
		'echo PHP_VERSION, PHP_ZTS ? " ZTS" : " NTS";' >"build/matrix-$name.results.php"
}
