/*
 * What the SAPI knows of the request, as attributes by OpenTelemetry's HTTP server conventions, or
 * those of a script on the command line. Reads; changes nothing, runs none of the program's code.
 */
#ifndef OPA_HTTP_H
#define OPA_HTTP_H

#include "opa_config.h"
#include "core/opa_fields.h"

/* MINIT: sees which SAPI this is. */
void opa_http_startup(void);

/* A CGI variable of the request ("HTTP_USER_AGENT"), empty when there is none; lives as long as it.
 */
opa_str opa_http_variable(const char *name);

/* Whether this SAPI answers HTTP requests (else: a script on the command line). */
bool opa_http_is_server(void);

/*
 * In RSHUTDOWN, on the command line: whether some of the program's code was run, from a file or
 * from -r, -B, -R, -E. `php -l`, `php --ini` and the like are requests to the engine, too, and so
 * is code from standard input, which cannot be told from them.
 */
bool opa_http_script_ran(void);

/*
 * Whether what runs now is an HTTP request: else it is a script on the command line, or the start
 * of a worker's.
 */
bool opa_http_is_request(void);

/*
 * RINIT: whether the request is no client's, but the one in which FrankenPHP has a worker script
 * run. The script then waits for clients' requests in frankenphp_handle_request().
 */
bool opa_http_is_worker_start(void);

/* Method and path of the request, without query, or no method and the script; they live as long. */
void opa_http_target(opa_str *method, opa_str *path);

/*
 * At the start of the request: the root span's attributes, and its name (valid UTF-8, in `room`,
 * which has OPA_HTTP_NAME_ROOM bytes).
 */
#define OPA_HTTP_NAME_ROOM 512
opa_str opa_http_begin(const opa_config *config, opa_fields *attributes, char *room);

/* Puts `traceparent` (terminated) into the answer: as `traceresponse` and in `Server-Timing`. */
void opa_http_answer(const char *traceparent);

/*
 * At its end, in RSHUTDOWN: status code, exit status. `failed` is set, with its
 * error.type in *error_type (in `room`), for a 5xx and for an exit status that is not 0.
 */
void opa_http_end(opa_fields *attributes, bool *failed, opa_str *error_type, char *room);

#endif
