# shellcheck shell=bash
# Builds below build/, from a copy of the sources: phpize leaves forty files where it runs.

# The files of the project, NUL-separated: what git tracks and what is new and not ignored.
list_sources() {
	if [ -e .git ] && command -v git >/dev/null; then
		git -c safe.directory="$root" ls-files -z --cached --others --exclude-standard
	else
		find . -path ./build -prune -o -path ./.git -prune -o -type f -printf '%P\0'
	fi | sort -zu | while IFS= read -r -d '' file; do
		[ ! -f "$file" ] || printf '%s\0' "$file"
	done
}

# Copies the sources to a directory, with their times so that make sees what changed, and removes
# there what is gone here.
sync_sources() {
	local to=$1 list=$1.list
	mkdir -p "$to"
	list_sources >"$list.new"
	tar --null -T "$list.new" -cf - | tar -C "$to" -xf -
	if [ -e "$list" ]; then
		comm -z -23 "$list" "$list.new" | (cd "$to" && xargs -0 -r rm -f)
	fi
	mv "$list.new" "$list"
}

# build_variant normal|asan|bench: sets built to the directory whose modules/ has the result.
build_variant() {
	configure_variant "$1"
	say "building $1 for PHP $($php_config --version)"
	quietly "$root/build/$1$php_suffix/make.log" make -C "$built" -j"$(nproc)"
}

# As far as the Makefile and config.h. Configured anew when what went into it has changed.
configure_variant() {
	local variant=$1 cflags='-O2 -g' ldflags='' args=(--enable-opa-strict)
	case $variant in
		normal) ;;
		asan)
			# Not strict: under the sanitizers gcc warns of what cannot happen.
			args=()
			cflags='-O1 -g -fno-omit-frame-pointer'
			cflags+=' -fsanitize=address,undefined -fno-sanitize-recover=undefined'
			ldflags='-fsanitize=address,undefined'
			;;
		bench) args+=(--enable-opa-bench) ;;
		*) die "no variant '$variant': normal, asan, bench" ;;
	esac
	need "${packages_build[@]}" ${php_packages[@]+"${php_packages[@]}"}
	command -v "$php_config" >/dev/null || die "$php_config is not there"
	args+=("--with-php-config=$(command -v "$php_config")")

	local dir=$root/build/$variant$php_suffix signature
	built=$dir/src
	sync_sources "$built"
	signature=$({
		cat config.m4 Makefile.frag sources.txt
		echo "${args[@]}" "${CC:-cc}" "$cflags" "$ldflags"
		$php_config --version --phpapi --extension-dir --prefix
	} | sha256sum)
	if [ "$signature" != "$(cat "$dir/signature" 2>/dev/null)" ]; then
		say "configuring $variant for PHP $($php_config --version)"
		rm -f "$dir/signature"
		quietly "$dir/configure.log" configure_in "$built" "$cflags" "$ldflags" "${args[@]}"
		echo "$signature" >"$dir/signature"
	fi
}

configure_in() {
	local cflags=$2 ldflags=$3
	cd "$1" || return
	shift 3
	if [ -e Makefile ]; then
		make -s distclean
	fi
	"$phpize" && CFLAGS=$cflags LDFLAGS=$ldflags ./configure "$@"
}

# Runs a command with its output in a file, which is shown when the command fails.
quietly() {
	local log=$1
	shift
	if ! ("$@") >"$log" 2>&1; then
		grep -E ': (fatal )?(error|warning): |\*\*\* |undefined reference' "$log" | head -n 20 >&2 || true
		say "the end of $log:"
		grep -vE '^((g?cc|clang) |libtool: |/bin/(ba)?sh .*/libtool )' "$log" | tail -n 25 >&2
		die "failed: $*"
	fi
}
