/*
 * What the files of the exporter share: opa_exporter.c (the loop), opa_exporter_lease.c,
 * opa_exporter_intake.c (journals into stores), opa_exporter_source.c (the journals that are
 * known), opa_exporter_target.c (destinations, their stores and problems), opa_exporter_state.c
 * (what it says, and the counters of the dead). Nobody else includes this.
 *
 * Times are of the monotonic clock in nanoseconds unless they say otherwise.
 */
#ifndef OPA_EXPORTER_INTERNAL_H
#define OPA_EXPORTER_INTERNAL_H

#include "opa_control.h"
#include "opa_destination.h"
#include "opa_exporter.h"
#include "opa_journal_reader.h"
#include "opa_otlp_read.h"
#include "opa_store.h"

#define OPA_SECOND_NS 1000000000ull
#define OPA_MS_NS     1000000ull

#define OPA_EXPORTER_PROBLEM_MAX 512

/* A destination and its store. */
typedef struct opa_target {
	struct opa_target *next;
	uint64_t id;
	opa_destination definition;
	bool defined;     /* definition has been read; they never change: the name is a hash of it */
	opa_store *store; /* NULL: not open */
	char problem[OPA_EXPORTER_PROBLEM_MAX]; /* what stands in the way; "": nothing */
	unsigned backoff_ms;
	uint64_t retry_at;
	uint64_t blocked_round; /* when a journal last waited because of the problem */
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
	uint64_t stored;            /* the position in the store */
	uint64_t skipped;           /* damaged bytes that the store has counted */
	uint64_t round;             /* when it was last seen in the spool */
	uint64_t read_round;        /* when it was last read to its (present) end */
	bool header_damaged;
	bool is_live;   /* its owner may write more */
	bool has_ended; /* read to its end for good */
	bool is_placed; /* the reader stands where the store does; else at the beginning */
	bool in_batch;
} opa_source;

#define OPA_EXPORTER_BUCKETS 1024
#define OPA_EXPORTER_READERS 256  /* open at once between rounds */
#define OPA_BATCH_SOURCES    256  /* with something to be stored, or removed, at the commit */
#define OPA_BATCH_SPANS      4000 /* fewer write the same pages of the indexes more often */
#define OPA_BATCH_NS         (200 * OPA_MS_NS)

/* What goes into one transaction; of one target. */
typedef struct opa_batch {
	opa_target *target; /* NULL: none */
	bool begun;
	uint64_t begun_at;
	uint64_t work;  /* spans, new or not, and files */
	uint64_t spans; /* new ones */
	uint64_t traces;
	size_t count;
	opa_source *sources[OPA_BATCH_SOURCES];
} opa_batch;

typedef struct opa_exporter {
	opa_spool spool;
	int lease;
	bool once;
	opa_target *targets;
	opa_target *recent; /* the last one that something went into */
	opa_source *buckets[OPA_EXPORTER_BUCKETS];
	size_t readers; /* open ones */
	opa_batch batch;
	uint64_t round;
	bool had_data;    /* in this round */
	uint64_t data_at; /* the last round with data, or the start */
	size_t live;      /* journals that may grow, and control files of processes that are there */
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

/* Closes the reader; reading goes on from what the store says. */
void opa_exporter_close_reader(opa_exporter *exporter, opa_source *source);

/* Forgets those that were not seen in this round, or all. */
void opa_exporter_forget_sources(opa_exporter *exporter, bool all);

/* Whether a file of that name (a journal or a control file) stands in the spool. An
 * opa_store_exists. */
bool opa_exporter_has_file(void *exporter, const char *name);

/* Bytes of known journals that are not in a store. */
uint64_t opa_exporter_measure_waiting(opa_exporter *exporter);

/* ---- opa_exporter_target.c ---- */

/* The destination with that id, made known when it is new. NULL when memory is short. */
opa_target *opa_exporter_target(opa_exporter *exporter, uint64_t id);

/* Its store, opened if need be. NULL while a problem stands; it is tried again after a while. */
opa_store *opa_exporter_open_store(opa_exporter *exporter, opa_target *target);

/* Notes a failure: closes the store, and waits longer than the last time before the next try. */
void opa_exporter_fail(opa_exporter *exporter, opa_target *target, const char *problem);

/* A success: what stood in the way does not any more. */
void opa_exporter_clear(opa_exporter *exporter, opa_target *target);

/* Something for people that does not stand in the way. */
void opa_exporter_warn(opa_exporter *exporter, const char *warning);

/* The destination that counters go to: the last that was used, else the newest that has a store. */
opa_target *opa_exporter_find_recent(opa_exporter *exporter);

void opa_exporter_close_targets(opa_exporter *exporter);

/* ---- opa_exporter_intake.c ---- */

/* Everything that is in the journals now, into the stores. */
void opa_exporter_take_in(opa_exporter *exporter);

/* What pruning has not got through in its turns, within a second or so: before --once ends. */
void opa_exporter_prune(opa_exporter *exporter);

/* A transaction on a target's store, for what is not a journal. False when there is a problem. */
bool opa_exporter_begin(opa_exporter *exporter, opa_target *target);
bool opa_exporter_commit(opa_exporter *exporter);

/* After a failure of the store inside it: rolls back and notes the problem. */
void opa_exporter_abort(opa_exporter *exporter);

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
