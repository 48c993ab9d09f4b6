#!/usr/bin/env bash
# otlp_protos.sh DIRECTORY: OpenTelemetry's own definitions (opentelemetry/proto/.../*.proto) into the
# directory, out of the package that Debian's unstable has of them, from where this machine gets
# Debian. Nothing is installed.
set -euo pipefail

directory=$1
mirror=$(apt-get indextargets --format '$(ORIGIN)|$(REPO_URI)' 'Created-By: Packages' |
	sed -n 's/^Debian|\(.*\/debian\)\/*$/\1/p' | head -n 1)
[ -n "$mirror" ] || {
	echo 'otlp_protos.sh: this machine has no mirror of Debian' >&2
	exit 1
}

# The index of unstable in a place of its own: the machine's apt does not know of it.
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/state/lists/partial" "$work/cache/archives/partial"
echo "deb $mirror sid main" >"$work/sources.list"
apt=(apt-get -qq -o "Dir::State=$work/state" -o "Dir::Cache=$work/cache"
	-o "Dir::Etc::SourceList=$work/sources.list" -o Dir::Etc::SourceParts=/dev/null
	-o APT::Sandbox::User=root -o Acquire::Languages=none -o Acquire::Check-Valid-Until=false)
"${apt[@]}" update
cd "$work"
"${apt[@]}" download opentelemetry-proto
dpkg-deb -x opentelemetry-proto_*.deb unpacked
found=$(find unpacked -path '*/opentelemetry/proto/trace/v1/trace.proto' | head -n 1)
[ -n "$found" ] || {
	echo 'otlp_protos.sh: the package has no trace.proto' >&2
	exit 1
}
mkdir -p "$directory"
cp -R "${found%/proto/trace/v1/trace.proto}" "$directory/"
