/*
 * What the files of the exporter share: opa_exporter.c (the loop), opa_exporter_lease.c,
 * opa_exporter_intake.c (reading journals), opa_exporter_batch.c (what is on its way into a sink),
 * opa_exporter_store.c and opa_exporter_collector.c (the two kinds of sinks),
 * opa_exporter_source.c (the journals that are known), opa_exporter_target.c (destinations, and
 * what stands in their way), opa_exporter_state.c (what it says, and the counters of the dead).
 * Nobody else includes this.
 *
 * Times are of the monotonic clock in nanoseconds unless they say otherwise.
 */
#ifndef OPA_EXPORTER_INTERNAL_H
#define OPA_EXPORTER_INTERNAL_H

#include "opa_control.h"
#include "opa_destination.h"
#include "opa_exporter.h"
#include "opa_http_client.h"
#include "opa_journal_reader.h"
#include "opa_otlp_read.h"
#include "opa_sink.h"
#include "opa_store.h"

#define OPA_EXPORTER_PROBLEM_MAX OPA_SINK_PROBLEM_MAX

#define OPA_BATCH_SOURCES 256 /* with something to be committed, or removed after it */

/* What is on its way into a target's sink. */
typedef struct opa_batch {
	bool begun;
	bool pending;   /* the commit is under way: nothing can be added */
	uint64_t since; /* nothing in it is older; 0: it is empty */
	size_t count;
	struct opa_source *sources[OPA_BATCH_SOURCES];
} opa_batch;

/* A destination. */
typedef struct opa_target {
	struct opa_target *next;
	uint64_t id;
	opa_destination definition;
	bool defined;     /* definition has been read; they never change: the name is a hash of it */
	opa_sink *sink;   /* NULL: not open */
	opa_store *store; /* within the sink, where that is a store; else NULL */
	opa_batch batch;
	char problem[OPA_EXPORTER_PROBLEM_MAX]; /* what stands in the way; "": nothing */
	bool failing;                           /* nothing is tried before retry_at */
	bool dropping; /* the sink goes on, but loses what it gets: that is a problem, too */
	unsigned backoff_ms;
	uint64_t retry_at;
	uint64_t blocked_round; /* when a journal last waited because of the problem */
	uint64_t part_round;    /* when its journals were last not read to their ends */
	uint64_t read_at; /* when its journals were last read to their ends: what comes is younger */
	uint64_t prune_at;
	bool prune_more; /* the last pruning did not get through */
	opa_text gone;   /* names, each terminated, whose positions can be dropped */
} opa_target;

/* A journal. */
typedef struct opa_source {
	struct opa_source *next; /* in its bucket */
	opa_journal_name name;
	opa_target *target;         /* NULL: not known yet, or its header is damaged */
	opa_journal_reader *reader; /* NULL: not open */
	uint64_t stored;            /* the sink's position */
	uint64_t skipped;           /* damaged bytes that the sink has counted */
	uint64_t round;             /* when it was last seen in the spool */
	uint64_t read_round;        /* when it was last read to its (present) end */
	bool header_damaged;
	bool is_live;   /* its owner may write more */
	bool has_ended; /* read to its end for good */
	bool is_placed; /* the reader stands where the sink does; else at the beginning */
	bool in_batch;
} opa_source;

#define OPA_EXPORTER_BUCKETS 1024
#define OPA_EXPORTER_READERS 256 /* open at once between rounds */

typedef struct opa_exporter {
	opa_spool spool;
	int lease;
	bool once;
	bool local;     /* collectors are left alone */
	opa_http *http; /* NULL: no collector yet */
	opa_target *targets;
	opa_target *recent; /* the last store that something went into */
	opa_target *served; /* the last target that something went into */
	opa_source *buckets[OPA_EXPORTER_BUCKETS];
	size_t readers; /* open ones */
	uint64_t round;
	uint64_t round_at; /* when it began */
	bool had_data;     /* in this round */
	uint64_t data_at;  /* the last round with data, or the start */
	size_t live;       /* journals that may grow, and control files of processes that are there */
	size_t live_controls;
	uint64_t controls_at; /* when to look at them next */
	uint64_t clean_at;
	bool stopping;
	uint64_t stop_at; /* when stopping: the latest */
	/* for <spool>/state */
	uint64_t spans;
	uint64_t traces;
	uint64_t waiting;
	uint64_t started;         /* Unix seconds */
	uint64_t last_success;    /* Unix seconds; 0: none */
	uint64_t last_error_time; /* Unix seconds; 0: none */
	char last_error[OPA_EXPORTER_PROBLEM_MAX];
	char unread[OPA_EXPORTER_PROBLEM_MAX];  /* what cannot be read, and why */
	uint64_t unread_round;                  /* in which round that was */
	char problem[OPA_EXPORTER_PROBLEM_MAX]; /* what `state` says now */
	uint64_t state_at;                      /* when it was written */
	uint64_t state_spans;                   /* what it said then */
	uint64_t state_error;
	uint64_t looked_at;  /* when opa_exporter_may_go_on() last looked */
	uint64_t measure_at; /* when to measure the spool next */
} opa_exporter;

/* ---- opa_exporter_lease.c ---- */

typedef enum opa_lease {
	OPA_LEASE_TAKEN,
	OPA_LEASE_BUSY,
	OPA_LEASE_FAILED, /* errno says why */
} opa_lease;

/* With `fd` the starter's descriptor or -1. Writes the pid into the file. */
opa_lease opa_exporter_take_lease(opa_exporter *exporter, int fd);
void opa_exporter_release_lease(opa_exporter *exporter);

/* False when the spool or its lease was removed or replaced: whoever comes has another one. */
bool opa_exporter_owns_spool(const opa_exporter *exporter);

/* ---- opa_exporter_source.c ---- */

/* The journal with that name, made known when it is new. NULL when memory is short. */
opa_source *opa_exporter_source(opa_exporter *exporter, const char *name);

bool opa_exporter_knows(opa_exporter *exporter, const char *name);

/* Closes the reader; reading goes on from what the sink says. */
void opa_exporter_close_reader(opa_exporter *exporter, opa_source *source);

/* Forgets those that were not seen in this round and are in no batch, or all. */
void opa_exporter_forget_sources(opa_exporter *exporter, bool all);

/* Whether a file of that name (a journal or a control file) stands in the spool. An
 * opa_store_exists. */
bool opa_exporter_has_file(void *exporter, const char *name);

/* Bytes of known journals that are not where they belong. */
uint64_t opa_exporter_measure_waiting(opa_exporter *exporter);

/* ---- opa_exporter_target.c ---- */

/* The destination with that id, made known when it is new. NULL when memory is short. */
opa_target *opa_exporter_target(opa_exporter *exporter, uint64_t id);

/*
 * Opens its sink if need be. False while a problem stands; it is tried again after a while. What a
 * store that `must_exist` lacks is a file: that is no problem.
 */
bool opa_exporter_open_sink(opa_exporter *exporter, opa_target *target, bool must_exist);

/*
 * Notes a failure: closes a store, and waits for so long before the next try; 0: longer than the
 * last time.
 */
void opa_exporter_fail(
	opa_exporter *exporter, opa_target *target, const char *problem, uint64_t pause_ms);

/* A success: what stood in the way does not any more. */
void opa_exporter_clear(opa_exporter *exporter, opa_target *target);

/* The sink goes on, but what it got last is lost. */
void opa_exporter_note_loss(opa_exporter *exporter, opa_target *target, const char *problem);

/* Something for people that does not stand in the way. */
void opa_exporter_warn(opa_exporter *exporter, const char *warning);

/*
 * The destination that the counters of the dead go to: the store that was used last, else the
 * newest that is there. NULL when there is none.
 */
opa_target *opa_exporter_find_recent(opa_exporter *exporter);

void opa_exporter_close_targets(opa_exporter *exporter);

/* ---- opa_exporter_store.c, opa_exporter_collector.c ---- */

/*
 * Opens the sink of a target whose definition was read: target->sink, and for a store
 * target->store. False with a line in *problem, which is empty where a store that must exist is not
 * there.
 */
bool opa_exporter_open_store(
	opa_exporter *exporter, opa_target *target, bool must_exist, char *problem, size_t size);
bool opa_exporter_open_collector(
	opa_exporter *exporter, opa_target *target, char *problem, size_t size);

/* Removes what is too old or too much, if it is time to. For any target. */
void opa_exporter_prune(opa_exporter *exporter, opa_target *target);

/* What pruning has not got through in its turns, within a second or so: before --once ends. */
void opa_exporter_prune_all(opa_exporter *exporter);

/* ---- opa_exporter_batch.c ---- */

/* For what is not a record. False when there is a problem. */
bool opa_exporter_begin(opa_exporter *exporter, opa_target *target);

/* Adds a record of that journal; commits when it is time to. True when it was added. */
bool opa_exporter_add(
	opa_exporter *exporter, opa_source *source, const opa_record_view *record, bool *full);

/* A journal whose position has moved, or that has been read to its end for good. */
void opa_exporter_join(opa_source *source);

/*
 * Commits, or goes on with the commit that is pending. With --once, and when it has been told to
 * stop, the exporter waits for it.
 */
opa_commit opa_exporter_commit(opa_exporter *exporter, opa_target *target);

/* Gives the batch up, after a failure inside it: its journals are read again. */
void opa_exporter_abort(opa_exporter *exporter, opa_target *target);

/* Whether a batch that is not full has waited long enough. */
bool opa_exporter_is_due(const opa_exporter *exporter, const opa_target *target);

/* Whether something of the journal is not where it belongs: its position, or damage to count. */
bool opa_exporter_is_unsaved(const opa_source *source);

/* Tells the writer how far it has been brought in. */
void opa_exporter_acknowledge(opa_exporter *exporter, const opa_source *source);

/* ---- opa_exporter_intake.c ---- */

/* Everything that is in the journals now, into the sinks. */
void opa_exporter_take_in(opa_exporter *exporter);

/* ---- opa_exporter_state.c ---- */

/* Adds up the counters of processes that are gone, and counts those that are there. */
void opa_exporter_visit_controls(opa_exporter *exporter);

/* Measures the spool if it is time to: once a second, less often where that takes long. */
void opa_exporter_measure(opa_exporter *exporter);

/* Writes <spool>/state if it is time to; `now` at once; `stopped` as the last word. */
void opa_exporter_write_state(opa_exporter *exporter, bool now, bool stopped);

/* ---- opa_exporter.c ---- */

/* Between two batches: looks for signals, measures, writes `state`. False when it is time to leave.
 */
bool opa_exporter_may_go_on(opa_exporter *exporter);

#endif
