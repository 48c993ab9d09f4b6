/* Sending to a collector: what it gets, once, in order, and from where the exporter goes on. */
#include "collector_fixture.h"

#include "core/opa_alloc.h"

typedef struct rig {
	fixture *f;
	server *s;
} rig;

static int set_up_rig(void **state)
{
	void *f = NULL;
	rig *r = calloc(1, sizeof(*r));
	if (set_up(&f) != 0) {
		return -1;
	}
	r->f = f;
	r->s = new_server();
	*state = r;
	return 0;
}

static int tear_down_rig(void **state)
{
	rig *r = *state;
	void *f = r->f;
	free_server(r->s);
	free(r);
	return tear_down(&f);
}

/* The server, and destination 1 that is it. */
static void begin(rig *r, const char *more)
{
	start_server(r->s);
	define_collector(r->f, 1, r->s, more);
}

static bool has_line(const request *q, const char *line)
{
	char text[256];
	snprintf(text, sizeof(text), "\r\n%s\r\n", line);
	return strcasestr(q->head, text) != NULL;
}

/* A span with a name of that size. */
static void write_large(writer *w, uint32_t number, size_t size)
{
	build fields = {0}, span = {0}, payload = {0};
	uint8_t room[OPA_RECORD_HEADER_SIZE] = {0}, id[8] = {0xa0};
	bool lost;
	opa_record record = {.type = OPA_RECORD_SPANS, .spans = SPANS_A_TRACE, .resource = w->number};
	name_trace(record.trace_id, w->number, number);
	char *text = malloc(size);
	memset(text, 'x', size);
	build_bytes(&span, 1, record.trace_id, 16);
	build_bytes(&span, 2, id, 8);
	build_bytes(&span, 5, text, size);
	build_raw(&payload, room, sizeof(room));
	build_message(&payload, 2, &span);
	build_text_attribute(&fields, 1, "service.name", "test");
	record.payload = payload.data + sizeof(room);
	record.length = payload.len - sizeof(room);
	assert_int_equal(
		opa_journal_append(w->journal, &record, build_str(&fields), &lost), OPA_JOURNAL_OK);
	free(text);
	free(span.data);
	free(payload.data);
	free(fields.data);
}

/* ---- what it gets ---- */

static void a_request_is_otlp_over_http(void **state)
{
	rig *r = *state;
	begin(r, "header=api-key: a=b, c\nheader=X-Empty: \nheader=content-type: text/plain\n");
	write_and_leave(r->f, 0x11, 1, 20, true);
	assert_int_equal(run_once(r->f), 0);
	assert_int_equal(count_requests(r->s), 1);
	const request *q = &r->s->script->requests[0];
	assert_int_equal(strncmp(q->head, "POST /v1/traces HTTP/1.1\r\n", 26), 0);
	assert_true(has_line(q, "Content-Type: application/x-protobuf"));
	assert_true(has_line(q, "Content-Encoding: gzip"));
	assert_true(has_line(q, "User-Agent: OTel-OTLP-Exporter-opa/" OPA_VERSION_TEXT));
	assert_true(has_line(q, "api-key: a=b, c"));
	assert_true(has_line(q, "X-Empty:"));
	assert_false(has_line(q, "content-type: text/plain"));
	assert_null(strcasestr(q->head, "Expect:"));
	assert_true(q->packed_len < q->len / 2);
	assert_arrived(r->s, 0x11, 20);
	assert_int_equal(count_journals(r->f), 0);
	assert_int_equal(read_counter(r->f, 1, "collector_spans_sent"), 20 * SPANS_A_TRACE);
}

static void without_compression_it_is_sent_as_it_is(void **state)
{
	rig *r = *state;
	begin(r, "compression=none\n");
	writer *w = open_writer(r->f, 0x11, 1);
	assert_true(write_trace(w, 0));
	write_large(w, 1, 3u << 20);
	close_writer(w);
	assert_int_equal(run_once(r->f), 0);
	const request *q = &r->s->script->requests[0];
	assert_null(strcasestr(q->head, "Content-Encoding"));
	assert_null(strcasestr(q->head, "Expect:")); /* which would wait for an answer first */
	assert_int_equal(q->len, q->packed_len);
	assert_true(q->len > 3u << 20);
	assert_int_equal(look(r->s, 200, 0x11)->times[0], SPANS_A_TRACE);
	assert_int_equal(look(r->s, 200, 0x11)->times[1], 1);
}

/* Three processes with a resource each, one of them with two journals. */
static void a_resource_stands_in_a_request_once(void **state)
{
	rig *r = *state;
	begin(r, "");
	write_and_leave(r->f, 0x11, 1, 5, true);
	write_and_leave(r->f, 0x12, 1, 5, true);
	write_and_leave(r->f, 0x13, 1, 5, true);
	write_and_leave(r->f, 0x11, 1, 0, true);
	assert_int_equal(run_once(r->f), 0);
	assert_int_equal(count_requests(r->s), 1);
	assert_int_equal(look(r->s, 200, 0x12)->resources, 3);
	for (uint8_t i = 0x11; i <= 0x13; i++) {
		assert_arrived(r->s, i, 5);
	}
}

static void a_batch_is_sent_when_it_has_its_size(void **state)
{
	rig *r = *state;
	begin(r, "batch_size=8192\n");
	write_and_leave(r->f, 0x11, 1, 400, true);
	assert_int_equal(run_once(r->f), 0);
	unsigned count = count_requests(r->s);
	assert_true(count > 5);
	for (unsigned i = 0; i + 1 < count; i++) {
		assert_in_range(r->s->script->requests[i].len, 6000, 9000);
	}
	assert_int_equal(r->s->script->connections, 1);
	assert_arrived(r->s, 0x11, 400);
}

static void a_batch_is_sent_when_it_has_its_spans(void **state)
{
	rig *r = *state;
	begin(r, "batch_spans=30\n");
	write_and_leave(r->f, 0x11, 1, 40, true);
	assert_int_equal(run_once(r->f), 0);
	assert_int_equal(count_requests(r->s), 4);
	assert_arrived(r->s, 0x11, 40);
}

/* What comes while there is time for it goes along. */
static void a_batch_that_is_not_full_lingers(void **state)
{
	rig *r = *state;
	begin(r, "linger=1500\n");
	pid_t pid = start(r->f);
	wait_for_state(r->f, "updated", "1");
	writer *w = open_writer(r->f, 0x11, 1);
	for (uint32_t i = 0; i < 4; i++) {
		assert_true(write_trace(w, i));
		for (int k = 0; k < 50; k++) {
			pause_a_little();
		}
	}
	wait_for_arrival(r->s, 0x11, 4);
	assert_true(count_requests(r->s) <= 2);
	stop(pid);
	close_writer(w);
}

static void many_processes_share_one_connection(void **state)
{
	rig *r = *state;
	enum { WRITERS = 120 };
	writer *writers[WRITERS];
	begin(r, "");
	pid_t pid = start(r->f);
	for (int i = 0; i < WRITERS; i++) {
		writers[i] = open_writer(r->f, (uint8_t)(i + 1), 1);
		assert_true(write_trace(writers[i], 0));
	}
	for (int i = 0; i < WRITERS; i++) {
		assert_true(write_trace(writers[i], 1));
		wait_for_arrival(r->s, (uint8_t)(i + 1), i == WRITERS - 1 ? 2 : 1);
	}
	stop(pid);
	for (int i = 0; i < WRITERS; i++) {
		assert_arrived(r->s, (uint8_t)(i + 1), 2);
		close_writer(writers[i]);
	}
	assert_int_equal(r->s->script->connections, 1);
}

static void a_socket_of_this_machine_is_an_endpoint(void **state)
{
	rig *r = *state;
	snprintf(r->s->path, sizeof(r->s->path), "%s/collector.sock", r->f->dir);
	begin(r, "proxy=http://127.0.0.1:1\n");
	write_and_leave(r->f, 0x11, 1, 5, true);
	assert_int_equal(run_once(r->f), 0);
	assert_int_equal(
		strncmp(r->s->script->requests[0].head, "POST /v1/traces HTTP/1.1\r\n", 26), 0);
	assert_true(has_line(&r->s->script->requests[0], "Host: localhost"));
	assert_arrived(r->s, 0x11, 5);
}

static void a_proxy_is_asked_for_the_whole_url(void **state)
{
	rig *r = *state;
	char more[128];
	start_server(r->s);
	snprintf(more, sizeof(more),
		"endpoint=http://collector.invalid/v1/traces\nproxy=http://u:p@127.0.0.1:%d\n", r->s->port);
	define_collector(r->f, 1, r->s, more);
	write_and_leave(r->f, 0x11, 1, 5, true);
	assert_int_equal(run_once(r->f), 0);
	const request *q = &r->s->script->requests[0];
	assert_int_equal(
		strncmp(q->head, "POST http://collector.invalid/v1/traces HTTP/1.1\r\n", 50), 0);
	assert_non_null(strcasestr(q->head, "\r\nProxy-Authorization: Basic dTpw\r\n"));
	assert_arrived(r->s, 0x11, 5);
}

/* Else whoever sets a variable of the machine would get the traces. */
static void the_environment_names_no_proxy(void **state)
{
	rig *r = *state;
	begin(r, "");
	setenv("http_proxy", "http://127.0.0.1:1", 1);
	setenv("all_proxy", "http://127.0.0.1:1", 1);
	write_and_leave(r->f, 0x11, 1, 5, true);
	int result = run_once(r->f);
	unsetenv("http_proxy");
	unsetenv("all_proxy");
	assert_int_equal(result, 0);
	assert_arrived(r->s, 0x11, 5);
}

/* ---- going on ---- */

static void what_was_sent_is_not_sent_again(void **state)
{
	rig *r = *state;
	begin(r, "");
	writer *w = open_writer(r->f, 0x11, 1);
	for (uint32_t i = 0; i < 6; i++) {
		assert_true(write_trace(w, i));
		assert_int_equal(run_once(r->f), 0);
	}
	close_writer(w);
	assert_int_equal(run_once(r->f), 0);
	assert_int_equal(count_requests(r->s), 6);
	assert_arrived(r->s, 0x11, 6);
	assert_int_equal(count_journals(r->f), 0);
	assert_int_equal(read_counter(r->f, 1, "collector_spans_sent"), 6 * SPANS_A_TRACE);
}

/* At least once: each that is killed may have sent its last batch for nothing. */
static void an_exporter_that_is_killed_loses_nothing_and_repeats_little(void **state)
{
	rig *r = *state;
	enum { LIVES = 12, TRACES = 3000, TRACES_A_BATCH = 40 };
	unsigned repeated = 0, lives = 0;
	begin(r, "batch_size=8192\n");
	write_and_leave(r->f, 0x11, 1, TRACES, true);
	for (; lives < LIVES && count_journals(r->f) > 0; lives++) {
		unsigned before = count_requests(r->s);
		pid_t pid = start(r->f);
		while (count_requests(r->s) == before && count_journals(r->f) > 0) {
			pause_a_little();
		}
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
	}
	assert_int_equal(run_once(r->f), 0);
	const arrived *a = look(r->s, 200, 0x11);
	for (unsigned i = 0; i < TRACES; i++) {
		assert_true(a->times[i] >= SPANS_A_TRACE && a->times[i] % SPANS_A_TRACE == 0);
		repeated += a->times[i] / SPANS_A_TRACE - 1;
	}
	fprintf(stderr, "%u traces were sent again in %u lives\n", repeated, lives);
	assert_true(lives > 1 && repeated <= lives * TRACES_A_BATCH);
	assert_int_equal(count_journals(r->f), 0);
}

static void the_writer_is_told(void **state)
{
	rig *r = *state;
	begin(r, "");
	writer *w = open_writer(r->f, 0x11, 1);
	assert_true(write_trace(w, 0));
	assert_int_equal(opa_control_ack(w->control, 0).offset, 0);
	assert_int_equal(run_once(r->f), 0);
	uint64_t sequence, offset;
	opa_journal_position(w->journal, &sequence, &offset);
	assert_int_equal(opa_control_ack(w->control, 0).sequence, sequence);
	assert_int_equal(opa_control_ack(w->control, 0).offset, offset);
	close_writer(w);
}

static void sigterm_sends_what_is_there(void **state)
{
	rig *r = *state;
	begin(r, "linger=60000\nshutdown_timeout=600000\n");
	write_and_leave(r->f, 0x11, 1, 50, true);
	pid_t pid = start(r->f);
	wait_for_state(r->f, "updated", "1");
	stop(pid);
	assert_arrived(r->s, 0x11, 50);
	assert_int_equal(count_journals(r->f), 0);
}

static void sigterm_does_not_wait_for_a_collector_that_hangs(void **state)
{
	rig *r = *state;
	r->s->script->steps[0].action = HANG;
	r->s->script->step_count = 1;
	begin(r, "timeout=600000\nshutdown_timeout=300\n");
	write_and_leave(r->f, 0x11, 1, 5, true);
	pid_t pid = start(r->f);
	wait_for_requests(r->s, 1);
	uint64_t begun = opa_clock_mono();
	stop(pid);
	assert_true(opa_clock_mono() - begun < patience() / 4);
	assert_int_equal(count_journals(r->f), 1);
	assert_int_equal(run_once(r->f), 0);
	assert_arrived(r->s, 0x11, 5);
}

static void only_local_leaves_collectors_alone(void **state)
{
	rig *r = *state;
	char path[96], problem[512];
	int status;
	begin(r, "");
	snprintf(path, sizeof(path), "%s/one", r->f->dir);
	define(r->f, 2, path, "");
	write_and_leave(r->f, 0x11, 1, 5, true);
	write_and_leave(r->f, 0x12, 2, 5, true);
	pid_t pid = fork();
	if (pid == 0) {
		opa_exporter_options options = {
			.spool = r->f->spool_path, .lease_fd = -1, .once = true, .local = true};
		_exit((int)opa_exporter_run(&options, problem, sizeof(problem)));
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_traces_of(r->f->store, 0x12, 5);
	assert_int_equal(count_requests(r->s), 0);
	assert_int_equal(count_journals(r->f), 1);
	assert_int_equal(run_once(r->f), 0);
	assert_arrived(r->s, 0x11, 5);
}

/* ---- limits ---- */

/* OTLP's limit for a request is 64 MiB, whatever a record has. */
static void what_is_larger_than_a_request_may_be_is_dropped_alone(void **state)
{
	rig *r = *state;
	char command[160];
	begin(r, "timeout=600000\n");
	writer *w = open_writer(r->f, 0x11, 1);
	assert_true(write_trace(w, 0));
	write_large(w, 1, 65u << 20);
	assert_true(write_trace(w, 2));
	close_writer(w);
	assert_int_equal(run_once(r->f), 0);
	const arrived *a = look(r->s, 200, 0x11);
	assert_int_equal(a->times[0], SPANS_A_TRACE);
	assert_int_equal(a->times[1], 0);
	assert_int_equal(a->times[2], SPANS_A_TRACE);
	assert_int_equal(read_counter(r->f, 1, "collector_spans_dropped_malformed"), SPANS_A_TRACE);
	wait_for_state(r->f, "last_error", "it is larger than 64 MiB");
	/* It is not kept either: the spool is memory as a rule. */
	snprintf(command, sizeof(command), "test -z \"$(ls '%s/rejected')\"", r->f->spool_path);
	assert_int_equal(system(command), 0);
	assert_int_equal(count_journals(r->f), 0);
}

/* The exporter's nth allocation fails: it says so or goes on, and what it left comes the next time.
 */
static void memory_that_is_short_loses_nothing(void **state)
{
	rig *r = *state;
	unsigned failed = 0, number = 0;
	begin(r, "");
	writer *w = open_writer(r->f, 0x11, 1);
	for (long n = 0; n < 120; n += getenv("OPA_TEST_SLOW") != NULL ? 9 : 1) {
		assert_true(write_trace(w, number++));
		pid_t pid = fork();
		if (pid == 0) {
			char problem[512];
			opa_exporter_options options = {
				.spool = r->f->spool_path, .lease_fd = -1, .once = true};
			opa_alloc_fail_after(n, false);
			_exit((int)opa_exporter_run(&options, problem, sizeof(problem)));
		}
		int status;
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_true(WIFEXITED(status) && WEXITSTATUS(status) < 2);
		failed += WEXITSTATUS(status) == 1;
	}
	assert_int_equal(run_once(r->f), 0);
	assert_true(failed > 3);
	const arrived *a = look(r->s, 200, 0x11);
	for (unsigned i = 0; i < number; i++) {
		assert_true(a->times[i] >= SPANS_A_TRACE);
	}
	close_writer(w);
}

/* ---- several destinations ---- */

static void pools_with_different_endpoints_do_not_hold_each_other_up(void **state)
{
	rig *r = *state;
	server *other = new_server();
	char path[96];
	r->s->script->always.action = HANG;
	begin(r, "timeout=600000\nshutdown_timeout=100\n");
	start_server(other);
	define_collector(r->f, 2, other, "");
	snprintf(path, sizeof(path), "%s/one", r->f->dir);
	define(r->f, 3, path, "shutdown_timeout=100\n");
	write_and_leave(r->f, 0x11, 1, 5, true);
	pid_t pid = start(r->f);
	wait_for_requests(r->s, 1);
	write_and_leave(r->f, 0x12, 2, 5, true);
	write_and_leave(r->f, 0x13, 3, 5, true);
	wait_for_arrival(other, 0x12, 5);
	wait_for_answer(r->f->store, "SELECT count(*) FROM traces", 5);
	stop(pid);
	assert_arrived(other, 0x12, 5);
	assert_int_equal(look(other, 200, 0x11)->spans, 0);
	assert_int_equal(count_journals(r->f), 1);
	free_server(other);
}

/* The settings were changed: what was written before goes where it was meant to go. */
static void after_a_change_the_old_endpoint_still_gets_its_own(void **state)
{
	rig *r = *state;
	server *other = new_server();
	begin(r, "");
	start_server(other);
	stop_server(r->s);
	write_and_leave(r->f, 0x11, 1, 5, true);
	define_collector(r->f, 2, other, "");
	write_and_leave(r->f, 0x12, 2, 5, true);
	pid_t pid = start(r->f);
	wait_for_arrival(other, 0x12, 5);
	wait_for_state(r->f, "problem", "no connection");
	start_server(r->s);
	wait_for_arrival(r->s, 0x11, 5);
	wait_for_state(r->f, "problem", "");
	stop(pid);
	assert_arrived(r->s, 0x11, 5);
	assert_arrived(other, 0x12, 5);
	assert_int_equal(look(r->s, 200, 0x12)->spans + look(other, 200, 0x11)->spans, 0);
	free_server(other);
}

/* ---- counters ---- */

/* Without a store there is nobody to add them up: they stay in the spool, in a few files. */
static void counters_of_the_dead_stay_in_the_spool(void **state)
{
	rig *r = *state;
	begin(r, "");
	for (unsigned i = 0; i < 40; i++) {
		write_and_leave(r->f, 0x11, 1, 1, true);
	}
	assert_int_equal(run_once(r->f), 0);
	char command[160];
	snprintf(command, sizeof(command), "test $(ls '%s/control' | wc -l) -le 9", r->f->spool_path);
	assert_int_equal(system(command), 0);
	snprintf(
		command, sizeof(command), "test -e '%s/control/%s'", r->f->spool_path, OPA_CONTROL_SUM);
	assert_int_equal(system(command), 0);
	assert_int_equal(access(r->f->store, F_OK), -1);
}

static void damage_in_a_journal_is_counted(void **state)
{
	rig *r = *state;
	char command[256];
	begin(r, "");
	write_and_leave(r->f, 0x11, 1, 5, true);
	snprintf(command, sizeof(command), "printf 'garbage' >> \"$(echo '%s'/sealed/*.j)\"",
		r->f->spool_path);
	assert_int_equal(system(command), 0);
	assert_int_equal(run_once(r->f), 0);
	assert_arrived(r->s, 0x11, 5);
	assert_int_equal(read_counter(r->f, 1, "exporter_bytes_skipped"), 7);
	assert_int_equal(count_journals(r->f), 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up_rig, tear_down_rig)
	const struct CMUnitTest tests[] = {
		TEST(a_request_is_otlp_over_http),
		TEST(without_compression_it_is_sent_as_it_is),
		TEST(a_resource_stands_in_a_request_once),
		TEST(a_batch_is_sent_when_it_has_its_size),
		TEST(a_batch_is_sent_when_it_has_its_spans),
		TEST(a_batch_that_is_not_full_lingers),
		TEST(many_processes_share_one_connection),
		TEST(a_socket_of_this_machine_is_an_endpoint),
		TEST(a_proxy_is_asked_for_the_whole_url),
		TEST(the_environment_names_no_proxy),
		TEST(what_was_sent_is_not_sent_again),
		TEST(an_exporter_that_is_killed_loses_nothing_and_repeats_little),
		TEST(the_writer_is_told),
		TEST(sigterm_sends_what_is_there),
		TEST(sigterm_does_not_wait_for_a_collector_that_hangs),
		TEST(only_local_leaves_collectors_alone),
		TEST(what_is_larger_than_a_request_may_be_is_dropped_alone),
		TEST(memory_that_is_short_loses_nothing),
		TEST(pools_with_different_endpoints_do_not_hold_each_other_up),
		TEST(after_a_change_the_old_endpoint_still_gets_its_own),
		TEST(counters_of_the_dead_stay_in_the_spool),
		TEST(damage_in_a_journal_is_counted),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
