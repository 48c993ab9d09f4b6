# shellcheck shell=bash disable=SC2119,SC2120
# The test runners. Each counts its tests itself and records passed, failed and skipped ones; a
# runner that ends early has failed, whatever it printed until then.

test_all() {
	need "${packages_build[@]}" "${packages_unit[@]}" "${packages_e2e[@]}" \
		${php_packages[@]+"${php_packages[@]}"}
	local name
	for name in test_unit test_phpt test_symbols test_asan test_valgrind test_e2e; do
		part $name
	done
}

# In a shell of its own, so that a part that cannot be built or breaks down leaves the others alone.
part() {
	local status
	set +e
	(
		set -e
		trap sandbox_close EXIT
		"$@"
	)
	status=$?
	set -e
	[ $status -lt 128 ] || exit $status
	[ $status -eq 0 ] || record "$1 (did not run to its end)" 0 1 0
}

# --- C ----------------------------------------------------------------------------------------

test_unit() {
	unit_programs plain "$@"
	unit_programs asan "$@"
	unit_programs tsan "$@"
	unit_programs valgrind "$@"
}

# unit_programs plain|asan|tsan|valgrind [PROGRAM...]: every tests/unit/test_*.c, or these.
unit_programs() {
	local kind=$1 san=$1 run=() name flags='' log=$root/build/unit-$1.log
	shift
	need "${packages_build[@]}" "${packages_unit[@]}"
	case $kind in
		valgrind)
			san=plain
			# Leaks are ASan's to find: valgrind would look for them in forked children, too, which
			# leave without giving anything back. Without --fair-sched one thread may keep the
			# others from running for minutes.
			run=(valgrind -q --error-exitcode=99 --leak-check=no --fair-sched=yes)
			export OPA_TEST_SLOW=1
			;;
		asan | tsan)
			# Under the sanitizers gcc warns of what cannot happen.
			flags=-Wno-error
			;;&
		tsan)
			# Its shadow memory does not bear the address randomisation of newer kernels.
			! setarch "$(uname -m)" -R true 2>/dev/null || run=(setarch "$(uname -m)" -R)
			;;
	esac
	mkdir -p "$root/build/unit-$san"
	otlp_protos
	# One program that does not compile is one failure, and the others run.
	make -C tests/unit -j"$(nproc)" -k SAN="$san" CFLAGS="$flags" all >"$log" 2>&1 || true
	sandbox_open
	if [ $# -eq 0 ]; then
		for name in tests/unit/test_*.c; do
			name=$(basename "$name" .c)
			set -- "$@" "$name"
		done
	fi
	for name in "$@"; do
		while [ "$(jobs -rp | wc -l)" -ge "$(nproc)" ]; do
			wait -n || true
		done
		unit_program "$kind" "$san" "$flags" "$name" ${run[@]+"${run[@]}"} &
	done
	wait
	unset OPA_TEST_SLOW
	sandbox_close
}

# OpenTelemetry's own definitions, for the tests that ask protoc. They come from an archive that
# changes from day to day: without them those tests are skipped.
otlp_protos() {
	export OPA_OTLP_PROTOS=$root/build/protos
	if [ ! -d "$OPA_OTLP_PROTOS" ] &&
		! bash tests/tools/otlp_protos.sh "$OPA_OTLP_PROTOS" >"$root/build/protos.log" 2>&1; then
		say "OpenTelemetry's definitions cannot be had (build/protos.log): nothing is compared with them"
		rm -rf "$OPA_OTLP_PROTOS"
		unset OPA_OTLP_PROTOS
	fi
}

said() {
	grep -aoE "\[ $1 \] [A-Za-z_][A-Za-z_0-9]*" "$2" || true
}

# cmocka says RUN at the start of a test and OK or SKIPPED at its end: one that crashed the program
# has begun and not ended.
unit_program() {
	local kind=$1 san=$2 flags=$3 name=$4 status=0 begun passed skipped failed
	local log=$root/build/unit-$san/$name.$kind.log
	shift 4
	if ! make -C tests/unit SAN="$san" CFLAGS="$flags" "../../build/unit-$san/$name" >"$log" 2>&1; then
		record "unit $kind: $name (does not compile)" 0 1 0
		grep -vE '^(g?cc|clang) ' "$log" | tail -n 20 >&2
		return 0
	fi
	(
		cd tests/unit
		timeout 900 "$@" "../../build/unit-$san/$name"
	) >"$log" 2>&1 || status=$?
	begun=$(said 'RUN     ' "$log" | wc -l)
	passed=$(said '      OK' "$log" | wc -l)
	skipped=$(said ' SKIPPED' "$log" | sort -u | wc -l)
	failed=$((begun - passed - skipped))
	if [ $failed -eq 0 ] && { [ $status -ne 0 ] || [ "$begun" -eq 0 ]; }; then
		failed=1
	fi
	record "unit $kind: $name" "$passed" "$failed" "$skipped"
	if [ $failed -ne 0 ]; then
		say "exit status $status; the end of $log:"
		tail -n 60 "$log" >&2
	fi
}

# --- PHP --------------------------------------------------------------------------------------

# What a phpt may use without asking; anything else it names in an --EXTENSIONS-- section.
phpt_extensions=(ctype posix tokenizer pdo pdo_sqlite curl sockets)

# run_phpt NAME RUN-TESTS-ARGUMENT... -- [PATH...]: all phpt of the build in $built, or these.
run_phpt() {
	local name=$1 args=() list=() log expected passed failed skipped status=0
	shift
	while [ "$1" != -- ]; do
		args+=("$1")
		shift
	done
	shift
	log=$root/build/phpt-${name// /-}$php_suffix
	if [ $# -gt 0 ]; then
		list=("$@")
	else
		list=(tests)
	fi
	expected=$(cd "$built" && find "${list[@]}" -name '*.phpt' | wc -l)
	if [ "$expected" -eq 0 ]; then
		record "phpt $name (found no test)" 0 1 0
		return 0
	fi
	ext_args "${phpt_extensions[@]}"
	sandbox_open
	rm -f "$log.results"
	(
		cd "$built"
		export NO_INTERACTION=1 NO_COLOR=1 TEST_PHP_SRCDIR=$built
		export OPA_EXPORTER=$built/modules/opa-exporter OPA_EXTENSION=$built/modules/opa.so
		"$php" -n run-tests.php -n -q -j"$(nproc)" -p "${php_under_test:-$(command -v "$php")}" --show-diff \
			-W "$log.results" ${ext_args[@]+"${ext_args[@]}"} \
			-d "extension=$built/modules/opa.so" ${args[@]+"${args[@]}"} "${list[@]}"
	) >"$log.log" 2>&1 || status=$?
	sandbox_close
	passed=$(grep -cE '^(PASSED|XFAILED|XLEAKED)' "$log.results" || true)
	skipped=$(grep -c '^SKIPPED' "$log.results" || true)
	failed=$((expected - passed - skipped))
	# Of all not one that passed: the extension did not load, and everything was skipped for that.
	if [ $failed -le 0 ] && { [ $status -ne 0 ] || { [ $# -eq 0 ] && [ "$passed" -eq 0 ]; }; }; then
		failed=1
	fi
	record "phpt $name$php_suffix" "$passed" "$failed" "$skipped"
	if [ $failed -ne 0 ]; then
		grep -aE '^(FAIL|BORK|LEAK|WARN)' "$log.log" | sort -u >&2 || true
		sed -n '/^========DIFF/,/^========DONE/p' "$log.log" | head -n 400 >&2
		say "exit status $status; all of it in $log.log"
	fi
}

test_phpt() {
	need_php_extensions opcache sqlite3 curl
	[ ${#php_packages[@]} -eq 0 ] || need "php$PHP-xdebug"
	build_variant normal
	local opcache
	ext_args opcache
	opcache=(${ext_args[@]+"${ext_args[@]}"} -d opcache.enable_cli=1)
	run_phpt 'opcache off' -- "$@"
	run_phpt 'opcache on' "${opcache[@]}" -- "$@"
	run_phpt 'jit' "${opcache[@]}" -d opcache.jit=tracing -d opcache.jit_buffer_size=32M -- "$@"
}

# The extension under ASan and UBSan in a PHP that was built without: its runtime is preloaded, and
# PHP's own allocator is switched off so that every block has its red zones (the tracked one keeps
# memory_limit working).
test_asan() {
	need_php_extensions sqlite3 curl
	build_variant asan
	local preload=$root/build/nodeepbind.so wrapper=$root/build/asan$php_suffix/php
	cc -shared -fPIC -O2 -o "$preload" tests/tools/nodeepbind.c -ldl
	preload+=" $(cc -print-file-name=libasan.so)"
	cat >"$wrapper" <<-END
		#!/bin/sh
		LD_PRELOAD="$preload" USE_ZEND_ALLOC=0 USE_TRACKED_ALLOC=1 ZEND_DONT_UNLOAD_MODULES=1 \\
		ASAN_OPTIONS=verify_asan_link_order=0:disable_coredump=1:detect_leaks=\${OPA_LEAKS:-0} \\
		UBSAN_OPTIONS=print_stacktrace=1 exec "$(command -v "$php")" "\$@"
	END
	chmod +x "$wrapper"
	SKIP_ASAN=1 TEST_TIMEOUT=300 php_under_test=$wrapper run_phpt asan -- "$@"
	[ $# -gt 0 ] || test_leaks "$wrapper"
}

# Leaks are looked for in scripts that end in order: after a fatal error PHP itself frees nothing.
test_leaks() {
	local wrapper=$1 script status passed=0 failed=0
	sandbox_open
	for script in tests/leaks/*.php; do
		status=0
		OPA_LEAKS=1 "$wrapper" -n -d "extension=$built/modules/opa.so" "$script" \
			>"$root/build/leaks.log" 2>&1 || status=$?
		if [ $status -eq 0 ]; then
			passed=$((passed + 1))
		else
			failed=$((failed + 1))
			say "$script: exit status $status"
			tail -n 60 "$root/build/leaks.log" >&2
		fi
	done
	sandbox_close
	record 'leaks' $passed $failed 0
}

# Slow, so a part of the tests: tests/valgrind.list names it, one pattern a line.
test_valgrind() {
	need valgrind
	need_php_extensions sqlite3 curl
	build_variant normal
	if [ $# -eq 0 ]; then
		local file pattern
		while IFS= read -r file; do
			set -- "$@" "$file"
		done < <(grep -vE '^(#|$)' tests/valgrind.list | while IFS= read -r pattern; do
			compgen -G "$pattern" || true
		done | sort -u)
		if [ $# -eq 0 ]; then
			record 'phpt valgrind (tests/valgrind.list names no test)' 0 1 0
			return
		fi
	fi
	# No exporter: it would be traced as well, and its log would take the place of PHP's.
	TEST_TIMEOUT=300 ZEND_DONT_UNLOAD_MODULES=1 USE_TRACKED_ALLOC=1 \
		run_phpt valgrind -m -d opa.exporter_path=/nonexistent/opa-exporter -- "$@"
}

# --- the built files --------------------------------------------------------------------------

test_symbols() {
	need binutils
	build_variant normal
	local passed=0 failed=0 found
	found=$(nm -D --defined-only "$built/modules/opa.so" | awk '{ print $3 }' | tr '\n' ' ')
	if [ "$found" = 'get_module ' ]; then
		passed=$((passed + 1))
	else
		failed=$((failed + 1))
		say "opa.so exports $found; get_module alone is allowed"
	fi
	found=$(objdump -p "$built/modules/opa.so" | awk '$1 == "NEEDED" { print $2 }' |
		grep -vE '^(libc\.so|libc\.musl|ld-)' | tr '\n' ' ' || true)
	if [ -z "$found" ]; then
		passed=$((passed + 1))
	else
		failed=$((failed + 1))
		say "opa.so links $found; libc alone is allowed"
	fi
	if readelf -d "$built/modules/opa.so" | grep -q '(FLAGS_1).*NODELETE'; then
		passed=$((passed + 1))
	else
		failed=$((failed + 1))
		say 'opa.so may be unmapped while others have pointers into it: -z nodelete is missing'
	fi
	if [ -x "$built/modules/opa-exporter" ]; then
		passed=$((passed + 1))
	else
		failed=$((failed + 1))
		say 'opa-exporter does not lie beside opa.so'
	fi
	record 'built files' $passed $failed 0
}

# --- against real servers ---------------------------------------------------------------------

# A real OpenTelemetry Collector: the one that $OTELCOL names, or one that is built, once, out of
# Debian's packages. Only where the tests that need it may run: it takes minutes.
otelcol() {
	local out=$root/build/otelcol/otelcol
	if [ -n "${OTELCOL:-}" ] || { [ $# -gt 0 ] && [[ $* != *Collector* ]]; }; then
		return 0
	fi
	if [ ! -x "$out" ]; then
		say 'building an OpenTelemetry Collector (build/otelcol.log)'
		if ! as_root bash tests/tools/otelcol.sh "$out" >"$root/build/otelcol.log" 2>&1; then
			say 'SKIPPED: no OpenTelemetry Collector can be built here (build/otelcol.log), and OTELCOL' \
				'names none: NOTHING IS TESTED AGAINST A REAL ONE'
			return 0
		fi
	fi
	export OTELCOL=$out
}

test_e2e() {
	need "${packages_e2e[@]}"
	need_php_extensions cli fpm sqlite3 curl xml mbstring
	[ ${#php_packages[@]} -eq 0 ] || need apache2-bin "libapache2-mod-php$PHP"
	build_variant normal
	otelcol "$@"
	local log=$root/build/e2e$php_suffix status=0 counts
	sandbox_open
	rm -f "$log.xml"
	ext_args dom mbstring xml xmlwriter xmlreader tokenizer ctype pdo pdo_sqlite posix sockets \
		curl phar fileinfo
	OPA_BUILD=$built OPA_EXTENSION=$built/modules/opa.so OPA_PHP=$(command -v "$php") \
		OPA_EXPORTER=$built/modules/opa-exporter \
		"$php" -n ${ext_args[@]+"${ext_args[@]}"} -d memory_limit=-1 "$(command -v phpunit)" \
		--do-not-cache-result --colors=never --log-junit "$log.xml" \
		--bootstrap tests/e2e/bootstrap.php "$@" tests/e2e >"$log.log" 2>&1 || status=$?
	sandbox_close
	# The outermost suite counts for all; without a report nothing has passed.
	counts=$("$php" -n ${ext_args[@]+"${ext_args[@]}"} tests/tools/junit_counts.php "$log.xml") ||
		counts='0 1 0'
	local tests failures skipped
	read -r tests failures skipped <<<"$counts"
	[ $status -eq 0 ] || [ "$failures" -gt 0 ] || failures=1
	[ "$tests" -gt 0 ] || failures=1
	local passed=$((tests - failures - skipped))
	record "e2e$php_suffix" $((passed < 0 ? 0 : passed)) "$failures" "$skipped"
	if [ "$failures" -gt 0 ]; then
		say "exit status $status; the end of $log.log:"
		tail -n 100 "$log.log" >&2
	fi
}
