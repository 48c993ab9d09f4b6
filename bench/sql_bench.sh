#!/bin/bash
# Builds bench/sql_bench.c and prints how fast SQL is read.
set -eu
cd "$(dirname "$0")/.."
out=${OUT:-build/bench}
mkdir -p "$out"
${CC:-gcc} -std=c11 -D_GNU_SOURCE -O2 -g -I. -o "$out/sql_bench" bench/sql_bench.c \
	core/opa_sql.c core/opa_sql_lexer.c core/opa_sql_summary.c core/opa_utf8.c
"$out/sql_bench"
