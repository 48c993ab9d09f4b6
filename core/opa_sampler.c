#include "opa_sampler.h"

#define RANDOM_VALUES OPA_SAMPLER_NONE
#define DIGITS        14u /* in hex */
#define PRECISION     4u

static unsigned leading_f(uint64_t threshold)
{
	unsigned count = 0;
	while (count < DIGITS && (threshold >> (4 * (DIGITS - 1 - count)) & 15) == 15) {
		count++;
	}
	return count;
}

uint64_t opa_sampler_threshold(double rate)
{
	uint64_t taken = 0;
	if (rate >= 1.0) {
		return 0;
	}
	if (rate > 0.0) {
		taken = (uint64_t)(rate * (double)RANDOM_VALUES);
	}
	if (taken == 0) {
		return OPA_SAMPLER_NONE;
	}
	uint64_t threshold = RANDOM_VALUES - taken;
	unsigned digits = PRECISION + leading_f(threshold);
	uint64_t unit = digits >= DIGITS ? 1 : (uint64_t)1 << (4 * (DIGITS - digits));
	threshold = (threshold + unit / 2) / unit * unit;
	return threshold < RANDOM_VALUES ? threshold : RANDOM_VALUES - unit;
}

uint64_t opa_sampler_random(const uint8_t trace_id[OPA_TRACE_ID_LEN])
{
	return opa_span_id_from_bytes(trace_id + 8) & (RANDOM_VALUES - 1);
}

bool opa_sampler_wants(uint64_t threshold, const uint8_t trace_id[OPA_TRACE_ID_LEN])
{
	return opa_sampler_takes(threshold, opa_sampler_random(trace_id));
}

void opa_sampler_make_id(opa_rng *rng, uint64_t threshold, uint8_t trace_id[OPA_TRACE_ID_LEN])
{
	opa_trace_id_make(rng, trace_id);
	if (!opa_sampler_wants(threshold, trace_id)) {
		/* The remainder favours small numbers by less than 1 in 256. */
		uint64_t random = threshold + opa_rng_next(rng) % (RANDOM_VALUES - threshold);
		for (unsigned i = 0; i < 7; i++) {
			trace_id[15 - i] = (uint8_t)(random >> (8 * i));
		}
	}
}
