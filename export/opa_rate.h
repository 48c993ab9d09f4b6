/*
 * How many traces all processes that use a spool may begin in a second: <spool>/rate-<limit>, a
 * list of the moments at which the last ones began. In any second there are at most `limit`, be it
 * in a burst or not: a trace may begin when the one that was `limit` before it is a second old.
 *
 * A moment is appended (O_APPEND), so each is counted, has its place, and nobody waits for a lock.
 * Between looking and appending another process may do both: where there is little room left, it is
 * looked at the place again. Who was refused knows until when all will be, and does not look until
 * then. From time to time the file is replaced by one with the moments that still count.
 *
 * Whoever has the same limit shares it; another limit is another account. Where the file cannot be
 * kept (no descriptor, a full disk) there is no limit: what is written then is bounded by the
 * spool's size.
 *
 * No function prints or blocks. One user at a time: opa_publish.c holds its lock.
 */
#ifndef OPA_RATE_H
#define OPA_RATE_H

#include "opa_file.h"

/* More moments than `limit` that a file may have. */
#define OPA_RATE_SPARE 16384u

/* A moment: milliseconds of the monotonic clock, which is the same for all, modulo 2^32. */
typedef uint32_t opa_rate_moment;

typedef struct opa_rate {
	opa_file file;
	uint32_t limit; /* whose file that is */
	bool shut;      /* until `opens` every trace is refused */
	opa_rate_moment opens;
	uint64_t old; /* so many moments at the file's beginning are more than a second ago */
} opa_rate;

#define OPA_RATE_NONE ((opa_rate){.file = {.fd = -1}})

/* Whether a trace may begin now, at `mono` (opa_clock_mono()). It is counted then. */
bool opa_rate_take(opa_rate *rate, const opa_spool *spool, uint32_t limit, uint64_t mono);

/* Lets go of the file, if there is one. */
void opa_rate_close(opa_rate *rate);

#endif
