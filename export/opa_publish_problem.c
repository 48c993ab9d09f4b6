#include "opa_publish_internal.h"
#include "opa_file.h"
#include "../core/opa_clock.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LOG_PERIOD 600 /* seconds */
#define STATE_MAX  4096
#define LOGGED     "logged-"

/* An exporter writes `state` every ten seconds. One that has not for so long hangs. */
#define SILENCE 60 /* seconds */

/* ... unless the whole machine did: then it writes as soon as it runs. */
#define SILENCE_SEEN (3ull * OPA_SECOND_NS)

/* ---- state ---- */

static opa_str find_value(const char *state, const char *key)
{
	size_t head = strlen(key);
	for (const char *at = state; *at != '\0';) {
		size_t len = strcspn(at, "\n");
		if (len > head && memcmp(at, key, head) == 0) {
			return (opa_str){at + head, len - head};
		}
		at += len + (at[len] == '\n');
	}
	return (opa_str){"", 0};
}

static uint64_t find_number(const char *state, const char *key)
{
	return strtoull(find_value(state, key).data, NULL, 10);
}

static void read_state(const opa_publisher *publisher, char state[STATE_MAX])
{
	if (opa_spool_read_file(&publisher->spool, "state", state, STATE_MAX) < 0) {
		state[0] = '\0';
	}
}

/* ---- what may be wrong ---- */

/* What is known where a problem is looked for. */
typedef struct view {
	const opa_outlet *outlet;
	const char *state;
	opa_launch_result launch;
	int launch_errno;
	uint64_t silence; /* seconds since the exporter that has the lease was heard of; 0: less than
						 SILENCE */
	bool full;
} view;

static void spool_problem(const opa_publisher *publisher, char *to, size_t size)
{
	const char *dir = publisher->outlet == NULL ? NULL : publisher->outlet->spool.dir;
	int error = publisher->spool_errno;
	snprintf(to, size, "spool%s%s: %s%s%s", dir != NULL ? " " : "", dir != NULL ? dir : "",
		opa_spool_error_text(publisher->spool_error), error != 0 ? ": " : "",
		error != 0 ? strerror(error) : "");
}

static bool launch_problem(const view *v, char *to, size_t size)
{
	const char *path = v->outlet->exporter;
	if (v->launch == OPA_LAUNCH_MISSING && path == NULL) {
		snprintf(to, size, "opa-exporter: not found beside opa.so, set opa.exporter_path");
	} else if (v->launch == OPA_LAUNCH_MISSING) {
		snprintf(to, size, "opa-exporter: there is no executable file at exporter_path: %s (%s)",
			path, strerror(v->launch_errno));
	} else if (v->launch != OPA_LAUNCH_FAILED && v->launch != OPA_LAUNCH_AGAIN) {
		return false;
	} else if (v->launch_errno == OPA_LAUNCH_MUTE) {
		snprintf(to, size, "opa-exporter: ends as soon as it is started: %s", path);
	} else {
		snprintf(to, size, "opa-exporter: it could not be started: %s (%s)", path,
			strerror(v->launch_errno));
	}
	return true;
}

static bool exporter_problem(const opa_publisher *publisher, const view *v, char *to, size_t size)
{
	opa_str said = find_value(v->state, "problem=");
	if (said.len > 0) {
		snprintf(to, size, "opa-exporter: %.*s", (int)said.len, said.data);
	} else if (v->silence > 0) {
		snprintf(to, size,
			"opa-exporter: hangs, not heard of for %" PRIu64 " s (its pid: %s/lease)", v->silence,
			publisher->spool.path);
	}
	return said.len > 0 || v->silence > 0;
}

static bool drop_problem(const opa_publisher *publisher, const view *v, char *to, size_t size)
{
	if (!publisher->dropping && !v->full) {
		return false;
	}
	opa_counter why = publisher->dropping ? publisher->dropped : OPA_COUNT_DROPPED_SPOOL_FULL;
	snprintf(to, size, "the last trace was dropped: %s", opa_counter_text(why));
	return true;
}

static bool find_problem(const opa_publisher *publisher, const view *v, char *to, size_t size)
{
	if (publisher->spool.dir < 0) {
		spool_problem(publisher, to, size);
		return true;
	}
	return launch_problem(v, to, size) || exporter_problem(publisher, v, to, size) ||
		   drop_problem(publisher, v, to, size);
}

/* Unix seconds of what the exporter that has the lease has last done: it starts with the lease. */
static uint64_t last_heard(const opa_publisher *publisher, const char *state)
{
	struct stat lease;
	uint64_t updated = find_number(state, "updated="), started = 0;
	if (fstatat(publisher->spool.dir, "lease", &lease, AT_SYMLINK_NOFOLLOW) == 0) {
		started = (uint64_t)lease.st_mtim.tv_sec;
	}
	return updated > started ? updated : started;
}

/* Seconds since then; 0 when that is not long, or nothing waits for it. */
static uint64_t measure_silence(const opa_publisher *publisher, uint64_t heard)
{
	uint64_t now = opa_clock_wall() / OPA_SECOND_NS;
	bool is_long = heard > 0 && now > heard && now - heard > SILENCE;
	return is_long && opa_publisher_has_waiting(publisher) ? now - heard : 0;
}

/* ---- the log ---- */

static uint64_t silence_to_log(opa_publisher *publisher, const char *state)
{
	uint64_t heard = last_heard(publisher, state), now = opa_clock_mono();
	uint64_t silence = measure_silence(publisher, heard);
	if (silence == 0 || heard != publisher->silent_at) {
		publisher->silent_at = silence > 0 ? heard : 0;
		publisher->silent_since = now;
	}
	return now - publisher->silent_since >= SILENCE_SEEN ? silence : 0;
}

static bool find_problem_to_log(opa_publisher *publisher, char *to, size_t size)
{
	char state[STATE_MAX] = "";
	view v = {.outlet = publisher->outlet,
		.state = state,
		.launch = publisher->launch,
		.launch_errno = publisher->launch_errno};
	if (publisher->spool.dir >= 0) {
		read_state(publisher, state);
		if (v.outlet->exporter == NULL && !opa_launch_is_running(&publisher->spool)) {
			v.launch = OPA_LAUNCH_MISSING;
		}
		v.silence = v.launch == OPA_LAUNCH_BUSY ? silence_to_log(publisher, state) : 0;
	}
	return find_problem(publisher, &v, to, size);
}

/* Where processes cannot agree on one of them, each of them logs, as seldom. */
static bool is_time_to_log(opa_publisher *publisher)
{
	uint64_t now = opa_clock_mono();
	if (now < publisher->next_log) {
		return false;
	}
	publisher->next_log = now + (uint64_t)LOG_PERIOD * OPA_SECOND_NS;
	return true;
}

/* Those of other periods. */
static void remove_marks(int dir, const char *current)
{
	DIR *listing = opa_file_open_folder(dir, ".");
	if (listing == NULL) {
		return;
	}
	for (struct dirent *entry = readdir(listing); entry != NULL; entry = readdir(listing)) {
		const char *name = entry->d_name;
		if (strncmp(name, LOGGED, strlen(LOGGED)) == 0 && strcmp(name, current) != 0) {
			unlinkat(dir, name, 0);
		}
	}
	closedir(listing);
}

/* Whoever makes the file of these ten minutes is the one to log. */
static bool is_first_to_log(opa_publisher *publisher)
{
	char name[32];
	uint64_t period = opa_clock_wall() / OPA_SECOND_NS / LOG_PERIOD;
	if (publisher->spool.dir < 0) {
		return is_time_to_log(publisher);
	}
	snprintf(name, sizeof(name), LOGGED "%" PRIu64, period);
	int fd = opa_spool_lift_fd(
		openat(publisher->spool.dir, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
	if (fd < 0) {
		return errno != EEXIST && is_time_to_log(publisher);
	}
	close(fd);
	remove_marks(publisher->spool.dir, name);
	return true;
}

bool opa_publish_problem(opa_publisher *publisher, char *to, size_t size)
{
	opa_publisher_enter(publisher);
	bool told =
		publisher->looked && find_problem_to_log(publisher, to, size) && is_first_to_log(publisher);
	publisher->looked = false;
	opa_publisher_leave(publisher);
	return told;
}

/* ---- the status ---- */

/* What the exporter is about, whoever started it or tried to. */
static void look_at_exporter(const opa_publisher *publisher, opa_publish_status *status, view *v)
{
	const opa_spool *spool = &publisher->spool;
	v->launch = OPA_LAUNCH_BUSY;
	v->state = status->exporter_state;
	status->exporter_running = opa_launch_is_running(spool);
	if (status->exporter_running) {
		v->silence = measure_silence(publisher, last_heard(publisher, v->state));
		return;
	}
	const char *path = v->outlet->exporter;
	v->launch_errno = path != NULL ? opa_launch_check(path) : ENOENT;
	if (v->launch_errno != 0) {
		v->launch = OPA_LAUNCH_MISSING;
	} else if (publisher->launch == OPA_LAUNCH_FAILED) {
		v->launch = OPA_LAUNCH_FAILED;
		v->launch_errno = publisher->launch_errno;
	} else if ((v->launch_errno = opa_launch_problem(spool)) != 0) {
		v->launch = OPA_LAUNCH_AGAIN;
	}
}

static void look_at_spool(
	opa_publisher *publisher, const opa_outlet *outlet, opa_publish_status *status)
{
	opa_spool *spool = &publisher->spool;
	view v = {.outlet = outlet};
	snprintf(status->spool_path, sizeof(status->spool_path), "%s", spool->path);
	status->spool_tmpfs = spool->tmpfs;
	status->spool_size = publisher->size;
	status->spool_max_size = opa_spool_max_size(spool);
	v.full = publisher->size >= status->spool_max_size;
	read_state(publisher, status->exporter_state);
	look_at_exporter(publisher, status, &v);
	status->launch_errno = v.launch_errno;
	if (!find_problem(publisher, &v, status->problem, sizeof(status->problem))) {
		status->problem[0] = '\0';
	}
}

void opa_publish_status_get(
	opa_publisher *publisher, const opa_outlet *outlet, opa_publish_status *status)
{
	memset(status, 0, sizeof(*status));
	opa_publisher_enter(publisher);
	publisher->next_look = 0;
	opa_publisher_look(publisher, outlet);
	status->spool_open = publisher->spool.dir >= 0;
	status->spool_error = publisher->spool_error;
	status->spool_errno = publisher->spool_errno;
	status->off = publisher->off;
	status->launch = publisher->launch;
	if (publisher->control != NULL) {
		status->durable_counters = opa_control_outlives(publisher->control);
		for (int i = 0; i < OPA_COUNTER_COUNT; i++) {
			status->counters[i] = opa_control_get(publisher->control, (opa_counter)i);
		}
	}
	if (status->spool_open) {
		look_at_spool(publisher, outlet, status);
	} else {
		spool_problem(publisher, status->problem, sizeof(status->problem));
	}
	opa_publisher_leave(publisher);
}
