/*
 * FrankenPHP's worker mode. A worker script calls frankenphp_handle_request($callback) in a loop:
 * it waits for a client's request, has the SAPI and the superglobals tell of it, calls the
 * callback, sends the answer and returns true; or false, when the worker is to end. PHP's own
 * request lasts as long as the script.
 *
 * Each client's request has a trace of its own. It begins when the callback is called, so the time
 * of waiting is nobody's, and ends when the function returns: what happens then until the next call
 * is a span of it, `after response`. It is published with the next call, before the waiting begins.
 *
 * Where an exit or a fatal error in the callback ends the worker's script, the trace ends with it.
 */
#ifndef OPA_WORKER_H
#define OPA_WORKER_H

#include "../opa_php.h"

/*
 * For opa_wrap.h: what takes the place of frankenphp_handle_request(), and what it calls.
 *
 * To be told when the callback is called, it gives the original another one in its place, an
 * internal function, which calls the program's. OPA_G(callback) is where that is kept meanwhile:
 * while the original waits no code of the program runs, so there is never more than one. Before
 * the program's callback is called the argument is what it was, and the internal function's frame
 * is out of the way: a backtrace shows what it would show without opa.
 */
ZEND_NAMED_FUNCTION(opa_worker_handle_request);
extern zif_handler opa_worker_original;

#endif
