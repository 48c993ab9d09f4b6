/*
 * The request's own trace: from RINIT, which opens it with its root span, to post-deactivate, which
 * finishes and publishes it when no PHP code can run any more. In between every function of opa
 * works: in shutdown functions, destructors, output callbacks and session handlers, too.
 */
#ifndef OPA_REQUEST_H
#define OPA_REQUEST_H

#include "opa_php.h"
#include "opa_config.h"
#include "opa_fiber.h"
#include "opa_request_trace.h"
#include "opa_span.h"
#include "core/opa_idmap.h"

typedef enum opa_recording {
	OPA_RECORDING_OFF = 0, /* the functions answer false at once */
	OPA_RECORDING_ON,
	OPA_RECORDING_FORKED, /* this is a forked child: on, once its own root span is made */
} opa_recording;

#define OPA_CLEAN_KEYS 32

/* Of one thread. Zeroed memory is the state before the first request. */
typedef struct opa_request {
	opa_recording recording;
	bool begun;         /* between RINIT and post-deactivate */
	bool switched_off;  /* by the program */
	bool forked;        /* this is a child that has not been served since the fork */
	bool answered;      /* the client had its answer before the end: the root has ended */
	bool script_ran;    /* code of the program was run, or has asked for ids */
	bool failed;        /* an error was found and said on the root span */
	bool worker;        /* it is a worker, which serves requests of clients one after the other */
	bool worker_starts; /* and has not asked for one yet */
	bool waiting;       /* it is between two of them: nothing of it is recorded */
	uint64_t owner;     /* of all its traces */
	opa_request_trace own;
	opa_idmap started;           /* by the program: root -> opa_request_trace, which is malloc'ed */
	opa_request_trace *latest;   /* of these */
	opa_request_trace *earliest; /* of these */
	uint32_t recorded;           /* of these: in the table, and this process's to end */
	const opa_config *config;    /* OPA_G(config), which is held */
	opa_fibers fibers;
	opa_rng rng;
	uint64_t rotate_at;       /* by the monotonic clock, when a script's own has become too old */
	uint64_t cpu;             /* at the start */
	uint64_t fork_time;       /* Unix nanoseconds */
	opa_span_id fork_parent;  /* what was current at the fork */
	int exit_status;          /* at RSHUTDOWN */
	HashTable *exceptions;    /* those that were recorded and live: their numbers; NULL: none */
	uint64_t exception_count; /* how many numbers were given */
	uint64_t spans;           /* started by this request, roots not counted */
	uint64_t values_cut;
	/*
	 * The id that was handed out last, with a reference of opa's own: as long as it is held, a
	 * string at that address is that id, and need not be read again.
	 */
	zend_string *last_text;
	zend_string *spare_text; /* the one before, to be used again */
	opa_span_id last_id;
	/* Interned keys that opa.redact was asked for and does not have: they live as long as this. */
	const zend_string *clean_keys[OPA_CLEAN_KEYS];
} opa_request;

/* RINIT, RSHUTDOWN, post-deactivate. */
void opa_request_begin(void);
void opa_request_leave(void);
void opa_request_end(void);

/*
 * MSHUTDOWN: should the request of this thread not have ended before, what it has recorded is
 * published.
 */
void opa_request_shutdown(void);

/* The client has the whole answer, while the program goes on. */
void opa_request_answered(void);

/*
 * A worker serves many requests between RINIT and post-deactivate, each with a trace of its own as
 * if it were the only one. It waits for one: what it had open ends as it would with the request,
 * and is published; nothing is recorded until one comes. Called again it does nothing.
 */
void opa_request_wait(void);

/* One has come: its trace begins, with what the SAPI knows now. */
void opa_request_serve(void);

/*
 * Another program is about to take the place of this one: the trace ends here, as it would with the
 * request, and is published. False when there is none. Should the process go on all the same, so
 * does tracing, with opa_request_go_on(): in a new trace that is linked to this one.
 */
bool opa_request_end_early(void);
void opa_request_go_on(void);

/* What opa_enable() and opa_disable() do, and ini_set('opa.enabled'). */
bool opa_request_enable(void);
void opa_request_disable(void);

/* In a forked child, from pthread_atfork: takes notes only. */
void opa_request_note_fork(void);

/* Makes the child's own root span. True when recording is on then. */
bool opa_request_wake(void);

/* For opa_request_span.h, which starts and ends spans: what it does not do itself. */

/* Whether the request's span is open. */
bool opa_request_is_open(opa_span_id id);

/* A script's own trace is too old for another span: see opa_request_trace_rotate(). */
void opa_request_rotate(opa_span_start *start);

/* The span could not be started below start->parent: below the current one, if that was why. */
opa_span_id opa_request_start_elsewhere(opa_span_start *start, opa_span_result result);

/*
 * The innermost open span, the local root when there is no other; OPA_NO_SPAN without a trace, or
 * in one that is not wanted.
 */
opa_span_id opa_request_current(void);

/* What stands on top of this fiber's stack, as opa_request_trace.h tells; may be OPA_NO_SPAN. */
opa_span_id opa_request_top(void);

/* A root span has failed: error.type and where. `file` may be NULL. */
void opa_request_set_error(opa_span_id span, opa_str type, zend_string *file, uint32_t line);

/*
 * Writes a piece of a trace, or the last of it, into the journal, and takes the batch over. True
 * when there was nothing to write, or it is there.
 */
bool opa_request_publish(opa_batch *batch);

/* Adds what was counted so far in its traces to the process's counters. */
void opa_request_count(void);

/* Publishes what has finished so far in its traces, but those that wait. False when it was dropped.
 */
bool opa_request_flush(void);

#endif
