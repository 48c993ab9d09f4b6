/*
 * One trace that is going on: its limits, its clock, the open spans it counts, and its finished
 * ones in wire form. The back room of opa_span.c, which owns the table and the locks: every
 * function here is called under the lock of the trace's shard, and none takes one.
 */
#ifndef OPA_TRACE_H
#define OPA_TRACE_H

#include "opa_span.h"
#include "core/opa_block.h"

/* Finished spans, written from the end of the memory towards its beginning. */
typedef struct opa_trace_buffer {
	uint8_t *block; /* malloc, NULL: none yet */
	size_t capacity;
	uint8_t *pos; /* the data is [pos, block + capacity) */
} opa_trace_buffer;

typedef struct opa_trace {
	opa_span_id root;
	uint64_t owner;
	opa_block_context context;
	char *state; /* behind context.state; malloc, NULL: none */
	const opa_span_limits *limits;
	opa_block *open; /* the latest first */
	opa_trace_buffer finished;
	uint32_t finished_spans;
	bool error;
	bool later_parent; /* some span hangs under one that was started after it */
	size_t bytes;      /* of open blocks and finished data */
	uint64_t started;  /* gives the spans their sequence */
	uint64_t wall;     /* Unix time at the moment `mono` */
	uint64_t mono;
	uint32_t counts[OPA_TRACE_COUNTS];
} opa_trace;

/* An empty trace, or NULL. Its clock begins now. */
opa_trace *opa_trace_create(const opa_trace_start *start);

/* Frees the trace and its finished spans; open ones must be gone. */
void opa_trace_destroy(opa_trace *trace);

/* Reads the wall clock anew: times from now on are told from this moment. */
void opa_trace_anchor(opa_trace *trace);

/* Counts a refusal and answers the result that tells of it. */
opa_span_result opa_trace_refuse(opa_trace *trace, opa_trace_count why);

/* Makes an open span of `block`, which has its id: fills it in and adds it to the books. */
opa_span_result opa_trace_open(
	opa_trace *trace, opa_block *block, const opa_span_start *start, uint64_t mono);

/* Whether limits.trace_size lets the trace hold `more` further bytes; counts it when not. */
bool opa_trace_has_room(opa_trace *trace, size_t more);

/*
 * Whether finished spans should leave now, at `mono`: there are limits.flush_size of them, the last
 * ones left limits.flush_age ago, or the trace has come so near to limits.trace_size that without
 * it the next span might be refused.
 */
bool opa_trace_should_flush(const opa_trace *trace, uint64_t mono);

/* When a span that ends at `mono` ends: by the clock that never runs backwards, if it can be. */
uint64_t opa_trace_end_of(const opa_trace *trace, const opa_block *span, uint64_t mono);

/* Makes sure that opa_trace_write(span) cannot fail. False, with no change: memory is short. */
bool opa_trace_reserve(opa_trace *trace, opa_block *span);

/*
 * Writes a span, after a successful reserve, behind the finished ones; with `unfinished` it is one
 * that the program left open, and marked so.
 */
void opa_trace_write(opa_trace *trace, opa_block *span, uint64_t end, bool unfinished);

/* Takes a span off the list of open ones and out of the books. Its block is the caller's then. */
void opa_trace_close(opa_trace *trace, opa_block *span);

size_t opa_trace_finished_len(const opa_trace *trace);

/* Moves the finished spans and the counts into *batch; its data is NULL when there is no span. */
void opa_trace_detach(opa_trace *trace, bool complete, opa_batch *batch);

/* In a forked child: the finished spans go, what is open can only be a parent from now on. */
void opa_trace_leave_to_parent(opa_trace *trace);

/* What the functions of opa_span.h do once they have the span. */
opa_span_result opa_trace_set_attributes(
	opa_trace *trace, opa_block *span, const opa_attributes *attributes);
opa_span_result opa_trace_add_event(
	opa_trace *trace, opa_block *span, uint64_t time, uint64_t mono, opa_str fields);
opa_span_result opa_trace_add_link(opa_trace *trace, opa_block *span, opa_str fields);
opa_span_result opa_trace_set_status(
	opa_trace *trace, opa_block *span, opa_span_status status, opa_str message, bool found);
opa_span_result opa_trace_set_name(opa_trace *trace, opa_block *span, opa_str name);

#endif
