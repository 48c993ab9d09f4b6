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
	opa_publisher_count(publisher, OPA_COUNT_EXPORTER_STARTED,
		result == OPA_LAUNCH_STARTED || result == OPA_LAUNCH_AGAIN);
	opa_publisher_count(publisher, OPA_COUNT_EXPORTER_FAILED,
		result == OPA_LAUNCH_MISSING || result == OPA_LAUNCH_FAILED || result == OPA_LAUNCH_AGAIN);
	opa_publisher_leave(publisher);
}

/* ---- waiting for the exporter ---- */

typedef struct wait_point {
	uint16_t slot;
	uint64_t sequence;
	uint64_t offset;
	bool known;
} wait_point;

static wait_point point_of(const opa_publisher *publisher, const opa_line *line)
{
	wait_point point = {.known = true, .slot = (uint16_t)(line - publisher->lines)};
	opa_journal_position(line->journal, &point.sequence, &point.offset);
	return point;
}

static wait_point find_point(opa_publisher *publisher, const opa_outlet *outlet)
{
	const opa_line *line = opa_publisher_find_line(publisher, outlet->destination_id);
	return line != NULL ? point_of(publisher, line) : (wait_point){.known = !publisher->evicted};
}

static bool is_reached(const opa_publisher *publisher, const wait_point *point)
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

bool opa_publisher_has_waiting(const opa_publisher *publisher)
{
	for (int i = 0; i < OPA_CONTROL_ACKS; i++) {
		if (publisher->lines[i].journal != NULL) {
			wait_point point = point_of(publisher, &publisher->lines[i]);
			if (!is_reached(publisher, &point)) {
				return true;
			}
		}
	}
	return false;
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
