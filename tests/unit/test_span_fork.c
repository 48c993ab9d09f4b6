/* fork(2) while other threads work: the child can use the table at once, and writes only its own.
 */
#include "support.h"

#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

/* A child must end, whatever happens: then the test fails instead of hanging. */
#define CHILD_SECONDS 60

static int fork_with(opa_span_table *table)
{
	opa_span_table_fork_prepare(table);
	int pid = fork();
	CHECK(pid >= 0);
	if (pid > 0) {
		opa_span_table_fork_parent(table);
		return pid;
	}
	alarm(CHILD_SECONDS);
	opa_span_table_fork_child(table);
	return 0;
}

/* For children: cmocka's assertions are the parent's. */
static unsigned count_spans(const opa_batch *batch)
{
	return batch->data == NULL ? 0 : batch->spans;
}

static opa_span_result try_tag(fixture *f, opa_span_id id)
{
	return opa_span_set_attributes(f->table, f->owner, id, tag("k", "v"));
}

/* ---- one thread ---- */

static void check_frozen(fixture *f, opa_span_id open, opa_span_id other)
{
	opa_batch batch;
	opa_span_table *t = f->table;
	opa_value value = OPA_VALUE_OF_STRING(OPA_STR("v"));
	CHECK(try_tag(f, open) == OPA_SPAN_REFUSED);
	CHECK(opa_span_set_attribute(t, f->owner, open, OPA_STR("k"), &value) == OPA_SPAN_REFUSED);
	CHECK(opa_span_add_event(t, f->owner, open, OPA_NOW, event_fields("e")) == OPA_SPAN_REFUSED);
	CHECK(opa_span_add_exception(t, f->owner, open, 1, event_fields("e"), str("m")) ==
		  OPA_SPAN_REFUSED);
	CHECK(opa_span_add_link(t, f->owner, open, link_fields(1)) == OPA_SPAN_REFUSED);
	CHECK(opa_span_set_name(t, f->owner, open, str("x")) == OPA_SPAN_REFUSED);
	CHECK(opa_span_set_status(t, f->owner, open, OPA_STATUS_ERROR, str(""), false) ==
		  OPA_SPAN_REFUSED);
	CHECK(opa_span_set_parent(t, f->owner, open, other) == OPA_SPAN_REFUSED);
	CHECK(opa_span_end(t, f->owner, open, OPA_NOW, &batch) == OPA_SPAN_REFUSED);
	CHECK(batch.data == NULL);
	CHECK(!opa_span_is_open(t, f->owner, open));
	CHECK(opa_span_root(t, f->owner, open) == f->root);
}

static void what_was_open_can_only_be_a_parent_in_the_child(void **state)
{
	fixture *f = *state;
	opa_span_id open = begin(f, f->root);
	int pid = fork_with(f->table);
	if (pid == 0) {
		opa_batch batch;
		wire_span span;
		size_t at = 0;
		check_frozen(f, open, f->root);
		check_frozen(f, f->root, open);
		CHECK(!opa_trace_has_open_spans(f->table, f->owner, f->root, OPA_NO_SPAN));
		opa_span_id own = span_begin(f->table, f->owner, f->root);
		CHECK(own != OPA_NO_SPAN);
		CHECK(opa_trace_has_open_spans(f->table, f->owner, f->root, OPA_NO_SPAN));
		CHECK(!opa_trace_has_open_spans(f->table, f->owner, f->root, own));
		CHECK(opa_span_set_parent(f->table, f->owner, own, open) == OPA_SPAN_OK);
		CHECK(opa_span_set_parent(f->table, f->owner, open, own) == OPA_SPAN_REFUSED);
		CHECK(try_tag(f, own) == OPA_SPAN_OK);
		CHECK(opa_trace_finish(f->table, f->owner, f->root, OPA_NO_SPAN, 0, &batch) == OPA_SPAN_OK);
		CHECK(batch.spans == 1 && wire_next_span(batch.data, batch.len, &at, &span));
		CHECK(span.id == own && span.parent == open && at == batch.len);
		CHECK(batch.counts[OPA_TRACE_SPANS_STARTED] == 1);
		CHECK(batch.counts[OPA_TRACE_SPANS_UNFINISHED] == 1);
		_exit(0);
	}
	assert_int_equal(wait_child(pid), 0);
	assert_int_equal(set_tag(f, open, "parent", "goes on"), OPA_SPAN_OK);
	end(f, open);
	finish(f);
	assert_int_equal(f->out.spans, 2);
}

static void finished_spans_are_in_the_parents_batch_only(void **state)
{
	fixture *f = *state;
	for (int i = 0; i < 10; i++) {
		end(f, begin(f, f->root));
	}
	int pid = fork_with(f->table);
	if (pid == 0) {
		opa_batch batch;
		size_t open_spans, bytes;
		CHECK(opa_trace_flush(f->table, f->owner, f->root, &batch) == OPA_SPAN_OK);
		CHECK(batch.data == NULL && batch.block == NULL);
		opa_span_id own = span_begin(f->table, f->owner, f->root);
		CHECK(opa_span_end(f->table, f->owner, own, OPA_NOW, &batch) == OPA_SPAN_OK);
		CHECK(opa_trace_finish(f->table, f->owner, f->root, OPA_NO_SPAN, 0, &batch) == OPA_SPAN_OK);
		CHECK(count_spans(&batch) == 1);
		CHECK(batch.counts[OPA_TRACE_SPANS_STARTED] == 1);
		opa_batch_release(f->table, &batch);
		opa_span_table_usage(f->table, &open_spans, &bytes);
		CHECK(open_spans == 0 && bytes == 0);
		_exit(0);
	}
	assert_int_equal(wait_child(pid), 0);
	finish(f);
	assert_int_equal(f->out.spans, 11);
	assert_int_equal(f->out.counts[OPA_TRACE_SPANS_STARTED], 11);
}

static void a_child_that_traced_nothing_has_nothing_to_hand_out(void **state)
{
	fixture *f = *state;
	end(f, begin(f, f->root));
	int pid = fork_with(f->table);
	if (pid == 0) {
		opa_batch batch;
		CHECK(opa_trace_finish(f->table, f->owner, f->root, OPA_NO_SPAN, 0, &batch) == OPA_SPAN_OK);
		CHECK(batch.data == NULL && batch.spans == 0 && batch.complete && !batch.error);
		for (int i = 0; i < OPA_TRACE_COUNTS; i++) {
			CHECK(batch.counts[i] == 0);
		}
		CHECK(table_works(f->table));
		_exit(0);
	}
	assert_int_equal(wait_child(pid), 0);
}

static void an_error_of_the_parents_is_not_the_childs(void **state)
{
	fixture *f = *state;
	opa_span_id bad = begin(f, f->root);
	opa_span_set_status(f->table, f->owner, bad, OPA_STATUS_ERROR, str("bad"), false);
	end(f, bad);
	int pid = fork_with(f->table);
	if (pid == 0) {
		opa_batch batch;
		span_begin(f->table, f->owner, f->root);
		CHECK(opa_trace_finish(f->table, f->owner, f->root, OPA_NO_SPAN, 0, &batch) == OPA_SPAN_OK);
		CHECK(batch.spans == 1 && !batch.error);
		_exit(0);
	}
	assert_int_equal(wait_child(pid), 0);
	finish(f);
	assert_true(f->out.error);
}

static void a_root_that_had_ended_is_still_a_parent_in_the_child(void **state)
{
	fixture *f = *state;
	end(f, f->root);
	int pid = fork_with(f->table);
	if (pid == 0) {
		opa_batch batch;
		CHECK(span_begin(f->table, f->owner, f->root) != OPA_NO_SPAN);
		CHECK(opa_trace_finish(f->table, f->owner, f->root, OPA_NO_SPAN, 0, &batch) == OPA_SPAN_OK);
		CHECK(batch.spans == 1);
		_exit(0);
	}
	assert_int_equal(wait_child(pid), 0);
}

static void a_childs_child_writes_only_its_own(void **state)
{
	fixture *f = *state;
	int pid = fork_with(f->table);
	if (pid == 0) {
		opa_batch batch;
		opa_span_id own = span_begin(f->table, f->owner, f->root);
		int grandchild = fork_with(f->table);
		if (grandchild == 0) {
			CHECK(try_tag(f, own) == OPA_SPAN_REFUSED);
			CHECK(span_begin(f->table, f->owner, own) != OPA_NO_SPAN);
			CHECK(opa_trace_finish(f->table, f->owner, f->root, OPA_NO_SPAN, 0, &batch) ==
				  OPA_SPAN_OK);
			CHECK(batch.spans == 1);
			_exit(0);
		}
		CHECK(wait_child(grandchild) == 0);
		CHECK(try_tag(f, own) == OPA_SPAN_OK);
		CHECK(opa_trace_finish(f->table, f->owner, f->root, OPA_NO_SPAN, 0, &batch) == OPA_SPAN_OK);
		CHECK(batch.spans == 1);
		_exit(0);
	}
	assert_int_equal(wait_child(pid), 0);
}

/* ---- ids ---- */

#define IDS 2000

static void make_ids(fixture *f, opa_span_id *ids)
{
	for (int i = 0; i < IDS; i++) {
		ids[i] = i % 2 == 0 ? span_begin(f->table, f->owner, f->root)
							: trace_begin(f->table, f->owner, &roomy);
		CHECK(ids[i] != OPA_NO_SPAN);
	}
}

static int by_value(const void *a, const void *b)
{
	opa_span_id x = *(const opa_span_id *)a, y = *(const opa_span_id *)b;
	return x < y ? -1 : x > y;
}

/* In every shard: a trace's id is from the shard that it goes to. */
static void ids_of_a_child_differ_from_those_of_its_parent_and_its_siblings(void **state)
{
	fixture *f = *state;
	enum { CHILDREN = 3 };
	static opa_span_id ids[(CHILDREN + 1) * IDS];
	for (int child = 0; child < CHILDREN; child++) {
		int ends[2];
		assert_int_equal(pipe(ends), 0);
		int pid = fork_with(f->table);
		if (pid == 0) {
			static opa_span_id own[IDS];
			make_ids(f, own);
			CHECK(write(ends[1], own, sizeof(own)) == sizeof(own));
			_exit(0);
		}
		close(ends[1]);
		size_t got = 0;
		char *to = (char *)(ids + (child + 1) * IDS);
		for (ssize_t n; (n = read(ends[0], to + got, IDS * sizeof(*ids) - got)) > 0;) {
			got += (size_t)n;
		}
		assert_int_equal(got, IDS * sizeof(*ids));
		close(ends[0]);
		assert_int_equal(wait_child(pid), 0);
	}
	make_ids(f, ids);
	qsort(ids, (CHILDREN + 1) * IDS, sizeof(*ids), by_value);
	for (int i = 1; i < (CHILDREN + 1) * IDS; i++) {
		assert_true(ids[i] != ids[i - 1]);
	}
}

/* ---- while other threads work ---- */

struct busy {
	fixture *f;
	atomic_bool *over;
	_Atomic opa_span_id current; /* the span it works on */
	unsigned long spans;
	collected out;
	pthread_t thread;
};

static void *work(void *arg)
{
	struct busy *b = arg;
	fixture *f = b->f;
	while (!atomic_load(b->over)) {
		opa_batch batch;
		opa_span_id id = span_begin(f->table, f->owner, f->root);
		CHECK(id != OPA_NO_SPAN);
		atomic_store(&b->current, id);
		for (int i = 0; i < 3; i++) {
			CHECK(try_tag(f, id) == OPA_SPAN_OK);
		}
		CHECK(opa_span_end(f->table, f->owner, id, OPA_NOW, &batch) == OPA_SPAN_OK);
		b->spans++;
		if (batch.data != NULL) {
			collect(&b->out, f->table, &batch);
		}
		CHECK(table_works(f->table));
	}
	return NULL;
}

static void use_in_child(fixture *f, struct busy *busy, int threads)
{
	opa_batch batch;
	for (int i = 0; i < threads; i++) {
		opa_span_result result = try_tag(f, atomic_load(&busy[i].current));
		CHECK(result == OPA_SPAN_REFUSED || result == OPA_SPAN_UNKNOWN);
	}
	CHECK(table_works(f->table));
	for (int i = 0; i < 20; i++) {
		opa_span_id own = span_begin(f->table, f->owner, f->root);
		CHECK(own != OPA_NO_SPAN && try_tag(f, own) == OPA_SPAN_OK);
		if (i % 2 == 0) {
			CHECK(opa_span_end(f->table, f->owner, own, OPA_NOW, &batch) == OPA_SPAN_OK);
			CHECK(batch.data == NULL);
		}
	}
	CHECK(opa_trace_finish(f->table, f->owner, f->root, OPA_NO_SPAN, 0, &batch) == OPA_SPAN_OK);
	CHECK(batch.spans == 20 && batch.counts[OPA_TRACE_SPANS_UNFINISHED] == 10);
	opa_batch_release(f->table, &batch);
	CHECK(table_works(f->table));
}

static void a_child_can_use_the_table_while_the_parents_threads_work(void **state)
{
	fixture *f = *state;
	enum { THREADS = 3 };
	static struct busy busy[THREADS];
	atomic_bool over = false;
	unsigned long spans = 0, failed = 0;
	f->limits.flush_size = 20000;
	for (int i = 0; i < THREADS; i++) {
		busy[i] = (struct busy){.f = f, .over = &over};
		assert_int_equal(pthread_create(&busy[i].thread, NULL, work, &busy[i]), 0);
	}
	for (unsigned long i = scaled(100, 10); i > 0; i--) {
		int pid = fork_with(f->table);
		if (pid == 0) {
			use_in_child(f, busy, THREADS);
			/*
			 * What the other threads held at that moment is lost in the child, and rightly so; a
			 * program that is replaced has no leaks that valgrind would count.
			 */
			execlp("true", "true", (char *)NULL);
			_exit(0);
		}
		failed += wait_child(pid) != 0;
	}
	atomic_store(&over, true);
	for (int i = 0; i < THREADS; i++) {
		pthread_join(busy[i].thread, NULL);
		spans += busy[i].spans;
		f->out.spans += busy[i].out.spans;
		collected_free(&busy[i].out);
	}
	assert_int_equal(failed, 0);
	finish(f);
	assert_int_equal(f->out.spans, spans + 1);
}

int main(void)
{
#define TEST(t)    cmocka_unit_test_setup_teardown(t, fixture_setup, fixture_teardown)
#define SHARDED(t) cmocka_unit_test_setup_teardown(t, fixture_setup_sharded, fixture_teardown)
	const struct CMUnitTest tests[] = {
		TEST(what_was_open_can_only_be_a_parent_in_the_child),
		TEST(finished_spans_are_in_the_parents_batch_only),
		TEST(a_child_that_traced_nothing_has_nothing_to_hand_out),
		TEST(an_error_of_the_parents_is_not_the_childs),
		TEST(a_root_that_had_ended_is_still_a_parent_in_the_child),
		TEST(a_childs_child_writes_only_its_own),
		TEST(ids_of_a_child_differ_from_those_of_its_parent_and_its_siblings),
		SHARDED(ids_of_a_child_differ_from_those_of_its_parent_and_its_siblings),
		TEST(a_child_can_use_the_table_while_the_parents_threads_work),
		SHARDED(a_child_can_use_the_table_while_the_parents_threads_work),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
