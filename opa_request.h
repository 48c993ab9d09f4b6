/*
 * The request's trace: from RINIT, which opens it with its root span, to post-deactivate, which
 * finishes and publishes it when no PHP code can run any more. In between every function of opa
 * works: in shutdown functions, destructors, output callbacks and session handlers, too.
 */
#ifndef OPA_REQUEST_H
#define OPA_REQUEST_H

#include "opa_php.h"
#include "opa_config.h"
#include "opa_fiber.h"
#include "opa_remote.h"
#include "opa_sampling.h"
#include "opa_span.h"

typedef enum opa_recording {
	OPA_RECORDING_OFF = 0, /* the functions answer false at once */
	OPA_RECORDING_ON,
	OPA_RECORDING_FORKED, /* this is a forked child: on, once its own root span is made */
} opa_recording;

#define OPA_CLEAN_KEYS 32

/* Of one thread. Zeroed memory is the state before the first request. */
struct opa_request {
	opa_recording recording;
	bool begun;      /* between RINIT and post-deactivate */
	bool traced;     /* it has a trace in the span table */
	bool forked;     /* this is a child that has not been served since the fork */
	bool script_ran; /* some file was run: it was not just `php -i` */
	bool failed;     /* an error was found and said on the root span */
	bool unwanted;   /* it is not recorded: the sampler is asked once */
	uint64_t owner;
	opa_span_id root;       /* names the trace; in a forked child it is the parent's span */
	opa_span_id local_root; /* what this process ends: the root, or the span of the fork */
	uint8_t trace_id[OPA_TRACE_ID_LEN];
	opa_remote remote; /* what this trace goes on from, if that is known */
	opa_sampling sampling;
	const opa_config *config; /* OPA_G(config), which is held */
	opa_fibers fibers;
	opa_rng rng;
	uint64_t rotate_at;       /* by the monotonic clock, when a script's trace has become too old */
	uint64_t cpu;             /* at the start */
	uint64_t fork_time;       /* Unix nanoseconds */
	opa_span_id fork_parent;  /* what was current at the fork */
	int exit_status;          /* at RSHUTDOWN */
	HashTable *exceptions;    /* those that were recorded and live: their numbers; NULL: none */
	uint64_t exception_count; /* how many numbers were given */
	uint64_t spans;           /* started by this request, roots not counted */
	uint64_t values_cut;
	uint64_t dropped; /* finished spans of this trace that could not be published */
	/*
	 * The id that was handed out last, with a reference of opa's own: as long as it is held, a
	 * string at that address is that id, and need not be read again.
	 */
	zend_string *last_text;
	zend_string *spare_text; /* the one before, to be used again */
	opa_span_id last_id;
	/* Interned keys that opa.redact was asked for and does not have: they live as long as this. */
	const zend_string *clean_keys[OPA_CLEAN_KEYS];
};

/* The trace's flags by W3C, as they are sent on. */
uint8_t opa_request_flags(const opa_request *request);

/* RINIT, RSHUTDOWN, post-deactivate. */
void opa_request_begin(void);
void opa_request_leave(void);
void opa_request_end(void);

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

/* A script's trace is old enough: it is ended, and another begun, unless a span is open in it. */
void opa_request_rotate(opa_span_start *start);

/* The span could not be started below start->parent: below the current one, if that was why. */
opa_span_id opa_request_start_elsewhere(opa_span_start *start, opa_span_result result);

/* Writes a piece of the trace that was handed out before its end. */
void opa_request_publish_piece(opa_batch *batch);

/* The innermost open span, the local root when there is no other; OPA_NO_SPAN without a trace. */
opa_span_id opa_request_current(void);

/* The root span has failed: error.type and where. `file` may be NULL. */
void opa_request_set_error(opa_str type, zend_string *file, uint32_t line);

/* Adds what was counted so far in this trace to the process's counters. */
void opa_request_count(void);

/* Publishes what has finished so far, unless the trace waits. False when it was dropped. */
bool opa_request_flush(void);

#endif
