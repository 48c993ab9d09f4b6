/*
 * Functions of PHP's own by which a request ends before its script does: its client gets the answer
 * (fastcgi_finish_request(), litespeed_finish_request(), frankenphp_finish_request()), or another
 * program takes the place of the process (pcntl_exec()). And that in which many begin and end
 * (opa_worker.h).
 */
#ifndef OPA_SAPI_H
#define OPA_SAPI_H

/* MINIT. */
void opa_sapi_startup(void);

#endif
