#include "opa_sampler.h"

#define RANDOM_VALUES ((uint64_t)1 << 56)

uint64_t opa_sampler_threshold(double rate)
{
	if (!(rate > 0.0)) {
		return RANDOM_VALUES;
	}
	return rate >= 1.0 ? 0 : RANDOM_VALUES - (uint64_t)(rate * (double)RANDOM_VALUES);
}

bool opa_sampler_wants(uint64_t threshold, const uint8_t trace_id[OPA_TRACE_ID_LEN])
{
	return (opa_span_id_from_bytes(trace_id + 8) & (RANDOM_VALUES - 1)) >= threshold;
}
