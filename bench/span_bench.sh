#!/bin/bash
# Builds bench/span_bench.c and prints what a child span costs in the span table: nanoseconds, and
# instructions where valgrind is there. Instructions are the difference between runs of two lengths,
# divided by the spans in between: so neither start nor end of the program is in them.
set -eu
cd "$(dirname "$0")/.."
out=${OUT:-build/bench}
cc=${CC:-gcc}
mkdir -p "$out"

sources=(bench/span_bench.c opa_span.c opa_span_change.c opa_span_trace.c opa_trace.c)
for file in core/*.c; do
	[[ $file == *_win32.c ]] || sources+=("$file")
done
$cc -std=c11 -D_GNU_SOURCE -O2 -g -I. -o "$out/span_bench" "${sources[@]}" -lpthread
"$out/span_bench"

command -v valgrind >/dev/null || {
	echo 'no valgrind: no instructions are counted'
	exit 0
}

# instructions SHARDS STEPS N: of the loop over the steps
instructions() {
	valgrind -q --tool=callgrind '--toggle-collect=steps*' --callgrind-out-file="$out/callgrind.$2" \
		"$out/span_bench" "$1" "$2" "$3" >/dev/null 2>&1
	awk '/^summary:|^totals:/ { print $2; exit }' "$out/callgrind.$2"
}

# difference SHARDS STEPS
difference() {
	echo $((($(instructions "$1" "$2" 3000) - $(instructions "$1" "$2" 1000)) / 2000))
}

for shards in 1 64; do
	begin=$(difference "$shards" be)
	all=$(difference "$shards" bte)
	printf '%2d shards  begin + end %d instructions, the tag %d more, together %d\n' \
		"$shards" "$begin" $((all - begin)) "$all"
done
if command -v callgrind_annotate >/dev/null; then
	echo "where they go (of $(instructions 64 bte 3000) for 3000 spans):"
	callgrind_annotate "$out/callgrind.bte" | sed -n '/file:function/,$p' | head -n "${TOP:-16}"
fi
