/*
 * W3C Trace Context, level 2.
 */
#ifndef OPA_W3C_H
#define OPA_W3C_H

#include "opa_id.h"

#define OPA_W3C_SAMPLED 0x01u
#define OPA_W3C_RANDOM  0x02u

typedef struct opa_traceparent {
	uint8_t trace_id[OPA_TRACE_ID_LEN];
	opa_span_id parent; /* of any process: its first digit may be anything */
	uint8_t flags;
} opa_traceparent;

/*
 * Reads a `traceparent` header value (section 3.2 of the specification). A version above 00 is read
 * by its first four fields; ff, zero ids, upper case, wrong lengths and spaces around the value are
 * refused: *parent is then zeroed.
 */
bool opa_w3c_parse(opa_str value, opa_traceparent *parent);

/*
 * Writes "00-<trace id>-<span id>-<flags>": OPA_W3C_LEN bytes, not terminated. Of the flags only
 * those above are sent.
 */
#define OPA_W3C_LEN 55u
void opa_w3c_format(const uint8_t trace_id[OPA_TRACE_ID_LEN], opa_span_id span, uint8_t flags,
	char to[OPA_W3C_LEN]);

/*
 * A `tracestate` header value (section 3.3; several headers are joined with commas before) as it is
 * sent on: valid members in their order, without empty ones, spaces around them, and later ones
 * with the key of an earlier one. What would be longer than OPA_W3C_STATE_MAX bytes loses whole
 * members, those above 128 bytes first, then from the right. Answers the length: 0 for an empty
 * value, for one with a malformed member, and for one with more than 32 members.
 */
#define OPA_W3C_STATE_MAX   512u
#define OPA_W3C_MEMBERS_MAX 32u
size_t opa_w3c_clean_state(opa_str value, char to[OPA_W3C_STATE_MAX]);

/*
 * How many bytes of a `baggage` header value may be sent on: the first members, whole, up to
 * OPA_BAGGAGE_MEMBERS and OPA_BAGGAGE_MAX bytes. 0 for a value with bytes that no header may have.
 */
#define OPA_BAGGAGE_MAX     8192u
#define OPA_BAGGAGE_MEMBERS 64u
size_t opa_w3c_baggage_len(opa_str value);

#endif
