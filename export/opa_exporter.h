/*
 * opa-exporter as a library: brings the journals of one spool to their destinations, which are
 * stores and collectors. opa_exporter_main.c is the program around it.
 *
 * One thread; one call per process at a time. It blocks SIGTERM and SIGINT while it runs (they are
 * waited for, not handled) and ignores SIGHUP and SIGPIPE. It prints nothing.
 */
#ifndef OPA_EXPORTER_H
#define OPA_EXPORTER_H

#include "../core/opa_version.h"
#include "../core/opa_base.h"

#define OPA_EXPORTER_IDLE_SECONDS 60

typedef struct opa_exporter_options {
	const char *spool;     /* the directory; it exists */
	int lease_fd;          /* the locked <spool>/lease; taken over and closed. -1: take it */
	bool once;             /* bring in what is there now, and leave */
	bool local;            /* only what goes into a local store: no collector is spoken to */
	unsigned idle_seconds; /* leave after so long without data and without a live process */
} opa_exporter_options;

/* The process's exit codes. */
typedef enum opa_exporter_result {
	OPA_EXPORTER_DONE = 0,    /* left in order; or, without `once`, another one serves the spool */
	OPA_EXPORTER_TROUBLE = 1, /* no spool; with `once`: something stood in the way */
	OPA_EXPORTER_USAGE = 2,   /* of the program alone */
	OPA_EXPORTER_BUSY = 3,    /* with `once`: another one serves the spool */
} opa_exporter_result;

/* Runs until there is a reason to leave. *problem (size bytes) has a line for people on TROUBLE. */
opa_exporter_result opa_exporter_run(
	const opa_exporter_options *options, char *problem, size_t size);

#endif
