#include "opa_store_internal.h"

#include "../core/opa_clock.h"

#include <string.h>

#define STEP_SPANS   1000 /* removed in one transaction */
#define BUDGET_NS    (50ull * 1000 * 1000)
#define COUNT_PRUNED "store_traces_pruned"

typedef struct oldest {
	bool found;
	char trace_id[OPA_TRACE_ID_HEX];
	uint64_t stored;
} oldest;

static bool find_oldest(opa_store *store, oldest *trace)
{
	sqlite3_stmt *find = opa_store_statement(store, OPA_STATEMENT_PRUNE_OLDEST);
	*trace = (oldest){0};
	if (find == NULL) {
		return false;
	}
	int result = opa_store_step(store, find);
	if (result == SQLITE_ROW && sqlite3_column_bytes(find, 0) == OPA_TRACE_ID_HEX) {
		trace->found = true;
		memcpy(trace->trace_id, sqlite3_column_text(find, 0), OPA_TRACE_ID_HEX);
		trace->stored = (uint64_t)sqlite3_column_int64(find, 1);
	}
	sqlite3_reset(find);
	return result == SQLITE_ROW || result == SQLITE_DONE;
}

static bool is_too_old(const opa_store *store, const oldest *trace)
{
	uint64_t now = opa_clock_wall();
	return store->max_age > 0 && now > trace->stored &&
		   (now - trace->stored) / 1000000000 > store->max_age;
}

typedef struct size {
	bool too_large;  /* what is in use, without the free pages, is more than allowed */
	bool has_excess; /* free pages that make the file too large, or are a quarter of it */
} size;

static bool measure(opa_store *store, size *now)
{
	uint64_t pages, free_pages;
	if (!opa_store_number(store, OPA_STATEMENT_PAGE_COUNT, &pages) ||
		!opa_store_number(store, OPA_STATEMENT_FREE_COUNT, &free_pages)) {
		return false;
	}
	uint64_t most = store->max_size > 0 ? store->max_size / store->page_size : UINT64_MAX;
	now->too_large = pages - free_pages > most;
	now->has_excess = free_pages > 0 && (pages > most || free_pages * 4 > pages);
	return true;
}

static bool run_for_trace(opa_store *store, opa_statement which, const oldest *trace)
{
	sqlite3_stmt *statement = opa_store_statement(store, which);
	if (statement == NULL) {
		return false;
	}
	opa_store_bind_text(statement, 1, trace->trace_id, OPA_TRACE_ID_HEX);
	if (which != OPA_STATEMENT_PRUNE_TRACE) {
		sqlite3_bind_int(statement, 2, STEP_SPANS);
	}
	return opa_store_run(store, statement);
}

/*
 * Removes the trace, or so much of it as a step may. Its row goes last: a trace that is too large
 * for one step is found again by the next one, also after a crash. *spans: how many have gone.
 */
static bool remove_some(opa_store *store, const oldest *trace, int *spans)
{
	if (!run_for_trace(store, OPA_STATEMENT_PRUNE_COUNT, trace) ||
		!run_for_trace(store, OPA_STATEMENT_PRUNE_SPANS, trace)) {
		return false;
	}
	*spans = sqlite3_changes(store->db);
	if (*spans == STEP_SPANS) {
		return true;
	}
	return run_for_trace(store, OPA_STATEMENT_PRUNE_TRACE, trace) &&
		   opa_store_count(store, COUNT_PRUNED, 1);
}

/* The oldest traces, while they have to go, up to a step's worth of spans. */
static bool remove_oldest(opa_store *store, bool *more)
{
	int total = 0;
	while (total < STEP_SPANS) {
		oldest trace;
		size now;
		int spans = 0;
		if (!find_oldest(store, &trace) || !measure(store, &now)) {
			return false;
		}
		*more = trace.found && (now.too_large || is_too_old(store, &trace));
		if (!*more) {
			break;
		}
		if (!remove_some(store, &trace, &spans)) {
			return false;
		}
		total += spans + 1;
	}
	return opa_store_run(store, opa_store_statement(store, OPA_STATEMENT_PRUNE_RESOURCES));
}

/* Most calls find nothing to do; they take no write lock. */
static bool has_to_go(opa_store *store, bool *more)
{
	oldest trace;
	size now;
	if (!find_oldest(store, &trace) || !measure(store, &now)) {
		return false;
	}
	*more = trace.found && (now.too_large || is_too_old(store, &trace));
	return true;
}

static bool step(opa_store *store, bool *more)
{
	if (!opa_store_begin(store)) {
		return false;
	}
	if (!remove_oldest(store, more)) {
		opa_store_rollback(store);
		return false;
	}
	return opa_store_commit(store);
}

/*
 * Gives pages back to the file system, some at a time; but not the last free ones: the next spans
 * need them, and each page that is given back is another one moved.
 */
static bool shrink(opa_store *store, uint64_t until, bool *more)
{
	size now;
	do {
		if (!measure(store, &now)) {
			return false;
		}
		*more = now.has_excess;
		if (*more && !opa_store_run(store, opa_store_statement(store, OPA_STATEMENT_VACUUM))) {
			return false;
		}
	} while (*more && opa_clock_mono() < until);
	return true;
}

bool opa_store_prune(opa_store *store, bool *more)
{
	uint64_t until = opa_clock_mono() + BUDGET_NS;
	*more = false;
	if (!has_to_go(store, more)) {
		return false;
	}
	while (*more && opa_clock_mono() < until) {
		if (!step(store, more)) {
			return false;
		}
	}
	return *more || shrink(store, until, more);
}
