#include "opa_publish_internal.h"
#include "../core/opa_alloc.h"
#include "../core/opa_clock.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define POLL_MS 10u /* opa_publish_flush(): the longest sleep between two looks */

/* ---- starting it ---- */

bool opa_publisher_plan_launch(opa_publisher *publisher, const opa_outlet *outlet, opa_spool *plan)
{
	uint64_t now = opa_clock_mono();
	if (outlet->exporter == NULL || publisher->spool.dir < 0 || now < publisher->next_launch) {
		return false;
	}
	publisher->next_launch = now + OPA_SECOND_NS;
	return opa_publisher_lend_spool(publisher, plan);
}

void opa_publisher_run_exporter(opa_publisher *publisher, const opa_outlet *outlet, opa_spool *plan)
{
	int problem;
	opa_launch_result result = opa_launch(plan, outlet->exporter, &problem);
	opa_spool_close(plan);
	opa_mutex_lock(&publisher->mutex);
	publisher->launch = result;
	publisher->launch_errno = problem;
	opa_publisher_count(publisher, OPA_COUNT_EXPORTER_STARTED, result == OPA_LAUNCH_STARTED);
	opa_publisher_count(publisher, OPA_COUNT_EXPORTER_FAILED,
		result == OPA_LAUNCH_MISSING || result == OPA_LAUNCH_FAILED);
	opa_publisher_leave(publisher);
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
	uint64_t period = opa_clock_wall() / OPA_SECOND_NS / LOG_PERIOD;
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
	opa_publisher_enter(publisher);
	bool told = publisher->looked && publisher->spool.dir >= 0 &&
				(exporter_problem(publisher, to, size) || launch_problem(publisher, to, size)) &&
				is_first_to_log(publisher);
	publisher->looked = false;
	opa_publisher_leave(publisher);
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
	opa_line *from = opa_publisher_find_line(publisher, outlet->destination_id);
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
	uint64_t deadline = opa_clock_mono() + (uint64_t)timeout_ms * OPA_MS_NS;
	opa_publisher_enter(publisher);
	opa_publisher_look(publisher, outlet);
	wait_point point = find_point(publisher, outlet);
	for (unsigned pause = 1;; pause = pause < POLL_MS ? pause + 1 : POLL_MS) {
		opa_spool plan;
		bool reached = is_reached(publisher, &point);
		bool launch = !reached && opa_publisher_plan_launch(publisher, outlet, &plan);
		opa_publisher_leave(publisher);
		if (launch) {
			opa_publisher_run_exporter(publisher, outlet, &plan);
		}
		uint64_t now = opa_clock_mono();
		bool hopeless = launch && (publisher->launch == OPA_LAUNCH_MISSING ||
									  publisher->launch == OPA_LAUNCH_FAILED);
		if (reached || hopeless || now >= deadline) {
			return reached;
		}
		uint64_t rest = deadline - now;
		uint64_t nap = (uint64_t)pause * OPA_MS_NS;
		nanosleep(&(struct timespec){.tv_nsec = (long)(nap < rest ? nap : rest)}, NULL);
		opa_publisher_enter(publisher);
	}
}

/* ---- looking ---- */

void opa_publish_status_get(
	opa_publisher *publisher, const opa_outlet *outlet, opa_publish_status *status)
{
	memset(status, 0, sizeof(*status));
	opa_publisher_enter(publisher);
	publisher->next_look = 0;
	opa_publisher_look(publisher, outlet);
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
		status->spool_size = publisher->size;
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
	opa_publisher_leave(publisher);
}
