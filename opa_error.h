/*
 * Exceptions and fatal errors as events on a span. Nothing here runs the program's code, and what a
 * fatal error comes to allocates nothing from PHP's memory manager, which may have nothing left.
 */
#ifndef OPA_ERROR_H
#define OPA_ERROR_H

#include "opa_php.h"
#include "opa_span.h"

/* MINIT: asks to be told of errors. */
void opa_error_startup(void);

/*
 * RSHUTDOWN: an error that the program's handler was asked about and gave back (it answered false)
 * has ended the request all the same.
 */
void opa_error_leave(void);

/* post-deactivate: forgets which exceptions were recorded. */
void opa_error_end(void);

/*
 * Which exception it is: a number of its own, for as long as it lives. Allocates from PHP's memory
 * manager, which may end the request: to be asked before anything of malloc's is held.
 */
uint64_t opa_error_number(zend_object *exception);

/*
 * Records an exception on an open span: an event "exception" with type, message and stack trace
 * (that of the chain of previous ones included, never an argument), and the span's status becomes
 * error unless the program has set it. The same exception is recorded once on a span. `tags` are
 * more attributes of the event in wire form (OPA_TAG_EVENT_ATTRIBUTE), which outweigh the event's
 * own ones; `dropped` of them were left out.
 */
opa_span_result opa_error_record(
	opa_span_id span, zend_object *exception, uint64_t number, opa_str tags, uint32_t dropped);

/* "Class: message in file(line)", cut to OPA_ERROR_SUMMARY bytes, which `to` has. */
#define OPA_ERROR_SUMMARY 1024
opa_str opa_error_summary(zend_object *exception, char *to);

#endif
