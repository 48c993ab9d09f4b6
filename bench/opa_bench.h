/*
 * Functions that bench/run.php measures against. Compiled only with --enable-opa-bench.
 */
#ifndef OPA_BENCH_H
#define OPA_BENCH_H

/* MINIT. */
void opa_bench_startup(void);

#endif
