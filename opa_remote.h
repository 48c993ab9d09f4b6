/*
 * What has been sent along, read from where PHP has it: the request's headers, or the variables of
 * a script's environment (TRACEPARENT, X_B3_TRACEID, ...). core/opa_propagation.h says what of it
 * counts.
 */
#ifndef OPA_REMOTE_H
#define OPA_REMOTE_H

#include "opa_php.h"
#include "opa_config.h"

/* Where the request begins: nothing, unless opa.trust_incoming lets it count. */
void opa_remote_read(const opa_config *config, opa_remote *to);

/* The request's baggage as it may be sent on; NULL when there is none. The caller releases it. */
zend_string *opa_remote_baggage(const opa_config *config);

#endif
