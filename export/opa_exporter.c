#include "opa_exporter_internal.h"

#include "../core/opa_alloc.h"
#include "../core/opa_clock.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define POLL_NS        (200 * OPA_MS_NS)
#define POLL_QUIET_NS  (1 * OPA_SECOND_NS)
#define QUIET_AFTER_NS (10 * OPA_SECOND_NS)
#define LOOK_NS        (10 * OPA_MS_NS)
#define CLEAN_NS       (60 * OPA_SECOND_NS)
#define SLICE_NS       (50 * OPA_MS_NS) /* of waiting for answers, between two looks for signals */
#define PATIENCE_NS    (3600 * OPA_SECOND_NS)
#define LATE_SECONDS   5 /* after the time to stop is over */

/* ---- signals ---- */

static void stop_signals(sigset_t *set)
{
	sigemptyset(set);
	sigaddset(set, SIGTERM);
	sigaddset(set, SIGINT);
}

/* Blocked and waited for: then no moment exists in which one is missed. */
static void set_up_signals(void)
{
	sigset_t set;
	signal(SIGHUP, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);
	signal(SIGTERM, SIG_DFL);
	signal(SIGINT, SIG_DFL);
	signal(SIGALRM, SIG_DFL);
	stop_signals(&set);
	sigprocmask(SIG_BLOCK, &set, NULL);
}

static uint64_t shutdown_timeout(const opa_exporter *exporter)
{
	unsigned most = 0;
	bool any = false;
	for (const opa_target *t = exporter->targets; t != NULL; t = t->next) {
		if (t->defined && t->definition.shutdown_timeout >= most) {
			most = t->definition.shutdown_timeout;
			any = true;
		}
	}
	return (any ? most : OPA_DESTINATION_TIMEOUT_MS) * OPA_MS_NS;
}

/* Waits so long for a signal that says stop. */
static void wait_for_stop(opa_exporter *exporter, uint64_t ns)
{
	sigset_t set;
	struct timespec time = {(time_t)(ns / OPA_SECOND_NS), (long)(ns % OPA_SECOND_NS)};
	stop_signals(&set);
	if (sigtimedwait(&set, NULL, &time) > 0 && !exporter->stopping) {
		uint64_t timeout = shutdown_timeout(exporter);
		exporter->stopping = true;
		exporter->stop_at = opa_clock_mono() + timeout;
		if (exporter->http != NULL) {
			/* Whatever a library waits for: being killed costs a repetition, nothing else. */
			alarm((unsigned)(timeout / OPA_SECOND_NS) + LATE_SECONDS);
		}
	}
}

bool opa_exporter_may_go_on(opa_exporter *exporter)
{
	uint64_t now = opa_clock_mono();
	if (now - exporter->looked_at >= LOOK_NS) {
		exporter->looked_at = now;
		wait_for_stop(exporter, 0);
		opa_exporter_measure(exporter);
		opa_exporter_write_state(exporter, false, false);
	}
	return !exporter->stopping || now < exporter->stop_at;
}

/* ---- the loop ---- */

static void clean(opa_exporter *exporter)
{
	uint64_t now = opa_clock_mono();
	if (now >= exporter->clean_at) {
		exporter->clean_at = now + CLEAN_NS;
		opa_journal_clean_tmp(&exporter->spool);
	}
}

static void do_round(opa_exporter *exporter)
{
	opa_exporter_take_in(exporter);
	if (exporter->had_data) {
		exporter->data_at = opa_clock_mono();
	}
	if (opa_exporter_may_go_on(exporter)) {
		opa_exporter_visit_controls(exporter);
	}
	clean(exporter);
	opa_exporter_measure(exporter);
	opa_exporter_write_state(exporter, false, false);
}

static bool has_batch(const opa_exporter *exporter)
{
	for (const opa_target *t = exporter->targets; t != NULL; t = t->next) {
		if (t->batch.since != 0) {
			return true;
		}
	}
	return false;
}

/* Whether traces wait for a collector that may come back: then it is worth to stay for a while. */
static bool is_holding(const opa_exporter *exporter)
{
	for (const opa_target *t = exporter->targets; t != NULL; t = t->next) {
		if (t->failing && t->definition.type == OPA_DESTINATION_COLLECTOR &&
			t->blocked_round == exporter->round) {
			return opa_clock_mono() - exporter->data_at < PATIENCE_NS;
		}
	}
	return false;
}

static bool is_idle(const opa_exporter *exporter, unsigned seconds)
{
	return exporter->live == 0 && exporter->live_controls == 0 && !has_batch(exporter) &&
		   !is_holding(exporter) && opa_clock_mono() - exporter->data_at >= seconds * OPA_SECOND_NS;
}

static uint64_t least(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/*
 * In a quiet hour it looks less often, but often enough for a collector's linger; what waits for
 * more to come, or for another try, is not kept waiting longer than that.
 */
static uint64_t pause_length(const opa_exporter *exporter)
{
	uint64_t now = opa_clock_mono();
	uint64_t pause = now - exporter->data_at < QUIET_AFTER_NS ? POLL_NS : POLL_QUIET_NS;
	for (const opa_target *t = exporter->targets; t != NULL; t = t->next) {
		if (t->sink == NULL || t->store != NULL) {
			continue;
		}
		pause = least(pause, t->sink->linger > POLL_NS ? t->sink->linger : POLL_NS);
		bool retries = t->failing && t->blocked_round == exporter->round;
		uint64_t due = retries ? t->retry_at : t->batch.since + t->sink->linger;
		if (retries || (t->batch.since != 0 && !t->batch.pending)) {
			pause = least(pause, due > now ? due - now : 0);
		}
	}
	return pause;
}

/* Until the next round: it comes early when a collector has answered. */
static void rest(opa_exporter *exporter)
{
	uint64_t until = opa_clock_mono() + pause_length(exporter);
	for (uint64_t now = opa_clock_mono(); now < until && !exporter->stopping;
		 now = opa_clock_mono()) {
		if (exporter->http == NULL || !opa_http_is_busy(exporter->http)) {
			wait_for_stop(exporter, until - now);
			return;
		}
		uint64_t slice = least(until - now, SLICE_NS);
		if (opa_http_wait(exporter->http, (unsigned)(slice / OPA_MS_NS))) {
			break;
		}
		wait_for_stop(exporter, 0);
	}
	wait_for_stop(exporter, 0);
}

/* Whether there is a journal that the last round did not see; those that wait are no news. */
static bool has_news(opa_exporter *exporter)
{
	opa_journal_name *names;
	bool news = false;
	long count = opa_journal_list(&exporter->spool, &names);
	for (long i = 0; i < count && !news; i++) {
		news = !opa_exporter_knows(exporter, names[i]);
	}
	opa_free(count >= 0 ? names : NULL);
	return news;
}

/*
 * A process that published between the last look and the end of the lease found it taken and
 * started nobody. So one more look follows without it. False: there is something, and the lease is
 * ours again.
 */
static bool leave(opa_exporter *exporter)
{
	opa_exporter_write_state(exporter, true, true);
	opa_exporter_release_lease(exporter);
	if (!has_news(exporter) || opa_exporter_take_lease(exporter, -1) != OPA_LEASE_TAKEN) {
		return true;
	}
	exporter->data_at = opa_clock_mono();
	return false;
}

/* Brings in what came until the signal, unless the time is up. */
static void drain(opa_exporter *exporter)
{
	if (opa_exporter_may_go_on(exporter)) {
		do_round(exporter);
	}
	opa_exporter_write_state(exporter, true, true);
}

static void serve(opa_exporter *exporter, unsigned idle_seconds)
{
	exporter->data_at = opa_clock_mono();
	opa_exporter_find_recent(exporter); /* whose traces may have become too old */
	opa_exporter_write_state(exporter, true, false);
	while (opa_exporter_owns_spool(exporter)) {
		do_round(exporter);
		if (exporter->stopping) {
			drain(exporter);
			return;
		}
		if (is_idle(exporter, idle_seconds) && opa_exporter_owns_spool(exporter)) {
			if (leave(exporter)) {
				return;
			}
			continue;
		}
		rest(exporter);
	}
}

static opa_exporter_result serve_once(opa_exporter *exporter, char *problem, size_t size)
{
	opa_exporter_find_recent(exporter);
	do_round(exporter);
	opa_exporter_prune_all(exporter);
	for (opa_target *t = exporter->targets; t != NULL; t = t->next) {
		if (t->gone.len > 0 && opa_exporter_begin(exporter, t)) {
			opa_exporter_commit(exporter, t);
		}
	}
	opa_exporter_write_state(exporter, true, true);
	snprintf(problem, size, "%s", exporter->problem);
	return problem[0] != '\0' ? OPA_EXPORTER_TROUBLE : OPA_EXPORTER_DONE;
}

static opa_exporter_result run_with_lease(
	opa_exporter *exporter, const opa_exporter_options *options, char *problem, size_t size)
{
	opa_exporter_result result = OPA_EXPORTER_DONE;
	if (options->once) {
		result = serve_once(exporter, problem, size);
	} else {
		serve(exporter, options->idle_seconds);
	}
	for (opa_target *t = exporter->targets; t != NULL; t = t->next) {
		t->batch = (opa_batch){0};
	}
	opa_exporter_forget_sources(exporter, true);
	opa_exporter_close_targets(exporter);
	opa_exporter_release_lease(exporter);
	return result;
}

opa_exporter_result opa_exporter_run(
	const opa_exporter_options *options, char *problem, size_t size)
{
	opa_exporter exporter = {.lease = -1, .once = options->once, .local = options->local};
	int reason;
	opa_exporter_result result;
	problem[0] = '\0';
	umask(077);
	set_up_signals();
	exporter.started = opa_clock_wall() / OPA_SECOND_NS;
	opa_spool_error error = opa_spool_open_existing(&exporter.spool, options->spool, &reason);
	if (error != OPA_SPOOL_OK) {
		snprintf(problem, size, "cannot use the spool %s: %s", options->spool,
			reason != 0 ? strerror(reason) : opa_spool_error_text(error));
		return OPA_EXPORTER_TROUBLE;
	}
	switch (opa_exporter_take_lease(&exporter, options->lease_fd)) {
	case OPA_LEASE_TAKEN:
		result = run_with_lease(&exporter, options, problem, size);
		break;
	case OPA_LEASE_BUSY:
		result = options->once ? OPA_EXPORTER_BUSY : OPA_EXPORTER_DONE;
		break;
	default:
		snprintf(problem, size, "cannot lock %s/lease: %s", options->spool, strerror(errno));
		result = OPA_EXPORTER_TROUBLE;
		break;
	}
	opa_spool_close(&exporter.spool);
	return result;
}
