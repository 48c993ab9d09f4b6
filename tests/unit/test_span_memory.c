/* Without memory: every allocation of a script that uses every function fails once, then all. */
#include "support.h"
#include "core/opa_alloc.h"

/* What the script saw. */
struct seen {
	unsigned begun;    /* spans whose begin said OK, roots as well */
	unsigned finished; /* spans in the batches */
	unsigned refused;  /* calls that answered OPA_SPAN_NO_MEMORY and have a trace to count in */
	uint64_t counts[OPA_TRACE_COUNTS];
};

static void take(struct seen *seen, opa_span_table *table, opa_batch *batch)
{
	wire_span span;
	size_t at = 0;
	unsigned there = 0;
	while (batch->data != NULL && wire_next_span(batch->data, batch->len, &at, &span)) {
		there++;
	}
	assert_int_equal(there, batch->spans);
	seen->finished += batch->spans;
	for (int i = 0; i < OPA_TRACE_COUNTS; i++) {
		seen->counts[i] += batch->counts[i];
	}
	opa_batch_release(table, batch);
}

static void note(struct seen *seen, opa_span_result result)
{
	assert_true(result == OPA_SPAN_OK || result == OPA_SPAN_NO_MEMORY);
	seen->refused += result == OPA_SPAN_NO_MEMORY;
}

/* Everything that can be done to an open span, with large and small values. */
static void use_span(struct seen *seen, opa_span_table *t, uint64_t owner, opa_span_id id)
{
	static char large[700], huge[3000];
	memset(large, 'L', sizeof(large) - 1);
	memset(huge, 'H', sizeof(huge) - 1);
	note(seen, opa_span_set_attributes(t, owner, id, tag("small", "v")));
	note(seen, opa_span_set_attributes(t, owner, id, tag("large", large)));
	note(seen, opa_span_set_attributes(t, owner, id, tag("small", large)));
	opa_value shorter = OPA_VALUE_OF_STRING(OPA_STR("v")), longer = OPA_VALUE_OF_STRING(str(huge));
	note(seen, opa_span_set_attribute(t, owner, id, OPA_STR("short"), &shorter));
	opa_span_result single = opa_span_set_attribute(t, owner, id, OPA_STR("long"), &longer);
	assert_true(single == OPA_SPAN_OK || single == OPA_SPAN_NO_MEMORY);
	note(seen, opa_span_add_event(t, owner, id, OPA_NOW, event_fields(large)));
	note(seen, opa_span_add_link(t, owner, id, link_fields(1)));
	note(seen, opa_span_set_name(t, owner, id, str(large)));
	note(seen, opa_span_set_status(t, owner, id, OPA_STATUS_ERROR, str(large), false));
	/* Answers for its event; its message is counted beside that. */
	opa_span_result result =
		opa_span_add_exception(t, owner, id, 5, event_fields("exception"), str(large));
	note(seen, result);
}

static opa_span_id begin_span(
	struct seen *seen, opa_span_table *t, uint64_t owner, opa_span_id parent)
{
	static char name[300];
	memset(name, 'N', sizeof(name));
	opa_span_start start = {.parent = parent,
		.name = {name, sizeof(name)},
		.kind = OPA_KIND_INTERNAL,
		.start = OPA_NOW};
	opa_span_id id;
	opa_span_result result = opa_span_begin(t, owner, &start, &id);
	assert_true((id != OPA_NO_SPAN) == (result == OPA_SPAN_OK));
	note(seen, result);
	seen->begun += result == OPA_SPAN_OK;
	return id;
}

/* One trace; its spans grow the maps, the blocks, the pool and the buffer. */
static void trace_script(opa_span_table *t, struct seen *seen)
{
	opa_batch batch;
	opa_span_id ids[100];
	uint64_t owner = opa_span_owner_make(t);
	opa_trace_start start = {.owner = owner,
		.trace_id = {1},
		.limits = &roomy,
		.state = OPA_STR("a=b"),
		.name = OPA_STR("root"),
		.kind = OPA_KIND_SERVER,
		.start = OPA_NOW,
		.attributes = tag("k", "v")};
	opa_span_id root;
	opa_span_result result = opa_trace_begin(t, &start, &root);
	assert_true((root != OPA_NO_SPAN) == (result == OPA_SPAN_OK));
	if (root == OPA_NO_SPAN) {
		assert_int_equal(result, OPA_SPAN_NO_MEMORY);
		return;
	}
	seen->begun++;
	use_span(seen, t, owner, root);
	for (int i = 0; i < 100; i++) {
		ids[i] = begin_span(seen, t, owner, root);
	}
	for (int i = 0; i < 100; i++) {
		if (ids[i] == OPA_NO_SPAN) {
			continue;
		}
		if (i % 10 == 0) {
			use_span(seen, t, owner, ids[i]);
		}
		if (i > 0 && ids[i - 1] != OPA_NO_SPAN && opa_span_is_open(t, owner, ids[i - 1])) {
			assert_int_equal(opa_span_set_parent(t, owner, ids[i], ids[i - 1]), OPA_SPAN_OK);
		}
		if (i % 3 == 0) {
			result = opa_span_end(t, owner, ids[i], OPA_NOW, &batch);
			note(seen, result);
			/* Nothing has changed, then: the span is still open. */
			assert_true(opa_span_is_open(t, owner, ids[i]) == (result != OPA_SPAN_OK));
		}
		if (i == 50) {
			assert_int_equal(opa_trace_flush(t, owner, root, &batch), OPA_SPAN_OK);
			take(seen, t, &batch);
		}
	}
	assert_int_equal(opa_trace_finish(t, owner, root, root, 0, &batch), OPA_SPAN_OK);
	assert_true(batch.complete);
	take(seen, t, &batch);
}

static void check_books(opa_span_table *table, const struct seen *seen)
{
	size_t open_spans, bytes;
	opa_span_table_usage(table, &open_spans, &bytes);
	assert_int_equal(open_spans + bytes, 0);
	assert_int_equal(seen->counts[OPA_TRACE_SPANS_STARTED], seen->begun);
	assert_int_equal(seen->finished + seen->counts[OPA_TRACE_SPANS_LOST], seen->begun);
	assert_in_range(seen->counts[OPA_TRACE_REFUSED_MEMORY], seen->refused, UINT64_MAX);
}

/* The script with the allocation after `countdown` others failing; whether it came to that. */
static bool fail_at(long countdown, bool sticky, unsigned shards)
{
	struct seen seen = {.begun = 0};
	opa_alloc_fail_after(countdown, sticky);
	opa_span_table *table = opa_span_table_create(shards);
	if (table != NULL) {
		trace_script(table, &seen);
		trace_script(table, &seen);
	}
	unsigned long asked = opa_alloc_fail_after(-1, false);
	if (table != NULL) {
		check_books(table, &seen);
		assert_true(table_works(table));
	}
	opa_span_table_destroy(table);
	return asked > (unsigned long)countdown;
}

static void every_single_allocation_may_fail(void **state)
{
	(void)state;
	long n = 0;
	while (fail_at(n, false, 1)) {
		n++;
	}
	assert_true(n > 100);
}

static void every_single_allocation_may_fail_in_a_sharded_table(void **state)
{
	(void)state;
	long n = 0;
	while (fail_at(n, false, 64)) {
		n++;
	}
	assert_true(n > 100);
}

static void all_allocations_may_fail_from_any_point_on(void **state)
{
	(void)state;
	long n = 0;
	while (fail_at(n, true, 1)) {
		n++;
	}
	assert_true(n > 100);
}

static void every_refusal_is_counted(void **state)
{
	fixture *f = *state;
	static char large[700];
	memset(large, 'L', sizeof(large) - 1);
	opa_span_id id = begin(f, f->root);
	wire_span span;
	opa_alloc_fail_after(0, true);
	assert_int_equal(set_tag(f, id, "k", large), OPA_SPAN_NO_MEMORY);
	assert_int_equal(opa_span_add_event(f->table, f->owner, id, OPA_NOW, event_fields(large)),
		OPA_SPAN_NO_MEMORY);
	assert_int_equal(opa_span_set_name(f->table, f->owner, id, str(large)), OPA_SPAN_NO_MEMORY);
	assert_int_equal(
		opa_span_set_status(f->table, f->owner, id, OPA_STATUS_ERROR, str(large), false),
		OPA_SPAN_NO_MEMORY);
	assert_true(span_begin(f->table, f->owner, id) == OPA_NO_SPAN);
	opa_alloc_fail_after(-1, false);
	end(f, id);
	finish(f);
	assert_int_equal(f->out.counts[OPA_TRACE_REFUSED_MEMORY], 5);
	collected_get(&f->out, id, &span);
	assert_int_equal(span.attribute_count, 0);
	assert_int_equal(span.dropped_attributes, 1);
	assert_int_equal(span.dropped_events, 1);
	assert_true(span.status == OPA_STATUS_ERROR && span.message.len == 0);
}

/* It needs memory before the span is looked up. */
static void a_long_value_without_memory_is_counted_by_its_span(void **state)
{
	fixture *f = *state;
	static char huge[3000];
	wire_span span;
	memset(huge, 'H', sizeof(huge) - 1);
	opa_value value = OPA_VALUE_OF_STRING(str(huge));
	opa_span_id id = begin(f, f->root), ended = begin(f, f->root);
	end(f, ended);
	opa_alloc_fail_after(0, true);
	assert_int_equal(
		opa_span_set_attribute(f->table, f->owner, id, OPA_STR("k"), &value), OPA_SPAN_NO_MEMORY);
	assert_int_equal(
		opa_span_set_attribute(f->table, f->owner, ended, OPA_STR("k"), &value), OPA_SPAN_UNKNOWN);
	opa_alloc_fail_after(-1, false);
	end(f, id);
	finish(f);
	collected_get(&f->out, id, &span);
	assert_int_equal(span.dropped_attributes, 1);
	assert_int_equal(f->out.counts[OPA_TRACE_ATTRIBUTES_DROPPED], 1);
}

static void a_span_that_cannot_be_written_stays_open_and_ends_later(void **state)
{
	fixture *f = *state;
	opa_batch batch;
	opa_span_id id = begin(f, f->root);
	opa_alloc_fail_after(0, true);
	assert_int_equal(opa_span_end(f->table, f->owner, id, OPA_NOW, &batch), OPA_SPAN_NO_MEMORY);
	opa_alloc_fail_after(-1, false);
	assert_true(opa_span_is_open(f->table, f->owner, id));
	end(f, id);
	finish(f);
	assert_true(collected_has(&f->out, id));
}

static void spans_that_cannot_be_written_at_the_end_are_counted_as_lost(void **state)
{
	fixture *f = *state;
	begin(f, f->root);
	opa_alloc_fail_after(0, true);
	finish(f);
	opa_alloc_fail_after(-1, false);
	assert_int_equal(f->out.spans, 0);
	assert_true(f->out.complete);
	assert_int_equal(f->out.counts[OPA_TRACE_SPANS_LOST], 2);
	assert_true(table_works(f->table));
}

/* The mark must not need memory of the span: its block is full to the last byte. */
static void marking_an_unfinished_span_needs_no_memory_but_that_of_its_writing(void **state)
{
	fixture *f = *state;
	wire_span span;
	char value[100];
	opa_span_id id = begin(f, f->root);
	memset(value, 'v', sizeof(value));
	for (size_t len = 80; len < sizeof(value); len++) {
		value[len] = '\0';
		opa_alloc_fail_after(0, true);
		opa_span_result result = set_tag(f, id, "k", value);
		opa_alloc_fail_after(-1, false);
		value[len] = 'v';
		if (result != OPA_SPAN_OK) {
			break;
		}
	}
	opa_alloc_fail_after(1, true); /* one allocation: the buffer */
	finish(f);
	opa_alloc_fail_after(-1, false);
	collected_get(&f->out, id, &span);
	assert_true(wire_bool(*wire_attribute(&span, "opa.unfinished")));
}

int main(void)
{
#define TEST(t) cmocka_unit_test_setup_teardown(t, fixture_setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_single_allocation_may_fail),
		cmocka_unit_test(every_single_allocation_may_fail_in_a_sharded_table),
		cmocka_unit_test(all_allocations_may_fail_from_any_point_on),
		TEST(every_refusal_is_counted),
		TEST(a_long_value_without_memory_is_counted_by_its_span),
		TEST(a_span_that_cannot_be_written_stays_open_and_ends_later),
		TEST(spans_that_cannot_be_written_at_the_end_are_counted_as_lost),
		TEST(marking_an_unfinished_span_needs_no_memory_but_that_of_its_writing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
