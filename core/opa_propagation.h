/*
 * How a trace goes from one process to the next: which formats are spoken (OpenTelemetry's
 * "propagators"), and what comes of the headers that a caller, or the sender of a message, has sent
 * along. Plain C: who knows where headers come from hands in their values.
 */
#ifndef OPA_PROPAGATION_H
#define OPA_PROPAGATION_H

#include "opa_b3.h"
#include "opa_w3c.h"

typedef enum opa_propagator {
	OPA_PROPAGATOR_TRACECONTEXT, /* traceparent, tracestate */
	OPA_PROPAGATOR_BAGGAGE,
	OPA_PROPAGATOR_B3,      /* one header */
	OPA_PROPAGATOR_B3MULTI, /* several */
	OPA_PROPAGATOR_COUNT
} opa_propagator;

/* The headers that are read. */
typedef enum opa_header {
	OPA_HEADER_TRACEPARENT,
	OPA_HEADER_TRACESTATE,
	OPA_HEADER_BAGGAGE,
	OPA_HEADER_B3,
	OPA_HEADER_B3_TRACE_ID,
	OPA_HEADER_B3_SPAN_ID,
	OPA_HEADER_B3_SAMPLED,
	OPA_HEADER_B3_FLAGS,
	OPA_HEADER_COUNT
} opa_header;

/* Its name in lower case: "x-b3-traceid". */
const char *opa_header_name(opa_header header);

/* Those that are in use, in their order, each once. */
typedef struct opa_propagators {
	uint8_t order[OPA_PROPAGATOR_COUNT]; /* of opa_propagator */
	uint8_t count;
	uint16_t headers; /* that they read: a bit for each opa_header */
} opa_propagators;

/*
 * Reads a list like "tracecontext,baggage"; case and spaces do not matter. With "none" among them
 * there are none. A name that is not known is passed over: *unknown is the first one, empty when
 * there is none.
 */
void opa_propagators_read(opa_str list, opa_propagators *to, opa_str *unknown);

bool opa_propagators_have(const opa_propagators *propagators, opa_propagator which);

/* Whether the trace is to be recorded, as far as others have decided that. */
typedef enum opa_decision {
	OPA_DECISION_OPEN = 0,
	OPA_DECISION_NO,
	OPA_DECISION_YES,
} opa_decision;

/* What has been sent along. */
typedef struct opa_remote {
	bool known;             /* the trace goes on here: `parent` is valid */
	bool debug;             /* of B3: sent on with everything */
	opa_decision decision;  /* may be there without a parent */
	opa_traceparent parent; /* flags: as received, of B3 only "sampled" */
	size_t state_len;
	char state[OPA_W3C_STATE_MAX]; /* the tracestate that is sent on, also where none came in */
} opa_remote;

/*
 * What of the headers counts. The propagators are asked in their order, and what a later one finds
 * takes the place of what an earlier one has found (specification, "Composite Propagator"); one
 * that finds nothing valid changes nothing. `values`: by opa_header, lent for the call, empty where
 * a header was not sent; blanks around them do not matter. Where it was sent repeatedly, its values
 * with commas between: of those of B3 the first counts.
 */
void opa_propagation_extract(
	const opa_propagators *propagators, const opa_str values[OPA_HEADER_COUNT], opa_remote *to);

#endif
