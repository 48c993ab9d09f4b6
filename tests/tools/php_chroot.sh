#!/usr/bin/env bash
# php_chroot.sh 8.4 DIRECTORY: a small Debian with that PHP and all that building opa takes. Half a
# minute, 500 MB. Needs root or sudo.
set -euo pipefail

version=$1
directory=$2
case $version in
	8.4) suite=trixie ;;
	*)
		echo "php_chroot.sh: no release of Debian known with PHP $version" >&2
		exit 2
		;;
esac

as_root() {
	if [ "$(id -u)" = 0 ]; then
		"$@"
	else
		sudo "$@"
	fi
}

if ! command -v mmdebstrap >/dev/null; then
	as_root env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=600 -qq install -y \
		--no-install-recommends mmdebstrap >/dev/null
fi

packages=php$version-cli,php$version-dev,php$version-sqlite3,php$version-curl,php$version-opcache
packages+=,php$version-xdebug,gcc,libc6-dev,make,autoconf,libtool,pkg-config,libsqlite3-dev,libcurl4-openssl-dev,zlib1g-dev
# Where the machine itself gets Debian from.
mirror=$(apt-get indextargets --format '$(ORIGIN)|$(REPO_URI)' 'Created-By: Packages' |
	sed -n 's/^Debian|\(.*\/debian\)\/*$/\1/p' | head -n 1)

log=$(mktemp)
if ! as_root mmdebstrap --quiet --mode=root --variant=minbase --include="$packages" "$suite" \
	"$directory" "$mirror" >"$log" 2>&1; then
	tail -n 30 "$log" >&2
	rm -f "$log"
	exit 1
fi
rm -f "$log"
