#include "opa_publish_internal.h"
#include "opa_usage.h"
#include "../core/opa_alloc.h"
#include "../core/opa_clock.h"
#include "../core/opa_entropy.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define PATH_SIZE  32
#define MERGE_LOOK 256

#define UNREPORTED_MIN (16u * 1024)
#define UNREPORTED_MAX (256u * 1024)

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
	publisher->rate = OPA_RATE_NONE;
	publisher->sequence = 0;
	publisher->uses = 0;
	publisher->evicted = false;
	publisher->next_look = 0;
	publisher->next_launch = 0;
	publisher->size = publisher->written = publisher->control_size = 0;
	publisher->off = publisher->looked = publisher->merge_due = publisher->dropping = false;
	publisher->requests = publisher->traces = 0;
	publisher->next_log = publisher->silent_at = publisher->silent_since = 0;
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
		publisher->lines[i] = (opa_line){0};
	}
	opa_control_abandon(publisher->control);
	publisher->control = NULL;
	opa_rate_close(&publisher->rate);
	opa_spool_close(&publisher->spool);
	opa_free(publisher->outlet);
}

/* Such a child has one thread, and the lock may be held by one that it has not. */
void opa_publisher_enter(opa_publisher *publisher)
{
	if (OPA_UNLIKELY(!opa_fork_mark_is_ours(&publisher->mark))) {
		opa_mutex_init(&publisher->mutex);
		abandon(publisher);
		begin_life(publisher);
	}
	opa_mutex_lock(&publisher->mutex);
}

void opa_publisher_leave(opa_publisher *publisher)
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

/* Files of this process have grown by that. */
static void note_written(opa_publisher *publisher, uint64_t bytes)
{
	publisher->size += bytes;
	publisher->written += bytes;
}

/* Enters what was written into the spool's account, and learns its size. */
static void settle_account(opa_publisher *publisher)
{
	uint64_t control = publisher->control != NULL ? opa_control_usage(publisher->control) : 0;
	note_written(publisher, control - publisher->control_size);
	publisher->control_size = control;
	publisher->size = opa_usage_report(&publisher->spool, &publisher->written);
}

/* So much may be written that the others do not know of; see opa_usage.h. */
static uint64_t unreported_most(const opa_publisher *publisher)
{
	uint64_t most = publisher->spool.max_size / 1024;
	return most < UNREPORTED_MIN ? UNREPORTED_MIN : most < UNREPORTED_MAX ? most : UNREPORTED_MAX;
}

static void close_lines(opa_publisher *publisher)
{
	for (int i = 0; i < OPA_CONTROL_ACKS; i++) {
		if (publisher->lines[i].journal != NULL) {
			opa_journal_close(publisher->lines[i].journal);
		}
		publisher->lines[i] = (opa_line){0};
	}
}

void opa_publisher_destroy(opa_publisher *publisher)
{
	if (publisher == NULL) {
		return;
	}
	opa_publisher_enter(publisher);
	if (publisher->written > 0 && opa_spool_is_intact(&publisher->spool)) {
		settle_account(publisher);
	}
	close_lines(publisher);
	opa_rate_close(&publisher->rate);
	opa_control_close(publisher->control);
	opa_spool_close(&publisher->spool);
	opa_free(publisher->outlet);
	opa_publisher_leave(publisher);
	opa_fork_mark_clear(&publisher->mark);
	opa_mutex_deinit(&publisher->mutex);
	opa_free(publisher);
}

/* ---- the spool ---- */

void opa_publisher_count(opa_publisher *publisher, opa_counter counter, uint64_t n)
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
	publisher->merge_due = publisher->id[0] < '2'; /* two of sixteen digits */
	return true;
}

bool opa_publisher_lend_spool(const opa_publisher *publisher, opa_spool *copy)
{
	const opa_spool *spool = &publisher->spool;
	*copy = *spool;
	copy->dir = spool->dir >= 0 ? fcntl(spool->dir, F_DUPFD_CLOEXEC, 3) : -1;
	copy->path = copy->dir >= 0 ? opa_strndup(spool->path, strlen(spool->path)) : NULL;
	if (copy->dir >= 0 && copy->path == NULL) {
		close(copy->dir);
	}
	return copy->path != NULL;
}

/*
 * Each process leaves a control file behind. One in eight that begin looks for them, and takes in
 * more than eight if they are there: so they do not become more and more where no exporter does.
 */
static void merge_dead(const opa_spool *spool)
{
	int lock = opa_control_lock(spool);
	if (lock >= 0) {
		opa_control_merge(spool, MERGE_LOOK);
		close(lock);
	}
}

/* The directory was removed or replaced, or its descriptor is another file's now. */
static void leave_spool(opa_publisher *publisher)
{
	for (int i = 0; i < OPA_CONTROL_ACKS; i++) {
		const opa_journal *journal = publisher->lines[i].journal;
		opa_publisher_count(
			publisher, OPA_COUNT_JOURNALS_LOST, journal != NULL && opa_journal_has_file(journal));
	}
	close_lines(publisher);
	if (publisher->control != NULL) {
		opa_control_attach(publisher->control, NULL);
	}
	opa_rate_close(&publisher->rate);
	opa_spool_close(&publisher->spool);
	publisher->written = 0;
}

static bool is_another_users(const opa_publisher *publisher)
{
	return publisher->spool.dir >= 0 && publisher->user != geteuid();
}

/* What was written is left to the exporter of the user that the program was. Its traces go on. */
static void change_user(opa_publisher *publisher)
{
	opa_outlet *outlet = publisher->outlet;
	uint64_t running = 0;
	if (publisher->control != NULL) {
		running = opa_control_running(publisher->control);
		opa_control_set_running(publisher->control, 0);
	}
	close_lines(publisher);
	opa_rate_close(&publisher->rate);
	opa_control_close(publisher->control);
	opa_spool_close(&publisher->spool);
	begin_life(publisher);
	if (publisher->control != NULL) {
		opa_control_set_running(publisher->control, running);
	}
	publisher->outlet = outlet;
}

/* What is looked at once a second, and at the first call. */
static void look_around(opa_publisher *publisher, uint64_t now)
{
	if (is_another_users(publisher)) {
		change_user(publisher);
	}
	publisher->next_look = now + OPA_SECOND_NS;
	publisher->looked = true;
	if (publisher->spool.dir >= 0 && !opa_spool_is_intact(&publisher->spool)) {
		leave_spool(publisher);
	}
	if (publisher->spool.dir < 0) {
		if (!open_spool(publisher)) {
			return;
		}
		publisher->next_launch = 0; /* that there was an exporter for the old one does not help */
	}
	if (publisher->control != NULL) {
		opa_control_check(publisher->control);
		opa_control_save(publisher->control); /* what requests without a trace have counted */
	}
	publisher->off = faccessat(publisher->spool.dir, "off", F_OK, 0) == 0;
	settle_account(publisher);
	for (int i = 0; i < OPA_CONTROL_ACKS; i++) {
		publisher->lines[i].defined = false; /* somebody may have emptied the spool */
	}
}

void opa_publisher_look(opa_publisher *publisher, const opa_outlet *outlet)
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

opa_line *opa_publisher_find_line(opa_publisher *publisher, uint64_t destination)
{
	for (int i = 0; i < OPA_CONTROL_ACKS; i++) {
		opa_line *found = &publisher->lines[i];
		if (found->journal != NULL && found->destination == destination) {
			return found;
		}
	}
	return NULL;
}

/* A free place, or that of the destination which was not used for the longest time. */
static opa_line *free_line(opa_publisher *publisher)
{
	opa_line *oldest = &publisher->lines[0];
	for (int i = 0; i < OPA_CONTROL_ACKS; i++) {
		if (publisher->lines[i].journal == NULL) {
			return &publisher->lines[i];
		}
		if (publisher->lines[i].used < oldest->used) {
			oldest = &publisher->lines[i];
		}
	}
	opa_journal_close(oldest->journal);
	*oldest = (opa_line){0};
	publisher->evicted = true;
	return oldest;
}

static opa_line *get_line(opa_publisher *publisher, uint64_t destination)
{
	opa_line *found = opa_publisher_find_line(publisher, destination);
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
static bool define(opa_publisher *publisher, opa_line *to, const opa_outlet *outlet)
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
	case OPA_JOURNAL_NO_DESCRIPTOR:
		return OPA_COUNT_DROPPED_NO_DESCRIPTOR;
	case OPA_JOURNAL_OK:
	case OPA_JOURNAL_NO_FILE:
		break;
	}
	return OPA_COUNT_DROPPED_NO_SPOOL;
}

/* Why there is no spool. */
static opa_counter spool_reason(opa_spool_error error)
{
	switch (error) {
	case OPA_SPOOL_NO_MEMORY:
		return OPA_COUNT_DROPPED_NO_MEMORY;
	case OPA_SPOOL_NO_DESCRIPTOR:
		return OPA_COUNT_DROPPED_NO_DESCRIPTOR;
	default:
		return OPA_COUNT_DROPPED_NO_SPOOL;
	}
}

static opa_journal_result write_record(opa_publisher *publisher, const opa_outlet *outlet,
	const opa_record *record, opa_str resource_fields)
{
	opa_line *to = get_line(publisher, outlet->destination_id);
	if (to == NULL) {
		return OPA_JOURNAL_NO_MEMORY;
	}
	if (!define(publisher, to, outlet)) {
		return opa_journal_result_of(errno, OPA_JOURNAL_NO_FILE);
	}
	bool lost;
	uint64_t before = opa_journal_usage(to->journal);
	opa_journal_result result = opa_journal_append(to->journal, record, resource_fields, &lost);
	note_written(publisher, opa_journal_usage(to->journal) - before);
	if (lost) {
		to->defined = false; /* who removes journals may have removed the rest as well */
		opa_publisher_count(publisher, OPA_COUNT_JOURNALS_LOST, 1);
		if (!define(publisher, to, outlet)) {
			result = result == OPA_JOURNAL_OK ? OPA_JOURNAL_NO_FILE : result;
		}
	}
	return result;
}

/* Answers false, for its caller to return. */
static bool drop(opa_publisher *publisher, opa_counter why, uint64_t spans)
{
	opa_publisher_count(publisher, why, spans);
	publisher->dropping = true;
	publisher->dropped = why;
	return false;
}

static bool keep(opa_publisher *publisher, const opa_outlet *outlet, const opa_record *record,
	opa_str resource_fields)
{
	opa_publisher_look(publisher, outlet);
	if (publisher->spool.dir < 0) {
		return drop(publisher, spool_reason(publisher->spool_error), record->spans);
	}
	if (!opa_spool_may_take(&publisher->spool, publisher->size + record->length)) {
		return drop(publisher, OPA_COUNT_DROPPED_SPOOL_FULL, record->spans);
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
		return drop(publisher, reason(result), record->spans);
	}
	if (publisher->written >= unreported_most(publisher)) {
		settle_account(publisher);
	}
	publisher->dropping = false;
	opa_publisher_count(publisher, OPA_COUNT_SPANS_KEPT, record->spans);
	opa_publisher_count(
		publisher, OPA_COUNT_TRACES_KEPT, (record->flags & OPA_RECORD_COMPLETE) != 0);
	return true;
}

bool opa_publish(opa_publisher *publisher, const opa_outlet *outlet, const opa_record *record,
	opa_str resource_fields)
{
	opa_spool plan;
	opa_publisher_enter(publisher);
	bool kept = keep(publisher, outlet, record, resource_fields);
	bool launch = opa_publisher_plan_launch(publisher, outlet, &plan);
	opa_publisher_leave(publisher);
	if (launch) {
		opa_publisher_run_exporter(publisher, outlet, &plan);
	}
	return kept;
}

void opa_publish_count(opa_publisher *publisher, opa_counter counter, uint64_t n)
{
	opa_publisher_enter(publisher);
	opa_publisher_count(publisher, counter, n);
	opa_publisher_leave(publisher);
}

/* ---- traces that run ---- */

/* With the second one it is known that the process stays. */
static void note_begin(opa_publisher *publisher, uint64_t *count)
{
	if (++*count == 2) {
		opa_fork_mark_settle(&publisher->mark);
	}
}

static void note_end(opa_publisher *publisher)
{
	uint64_t running = publisher->control != NULL ? opa_control_running(publisher->control) : 0;
	if (running > 0) {
		opa_control_set_running(publisher->control, running - 1);
	}
}

static void save_control(opa_publisher *publisher)
{
	if (publisher->control != NULL) {
		opa_control_save(publisher->control);
	}
}

void opa_publish_count_all(opa_publisher *publisher, const opa_outlet *outlet,
	const uint64_t counts[OPA_COUNTER_COUNT], bool ended)
{
	opa_publisher_enter(publisher);
	opa_publisher_look(publisher, outlet);
	for (int i = 0; i < OPA_COUNTER_COUNT; i++) {
		opa_publisher_count(publisher, (opa_counter)i, counts[i]);
	}
	if (ended) {
		note_end(publisher);
	}
	save_control(publisher);
	opa_publisher_leave(publisher);
}

void opa_publish_begin_trace(opa_publisher *publisher, const opa_outlet *outlet)
{
	opa_publisher_enter(publisher);
	opa_publisher_look(publisher, outlet);
	note_begin(publisher, &publisher->traces);
	if (publisher->control != NULL) {
		opa_control_set_running(publisher->control, opa_control_running(publisher->control) + 1);
	}
	save_control(publisher);
	opa_publisher_leave(publisher);
}

void opa_publish_end_trace(opa_publisher *publisher)
{
	opa_publisher_enter(publisher);
	note_end(publisher);
	save_control(publisher);
	opa_publisher_leave(publisher);
}

bool opa_publish_begin(opa_publisher *publisher, const opa_outlet *outlet)
{
	opa_publisher_enter(publisher);
	opa_publisher_look(publisher, outlet);
	bool on = !publisher->off;
	note_begin(publisher, &publisher->requests);
	opa_spool spool;
	bool merge = publisher->merge_due && opa_publisher_lend_spool(publisher, &spool);
	publisher->merge_due = false;
	opa_publisher_leave(publisher);
	if (merge) {
		merge_dead(&spool);
		opa_spool_close(&spool);
	}
	return on;
}

bool opa_publish_may_begin(opa_publisher *publisher, uint32_t limit)
{
	opa_publisher_enter(publisher);
	bool may = publisher->spool.dir < 0 ||
			   opa_rate_take(&publisher->rate, &publisher->spool, limit, opa_clock_mono());
	opa_publisher_leave(publisher);
	return may;
}

/* ---- fork ---- */

void opa_publish_fork_prepare(opa_publisher *publisher)
{
	opa_publisher_enter(publisher);
}

void opa_publish_fork_parent(opa_publisher *publisher)
{
	opa_publisher_leave(publisher);
}

void opa_publish_fork_child(opa_publisher *publisher)
{
	abandon(publisher);
	begin_life(publisher);
	opa_publisher_leave(publisher);
}
