/*
 * What the files of the publisher share: opa_publish.c (the process, its spool, its journals) and
 * opa_publish_exporter.c (starting the exporter, waiting for it), opa_publish_problem.c (what there
 * is to say about all of it). Nobody else includes this.
 *
 * "Inside" means between opa_publisher_enter() and opa_publisher_leave().
 */
#ifndef OPA_PUBLISH_INTERNAL_H
#define OPA_PUBLISH_INTERNAL_H

#include "opa_publish.h"
#include "opa_rate.h"
#include "../core/opa_clock.h"
#include "../core/opa_fork.h"
#include "../core/opa_mutex.h"

/* A destination and its journal: one of the control file's acknowledgements each. */
typedef struct opa_line {
	uint64_t destination;
	opa_journal *journal; /* NULL: the place is free */
	bool defined;         /* dest/<id> is there */
	uint64_t used;        /* a number that grows, for the one that has to leave */
} opa_line;

struct opa_publisher {
	opa_mutex mutex;
	opa_fork_mark mark; /* whose everything here is; set where no other thread can be */
	opa_outlet *outlet; /* a copy of the first one: its spool is the process's */
	opa_spool spool;
	uint64_t user; /* whose the spool is, once it is open */
	opa_spool_error spool_error;
	int spool_errno;
	opa_control *control; /* NULL only when memory was short */
	opa_rate rate;
	uint64_t sequence;
	opa_line lines[OPA_CONTROL_ACKS];
	uint64_t requests, traces; /* that have begun */
	uint64_t uses;
	bool evicted;       /* more destinations than lines: flush cannot know all of them */
	uint64_t next_look; /* opa_clock_mono() of the next look around */
	uint64_t next_launch;
	uint64_t size;    /* of the spool, as it was known, and what this process has written since */
	uint64_t written; /* by this process, and not yet in the spool's account */
	uint64_t control_size; /* as it was noted */
	bool off;
	bool merge_due; /* see merge_dead() */
	bool dropping;  /* the last trace was dropped, for the reason `dropped` */
	opa_counter dropped;
	uint64_t next_log;     /* see is_time_to_log() */
	uint64_t silent_at;    /* an exporter that hangs, as it seems: when it last wrote `state` */
	uint64_t silent_since; /* opa_clock_mono(): since when that is known */
	bool looked;           /* and nobody has asked for a problem since */
	opa_launch_result launch;
	int launch_errno;
	char id[33];
};

/* ---- opa_publish.c ---- */

/*
 * Takes the lock. A child that somebody forked behind libc's back begins its own life here: it must
 * not write into its parent's journal.
 */
void opa_publisher_enter(opa_publisher *publisher);
void opa_publisher_leave(opa_publisher *publisher);

/* Inside: what is looked at once a second, and at the first call. */
void opa_publisher_look(opa_publisher *publisher, const opa_outlet *outlet);

/* Inside. */
void opa_publisher_count(opa_publisher *publisher, opa_counter counter, uint64_t n);

/* Inside: NULL when there is none. */
opa_line *opa_publisher_find_line(opa_publisher *publisher, uint64_t destination);

/*
 * Inside: a copy of the spool to be used outside, where the publisher's own may be closed
 * meanwhile. Closed by opa_spool_close(). False when it is not open, or no descriptor or memory is
 * to be had.
 */
bool opa_publisher_lend_spool(const opa_publisher *publisher, opa_spool *copy);

/* ---- opa_publish_exporter.c ---- */

/*
 * Inside: what opa_launch() needs, to be used without the lock. False when no start is due;
 * otherwise opa_publisher_run_exporter() is to be called, outside, which frees it.
 */
bool opa_publisher_plan_launch(opa_publisher *publisher, const opa_outlet *outlet, opa_spool *plan);
void opa_publisher_run_exporter(
	opa_publisher *publisher, const opa_outlet *outlet, opa_spool *plan);

/* Inside: whether something of this process's is not in a store yet, as far as it knows. */
bool opa_publisher_has_waiting(const opa_publisher *publisher);

#endif
