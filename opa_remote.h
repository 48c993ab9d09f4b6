/*
 * What the caller of this request or script has sent along: W3C trace context and baggage, from the
 * request's headers, or from the variables TRACEPARENT, TRACESTATE and BAGGAGE.
 */
#ifndef OPA_REMOTE_H
#define OPA_REMOTE_H

#include "opa_php.h"
#include "opa_config.h"
#include "core/opa_w3c.h"

typedef struct opa_remote {
	bool known; /* there is a valid traceparent, and opa.trust_incoming lets it count */
	opa_traceparent parent;
	size_t state_len;
	char state[OPA_W3C_STATE_MAX]; /* the tracestate that is sent on, also where none came in */
} opa_remote;

/* Where the request begins. An invalid traceparent is as none; then the tracestate is not read. */
void opa_remote_read(const opa_config *config, opa_remote *to);

/* The baggage as it may be sent on; NULL when there is none. The caller releases it. */
zend_string *opa_remote_baggage(const opa_config *config);

#endif
