#include "opa_publish.h"
#include "../core/opa_alloc.h"
#include "../core/opa_clock.h"
#include "../core/opa_entropy.h"
#include "../core/opa_fork.h"
#include "../core/opa_mutex.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define SECOND    1000000000u
#define MS        1000000u
#define POLL_MS   10u /* opa_publish_flush(): the longest sleep between two looks */
#define PATH_SIZE 32

/* A destination and its journal: one of the control file's acknowledgements each. */
typedef struct line {
	uint64_t destination;
	opa_journal *journal; /* NULL: the place is free */
	bool defined;         /* dest/<id> is there */
	uint64_t used;        /* a number that grows, for the one that has to leave */
} line;

struct opa_publisher {
	opa_mutex mutex;
	opa_fork_mark mark; /* whose everything here is; set where no other thread can be */
	opa_outlet *outlet; /* a copy of the first one: its spool is the process's */
	opa_spool spool;
	uid_t user; /* whose the spool is, once it is open */
	opa_spool_error spool_error;
	int spool_errno;
	opa_control *control; /* NULL only when memory was short */
	uint64_t sequence;
	line lines[OPA_CONTROL_ACKS];
	uint64_t uses;
	bool evicted;       /* more destinations than lines: flush cannot know all of them */
	uint64_t next_look; /* opa_clock_mono() of the next look around, see look_around() */
	uint64_t next_launch;
	uint64_t usage; /* of the spool, as measured, and what this process has written since */
	bool off;
	bool looked; /* and nobody has asked for a problem since */
	opa_launch_result launch;
	int launch_errno;
	char id[33];
};

/* ---- the process ---- */

/* Everything but the mutex, as for a process that has not published yet. */
static void begin_life(opa_publisher *publisher)
{
	uint64_t random[2];
	opa_entropy_fill(random, sizeof(random));
	snprintf(publisher->id, sizeof(publisher->id), "%016llx%016llx", (unsigned long long)random[0],
		(unsigned long long)random[1]);
	opa_fork_mark_set(&publisher->mark);
	publisher->outlet = NULL;
	publisher->spool.dir = -1;
	publisher->spool_error = OPA_SPOOL_OK;
	publisher->spool_errno = 0;
	publisher->sequence = 0;
	publisher->uses = 0;
	publisher->evicted = false;
	publisher->next_look = 0;
	publisher->next_launch = 0;
	publisher->usage = 0;
	publisher->launch = OPA_LAUNCH_BUSY;
	publisher->launch_errno = 0;
	publisher->control = opa_control_create(NULL, publisher->id);
}

/* Drops what is another process's: closes descriptors, touches no file. */
static void abandon(opa_publisher *publisher)
{
	for (int i = 0; i < OPA_CONTROL_ACKS; i++) {
		if (publisher->lines[i].journal != NULL) {
			opa_journal_abandon(publisher->lines[i].journal);
		}
		publisher->lines[i] = (line){0};
	}
	opa_control_abandon(publisher->control);
	publisher->control = NULL;
	opa_spool_close(&publisher->spool);
	opa_free(publisher->outlet);
}

/*
 * A child that somebody forked behind libc's back must not write into its parent's journal. It has
 * one thread, and the lock may be held by one that it has not.
 */
static void enter(opa_publisher *publisher)
{
	if (OPA_UNLIKELY(!opa_fork_mark_is_ours(&publisher->mark))) {
		opa_mutex_init(&publisher->mutex);
		abandon(publisher);
		begin_life(publisher);
	}
	opa_mutex_lock(&publisher->mutex);
}

static void leave(opa_publisher *publisher)
{
	opa_mutex_unlock(&publisher->mutex);
}

opa_publisher *opa_publisher_create(void)
{
	opa_publisher *publisher = opa_calloc(1, sizeof(*publisher));
	if (publisher == NULL) {
		return NULL;
	}
	if (!opa_mutex_init(&publisher->mutex)) {
		opa_free(publisher);
		return NULL;
	}
	begin_life(publisher);
	return publisher;
}

static void close_lines(opa_publisher *publisher)
{
	for (int i = 0; i < OPA_CONTROL_ACKS; i++) {
		if (publisher->lines[i].journal != NULL) {
			opa_journal_close(publisher->lines[i].journal);
		}
		publisher->lines[i] = (line){0};
	}
}

void opa_publisher_destroy(opa_publisher *publisher)
{
	if (publisher == NULL) {
		return;
	}
	enter(publisher);
	close_lines(publisher);
	opa_control_close(publisher->control);
	opa_spool_close(&publisher->spool);
	opa_free(publisher->outlet);
	leave(publisher);
	opa_fork_mark_clear(&publisher->mark);
	opa_mutex_deinit(&publisher->mutex);
	opa_free(publisher);
}

/* ---- the spool ---- */

static void count(opa_publisher *publisher, opa_counter counter, uint64_t n)
{
	if (n == 0) {
		return;
	}
	if (publisher->control == NULL) {
		publisher->control =
			opa_control_create(publisher->spool.dir >= 0 ? &publisher->spool : NULL, publisher->id);
	}
	if (publisher->control != NULL) {
		opa_control_add(publisher->control, counter, n);
	}
}

static bool open_spool(opa_publisher *publisher)
{
	publisher->spool_error =
		opa_spool_open(&publisher->spool, &publisher->outlet->spool, &publisher->spool_errno);
	if (publisher->spool_error != OPA_SPOOL_OK) {
		return false;
	}
	publisher->user = geteuid();
	if (publisher->control != NULL) {
		opa_control_attach(publisher->control, &publisher->spool);
	}
	return true;
}

/* The directory was removed or replaced, or its descriptor is another file's now. */
static void leave_spool(opa_publisher *publisher)
{
	for (int i = 0; i < OPA_CONTROL_ACKS; i++) {
		const opa_journal *journal = publisher->lines[i].journal;
		count(publisher, OPA_COUNT_JOURNALS_LOST, journal != NULL && opa_journal_has_file(journal));
	}
	close_lines(publisher);
	if (publisher->control != NULL) {
		opa_control_attach(publisher->control, NULL);
	}
	opa_spool_close(&publisher->spool);
}

static bool is_another_users(const opa_publisher *publisher)
{
	return publisher->spool.dir >= 0 && publisher->user != geteuid();
}

/* What was written is left to the exporter of the user that the program was. */
static void change_user(opa_publisher *publisher)
{
	opa_outlet *outlet = publisher->outlet;
	close_lines(publisher);
	opa_control_close(publisher->control);
	opa_spool_close(&publisher->spool);
	begin_life(publisher);
	publisher->outlet = outlet;
}

/* What is looked at once a second, and at the first call. */
static void look_around(opa_publisher *publisher, uint64_t now)
{
	if (is_another_users(publisher)) {
		change_user(publisher);
	}
	publisher->next_look = now + SECOND;
	if (publisher->spool.dir >= 0 && !opa_spool_is_intact(&publisher->spool)) {
		leave_spool(publisher);
	}
	if (publisher->spool.dir < 0) {
		if (!open_spool(publisher)) {
			return;
		}
		publisher->next_launch = 0; /* that there was an exporter for the old one does not help */
	}
	publisher->looked = true;
	publisher->off = faccessat(publisher->spool.dir, "off", F_OK, 0) == 0;
	publisher->usage = opa_spool_usage(&publisher->spool);
	for (int i = 0; i < OPA_CONTROL_ACKS; i++) {
		publisher->lines[i].defined = false; /* somebody may have emptied the spool */
	}
}

static void look(opa_publisher *publisher, const opa_outlet *outlet)
{
	uint64_t now = opa_clock_mono();
	if (publisher->outlet == NULL) {
		publisher->outlet = opa_outlet_copy(outlet);
	}
	if (publisher->outlet != NULL && now >= publisher->next_look) {
		look_around(publisher, now);
	}
}

/* ---- destinations ---- */

static line *find_line(opa_publisher *publisher, uint64_t destination)
{
	for (int i = 0; i < OPA_CONTROL_ACKS; i++) {
		line *found = &publisher->lines[i];
		if (found->journal != NULL && found->destination == destination) {
			return found;
		}
	}
	return NULL;
}

/* A free place, or that of the destination which was not used for the longest time. */
static line *free_line(opa_publisher *publisher)
{
	line *oldest = &publisher->lines[0];
	for (int i = 0; i < OPA_CONTROL_ACKS; i++) {
		if (publisher->lines[i].journal == NULL) {
			return &publisher->lines[i];
		}
		if (publisher->lines[i].used < oldest->used) {
			oldest = &publisher->lines[i];
		}
	}
	opa_journal_close(oldest->journal);
	*oldest = (line){0};
	publisher->evicted = true;
	return oldest;
}

static line *get_line(opa_publisher *publisher, uint64_t destination)
{
	line *found = find_line(publisher, destination);
	if (found == NULL) {
		found = free_line(publisher);
		uint16_t slot = (uint16_t)(found - publisher->lines);
		found->journal = opa_journal_create(
			&publisher->spool, publisher->id, &publisher->sequence, slot, destination);
		found->destination = destination;
	}
	found->used = ++publisher->uses;
	return found->journal != NULL ? found : NULL;
}

/* The definition stands before the first record that needs it. False: errno says why not. */
static bool define(opa_publisher *publisher, line *to, const opa_outlet *outlet)
{
	char path[PATH_SIZE];
	if (to->defined) {
		return true;
	}
	snprintf(path, sizeof(path), "dest/%016llx", (unsigned long long)to->destination);
	to->defined = faccessat(publisher->spool.dir, path, F_OK, 0) == 0;
	for (int i = 0; i < 2 && !to->defined; i++) {
		size_t len = strlen(outlet->destination);
		to->defined = opa_spool_replace_file(&publisher->spool, path, outlet->destination, len);
		if (!to->defined && (errno != ENOENT || !opa_spool_is_intact(&publisher->spool) ||
								!opa_spool_make_folders(&publisher->spool))) {
			break;
		}
	}
	return to->defined;
}

/* ---- publishing ---- */

static opa_journal_result result_of_errno(int problem)
{
	if (problem == ENOSPC || problem == EDQUOT) {
		return OPA_JOURNAL_DISK_FULL;
	}
	return problem == EFBIG ? OPA_JOURNAL_FILE_LIMIT : OPA_JOURNAL_NO_FILE;
}

static opa_counter reason(opa_journal_result result)
{
	switch (result) {
	case OPA_JOURNAL_DISK_FULL:
		return OPA_COUNT_DROPPED_DISK_FULL;
	case OPA_JOURNAL_FILE_LIMIT:
		return OPA_COUNT_DROPPED_FILE_LIMIT;
	case OPA_JOURNAL_IO_ERROR:
		return OPA_COUNT_DROPPED_IO_ERROR;
	case OPA_JOURNAL_TOO_LARGE:
		return OPA_COUNT_DROPPED_TOO_LARGE;
	case OPA_JOURNAL_NO_MEMORY:
		return OPA_COUNT_DROPPED_NO_MEMORY;
	case OPA_JOURNAL_OK:
	case OPA_JOURNAL_NO_FILE:
		break;
	}
	return OPA_COUNT_DROPPED_NO_SPOOL;
}

static opa_journal_result write_record(opa_publisher *publisher, const opa_outlet *outlet,
	const opa_record *record, opa_str resource_fields)
{
	line *to = get_line(publisher, outlet->destination_id);
	if (to == NULL) {
		return OPA_JOURNAL_NO_MEMORY;
	}
	if (!define(publisher, to, outlet)) {
		return result_of_errno(errno);
	}
	bool lost;
	uint64_t sequence = publisher->sequence;
	opa_journal_result result = opa_journal_append(to->journal, record, resource_fields, &lost);
	if (lost) {
		to->defined = false; /* who removes journals may have removed the rest as well */
		count(publisher, OPA_COUNT_JOURNALS_LOST, 1);
		if (!define(publisher, to, outlet)) {
			result = result == OPA_JOURNAL_OK ? OPA_JOURNAL_NO_FILE : result;
		}
	}
	if (result == OPA_JOURNAL_OK) {
		publisher->usage += record->length + OPA_RECORD_HEADER_SIZE;
	}
	if (publisher->sequence != sequence) {
		publisher->usage = opa_spool_usage(&publisher->spool);
	}
	return result;
}

static bool keep(opa_publisher *publisher, const opa_outlet *outlet, const opa_record *record,
	opa_str resource_fields)
{
	look(publisher, outlet);
	if (publisher->spool.dir < 0) {
		count(publisher, OPA_COUNT_DROPPED_NO_SPOOL, record->spans);
		return false;
	}
	if (publisher->usage + record->length > publisher->spool.max_size) {
		count(publisher, OPA_COUNT_DROPPED_SPOOL_FULL, record->spans);
		return false;
	}
	opa_journal_result result = write_record(publisher, outlet, record, resource_fields);
	if (result == OPA_JOURNAL_NO_FILE &&
		(is_another_users(publisher) || !opa_spool_is_intact(&publisher->spool))) {
		look_around(publisher, opa_clock_mono());
		if (publisher->spool.dir >= 0) {
			result = write_record(publisher, outlet, record, resource_fields);
		}
	}
	if (result != OPA_JOURNAL_OK) {
		count(publisher, reason(result), record->spans);
		return false;
	}
	count(publisher, OPA_COUNT_SPANS_KEPT, record->spans);
	count(publisher, OPA_COUNT_TRACES_KEPT, (record->flags & OPA_RECORD_COMPLETE) != 0);
	return true;
}

/*
 * What opa_launch() needs, to be used without the lock. False when no start is due; the path is
 * freed by run_exporter().
 */
static bool plan_launch(opa_publisher *publisher, const opa_outlet *outlet, opa_spool *plan)
{
	uint64_t now = opa_clock_mono();
	if (outlet->exporter == NULL || publisher->spool.dir < 0 || now < publisher->next_launch) {
		return false;
	}
	publisher->next_launch = now + SECOND;
	*plan = publisher->spool;
	plan->dir = fcntl(publisher->spool.dir, F_DUPFD_CLOEXEC, 3);
	plan->path = opa_strndup(publisher->spool.path, strlen(publisher->spool.path));
	if (plan->dir >= 0 && plan->path != NULL) {
		return true;
	}
	if (plan->dir >= 0) {
		close(plan->dir);
	}
	opa_free(plan->path);
	return false;
}

static void run_exporter(opa_publisher *publisher, const opa_outlet *outlet, opa_spool *plan)
{
	int problem;
	opa_launch_result result = opa_launch(plan, outlet->exporter, &problem);
	opa_spool_close(plan);
	opa_mutex_lock(&publisher->mutex);
	publisher->launch = result;
	publisher->launch_errno = problem;
	count(publisher, OPA_COUNT_EXPORTER_STARTED, result == OPA_LAUNCH_STARTED);
	count(publisher, OPA_COUNT_EXPORTER_FAILED,
		result == OPA_LAUNCH_MISSING || result == OPA_LAUNCH_FAILED);
	leave(publisher);
}

bool opa_publish(opa_publisher *publisher, const opa_outlet *outlet, const opa_record *record,
	opa_str resource_fields)
{
	opa_spool plan;
	enter(publisher);
	bool kept = keep(publisher, outlet, record, resource_fields);
	bool launch = plan_launch(publisher, outlet, &plan);
	leave(publisher);
	if (launch) {
		run_exporter(publisher, outlet, &plan);
	}
	return kept;
}

void opa_publish_count(opa_publisher *publisher, opa_counter counter, uint64_t n)
{
	enter(publisher);
	count(publisher, counter, n);
	leave(publisher);
}

void opa_publish_count_all(
	opa_publisher *publisher, const opa_outlet *outlet, const uint64_t counts[OPA_COUNTER_COUNT])
{
	enter(publisher);
	look(publisher, outlet);
	for (int i = 0; i < OPA_COUNTER_COUNT; i++) {
		count(publisher, (opa_counter)i, counts[i]);
	}
	if (publisher->control != NULL) {
		opa_control_save(publisher->control);
	}
	leave(publisher);
}

bool opa_publish_begin(opa_publisher *publisher, const opa_outlet *outlet)
{
	enter(publisher);
	look(publisher, outlet);
	if (publisher->control != NULL) {
		opa_control_check(publisher->control);
	}
	bool on = !publisher->off;
	leave(publisher);
	return on;
}

/* ---- problems ---- */

#define LOG_PERIOD 600 /* seconds */

opa_str opa_publish_state_problem(const char *state)
{
	static const char key[] = "problem=";
	for (const char *at = state; *at != '\0';) {
		size_t len = strcspn(at, "\n"), head = sizeof(key) - 1;
		if (len > head && memcmp(at, key, head) == 0) {
			return (opa_str){at + head, len - head};
		}
		at += len + (at[len] == '\n');
	}
	return (opa_str){"", 0};
}

static bool exporter_problem(const opa_publisher *publisher, char *to, size_t size)
{
	char state[4096];
	if (opa_spool_read_file(&publisher->spool, "state", state, sizeof(state)) <= 0) {
		return false;
	}
	opa_str problem = opa_publish_state_problem(state);
	if (problem.len > 0) {
		snprintf(to, size, "%.*s", (int)problem.len, problem.data);
	}
	return problem.len > 0;
}

static bool launch_problem(const opa_publisher *publisher, char *to, size_t size)
{
	if (publisher->launch != OPA_LAUNCH_MISSING && publisher->launch != OPA_LAUNCH_FAILED) {
		return false;
	}
	snprintf(to, size, "opa-exporter cannot be started (%s): %s",
		publisher->outlet->exporter == NULL ? "no path" : publisher->outlet->exporter,
		strerror(publisher->launch_errno));
	return true;
}

/* Whoever makes the file of these ten minutes is the one to log; the file before it goes. */
static bool is_first_to_log(const opa_publisher *publisher)
{
	char name[32];
	uint64_t period = opa_clock_wall() / SECOND / LOG_PERIOD;
	snprintf(name, sizeof(name), "logged-%llu", (unsigned long long)period);
	int fd = opa_spool_lift_fd(
		openat(publisher->spool.dir, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
	if (fd < 0) {
		return false;
	}
	close(fd);
	snprintf(name, sizeof(name), "logged-%llu", (unsigned long long)period - 1);
	unlinkat(publisher->spool.dir, name, 0);
	return true;
}

bool opa_publish_problem(opa_publisher *publisher, char *to, size_t size)
{
	enter(publisher);
	bool told = publisher->looked && publisher->spool.dir >= 0 &&
				(exporter_problem(publisher, to, size) || launch_problem(publisher, to, size)) &&
				is_first_to_log(publisher);
	publisher->looked = false;
	leave(publisher);
	return told;
}

/* ---- waiting for the exporter ---- */

typedef struct wait_point {
	uint16_t slot;
	uint64_t sequence;
	uint64_t offset;
	bool known;
} wait_point;

static wait_point find_point(opa_publisher *publisher, const opa_outlet *outlet)
{
	wait_point point = {.known = !publisher->evicted};
	line *from = find_line(publisher, outlet->destination_id);
	if (from != NULL) {
		point.slot = (uint16_t)(from - publisher->lines);
		point.known = true;
		opa_journal_position(from->journal, &point.sequence, &point.offset);
	}
	return point;
}

static bool is_reached(opa_publisher *publisher, const wait_point *point)
{
	if (!point->known || point->sequence == 0) {
		return point->known;
	}
	if (publisher->control == NULL) {
		return false;
	}
	opa_ack ack = opa_control_ack(publisher->control, point->slot);
	return ack.sequence > point->sequence ||
		   (ack.sequence == point->sequence && ack.offset >= point->offset);
}

bool opa_publish_flush(opa_publisher *publisher, const opa_outlet *outlet, unsigned timeout_ms)
{
	uint64_t deadline = opa_clock_mono() + (uint64_t)timeout_ms * MS;
	enter(publisher);
	look(publisher, outlet);
	wait_point point = find_point(publisher, outlet);
	for (unsigned pause = 1;; pause = pause < POLL_MS ? pause + 1 : POLL_MS) {
		opa_spool plan;
		bool reached = is_reached(publisher, &point);
		bool launch = !reached && plan_launch(publisher, outlet, &plan);
		leave(publisher);
		if (launch) {
			run_exporter(publisher, outlet, &plan);
		}
		uint64_t now = opa_clock_mono();
		bool hopeless = launch && (publisher->launch == OPA_LAUNCH_MISSING ||
									  publisher->launch == OPA_LAUNCH_FAILED);
		if (reached || hopeless || now >= deadline) {
			return reached;
		}
		uint64_t rest = deadline - now;
		uint64_t nap = (uint64_t)pause * MS;
		nanosleep(&(struct timespec){.tv_nsec = (long)(nap < rest ? nap : rest)}, NULL);
		enter(publisher);
	}
}

/* ---- looking ---- */

void opa_publish_status_get(
	opa_publisher *publisher, const opa_outlet *outlet, opa_publish_status *status)
{
	memset(status, 0, sizeof(*status));
	enter(publisher);
	publisher->next_look = 0;
	look(publisher, outlet);
	const opa_spool *spool = &publisher->spool;
	status->spool_open = spool->dir >= 0;
	status->spool_error = publisher->spool_error;
	status->spool_errno = publisher->spool_errno;
	status->off = publisher->off;
	status->launch = publisher->launch;
	status->launch_errno = publisher->launch_errno;
	if (publisher->control != NULL) {
		status->durable_counters = opa_control_is_durable(publisher->control);
		for (int i = 0; i < OPA_COUNTER_COUNT; i++) {
			status->counters[i] = opa_control_get(publisher->control, (opa_counter)i);
		}
	}
	if (status->spool_open) {
		snprintf(status->spool_path, sizeof(status->spool_path), "%s", spool->path);
		status->spool_tmpfs = spool->tmpfs;
		status->spool_size = opa_spool_measure(spool);
		status->spool_max_size = spool->max_size;
		status->exporter_running = opa_launch_is_running(spool);
		if (!status->exporter_running && status->launch_errno == 0) {
			status->launch_errno = opa_launch_problem(spool);
		}
		if (opa_spool_read_file(
				spool, "state", status->exporter_state, sizeof(status->exporter_state)) < 0) {
			status->exporter_state[0] = '\0';
		}
	}
	leave(publisher);
}

/* ---- fork ---- */

void opa_publish_fork_prepare(opa_publisher *publisher)
{
	enter(publisher);
}

void opa_publish_fork_parent(opa_publisher *publisher)
{
	leave(publisher);
}

void opa_publish_fork_child(opa_publisher *publisher)
{
	abandon(publisher);
	begin_life(publisher);
	leave(publisher);
}
