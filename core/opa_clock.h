/*
 * Clocks, all in nanoseconds. Any thread may call these; none of them fails.
 */
#ifndef OPA_CLOCK_H
#define OPA_CLOCK_H

#include "opa_base.h"

#define OPA_SECOND_NS 1000000000ull
#define OPA_MS_NS     1000000ull

/* Time since 1970-01-01 UTC. May be set back by the administrator. */
uint64_t opa_clock_wall(void);

/* Never runs backwards; its zero has no meaning. */
uint64_t opa_clock_mono(void);

/* CPU time, user and system, that the calling thread has used. */
uint64_t opa_clock_cpu(void);

#endif
