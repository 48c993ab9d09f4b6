/*
 * Times of spans with clocks that the test sets: the three functions here take the place of the
 * platform's, which the linker then leaves in its archive.
 */
#include "support.h"
#include "core/opa_clock.h"

#define SECOND ((uint64_t)1000000000)

static uint64_t wall, mono;
static wire_span span;

uint64_t opa_clock_wall(void)
{
	return wall;
}

uint64_t opa_clock_mono(void)
{
	return mono;
}

uint64_t opa_clock_cpu(void)
{
	return 0;
}

static int setup(void **state)
{
	wall = 1700000000 * SECOND;
	mono = 500 * SECOND;
	return fixture_setup(state);
}

static void pass(uint64_t time)
{
	wall += time;
	mono += time;
}

static void check_times(const fixture *f, opa_span_id id, uint64_t start, uint64_t end_time)
{
	collected_get(&f->out, id, &span);
	assert_int_equal(span.start - 1700000000 * SECOND, start);
	assert_int_equal(span.end - 1700000000 * SECOND, end_time);
}

static void spans_begin_and_end_at_the_time_of_the_call(void **state)
{
	fixture *f = *state;
	pass(3);
	opa_span_id id = begin(f, f->root);
	pass(4);
	end(f, id);
	pass(5);
	finish(f);
	check_times(f, id, 3, 7);
	check_times(f, f->root, 0, 12);
}

static void a_wall_clock_that_is_set_back_changes_no_duration(void **state)
{
	fixture *f = *state;
	opa_span_id id = begin(f, f->root);
	pass(SECOND);
	wall -= 3600 * SECOND;
	opa_span_id later = begin(f, f->root);
	pass(SECOND);
	end(f, id);
	end(f, later);
	finish(f);
	check_times(f, id, 0, 2 * SECOND);
	check_times(f, later, SECOND, 2 * SECOND);
}

static void a_span_that_is_open_over_a_flush_keeps_its_duration(void **state)
{
	fixture *f = *state;
	opa_batch batch;
	opa_span_id id = begin(f, f->root);
	pass(SECOND);
	wall -= 3600 * SECOND;
	assert_int_equal(opa_trace_flush(f->table, f->owner, f->root, &batch), OPA_SPAN_OK);
	pass(SECOND);
	end(f, id);
	finish(f);
	check_times(f, id, 0, 2 * SECOND);
	assert_null(wire_attribute(&span, "opa.time_clamped"));
}

static void a_flush_reads_the_wall_clock_anew(void **state)
{
	fixture *f = *state;
	opa_batch batch;
	wall += 100 * SECOND;
	opa_span_id before = begin(f, f->root);
	opa_trace_flush(f->table, f->owner, f->root, &batch);
	opa_span_id after = begin(f, f->root);
	end(f, before);
	end(f, after);
	finish(f);
	check_times(f, before, 0, 0);
	check_times(f, after, 100 * SECOND, 100 * SECOND);
}

static void so_does_a_piece_that_leaves_by_itself(void **state)
{
	fixture *f = *state;
	opa_batch batch;
	wall += 100 * SECOND;
	f->limits.flush_size = 1;
	opa_span_id first = begin(f, f->root);
	assert_int_equal(opa_span_end(f->table, f->owner, first, OPA_NOW, &batch), OPA_SPAN_OK);
	assert_int_equal(batch.spans, 1);
	collect(&f->out, f->table, &batch);
	opa_span_id second = begin(f, f->root);
	end(f, second);
	check_times(f, first, 0, 0);
	check_times(f, second, 100 * SECOND, 100 * SECOND);
}

static void an_event_has_the_time_of_its_call(void **state)
{
	fixture *f = *state;
	opa_span_id id = begin(f, f->root);
	pass(7);
	wall -= 3600 * SECOND;
	opa_span_add_event(f->table, f->owner, id, OPA_NOW, event_fields("e"));
	opa_span_add_exception(f->table, f->owner, id, 1, event_fields("exception"), str(""));
	pass(1);
	end(f, id);
	finish(f);
	collected_get(&f->out, id, &span);
	assert_int_equal(span.events[0].time - 1700000000 * SECOND, 7);
	assert_int_equal(span.events[1].time - 1700000000 * SECOND, 7);
}

static void a_clock_that_the_caller_has_read_is_believed(void **state)
{
	fixture *f = *state;
	uint64_t read = mono;
	pass(50);
	opa_span_start start = {.parent = f->root,
		.name = OPA_STR("read"),
		.kind = OPA_KIND_INTERNAL,
		.start = OPA_NOW,
		.mono = read + 20};
	opa_span_id id;
	assert_int_equal(opa_span_begin(f->table, f->owner, &start, &id), OPA_SPAN_OK);
	end(f, id);
	finish(f);
	check_times(f, id, 20, 50);
}

/* In memory that an earlier span has used, whose start was the clock's. */
static void a_given_start_ends_by_the_wall_clock(void **state)
{
	fixture *f = *state;
	for (int i = 0; i < 3; i++) {
		end(f, begin(f, f->root));
	}
	opa_span_start start = {.parent = f->root,
		.name = OPA_STR("given"),
		.kind = OPA_KIND_INTERNAL,
		.start = wall - 1000};
	opa_span_id id;
	assert_int_equal(opa_span_begin(f->table, f->owner, &start, &id), OPA_SPAN_OK);
	pass(50);
	end(f, id);
	finish(f);
	check_times(f, id, (uint64_t)-1000, 50);
}

static void pieces_leave_at_flush_age(void **state)
{
	fixture *f = *state;
	opa_batch batch;
	f->limits.flush_age = 60 * SECOND;
	opa_span_id early = begin(f, f->root), late = begin(f, f->root), next = begin(f, f->root);
	pass(60 * SECOND - 1);
	assert_int_equal(opa_span_end(f->table, f->owner, early, OPA_NOW, &batch), OPA_SPAN_OK);
	assert_null(batch.data);
	pass(1);
	assert_int_equal(opa_span_end(f->table, f->owner, late, OPA_NOW, &batch), OPA_SPAN_OK);
	assert_int_equal(batch.spans, 2);
	opa_batch_release(f->table, &batch);
	pass(60 * SECOND - 1);
	assert_int_equal(opa_span_end(f->table, f->owner, next, OPA_NOW, &batch), OPA_SPAN_OK);
	assert_null(batch.data);
}

int main(void)
{
#define TEST(t) cmocka_unit_test_setup_teardown(t, setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
		TEST(spans_begin_and_end_at_the_time_of_the_call),
		TEST(a_wall_clock_that_is_set_back_changes_no_duration),
		TEST(a_span_that_is_open_over_a_flush_keeps_its_duration),
		TEST(a_flush_reads_the_wall_clock_anew),
		TEST(so_does_a_piece_that_leaves_by_itself),
		TEST(an_event_has_the_time_of_its_call),
		TEST(a_clock_that_the_caller_has_read_is_believed),
		TEST(a_given_start_ends_by_the_wall_clock),
		TEST(pieces_leave_at_flush_age),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
