/*
 * Wrapping PHP's internal functions: opa's handler takes the place of a function's own, once in a
 * process, before the first script runs, and calls it. A program pays for calls of wrapped
 * functions alone; every other call runs as if opa were not there.
 *
 * The rules of a wrapper:
 *
 * 1. It calls the original once, whatever becomes of its own part.
 * 2. Arguments, return value, references, exceptions and exit pass through untouched.
 * 3. It holds nothing over the call: the original may leave by longjmp (exit, a fatal error).
 * 4. It may be called with opa shut down (opa_the_process.spans is NULL then), and in any state of
 *    the request.
 */
#ifndef OPA_WRAP_H
#define OPA_WRAP_H

#include "../opa_php.h"

typedef struct opa_wrapped {
	const char *name; /* lower case; a function that PHP does not have is passed over */
	zif_handler wrapper;
	zif_handler *original; /* set before `wrapper` is: what it calls */
} opa_wrapped;

/*
 * MINIT: has the functions wrapped once all modules have started, whatever their order. The list is
 * kept, not copied. To be called once in a start of PHP.
 */
void opa_wrap_startup(const opa_wrapped *functions, size_t count);

#endif
