/*
 * One trace that is going on: its limits, its clock, the open spans it counts, and its finished
 * ones in wire form. The back room of opa_span*.c, which own the table and the locks: every
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
	uint64_t dropped; /* spans that it lacks: not started for want of room, or not written */
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

/* Makes an open span of `block`: fills in all but its id and adds it to the books. */
OPA_INLINE opa_span_result opa_trace_open(
	opa_trace *trace, opa_block *block, const opa_span_start *start, uint64_t mono);

/* Whether limits.trace_size lets the trace hold `more` further bytes; counts it when not. */
OPA_INLINE bool opa_trace_has_room(opa_trace *trace, size_t more);

/*
 * Whether finished spans should leave now, at `mono`: there are limits.flush_size of them, the last
 * ones left limits.flush_age ago, or the trace has come so near to limits.trace_size that without
 * it the next span might be refused. (Then, too, they are to be some: where open spans take nearly
 * all of it, each end would be a piece of its own.)
 */
OPA_INLINE bool opa_trace_should_flush(const opa_trace *trace, uint64_t mono);

/* When a span that ends at `mono` ends: by the clock that never runs backwards, if it can be. */
OPA_INLINE uint64_t opa_trace_end_of(const opa_trace *trace, const opa_block *span, uint64_t mono);

/* Whether there is memory for opa_trace_write(span). */
OPA_INLINE bool opa_trace_fits(const opa_trace *trace, const opa_block *span);

/* Makes it. False, with no change: memory is short. */
bool opa_trace_grow(opa_trace *trace, const opa_block *span);

/*
 * Writes a span that fits behind the finished ones; with `unfinished` it is one
 * that the program left open, and marked so.
 */
OPA_INLINE void opa_trace_write(opa_trace *trace, opa_block *span, uint64_t end, bool unfinished);

/* Says on the span how many the trace lacks: `dropped`, of which the caller knows, and more. */
void opa_trace_tell_dropped(opa_trace *trace, opa_block *span, uint64_t dropped);

/* Sets an attribute of opa's own, whatever the limits. */
opa_span_result opa_trace_mark(
	opa_trace *trace, opa_block *span, opa_str key, const opa_value *value);

/* Takes a span off the list of open ones and out of the books. Its block is the caller's then. */
OPA_INLINE void opa_trace_close(opa_trace *trace, opa_block *span);

OPA_INLINE size_t opa_trace_finished_len(const opa_trace *trace);

/* Moves the finished spans and the counts into *batch; its data is NULL when there is no span. */
void opa_trace_detach(opa_trace *trace, bool complete, opa_batch *batch);

/* In a forked child: the finished spans go, what is open can only be a parent from now on. */
void opa_trace_leave_to_parent(opa_trace *trace);

/* What the functions of opa_span.h do once they have the span. */
opa_span_result opa_trace_set_attributes(
	opa_trace *trace, opa_block *span, const opa_attributes *attributes);
/* False, with nothing done, when key or text are not ASCII. */
OPA_INLINE bool opa_trace_set_short_attribute(
	opa_trace *trace, opa_block *span, opa_str key, opa_str text, opa_span_result *result);
/* What that does where another attribute stands already. */
bool opa_trace_set_further_attribute(
	opa_trace *trace, opa_block *span, opa_str key, opa_str text, opa_span_result *result);
opa_span_result opa_trace_add_event(
	opa_trace *trace, opa_block *span, uint64_t time, uint64_t mono, opa_str fields);
opa_span_result opa_trace_add_exception(opa_trace *trace, opa_block *span, uint64_t token,
	uint64_t mono, opa_str fields, opa_str message);
opa_span_result opa_trace_add_link(opa_trace *trace, opa_block *span, opa_str fields);
opa_span_result opa_trace_set_status(
	opa_trace *trace, opa_block *span, opa_span_status status, opa_str message, bool found);
opa_span_result opa_trace_set_name(opa_trace *trace, opa_block *span, opa_str name);

/* ---- what every span goes through, in the header so that compilers can join it ---- */

OPA_INLINE size_t opa_trace_finished_len(const opa_trace *trace)
{
	const opa_trace_buffer *buffer = &trace->finished;
	/* Of a buffer that there is not yet both are NULL. */
	return buffer->capacity - (size_t)((uintptr_t)buffer->pos - (uintptr_t)buffer->block);
}

OPA_INLINE bool opa_trace_has_room(opa_trace *trace, size_t more)
{
	if (OPA_LIKELY(trace->bytes + more <= trace->limits->trace_size)) {
		return true;
	}
	trace->counts[OPA_TRACE_REFUSED_SIZE]++;
	return false;
}

OPA_INLINE bool opa_trace_should_flush(const opa_trace *trace, uint64_t mono)
{
	const opa_span_limits *limits = trace->limits;
	/* Below zero where another thread has flushed since `mono` was read. */
	int64_t age = (int64_t)(mono - trace->mono);
	return OPA_UNLIKELY(opa_trace_finished_len(trace) >= limits->flush_size) ||
		   OPA_UNLIKELY(age >= (int64_t)limits->flush_age && limits->flush_age != 0) ||
		   OPA_UNLIKELY(trace->bytes >= limits->trace_size - limits->trace_size / 8 &&
						opa_trace_finished_len(trace) >= limits->trace_size / 64);
}

OPA_INLINE uint64_t opa_trace_end_of(const opa_trace *trace, const opa_block *span, uint64_t mono)
{
	return OPA_LIKELY(span->start_mono != 0) ? span->start + (mono - span->start_mono)
											 : trace->wall + (mono - trace->mono);
}

OPA_INLINE void opa_trace_close(opa_trace *trace, opa_block *span)
{
	if (span->previous != NULL) {
		span->previous->next = span->next;
	} else {
		trace->open = span->next;
	}
	if (span->next != NULL) {
		span->next->previous = span->previous;
	}
	trace->bytes -= span->size;
}

OPA_INLINE bool opa_trace_set_short_attribute(
	opa_trace *trace, opa_block *span, opa_str key, opa_str text, opa_span_result *result)
{
	size_t len = opa_short_attribute_len(key, text);
	/* The first one, and there is room: nothing to compare its key with, nothing to count. */
	if (OPA_LIKELY(span->attributes == 0) && OPA_LIKELY(len <= span->capacity - span->len) &&
		OPA_LIKELY(trace->limits->attributes > 0)) {
		uint8_t *to = span->data + span->len;
		if (OPA_UNLIKELY(!opa_put_short_attribute(to, OPA_TAG_SPAN_ATTRIBUTE, key, text))) {
			return false;
		}
		span->len += (uint32_t)len;
		span->attributes = 1;
		*result = OPA_SPAN_OK;
		return true;
	}
	return opa_trace_set_further_attribute(trace, span, key, text, result);
}

OPA_INLINE opa_span_result opa_trace_open(
	opa_trace *trace, opa_block *block, const opa_span_start *start, uint64_t mono)
{
	if (OPA_UNLIKELY(!opa_block_begin(block, start->name))) {
		return opa_trace_refuse(trace, OPA_TRACE_REFUSED_MEMORY);
	}
	block->parent = start->parent;
	block->owner = trace->owner;
	block->trace = trace;
	block->kind = (uint8_t)start->kind;
	block->sequence = trace->started++;
	block->start = start->start;
	block->start_mono = 0;
	if (OPA_LIKELY(start->start == OPA_NOW)) {
		block->start = trace->wall + (mono - trace->mono);
		block->start_mono = mono;
	}
	block->previous = NULL;
	block->next = trace->open;
	if (OPA_LIKELY(trace->open != NULL)) {
		trace->open->previous = block;
	}
	trace->open = block;
	trace->bytes += block->size;
	trace->counts[OPA_TRACE_SPANS_STARTED]++;
	if (OPA_UNLIKELY(start->attributes != NULL)) {
		opa_trace_set_attributes(trace, block, start->attributes);
	}
	return OPA_SPAN_OK;
}

/* Attributes in wire form: {"opa.unfinished": true}, {"opa.time_clamped": true}. */
#define OPA_UNFINISHED_MARK "\x4a\x14\x0a\x0eopa.unfinished\x12\x02\x10\x01"
#define OPA_CLAMPED_MARK    "\x4a\x16\x0a\x10opa.time_clamped\x12\x02\x10\x01"
#define OPA_MARK_LEN(mark)  (sizeof(mark) - 1)

/* Both, one behind the other. */
extern const char opa_trace_marks[sizeof(OPA_UNFINISHED_MARK OPA_CLAMPED_MARK)];

OPA_INLINE size_t opa_trace_bound(const opa_trace *trace, const opa_block *span)
{
	return OPA_BATCH_HEADROOM + sizeof(opa_trace_marks) + opa_block_bound(span, &trace->context);
}

OPA_INLINE bool opa_trace_fits(const opa_trace *trace, const opa_block *span)
{
	/* Of a buffer that there is not yet both pointers are NULL. */
	size_t room = (size_t)((uintptr_t)trace->finished.pos - (uintptr_t)trace->finished.block);
	return opa_trace_bound(trace, span) <= room;
}

OPA_INLINE void opa_trace_write(opa_trace *trace, opa_block *span, uint64_t end, bool unfinished)
{
	opa_writer w = {trace->finished.pos};
	uint8_t *written_end = w.pos;
	bool clamped = end < span->start;
	size_t marked = unfinished ? OPA_MARK_LEN(OPA_UNFINISHED_MARK) : 0;
	const char *mark =
		unfinished ? opa_trace_marks : opa_trace_marks + OPA_MARK_LEN(OPA_UNFINISHED_MARK);
	if (OPA_UNLIKELY(clamped)) {
		end = span->start;
		marked += OPA_MARK_LEN(OPA_CLAMPED_MARK);
	}
	opa_block_encode(span, &trace->context, end, mark, marked, &w);
	trace->counts[OPA_TRACE_SPANS_UNFINISHED] += unfinished;
	trace->finished.pos = w.pos;
	trace->finished_spans++;
	trace->error |= span->status == OPA_STATUS_ERROR;
	trace->bytes += (size_t)(written_end - w.pos);
}

#endif
