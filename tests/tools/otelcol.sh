#!/usr/bin/env bash
# otelcol.sh OUT: a real OpenTelemetry Collector (receiver otlp; processors batch, memory_limiter;
# exporters debug, file, otlp_grpc, otlphttp) into the file OUT, built in a chroot of Debian's unstable out
# of Debian's own Go packages, from where this machine gets Debian. Needs root. Three minutes, 1.5 GB
# for as long as it takes.
set -euo pipefail

out=$1
sources=$(cd "$(dirname "$0")/otelcol" && pwd)
mirror=$(apt-get indextargets --format '$(ORIGIN)|$(REPO_URI)' 'Created-By: Packages' |
	sed -n 's/^Debian|\(.*\/debian\)\/*$/\1/p' | head -n 1)
[ -n "$mirror" ] || {
	echo 'otelcol.sh: this machine has no mirror of Debian' >&2
	exit 1
}
[ "$(id -u)" = 0 ] || {
	echo 'otelcol.sh: this needs root, for a chroot' >&2
	exit 1
}
command -v mmdebstrap >/dev/null || apt-get -qq install -y --no-install-recommends mmdebstrap

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# The archive's index may be past its date; its signature is checked all the same.
mmdebstrap --quiet --variant=minbase --aptopt='Acquire::Check-Valid-Until "false"' \
	--include=golang-go,golang-opentelemetry-collector-dev,ca-certificates sid "$work/root" "$mirror"
mkdir -p "$work/root/root/otelcol"
cp "$sources"/*.go "$work/root/root/otelcol/"
# Go wants /proc/self/exe; the mount is in a namespace of its own, so nothing is left mounted.
unshare -m bash -c '
	mount -t proc proc "$1/proc"
	exec chroot "$1" env -C /root/otelcol HOME=/root GO111MODULE=off GOPATH=/usr/share/gocode \
		GOTOOLCHAIN=local GOCACHE=/root/gocache CGO_ENABLED=0 \
		go build -trimpath -ldflags "-s -w" -o otelcol .' _ "$work/root"
mkdir -p "$(dirname "$out")"
cp "$work/root/root/otelcol/otelcol" "$out"
