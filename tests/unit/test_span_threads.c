/*
 * Eight threads of one owner start, tag, hang and end each other's spans while traces finish under
 * them, and foreign owners try the same in vain. Afterwards every span that was started is on the
 * wire once, with what the model says.
 *
 * The model needs no lock: a thread writes only attributes that bear its own number, and only it
 * re-hangs the spans that it has started, so each thing in the model has one writer.
 */
#include "support.h"

#include <pthread.h>
#include <stdatomic.h>

#define THREADS    8
#define FOREIGN    2
#define SLOTS      256
#define TRACES     6
#define ROUND      20000 /* operations of a thread in a round */
#define MOST_SPANS (ROUND / 2)

struct entry {
	opa_span_id id;
	opa_span_id parent;
	uint32_t last[THREADS]; /* value of the thread's attribute, 0: none */
	uint8_t events[THREADS];
	atomic_uint ends; /* that said OK */
	unsigned seen;
	bool checked; /* there is no circle above it */
};

struct world {
	opa_span_table *table;
	uint64_t owner;
	opa_span_limits limits;
	_Atomic(struct entry *) slots[SLOTS];
	_Atomic(struct entry *) roots[TRACES];
	atomic_bool over;
};

struct worker {
	struct world *world;
	unsigned number;
	uint64_t seed;
	struct entry *entries;
	unsigned count;
	collected out;
	unsigned long operations;
	pthread_t thread;
};

static struct entry *some(struct worker *w)
{
	return atomic_load(&w->world->slots[random_below(&w->seed, SLOTS)]);
}

static struct entry *enter(struct worker *w, opa_span_id id, opa_span_id parent)
{
	struct entry *e = &w->entries[w->count++];
	memset(e, 0, sizeof(*e));
	e->id = id;
	e->parent = parent;
	return e;
}

static void start_span(struct worker *w)
{
	struct world *world = w->world;
	struct entry *parent = random_below(&w->seed, 4) == 0
							   ? atomic_load(&world->roots[random_below(&w->seed, TRACES)])
							   : some(w);
	if (parent == NULL || w->count == MOST_SPANS) {
		return;
	}
	opa_span_id id = span_begin(world->table, world->owner, parent->id);
	if (id != OPA_NO_SPAN) {
		struct entry *e = enter(w, id, parent->id);
		atomic_store(&world->slots[random_below(&w->seed, SLOTS)], e);
	}
}

static void tag_span(struct worker *w, struct entry *e)
{
	static const char *const long_value = "a value that is longer than what fits into a block, so "
										  "that it must grow while the others are at it";
	struct world *world = w->world;
	char key[8] = {'t', (char)('0' + w->number), 0};
	uint32_t value = e->last[w->number] + 1;
	if (opa_span_set_attributes(world->table, world->owner, e->id, tag_int(key, value)) ==
		OPA_SPAN_OK) {
		e->last[w->number] = value;
	}
	if (value % 4 == 0) {
		opa_span_set_attributes(world->table, world->owner, e->id, tag("long", long_value));
	}
}

static void add_event(struct worker *w, struct entry *e)
{
	char name[8] = {'e', (char)('0' + w->number), 0};
	if (e->events[w->number] < 10 && opa_span_add_event(w->world->table, w->world->owner, e->id,
										 OPA_NOW, event_fields(name)) == OPA_SPAN_OK) {
		e->events[w->number]++;
	}
}

static void end_span(struct worker *w, struct entry *e)
{
	opa_batch batch;
	if (opa_span_end(w->world->table, w->world->owner, e->id, OPA_NOW, &batch) == OPA_SPAN_OK) {
		atomic_fetch_add(&e->ends, 1);
	}
	if (batch.data != NULL) {
		collect(&w->out, w->world->table, &batch);
	}
}

static void hang_span(struct worker *w)
{
	struct entry *parent = some(w);
	if (w->count == 0 || parent == NULL) {
		return;
	}
	struct entry *own =
		&w->entries[w->count - 1 - random_below(&w->seed, w->count) % 16 % w->count];
	if (opa_span_set_parent(w->world->table, w->world->owner, own->id, parent->id) == OPA_SPAN_OK) {
		own->parent = parent->id;
	}
}

/* A new trace takes the place of one that is finished while the others work on its spans. */
static void finish_trace(struct worker *w)
{
	struct world *world = w->world;
	opa_batch batch;
	if (w->count == MOST_SPANS) {
		return;
	}
	opa_span_id root = trace_begin(world->table, world->owner, &world->limits);
	CHECK(root != OPA_NO_SPAN);
	struct entry *e = enter(w, root, OPA_NO_SPAN);
	struct entry *old = atomic_exchange(&world->roots[random_below(&w->seed, TRACES)], e);
	CHECK(opa_trace_finish(world->table, world->owner, old->id, OPA_NO_SPAN, 0, &batch) ==
		  OPA_SPAN_OK);
	CHECK(batch.complete);
	collect(&w->out, world->table, &batch);
}

static void flush_trace(struct worker *w)
{
	opa_batch batch;
	struct entry *e = atomic_load(&w->world->roots[random_below(&w->seed, TRACES)]);
	opa_trace_flush(w->world->table, w->world->owner, e->id, &batch);
	collect(&w->out, w->world->table, &batch);
}

static void *work(void *arg)
{
	struct worker *w = arg;
	for (unsigned i = 0; i < ROUND; i++) {
		uint64_t what = random_below(&w->seed, 1000);
		struct entry *e = some(w);
		w->operations++;
		if (what < 350) {
			start_span(w);
		} else if (what < 355) {
			finish_trace(w);
		} else if (what < 360) {
			flush_trace(w);
		} else if (what < 420) {
			hang_span(w);
		} else if (e == NULL) {
			continue;
		} else if (what < 700) {
			tag_span(w, e);
		} else if (what < 750) {
			add_event(w, e);
		} else if (what < 970) {
			end_span(w, e);
		} else {
			opa_span_is_open(w->world->table, w->world->owner, e->id);
		}
	}
	return NULL;
}

/* Has a trace of its own, and knows the ids of the others. */
static void *work_as_foreigner(void *arg)
{
	struct worker *w = arg;
	opa_span_table *t = w->world->table;
	opa_batch batch;
	uint64_t owner = opa_span_owner_make(t);
	opa_span_id root = trace_begin(t, owner, &roomy);
	CHECK(root != OPA_NO_SPAN);
	while (!atomic_load(&w->world->over)) {
		struct entry *e = some(w);
		w->operations++;
		if (e == NULL) {
			continue;
		}
		CHECK(opa_span_set_attributes(t, owner, e->id, tag("foreign", "x")) == OPA_SPAN_UNKNOWN);
		CHECK(opa_span_end(t, owner, e->id, OPA_NOW, &batch) == OPA_SPAN_UNKNOWN);
		CHECK(opa_span_set_parent(t, owner, e->id, root) == OPA_SPAN_UNKNOWN);
		CHECK(opa_span_set_parent(t, owner, root, e->id) != OPA_SPAN_OK);
		CHECK(opa_trace_finish(t, owner, e->id, OPA_NO_SPAN, 0, &batch) == OPA_SPAN_UNKNOWN);
		CHECK(span_begin(t, owner, e->id) == OPA_NO_SPAN);
	}
	CHECK(opa_trace_finish(t, owner, root, OPA_NO_SPAN, 0, &batch) == OPA_SPAN_OK);
	CHECK(batch.spans == 1);
	opa_batch_release(t, &batch);
	return NULL;
}

/* ---- afterwards ---- */

/* One thread reads here what others have left: nothing for ThreadSanitizer, and slow under it. */
#define ONE_THREAD __attribute__((no_sanitize("thread")))

static struct entry **sorted;
static size_t sorted_count;

ONE_THREAD static int by_id(const void *a, const void *b)
{
	opa_span_id x = (*(struct entry *const *)a)->id, y = (*(struct entry *const *)b)->id;
	return x < y ? -1 : x > y;
}

ONE_THREAD static struct entry *entry_of(opa_span_id id)
{
	struct entry key = {.id = id}, *pointer = &key;
	struct entry **found = bsearch(&pointer, sorted, sorted_count, sizeof(*sorted), by_id);
	return found == NULL ? NULL : *found;
}

ONE_THREAD static void sort_entries(struct worker *workers)
{
	sorted_count = 0;
	for (int i = 0; i < THREADS; i++) {
		for (unsigned k = 0; k < workers[i].count; k++) {
			sorted[sorted_count++] = &workers[i].entries[k];
		}
	}
	qsort(sorted, sorted_count, sizeof(*sorted), by_id);
	for (size_t i = 1; i < sorted_count; i++) {
		assert_true(sorted[i]->id != sorted[i - 1]->id);
	}
}

ONE_THREAD static void check_span(const wire_span *span)
{
	struct entry *e = entry_of(span->id);
	assert_non_null(e);
	assert_int_equal(e->seen++, 0);
	assert_true(span->parent == e->parent);
	assert_true(atomic_load(&e->ends) <= 1);
	assert_true((wire_attribute(span, "opa.unfinished") != NULL) == (atomic_load(&e->ends) == 0));
	assert_null(wire_attribute(span, "foreign"));
	uint32_t events = 0;
	for (int i = 0; i < THREADS; i++) {
		char key[8] = {'t', (char)('0' + i), 0};
		const opa_str *any = wire_attribute(span, key);
		assert_true(any == NULL ? e->last[i] == 0 : wire_int(*any) == e->last[i]);
		events += e->events[i];
	}
	assert_int_equal(span->event_count, events);
}

/* Goes up from each span until it comes to one from which that was done before, or to a root. */
ONE_THREAD static void check_circles(void)
{
	for (size_t i = 0; i < sorted_count; i++) {
		size_t steps = 0;
		for (struct entry *e = sorted[i]; e != NULL && !e->checked;) {
			assert_true(steps++ <= sorted_count);
			e = e->parent == OPA_NO_SPAN ? NULL : entry_of(e->parent);
		}
		sorted[i]->checked = true;
	}
}

ONE_THREAD static void check_round(struct world *world, struct worker *workers)
{
	static wire_span span;
	size_t open_spans, bytes;
	opa_span_table_usage(world->table, &open_spans, &bytes);
	assert_int_equal(open_spans + bytes, 0);
	sort_entries(workers);
	size_t there = 0;
	for (int i = 0; i < THREADS; i++) {
		size_t at = 0;
		assert_int_equal(workers[i].out.counts[OPA_TRACE_SPANS_LOST], 0);
		while (wire_next_span(workers[i].out.data, workers[i].out.len, &at, &span)) {
			check_span(&span);
			there++;
		}
	}
	assert_int_equal(there, sorted_count);
	check_circles();
}

static void run_round(struct world *world, struct worker *workers)
{
	atomic_store(&world->over, false);
	memset((void *)world->slots, 0, sizeof(world->slots));
	for (int i = 0; i < THREADS; i++) {
		workers[i].count = 0;
	}
	for (int i = 0; i < TRACES; i++) {
		opa_span_id root = trace_begin(world->table, world->owner, &world->limits);
		atomic_store(&world->roots[i], enter(&workers[0], root, OPA_NO_SPAN));
		atomic_store(&world->slots[i], atomic_load(&world->roots[i]));
	}
	for (int i = 0; i < THREADS + FOREIGN; i++) {
		assert_int_equal(pthread_create(&workers[i].thread, NULL,
							 i < THREADS ? work : work_as_foreigner, &workers[i]),
			0);
	}
	for (int i = 0; i < THREADS + FOREIGN; i++) {
		atomic_store(&world->over, i == THREADS ? true : atomic_load(&world->over));
		pthread_join(workers[i].thread, NULL);
	}
	for (int i = 0; i < TRACES; i++) {
		opa_batch batch;
		opa_span_id root = atomic_load(&world->roots[i])->id;
		assert_int_equal(opa_trace_finish(world->table, world->owner, root, OPA_NO_SPAN, 0, &batch),
			OPA_SPAN_OK);
		collect(&workers[0].out, world->table, &batch);
	}
}

static void run_rounds(unsigned shards)
{
	static struct world world;
	struct worker workers[THREADS + FOREIGN] = {{.world = NULL}};
	unsigned long done = 0, wanted = scaled_but_tsan(10000000, THREADS * ROUND);
	world = (struct world){.limits = roomy};
	world.limits.flush_size = 20000;
	world.table = opa_span_table_create(shards);
	world.owner = opa_span_owner_make(world.table);
	sorted = malloc(THREADS * MOST_SPANS * sizeof(*sorted));
	for (unsigned i = 0; i < THREADS + FOREIGN; i++) {
		workers[i] = (struct worker){.world = &world, .number = i, .seed = shards * 100 + i};
		workers[i].entries = malloc(MOST_SPANS * sizeof(struct entry));
	}
	while (done < wanted) {
		run_round(&world, workers);
		check_round(&world, workers);
		done = 0;
		for (int i = 0; i < THREADS; i++) {
			done += workers[i].operations;
			collected_free(&workers[i].out);
		}
	}
	print_message("%lu operations of 8 threads, %lu x 6 foreign ones\n", done,
		workers[THREADS].operations + workers[THREADS + 1].operations);
	for (int i = 0; i < THREADS + FOREIGN; i++) {
		free(workers[i].entries);
	}
	free(sorted);
	assert_true(table_works(world.table));
	opa_span_table_destroy(world.table);
}

static void threads_on_each_others_spans_in_one_shard_agree_with_the_model(void **state)
{
	(void)state;
	run_rounds(1);
}

static void threads_on_each_others_spans_in_many_shards_agree_with_the_model(void **state)
{
	(void)state;
	run_rounds(64);
}

/* ---- owners of their own ---- */

static void *own_request(void *arg)
{
	opa_span_table *table = arg;
	for (unsigned long i = scaled(20000, 200); i > 0; i--) {
		CHECK(table_works(table));
	}
	return NULL;
}

static void threads_with_requests_of_their_own_do_not_meet(void **state)
{
	(void)state;
	opa_span_table *table = opa_span_table_create(64);
	pthread_t threads[THREADS];
	size_t open_spans, bytes;
	for (int i = 0; i < THREADS; i++) {
		assert_int_equal(pthread_create(&threads[i], NULL, own_request, table), 0);
	}
	for (int i = 0; i < 1000; i++) {
		opa_span_table_usage(table, &open_spans, &bytes);
		assert_true(open_spans <= 2 * THREADS);
	}
	for (int i = 0; i < THREADS; i++) {
		pthread_join(threads[i], NULL);
	}
	opa_span_table_usage(table, &open_spans, &bytes);
	assert_int_equal(open_spans + bytes, 0);
	opa_span_table_destroy(table);
}

/* ---- age ---- */

struct aged {
	opa_span_table *table;
	uint64_t owner;
	opa_span_id root;
	atomic_uint pieces;
	atomic_uint *over;
};

static void *end_in_one_trace(void *arg)
{
	struct aged *a = arg;
	opa_batch batch;
	for (unsigned long i = scaled(100000, 2000); i > 0; i--) {
		opa_span_id id = span_begin(a->table, a->owner, a->root);
		CHECK(opa_span_end(a->table, a->owner, id, OPA_NOW, &batch) == OPA_SPAN_OK);
		if (batch.data != NULL) {
			atomic_fetch_add(&a->pieces, 1);
			opa_batch_release(a->table, &batch);
		}
	}
	atomic_fetch_add(a->over, 1);
	return NULL;
}

/* A flush between a thread's look at the clock and its lock must not make the trace look old. */
static void a_young_trace_is_not_flushed_for_its_age(void **state)
{
	(void)state;
	opa_span_limits limits = roomy;
	limits.flush_age = (uint64_t)3600 * 1000000000;
	atomic_uint over = 0;
	struct aged a = {.table = opa_span_table_create(1), .over = &over};
	pthread_t threads[3];
	opa_batch batch;
	a.owner = opa_span_owner_make(a.table);
	a.root = trace_begin(a.table, a.owner, &limits);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(pthread_create(&threads[i], NULL, end_in_one_trace, &a), 0);
	}
	while (atomic_load(&over) < 3) {
		opa_trace_flush(a.table, a.owner, a.root, &batch);
		opa_batch_release(a.table, &batch);
	}
	for (int i = 0; i < 3; i++) {
		pthread_join(threads[i], NULL);
	}
	assert_int_equal(a.pieces, 0);
	opa_span_table_destroy(a.table);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(threads_on_each_others_spans_in_one_shard_agree_with_the_model),
		cmocka_unit_test(threads_on_each_others_spans_in_many_shards_agree_with_the_model),
		cmocka_unit_test(a_young_trace_is_not_flushed_for_its_age),
		cmocka_unit_test(threads_with_requests_of_their_own_do_not_meet),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
