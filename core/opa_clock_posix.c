#include "opa_clock.h"

#include <time.h>

/* Fails for clocks only that a system does not have; all of these it has. */
static inline uint64_t read_clock(clockid_t id)
{
	struct timespec ts;
	(void)clock_gettime(id, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

uint64_t opa_clock_wall(void)
{
	return read_clock(CLOCK_REALTIME);
}

uint64_t opa_clock_mono(void)
{
	return read_clock(CLOCK_MONOTONIC);
}

uint64_t opa_clock_cpu(void)
{
	return read_clock(CLOCK_THREAD_CPUTIME_ID);
}
