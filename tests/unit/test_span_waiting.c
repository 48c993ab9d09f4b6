/*
 * A trace that is kept or dropped as a whole: what is known of it before it ends, and that it waits
 * until it is nearly as large as it may be.
 */
#include "support.h"

#include "core/opa_alloc.h"

#include <unistd.h>

static wire_span span;

static void get(const fixture *f, opa_span_id id)
{
	collected_get(&f->out, id, &span);
}

static bool has_error(const fixture *f)
{
	return opa_trace_has_error(f->table, f->owner, f->root);
}

static void set_status(fixture *f, opa_span_id id, opa_span_status status)
{
	assert_int_equal(
		opa_span_set_status(f->table, f->owner, id, status, OPA_STR(""), false), OPA_SPAN_OK);
}

static void an_error_of_an_open_or_a_finished_span_is_known(void **state)
{
	fixture *f = *state;
	opa_span_id id = begin(f, f->root);
	assert_false(has_error(f));
	set_status(f, id, OPA_STATUS_ERROR);
	assert_true(has_error(f));
	set_status(f, id, OPA_STATUS_OK);
	assert_false(has_error(f));
	set_status(f, f->root, OPA_STATUS_ERROR);
	assert_true(has_error(f));
	set_status(f, f->root, OPA_STATUS_UNSET);
	set_status(f, id, OPA_STATUS_ERROR);
	end(f, id);
	assert_true(has_error(f));
	assert_false(opa_trace_has_error(f->table, f->owner + 1, f->root));
	assert_false(opa_trace_has_error(f->table, f->owner, id));
	finish(f);
	assert_false(has_error(f));
}

static void what_has_left_is_not_looked_at(void **state)
{
	fixture *f = *state;
	opa_batch batch;
	opa_span_id id = begin(f, f->root);
	set_status(f, id, OPA_STATUS_ERROR);
	end(f, id);
	assert_int_equal(opa_trace_flush(f->table, f->owner, f->root, &batch), OPA_SPAN_OK);
	collect(&f->out, f->table, &batch);
	assert_false(has_error(f));
}

static void an_error_that_a_child_inherits_is_its_parents(void **state)
{
	fixture *f = *state;
	opa_span_id id = begin(f, f->root);
	set_status(f, id, OPA_STATUS_ERROR);
	opa_span_table_fork_prepare(f->table);
	int pid = fork();
	if (pid == 0) {
		opa_span_table_fork_child(f->table);
		CHECK(!has_error(f));
		opa_span_id own = span_begin(f->table, f->owner, id);
		CHECK(opa_span_set_status(f->table, f->owner, own, OPA_STATUS_ERROR, OPA_STR(""), false) ==
			  OPA_SPAN_OK);
		CHECK(has_error(f));
		_exit(0);
	}
	opa_span_table_fork_parent(f->table);
	assert_int_equal(wait_child(pid), 0);
	assert_true(has_error(f));
}

static void a_mark_is_set_whatever_the_limits(void **state)
{
	fixture *f = *state;
	opa_span_id id = begin(f, f->root), other = begin(f, f->root);
	assert_int_equal(set_tag(f, id, "opa.kept", "the program's"), OPA_SPAN_OK);
	f->limits.attributes = 0;
	f->limits.trace_size = 0;
	for (int i = 0; i < 2; i++) {
		assert_int_equal(
			opa_span_mark(f->table, f->owner, i ? other : id, str("opa.kept"), str("slow")),
			OPA_SPAN_OK);
	}
	assert_int_equal(
		opa_span_mark(f->table, f->owner + 1, id, str("a"), str("b")), OPA_SPAN_UNKNOWN);
	assert_int_equal(set_tag(f, id, "k", "v"), OPA_SPAN_LIMIT);
	end(f, id);
	end(f, other);
	finish(f);
	get(f, other);
	assert_int_equal(span.attribute_count, 1);
	get(f, id);
	assert_int_equal(span.attribute_count, 1);
	assert_true(wire_is(wire_string(*wire_attribute(&span, "opa.kept")), "slow"));
	assert_int_equal(span.dropped_attributes, 1);
	assert_int_equal(opa_span_mark(f->table, f->owner, id, str("a"), str("b")), OPA_SPAN_UNKNOWN);
}

static void a_mark_without_memory_is_refused(void **state)
{
	fixture *f = *state;
	static char text[5000];
	memset(text, 'x', sizeof(text) - 1);
	opa_alloc_fail_after(0, true);
	assert_int_not_equal(
		opa_span_mark(f->table, f->owner, f->root, str("k"), str(text)), OPA_SPAN_OK);
	opa_alloc_fail_after(-1, false);
	assert_int_equal(set_tag(f, f->root, "k", "v"), OPA_SPAN_OK);
}

/* Limits as those of opa.keep_errors: no flush by size or age. */
static void a_trace_waits_until_it_is_nearly_full_and_goes_on_with_other_limits(void **state)
{
	fixture *f = *state;
	static char text[4001];
	opa_span_limits usual = roomy;
	opa_batch batch = {.data = NULL};
	unsigned long spans = 0;
	memset(text, 'x', sizeof(text) - 1);
	f->limits.trace_size = 1024u * 1024;
	f->limits.flush_size = SIZE_MAX;
	f->limits.flush_age = 0;
	while (batch.data == NULL) {
		opa_span_id id = begin(f, f->root);
		assert_int_equal(set_tag(f, id, "k", text), OPA_SPAN_OK);
		assert_int_equal(opa_span_end(f->table, f->owner, id, OPA_NOW, &batch), OPA_SPAN_OK);
		spans++;
	}
	assert_true(batch.spans == spans && batch.len > f->limits.trace_size / 8 * 7 - 8192);
	collect(&f->out, f->table, &batch);
	usual.flush_size = 8192;
	opa_trace_set_limits(f->table, f->owner, f->root, &usual);
	opa_trace_set_limits(f->table, f->owner + 1, f->root, NULL);
	for (spans = 0; batch.data == NULL; spans++) {
		opa_span_id id = begin(f, f->root);
		assert_int_equal(set_tag(f, id, "k", text), OPA_SPAN_OK);
		assert_int_equal(opa_span_end(f->table, f->owner, id, OPA_NOW, &batch), OPA_SPAN_OK);
	}
	assert_true(spans <= 3 && batch.spans == spans);
	collect(&f->out, f->table, &batch);
	finish(f);
}

int main(void)
{
#define EACH(test) cmocka_unit_test_setup_teardown(test, fixture_setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
		EACH(an_error_of_an_open_or_a_finished_span_is_known),
		EACH(what_has_left_is_not_looked_at),
		EACH(an_error_that_a_child_inherits_is_its_parents),
		EACH(a_mark_is_set_whatever_the_limits),
		EACH(a_mark_without_memory_is_refused),
		EACH(a_trace_waits_until_it_is_nearly_full_and_goes_on_with_other_limits),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
