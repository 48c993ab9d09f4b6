# shellcheck shell=bash
# What every command needs: packages, the PHP in use, a place of its own for what it starts, and the
# results that end in the line "N passed, N failed".

packages_build=(gcc libc6-dev make autoconf libtool pkg-config libsqlite3-dev
	libcurl4-openssl-dev zlib1g-dev)
packages_unit=(libcmocka-dev valgrind protobuf-compiler)
packages_e2e=(phpunit nginx-light curl)
packages_lint=(clang clang-format shellcheck php-parser re2c)

say() {
	printf '%s\n' "$*" >&2
}

die() {
	say "dev: $*"
	exit 1
}

# --- packages ---------------------------------------------------------------------------------

is_installed() {
	[ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

as_root() {
	if [ "$(id -u)" = 0 ]; then
		"$@"
	elif command -v sudo >/dev/null; then
		sudo "$@"
	else
		die "this needs root: run it as root, or install sudo ($*)"
	fi
}

apt_get() {
	as_root env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=600 -qq "$@" \
		>>"$root/build/apt.log" 2>&1
}

# Installs those of the packages that are missing. No service is started by it, and a PHP extension
# that it brings is not switched on for the machine's other programs.
need() {
	local missing=() p
	command -v dpkg-query >/dev/null || return 0
	for p in "$@"; do
		is_installed "$p" || missing+=("$p")
	done
	[ ${#missing[@]} -gt 0 ] || return 0
	say "installing ${missing[*]}"
	mkdir -p "$root/build"
	if ! install_packages "${missing[@]}"; then
		tail -n 20 "$root/build/apt.log" >&2
		die "cannot install ${missing[*]} (build/apt.log)"
	fi
	case " ${missing[*]} " in
		*-xdebug\ *) as_root phpdismod -v "$php_version" xdebug ;;
	esac
}

# In a subshell, for the trap: whatever happens, the machine may start services again afterwards.
install_packages() (
	policy=/usr/sbin/policy-rc.d
	if [ ! -e $policy ]; then
		trap 'as_root rm -f $policy' EXIT
		printf '#!/bin/sh\nexit 101\n' | as_root tee $policy >/dev/null
		as_root chmod 755 $policy
	fi
	apt_get install -y --no-install-recommends "$@" && exit 0
	apt_get update
	apt_get install -y --no-install-recommends "$@"
)

# --- the PHP in use ---------------------------------------------------------------------------

# PHP is a version of Debian's packages or the prefix of a PHP that was built from source.
default_php() {
	local codename=
	[ ! -r /etc/os-release ] || codename=$(sed -n "s/^VERSION_CODENAME=//p" /etc/os-release)
	case $codename in
		trixie) echo 8.4 ;;
		*) echo 8.2 ;;
	esac
}

# php, phpize, php_config; php_suffix marks the directories of a PHP that is not the default.
PHP=${PHP:-$(default_php)}
php_version=$PHP
php_suffix=
case $PHP in
	*/*)
		php=$PHP/bin/php phpize=$PHP/bin/phpize php_config=$PHP/bin/php-config
		php_suffix=-$(basename "$PHP")
		php_packages=()
		;;
	*)
		php=php$PHP phpize=phpize$PHP php_config=php-config$PHP
		[ "$PHP" = "$(default_php)" ] || php_suffix=-php$PHP
		php_packages=("php$PHP-cli" "php$PHP-dev")
		;;
esac

# Debian's packages for extensions that tests load, where the PHP is Debian's.
need_php_extensions() {
	local name packages=()
	[ ${#php_packages[@]} -gt 0 ] || return 0
	for name in "$@"; do
		packages+=("php$PHP-$name")
	done
	need "${packages[@]}"
}

# Sets ext_args to the -d options that load these extensions into `php -n`; one that is built in
# needs none, one that this PHP does not have is left out.
ext_args() {
	local dir builtin name option
	dir=$($php -n -r 'echo ini_get("extension_dir");')
	builtin=$($php -n -m | tr 'A-Z\n' 'a-z ')
	ext_args=()
	for name in "$@"; do
		option=extension
		case $name in
			opcache | xdebug) option=zend_extension ;;
		esac
		case " $builtin " in
			*" $name "* | *" zend $name "*) continue ;;
		esac
		[ ! -e "$dir/$name.so" ] || ext_args+=(-d "$option=$dir/$name.so")
	done
}

# --- a place of its own -----------------------------------------------------------------------

# Sets sandbox to a fresh directory, in memory where possible, and points everything that opa looks
# for in the environment there.
sandbox_open() {
	local base=${TMPDIR:-/tmp}
	[ ! -w /dev/shm ] || base=/dev/shm
	sandbox=$(mktemp -d "$base/opa-dev.XXXXXX")
	mkdir "$sandbox/run" "$sandbox/state" "$sandbox/home"
	export XDG_RUNTIME_DIR=$sandbox/run XDG_STATE_HOME=$sandbox/state HOME=$sandbox/home
}

# Ends the exporters whose spools lie below the directory, by the pid in their state files.
stop_exporters() {
	local state pid tries
	while IFS= read -r state; do
		pid=$(sed -n 's/^pid=\([0-9][0-9]*\)$/\1/p' "$state")
		[ -n "$pid" ] || continue
		grep -qs opa-exporter "/proc/$pid/comm" || continue
		kill "$pid" 2>/dev/null || continue
		for ((tries = 0; tries < 100; tries++)); do
			kill -0 "$pid" 2>/dev/null || continue 2
			sleep 0.1
		done
		say "opa-exporter $pid did not leave on SIGTERM within 10 s"
		kill -9 "$pid" 2>/dev/null || true
	done < <(find "$1" -name state -type f 2>/dev/null)
}

sandbox_close() {
	[ -n "${sandbox:-}" ] || return 0
	stop_exporters "$sandbox"
	rm -rf "$sandbox"
	sandbox=
}

# --- results ----------------------------------------------------------------------------------

# One line a suite in $OPA_RESULTS: name, passed, failed, skipped. The caller (.ci/run) may set it
# to add several commands up.
record() {
	printf '%s\t%d\t%d\t%d\n' "$@" >>"$OPA_RESULTS"
	printf '%-34s %5d passed, %d failed, %d skipped\n' "$@"
}

total() {
	awk -F '\t' '
		{ passed += $2; failed += $3; skipped += $4 }
		END {
			printf "%d passed, %d failed%s\n", passed, failed, skipped ? ", " skipped " skipped" : ""
			exit failed > 0 || passed == 0
		}' "$OPA_RESULTS"
}

# Runs a function that records, then prints the total. What ends before its end counts as failed.
suite() {
	local own=
	if [ -z "${OPA_RESULTS:-}" ]; then
		mkdir -p "$root/build"
		OPA_RESULTS=$(mktemp "$root/build/results.XXXXXX")
		own=$OPA_RESULTS
		export OPA_RESULTS
	fi
	suite_name=$1
	suite_ended=no
	# shellcheck disable=SC2064
	trap "suite_end '$own'" EXIT
	trap 'exit 130' INT TERM
	"$@"
	suite_ended=yes
	exit 0
}

suite_end() {
	local status=0
	set +e
	[ $suite_ended = yes ] || record "$suite_name (did not run to its end)" 0 1 0
	sandbox_close
	echo
	total || status=1
	[ -z "$1" ] || rm -f "$1"
	exit $status
}
