/* Limits: what is beyond them is counted, in the batch and on the wire, and memory stays bounded.
 */
#include "support.h"

static wire_span span;

static void get(const fixture *f, opa_span_id id)
{
	collected_get(&f->out, id, &span);
}

static size_t bytes_of(opa_span_table *table)
{
	size_t open_spans, bytes;
	opa_span_table_usage(table, &open_spans, &bytes);
	return bytes;
}

/* ---- counts ---- */

static void attributes_beyond_the_limit_are_counted_and_the_others_kept(void **state)
{
	fixture *f = *state;
	f->limits.attributes = 3;
	opa_span_id id = begin(f, f->root);
	for (int i = 0; i < 10; i++) {
		char key[16];
		snprintf(key, sizeof(key), "k%d", i);
		assert_int_equal(set_tag(f, id, key, "v"), i < 3 ? OPA_SPAN_OK : OPA_SPAN_LIMIT);
	}
	assert_int_equal(set_tag(f, id, "k1", "overwritten"), OPA_SPAN_OK);
	end(f, id);
	finish(f);
	get(f, id);
	assert_int_equal(span.attribute_count, 3);
	assert_int_equal(span.dropped_attributes, 7);
	assert_true(wire_is(wire_string(*wire_attribute(&span, "k1")), "overwritten"));
	assert_int_equal(f->out.counts[OPA_TRACE_ATTRIBUTES_DROPPED], 7);
}

static void a_single_value_beyond_the_limit_is_counted_too(void **state)
{
	fixture *f = *state;
	opa_value shorter = OPA_VALUE_OF_STRING(OPA_STR("v")), other = OPA_VALUE_OF_INT(5);
	f->limits.attributes = 0;
	opa_span_id id = begin(f, f->root);
	assert_int_equal(
		opa_span_set_attribute(f->table, f->owner, id, OPA_STR("a"), &shorter), OPA_SPAN_LIMIT);
	f->limits.attributes = 1;
	assert_int_equal(
		opa_span_set_attribute(f->table, f->owner, id, OPA_STR("b"), &shorter), OPA_SPAN_OK);
	assert_int_equal(
		opa_span_set_attribute(f->table, f->owner, id, OPA_STR("c"), &shorter), OPA_SPAN_LIMIT);
	assert_int_equal(
		opa_span_set_attribute(f->table, f->owner, id, OPA_STR("d"), &other), OPA_SPAN_LIMIT);
	end(f, id);
	finish(f);
	get(f, id);
	assert_int_equal(span.attribute_count, 1);
	assert_int_equal(span.dropped_attributes, 3);
}

static void attributes_of_one_call_are_kept_up_to_the_limit(void **state)
{
	fixture *f = *state;
	static uint8_t many[1000];
	size_t len = 0;
	f->limits.attributes = 3;
	for (int i = 0; i < 10; i++) {
		opa_attributes one = tag_int((char[]){'a', (char)('0' + i), 0}, i);
		memcpy(many + len, one.wire, one.len);
		len += one.len;
	}
	opa_attributes attributes = {many, len, 5};
	opa_span_start start = {
		.parent = f->root, .kind = OPA_KIND_INTERNAL, .start = OPA_NOW, .attributes = &attributes};
	opa_span_id id;
	assert_int_equal(opa_span_begin(f->table, f->owner, &start, &id), OPA_SPAN_OK);
	end(f, id);
	finish(f);
	get(f, id);
	assert_int_equal(span.attribute_count, 3);
	assert_int_equal(span.dropped_attributes, 7 + 5);
	assert_int_equal(f->out.counts[OPA_TRACE_ATTRIBUTES_DROPPED], 7 + 5);
}

static void what_the_caller_left_out_is_counted(void **state)
{
	fixture *f = *state;
	opa_attributes left_out = tag("k", "v");
	left_out.dropped = 4;
	opa_span_id id = begin(f, f->root);
	assert_int_equal(opa_span_set_attributes(f->table, f->owner, id, left_out), OPA_SPAN_LIMIT);
	end(f, id);
	finish(f);
	get(f, id);
	assert_int_equal(span.attribute_count, 1);
	assert_int_equal(span.dropped_attributes, 4);
}

static void events_and_links_beyond_the_limit_are_counted(void **state)
{
	fixture *f = *state;
	f->limits.events = 2;
	f->limits.links = 3;
	opa_span_id id = begin(f, f->root);
	for (int i = 0; i < 10; i++) {
		assert_int_equal(opa_span_add_event(f->table, f->owner, id, OPA_NOW, event_fields("e")),
			i < 2 ? OPA_SPAN_OK : OPA_SPAN_LIMIT);
		assert_int_equal(opa_span_add_link(f->table, f->owner, id, link_fields(1)),
			i < 3 ? OPA_SPAN_OK : OPA_SPAN_LIMIT);
	}
	end(f, id);
	finish(f);
	get(f, id);
	assert_true(span.event_count == 2 && span.link_count == 3);
	assert_true(span.dropped_events == 8 && span.dropped_links == 7);
	assert_int_equal(f->out.counts[OPA_TRACE_EVENTS_DROPPED], 8);
	assert_int_equal(f->out.counts[OPA_TRACE_LINKS_DROPPED], 7);
}

static void an_exception_without_room_still_makes_an_error(void **state)
{
	fixture *f = *state;
	f->limits.events = 0;
	opa_span_id id = begin(f, f->root);
	assert_int_equal(opa_span_add_exception(
						 f->table, f->owner, id, 1, event_fields("exception"), OPA_STR("boom")),
		OPA_SPAN_LIMIT);
	end(f, id);
	finish(f);
	get(f, id);
	assert_true(span.status == OPA_STATUS_ERROR && wire_is(span.message, "boom"));
	assert_int_equal(span.dropped_events, 1);
}

static void the_mark_of_an_unfinished_span_is_not_subject_to_limits(void **state)
{
	fixture *f = *state;
	f->limits.attributes = 0;
	opa_span_id id = begin(f, f->root);
	assert_int_equal(set_tag(f, id, "k", "v"), OPA_SPAN_LIMIT);
	f->limits.trace_size = 0;
	finish(f);
	get(f, id);
	assert_true(wire_bool(*wire_attribute(&span, "opa.unfinished")));
}

/* ---- spans that are not there ---- */

static void finish_root(fixture *f, uint64_t dropped)
{
	opa_batch batch;
	assert_int_equal(
		opa_trace_finish(f->table, f->owner, f->root, f->root, dropped, &batch), OPA_SPAN_OK);
	collect(&f->out, f->table, &batch);
	get(f, f->root);
	assert_null(wire_attribute(&span, "opa.unfinished"));
}

static void the_root_says_how_many_spans_are_lacking_whatever_the_limits(void **state)
{
	fixture *f = *state;
	opa_span_id id = begin(f, f->root);
	f->limits.attributes = 0;
	f->limits.trace_size = bytes_of(f->table);
	for (int i = 0; i < 7; i++) {
		assert_true(span_begin(f->table, f->owner, i % 2 ? f->root : id) == OPA_NO_SPAN);
	}
	end(f, id);
	finish_root(f, 3);
	assert_true(wire_int(*wire_attribute(&span, "opa.dropped_spans")) == 7 + 3);
	assert_int_equal(span.dropped_attributes, 0);
}

static void of_a_whole_trace_the_root_says_nothing(void **state)
{
	fixture *f = *state;
	opa_span_id id = begin(f, f->root);
	f->limits.attributes = 0;
	assert_int_equal(set_tag(f, id, "k", "v"), OPA_SPAN_LIMIT);
	assert_true(span_begin(f->table, f->owner, id + 256) == OPA_NO_SPAN);
	end(f, id);
	finish_root(f, 0);
	assert_null(wire_attribute(&span, "opa.dropped_spans"));
}

/* ---- size ---- */

static void a_trace_that_is_full_refuses_and_counts(void **state)
{
	fixture *f = *state;
	static char text[5000];
	memset(text, 'x', sizeof(text) - 1);
	opa_span_id id = begin(f, f->root);
	assert_int_equal(set_tag(f, id, "k", "short"), OPA_SPAN_OK);
	f->limits.trace_size = bytes_of(f->table);
	assert_int_equal(set_tag(f, id, "k", text), OPA_SPAN_LIMIT);
	assert_int_equal(set_tag(f, id, "other", text), OPA_SPAN_LIMIT);
	assert_int_equal(
		opa_span_add_event(f->table, f->owner, id, OPA_NOW, event_fields(text)), OPA_SPAN_LIMIT);
	assert_int_equal(opa_span_set_name(f->table, f->owner, id, str(text)), OPA_SPAN_LIMIT);
	assert_true(span_begin(f->table, f->owner, id) == OPA_NO_SPAN);
	end(f, id);
	finish(f);
	get(f, id);
	assert_true(wire_is(wire_string(*wire_attribute(&span, "k")), "short"));
	assert_true(wire_is(span.name, "child"));
	assert_int_equal(span.dropped_attributes, 2);
	assert_int_equal(span.dropped_events, 1);
	assert_int_equal(f->out.counts[OPA_TRACE_REFUSED_SIZE], 5);
}

static void a_full_trace_still_overwrites_what_fits(void **state)
{
	fixture *f = *state;
	opa_span_id id = begin(f, f->root);
	assert_int_equal(set_tag(f, id, "k", "eleven char"), OPA_SPAN_OK);
	f->limits.trace_size = bytes_of(f->table);
	assert_int_equal(set_tag(f, id, "k", "ELEVEN CHAR"), OPA_SPAN_OK);
	assert_int_equal(set_tag(f, id, "k", "less"), OPA_SPAN_OK);
	assert_int_equal(set_tag(f, id, "k", "eleven char"), OPA_SPAN_OK);
}

static void a_status_is_set_even_when_its_message_has_no_room(void **state)
{
	fixture *f = *state;
	opa_span_id id = begin(f, f->root);
	opa_span_set_status(f->table, f->owner, id, OPA_STATUS_ERROR, OPA_STR("old"), false);
	f->limits.trace_size = bytes_of(f->table);
	assert_int_equal(opa_span_set_status(f->table, f->owner, id, OPA_STATUS_ERROR,
						 OPA_STR("a longer message"), false),
		OPA_SPAN_LIMIT);
	end(f, id);
	finish(f);
	get(f, id);
	assert_true(span.status == OPA_STATUS_ERROR && span.message.len == 0);
	assert_true(f->out.error);
}

static void a_trace_that_is_too_large_at_once_is_refused(void **state)
{
	fixture *f = *state;
	opa_span_limits tiny = roomy;
	tiny.trace_size = 100;
	size_t before = bytes_of(f->table);
	assert_true(trace_begin(f->table, f->owner, &tiny) == OPA_NO_SPAN);
	assert_int_equal(bytes_of(f->table), before);
}

static void random_step(fixture *f, opa_span_id *ids, size_t count, uint64_t *seed)
{
	static char text[3001];
	memset(text, 'x', sizeof(text) - 1);
	opa_span_id *id = &ids[random_below(seed, count)];
	opa_str some = str(text + 3000 - random_below(seed, random_below(seed, 3000) + 1));
	switch (random_below(seed, 7)) {
	case 0:
		if (*id == OPA_NO_SPAN) {
			*id = span_begin(f->table, f->owner, f->root);
		}
		break;
	case 1:
		set_tag(f, *id, (char[]){(char)('a' + random_below(seed, 20)), 0}, some.data);
		break;
	case 2:
		opa_span_add_event(f->table, f->owner, *id, OPA_NOW, event_fields(some.data));
		break;
	case 3:
		opa_span_set_name(f->table, f->owner, *id, some);
		break;
	case 4:
		opa_span_set_status(f->table, f->owner, *id, OPA_STATUS_ERROR, some, false);
		break;
	case 5:
		opa_span_add_link(f->table, f->owner, *id, link_fields(3));
		break;
	default:
		if (*id != OPA_NO_SPAN) {
			end(f, *id);
			*id = OPA_NO_SPAN;
		}
		break;
	}
}

static void no_trace_is_ever_larger_than_its_limit(void **state)
{
	fixture *f = *state;
	opa_span_id ids[40] = {0};
	uint64_t seed = 61;
	size_t largest = 0;
	f->limits.trace_size = 100000;
	f->limits.flush_size = 60000;
	for (unsigned long i = scaled(200000, 5000); i > 0; i--) {
		random_step(f, ids, 40, &seed);
		size_t bytes = bytes_of(f->table);
		assert_true(bytes <= f->limits.trace_size);
		largest = bytes > largest ? bytes : largest;
		collected_free(&f->out);
	}
	assert_true(largest > 90000); /* it is used, too */
}

/*
 * Where flush_size is never reached, because trace_size is smaller or because open spans take most
 * of it, a loop must still not be refused for good.
 */
static void a_trace_smaller_than_its_flush_size_goes_on(void **state)
{
	fixture *f = *state;
	f->limits.trace_size = 20000;
	unsigned long n = scaled(20000, 1000);
	for (unsigned long i = 0; i < n; i++) {
		end(f, begin(f, f->root));
	}
	opa_span_id open[60];
	for (int i = 0; i < 60; i++) {
		open[i] = span_begin(f->table, f->owner, f->root);
		if (bytes_of(f->table) > 19000) {
			break;
		}
	}
	for (unsigned long i = 0; i < 100; i++) {
		end(f, begin(f, f->root));
	}
	assert_true(open[0] != OPA_NO_SPAN);
	finish(f);
	assert_int_equal(f->out.spans, f->out.counts[OPA_TRACE_SPANS_STARTED]);
	assert_int_equal(f->out.counts[OPA_TRACE_REFUSED_SIZE], 0);
}

/* ---- flat memory ---- */

static void one_key_overwritten_a_million_times_takes_no_memory(void **state)
{
	fixture *f = *state;
	opa_span_id id = begin(f, f->root);
	set_tag(f, id, "k", "0000000");
	size_t before = bytes_of(f->table);
	char value[32];
	for (unsigned long i = scaled(1000000, 1000); i > 0; i--) {
		snprintf(value, sizeof(value), "%07lu", i);
		assert_int_equal(set_tag(f, id, "k", value), OPA_SPAN_OK);
	}
	assert_int_equal(bytes_of(f->table), before);
	end(f, id);
	finish(f);
	get(f, id);
	assert_true(wire_is(wire_string(*wire_attribute(&span, "k")), "0000001"));
}

static void values_of_varying_length_take_no_more_than_the_longest(void **state)
{
	fixture *f = *state;
	static char text[4001];
	uint64_t seed = 62;
	memset(text, 'x', 4000);
	opa_span_id id = begin(f, f->root);
	set_tag(f, id, "first", "1");
	set_tag(f, id, "k", text);
	set_tag(f, id, "last", "2");
	size_t before = bytes_of(f->table);
	for (unsigned long i = scaled(1000000, 1000); i > 0; i--) {
		assert_int_equal(set_tag(f, id, "k", text + random_below(&seed, 4001)), OPA_SPAN_OK);
	}
	assert_int_equal(bytes_of(f->table), before);
	set_tag(f, id, "k", "end");
	end(f, id);
	finish(f);
	get(f, id);
	assert_true(wire_is(wire_string(*wire_attribute(&span, "first")), "1"));
	assert_true(wire_is(wire_string(*wire_attribute(&span, "k")), "end"));
	assert_true(wire_is(wire_string(*wire_attribute(&span, "last")), "2"));
}

static void status_and_name_set_a_million_times_take_no_memory(void **state)
{
	fixture *f = *state;
	static char text[2001];
	uint64_t seed = 63;
	memset(text, 'x', 2000);
	opa_span_id id = begin(f, f->root);
	opa_span_set_name(f->table, f->owner, id, str(text));
	opa_span_set_status(f->table, f->owner, id, OPA_STATUS_ERROR, str(text), false);
	size_t before = bytes_of(f->table);
	for (unsigned long i = scaled(1000000, 1000); i > 0; i--) {
		opa_str some = str(text + random_below(&seed, 2001));
		opa_span_set_name(f->table, f->owner, id, some);
		opa_span_set_status(f->table, f->owner, id, OPA_STATUS_ERROR, some, false);
		assert_true(bytes_of(f->table) <= before);
	}
}

/* Not zero: the array's pages are there from the start, and do not count as growth. */
#define NOT_SEEN 0xff

/* Reads the spans of a batch and marks each by the number that it has as an attribute. */
static void mark(const opa_batch *batch, uint8_t *seen, size_t count)
{
	size_t at = 0;
	while (wire_next_span(batch->data, batch->len, &at, &span)) {
		const opa_str *any = wire_attribute(&span, "n");
		if (any == NULL) {
			continue;
		}
		int64_t n = wire_int(*any);
		assert_true(n >= 0 && (size_t)n < count && seen[n] == NOT_SEEN);
		seen[n] = 1;
	}
}

static void a_million_spans_under_one_open_root_are_flat_and_each_there_once(void **state)
{
	fixture *f = *state;
	size_t n = scaled(1000000, 5000), flat = 0, there = 0;
	uint8_t *seen = memset(malloc(n), NOT_SEEN, n);
	opa_batch batch;
	f->limits.flush_size = 192 * 1024;
	f->limits.trace_size = 1024 * 1024;
	for (size_t i = 0; i < n; i++) {
		opa_span_id id = begin(f, f->root);
		opa_span_set_attributes(f->table, f->owner, id, tag_int("n", (int64_t)i));
		assert_int_equal(opa_span_end(f->table, f->owner, id, OPA_NOW, &batch), OPA_SPAN_OK);
		if (batch.data != NULL) {
			mark(&batch, seen, n);
			opa_batch_release(f->table, &batch);
		}
		if (i == 1000) {
			flat = resident_memory();
		}
	}
	assert_true(n > 1000 && resident_memory() <= flat + 1024 * 1024);
	opa_trace_finish(f->table, f->owner, f->root, OPA_NO_SPAN, 0, &batch);
	mark(&batch, seen, n);
	opa_batch_release(f->table, &batch);
	for (size_t i = 0; i < n; i++) {
		there += seen[i] == 1;
	}
	assert_int_equal(there, n);
	free(seen);
}

static void a_hundred_thousand_traces_are_flat(void **state)
{
	fixture *f = *state;
	size_t flat = 0;
	unsigned long n = scaled(100000, 2000);
	for (unsigned long i = 0; i < n; i++) {
		assert_true(table_works(f->table));
		flat = i == 1000 ? resident_memory() : flat;
	}
	assert_true(n > 1000 && resident_memory() <= flat + 1024 * 1024);
}

int main(void)
{
#define TEST(t)    cmocka_unit_test_setup_teardown(t, fixture_setup, fixture_teardown)
#define SHARDED(t) cmocka_unit_test_setup_teardown(t, fixture_setup_sharded, fixture_teardown)
	const struct CMUnitTest tests[] = {
		TEST(attributes_beyond_the_limit_are_counted_and_the_others_kept),
		TEST(a_single_value_beyond_the_limit_is_counted_too),
		TEST(attributes_of_one_call_are_kept_up_to_the_limit),
		TEST(what_the_caller_left_out_is_counted),
		TEST(events_and_links_beyond_the_limit_are_counted),
		TEST(an_exception_without_room_still_makes_an_error),
		TEST(the_mark_of_an_unfinished_span_is_not_subject_to_limits),
		TEST(the_root_says_how_many_spans_are_lacking_whatever_the_limits),
		TEST(of_a_whole_trace_the_root_says_nothing),
		TEST(a_trace_that_is_full_refuses_and_counts),
		TEST(a_full_trace_still_overwrites_what_fits),
		TEST(a_status_is_set_even_when_its_message_has_no_room),
		TEST(a_trace_that_is_too_large_at_once_is_refused),
		TEST(no_trace_is_ever_larger_than_its_limit),
		TEST(a_trace_smaller_than_its_flush_size_goes_on),
		TEST(one_key_overwritten_a_million_times_takes_no_memory),
		TEST(values_of_varying_length_take_no_more_than_the_longest),
		TEST(status_and_name_set_a_million_times_take_no_memory),
		TEST(a_million_spans_under_one_open_root_are_flat_and_each_there_once),
		TEST(a_hundred_thousand_traces_are_flat),
		SHARDED(a_hundred_thousand_traces_are_flat),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
