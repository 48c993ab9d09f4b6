/*
 * The span table: every span that is open in this process, and the finished ones of traces that are
 * still going on. Plain C on malloc(3); it knows nothing of PHP, and no memory of a request is ever
 * kept in it.
 *
 * An id is the only handle: no pointer to a span leaves the table. Every operation locks the id's
 * shard, looks the id up, checks whose it is, does its work and unlocks, so between the check and
 * the access nothing can happen. A span is removed from the table before its memory is used again.
 *
 * All spans of a trace live in one shard, which the lowest bits of their ids name. So an operation
 * takes exactly one lock, and threads that serve different requests do not meet.
 *
 * Any thread may call any function but create and destroy, unless it says otherwise. No function
 * calls back, prints, or blocks on anything but the shard's mutex.
 */
#ifndef OPA_SPAN_H
#define OPA_SPAN_H

#include "core/opa_otlp.h"

typedef struct opa_span_table opa_span_table;

typedef enum opa_span_result {
	OPA_SPAN_OK = 0,
	OPA_SPAN_UNKNOWN,   /* no open span of this owner has that id */
	OPA_SPAN_REFUSED,   /* would make a cycle, join two traces, or write to a span that was open
						   when the process was forked and is its parent's */
	OPA_SPAN_LIMIT,     /* beyond a limit; counted */
	OPA_SPAN_NO_MEMORY, /* counted */
} opa_span_result;

/* As in OTLP. */
typedef enum opa_span_kind {
	OPA_KIND_INTERNAL = 1,
	OPA_KIND_SERVER = 2,
	OPA_KIND_CLIENT = 3,
	OPA_KIND_PRODUCER = 4,
	OPA_KIND_CONSUMER = 5,
} opa_span_kind;

typedef enum opa_span_status {
	OPA_STATUS_UNSET = 0,
	OPA_STATUS_OK = 1, /* said by the program: final against opa's own findings */
	OPA_STATUS_ERROR = 2,
} opa_span_status;

/* In place of a time: now. Every other value is Unix time in nanoseconds. */
#define OPA_NOW UINT64_MAX

/* Bounds of a trace. Immutable; must outlive the traces that are begun with it. */
typedef struct opa_span_limits {
	uint32_t attributes; /* of a span */
	uint32_t events;     /* of a span */
	uint32_t links;      /* of a span */
	size_t trace_size;   /* bytes that a trace may hold in memory, open and finished spans */
	size_t flush_size;   /* finished bytes at which a piece of the trace is handed out; it is so
							too when the trace is nearly as large as trace_size */
	uint64_t flush_age;  /* nanoseconds after which they are handed out, however few; 0: never */
} opa_span_limits;

/*
 * Attributes in wire form: for each one OPA_TAG_SPAN_ATTRIBUTE, length, KeyValue, as
 * opa_write_attribute() writes them. Lent for the call.
 */
typedef struct opa_attributes {
	const uint8_t *wire;
	size_t len;
	uint32_t dropped; /* how many the caller had to leave out */
} opa_attributes;

typedef struct opa_trace_start {
	uint64_t owner; /* from opa_span_owner_make() */
	uint8_t trace_id[OPA_TRACE_ID_LEN];
	opa_span_id remote_parent; /* OPA_NO_SPAN: the trace begins here */
	uint8_t flags;             /* W3C trace flags */
	opa_str state;             /* W3C tracestate, as received; may be empty */
	const opa_span_limits *limits;
	opa_str name; /* of the local root; valid UTF-8 */
	opa_span_kind kind;
	uint64_t start; /* OPA_NOW or Unix nanoseconds */
	opa_attributes attributes;
} opa_trace_start;

typedef struct opa_span_start {
	opa_span_id parent; /* an open span, or the local root of a trace that is not finished */
	opa_str name;       /* valid UTF-8 */
	opa_span_kind kind;
	uint64_t start;
	uint64_t mono; /* opa_clock_mono(), if the caller has just read it; 0: it is read */
	const opa_attributes *attributes; /* NULL: none */
} opa_span_start;

/* What happened to a trace since its last batch. */
typedef enum opa_trace_count {
	OPA_TRACE_SPANS_STARTED,
	OPA_TRACE_SPANS_UNFINISHED,
	OPA_TRACE_SPANS_LOST, /* could not be encoded: memory */
	OPA_TRACE_ATTRIBUTES_DROPPED,
	OPA_TRACE_EVENTS_DROPPED,
	OPA_TRACE_LINKS_DROPPED,
	OPA_TRACE_REFUSED_SIZE,
	OPA_TRACE_REFUSED_MEMORY,
	OPA_TRACE_COUNTS
} opa_trace_count;

/* Room in front of a batch's data, for the headers of whoever writes it out. */
#define OPA_BATCH_HEADROOM 128

/*
 * Finished spans that have left the table. The receiver is their only owner and gives them back
 * with opa_batch_release().
 */
typedef struct opa_batch {
	uint8_t *data; /* OTLP ScopeSpans.spans fields; NULL: nothing. OPA_BATCH_HEADROOM bytes in
					  front of it may be written */
	size_t len;
	uint32_t spans;
	bool complete;    /* the trace is finished: this is its last piece */
	bool error;       /* one of the spans has status error */
	opa_span_id root; /* of its trace */
	uint8_t trace_id[OPA_TRACE_ID_LEN];
	uint32_t counts[OPA_TRACE_COUNTS];
	uint8_t *block; /* the memory behind data */
	size_t capacity;
	unsigned shard;
} opa_batch;

/*
 * A table with `shards` shards (a power of two, at most 256; 1 where one thread at a time uses it).
 * NULL when memory is short. Destroying it frees everything that is in it; nobody may use it then.
 */
opa_span_table *opa_span_table_create(unsigned shards);
void opa_span_table_destroy(opa_span_table *table);

/* A number that no other request of this process has had. Never 0. */
uint64_t opa_span_owner_make(opa_span_table *table);

/*
 * Begins a trace with its local root, which is open then. *root names both: the span while it is
 * open, and the trace until opa_trace_finish().
 */
opa_span_result opa_trace_begin(
	opa_span_table *table, const opa_trace_start *start, opa_span_id *root);

/*
 * Hands out what has finished so far; the trace goes on. *batch is empty (data NULL) when there is
 * nothing, or when the result is not OPA_SPAN_OK. Wall clock time is read anew.
 */
opa_span_result opa_trace_flush(
	opa_span_table *table, uint64_t owner, opa_span_id root, opa_batch *batch);

/*
 * Ends the trace, and with it the span `ending` (the local root; OPA_NO_SPAN: none). What else is
 * open is closed at this moment and marked `opa.unfinished`, everything is handed out, and from now
 * on none of its ids is known. A batch without spans (data NULL) still has the counts.
 *
 * If the trace lacks spans that could not be started or written, or the `dropped` of which only the
 * caller knows, `ending` says how many with the attribute `opa.dropped_spans`, whatever the limits.
 */
opa_span_result opa_trace_finish(opa_span_table *table, uint64_t owner, opa_span_id root,
	opa_span_id ending, uint64_t dropped, opa_batch *batch);

/* Gives the memory of a batch back; the batch is empty then. An empty one is left alone. */
void opa_batch_release(opa_span_table *table, opa_batch *batch);

/* Starts a span. *id is OPA_NO_SPAN unless the result is OPA_SPAN_OK. */
opa_span_result opa_span_begin(
	opa_span_table *table, uint64_t owner, const opa_span_start *start, opa_span_id *id);

/*
 * Ends a span: takes it out of the table, then writes it behind the trace's finished ones. An `end`
 * before its start is taken for its start and marked `opa.time_clamped`. If the finished spans have
 * reached limits.flush_size they are handed out in *flushed; otherwise its data is NULL, and
 * nothing else in it has a meaning. Where there is no memory to write the span to, it stays open.
 */
opa_span_result opa_span_end(
	opa_span_table *table, uint64_t owner, opa_span_id id, uint64_t end, opa_batch *flushed);

/*
 * Takes a span back as if it had never been started: nothing was set on it, and none started below
 * it. False, with no change, when that is not so, or its start was handed out as counted already.
 */
bool opa_span_take_back(opa_span_table *table, uint64_t owner, opa_span_id id);

/*
 * Sets attributes; the last value of a key wins. Attributes beyond the limit are counted and the
 * others set; the result is then OPA_SPAN_LIMIT.
 */
opa_span_result opa_span_set_attributes(
	opa_span_table *table, uint64_t owner, opa_span_id id, opa_attributes attributes);

/* The same for one attribute as a plain value, which is lent for the call. */
opa_span_result opa_span_set_attribute(
	opa_span_table *table, uint64_t owner, opa_span_id id, opa_str key, const opa_value *value);

/* `fields`: the fields of an OTLP Event message but its time. */
opa_span_result opa_span_add_event(
	opa_span_table *table, uint64_t owner, opa_span_id id, uint64_t time, opa_str fields);

/*
 * The same for an exception, which is recorded once on a span: `token` says which one it is; if it
 * is among the span's last four, nothing is done and the result is OPA_SPAN_OK. The span's status
 * becomes error unless the program has set it, also when the event was refused.
 */
opa_span_result opa_span_add_exception(opa_span_table *table, uint64_t owner, opa_span_id id,
	uint64_t token, opa_str fields, opa_str message);

/* `fields`: the fields of an OTLP Link message. */
opa_span_result opa_span_add_link(
	opa_span_table *table, uint64_t owner, opa_span_id id, opa_str fields);

/*
 * Hangs a span under another open one of its trace. Refused for the local root, when the parent is,
 * or may be, below the span, and for a parent of another trace (which may also be answered with
 * OPA_SPAN_UNKNOWN: its shard is not looked at).
 */
opa_span_result opa_span_set_parent(
	opa_span_table *table, uint64_t owner, opa_span_id id, opa_span_id parent);

/* `name` is valid UTF-8. */
opa_span_result opa_span_set_name(
	opa_span_table *table, uint64_t owner, opa_span_id id, opa_str name);

/*
 * Sets the status; `message` (valid UTF-8) is kept for OPA_STATUS_ERROR only. With `found` the
 * status is opa's own finding: it gives way to what the program has set, and to an error found
 * before. Where the message has no room (OPA_SPAN_LIMIT, OPA_SPAN_NO_MEMORY) the status is set all
 * the same, without it.
 */
opa_span_result opa_span_set_status(opa_span_table *table, uint64_t owner, opa_span_id id,
	opa_span_status status, opa_str message, bool found);

/*
 * What names the trace of an open span, also of one that was open when the process was forked;
 * OPA_NO_SPAN when there is no such span.
 */
opa_span_id opa_span_root(opa_span_table *table, uint64_t owner, opa_span_id id);
/* Sets a text of opa's own on a span, whatever the limits. */
opa_span_result opa_span_mark(
	opa_span_table *table, uint64_t owner, opa_span_id id, opa_str key, opa_str text);

/* Whether the span is open and may be written to. */
bool opa_span_is_open(opa_span_table *table, uint64_t owner, opa_span_id id);

/*
 * Whether a span of the trace is open besides `local_root`; those that a forked child has only
 * inherited do not count.
 */
bool opa_trace_has_open_spans(
	opa_span_table *table, uint64_t owner, opa_span_id root, opa_span_id local_root);

/*
 * Whether a span of the trace has status error: one that has finished since the last batch, or one
 * that is open (in a forked child not those that it has only inherited).
 */
bool opa_trace_has_error(opa_span_table *table, uint64_t owner, opa_span_id root);

/* Other limits for the rest of the trace, which they must outlive. */
void opa_trace_set_limits(
	opa_span_table *table, uint64_t owner, opa_span_id root, const opa_span_limits *limits);

/* Hands out what was counted since the last batch, and counts anew. All 0 for an unknown trace. */
void opa_trace_take_counts(
	opa_span_table *table, uint64_t owner, opa_span_id root, uint32_t counts[OPA_TRACE_COUNTS]);

/* Open spans and bytes of the whole table, for opa_status(). */
void opa_span_table_usage(opa_span_table *table, size_t *open_spans, size_t *bytes);

/*
 * Around fork(2): prepare takes all locks, parent gives them back. child does so too, and there the
 * finished spans are discarded (the parent has them), the open ones are kept as parents only, and
 * ids come from a new seed. Async-signal-safe but for the locks.
 */
void opa_span_table_fork_prepare(opa_span_table *table);
void opa_span_table_fork_parent(opa_span_table *table);
void opa_span_table_fork_child(opa_span_table *table);

#endif
