/* What leaves the table: times, partial flush, batches and their memory, the wire against protoc.
 */
#include "support.h"
#include "protoc.h"
#include "core/opa_clock.h"

#include <unistd.h>

static wire_span span;

static void get(const fixture *f, opa_span_id id)
{
	collected_get(&f->out, id, &span);
}

static opa_span_id begin_at(fixture *f, uint64_t start)
{
	opa_span_start s = {
		.parent = f->root, .name = OPA_STR("timed"), .kind = OPA_KIND_INTERNAL, .start = start};
	opa_span_id id;
	assert_int_equal(opa_span_begin(f->table, f->owner, &s, &id), OPA_SPAN_OK);
	return id;
}

static void end_at(fixture *f, opa_span_id id, uint64_t at)
{
	opa_batch batch;
	assert_int_equal(opa_span_end(f->table, f->owner, id, at, &batch), OPA_SPAN_OK);
	assert_null(batch.data);
}

/* ---- times ---- */

#define LONG_AGO ((uint64_t)1000000000 * 1000000000)

static void given_times_are_taken_as_they_are(void **state)
{
	fixture *f = *state;
	opa_span_id id = begin_at(f, LONG_AGO + 1);
	end_at(f, id, LONG_AGO + 3);
	finish(f);
	get(f, id);
	assert_true(span.start == LONG_AGO + 1 && span.end == LONG_AGO + 3);
	assert_null(wire_attribute(&span, "opa.time_clamped"));
}

static void a_time_of_zero_is_a_time(void **state)
{
	fixture *f = *state;
	opa_span_id id = begin_at(f, 0);
	end_at(f, id, 0);
	finish(f);
	get(f, id);
	assert_true(span.start == 0 && span.end == 0);
}

static void now_is_wall_clock_time(void **state)
{
	fixture *f = *state;
	uint64_t before = opa_clock_wall();
	opa_span_id root = trace_begin(f->table, f->owner, &f->limits);
	f->root = root;
	opa_span_id id = begin(f, root);
	end(f, id);
	finish(f);
	uint64_t after = opa_clock_wall();
	get(f, id);
	assert_true(before <= span.start && span.start <= span.end && span.end <= after + 1000000);
}

static void a_duration_is_monotonic_distance(void **state)
{
	fixture *f = *state;
	uint64_t outer_from = opa_clock_mono();
	opa_span_id id = begin(f, f->root);
	uint64_t inner_from = opa_clock_mono();
	while (opa_clock_mono() - inner_from < 2000000) {
	}
	uint64_t inner = opa_clock_mono() - inner_from;
	end(f, id);
	uint64_t outer = opa_clock_mono() - outer_from;
	finish(f);
	get(f, id);
	assert_true(span.end - span.start >= inner && span.end - span.start <= outer);
}

static void a_given_start_in_the_past_ends_now(void **state)
{
	fixture *f = *state;
	uint64_t before = opa_clock_wall();
	opa_span_id id = begin_at(f, LONG_AGO);
	end(f, id);
	finish(f);
	get(f, id);
	assert_true(span.start == LONG_AGO && span.end + 1000000 >= before);
}

static void an_end_before_the_start_is_clamped_and_marked(void **state)
{
	fixture *f = *state;
	opa_span_id given = begin_at(f, LONG_AGO), started = begin(f, f->root);
	end_at(f, given, LONG_AGO - 1);
	end_at(f, started, 5);
	finish(f);
	get(f, given);
	assert_true(span.start == LONG_AGO && span.end == LONG_AGO);
	assert_true(wire_bool(*wire_attribute(&span, "opa.time_clamped")));
	get(f, started);
	assert_true(span.end == span.start);
	assert_true(wire_bool(*wire_attribute(&span, "opa.time_clamped")));
}

static void a_start_in_the_future_left_open_has_both_marks(void **state)
{
	fixture *f = *state;
	opa_span_id id = begin_at(f, UINT64_MAX - 10);
	assert_int_equal(set_tag(f, id, "k", "v"), OPA_SPAN_OK);
	finish(f);
	get(f, id);
	assert_true(span.start == UINT64_MAX - 10 && span.end == span.start);
	assert_int_equal(span.attribute_count, 3);
	assert_true(wire_bool(*wire_attribute(&span, "opa.time_clamped")));
	assert_true(wire_bool(*wire_attribute(&span, "opa.unfinished")));
}

static void spans_of_a_trace_are_in_order_of_time(void **state)
{
	fixture *f = *state;
	uint64_t last = 0;
	for (int i = 0; i < 100; i++) {
		end(f, begin(f, f->root));
	}
	size_t at = 0;
	finish(f);
	/* The latest stands first. */
	while (wire_next_span(f->out.data, f->out.len, &at, &span)) {
		assert_true(last == 0 || span.id == f->root || span.start <= last);
		last = span.id == f->root ? last : span.start;
	}
}

/* ---- partial flush ---- */

static void a_piece_leaves_at_flush_size_and_not_before(void **state)
{
	fixture *f = *state;
	f->limits.flush_size = 2000;
	opa_batch batch = {.data = NULL};
	size_t pieces = 0;
	for (int i = 0; i < 200; i++) {
		opa_span_id id = begin(f, f->root);
		assert_int_equal(opa_span_end(f->table, f->owner, id, OPA_NOW, &batch), OPA_SPAN_OK);
		if (batch.data != NULL) {
			assert_true(batch.len >= 2000 && batch.len < 2000 + 300);
			assert_false(batch.complete);
			pieces++;
			collect(&f->out, f->table, &batch);
		}
	}
	assert_true(pieces > 5);
	finish(f);
	assert_int_equal(f->out.spans, 201);
	assert_int_equal(f->out.counts[OPA_TRACE_SPANS_STARTED], 201);
}

static void a_piece_leaves_when_it_is_old_enough(void **state)
{
	fixture *f = *state;
	opa_batch batch;
	f->limits.flush_age = 1;
	opa_span_id id = begin(f, f->root);
	assert_int_equal(opa_span_end(f->table, f->owner, id, OPA_NOW, &batch), OPA_SPAN_OK);
	assert_int_equal(batch.spans, 1);
	opa_batch_release(f->table, &batch);
	f->limits.flush_age = (uint64_t)3600 * 1000000000;
	id = begin(f, f->root);
	assert_int_equal(opa_span_end(f->table, f->owner, id, OPA_NOW, &batch), OPA_SPAN_OK);
	assert_null(batch.data);
}

static void every_piece_names_its_trace(void **state)
{
	fixture *f = *state;
	opa_batch batch, last;
	end(f, begin(f, f->root));
	opa_trace_flush(f->table, f->owner, f->root, &batch);
	opa_trace_finish(f->table, f->owner, f->root, OPA_NO_SPAN, 0, &last);
	assert_memory_equal(batch.trace_id, last.trace_id, 16);
	assert_memory_not_equal(batch.trace_id, "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 16);
	assert_true(!batch.complete && last.complete);
	opa_batch_release(f->table, &batch);
	opa_batch_release(f->table, &last);
}

static void counts_can_be_taken_while_spans_are_open(void **state)
{
	fixture *f = *state;
	uint32_t counts[OPA_TRACE_COUNTS];
	f->limits.events = 0;
	opa_span_id id = begin(f, f->root);
	opa_span_add_event(f->table, f->owner, id, OPA_NOW, event_fields("e"));
	opa_trace_take_counts(f->table, f->owner, f->root, counts);
	assert_int_equal(counts[OPA_TRACE_SPANS_STARTED], 2);
	assert_int_equal(counts[OPA_TRACE_EVENTS_DROPPED], 1);
	opa_trace_take_counts(f->table, f->owner, f->root, counts);
	assert_int_equal(counts[OPA_TRACE_SPANS_STARTED] + counts[OPA_TRACE_EVENTS_DROPPED], 0);
	memset(counts, 0xff, sizeof(counts));
	opa_trace_take_counts(f->table, f->owner + 1, f->root, counts);
	assert_int_equal(counts[OPA_TRACE_SPANS_STARTED], 0);
	end(f, id);
	finish(f);
	assert_int_equal(f->out.counts[OPA_TRACE_SPANS_STARTED], 0);
	assert_int_equal(f->out.spans, 2);
}

static void open_spans_are_those_besides_the_local_root(void **state)
{
	fixture *f = *state;
	assert_false(opa_trace_has_open_spans(f->table, f->owner, f->root, f->root));
	opa_span_id id = begin(f, f->root);
	assert_true(opa_trace_has_open_spans(f->table, f->owner, f->root, f->root));
	assert_false(opa_trace_has_open_spans(f->table, f->owner + 1, f->root, f->root));
	end(f, id);
	assert_false(opa_trace_has_open_spans(f->table, f->owner, f->root, f->root));
	end(f, f->root);
	finish(f);
	assert_false(opa_trace_has_open_spans(f->table, f->owner, f->root, f->root));
}

static void a_flush_with_nothing_finished_is_empty_and_keeps_the_counts(void **state)
{
	fixture *f = *state;
	opa_batch batch;
	for (int i = 0; i < 3; i++) {
		memset(&batch, 0xff, sizeof(batch));
		assert_int_equal(opa_trace_flush(f->table, f->owner, f->root, &batch), OPA_SPAN_OK);
		assert_null(batch.data);
		assert_null(batch.block);
		assert_int_equal(batch.spans + batch.len, 0);
	}
	finish(f);
	assert_int_equal(f->out.counts[OPA_TRACE_SPANS_STARTED], 1);
}

static void counts_are_handed_out_once(void **state)
{
	fixture *f = *state;
	opa_batch batch;
	end(f, begin(f, f->root));
	opa_trace_flush(f->table, f->owner, f->root, &batch);
	assert_int_equal(batch.counts[OPA_TRACE_SPANS_STARTED], 2);
	opa_batch_release(f->table, &batch);
	opa_trace_finish(f->table, f->owner, f->root, OPA_NO_SPAN, 0, &batch);
	assert_int_equal(batch.counts[OPA_TRACE_SPANS_STARTED], 0);
	assert_int_equal(batch.counts[OPA_TRACE_SPANS_UNFINISHED], 1);
	opa_batch_release(f->table, &batch);
}

static void what_has_left_is_no_more_in_the_books(void **state)
{
	fixture *f = *state;
	opa_batch batch;
	size_t open_spans, before, after;
	opa_span_table_usage(f->table, &open_spans, &before);
	for (int i = 0; i < 10; i++) {
		end(f, begin(f, f->root));
	}
	opa_trace_flush(f->table, f->owner, f->root, &batch);
	opa_span_table_usage(f->table, &open_spans, &after);
	assert_int_equal(after, before);
	opa_batch_release(f->table, &batch);
}

static void open_spans_go_on_after_a_flush(void **state)
{
	fixture *f = *state;
	opa_batch batch;
	opa_span_id open = begin(f, f->root);
	set_tag(f, open, "before", "1");
	end(f, begin(f, open));
	opa_trace_flush(f->table, f->owner, f->root, &batch);
	assert_int_equal(batch.spans, 1);
	collect(&f->out, f->table, &batch);
	set_tag(f, open, "after", "2");
	end(f, open);
	finish(f);
	get(f, open);
	assert_int_equal(span.attribute_count, 2);
}

/* ---- the batch's memory ---- */

static void the_memory_of_a_released_batch_is_used_again(void **state)
{
	fixture *f = *state;
	opa_batch batch;
	end(f, begin(f, f->root));
	opa_trace_flush(f->table, f->owner, f->root, &batch);
	uint8_t *block = batch.block;
	opa_batch_release(f->table, &batch);
	end(f, begin(f, f->root));
	opa_trace_flush(f->table, f->owner, f->root, &batch);
	assert_ptr_equal(batch.block, block);
	opa_batch_release(f->table, &batch);
}

static void two_batches_never_share_memory(void **state)
{
	fixture *f = *state;
	opa_batch a, b;
	end(f, begin(f, f->root));
	opa_trace_flush(f->table, f->owner, f->root, &a);
	opa_batch_release(f->table, &a);
	end(f, begin(f, f->root));
	opa_trace_flush(f->table, f->owner, f->root, &a);
	end(f, begin(f, f->root));
	opa_trace_flush(f->table, f->owner, f->root, &b);
	assert_ptr_not_equal(a.block, b.block);
	memset(a.data, 0, a.len); /* its receiver may do with it what it likes */
	collect(&f->out, f->table, &b);
	opa_batch_release(f->table, &a);
	finish(f);
	assert_int_equal(f->out.spans, 2);
}

static void an_empty_batch_may_be_released(void **state)
{
	fixture *f = *state;
	opa_batch batch;
	opa_span_id id = begin(f, f->root);
	memset(&batch, 0xff, sizeof(batch));
	opa_span_end(f->table, f->owner, id, OPA_NOW, &batch);
	opa_batch_release(f->table, &batch);
	opa_batch_release(f->table, &batch);
	memset(&batch, 0xff, sizeof(batch));
	opa_span_end(f->table, f->owner, id, OPA_NOW, &batch);
	opa_batch_release(f->table, &batch);
}

/* Of every length, so that some fill their memory to the last byte. */
static void the_headroom_of_every_batch_may_be_written(void **state)
{
	fixture *f = *state;
	static char text[5000];
	memset(text, 'x', sizeof(text) - 1);
	for (unsigned long len = 3500; len < 4500; len += len < 4200 ? 1 : 50) {
		opa_batch batch;
		opa_span_id id = begin(f, f->root);
		assert_int_equal(set_tag(f, id, "k", text + sizeof(text) - 1 - len), OPA_SPAN_OK);
		end(f, id);
		opa_trace_flush(f->table, f->owner, f->root, &batch);
		uint8_t *fresh = batch.block;
		batch.block = NULL; /* not to be used again: the next one is made anew */
		assert_true(batch.data - fresh >= OPA_BATCH_HEADROOM);
		memset(batch.data - OPA_BATCH_HEADROOM, 0xA5, OPA_BATCH_HEADROOM);
		free(fresh);
	}
}

static void usage_comes_back_to_nothing(void **state)
{
	fixture *f = *state;
	size_t open_spans, bytes;
	char large[3000];
	memset(large, 'x', sizeof(large) - 1);
	large[sizeof(large) - 1] = '\0';
	for (int i = 0; i < 50; i++) {
		opa_span_id id = begin(f, f->root);
		set_tag(f, id, "k", large + random_below(&(uint64_t){(uint64_t)i}, sizeof(large)));
		opa_span_set_status(f->table, f->owner, id, OPA_STATUS_ERROR, str(large), false);
		opa_span_set_name(f->table, f->owner, id, str(large));
		if (i % 3 > 0) {
			end(f, id);
		}
	}
	opa_span_table_usage(f->table, &open_spans, &bytes);
	assert_int_equal(open_spans, 1 + 17);
	assert_true(bytes > 50 * 6000);
	finish(f);
	opa_span_table_usage(f->table, &open_spans, &bytes);
	assert_int_equal(open_spans + bytes, 0);
}

/* ---- another opinion ---- */

/* What protoc makes of a batch, as text; NULL when it refuses it. */
static char *protoc_reads(const opa_batch *batch, char *text, size_t size)
{
	char path[] = "/tmp/opa-test-XXXXXX", command[512];
	int fd = mkstemp(path);
	assert_true(fd >= 0);
	assert_true(write(fd, batch->data, batch->len) == (ssize_t)batch->len);
	close(fd);
	snprintf(command, sizeof(command),
		"protoc -I\"$OPA_OTLP_PROTOS\" --decode=opentelemetry.proto.trace.v1.ScopeSpans"
		" opentelemetry/proto/trace/v1/trace.proto < %s 2>/dev/null",
		path);
	FILE *pipe = popen(command, "r");
	assert_non_null(pipe);
	size_t len = fread(text, 1, size - 1, pipe);
	text[len] = '\0';
	int status = pclose(pipe);
	unlink(path);
	return status == 0 ? text : NULL;
}

static void protoc_reads_the_same(void **state)
{
	fixture *f = *state;
	static char text[1 << 16];
	opa_batch batch;
	if (!protoc_is_there()) {
		skip();
	}
	opa_span_id id = begin_at(f, LONG_AGO);
	const opa_value items[] = {OPA_VALUE_OF_INT(-5), OPA_VALUE_OF_BOOL(false)};
	opa_value list = {.type = OPA_VALUE_LIST, .as.list = {items, 2}};
	opa_span_set_attributes(f->table, f->owner, id, tag_value(OPA_STR("list"), list));
	opa_span_add_event(f->table, f->owner, id, LONG_AGO + 1, event_fields("an event"));
	opa_span_add_link(f->table, f->owner, id, link_fields('L'));
	opa_span_set_status(f->table, f->owner, id, OPA_STATUS_ERROR, OPA_STR("broken"), false);
	end_at(f, id, LONG_AGO - 1);
	opa_trace_finish(f->table, f->owner, f->root, OPA_NO_SPAN, 0, &batch);
	assert_non_null(protoc_reads(&batch, text, sizeof(text)));
	static const char *const wanted[] = {"key: \"list\"", "int_value: -5", "bool_value: false",
		"name: \"timed\"", "name: \"an event\"", "span_id: \"LLLLLLLL\"", "message: \"broken\"",
		"code: STATUS_CODE_ERROR", "flags: 257", "kind: SPAN_KIND_INTERNAL",
		"kind: SPAN_KIND_SERVER", "start_time_unix_nano: 1000000000000000000",
		"end_time_unix_nano: 1000000000000000000", "time_unix_nano: 1000000000000000001",
		"key: \"opa.time_clamped\"", "key: \"opa.unfinished\"", "name: \"root\""};
	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
		if (strstr(text, wanted[i]) == NULL) {
			fail_msg("no %s in: %s", wanted[i], text);
		}
	}
	/* A field that protoc does not know it would print by its number. */
	for (const char *line = strtok(text, "\n"); line != NULL; line = strtok(NULL, "\n")) {
		line += strspn(line, " ");
		assert_false(*line >= '0' && *line <= '9');
	}
	opa_batch_release(f->table, &batch);
}

int main(void)
{
#define TEST(t) cmocka_unit_test_setup_teardown(t, fixture_setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
		TEST(given_times_are_taken_as_they_are),
		TEST(a_time_of_zero_is_a_time),
		TEST(now_is_wall_clock_time),
		TEST(a_duration_is_monotonic_distance),
		TEST(a_given_start_in_the_past_ends_now),
		TEST(an_end_before_the_start_is_clamped_and_marked),
		TEST(a_start_in_the_future_left_open_has_both_marks),
		TEST(spans_of_a_trace_are_in_order_of_time),
		TEST(a_piece_leaves_at_flush_size_and_not_before),
		TEST(a_piece_leaves_when_it_is_old_enough),
		TEST(every_piece_names_its_trace),
		TEST(counts_can_be_taken_while_spans_are_open),
		TEST(open_spans_are_those_besides_the_local_root),
		TEST(a_flush_with_nothing_finished_is_empty_and_keeps_the_counts),
		TEST(counts_are_handed_out_once),
		TEST(what_has_left_is_no_more_in_the_books),
		TEST(open_spans_go_on_after_a_flush),
		TEST(the_memory_of_a_released_batch_is_used_again),
		TEST(two_batches_never_share_memory),
		TEST(an_empty_batch_may_be_released),
		TEST(the_headroom_of_every_batch_may_be_written),
		TEST(usage_comes_back_to_nothing),
		TEST(protoc_reads_the_same),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
