/*
 * The traces of a request: its own, and those that the program has started in it with
 * opa_start_trace(). Several may be open at the same time, all with the request's owner, so that
 * ids of each work wherever the program is.
 *
 * Which of them goes on follows from the current span, and so for each fiber by itself: that of the
 * span that stands on top of the fiber's stack. A started trace stands there with its root's id.
 * One that the sampler does not want stands there, too, with an id that the span table does not
 * know: as long as it does, nothing is recorded, and its ids are what is sent along.
 */
#ifndef OPA_REQUEST_TRACE_H
#define OPA_REQUEST_TRACE_H

#include "opa_php.h"
#include "opa_remote.h"
#include "opa_sampling.h"
#include "opa_span.h"
#include "core/opa_fields.h"

struct opa_request_trace {
	bool traced;            /* it is in the span table */
	bool unwanted;          /* it is not recorded: it has ids for those who are called, no more */
	bool started;           /* by the program */
	bool announced;         /* the publisher was told that it runs, and not yet that it has ended */
	bool inherited;         /* it was open at the fork, and is the parent process's to end */
	opa_span_id root;       /* names the trace; in a forked child it is the parent's span */
	opa_span_id local_root; /* what this process ends at last: the root, or the span of the fork, or
							   that of what follows the answer */
	uint8_t trace_id[OPA_TRACE_ID_LEN];
	uint64_t dropped;  /* finished spans that could not be published */
	opa_remote remote; /* what it goes on from, if that is known */
	opa_sampling sampling;
	zend_string *baggage;                      /* of a started one, to be sent on; NULL: none */
	struct opa_request_trace *next, *previous; /* of those that were started, the latest first */
};

/* Open at the same time, of those that were started; then the earliest is ended. */
#define OPA_TRACES_OPEN 10000

/* The trace's flags by W3C, as they are sent on. */
uint8_t opa_request_trace_flags(const opa_request_trace *trace);

/* The request's own trace: the caller's goes on, or one begins. With its root, if it is wanted. */
void opa_request_trace_choose_own(void);

/* It is too old: unless a span is open in it, it ends and another one, linked to it, begins. */
void opa_request_trace_rotate(void);

/* Another one begins, linked to that which has ended before. */
void opa_request_trace_renew_own(void);

/* At the end of the request: ends it, if there is one, and publishes it if it is to be kept. */
void opa_request_trace_end_own(bool keep);

/* The trace that goes on here; that of an open span; the one that a root names. Never NULL. */
opa_request_trace *opa_request_trace_current(void);
opa_request_trace *opa_request_trace_of(opa_span_id span);
opa_request_trace *opa_request_trace_named(opa_span_id root);

/* Whether a span's id may stay on a stack: it is open, or stands for a trace that is not wanted. */
bool opa_request_trace_stands(opa_span_id span);

/* ---- those that the program starts ---- */

/* Whether one may be started now: tracing is on, or off only because the request is not wanted. */
bool opa_request_trace_may_start(void);

/*
 * Chooses ids and asks the sampler, by trace->remote, which the caller has filled in, and
 * trace->baggage. Nothing is allocated.
 */
void opa_request_trace_choose(opa_request_trace *trace);

/*
 * Starts what was chosen; it becomes the current one. Answers its root's id; OPA_NO_SPAN when it is
 * not wanted, or was refused. The baggage is taken over.
 */
opa_span_id opa_request_trace_start(
	opa_request_trace *chosen, opa_str name, opa_span_kind kind, const opa_attributes *attributes);

/*
 * Ends the started trace with that root, which ends now; what else is open in it is closed and
 * marked. False when there is none. Publishes it.
 */
bool opa_request_trace_end(opa_span_id root);

/* If the process dies from here on the trace is counted as lost. */
void opa_request_trace_announce(opa_request_trace *trace);

/* MSHUTDOWN: as at the end of the request, but nothing of PHP's is touched. */
void opa_request_trace_shut_down(bool keep);

/* Ends the innermost trace of this fiber that is not wanted, if there is one. */
void opa_request_trace_end_unwanted(void);

/* At the end of the request: all that were started, root and all marked as unfinished. */
void opa_request_trace_end_all(bool keep);

/* In a forked child: what was started is the parent's. Takes notes only. */
void opa_request_trace_note_fork(void);

/*
 * In a forked child: a trace that was started becomes its own, and what was its own until now one
 * of those that are the parent's. False when memory is short.
 */
bool opa_request_trace_adopt(opa_request_trace *trace);

/* The fields of a link's OTLP message. */
void opa_request_put_link(opa_fields *fields, const opa_traceparent *to, uint32_t dropped);

#endif
