/*
 * OpenTelemetry's own member of a tracestate, "ot=th:c;rv:6e6d1a75832a2f" (specification,
 * "TraceState Handling"): by which probability the trace was chosen, and out of which randomness.
 *
 * A tracestate here is one that opa_w3c_clean_state() has made, or empty.
 */
#ifndef OPA_OT_H
#define OPA_OT_H

#include "opa_sampler.h"
#include "opa_w3c.h"

typedef struct opa_ot {
	bool has_threshold;
	bool has_random;
	bool says_threshold; /* also one that is malformed */
	uint64_t threshold;  /* th: below OPA_SAMPLER_NONE */
	uint64_t random;     /* rv: in place of the trace id's */
} opa_ot;

/* What is malformed is as if it were not there. */
void opa_ot_read(opa_str state, opa_ot *ot);

/*
 * The tracestate with that threshold in place of what it has; NULL: with none. What else is in
 * there stays, as far as there is room (opa_w3c.h). A member that has changed comes first, as W3C
 * wants it, and goes when nothing is left in it. A threshold for which its member has no room is
 * left out. `to` is not the state itself; answers the length.
 */
size_t opa_ot_write(opa_str state, const uint64_t *threshold, char to[OPA_W3C_STATE_MAX]);

/* What was decided where a trace begins, or goes on, in this process. */
typedef struct opa_verdict {
	bool sampled;       /* the flag that is sent on */
	bool has_threshold; /* it was sampled by probability, and this one: to be sent and stored */
	uint64_t threshold;
} opa_verdict;

/* A decision of one's own: what a caller has decided does not matter. */
opa_verdict opa_verdict_own(uint64_t threshold, uint64_t random);

/*
 * The caller's decision, followed. Its threshold is believed as long as it agrees with the flag
 * (specification, "General requirements").
 */
opa_verdict opa_verdict_followed(bool sampled, const opa_ot *ot, uint64_t random);

#endif
