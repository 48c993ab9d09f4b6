/*
 * The one door out: finished traces go in here and are in the journal when the call returns.
 *
 * One publisher per process, made in MINIT, which touches nothing outside the process before the
 * first use (PHP-FPM's launcher and master run MINIT and MSHUTDOWN without ever serving). It has a
 * spool and a control file, made on first use, and one journal for each destination.
 *
 * Every function may be called by any thread; one mutex guards the publisher. No function blocks on
 * anything but the local file system, except opa_publish_flush, which says so.
 */
#ifndef OPA_PUBLISH_H
#define OPA_PUBLISH_H

#include "opa_control.h"
#include "opa_journal.h"
#include "opa_launch.h"
#include "opa_spool.h"

typedef struct opa_publisher opa_publisher;

typedef struct opa_publish_status {
	bool spool_open;
	opa_spool_error spool_error;
	int spool_errno; /* 0: none */
	char spool_path[OPA_SPOOL_PATH_MAX];
	bool spool_tmpfs;
	uint64_t spool_size; /* bytes in journals */
	uint64_t spool_max_size;
	bool durable_counters;
	bool off; /* <spool>/off exists */
	bool exporter_running;
	opa_launch_result launch; /* of the last attempt by this process */
	int launch_errno;         /* why the exporter cannot run, or OPA_LAUNCH_MUTE; 0: not known */
	char problem[768]; /* why traces do not arrive, as a line; "" when nothing is known to be wrong
						*/
	char exporter_state[4096]; /* <spool>/state as it is: "key=value\n" lines; "" when none */
	uint64_t counters[OPA_COUNTER_COUNT]; /* of this process */
} opa_publish_status;

opa_publisher *opa_publisher_create(void);

/* Seals what this process wrote, closes, frees. Waits for nothing. NULL is allowed. */
void opa_publisher_destroy(opa_publisher *publisher);

/*
 * Writes one piece of a trace to the outlet's journal and counts it; the exporter is started if
 * there is none (looked at once a second at most). False when the piece was dropped, which is
 * counted with its reason. `record` and `resource_fields` are lent for the call; see opa_journal.h
 * for the room in front of the payload.
 */
bool opa_publish(opa_publisher *publisher, const opa_outlet *outlet, const opa_record *record,
	opa_str resource_fields);

void opa_publish_count(opa_publisher *publisher, opa_counter counter, uint64_t n);

/*
 * Adds n of each counter at once: one lock, and one save. `ended`: and a trace has ended of which
 * opa_publish_begin_trace() was told.
 */
void opa_publish_count_all(opa_publisher *publisher, const opa_outlet *outlet,
	const uint64_t counts[OPA_COUNTER_COUNT], bool ended);

/*
 * Says, in the control file, that a trace begins that is to be published: if the process dies in
 * the middle of it, it is counted as lost. It ends with opa_publish_count_all(), or here where
 * there is nothing to publish.
 */
void opa_publish_begin_trace(opa_publisher *publisher, const opa_outlet *outlet);
void opa_publish_end_trace(opa_publisher *publisher);

/*
 * At the start of a request: once a second looks whether <spool>/off exists and the control file is
 * intact. Answers false when tracing is switched off by that file.
 */
bool opa_publish_begin(opa_publisher *publisher, const opa_outlet *outlet);

/*
 * Whether one more trace may begin now, if `limit` (above 0) of them may in a second over all
 * processes that use the spool (opa_rate.h); it is counted then. After opa_publish_begin().
 */
bool opa_publish_may_begin(opa_publisher *publisher, uint32_t limit);

/*
 * Why traces do not arrive, when it is time to log it: a line in `to`, and true. No spool, an
 * exporter that cannot be started, that says what is wrong, or that hangs; a reason for which
 * traces are dropped. Of all processes that use the spool one is told so in ten minutes; where
 * there is no spool, each, as seldom. Each looks once a second at most, so this may be asked in
 * every request.
 */
bool opa_publish_problem(opa_publisher *publisher, char *to, size_t size);

/*
 * Waits until the exporter has brought in all that this process has published to the outlet, at
 * most timeout_ms (0: only looks). Starts the exporter if there is none; does not wait where that
 * is found to be impossible. Blocks the caller, holding no lock.
 */
bool opa_publish_flush(opa_publisher *publisher, const opa_outlet *outlet, unsigned timeout_ms);

/* Looks at everything now; `status` is large: not for a fiber's stack. */
void opa_publish_status_get(
	opa_publisher *publisher, const opa_outlet *outlet, opa_publish_status *status);

/*
 * Around fork(2): to be called from pthread_atfork(3). A child that was made without these (a raw
 * clone(2)) is noticed by its pid, at the next call, and then does what opa_publish_fork_child()
 * does. prepare takes the lock, so that the child does not inherit it half-way; parent and
 * child give it back. In the child everything inherited is abandoned (its files are the parent's)
 * and made anew on the next use.
 */
void opa_publish_fork_prepare(opa_publisher *publisher);
void opa_publish_fork_parent(opa_publisher *publisher);
void opa_publish_fork_child(opa_publisher *publisher);

#endif
