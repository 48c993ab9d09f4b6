/*
 * opa_dump(): values as text, like var_dump() reads, bounded in size, depth and width, and without
 * running any of the program's code.
 */
#ifndef OPA_DUMP_H
#define OPA_DUMP_H

#include "opa_php.h"
#include "opa_span.h"

/* Adds the event "dump" to the span. */
void opa_dump_record(opa_span_id span, const zval *values, uint32_t count);

#endif
