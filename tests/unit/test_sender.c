/* opa-exporter --check and --send: what they read, what is sent of it, what they answer. */
#include "collector_fixture.h"

#include "core/opa_alloc.h"
#include "export/opa_definition.h"
#include "export/opa_sender.h"

typedef struct rig {
	server *s;
	FILE *in;
	char out[65536];
	char errors[1024];
} rig;

static int set_up_rig(void **state)
{
	rig *r = calloc(1, sizeof(*r));
	r->s = new_server();
	r->in = tmpfile();
	*state = r;
	return r->in != NULL ? 0 : -1;
}

static int tear_down_rig(void **state)
{
	rig *r = *state;
	free_server(r->s);
	fclose(r->in);
	free(r);
	return 0;
}

/* The server's, with more lines; the empty line behind them. */
static void define_server(rig *r, const char *more)
{
	start_server(r->s);
	fprintf(r->in, "url=http://127.0.0.1:%d\ntimeout=10000\n%s\n", r->s->port, more);
}

static void put_record(rig *r, uint32_t number)
{
	build fields = {0}, payload = {0};
	uint8_t trace_id[16];
	name_trace(trace_id, 0x11, number);
	build_trace(&payload, trace_id);
	build_text_attribute(&fields, 1, "service.name", "test");
	fprintf(r->in, "record %d %zu %zu\n", SPANS_A_TRACE, fields.len, payload.len);
	fwrite(fields.data, 1, fields.len, r->in);
	fwrite(payload.data, 1, payload.len, r->in);
	free(payload.data);
	free(fields.data);
}

static void put_records(rig *r, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		put_record(r, i);
	}
}

static void take_text(FILE *from, char *to, size_t size)
{
	rewind(from);
	to[fread(to, 1, size - 1, from)] = '\0';
	fclose(from);
}

static int run(rig *r, bool check, unsigned patience_seconds)
{
	FILE *out = tmpfile(), *errors = tmpfile();
	rewind(r->in);
	int result = (int)(check ? opa_sender_check(r->in, out, errors)
							 : opa_sender_run(r->in, out, errors, patience_seconds));
	take_text(out, r->out, sizeof(r->out));
	take_text(errors, r->errors, sizeof(r->errors));
	return result;
}

static void assert_says(const char *text, const char *part)
{
	if (strstr(text, part) == NULL) {
		fail_msg("it says \"%s\", wanted \"%s\"", text, part);
	}
}

static void answer_all(rig *r, unsigned status)
{
	r->s->script->always.status = status;
}

/* ---- definitions ---- */

static bool define_as(const char *text, opa_destination *d, char *problem, size_t size)
{
	FILE *file = tmpfile();
	fputs(text, file);
	rewind(file);
	bool ok = opa_definition_read(file, d, problem, size);
	fclose(file);
	return ok;
}

static void an_endpoint_may_be_given_in_three_ways(void **state)
{
	(void)state;
	static const struct {
		const char *line;
		const char *endpoint;
	} cases[] = {
		{"url=http://c:4318", "http://c:4318/v1/traces"},
		{"url=http://c/v1/traces", "http://c/v1/traces"},
		{"base=http://c/v1/traces", "http://c/v1/traces/v1/traces"},
		{"endpoint=http://c/x", "http://c/x"},
		{"type=otlp\nendpoint=unix:///run/c", "unix:///run/c"},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		opa_destination d;
		char problem[256], text[512];
		snprintf(text, sizeof(text), "%s\nheaders=api-key=a%%20b,c=d\nheader=e: f\n\nrest",
			cases[i].line);
		assert_true(define_as(text, &d, problem, sizeof(problem)));
		assert_string_equal(problem, "");
		assert_string_equal(d.endpoint, cases[i].endpoint);
		assert_int_equal(d.header_count, 3);
		assert_string_equal(d.headers[0], "api-key: a b");
		assert_string_equal(d.headers[1], "c: d");
		assert_string_equal(d.headers[2], "e: f");
		opa_destination_deinit(&d);
	}
}

static void what_defines_no_collector_is_refused_without_a_secret(void **state)
{
	(void)state;
	static const char *const wrong[] = {"", "\n", "type=store\nendpoint=http://c/\n", "url=c\n",
		"type=new\nendpoint=http://c/\n", "url=ftp://me:topsecret@c\n",
		"url=http://c\nproxy=topsecret proxy\n", "url=http://c\nheaders=topsecret\n"};
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		opa_destination d;
		char problem[256];
		assert_false(define_as(wrong[i], &d, problem, sizeof(problem)));
		assert_true(problem[0] != '\0');
		assert_null(strstr(problem, "topsecret"));
		assert_null(d.text);
	}
	opa_destination d;
	char problem[256];
	FILE *file = tmpfile();
	fwrite("url=http://c\0x\n", 1, 15, file);
	rewind(file);
	assert_false(opa_definition_read(file, &d, problem, sizeof(problem)));
	fclose(file);
}

/* ---- --check ---- */

static void a_check_is_a_request_like_all_others(void **state)
{
	rig *r = *state;
	define_server(r, "compression=gzip\nheaders=api-key=topsecret\n");
	assert_int_equal(run(r, true, 0), 0);
	assert_says(r->out, "/v1/traces\nverdict=taken\nstatus=200\nms=");
	assert_null(strstr(r->out, "message="));
	assert_null(strstr(r->out, "topsecret"));
	assert_int_equal(count_requests(r->s), 1);
	const request *q = &r->s->script->requests[0];
	assert_int_equal(strncmp(q->head, "POST /v1/traces HTTP/1.1\r\n", 26), 0);
	assert_non_null(strstr(q->head, "\r\nContent-Type: application/x-protobuf\r\n"));
	assert_non_null(strstr(q->head, "\r\nContent-Encoding: gzip\r\n"));
	assert_non_null(strstr(q->head, "\r\napi-key: topsecret\r\n"));
	assert_int_equal(q->len, 0);
	assert_true(q->packed_len > 0);
}

static void a_check_without_compression_has_no_body(void **state)
{
	rig *r = *state;
	define_server(r, "compression=none\n");
	assert_int_equal(run(r, true, 0), 0);
	assert_int_equal(r->s->script->requests[0].packed_len, 0);
	assert_null(strstr(r->s->script->requests[0].head, "Content-Encoding"));
}

static void a_check_says_what_it_is_answered(void **state)
{
	rig *r = *state;
	static const struct {
		unsigned status;
		const char *verdict;
		const char *message;
	} cases[] = {
		{401, "refused", "credentials are missing or wrong"},
		{404, "refused", "wrong path?"},
		{415, "refused", "does not take OTLP as protobuf"},
		{503, "later", "it answers 503"},
		{400, "smaller", "it answers 400"},
	};
	define_server(r, "");
	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char line[64];
		answer_all(r, cases[i].status);
		assert_int_equal(run(r, true, 0), 1);
		snprintf(line, sizeof(line), "verdict=%s\nstatus=%u\n", cases[i].verdict, cases[i].status);
		assert_says(r->out, line);
		assert_says(r->out, cases[i].message);
		assert_int_equal(count_requests(r->s), i + 1);
	}
}

static void a_check_says_why_there_is_no_answer(void **state)
{
	rig *r = *state;
	define_server(r, "timeout=300\n");
	r->s->script->steps[0].action = HANG;
	r->s->script->steps[1].action = CLOSE;
	r->s->script->step_count = 2;
	assert_int_equal(run(r, true, 0), 1);
	assert_says(r->out, "verdict=later\ncause=timeout\n");
	assert_says(r->out, "message=no answer in time (opa.timeout)");
	assert_int_equal(run(r, true, 0), 1);
	assert_says(r->out, "verdict=later\ncause=broken\n");
	stop_server(r->s);
	assert_int_equal(run(r, true, 0), 1);
	assert_says(r->out, "verdict=later\ncause=connect\n");
	assert_says(r->out, "Connection refused");
}

static void a_check_of_nothing_says_so(void **state)
{
	rig *r = *state;
	fputs("type=store\n", r->in);
	assert_int_equal(run(r, true, 0), 2);
	assert_string_equal(r->out, "");
	assert_says(r->errors, "no collector");
}

/* ---- --send ---- */

static void records_arrive_as_they_are(void **state)
{
	rig *r = *state;
	define_server(r, "compression=gzip\n");
	put_records(r, 20);
	assert_int_equal(run(r, false, 60), 0);
	assert_string_equal(r->out, "taken 20 60 0 \ndone\n");
	assert_int_equal(count_requests(r->s), 1);
	assert_arrived(r->s, 0x11, 20);
	assert_int_equal(look(r->s, 200, 0x11)->resources, 1);
}

static void batches_are_not_larger_than_asked_for(void **state)
{
	rig *r = *state;
	define_server(r, "batch_spans=15\n");
	put_records(r, 12);
	assert_int_equal(run(r, false, 60), 0);
	assert_string_equal(r->out, "taken 5 15 0 \ntaken 5 15 0 \ntaken 2 6 0 \ndone\n");
	assert_arrived(r->s, 0x11, 12);
}

static void nothing_is_sent_of_nothing(void **state)
{
	rig *r = *state;
	define_server(r, "");
	assert_int_equal(run(r, false, 60), 0);
	assert_string_equal(r->out, "done\n");
	assert_int_equal(count_requests(r->s), 0);
}

static void a_record_that_is_refused_is_the_only_one_that_is_lost(void **state)
{
	rig *r = *state;
	uint8_t poison[16];
	name_trace(poison, 0x11, 2);
	r->s->script->poison = (const char *)poison;
	r->s->script->poison_len = sizeof(poison);
	r->s->script->poisoned = 400;
	define_server(r, "");
	put_records(r, 8);
	assert_int_equal(run(r, false, 60), 0);
	assert_string_equal(r->out,
		"taken 2 6 0 \nmalformed 1 3 0 it answers 400\ntaken 1 3 0 \ntaken 4 12 0 \ndone\n");
	assert_int_equal(look(r->s, 200, 0x11)->spans, 7 * SPANS_A_TRACE);
	assert_int_equal(look(r->s, 200, 0x11)->times[2], 0);
}

static void what_a_collector_rejects_is_said(void **state)
{
	rig *r = *state;
	static const char partial[] = "\x0a\x08\x08\x02\x12\x04late";
	r->s->script->always.head = "Content-Type: application/x-protobuf\r\n";
	r->s->script->always.body = partial;
	r->s->script->always.len = sizeof(partial) - 1;
	define_server(r, "");
	put_records(r, 1);
	assert_int_equal(run(r, false, 60), 0);
	assert_string_equal(r->out, "taken 1 3 2 it rejected 2 spans: late\ndone\n");
}

static void a_collector_that_is_busy_is_asked_again(void **state)
{
	rig *r = *state;
	r->s->script->steps[0].status = 503;
	r->s->script->steps[1].status = 429;
	r->s->script->steps[1].head = "Retry-After: 1\r\n";
	r->s->script->step_count = 2;
	define_server(r, "");
	put_records(r, 5);
	assert_int_equal(run(r, false, 600), 0);
	assert_says(r->out, "later ");
	assert_says(r->out, " it answers 503\nlater ");
	assert_says(r->out, " it answers 429 (too much for it)\ntaken 5 15 0 \ndone\n");
	assert_int_equal(count_requests(r->s), 3);
	const request *q = r->s->script->requests;
	assert_true(q[2].time - q[1].time >= 1000000000);
	assert_arrived(r->s, 0x11, 5);
}

/* What was taken of a batch before that is not sent again. */
static void after_a_pause_it_goes_on_where_it_was(void **state)
{
	rig *r = *state;
	r->s->script->steps[0].status = 413;
	r->s->script->steps[1].status = 200;
	r->s->script->steps[2].status = 503;
	r->s->script->step_count = 3;
	define_server(r, "");
	put_records(r, 4);
	assert_int_equal(run(r, false, 600), 0);
	assert_int_equal(strncmp(r->out, "taken 2 6 0 \nlater ", 19), 0);
	assert_says(r->out, " it answers 503\ntaken 2 6 0 \ndone\n");
	assert_arrived(r->s, 0x11, 4);
}

static void one_that_stays_away_is_given_up(void **state)
{
	rig *r = *state;
	answer_all(r, 503);
	define_server(r, "batch_spans=3\n");
	put_records(r, 4);
	assert_int_equal(run(r, false, 0), 1);
	assert_string_equal(r->out, "failed it answers 503\n");
	assert_int_equal(count_requests(r->s), 1);
}

static void one_that_takes_none_is_not_asked_again(void **state)
{
	rig *r = *state;
	answer_all(r, 401);
	define_server(r, "batch_spans=3\n");
	put_records(r, 4);
	assert_int_equal(run(r, false, 60), 1);
	assert_string_equal(
		r->out, "failed it answers 401 (credentials are missing or wrong: opa.headers)\n");
	assert_int_equal(count_requests(r->s), 1);
}

/* No part of such a batch is told as lost twice, and it ends. */
static void one_that_answers_400_to_all_is_given_up(void **state)
{
	rig *r = *state;
	answer_all(r, 400);
	define_server(r, "");
	put_records(r, 400);
	assert_int_equal(run(r, false, 60), 1);
	assert_says(r->out, "malformed 1 3 0 it answers 400\n");
	assert_says(r->out, "failed nothing is taken: it answers 400\n");
	assert_in_range(count_requests(r->s), 16, 40);
}

static void input_that_is_none_is_said(void **state)
{
	rig *r = *state;
	static const char *const wrong[] = {"record 1 5 5\nshort", "record x\n", "nothing\n",
		"record 1 5 5", "record 1 5 99999999999\n", "record 1 -5 5\n"};
	define_server(r, "");
	long begin = ftell(r->in);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		fseek(r->in, begin, SEEK_SET);
		assert_int_equal(ftruncate(fileno(r->in), begin), 0);
		fputs(wrong[i], r->in);
		fflush(r->in);
		assert_int_equal(run(r, false, 60), 1);
		assert_int_equal(strncmp(r->out, "failed the input ", 17), 0);
	}
	assert_int_equal(count_requests(r->s), 0);
}

/* Whatever allocation fails, it says that it has failed, and nothing is taken twice. */
static void when_memory_is_short_it_fails_in_words(void **state)
{
	rig *r = *state;
	define_server(r, "compression=gzip\n");
	put_records(r, 3);
	for (unsigned long n = 0; n < 200; n++) {
		unsigned before = count_requests(r->s);
		opa_alloc_fail_after((long)n, true);
		int result = run(r, false, 0);
		opa_alloc_fail_after(-1, false);
		if (result == 0) {
			assert_string_equal(r->out, "taken 3 9 0 \ndone\n");
			return;
		}
		assert_null(strstr(r->out, "done"));
		assert_says(r->errors[0] != '\0' ? r->errors : r->out,
			r->errors[0] != '\0' ? "out of memory" : "failed ");
		assert_true(count_requests(r->s) <= before + 1);
	}
	fail_msg("it never went through");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up_rig, tear_down_rig)
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_endpoint_may_be_given_in_three_ways),
		cmocka_unit_test(what_defines_no_collector_is_refused_without_a_secret),
		TEST(a_check_is_a_request_like_all_others),
		TEST(a_check_without_compression_has_no_body),
		TEST(a_check_says_what_it_is_answered),
		TEST(a_check_says_why_there_is_no_answer),
		TEST(a_check_of_nothing_says_so),
		TEST(records_arrive_as_they_are),
		TEST(batches_are_not_larger_than_asked_for),
		TEST(nothing_is_sent_of_nothing),
		TEST(a_record_that_is_refused_is_the_only_one_that_is_lost),
		TEST(what_a_collector_rejects_is_said),
		TEST(a_collector_that_is_busy_is_asked_again),
		TEST(after_a_pause_it_goes_on_where_it_was),
		TEST(one_that_stays_away_is_given_up),
		TEST(one_that_takes_none_is_not_asked_again),
		TEST(one_that_answers_400_to_all_is_given_up),
		TEST(input_that_is_none_is_said),
		TEST(when_memory_is_short_it_fails_in_words),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
