/*
 * B3, Zipkin's headers for what W3C Trace Context has a header for
 * (https://github.com/openzipkin/b3-propagation), as OpenTelemetry wants them read and written
 * (specification, "Propagators API", B3 Requirements).
 */
#ifndef OPA_B3_H
#define OPA_B3_H

#include "opa_id.h"

typedef enum opa_b3_state {
	OPA_B3_DEFER = 0, /* nothing was said: the receiver decides */
	OPA_B3_DENY,
	OPA_B3_ACCEPT,
	OPA_B3_DEBUG, /* accept, and say so to those behind */
} opa_b3_state;

typedef struct opa_b3 {
	bool has_ids; /* else only a decision was sent: the trace begins here */
	uint8_t trace_id[OPA_TRACE_ID_LEN];
	opa_span_id span; /* of any process: its first digit may be anything */
	opa_b3_state state;
} opa_b3;

/*
 * Reads the header `b3`: "<trace id>-<span id>", behind it perhaps "-<state>" and "-<parent's span
 * id>", or a state alone. A trace id of 16 digits is that of 32 with zeros before it. False for
 * anything else: *to is then zeroed.
 */
bool opa_b3_parse(opa_str value, opa_b3 *to);

/* The values of the headers X-B3-TraceId and so on; empty where there is none. */
typedef struct opa_b3_headers {
	opa_str trace_id;
	opa_str span_id;
	opa_str sampled; /* 1 or 0; older tracers send true or false */
	opa_str flags;   /* 1: debug, whatever `sampled` says */
} opa_b3_headers;

/*
 * Reads them. A state that is none of those is as if it was not sent. False, with *to zeroed, when
 * one of the ids is malformed or missing, unless both are missing and there is a decision.
 */
bool opa_b3_parse_headers(const opa_b3_headers *headers, opa_b3 *to);

/* Writes "<trace id>-<span id>-<state>": OPA_B3_LEN bytes, not terminated. Not for OPA_B3_DEFER. */
#define OPA_B3_LEN 51u
void opa_b3_format(const uint8_t trace_id[OPA_TRACE_ID_LEN], opa_span_id span, opa_b3_state state,
	char to[OPA_B3_LEN]);

#endif
