#include "opa_clock.h"

#include <time.h>

static uint64_t read_clock(clockid_t id)
{
	struct timespec ts;
	if (clock_gettime(id, &ts) != 0) {
		return 0;
	}
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
