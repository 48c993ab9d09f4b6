/* The span table: life cycle of spans and traces, lookups, what is on the wire, times, batches. */
#include "support.h"

static wire_span span;

static void get(const fixture *f, opa_span_id id)
{
	collected_get(&f->out, id, &span);
}

static const opa_str none = {NULL, 0};

/* ---- life cycle ---- */

static void a_span_is_open_from_begin_to_end(void **state)
{
	fixture *f = *state;
	opa_span_id id = begin(f, f->root);
	assert_true(opa_span_is_open(f->table, f->owner, id));
	end(f, id);
	assert_false(opa_span_is_open(f->table, f->owner, id));
	assert_true(opa_span_is_open(f->table, f->owner, f->root));
}

static void an_ended_span_is_on_the_wire_with_what_it_was_given(void **state)
{
	fixture *f = *state;
	opa_attributes attributes = tag("db.system.name", "sqlite");
	opa_span_start start = {.parent = f->root,
		.name = OPA_STR("SELECT shop"),
		.kind = OPA_KIND_CLIENT,
		.start = OPA_NOW,
		.attributes = &attributes};
	opa_span_id id;
	assert_int_equal(opa_span_begin(f->table, f->owner, &start, &id), OPA_SPAN_OK);
	assert_int_equal(set_tag(f, id, "more", "later"), OPA_SPAN_OK);
	end(f, id);
	finish(f);
	get(f, id);
	assert_true(wire_is(span.name, "SELECT shop"));
	assert_int_equal(span.kind, OPA_KIND_CLIENT);
	assert_true(span.parent == f->root);
	assert_int_equal(span.attribute_count, 2);
	assert_true(wire_is(wire_string(*wire_attribute(&span, "db.system.name")), "sqlite"));
	assert_true(wire_is(wire_string(*wire_attribute(&span, "more")), "later"));
	assert_int_equal(span.status, OPA_STATUS_UNSET);
}

static void a_root_has_what_its_trace_was_begun_with(void **state)
{
	fixture *f = *state;
	opa_trace_start start = {.owner = f->owner,
		.trace_id = "0123456789abcde",
		.remote_parent = 0x00000000000000ffu,
		.flags = 3,
		.state = OPA_STR("vendor=x"),
		.limits = &f->limits,
		.name = OPA_STR("GET /cart"),
		.kind = OPA_KIND_SERVER,
		.start = OPA_NOW,
		.attributes = tag_int("n", 5)};
	opa_span_id root, child;
	assert_int_equal(opa_trace_begin(f->table, &start, &root), OPA_SPAN_OK);
	child = begin(f, root);
	f->root = root;
	finish(f);
	get(f, root);
	assert_memory_equal(span.trace_id.data, "0123456789abcde", 16);
	assert_true(span.parent == 0xffu);
	assert_int_equal(span.flags, 0x303);
	assert_true(wire_is(span.state, "vendor=x"));
	assert_true(wire_int(*wire_attribute(&span, "n")) == 5);
	get(f, child);
	assert_int_equal(span.flags, 0x103);
	assert_true(wire_is(span.state, "vendor=x"));
	assert_memory_equal(span.trace_id.data, "0123456789abcde", 16);
}

static void an_open_span_tells_its_trace(void **state)
{
	fixture *f = *state;
	opa_batch batch;
	opa_span_id other = trace_begin(f->table, f->owner, &roomy);
	opa_span_id id = begin(f, f->root), of_other = span_begin(f->table, f->owner, other);
	assert_true(opa_span_root(f->table, f->owner, id) == f->root);
	assert_true(opa_span_root(f->table, f->owner, f->root) == f->root);
	assert_true(opa_span_root(f->table, f->owner, of_other) == other);
	assert_true(opa_span_root(f->table, f->owner + 1, id) == OPA_NO_SPAN);
	assert_true(opa_span_root(f->table, f->owner, OPA_NO_SPAN) == OPA_NO_SPAN);
	assert_int_equal(opa_trace_finish(f->table, f->owner, other, other, 0, &batch), OPA_SPAN_OK);
	assert_true(batch.root == other);
	opa_batch_release(f->table, &batch);
	assert_true(opa_span_root(f->table, f->owner, of_other) == OPA_NO_SPAN);
	end(f, id);
	assert_true(opa_span_root(f->table, f->owner, id) == OPA_NO_SPAN);
	assert_int_equal(opa_trace_flush(f->table, f->owner, f->root, &batch), OPA_SPAN_OK);
	assert_true(batch.root == f->root);
	opa_batch_release(f->table, &batch);
}

static void what_is_open_at_the_end_is_closed_and_marked(void **state)
{
	fixture *f = *state;
	opa_span_id done = begin(f, f->root), open = begin(f, f->root);
	end(f, done);
	finish(f);
	assert_int_equal(f->out.spans, 3);
	get(f, done);
	assert_null(wire_attribute(&span, "opa.unfinished"));
	get(f, open);
	assert_true(wire_bool(*wire_attribute(&span, "opa.unfinished")));
	get(f, f->root);
	assert_true(wire_bool(*wire_attribute(&span, "opa.unfinished")));
	assert_int_equal(f->out.counts[OPA_TRACE_SPANS_UNFINISHED], 2);
	assert_int_equal(f->out.counts[OPA_TRACE_SPANS_STARTED], 3);
}

static void a_span_that_was_not_used_is_taken_back(void **state)
{
	fixture *f = *state;
	opa_span_id unused = begin(f, f->root), other = begin(f, f->root);
	assert_true(opa_span_take_back(f->table, f->owner, unused));
	assert_false(opa_span_is_open(f->table, f->owner, unused));
	assert_false(opa_span_take_back(f->table, f->owner, unused));
	assert_false(opa_span_take_back(f->table, f->owner + 1, other));
	end(f, other);
	finish(f);
	assert_false(collected_has(&f->out, unused));
	assert_int_equal(f->out.spans, 2);
	assert_int_equal(f->out.counts[OPA_TRACE_SPANS_STARTED], 2);
	assert_int_equal(f->out.counts[OPA_TRACE_SPANS_UNFINISHED], 1);
}

static void a_span_that_was_used_is_not_taken_back(void **state)
{
	fixture *f = *state;
	opa_span_id used[5];
	uint32_t counts[OPA_TRACE_COUNTS];
	for (size_t i = 0; i < 5; i++) {
		used[i] = begin(f, f->root);
	}
	assert_int_equal(set_tag(f, used[0], "k", "v"), OPA_SPAN_OK);
	end(f, begin(f, used[1]));
	assert_int_equal(
		opa_span_add_event(f->table, f->owner, used[2], OPA_NOW, event_fields("e")), OPA_SPAN_OK);
	assert_int_equal(opa_span_add_link(f->table, f->owner, used[3], link_fields(1)), OPA_SPAN_OK);
	assert_int_equal(
		opa_span_set_status(f->table, f->owner, used[4], OPA_STATUS_ERROR, str(""), true),
		OPA_SPAN_OK);
	for (size_t i = 0; i < 5; i++) {
		assert_false(opa_span_take_back(f->table, f->owner, used[i]));
		assert_true(opa_span_is_open(f->table, f->owner, used[i]));
	}
	opa_span_id counted = begin(f, f->root);
	opa_trace_take_counts(f->table, f->owner, f->root, counts);
	assert_false(opa_span_take_back(f->table, f->owner, counted));
	finish(f);
	assert_int_equal(f->out.spans, 8);
}

static void a_child_may_outlive_its_parent(void **state)
{
	fixture *f = *state;
	opa_span_id parent = begin(f, f->root), child = begin(f, parent);
	end(f, parent);
	assert_int_equal(set_tag(f, child, "k", "v"), OPA_SPAN_OK);
	end(f, child);
	finish(f);
	get(f, child);
	assert_true(span.parent == parent);
}

static void an_ended_root_is_still_a_parent_until_the_trace_is_finished(void **state)
{
	fixture *f = *state;
	end(f, f->root);
	assert_int_equal(set_tag(f, f->root, "k", "v"), OPA_SPAN_UNKNOWN);
	opa_span_id late = begin(f, f->root);
	end(f, late);
	finish(f);
	get(f, late);
	assert_true(span.parent == f->root);
	assert_true(span_begin(f->table, f->owner, f->root) == OPA_NO_SPAN);
}

static void a_trace_is_finished_once(void **state)
{
	fixture *f = *state;
	opa_batch batch;
	finish(f);
	memset(&batch, 0xff, sizeof(batch));
	assert_int_equal(
		opa_trace_finish(f->table, f->owner, f->root, OPA_NO_SPAN, 0, &batch), OPA_SPAN_UNKNOWN);
	assert_null(batch.data);
	memset(&batch, 0xff, sizeof(batch));
	assert_int_equal(opa_trace_flush(f->table, f->owner, f->root, &batch), OPA_SPAN_UNKNOWN);
	assert_null(batch.data);
}

/* ---- lookups ---- */

/* Every function answers so for an id. */
static void all_answer(fixture *f, uint64_t owner, opa_span_id id, opa_span_result expected)
{
	opa_batch batch;
	opa_span_table *t = f->table;
	memset(&batch, 0xff, sizeof(batch));
	assert_int_equal(opa_span_set_attributes(t, owner, id, tag("k", "v")), expected);
	opa_value shorter = OPA_VALUE_OF_STRING(OPA_STR("v")), other = OPA_VALUE_OF_INT(5);
	assert_int_equal(opa_span_set_attribute(t, owner, id, OPA_STR("k"), &shorter), expected);
	assert_int_equal(opa_span_set_attribute(t, owner, id, OPA_STR("k"), &other), expected);
	assert_int_equal(opa_span_add_event(t, owner, id, OPA_NOW, event_fields("e")), expected);
	assert_int_equal(
		opa_span_add_exception(t, owner, id, 1, event_fields("exception"), none), expected);
	assert_int_equal(opa_span_add_link(t, owner, id, link_fields(1)), expected);
	assert_int_equal(opa_span_set_parent(t, owner, id, f->root), expected);
	assert_int_equal(opa_span_set_name(t, owner, id, OPA_STR("other")), expected);
	assert_int_equal(opa_span_set_status(t, owner, id, OPA_STATUS_ERROR, none, false), expected);
	assert_false(opa_span_is_open(t, owner, id));
	assert_int_equal(opa_span_end(t, owner, id, OPA_NOW, &batch), expected);
	assert_null(batch.data);
	assert_int_equal(batch.len, 0);
}

static void an_ended_span_is_unknown_to_every_function(void **state)
{
	fixture *f = *state;
	opa_span_id id = begin(f, f->root);
	end(f, id);
	all_answer(f, f->owner, id, OPA_SPAN_UNKNOWN);
	assert_true(span_begin(f->table, f->owner, id) == OPA_NO_SPAN);
	finish(f);
	get(f, id);
	assert_int_equal(span.attribute_count, 0);
}

static void zero_and_ids_that_never_were_are_unknown(void **state)
{
	fixture *f = *state;
	uint64_t seed = 41;
	all_answer(f, f->owner, OPA_NO_SPAN, OPA_SPAN_UNKNOWN);
	all_answer(f, f->owner, UINT64_MAX, OPA_SPAN_UNKNOWN);
	for (int i = 0; i < 1000; i++) {
		all_answer(f, f->owner, random_next(&seed), OPA_SPAN_UNKNOWN);
	}
	all_answer(f, f->owner, f->root ^ (uint64_t)1 << 32, OPA_SPAN_UNKNOWN);
	assert_true(span_begin(f->table, f->owner, OPA_NO_SPAN) == OPA_NO_SPAN);
}

static void a_foreign_owner_knows_nothing(void **state)
{
	fixture *f = *state;
	opa_batch batch;
	uint64_t other = opa_span_owner_make(f->table);
	opa_span_id id = begin(f, f->root);
	all_answer(f, other, id, OPA_SPAN_UNKNOWN);
	all_answer(f, other, f->root, OPA_SPAN_UNKNOWN);
	all_answer(f, 0, id, OPA_SPAN_UNKNOWN);
	assert_true(span_begin(f->table, other, id) == OPA_NO_SPAN);
	assert_int_equal(opa_trace_flush(f->table, other, f->root, &batch), OPA_SPAN_UNKNOWN);
	assert_int_equal(
		opa_trace_finish(f->table, other, f->root, OPA_NO_SPAN, 0, &batch), OPA_SPAN_UNKNOWN);
	assert_true(opa_span_is_open(f->table, f->owner, id));
	finish(f);
	get(f, id);
	assert_int_equal(span.attribute_count, 1); /* the mark */
	assert_int_equal(span.event_count | span.link_count | span.status, 0);
}

static void an_id_of_an_earlier_request_is_unknown_in_the_next(void **state)
{
	fixture *f = *state;
	opa_span_id old_root = f->root, old = begin(f, f->root);
	finish(f);
	collected_free(&f->out);
	f->owner = opa_span_owner_make(f->table);
	f->root = trace_begin(f->table, f->owner, &f->limits);
	all_answer(f, f->owner, old, OPA_SPAN_UNKNOWN);
	all_answer(f, f->owner, old_root, OPA_SPAN_UNKNOWN);
	assert_true(span_begin(f->table, f->owner, old) == OPA_NO_SPAN);
	finish(f);
	assert_int_equal(f->out.spans, 1);
}

/* The blocks are recycled, the ids are not: an old id never names a new span. */
static void no_id_is_given_twice_over_many_requests(void **state)
{
	fixture *f = *state;
	enum { ROUNDS = 2000 };
	static opa_span_id old[ROUNDS];
	for (int i = 0; i < ROUNDS; i++) {
		opa_batch batch;
		uint64_t owner = opa_span_owner_make(f->table);
		opa_span_id root = trace_begin(f->table, owner, &roomy);
		old[i] = span_begin(f->table, owner, root);
		for (int k = i < 50 ? 0 : i - 50; k < i; k++) {
			assert_true(old[k] != old[i]);
			assert_int_equal(
				opa_span_set_attributes(f->table, owner, old[k], tag("k", "v")), OPA_SPAN_UNKNOWN);
		}
		assert_int_equal(
			opa_trace_finish(f->table, owner, root, OPA_NO_SPAN, 0, &batch), OPA_SPAN_OK);
		assert_int_equal(batch.spans, 2);
		opa_batch_release(f->table, &batch);
	}
}

static void owners_are_never_zero_and_never_the_same(void **state)
{
	fixture *f = *state;
	uint64_t last = 0;
	for (int i = 0; i < 1000; i++) {
		uint64_t owner = opa_span_owner_make(f->table);
		assert_true(owner > last);
		last = owner;
	}
}

static void a_hundred_thousand_spans_may_be_open(void **state)
{
	fixture *f = *state;
	size_t n = scaled(100000, 1000), open_spans, bytes;
	opa_span_id *ids = malloc(n * sizeof(*ids));
	for (size_t i = 0; i < n; i++) {
		ids[i] = begin(f, i == 0 ? f->root : ids[i / 2]);
	}
	opa_span_table_usage(f->table, &open_spans, &bytes);
	assert_int_equal(open_spans, n + 1);
	assert_true(bytes > n * 100);
	for (size_t i = 0; i < n; i += 7) {
		assert_int_equal(set_tag(f, ids[i], "k", "v"), OPA_SPAN_OK);
	}
	for (size_t i = 0; i < n; i += 2) {
		end(f, ids[i]);
	}
	finish(f);
	assert_int_equal(f->out.spans, n + 1);
	assert_int_equal(f->out.counts[OPA_TRACE_SPANS_UNFINISHED], n / 2 + 1);
	opa_span_table_usage(f->table, &open_spans, &bytes);
	assert_int_equal(open_spans + bytes, 0);
	size_t at = 0, there = 0;
	while (wire_next_span(f->out.data, f->out.len, &at, &span)) {
		there++;
	}
	assert_int_equal(there, n + 1);
	free(ids);
}

/* ---- names, status, events, links ---- */

static void the_last_name_counts(void **state)
{
	fixture *f = *state;
	char large[2000];
	memset(large, 'n', sizeof(large));
	opa_span_id a = begin(f, f->root), b = begin(f, f->root);
	assert_int_equal(set_tag(f, a, "k", "v"), OPA_SPAN_OK);
	assert_int_equal(
		opa_span_set_name(f->table, f->owner, a, (opa_str){large, sizeof(large)}), OPA_SPAN_OK);
	assert_int_equal(opa_span_set_name(f->table, f->owner, a, OPA_STR("short")), OPA_SPAN_OK);
	assert_int_equal(opa_span_set_name(f->table, f->owner, b, none), OPA_SPAN_OK);
	finish(f);
	get(f, a);
	assert_true(wire_is(span.name, "short"));
	assert_true(wire_is(wire_string(*wire_attribute(&span, "k")), "v"));
	get(f, b);
	assert_int_equal(span.name.len, 0);
}

static opa_span_result status(
	fixture *f, opa_span_id id, opa_span_status value, const char *message, bool found)
{
	return opa_span_set_status(f->table, f->owner, id, value, str(message), found);
}

static void a_found_status_gives_way_to_the_programs(void **state)
{
	fixture *f = *state;
	opa_span_id id[4];
	for (int i = 0; i < 4; i++) {
		id[i] = begin(f, f->root);
	}
	status(f, id[0], OPA_STATUS_OK, "", false);
	status(f, id[0], OPA_STATUS_ERROR, "found", true);
	status(f, id[1], OPA_STATUS_ERROR, "said", false);
	status(f, id[1], OPA_STATUS_ERROR, "found", true);
	status(f, id[2], OPA_STATUS_ERROR, "found", true);
	status(f, id[2], OPA_STATUS_OK, "", false);
	status(f, id[3], OPA_STATUS_ERROR, "found first", true);
	status(f, id[3], OPA_STATUS_ERROR, "found second", true);
	finish(f);
	get(f, id[0]);
	assert_int_equal(span.status, OPA_STATUS_OK);
	get(f, id[1]);
	assert_true(span.status == OPA_STATUS_ERROR && wire_is(span.message, "said"));
	get(f, id[2]);
	assert_true(span.status == OPA_STATUS_OK && span.message.len == 0);
	get(f, id[3]);
	assert_true(span.status == OPA_STATUS_ERROR && wire_is(span.message, "found first"));
}

static void a_message_is_kept_for_an_error_only(void **state)
{
	fixture *f = *state;
	opa_span_id ok = begin(f, f->root), unset = begin(f, f->root);
	status(f, ok, OPA_STATUS_OK, "not kept", false);
	status(f, unset, OPA_STATUS_ERROR, "taken back", false);
	status(f, unset, OPA_STATUS_UNSET, "nor this", false);
	finish(f);
	get(f, ok);
	assert_true(span.status == OPA_STATUS_OK && span.message.len == 0);
	get(f, unset);
	assert_int_equal(span.status, OPA_STATUS_UNSET);
	assert_true(f->out.error == false);
}

static void an_error_shows_in_its_batch_and_in_no_other(void **state)
{
	fixture *f = *state;
	opa_batch batch;
	opa_span_id id = begin(f, f->root);
	status(f, id, OPA_STATUS_ERROR, "", false);
	end(f, id);
	assert_int_equal(opa_trace_flush(f->table, f->owner, f->root, &batch), OPA_SPAN_OK);
	assert_true(batch.error);
	opa_batch_release(f->table, &batch);
	end(f, begin(f, f->root));
	assert_int_equal(opa_trace_flush(f->table, f->owner, f->root, &batch), OPA_SPAN_OK);
	assert_true(batch.spans == 1 && !batch.error);
	opa_batch_release(f->table, &batch);
}

static void events_and_links_are_kept_in_their_order(void **state)
{
	fixture *f = *state;
	opa_span_id id = begin(f, f->root);
	opa_span_add_event(f->table, f->owner, id, 123456789, event_fields("first"));
	opa_span_add_link(f->table, f->owner, id, link_fields(7));
	opa_span_add_event(f->table, f->owner, id, OPA_NOW, event_fields("second"));
	assert_int_equal(set_tag(f, id, "k", "v"), OPA_SPAN_OK);
	opa_span_add_link(f->table, f->owner, id, link_fields(9));
	end(f, id);
	finish(f);
	get(f, id);
	assert_int_equal(span.event_count, 2);
	assert_true(wire_is(span.events[0].name, "first") && span.events[0].time == 123456789);
	assert_true(wire_is(span.events[1].name, "second"));
	assert_true(span.events[1].time >= span.start && span.events[1].time <= span.end);
	assert_int_equal(span.link_count, 2);
	assert_true(span.links[0].trace_id.data[0] == 7 && span.links[1].span_id.data[0] == 9);
	assert_int_equal(span.attribute_count, 1);
}

static void the_same_exception_is_recorded_once_on_a_span(void **state)
{
	fixture *f = *state;
	opa_span_id a = begin(f, f->root), b = begin(f, f->root);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(opa_span_add_exception(
							 f->table, f->owner, a, 77, event_fields("exception"), OPA_STR("boom")),
			OPA_SPAN_OK);
	}
	opa_span_add_exception(f->table, f->owner, b, 77, event_fields("exception"), OPA_STR("boom"));
	opa_span_add_exception(f->table, f->owner, b, 78, event_fields("exception"), OPA_STR("bang"));
	finish(f);
	get(f, a);
	assert_int_equal(span.event_count, 1);
	assert_true(span.status == OPA_STATUS_ERROR && wire_is(span.message, "boom"));
	get(f, b);
	assert_int_equal(span.event_count, 2);
	assert_true(wire_is(span.message, "boom"));
}

static void two_exceptions_in_turn_are_recorded_once_each(void **state)
{
	fixture *f = *state;
	opa_span_id id = begin(f, f->root);
	for (unsigned i = 0; i < 6; i++) {
		assert_int_equal(opa_span_add_exception(f->table, f->owner, id, 77 + i % 2,
							 event_fields("exception"), OPA_STR("boom")),
			OPA_SPAN_OK);
	}
	finish(f);
	get(f, id);
	assert_int_equal(span.event_count, 2);
}

static void an_exception_leaves_the_programs_status_alone(void **state)
{
	fixture *f = *state;
	opa_span_id id = begin(f, f->root);
	status(f, id, OPA_STATUS_OK, "", false);
	opa_span_add_exception(f->table, f->owner, id, 1, event_fields("exception"), OPA_STR("boom"));
	finish(f);
	get(f, id);
	assert_int_equal(span.status, OPA_STATUS_OK);
	assert_int_equal(span.event_count, 1);
}

static void the_last_value_of_a_key_wins(void **state)
{
	fixture *f = *state;
	opa_span_id id = begin(f, f->root);
	set_tag(f, id, "a", "one");
	set_tag(f, id, "b", "stays");
	set_tag(f, id, "a", "a longer one");
	opa_span_set_attributes(f->table, f->owner, id, tag_int("a", 3));
	finish(f);
	get(f, id);
	assert_int_equal(span.attribute_count, 3); /* with the mark */
	assert_true(wire_int(*wire_attribute(&span, "a")) == 3);
	assert_true(wire_is(wire_string(*wire_attribute(&span, "b")), "stays"));
}

/* Of each length around the one from which another way is taken, over and over the same key. */
static void one_value_is_set_as_several_are(void **state)
{
	fixture *f = *state;
	static char text[400];
	memset(text, 'x', sizeof(text));
	for (size_t len = 0; len < sizeof(text); len++) {
		opa_span_id id = begin(f, f->root);
		opa_str value = {text, len}, key = {text, len % 150};
		for (int i = 0; i < 3; i++) {
			opa_value any = i == 1 ? OPA_VALUE_OF_BOOL(true) : OPA_VALUE_OF_STRING(value);
			assert_int_equal(
				opa_span_set_attribute(f->table, f->owner, id, key, &any), OPA_SPAN_OK);
		}
		opa_value other = OPA_VALUE_OF_STRING(OPA_STR("gr\xC3\xBC\xFF"));
		opa_span_set_attribute(f->table, f->owner, id, OPA_STR("other"), &other);
		end(f, id);
		opa_batch batch;
		opa_trace_flush(f->table, f->owner, f->root, &batch);
		collect(&f->out, f->table, &batch);
		get(f, id);
		assert_int_equal(span.attribute_count, 2);
		assert_int_equal(span.keys[0].len, key.len);
		assert_int_equal(wire_string(span.values[0]).len, len);
		assert_true(
			wire_is(wire_string(*wire_attribute(&span, "other")), "gr\xC3\xBC\xEF\xBF\xBD"));
		collected_free(&f->out);
	}
}

static void several_attributes_may_come_in_one_call(void **state)
{
	fixture *f = *state;
	uint8_t both[200];
	opa_attributes one = tag("a", "1");
	memcpy(both, one.wire, one.len);
	size_t len = one.len;
	one = tag("b", "2");
	memcpy(both + len, one.wire, one.len);
	len += one.len;
	one = tag("a", "3");
	memcpy(both + len, one.wire, one.len);
	opa_attributes all = {both, len + one.len, 0};
	opa_span_id id = begin(f, f->root);
	assert_int_equal(opa_span_set_attributes(f->table, f->owner, id, all), OPA_SPAN_OK);
	end(f, id);
	finish(f);
	get(f, id);
	assert_int_equal(span.attribute_count, 2);
	assert_true(wire_is(wire_string(*wire_attribute(&span, "a")), "3"));
}

int main(void)
{
#define TEST(t)    cmocka_unit_test_setup_teardown(t, fixture_setup, fixture_teardown)
#define SHARDED(t) cmocka_unit_test_setup_teardown(t, fixture_setup_sharded, fixture_teardown)
	const struct CMUnitTest tests[] = {
		TEST(a_span_is_open_from_begin_to_end),
		TEST(an_ended_span_is_on_the_wire_with_what_it_was_given),
		TEST(a_root_has_what_its_trace_was_begun_with),
		TEST(an_open_span_tells_its_trace),
		TEST(what_is_open_at_the_end_is_closed_and_marked),
		TEST(a_span_that_was_not_used_is_taken_back),
		TEST(a_span_that_was_used_is_not_taken_back),
		TEST(a_child_may_outlive_its_parent),
		TEST(an_ended_root_is_still_a_parent_until_the_trace_is_finished),
		TEST(a_trace_is_finished_once),
		TEST(an_ended_span_is_unknown_to_every_function),
		SHARDED(an_ended_span_is_unknown_to_every_function),
		TEST(zero_and_ids_that_never_were_are_unknown),
		SHARDED(zero_and_ids_that_never_were_are_unknown),
		TEST(a_foreign_owner_knows_nothing),
		SHARDED(a_foreign_owner_knows_nothing),
		TEST(an_id_of_an_earlier_request_is_unknown_in_the_next),
		SHARDED(an_id_of_an_earlier_request_is_unknown_in_the_next),
		TEST(no_id_is_given_twice_over_many_requests),
		SHARDED(no_id_is_given_twice_over_many_requests),
		TEST(owners_are_never_zero_and_never_the_same),
		TEST(a_hundred_thousand_spans_may_be_open),
		TEST(the_last_name_counts),
		TEST(a_found_status_gives_way_to_the_programs),
		TEST(a_message_is_kept_for_an_error_only),
		TEST(an_error_shows_in_its_batch_and_in_no_other),
		TEST(events_and_links_are_kept_in_their_order),
		TEST(the_same_exception_is_recorded_once_on_a_span),
		TEST(two_exceptions_in_turn_are_recorded_once_each),
		TEST(an_exception_leaves_the_programs_status_alone),
		TEST(the_last_value_of_a_key_wins),
		TEST(one_value_is_set_as_several_are),
		TEST(several_attributes_may_come_in_one_call),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
