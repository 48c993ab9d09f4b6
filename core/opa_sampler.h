/*
 * Which traces are wanted by probability: decided once, where a trace begins, from its randomness
 * alone, so that any two processes with the same rate agree without talking (OpenTelemetry,
 * "TraceState: Probability Sampling").
 *
 * Randomness is a number of 56 bits: that of the trace id's last 7 bytes (W3C Trace Context level
 * 2, "random"), or the `rv` that a caller's tracestate has in its place (opa_ot.h).
 */
#ifndef OPA_SAMPLER_H
#define OPA_SAMPLER_H

#include "opa_id.h"

/* In place of a threshold: no trace is wanted. */
#define OPA_SAMPLER_NONE ((uint64_t)1 << 56)

/*
 * The number below which randomness drops a trace: 0 for rate 1, OPA_SAMPLER_NONE for rate 0. It is
 * rounded to four hex digits behind its leading `f`s, as OpenTelemetry recommends, so that it is
 * the same, and as short, as that of its SDKs.
 */
uint64_t opa_sampler_threshold(double rate);

uint64_t opa_sampler_random(const uint8_t trace_id[OPA_TRACE_ID_LEN]);

OPA_INLINE bool opa_sampler_takes(uint64_t threshold, uint64_t random)
{
	return random >= threshold;
}

/* Whether a trace with that id is wanted. */
bool opa_sampler_wants(uint64_t threshold, const uint8_t trace_id[OPA_TRACE_ID_LEN]);

/*
 * A trace id which that threshold (not OPA_SAMPLER_NONE) wants, each as likely as any other: for
 * the next trace of a program whose first one was wanted by it.
 */
void opa_sampler_make_id(opa_rng *rng, uint64_t threshold, uint8_t trace_id[OPA_TRACE_ID_LEN]);

#endif
