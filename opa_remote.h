/*
 * What has been sent along, read from where PHP has it: the request's headers, the variables of a
 * script's environment (TRACEPARENT, X_B3_TRACEID, ...), or an array of the program's.
 * core/opa_propagation.h says what of it counts.
 */
#ifndef OPA_REMOTE_H
#define OPA_REMOTE_H

#include "opa_php.h"
#include "opa_config.h"

/* Where the request begins: nothing, unless opa.trust_incoming lets it count. */
void opa_remote_read(const opa_config *config, opa_remote *to);

/*
 * The same from the headers of a message: name => value or list of values, names in any case, those
 * of the same name one after the other. What is not a string, or malformed, is as if it were not
 * there. `headers` may be NULL. Answers the message's baggage as it may be sent on, which the
 * caller releases; NULL when there is none.
 */
zend_string *opa_remote_read_headers(const opa_config *config, HashTable *headers, opa_remote *to);

/* The request's baggage as it may be sent on; NULL when there is none. The caller releases it. */
zend_string *opa_remote_baggage(const opa_config *config);

#endif
