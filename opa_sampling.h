/*
 * Which traces are kept: the decision at a trace's start (the head's), which is sent on, and where
 * opa.keep_errors or opa.keep_slow are set, that at its end. docs/sampling.md says it to people.
 *
 * A trace that the head does not want but an end may waits: it is recorded, and nothing of it
 * leaves until it is kept or dropped.
 */
#ifndef OPA_SAMPLING_H
#define OPA_SAMPLING_H

#include "opa_php.h"
#include "opa_config.h"
#include "opa_span.h"
#include "core/opa_w3c.h"

typedef struct opa_request_trace opa_request_trace;

typedef enum opa_kept {
	OPA_KEPT_UNDECIDED = 0, /* the trace waits */
	OPA_KEPT_HEAD,
	OPA_KEPT_ERROR,
	OPA_KEPT_SLOW,
	OPA_KEPT_SIZE, /* it could not wait any longer: opa.max_trace_size */
} opa_kept;

/* Of a trace, as a part of opa_request_trace. Zeroed where one begins. */
typedef struct opa_sampling {
	bool sampled; /* by the head: the flag that is sent on */
	bool limited; /* by opa.rate_limit, not by the sampler */
	bool erased;  /* what is sent on has a threshold that may not stand in the trace */
	bool has_threshold;
	uint64_t threshold;
	opa_kept kept;
	uint64_t begun; /* by the monotonic clock */
} opa_sampling;

/*
 * Decides for a trace that begins, or goes on, here: trace id and trace->remote are known; makes of
 * remote.state what is sent on. Whether the trace is recorded; one that is not is counted.
 */
bool opa_sampling_begin(opa_request_trace *trace);

/* Whether a rule for the end is set: then a trace's local root says why it is kept. */
OPA_INLINE bool opa_sampling_keeps_at_end(const opa_config *config)
{
	return config->keep_errors || config->keep_slow > 0;
}

/* For the next trace of a program that goes on: its id, and what is sent on. It asks nobody. */
void opa_sampling_rotate(opa_request_trace *trace);

OPA_INLINE bool opa_sampling_waits(const opa_sampling *sampling)
{
	return sampling->kept == OPA_KEPT_UNDECIDED;
}

/* The limits that the trace has now. */
const opa_span_limits *opa_sampling_limits(const opa_request_trace *trace);

/* What the spans have of the tracestate; in `room`, or what is sent on. */
opa_str opa_sampling_state(const opa_request_trace *trace, char room[OPA_W3C_STATE_MAX]);

/*
 * Decides for a trace that waits, by what is known now: whether it is kept. With `otherwise` it is
 * so in any case, for that reason.
 */
bool opa_sampling_decide(opa_request_trace *trace, opa_kept otherwise);

/*
 * The trace ends: decides, and says on its local root why it is kept. False when it is not, which
 * is counted.
 */
bool opa_sampling_end(opa_request_trace *trace);

#endif
