/*
 * Which traces are wanted: decided once, where a trace begins, from the trace id alone, so that any
 * two processes with the same rate agree without talking.
 */
#ifndef OPA_SAMPLER_H
#define OPA_SAMPLER_H

#include "opa_id.h"

/*
 * The number below which the low 56 bits of a trace id drop the trace: 0 for rate 1, 2^56 for rate
 * 0 (W3C Trace Context level 2, "random"; OpenTelemetry's "consistent probability sampling").
 */
uint64_t opa_sampler_threshold(double rate);

/* Whether a trace with that id is wanted. */
bool opa_sampler_wants(uint64_t threshold, const uint8_t trace_id[OPA_TRACE_ID_LEN]);

#endif
