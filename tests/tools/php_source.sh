#!/usr/bin/env bash
# php_source.sh PREFIX [zts-debug|zts|nts-debug]: builds PHP 8.2 from Debian's source package and
# installs it into PREFIX. Three minutes on two cores.
#
# A thread-safe PHP is in no package of Debian's, and only a debug build notices that a function and
# its arginfo disagree. The upstream archive is taken out of the source package as it is: phpize of
# the patched one looks for files where only the packages put them.
set -euo pipefail

prefix=$(realpath -m "$1")
kind=${2:-zts-debug}
# The version that this was written with, then whatever the archive has.
candidates=(8.2.32-1~deb12u1 '')

packages=(build-essential dpkg-dev autoconf bison re2c pkg-config libsqlite3-dev libcurl4-openssl-dev
	libssl-dev libonig-dev zlib1g-dev)

as_root() {
	if [ "$(id -u)" = 0 ]; then
		"$@"
	else
		sudo "$@"
	fi
}

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

missing=()
for p in "${packages[@]}"; do
	[ "$(dpkg-query -W -f '${db:Status-Status}' "$p" 2>/dev/null)" = installed ] || missing+=("$p")
done
if [ ${#missing[@]} -gt 0 ]; then
	as_root env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=600 -qq install -y \
		--no-install-recommends "${missing[@]}" >/dev/null
fi

# The machine's own sources, as source entries, in a configuration of their own: what is configured
# on the machine stays as it is.
signed=
keyring=/usr/share/keyrings/debian-archive-keyring.gpg
[ ! -r $keyring ] || signed="[signed-by=$keyring] "
apt-get indextargets --format '$(ORIGIN)|$(REPO_URI) $(RELEASE) $(COMPONENT)' 'Created-By: Packages' |
	sed -n "s/^Debian|/deb-src ${signed//\//\\/}/p" | sort -u >"$work/sources.list"
mkdir -p "$work/lists/partial" "$work/cache/archives/partial" "$work/source"
apt=(-qq -o Dir::Etc::sourcelist="$work/sources.list" -o Dir::Etc::sourceparts=-
	-o Dir::State::lists="$work/lists" -o Dir::Cache="$work/cache" -o APT::Sandbox::User=root)
apt-get "${apt[@]}" update
cd "$work/source"
got=
for version in "${candidates[@]}"; do
	if apt-get "${apt[@]}" source --download-only "php8.2${version:+=$version}" >"$work/get.log" 2>&1
	then
		got=yes
		break
	fi
done
if [ -z "$got" ]; then
	cat "$work/get.log" >&2
	echo "php_source.sh: the archive has no source of php8.2 any more" >&2
	exit 1
fi
mkdir php build
tar -C php --strip-components=1 -xf php8.2_*.orig.tar.xz

options=(--disable-all "--prefix=$prefix" "--with-config-file-scan-dir=$prefix/conf.d"
	--enable-cli --disable-cgi --disable-phpdbg --enable-fpm --enable-opcache --enable-pcntl
	--enable-posix --enable-session --enable-ctype --enable-tokenizer --enable-filter
	--enable-sockets --enable-pdo --with-pdo-sqlite --with-sqlite3 --with-curl --enable-mbstring
	--with-openssl)
case $kind in
	zts-debug) options+=(--enable-zts --enable-debug) ;;
	zts) options+=(--enable-zts) ;;
	nts-debug) options+=(--enable-debug) ;;
	*)
		echo "php_source.sh: no kind '$kind'" >&2
		exit 2
		;;
esac

run() {
	"$@" >"$work/log" 2>&1 || {
		tail -n 40 "$work/log" >&2
		exit 1
	}
}

cd build
export CFLAGS='-O1 -g1' CXXFLAGS='-O1 -g1'
run ../php/configure "${options[@]}"
run make -j"$(nproc)"
run make install
"$prefix/bin/php" -v | head -n 1
