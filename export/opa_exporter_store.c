#include "opa_exporter_internal.h"

#include "../core/opa_alloc.h"
#include "../core/opa_clock.h"

#include <stdio.h>
#include <string.h>

#define BATCH_SPANS 4000 /* fewer write the same pages of the indexes more often */
#define BATCH_NS    (200 * OPA_MS_NS)

#define PRUNE_NS       (60 * OPA_SECOND_NS)
#define PRUNE_SMALL_NS (5 * PRUNE_NS / 60)
#define PRUNE_ROUNDS   20 /* of --once: a second or so */

/* A journal of the batch, and how far into it that goes. */
typedef struct moved {
	opa_journal_name journal;
	uint64_t offset;
} moved;

typedef struct store_sink {
	opa_sink sink;
	opa_store *store;
	uint64_t begun_at;
	uint64_t work;   /* spans of the batch, new or not */
	uint64_t spans;  /* new ones */
	uint64_t traces; /* complete ones */
	size_t count;
	moved journals[OPA_BATCH_SOURCES];
} store_sink;

/* ---- the sink ---- */

static store_sink *of(opa_sink *sink)
{
	return (store_sink *)sink;
}

/* Answers what it was given, for its caller to return. */
static bool tell(store_sink *s, bool done)
{
	if (!done) {
		snprintf(s->sink.problem, sizeof(s->sink.problem), "%s", opa_store_problem(s->store));
	}
	return done;
}

static bool position(opa_sink *sink, const char *journal, uint64_t *offset)
{
	return tell(of(sink), opa_store_position(of(sink)->store, journal, offset));
}

static bool begin(opa_sink *sink)
{
	store_sink *s = of(sink);
	s->begun_at = opa_clock_mono();
	s->work = s->spans = s->traces = s->count = 0;
	sink->problem[0] = '\0';
	sink->brought.spans = sink->brought.traces = 0;
	return tell(s, opa_store_begin(s->store));
}

/* Records of one journal come one after the other. */
static void move(store_sink *s, const char *journal, uint64_t offset)
{
	size_t i = s->count;
	while (i > 0 && strcmp(s->journals[i - 1].journal, journal) != 0) {
		i--;
	}
	moved *to = i > 0 ? &s->journals[i - 1] : &s->journals[s->count++];
	snprintf(to->journal, sizeof(to->journal), "%s", journal);
	to->offset = offset;
}

static opa_added add(opa_sink *sink, const opa_arrival *arrival)
{
	store_sink *s = of(sink);
	const opa_record_header *header = &arrival->record->header;
	uint32_t added = 0;
	if (!tell(s, opa_store_add(s->store, arrival->record, arrival->resource, &added))) {
		return OPA_ADD_FAILED;
	}
	move(s, arrival->journal, arrival->offset);
	s->work += header->spans;
	s->spans += added;
	s->traces += added > 0 && (header->flags & OPA_RECORD_COMPLETE) != 0;
	return s->work >= BATCH_SPANS || opa_clock_mono() - s->begun_at >= BATCH_NS ? OPA_ADDED_FULL
																				: OPA_ADDED;
}

static bool count(opa_sink *sink, const char *counter, uint64_t n)
{
	return tell(of(sink), opa_store_count(of(sink)->store, counter, n));
}

static bool drop(opa_sink *sink, const char *journal)
{
	return tell(of(sink), opa_store_drop_position(of(sink)->store, journal));
}

static opa_commit commit(opa_sink *sink, bool wait)
{
	store_sink *s = of(sink);
	(void)wait;
	for (size_t i = 0; i < s->count; i++) {
		const moved *m = &s->journals[i];
		if (!tell(s, opa_store_set_position(s->store, m->journal, m->offset))) {
			return OPA_COMMIT_FAILED;
		}
	}
	if (!tell(s, opa_store_commit(s->store))) {
		return OPA_COMMIT_FAILED;
	}
	sink->brought.spans = s->spans;
	sink->brought.traces = s->traces;
	return OPA_COMMIT_DONE;
}

static void rollback(opa_sink *sink)
{
	opa_store_rollback(of(sink)->store);
}

static void close_sink(opa_sink *sink)
{
	opa_store_close(of(sink)->store);
	opa_free(sink);
}

static const opa_sink_type type = {
	.position = position,
	.begin = begin,
	.add = add,
	.count = count,
	.drop = drop,
	.commit = commit,
	.rollback = rollback,
	.close = close_sink,
};

/* ---- opening ---- */

static opa_store *open_store(
	opa_exporter *exporter, const opa_target *target, bool must_exist, char *problem, size_t size)
{
	const opa_destination *d = &target->definition;
	opa_store_options options = {
		.path = d->path,
		.state_dir = d->state_dir,
		.home = d->home,
		.spool = exporter->spool.path,
		.group = d->group,
		.max_size = d->max_size,
		.spool_size = exporter->spool.max_size,
		.max_age = d->max_age,
		.durable = !exporter->spool.tmpfs,
		.must_exist = must_exist,
	};
	opa_store *store = opa_store_open(&options, problem, size);
	if (store != NULL && opa_store_problem(store)[0] != '\0') {
		opa_exporter_warn(exporter, opa_store_problem(store));
	}
	if (store != NULL && !opa_store_clean_positions(store, opa_exporter_has_file, exporter)) {
		snprintf(problem, size, "%s", opa_store_problem(store));
		opa_store_close(store);
		store = NULL;
	}
	return store;
}

bool opa_exporter_open_store(
	opa_exporter *exporter, opa_target *target, bool must_exist, char *problem, size_t size)
{
	store_sink *s = opa_calloc(1, sizeof(*s));
	if (s == NULL) {
		snprintf(problem, size, "out of memory");
		return false;
	}
	s->store = open_store(exporter, target, must_exist, problem, size);
	if (s->store == NULL) {
		opa_free(s);
		return false;
	}
	s->sink.type = &type;
	target->sink = &s->sink;
	target->store = s->store;
	target->prune_at = 0; /* soon */
	return true;
}

/* ---- pruning ---- */

void opa_exporter_prune(opa_exporter *exporter, opa_target *target)
{
	uint64_t now = opa_clock_mono();
	if (target->store == NULL || (now < target->prune_at && !target->prune_more)) {
		return;
	}
	if (!opa_store_prune(target->store, &target->prune_more)) {
		opa_exporter_fail(exporter, target, opa_store_problem(target->store), 0);
		return;
	}
	target->prune_at = now + (opa_store_is_small(target->store) ? PRUNE_SMALL_NS : PRUNE_NS);
}

void opa_exporter_prune_all(opa_exporter *exporter)
{
	for (opa_target *target = exporter->targets; target != NULL; target = target->next) {
		for (int i = 0; i < PRUNE_ROUNDS && target->prune_more; i++) {
			opa_exporter_prune(exporter, target);
		}
	}
}
