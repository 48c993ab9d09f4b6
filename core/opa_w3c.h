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

#endif
