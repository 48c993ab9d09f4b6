/*
 * What the exporter makes of a collector's answers, and of connections that fail: what it sends
 * again, when, in which pieces; what it drops, counts, keeps and says.
 */
#include "collector_fixture.h"

#include <dirent.h>
#include <limits.h>
#include <sched.h>
#include <sys/mount.h>

#define CANNOT_MOUNT 77

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

static void begin(rig *r, const char *more)
{
	start_server(r->s);
	define_collector(r->f, 1, r->s, more);
}

/* The first requests are answered so, the others with 200. */
static void will_answer(rig *r, const answer *answers, unsigned count)
{
	memcpy(r->s->script->steps, answers, count * sizeof(*answers));
	r->s->script->step_count = count;
}

static void assert_state(const rig *r, const char *key, const char *part)
{
	char value[1024];
	read_state(r->f, key, value, sizeof(value));
	if (strstr(value, part) == NULL) {
		fail_msg("state: %s is \"%s\", wanted \"%s\"", key, value, part);
	}
}

static double seconds_between(const rig *r, unsigned first, unsigned second)
{
	const request *q = r->s->script->requests;
	return (double)(q[second].time - q[first].time) / 1e9;
}

static unsigned count_rejected(const rig *r, char last[PATH_MAX])
{
	char path[256];
	unsigned count = 0;
	snprintf(path, sizeof(path), "%s/rejected", r->f->spool_path);
	DIR *dir = opendir(path);
	assert_non_null(dir);
	for (struct dirent *entry = readdir(dir); entry != NULL; entry = readdir(dir)) {
		if (entry->d_name[0] != '.') {
			snprintf(last, PATH_MAX, "%s/%s", path, entry->d_name);
			count++;
		}
	}
	closedir(dir);
	return count;
}

/* An ExportTraceServiceResponse with these fields of its partial_success. */
static answer partial(uint64_t rejected, const char *message)
{
	static build outer;
	build inner = {0};
	outer.len = 0;
	if (rejected > 0) {
		build_uint(&inner, 1, rejected);
	}
	if (message != NULL) {
		build_text(&inner, 2, message);
	}
	build_message(&outer, 1, &inner);
	return (answer){.head = "Content-Type: application/x-protobuf\r\n",
		.body = (const char *)outer.data,
		.len = outer.len};
}

/* ---- again ---- */

static void what_may_be_sent_again_is_sent_again_after_a_pause(void **state)
{
	rig *r = *state;
	const answer answers[] = {{.status = 429}, {.status = 502}, {.status = 503}, {.status = 504}};
	will_answer(r, answers, 3);
	begin(r, "");
	write_and_leave(r->f, 0x11, 1, 20, true);
	pid_t pid = start(r->f);
	wait_for_state(r->f, "problem", "answers 429");
	wait_for_state(r->f, "problem", "answers 503");
	wait_for_arrival(r->s, 0x11, 20);
	wait_for_state(r->f, "problem", "");
	wait_for_state(r->f, "last_error", "answers 503");
	wait_for_state(r->f, "last_success", "1");
	stop(pid);
	assert_int_equal(count_requests(r->s), 4);
	assert_arrived(r->s, 0x11, 20);
	/* half of a second at least, then one, then two */
	assert_true(seconds_between(r, 0, 1) >= 0.5);
	assert_true(seconds_between(r, 1, 2) >= 1.0);
	assert_true(seconds_between(r, 2, 3) >= 2.0);
	assert_int_equal(read_counter(r->f, 1, "collector_spans_sent"), 20 * SPANS_A_TRACE);
}

static void a_collector_may_ask_for_a_pause_in_seconds(void **state)
{
	rig *r = *state;
	const answer answers[] = {{.status = 503, .head = "Retry-After: 3\r\n"}};
	will_answer(r, answers, 1);
	begin(r, "");
	write_and_leave(r->f, 0x11, 1, 5, true);
	pid_t pid = start(r->f);
	wait_for_arrival(r->s, 0x11, 5);
	stop(pid);
	assert_true(seconds_between(r, 0, 1) >= 3.0);
}

static void a_collector_may_ask_for_a_pause_until_a_date(void **state)
{
	rig *r = *state;
	char head[128], date[64];
	time_t then = time(NULL) + 4;
	struct tm tm;
	strftime(date, sizeof(date), "%a, %d %b %Y %H:%M:%S GMT", gmtime_r(&then, &tm));
	snprintf(head, sizeof(head), "Retry-After: %s\r\n", date);
	const answer answers[] = {{.status = 429, .head = head}};
	will_answer(r, answers, 1);
	begin(r, "");
	write_and_leave(r->f, 0x11, 1, 5, true);
	pid_t pid = start(r->f);
	wait_for_arrival(r->s, 0x11, 5);
	stop(pid);
	assert_true(seconds_between(r, 0, 1) >= 1.5);
}

static void with_once_it_does_not_wait_for_better_times(void **state)
{
	rig *r = *state;
	const answer answers[] = {{.status = 503, .head = "Retry-After: 3600\r\n"}};
	will_answer(r, answers, 1);
	begin(r, "");
	write_and_leave(r->f, 0x11, 1, 5, true);
	assert_int_equal(run_once(r->f), 1);
	assert_state(r, "problem", "answers 503");
	assert_state(r, "waiting", "1");
	assert_int_equal(count_journals(r->f), 1);
	assert_int_equal(run_once(r->f), 0);
	assert_arrived(r->s, 0x11, 5);
}

/* ---- connections ---- */

static void nobody_there_makes_journals_wait(void **state)
{
	rig *r = *state;
	begin(r, "");
	stop_server(r->s);
	write_and_leave(r->f, 0x11, 1, 5, true);
	pid_t pid = start(r->f);
	wait_for_state(r->f, "problem", "Connection refused");
	write_and_leave(r->f, 0x12, 1, 5, true);
	start_server(r->s);
	wait_for_arrival(r->s, 0x11, 5);
	wait_for_arrival(r->s, 0x12, 5);
	wait_for_state(r->f, "problem", "");
	stop(pid);
	assert_arrived(r->s, 0x11, 5);
	assert_arrived(r->s, 0x12, 5);
}

/* Else the last traces of a script would lie there until another one comes. */
static void it_stays_while_traces_wait_for_a_collector(void **state)
{
	rig *r = *state;
	begin(r, "");
	stop_server(r->s);
	write_and_leave(r->f, 0x11, 1, 5, true);
	pid_t pid = start_with(r->f, false, 0, -1);
	wait_for_state(r->f, "problem", "Connection refused");
	for (int i = 0; i < 400; i++) {
		pause_a_little();
		assert_int_equal(waitpid(pid, NULL, WNOHANG), 0);
	}
	start_server(r->s);
	wait_for_arrival(r->s, 0x11, 5);
	assert_int_equal(wait_for_end(pid), 0);
	assert_arrived(r->s, 0x11, 5);
}

static void a_name_that_nobody_knows_is_said(void **state)
{
	rig *r = *state;
	begin(r, "endpoint=http://collector.invalid:4318/v1/traces\n");
	write_and_leave(r->f, 0x11, 1, 5, true);
	assert_int_equal(run_once(r->f), 1);
	assert_state(r, "problem", "http://collector.invalid:4318/v1/traces: ");
	assert_state(r, "problem", "DNS");
	assert_int_equal(count_journals(r->f), 1);
}

/*
 * In a child, where names are asked of a server that does not answer: neither another destination
 * nor whoever says stop waits for it. Its exit status says how far it came.
 */
static int serve_without_names(rig *r)
{
	char path[128];
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(53)};
	int dns = socket(AF_INET, SOCK_DGRAM, 0);
	inet_pton(AF_INET, "127.7.7.7", &address.sin_addr);
	snprintf(path, sizeof(path), "%s/resolv.conf", r->f->dir);
	FILE *file = fopen(path, "w");
	fprintf(file, "nameserver 127.7.7.7\n");
	fclose(file);
	if (bind(dns, (struct sockaddr *)&address, sizeof(address)) != 0 || unshare(CLONE_NEWNS) != 0 ||
		mount("none", "/", "none", MS_REC | MS_PRIVATE, "") != 0 ||
		mount(path, "/etc/resolv.conf", "none", MS_BIND, "") != 0) {
		return CANNOT_MOUNT;
	}
	pid_t pid = start(r->f);
	wait_for_state(r->f, "last_error", "http://collector.example:4318/v1/traces: ");
	write_and_leave(r->f, 0x12, 2, 5, true);
	wait_for_arrival(r->s, 0x12, 5);
	uint64_t begun = opa_clock_mono();
	kill(pid, SIGTERM);
	int status;
	waitpid(pid, &status, 0);
	return opa_clock_mono() - begun < patience() / 8 ? 0 : 1;
}

static void a_name_that_is_not_resolved_holds_nobody_up(void **state)
{
	rig *r = *state;
	int status;
	start_server(r->s);
	define_collector(r->f, 1, r->s,
		"endpoint=http://collector.example:4318/v1/traces\ntimeout=300\nshutdown_timeout=100\n");
	define_collector(r->f, 2, r->s, "shutdown_timeout=100\n");
	write_and_leave(r->f, 0x11, 1, 5, true);
	fflush(NULL);
	pid_t pid = fork();
	if (pid == 0) {
		_exit(serve_without_names(r));
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) == CANNOT_MOUNT) {
		fprintf(stderr, "SKIPPED: a private mount is needed for a name server\n");
		skip();
	}
	assert_int_equal(WEXITSTATUS(status), 0);
	assert_int_equal(count_journals(r->f), 1);
}

static void a_collector_that_hangs_is_given_up_in_time(void **state)
{
	rig *r = *state;
	const answer answers[] = {{.action = HANG}};
	will_answer(r, answers, 1);
	begin(r, "timeout=300\n");
	write_and_leave(r->f, 0x11, 1, 5, true);
	pid_t pid = start(r->f);
	wait_for_state(r->f, "last_error", "opa.timeout");
	wait_for_arrival(r->s, 0x11, 5);
	stop(pid);
	assert_arrived(r->s, 0x11, 5);
}

static void a_connection_that_breaks_is_made_again(void **state)
{
	rig *r = *state;
	const answer answers[] = {
		{.action = CLOSE}, {.action = CLOSE_MIDDLE, .body = "0123456789", .len = 10}};
	will_answer(r, answers, 2);
	begin(r, "");
	write_and_leave(r->f, 0x11, 1, 5, true);
	pid_t pid = start(r->f);
	wait_for_arrival(r->s, 0x11, 5);
	stop(pid);
	assert_state(r, "last_error", "broke");
	assert_arrived(r->s, 0x11, 5);
	assert_true(r->s->script->connections >= 2);
}

/* It was idle for long, say. That is no problem, and costs no pause. */
static void a_connection_that_was_closed_between_requests_is_no_problem(void **state)
{
	rig *r = *state;
	begin(r, "");
	writer *w = open_writer(r->f, 0x11, 1);
	assert_true(write_trace(w, 0));
	pid_t pid = start(r->f);
	wait_for_arrival(r->s, 0x11, 1);
	wait_for_state(r->f, "last_success", "1"); /* the answer has arrived, too */
	stop_server(r->s);
	start_server(r->s);
	assert_true(write_trace(w, 1));
	wait_for_arrival(r->s, 0x11, 2);
	stop(pid);
	close_writer(w);
	assert_state(r, "last_error", "");
	char value[64];
	read_state(r->f, "last_error", value, sizeof(value));
	assert_string_equal(value, "");
}

static void what_is_no_http_is_said(void **state)
{
	rig *r = *state;
	const char *raw = "SSH-2.0-OpenSSH_9.2\r\n";
	int on = 1, port;
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(address);
	int listener = socket(AF_INET, SOCK_STREAM, 0);
	setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	assert_int_equal(bind(listener, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(listener, 4), 0);
	assert_int_equal(getsockname(listener, (struct sockaddr *)&address, &len), 0);
	port = ntohs(address.sin_port);
	pid_t pid = fork();
	if (pid == 0) {
		int fd = accept(listener, NULL, NULL);
		send_all(fd, raw, strlen(raw));
		pause();
	}
	r->s->port = port;
	define_collector(r->f, 1, r->s, "");
	write_and_leave(r->f, 0x11, 1, 5, true);
	assert_int_equal(run_once(r->f), 1);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	close(listener);
	assert_state(r, "problem", "does not speak HTTP");
	assert_int_equal(count_journals(r->f), 1);
}

static void an_answer_that_comes_slowly_is_waited_for(void **state)
{
	rig *r = *state;
	answer slow = partial(0, "a warning that takes its time");
	slow.action = DRIBBLE;
	will_answer(r, &slow, 1);
	begin(r, "");
	write_and_leave(r->f, 0x11, 1, 5, true);
	assert_int_equal(run_once(r->f), 0);
	assert_int_equal(count_requests(r->s), 1);
	assert_state(r, "last_error", "a warning that takes its time");
	assert_arrived(r->s, 0x11, 5);
}

static void of_an_answer_that_is_too_large_the_status_counts(void **state)
{
	rig *r = *state;
	const answer answers[] = {{.zeros = 5u << 20}, {.status = 503, .zeros = 5u << 20}};
	will_answer(r, answers, 2);
	begin(r, "");
	write_and_leave(r->f, 0x11, 1, 5, true);
	assert_int_equal(run_once(r->f), 0);
	assert_state(r, "last_error", "larger than 4 MiB");
	assert_int_equal(count_journals(r->f), 0);
	write_and_leave(r->f, 0x12, 1, 5, true);
	assert_int_equal(run_once(r->f), 1);
	assert_state(r, "problem", "answers 503");
	assert_int_equal(run_once(r->f), 0);
	assert_arrived(r->s, 0x11, 5);
	assert_arrived(r->s, 0x12, 5);
}

/* ---- taken ---- */

static void rejected_spans_are_counted_and_not_sent_again(void **state)
{
	rig *r = *state;
	answer some = partial(7, "no \"service.version\"\nin these");
	will_answer(r, &some, 1);
	begin(r, "");
	write_and_leave(r->f, 0x11, 1, 5, true);
	assert_int_equal(run_once(r->f), 0);
	assert_int_equal(count_requests(r->s), 1);
	assert_int_equal(read_counter(r->f, 1, "collector_spans_rejected"), 7);
	assert_int_equal(read_counter(r->f, 1, "collector_spans_sent"), 8);
	assert_state(r, "last_error", "it rejected 7 spans: no \"service.version\" in these");
	assert_state(r, "spans", "8");
	assert_int_equal(count_journals(r->f), 0);
}

static void a_warning_is_said(void **state)
{
	rig *r = *state;
	answer warning = partial(0, "this endpoint goes away in May");
	will_answer(r, &warning, 1);
	begin(r, "");
	write_and_leave(r->f, 0x11, 1, 5, true);
	assert_int_equal(run_once(r->f), 0);
	assert_state(r, "last_error", "it warns: this endpoint goes away in May");
	assert_int_equal(read_counter(r->f, 1, "collector_spans_rejected"), 0);
}

static void any_success_is_one_and_nonsense_in_it_is_passed_over(void **state)
{
	rig *r = *state;
	static const char garbage[] = "\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01";
	const answer answers[] = {{.status = 202}, {.status = 204},
		{.head = "Content-Type: application/x-protobuf\r\n", .body = garbage, .len = 12},
		{.head = "Content-Type: application/json\r\n", .body = "{}", .len = 2}};
	will_answer(r, answers, 4);
	begin(r, "");
	for (uint8_t i = 0; i < 4; i++) {
		write_and_leave(r->f, (uint8_t)(0x11 + i), 1, 2, true);
		assert_int_equal(run_once(r->f), 0);
	}
	assert_int_equal(count_requests(r->s), 4);
	assert_int_equal(read_counter(r->f, 1, "collector_spans_sent"), 4 * 2 * SPANS_A_TRACE);
}

/* ---- halves ---- */

/* One of 50 traces is such that the collector refuses every request with it. */
static void a_bad_record_is_found_by_halving(void **state)
{
	rig *r = *state;
	char kept[PATH_MAX];
	uint8_t bad[16];
	name_trace(bad, 0x11, 23);
	r->s->script->poison = (const char *)bad;
	r->s->script->poison_len = sizeof(bad);
	r->s->script->poisoned = 400;
	begin(r, "");
	write_and_leave(r->f, 0x11, 1, 50, true);
	assert_int_equal(run_once(r->f), 1);
	const arrived *a = look(r->s, 200, 0x11);
	for (unsigned i = 0; i < 50; i++) {
		assert_int_equal(a->times[i], i == 23 ? 0 : SPANS_A_TRACE);
	}
	assert_true(count_requests(r->s) <= 13);
	assert_int_equal(read_counter(r->f, 1, "collector_spans_dropped_malformed"), SPANS_A_TRACE);
	assert_int_equal(read_counter(r->f, 1, "collector_spans_sent"), 49 * SPANS_A_TRACE);
	assert_state(r, "problem", "a record was dropped: it answers 400");
	assert_int_equal(count_journals(r->f), 0);
	assert_int_equal(count_rejected(r, kept), 1);
	/* And nothing is sent twice. */
	assert_int_equal(run_once(r->f), 0);
	assert_true(count_requests(r->s) <= 13);
}

static void what_is_too_large_for_the_collector_comes_in_smaller_pieces(void **state)
{
	rig *r = *state;
	r->s->script->most = 3000;
	begin(r, "");
	write_and_leave(r->f, 0x11, 1, 50, true);
	assert_int_equal(run_once(r->f), 0);
	assert_arrived(r->s, 0x11, 50);
	assert_true(look(r->s, 413, 0x11)->spans > 0);
	assert_int_equal(read_counter(r->f, 1, "collector_spans_dropped_malformed"), 0);
}

/* What was taken of a batch is not sent again when the rest of it has to wait. */
static void a_batch_that_breaks_off_goes_on_where_it_was(void **state)
{
	rig *r = *state;
	const answer answers[] = {{.status = 413}, {.status = 200}, {.status = 503}};
	will_answer(r, answers, 3);
	begin(r, "");
	writer *w = open_writer(r->f, 0x11, 1);
	for (uint32_t i = 0; i < 40; i++) {
		assert_true(write_trace(w, i));
	}
	assert_int_equal(run_once(r->f), 1);
	assert_int_equal(look(r->s, 200, 0x11)->spans, 20 * SPANS_A_TRACE);
	assert_true(write_trace(w, 40));
	assert_int_equal(run_once(r->f), 0);
	close_writer(w);
	assert_arrived(r->s, 0x11, 41);
}

static void the_last_ten_are_kept(void **state)
{
	rig *r = *state;
	char kept[PATH_MAX], text[8192] = "";
	r->s->script->always.status = 400;
	r->s->script->always.head = "Content-Type: text/plain\r\n";
	r->s->script->always.body = "not of this world\n";
	r->s->script->always.len = 18;
	begin(r, "");
	write_and_leave(r->f, 0x11, 1, 13, true);
	assert_int_equal(run_once(r->f), 1);
	assert_state(r, "problem", "it answers 400: not of this world");
	assert_int_equal(count_rejected(r, kept), 10);
	assert_int_equal(
		read_counter(r->f, 1, "collector_spans_dropped_malformed"), 13 * SPANS_A_TRACE);
	/* Each is a request that can be sent by hand. */
	FILE *file = fopen(kept, "r");
	size_t len = fread(text, 1, sizeof(text), file);
	fclose(file);
	arrived a = {.spans = 0};
	look_at_request(&a, (opa_str){text, len}, 0x11);
	assert_int_equal(a.spans, SPANS_A_TRACE);
}

/* It is no collector, say. It is not asked about each record, and hardly at all after that. */
static void a_collector_that_refuses_everything_is_not_asked_for_long(void **state)
{
	rig *r = *state;
	enum { TRACES = 400 };
	r->s->script->always.status = 400;
	begin(r, "");
	write_and_leave(r->f, 0x11, 1, TRACES, true);
	pid_t pid = start(r->f);
	wait_for_state(r->f, "problem", "nothing is taken, traces are dropped: it answers 400");
	assert_in_range(count_requests(r->s), 16, 40);
	unsigned before = count_requests(r->s);
	write_and_leave(r->f, 0x12, 1, TRACES, true);
	wait_for_requests(r->s, before + 2);
	uint64_t until = opa_clock_mono() + patience();
	while (count_journals(r->f) > 0 && opa_clock_mono() < until) {
		pause_a_little();
	}
	assert_int_equal(count_requests(r->s), before + 2);
	long lost = read_counter(r->f, 1, "collector_spans_dropped_refused") +
				read_counter(r->f, 1, "collector_spans_dropped_malformed");
	assert_int_equal(lost, 2 * TRACES * SPANS_A_TRACE);
	r->s->script->always.status = 200;
	write_and_leave(r->f, 0x13, 1, TRACES, true);
	wait_for_arrival(r->s, 0x13, TRACES);
	wait_for_state(r->f, "problem", "");
	stop(pid);
	assert_arrived(r->s, 0x13, TRACES);
}

/* ---- refused ---- */

static void other_answers_are_final_and_say_what_to_do(void **state)
{
	rig *r = *state;
	static const struct {
		unsigned status;
		const char *said;
	} cases[] = {{401, "answers 401 (credentials are missing or wrong: opa.headers)"},
		{403, "answers 403 (the credentials do not allow it: opa.headers)"},
		{404, "answers 404 (wrong path? OTLP's is /v1/traces: opa.endpoint)"},
		{405, "answers 405 (wrong path?"}, {415, "answers 415 (it does not take OTLP as protobuf"},
		{500, "answers 500"}, {501, "answers 501"}};
	enum { CASES = sizeof(cases) / sizeof(cases[0]) };
	for (unsigned i = 0; i < CASES; i++) {
		r->s->script->steps[i].status = cases[i].status;
	}
	r->s->script->step_count = CASES;
	begin(r, "header=authorization: secret\n");
	for (unsigned i = 0; i < CASES; i++) {
		write_and_leave(r->f, (uint8_t)(0x11 + i), 1, 4, true);
		assert_int_equal(run_once(r->f), 1);
		assert_state(r, "problem", "traces are dropped: it ");
		assert_state(r, "problem", cases[i].said);
		assert_int_equal(count_journals(r->f), 0);
		assert_int_equal(
			read_counter(r->f, 1, "collector_spans_dropped_refused"), (i + 1) * 4 * SPANS_A_TRACE);
	}
	assert_int_equal(count_requests(r->s), CASES);
	write_and_leave(r->f, 0x33, 1, 4, true);
	assert_int_equal(run_once(r->f), 0);
	assert_arrived(r->s, 0x33, 4);
}

/* As long as nothing gets through the problem stands, also where nothing waits. */
static void a_refusal_stands_until_something_gets_through(void **state)
{
	rig *r = *state;
	const answer answers[] = {{.status = 401}};
	char value[512];
	will_answer(r, answers, 1);
	begin(r, "");
	write_and_leave(r->f, 0x11, 1, 4, true);
	pid_t pid = start(r->f);
	wait_for_state(r->f, "problem", "answers 401");
	for (int i = 0; i < 200; i++) {
		pause_a_little();
	}
	read_state(r->f, "problem", value, sizeof(value));
	assert_non_null(strstr(value, "answers 401"));
	write_and_leave(r->f, 0x12, 1, 4, true);
	wait_for_state(r->f, "problem", "");
	stop(pid);
	assert_arrived(r->s, 0x12, 4);
}

static void a_redirection_is_not_followed(void **state)
{
	rig *r = *state;
	server *other = new_server();
	char head[256];
	start_server(other);
	snprintf(head, sizeof(head),
		"Location: http://user:secret@127.0.0.1:%d/v1/traces?key=secret\r\n", other->port);
	r->s->script->always.status = 307;
	r->s->script->always.head = head;
	begin(r, "header=authorization: secret\n");
	write_and_leave(r->f, 0x11, 1, 4, true);
	assert_int_equal(run_once(r->f), 1);
	assert_state(r, "problem", "it answers 307 and points to http://REDACTED@127.0.0.1:");
	char value[512];
	read_state(r->f, "problem", value, sizeof(value));
	assert_null(strstr(value, "secret"));
	assert_int_equal(count_requests(other), 0);
	assert_int_equal(read_counter(r->f, 1, "collector_spans_dropped_refused"), 4 * SPANS_A_TRACE);
	free_server(other);
}

/* A page for browsers is none for people who read a line. */
static void what_the_collector_says_is_quoted(void **state)
{
	rig *r = *state;
	build status = {0};
	build_uint(&status, 1, 3);
	build_text(&status, 2, "tenant unknown\x1b[31m");
	const answer answers[] = {{.status = 500,
								  .head = "Content-Type: application/x-protobuf\r\n",
								  .body = (const char *)status.data,
								  .len = status.len},
		{.status = 500, .head = "Content-Type: text/html\r\n", .body = "<html>", .len = 6},
		{.status = 500,
			.head = "Content-Type: application/json\r\n",
			.body = "{\"a\":1}",
			.len = 7}};
	will_answer(r, answers, 3);
	begin(r, "");
	static const char *const said[] = {
		"answers 500: tenant unknown [31m", "answers 500", "500: {\"a\":1}"};
	for (unsigned i = 0; i < 3; i++) {
		char value[512];
		write_and_leave(r->f, 0x11, 1, 4, true);
		assert_int_equal(run_once(r->f), 1);
		read_state(r->f, "problem", value, sizeof(value));
		assert_true(strlen(value) >= strlen(said[i]));
		assert_string_equal(value + strlen(value) - strlen(said[i]), said[i]);
	}
	free(status.data);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up_rig, tear_down_rig)
	const struct CMUnitTest tests[] = {
		TEST(what_may_be_sent_again_is_sent_again_after_a_pause),
		TEST(a_collector_may_ask_for_a_pause_in_seconds),
		TEST(a_collector_may_ask_for_a_pause_until_a_date),
		TEST(with_once_it_does_not_wait_for_better_times),
		TEST(nobody_there_makes_journals_wait),
		TEST(it_stays_while_traces_wait_for_a_collector),
		TEST(a_name_that_nobody_knows_is_said),
		TEST(a_name_that_is_not_resolved_holds_nobody_up),
		TEST(a_collector_that_hangs_is_given_up_in_time),
		TEST(a_connection_that_breaks_is_made_again),
		TEST(a_connection_that_was_closed_between_requests_is_no_problem),
		TEST(what_is_no_http_is_said),
		TEST(an_answer_that_comes_slowly_is_waited_for),
		TEST(of_an_answer_that_is_too_large_the_status_counts),
		TEST(rejected_spans_are_counted_and_not_sent_again),
		TEST(a_warning_is_said),
		TEST(any_success_is_one_and_nonsense_in_it_is_passed_over),
		TEST(a_bad_record_is_found_by_halving),
		TEST(what_is_too_large_for_the_collector_comes_in_smaller_pieces),
		TEST(a_batch_that_breaks_off_goes_on_where_it_was),
		TEST(the_last_ten_are_kept),
		TEST(a_collector_that_refuses_everything_is_not_asked_for_long),
		TEST(other_answers_are_final_and_say_what_to_do),
		TEST(a_refusal_stands_until_something_gets_through),
		TEST(a_redirection_is_not_followed),
		TEST(what_the_collector_says_is_quoted),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
