# shellcheck shell=bash
# The checks of ./dev lint. Each is a function that prints what is wrong and answers non-zero; each
# counts as one in "N passed, N failed".

generated='^(opa_arginfo\.h|core/opa_sql_lexer\.c)$'

# Files of the project, one a line.
files() {
	list_sources | tr '\0' '\n' | grep -E "$1" || true
}

# C files that people write.
our_c() {
	files '\.[ch]$' | grep -vE "$generated"
}

lint_all() {
	need "${packages_build[@]}" "${packages_lint[@]}" "${packages_unit[@]}" \
		${php_packages[@]+"${php_packages[@]}"}
	local name
	for name in format shell php json arginfo lexer headers layers versions size sources warnings_gcc \
		warnings_clang; do
		check "$name" "lint_$name"
	done
	# Checks that are programs of their own: tests/tools/check_*.sh, PHP in $PHP.
	for name in tests/tools/check_*.sh; do
		[ ! -e "$name" ] || check "$(basename "$name" .sh)" env PHP="$php" bash "$name"
	done
}

check() {
	local name=$1 output
	shift
	if output=$("$@" 2>&1); then
		record "lint $name" 1 0 0
	else
		record "lint $name" 0 1 0
		printf '%s\n' "$output" | head -n 60 >&2
	fi
}

lint_format() {
	our_c | xargs clang-format --dry-run -Werror
}

lint_format_apply() {
	need clang-format
	our_c | xargs clang-format -i
}

# ./dev reads dev.d/*.sh; they are checked as parts of it.
lint_shell() {
	{
		files '\.sh$'
		files '.' | while IFS= read -r file; do
			! head -n 1 "$file" | head -c 64 | grep -qaE '^#!.*\b(bash|sh)$' || echo "$file"
		done
	} | sort -u | grep -v '^dev\.d/' |
		xargs shellcheck --external-sources --check-sourced --severity=warning
}

lint_php() {
	local file status=0
	while IFS= read -r file; do
		"$php" -n -l "$file" >/dev/null || status=1
	done < <(
		files '\.php$'
		files '\.inc$' | grep '^tests/'
	)
	return $status
}

lint_json() {
	local file status=0
	while IFS= read -r file; do
		"$php" -n -r 'json_decode(file_get_contents($argv[1]), false, 512, JSON_THROW_ON_ERROR);' \
			"$file" || status=1
	done < <(files '\.json$')
	return $status
}

# --- opa_arginfo.h ----------------------------------------------------------------------------

# Runs PHP's generator on a copy of the stub. It looks for its parser beside itself and would fetch
# it from the network; Debian's package is put where it looks. It does not understand array<...> and
# callable(...) of a @param and gets them without; the hash, by which a user's `make` sees that there
# is nothing to generate, is the real stub's.
arginfo_generate() {
	local to=$1 build parser
	build=$("$php_config" --extension-dir)/build
	[ -e "$build/gen_stub.php" ] || build=$("$php_config" --prefix)/lib/php/build
	cp "$build/gen_stub.php" "$to/"
	parser=$(sed -n 's/^ *\$version = "\([0-9.]*\)";$/\1/p' "$to/gen_stub.php" | head -n 1)
	mkdir -p "$to/PHP-Parser-$parser/lib"
	ln -s /usr/share/php/PhpParser "$to/PHP-Parser-$parser/lib/PhpParser"
	sed -E '/@param/ { s/array<[^>]*>/array/; s/callable\([^)]*\): *[a-z|]+/callable/ }' \
		opa.stub.php >"$to/opa.stub.php"
	ext_args tokenizer
	"$php" -n ${ext_args[@]+"${ext_args[@]}"} -d error_reporting=8191 "$to/gen_stub.php" -f \
		"$to/opa.stub.php" || return 1
	sed -i "s/Stub hash: [0-9a-f]*/Stub hash: $(sha1sum <opa.stub.php | cut -d ' ' -f 1)/" \
		"$to/opa_arginfo.h"
}

with_arginfo() {
	local dir status=0
	dir=$(mktemp -d)
	arginfo_generate "$dir" >"$dir/log" 2>&1 || {
		cat "$dir/log"
		status=1
	}
	[ $status -ne 0 ] || "$1" "$dir/opa_arginfo.h" || status=1
	rm -rf "$dir"
	return $status
}

arginfo_is_current() {
	diff -u opa_arginfo.h "$1" || {
		echo 'opa_arginfo.h is not what opa.stub.php gives: ./dev arginfo'
		return 1
	}
}

arginfo_install() {
	cp "$1" opa_arginfo.h
}

lint_arginfo() {
	with_arginfo arginfo_is_current
}

arginfo_apply() {
	need php-parser "${php_packages[@]}"
	with_arginfo arginfo_install
}

# --- core/opa_sql_lexer.c -----------------------------------------------------------------------

# What differs from version to version of re2c, or with the place, is left out of it.
lexer_generate() {
	re2c -W -Werror --bit-vectors --no-debug-info --no-generation-date --no-version \
		-o "$1" core/opa_sql_lexer.re
}

lint_lexer() {
	local made status=0
	command -v re2c >/dev/null || return 0 # not a Debian
	made=$(mktemp)
	if ! lexer_generate "$made" || ! diff -u core/opa_sql_lexer.c "$made"; then
		echo 'core/opa_sql_lexer.c is not what core/opa_sql_lexer.re gives: ./dev lexer'
		status=1
	fi
	rm -f "$made"
	return $status
}

lexer_apply() {
	need re2c
	lexer_generate core/opa_sql_lexer.c
}

# The documents that are made of sources; tests/tools/check_docs.sh compares them.
docs_apply() {
	local name text
	need "${php_packages[@]}"
	for name in functions settings; do
		text=$(PHP=$php docs/tools/make.sh "$name")
		printf '%s\n' "$text" >"docs/$name.md"
	done
}

# --- the rules of the house -------------------------------------------------------------------

# PHP's include directories, as system headers: their warnings are not ours.
php_includes() {
	"$php_config" --includes | sed 's/-I/-isystem /g'
}

# Where phpize has been, config.h says it; opa_php.h includes it.
config_h() {
	configure_variant normal >/dev/null
	printf -- '-DHAVE_CONFIG_H -I%s' "$built"
}

needs_no_php() {
	case $1 in
		core/* | export/* | opa_span.* | opa_span_*.* | opa_trace.*) return 0 ;;
		opa_config.* | opa_config_*.* | opa_setting.*) return 0 ;;
	esac
	return 1
}

strict_flags=(-std=gnu11 -D_GNU_SOURCE -Wall -Wextra -Wshadow -Wstrict-prototypes
	-Wmissing-prototypes -Wpointer-arith -Wwrite-strings -Wundef -Wvla -Wformat=2 -Werror -I.)

# A header compiles alone, with both compilers.
lint_headers() {
	local header compiler status=0 php_flags
	php_flags="$(php_includes) $(config_h)"
	while IFS= read -r header; do
		for compiler in gcc clang; do
			# shellcheck disable=SC2046,SC2086
			printf '#include "%s"\n' "$header" | $compiler "${strict_flags[@]}" -fsyntax-only \
				$(needs_no_php "$header" || echo $php_flags) -x c - || status=1
		done
	done < <(files '^(core/|export/|instrument/)?[^/]*\.h$' | grep -vE "$generated")
	return $status
}

# core/, export/, span table and configuration know nothing of PHP, and nothing of the floors above.
lint_layers() {
	local status=0
	if files '^(core|export)/.*\.[ch]$|^opa_(span|span_[a-z]+|trace|config|config_[a-z]+|setting)\.[ch]$' | xargs grep -nE \
		'#[[:space:]]*include.*[<"](php|zend|Zend|main/|SAPI|TSRM|ext/|opa_php|opa_compat|php_opa)'; then
		echo 'includes PHP'
		status=1
	fi
	if files '^core/.*\.[ch]$' | xargs grep -nE \
		'#[[:space:]]*include[[:space:]]*".*(export/|opa_(span|trace|config|setting|request|value|api))'; then
		echo 'core/ includes what stands above it'
		status=1
	fi
	return $status
}

lint_versions() {
	local status=0
	if our_c | grep -v '^opa_compat\.h$' | xargs grep -n 'PHP_VERSION_ID\|PHP_API_VERSION'; then
		echo 'only opa_compat.h tests the version of PHP'
		status=1
	fi
	if our_c | grep -E '^(core|export)/|^opa_' | grep -vE '_(posix|win32)\.[ch]$|^core/opa_base\.h$' |
		xargs grep -nE '^[[:space:]]*#.*\b(_WIN32|PHP_WIN32|__linux__|__APPLE__|__FreeBSD__)\b'; then
		echo 'only the *_posix / *_win32 pairs test the platform'
		status=1
	fi
	return $status
}

# No file above 700 lines, no function above 80.
lint_size() {
	our_c | xargs awk '
		FNR == 1 { start = 0 }
		FNR == 701 { print FILENAME ": more than 700 lines"; bad = 1 }
		/^\{$/ { start = FNR }
		/^\}/ && start {
			if (FNR - start - 1 > 80) {
				print FILENAME ":" start ": a function of " FNR - start - 1 " lines"
				bad = 1
			}
			start = 0
		}
		END { exit bad }'
}

# sources.txt and the tree agree.
lint_sources() {
	local listed found
	listed=$(awk '/^[a-z]/ { print $1 }' sources.txt | sort)
	found=$(files '^(core/|export/|bench/|instrument/)?[^/]*\.c$' | sort)
	diff <(echo "$listed") <(echo "$found") || {
		echo '< listed in sources.txt alone, > in the tree alone'
		return 1
	}
	diff <(awk '/^[a-z]/' sources.txt) <(awk '/^[a-z]/' sources.txt | sort -k 1,1 -u) >/dev/null ||
		[ -z "$(awk '/^[a-z]/ { print $1 }' sources.txt | sort | uniq -d)" ] || {
		echo 'sources.txt has a line twice'
		return 1
	}
}

warnings() {
	local compiler=$1 file status=0 php_flags
	shift
	php_flags="$(php_includes) $(config_h) -DZEND_COMPILE_DL_EXT=1 -DZEND_ENABLE_STATIC_TSRMLS_CACHE=1"
	# See config.m4.
	[ "$compiler" != clang ] || php_flags+=' -Wno-unused-parameter -Wno-missing-prototypes'
	while IFS= read -r file; do
		# shellcheck disable=SC2046,SC2086
		"$compiler" "${strict_flags[@]}" "$@" -O2 -c -o /dev/null \
			$(needs_no_php "$file" || echo $php_flags) "$file" || status=1
	done < <(awk '/^[a-z]/ && $1 !~ /_win32\.c$/ { print $1 }' sources.txt)
	return $status
}

lint_warnings_gcc() {
	warnings gcc
}

lint_warnings_clang() {
	warnings clang
}
