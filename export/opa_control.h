/*
 * The control file: one small file for each process, beside its journals. It holds what the process
 * counted, by reason, in such a way that the numbers outlive it, and the place up to which the
 * exporter has brought its journals in. (It also has room for the slots of open spans.)
 *
 * The numbers are kept in memory and put into the file by opa_control_save(), once for each
 * request, and when a trace begins: with pwrite(2), or where the spool is in memory, from the third
 * time on through a mapping (opa_mapping.h). A process that cannot make its file hands its numbers
 * over into one that all of them share, see below.
 *
 * The writing side is not thread-safe: opa_publish.c holds its lock.
 */
#ifndef OPA_CONTROL_H
#define OPA_CONTROL_H

#include "opa_owner.h"
#include "opa_spool.h"

#define OPA_CONTROL_MAGIC   0x4341504fu /* "OPAC" */
#define OPA_CONTROL_VERSION 1
#define OPA_CONTROL_SIZE    4096u
#define OPA_CONTROL_ACKS    4

/* "<32 hex digits>.c"; once an exporter has claimed it "<32 hex digits>.d". */
#define OPA_CONTROL_NAME_MAX 40

/*
 * What is counted. The names are those of opa_status()['counters'], of phpinfo and of the store's
 * table; a counter is only ever added at the end, because the numbers are a disk format.
 */
#define OPA_COUNTERS(X)                                                                            \
	X(TRACES_STARTED, "traces_started", "local roots begun")                                       \
	X(TRACES_KEPT, "traces_kept", "traces written to the journal whole")                           \
	X(SPANS_STARTED, "spans_started", "spans begun")                                               \
	X(SPANS_KEPT, "spans_kept", "spans written to the journal")                                    \
	X(TRACES_SAMPLED_OUT, "traces_sampled_out", "traces that the sampler did not want")            \
	X(DROPPED_SPOOL_FULL, "spans_dropped_spool_full", "opa.spool_max_size was reached")            \
	X(DROPPED_DISK_FULL, "spans_dropped_disk_full", "the spool's file system is full")             \
	X(DROPPED_NO_SPOOL, "spans_dropped_no_spool", "no spool directory, or no file in it")          \
	X(DROPPED_FILE_LIMIT, "spans_dropped_file_limit", "RLIMIT_FSIZE is too low")                   \
	X(DROPPED_IO_ERROR, "spans_dropped_io_error", "the write failed otherwise")                    \
	X(DROPPED_TOO_LARGE, "spans_dropped_too_large", "a record above the format's limit")           \
	X(DROPPED_NO_MEMORY, "spans_dropped_no_memory", "malloc failed")                               \
	X(REFUSED_TRACE_SIZE, "refused_trace_size", "calls refused: opa.max_trace_size was reached")   \
	X(REFUSED_NO_MEMORY, "refused_no_memory", "calls refused: malloc failed")                      \
	X(ATTRIBUTES_DROPPED, "attributes_dropped", "beyond opa.max_attributes")                       \
	X(EVENTS_DROPPED, "events_dropped", "beyond opa.max_events")                                   \
	X(LINKS_DROPPED, "links_dropped", "beyond opa.max_links")                                      \
	X(VALUES_CUT, "values_cut", "beyond opa.max_value_length")                                     \
	X(SPANS_UNFINISHED, "spans_unfinished", "spans still open when their trace ended")             \
	X(JOURNALS_LOST, "journals_lost", "journals removed beneath a live process")                   \
	X(EXPORTER_STARTED, "exporter_started", "times this process started the exporter")             \
	X(EXPORTER_FAILED, "exporter_failed", "times the exporter could not be started")               \
	X(DROPPED_NO_DESCRIPTOR, "spans_dropped_no_descriptor", "RLIMIT_NOFILE was reached")           \
	X(TRACES_LOST, "traces_lost", "traces whose process died in the middle of them")               \
	X(TRACES_RATE_LIMITED, "traces_rate_limited", "traces beyond opa.rate_limit")

typedef enum opa_counter {
#define OPA_COUNTER_ENUM(id, name, text) OPA_COUNT_##id,
	OPA_COUNTERS(OPA_COUNTER_ENUM)
#undef OPA_COUNTER_ENUM
		OPA_COUNTER_COUNT
} opa_counter;

#define OPA_CONTROL_COUNTERS 63 /* places in the file; OPA_COUNTER_COUNT of them are in use */
_Static_assert(OPA_COUNTER_COUNT <= OPA_CONTROL_COUNTERS, "the control file has no more room");

/* The exporter has brought in everything of journal `sequence` in front of `offset`. */
typedef struct opa_ack {
	uint64_t sequence;
	uint64_t offset;
} opa_ack;

typedef enum opa_control_kind {
	OPA_CONTROL_OF_PROCESS = 0,
	OPA_CONTROL_OF_THE_DEAD = 1, /* the sum; see opa_control_merge() */
	OPA_CONTROL_SHARED = 2,      /* see opa_control_hand_over() */
} opa_control_kind;

typedef struct opa_control_file {
	uint32_t magic;
	uint16_t version;
	uint16_t kind; /* opa_control_kind */
	opa_owner owner;
	uint64_t counters[OPA_CONTROL_COUNTERS];
	uint64_t running; /* traces; one write with the counters. 0 where no process owns the file */
	opa_ack acks[OPA_CONTROL_ACKS]; /* written by the exporter, by journal slot */
	uint8_t slots[OPA_CONTROL_SIZE - 56 - 8 * OPA_CONTROL_COUNTERS - 16 * OPA_CONTROL_ACKS];
} opa_control_file;

_Static_assert(sizeof(opa_control_file) == OPA_CONTROL_SIZE, "a disk format");

typedef struct opa_control opa_control;

/* Name and meaning of a counter. Static. */
const char *opa_counter_name(opa_counter counter);
const char *opa_counter_text(opa_counter counter);

/*
 * The control file <spool>/control/<id>.c of this process, locked like a journal. When it cannot be
 * made, opa_control_save() hands over what was counted. NULL when memory is short. `spool` may be
 * NULL or not open; else it outlives the control, or opa_control_attach() comes first.
 */
opa_control *opa_control_create(const opa_spool *spool, const char *id);

/*
 * Lets go of the file, if there is one, and goes on in a file in that spool, with what was counted
 * so far. NULL, or a spool that is not open: in memory only.
 */
void opa_control_attach(opa_control *control, const opa_spool *spool);

/*
 * Saves, leaves the file to the exporter, and frees. For the process that made it. NULL is allowed.
 * Without a file it may wait for a few milliseconds for those that hand over at the same time.
 */
void opa_control_close(opa_control *control);

/* Frees without touching the file: what a forked child does. NULL is allowed. */
void opa_control_abandon(opa_control *control);

void opa_control_add(opa_control *control, opa_counter counter, uint64_t n);
uint64_t opa_control_get(const opa_control *control, opa_counter counter);

/*
 * How many traces the process runs now: they are lost when it dies before it says, and saves, less.
 * What cannot make a file of its own cannot tell that: it is not handed over.
 */
void opa_control_set_running(opa_control *control, uint64_t traces);
uint64_t opa_control_running(const opa_control *control);

/* Whether it has a file of its own. */
bool opa_control_is_durable(const opa_control *control);

/* Whether what is counted outlives the process: in its file, or because it is handed over. */
bool opa_control_outlives(const opa_control *control);

/* What its files have taken on the disk until now; as opa_journal_usage(). */
uint64_t opa_control_usage(const opa_control *control);

/* Writes what was counted since the last time. */
void opa_control_save(opa_control *control);

/*
 * To be called once a second or so: a file that was removed or cut is let go of; counting goes on
 * without one and a new file is tried, at most once a second. It holds what was not handed over
 * until then.
 */
void opa_control_check(opa_control *control);

/* The exporter's acknowledgement for a journal slot, {0, 0} when there is none. */
opa_ack opa_control_ack(const opa_control *control, uint16_t slot);

/* Whether that is the name of a control file. */
bool opa_control_is_name(const char *name);

/* ---- processes without a file of their own ---- */

/*
 * On a full disk no file can be made, but one that is there can be written to. So the first process
 * that comes makes one for all, whole, before anything else takes the room, and a process that
 * cannot make its own adds its numbers to those that stand there: in one write, under a lock
 * (flock(2)) that nobody waits for. What could not be handed over is tried again at the next save.
 * It is a control file, but for its place, and that it is nobody's.
 *
 * The exporter takes the file out whole and puts an empty one in its place, in one step, so that
 * its numbers are stored once, like those of the dead.
 */
#define OPA_CONTROL_COMMON "counters"

/* Makes the file if it is not there, or damaged. False when that cannot be now. */
bool opa_control_make_common(const opa_spool *spool);

/*
 * Adds the numbers to the file's, which it makes if need be; all of them, or answers false. Where
 * somebody has the lock it is tried so many times, half a millisecond apart.
 */
bool opa_control_hand_over(
	const opa_spool *spool, const uint64_t counters[OPA_CONTROL_COUNTERS], unsigned tries);

/* For the exporter: whether anything stands in it. */
bool opa_control_common_is_used(const opa_spool *spool);

/*
 * For the exporter: makes it a claimed file of <spool>/control/, if anything stands in it. False
 * when nothing does, or there is no room for the one in its place. With the folder's lock.
 */
bool opa_control_claim_common(const opa_spool *spool);

/* ---- the exporter's side ---- */

/*
 * Called for each control file; `gone` says that its owner is: no such process is there, or where
 * that cannot be told (another pid namespace) nobody holds the lock. To go on, answer true.
 */
typedef bool (*opa_control_visitor)(
	void *user, const char *name, const opa_control_file *file, bool gone);

/* Walks <spool>/control/. Damaged files of processes that are gone are removed. */
void opa_control_visit(const opa_spool *spool, opa_control_visitor visitor, void *user);

/* Removes a file of a process that is gone, after its counters were stored. */
bool opa_control_remove(const opa_spool *spool, const char *name);

/*
 * Takes the file of a process that is gone, or the sum, out of merging, for good, before its
 * counters are stored: under the name `claimed`, which no file had before. Stored counters are
 * noted by that name, so neither a merge nor the next exporter counts them again. With the folder's
 * lock.
 */
bool opa_control_claim(
	const opa_spool *spool, const char *name, char claimed[OPA_CONTROL_NAME_MAX]);

/* ---- the counters of the dead ---- */

/*
 * Adds to `sum` what is in the file of a process that is gone. The traces that it ran have begun,
 * and are lost.
 */
void opa_control_add_dead(uint64_t sum[OPA_CONTROL_COUNTERS], const opa_control_file *file);

/*
 * Processes leave their files behind for the exporter, which adds them up in a store. Where none
 * can run, or no store be opened, they are merged into one file by those that come after: the sum,
 * OPA_CONTROL_SUM. So there are about as many files as processes, however many have been.
 *
 * Each file is counted once, whoever is killed at whatever moment: the sum is replaced in one step,
 * by one that names the files which it took in. Only then they are removed. Who reads the folder
 * without its lock passes over files that the sum names.
 */
#define OPA_CONTROL_SUM    "00000000000000000000000000000000.c"
#define OPA_CONTROL_MERGED 64 /* files that one merge takes in, at most */

/* What the sum has in its slots. */
typedef struct opa_control_merged {
	uint64_t count; /* 0 again when all of them have been removed */
	char ids[OPA_CONTROL_MERGED][32];
} opa_control_merged;

_Static_assert(sizeof(opa_control_merged) <= sizeof(((opa_control_file *)NULL)->slots),
	"the control file has no room for the names");

/*
 * Locks the folder against others who merge or claim, and finishes what was begun by one that was
 * killed. A descriptor, which unlocks when it is closed; -1 when it cannot be had now.
 */
int opa_control_lock(const opa_spool *spool);

/*
 * Adds files of processes that are gone to the sum and removes them; not those with open spans in
 * their slots. Reads at most `look` names and does nothing for a few files. With the folder's lock.
 * Answers how many files have gone.
 */
unsigned opa_control_merge(const opa_spool *spool, unsigned look);

/* ---- acknowledgements ---- */

/*
 * Writes an acknowledgement into the control file of the process with that id (32 hex digits). One
 * that lies before what stands there is not written (and true): acknowledgements only grow.
 */
bool opa_control_acknowledge(const opa_spool *spool, const char *id, uint16_t slot, opa_ack ack);

#endif
