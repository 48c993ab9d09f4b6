#include "opa_exporter_internal.h"
#include "opa_file.h"
#include "opa_usage.h"

#include "../core/opa_alloc.h"
#include "../core/opa_clock.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define CONTROLS_NS   (1 * OPA_SECOND_NS)
#define STATE_NS      (1 * OPA_SECOND_NS) /* between two writes at least, but for a problem */
#define STATE_MOST_NS (9 * OPA_SECOND_NS) /* and at most */
#define MEASURE_NS    (1 * OPA_SECOND_NS)
#define MEASURE_SHARE 20 /* of the time, one part at most */
#define DEAD_MAX      128
#define LOCK_TRIES    20

/* ---- the counters of the dead ---- */

typedef struct dead {
	char name[OPA_CONTROL_NAME_MAX];
	uint64_t counters[OPA_CONTROL_COUNTERS];
} dead;

typedef struct census {
	size_t alive;
	size_t count;
	dead files[DEAD_MAX];
} census;

static bool visit(void *user, const char *name, const opa_control_file *file, bool gone)
{
	census *c = user;
	if (!gone) {
		c->alive++;
	} else if (c->count < DEAD_MAX && strlen(name) < sizeof(c->files[0].name)) {
		dead *d = &c->files[c->count++];
		snprintf(d->name, sizeof(d->name), "%s", name);
		memset(d->counters, 0, sizeof(d->counters));
		opa_control_add_dead(d->counters, file);
	}
	return true;
}

/*
 * The file's name is noted as a position in the transaction of its counters: an exporter that dies
 * between the commit and the removal leaves a file that is removed, but not counted again.
 */
static bool add_counters(opa_store *store, const dead *d)
{
	uint64_t counted;
	if (!opa_store_position(store, d->name, &counted)) {
		return false;
	}
	for (int i = 0; counted == 0 && i < OPA_COUNTER_COUNT; i++) {
		if (d->counters[i] > 0 &&
			!opa_store_count(store, opa_counter_name((opa_counter)i), d->counters[i])) {
			return false;
		}
	}
	return counted > 0 || opa_store_set_position(store, d->name, 1);
}

/* Under names that no merge touches, before anything of them is stored. */
static void claim_files(opa_exporter *exporter, census *c)
{
	size_t claimed = 0;
	for (size_t i = 0; i < c->count; i++) {
		char name[OPA_CONTROL_NAME_MAX];
		if (opa_control_claim(&exporter->spool, c->files[i].name, name)) {
			c->files[claimed] = c->files[i];
			memcpy(c->files[claimed++].name, name, sizeof(name));
		}
	}
	c->count = claimed;
}

/* False when there is no store to be had now. */
static bool store_counters(opa_exporter *exporter, census *c)
{
	opa_target *target = opa_exporter_find_recent(exporter);
	if (target == NULL || !opa_exporter_begin(exporter, target)) {
		return false;
	}
	claim_files(exporter, c);
	for (size_t i = 0; i < c->count; i++) {
		if (!add_counters(target->store, &c->files[i])) {
			opa_exporter_abort(exporter, target);
			return false;
		}
	}
	if (opa_exporter_commit(exporter, target) != OPA_COMMIT_DONE) {
		return false;
	}
	for (size_t i = 0; i < c->count; i++) {
		if (opa_control_remove(&exporter->spool, c->files[i].name)) {
			opa_text_append(&target->gone, c->files[i].name, strlen(c->files[i].name) + 1);
		}
	}
	return true;
}

/* Stores those that are there. False when there is no store to be had now. */
static bool visit_and_store(opa_exporter *exporter, census *c)
{
	c->alive = c->count = 0;
	opa_control_visit(&exporter->spool, visit, c);
	exporter->live_controls = c->alive;
	return c->count == 0 || store_counters(exporter, c);
}

/*
 * The folder is locked. What no store can take does not become more and more files: what processes
 * have handed over becomes one only when all others are stored.
 */
static void add_up(opa_exporter *exporter, census *c)
{
	bool stored;
	do {
		stored = visit_and_store(exporter, c);
	} while (stored && exporter->once && c->count == DEAD_MAX);
	if (!stored) {
		opa_control_merge(&exporter->spool, UINT32_MAX);
	} else if (c->count < DEAD_MAX && opa_control_common_is_used(&exporter->spool) &&
			   opa_exporter_find_recent(exporter) != NULL &&
			   opa_control_claim_common(&exporter->spool)) {
		visit_and_store(exporter, c);
	}
}

/* Who merges has it for less than a millisecond. */
static int lock_controls(const opa_exporter *exporter)
{
	int lock = opa_control_lock(&exporter->spool);
	for (int i = 0; lock < 0 && i < LOCK_TRIES; i++) {
		nanosleep(&(struct timespec){0, 1000000}, NULL);
		lock = opa_control_lock(&exporter->spool);
	}
	return lock;
}

void opa_exporter_visit_controls(opa_exporter *exporter)
{
	uint64_t now = opa_clock_mono();
	if (now < exporter->controls_at && !exporter->once && !exporter->stopping) {
		return;
	}
	exporter->controls_at = now + CONTROLS_NS;
	int lock = lock_controls(exporter);
	census *c = lock >= 0 ? opa_malloc(sizeof(*c)) : NULL;
	if (c != NULL) {
		add_up(exporter, c);
	}
	opa_free(c);
	if (lock >= 0) {
		close(lock);
	}
}

/* ---- the spool's size ---- */

void opa_exporter_measure(opa_exporter *exporter)
{
	uint64_t begin = opa_clock_mono();
	if (begin < exporter->measure_at) {
		return;
	}
	opa_usage_measure(&exporter->spool);
	uint64_t end = opa_clock_mono(), pause = (end - begin) * MEASURE_SHARE;
	exporter->measure_at = end + (pause > MEASURE_NS ? pause : MEASURE_NS);
}

/* ---- state ---- */

static void find_problem(const opa_exporter *exporter, char *problem, size_t size)
{
	problem[0] = '\0';
	if (exporter->unread_round == exporter->round) {
		snprintf(problem, size, "%s", exporter->unread);
	}
	for (const opa_target *t = exporter->targets; t != NULL; t = t->next) {
		if (t->problem[0] != '\0' && (t->blocked_round == exporter->round || t->dropping)) {
			snprintf(problem, size, "%s", t->problem);
			return;
		}
	}
}

static void append_number(opa_text *text, const char *key, uint64_t value)
{
	char line[64];
	int n = snprintf(line, sizeof(line), "%s=%" PRIu64 "\n", key, value);
	opa_text_append(text, line, (size_t)n);
}

/* A line; what would break it becomes a space. "" is not written. */
static void append_line(opa_text *text, const char *key, const char *value)
{
	if (value[0] == '\0') {
		return;
	}
	opa_text_append(text, key, strlen(key));
	opa_text_append(text, "=", 1);
	for (; *value != '\0'; value++) {
		opa_text_append(text, (unsigned char)*value < 0x20 ? " " : value, 1);
	}
	opa_text_append(text, "\n", 1);
}

static void describe(opa_exporter *exporter, opa_text *text, uint64_t now, bool stopped)
{
	append_number(text, "pid", (uint64_t)getpid());
	append_line(text, "version", OPA_VERSION_TEXT);
	append_number(text, "started", exporter->started);
	append_number(text, "updated", now);
	append_number(text, "spans", exporter->spans);
	append_number(text, "traces", exporter->traces);
	append_number(text, "waiting", opa_exporter_measure_waiting(exporter));
	append_line(text, "problem", exporter->problem);
	if (stopped) {
		append_number(text, "stopped", now);
	}
	if (exporter->recent != NULL && exporter->recent->store != NULL) {
		append_line(text, "store", opa_store_path(exporter->recent->store));
	}
	if (exporter->served != NULL && exporter->served->definition.endpoint != NULL) {
		char url[OPA_ADDRESS_MAX];
		const char *endpoint = exporter->served->definition.endpoint;
		opa_address_show((opa_str){endpoint, strlen(endpoint)}, url, sizeof(url));
		append_line(text, "collector", url);
	}
	if (exporter->last_success > 0) {
		append_number(text, "last_success", exporter->last_success);
	}
	if (exporter->last_error_time > 0) {
		append_line(text, "last_error", exporter->last_error);
		append_number(text, "last_error_time", exporter->last_error_time);
	}
}

void opa_exporter_write_state(opa_exporter *exporter, bool now, bool stopped)
{
	char problem[OPA_EXPORTER_PROBLEM_MAX];
	uint64_t age = opa_clock_mono() - exporter->state_at;
	find_problem(exporter, problem, sizeof(problem));
	bool changed = exporter->spans != exporter->state_spans ||
				   exporter->last_error_time != exporter->state_error;
	if (!now && strcmp(problem, exporter->problem) == 0 && age < STATE_MOST_NS &&
		(!changed || age < STATE_NS)) {
		return;
	}
	memcpy(exporter->problem, problem, sizeof(problem));
	exporter->state_at = opa_clock_mono();
	exporter->state_spans = exporter->spans;
	exporter->state_error = exporter->last_error_time;
	opa_text text = {0};
	describe(exporter, &text, opa_clock_wall() / OPA_SECOND_NS, stopped);
	/* In place where nothing new can be made: a full disk is what one wants to hear of. */
	if (!text.failed && !opa_spool_replace_file(&exporter->spool, "state", text.data, text.len)) {
		opa_file_overwrite(&exporter->spool, "state", text.data, text.len);
	}
	opa_text_deinit(&text);
}
