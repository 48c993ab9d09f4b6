#include "opa_clock.h"

#define WIN32_LEAN_AND_MEAN
#include <windows.h>

/* Both kinds of FILETIME count units of 100 ns. */
static uint64_t filetime_ns(const FILETIME *ft)
{
	return (((uint64_t)ft->dwHighDateTime << 32) | ft->dwLowDateTime) * 100u;
}

uint64_t opa_clock_wall(void)
{
	const uint64_t from_1601_to_1970 = 11644473600000000000u;
	FILETIME ft;
	GetSystemTimePreciseAsFileTime(&ft);
	return filetime_ns(&ft) - from_1601_to_1970;
}

uint64_t opa_clock_mono(void)
{
	LARGE_INTEGER count, frequency;
	QueryPerformanceCounter(&count);
	QueryPerformanceFrequency(&frequency);
	uint64_t seconds = (uint64_t)count.QuadPart / (uint64_t)frequency.QuadPart;
	uint64_t rest = (uint64_t)count.QuadPart % (uint64_t)frequency.QuadPart;
	return seconds * 1000000000u + rest * 1000000000u / (uint64_t)frequency.QuadPart;
}

uint64_t opa_clock_cpu(void)
{
	FILETIME creation, end, kernel, user;
	if (!GetThreadTimes(GetCurrentThread(), &creation, &end, &kernel, &user)) {
		return 0;
	}
	return filetime_ns(&kernel) + filetime_ns(&user);
}
