/*
 * The exporter: real processes write journals, a real one brings them in. What is in the store is
 * compared with what was written.
 */
#include "exporter_fixture.h"

#include "export/opa_usage.h"

/* ---- destinations ---- */

static void a_definition_is_read(void **state)
{
	(void)state;
	opa_destination d;
	assert_true(opa_destination_parse(&d,
		OPA_STR(
			"type=store\npath=/a=b\nhome=\nmax_size=12\n"
			"max_age=18446744073709551616\nunknown=1\ngroup=adm\nno value\nshutdown_timeout=250")));
	assert_int_equal(d.type, OPA_DESTINATION_STORE);
	assert_string_equal(d.path, "/a=b");
	assert_null(d.home);
	assert_null(d.state_dir);
	assert_string_equal(d.group, "adm");
	assert_int_equal(d.max_size, 12);
	assert_int_equal(d.max_age, 0);
	assert_int_equal(d.shutdown_timeout, 250);
	opa_destination_deinit(&d);
	assert_true(opa_destination_parse(&d, OPA_STR("type=carrier pigeon\n")));
	assert_int_equal(d.type, OPA_DESTINATION_UNKNOWN);
	assert_string_equal(d.type_name, "carrier pigeon");
	assert_int_equal(d.shutdown_timeout, OPA_DESTINATION_TIMEOUT_MS);
	opa_destination_deinit(&d);
}

static void the_definition_of_a_collector_is_read(void **state)
{
	(void)state;
	opa_destination d;
	assert_true(opa_destination_parse(&d,
		OPA_STR("type=otlp\nendpoint=http://c/v1/traces\nheader=a: b=c\nheader=d: \n"
				"compression=gzip\ntimeout=99999999999\nlinger=0\nbatch_size=4096\nbatch_spans=5\n"
				"ca_file=/ca\ncert_file=\nkey_file=/key\nproxy=p:1\nshutdown_timeout=1")));
	assert_int_equal(d.type, OPA_DESTINATION_COLLECTOR);
	assert_string_equal(d.endpoint, "http://c/v1/traces");
	assert_int_equal(d.header_count, 2);
	assert_string_equal(d.headers[0], "a: b=c");
	assert_string_equal(d.headers[1], "d: ");
	assert_true(d.gzip);
	assert_int_equal(d.timeout, 3600000);
	assert_int_equal(d.linger, 0);
	assert_int_equal(d.batch_size, 4096);
	assert_int_equal(d.batch_spans, 5);
	assert_string_equal(d.ca_file, "/ca");
	assert_null(d.cert_file);
	assert_string_equal(d.key_file, "/key");
	assert_string_equal(d.proxy, "p:1");
	opa_destination_deinit(&d);
	char text[65 * 16] = "type=otlp\n";
	for (int i = 0; i < 65; i++) {
		strcat(text, "header=a: b\n");
	}
	assert_true(opa_destination_parse(&d, (opa_str){text, strlen(text)}));
	assert_int_equal(d.header_count, OPA_HEADERS_COUNT_MAX);
	assert_int_equal(d.timeout, OPA_DESTINATION_REQUEST_TIMEOUT_MS);
	assert_int_equal(d.linger, OPA_DESTINATION_LINGER_MS);
	assert_int_equal(d.batch_size, OPA_DESTINATION_BATCH_SIZE);
	assert_false(d.gzip);
	opa_destination_deinit(&d);
}

static void each_destination_gets_its_own_journals(void **state)
{
	fixture *f = *state;
	char two[96], store[128];
	snprintf(two, sizeof(two), "%s/two.db", f->dir);
	snprintf(store, sizeof(store), "%s", two);
	define(f, 2, two, "");
	for (uint8_t i = 0; i < 6; i++) {
		write_and_leave(f, (uint8_t)(0x10 + i), 1 + i % 2, 5, i < 4);
	}
	assert_int_equal(run_once(f), 0);
	for (uint8_t i = 0; i < 6; i++) {
		assert_traces_of(i % 2 == 0 ? f->store : store, (uint8_t)(0x10 + i), 5);
		assert_traces_of(i % 2 == 0 ? store : f->store, (uint8_t)(0x10 + i), 0);
	}
	assert_int_equal(count_journals(f), 0);
}

/* After a change of opa.store_max_size, say: two definitions, one file. */
static void two_destinations_may_be_one_file(void **state)
{
	fixture *f = *state;
	char path[96];
	snprintf(path, sizeof(path), "%s/one", f->dir);
	define(f, 2, path, "group=\n");
	for (uint8_t i = 0; i < 4; i++) {
		write_and_leave(f, (uint8_t)(0x10 + i), 1 + i % 2, 5, true);
	}
	assert_int_equal(run_once(f), 0);
	for (uint8_t i = 0; i < 4; i++) {
		assert_traces_of(f->store, (uint8_t)(0x10 + i), 5);
	}
}

static void a_destination_that_is_not_defined_makes_its_journals_wait(void **state)
{
	fixture *f = *state;
	char path[96], value[512];
	snprintf(path, sizeof(path), "%s/three.db", f->dir);
	write_and_leave(f, 0x11, 3, 5, true);
	write_and_leave(f, 0x12, 1, 5, true);
	write_text(f, "dest/0000000000000004", "type=carrier\n");
	assert_int_equal(run_once(f), 1);
	assert_traces_of(f->store, 0x12, 5);
	assert_int_equal(count_journals(f), 1);
	read_state(f, "problem", value, sizeof(value));
	assert_non_null(strstr(value, "dest/0000000000000003"));
	read_state(f, "waiting", value, sizeof(value));
	assert_true(atol(value) > 100);
	write_and_leave(f, 0x13, 4, 5, true);
	define(f, 3, path, "");
	assert_int_equal(run_once(f), 1);
	assert_traces_of(path, 0x11, 5);
	read_state(f, "problem", value, sizeof(value));
	assert_non_null(strstr(value, "\"carrier\""));
	assert_int_equal(count_journals(f), 1);
}

/* ---- once ---- */

static void once_brings_in_what_is_there_and_says_how_it_went(void **state)
{
	fixture *f = *state;
	char value[256];
	assert_int_equal(run_once(f), 0);
	assert_int_equal(access(f->store, F_OK), -1); /* no store without a trace */
	write_and_leave(f, 0x11, 1, 700, true);       /* several files, several batches */
	writer *live = open_writer(f, 0x12, 1);
	assert_true(write_trace(live, 0) && write_trace(live, 1));
	assert_int_equal(run_once(f), 0);
	assert_traces_of(f->store, 0x11, 700);
	assert_traces_of(f->store, 0x12, 2);
	assert_int_equal(count_journals(f), 1);
	read_state(f, "spans", value, sizeof(value));
	assert_int_equal(atol(value), 702 * SPANS_A_TRACE);
	read_state(f, "traces", value, sizeof(value));
	assert_int_equal(atol(value), 702);
	read_state(f, "store", value, sizeof(value));
	assert_string_equal(value, f->store);
	read_state(f, "stopped", value, sizeof(value));
	assert_true(atol(value) > 1000);
	assert_true(write_trace(live, 2));
	close_writer(live);
	assert_int_equal(run_once(f), 0);
	assert_traces_of(f->store, 0x12, 3);
	assert_int_equal(count_journals(f), 0);
	assert_int_equal(ask(f->store, "SELECT count(*) FROM positions WHERE journal LIKE '%.j'"), 0);
}

/* Traces that have become too old while nothing came: what `stored_ns` says of them is long ago. */
static void make_old(const fixture *f)
{
	sqlite3 *db;
	char *problem = NULL;
	assert_int_equal(sqlite3_open(f->store, &db), SQLITE_OK);
	if (sqlite3_exec(db, "UPDATE traces SET stored_ns = 1000000000", NULL, NULL, &problem) != 0) {
		fail_msg("%s", problem);
	}
	sqlite3_close(db);
}

static void what_is_too_old_goes_when_nothing_comes(void **state)
{
	fixture *f = *state;
	write_and_leave(f, 0x11, 1, 300, true);
	assert_int_equal(run_once(f), 0);
	make_old(f);
	define(f, 1, f->store, "max_age=86400\n");
	assert_int_equal(run_once(f), 0);
	assert_int_equal(ask(f->store, "SELECT count(*) FROM traces"), 0);
	write_and_leave(f, 0x12, 1, 300, true);
	assert_int_equal(run_once(f), 0);
	assert_int_equal(ask(f->store, "SELECT count(*) FROM traces"), 300);
	make_old(f);
	pid_t exporter = start(f);
	wait_for_answer(f->store, "SELECT count(*) FROM traces", 0);
	stop(exporter);
}

/* By its position, not only by the ids of its spans: the viewer or pruning may have removed them.
 */
static void what_was_brought_in_is_not_brought_in_again(void **state)
{
	fixture *f = *state;
	sqlite3 *db;
	writer *w = open_writer(f, 0x11, 1);
	assert_true(write_trace(w, 0));
	assert_int_equal(run_once(f), 0);
	assert_int_equal(sqlite3_open(f->store, &db), SQLITE_OK);
	assert_int_equal(
		sqlite3_exec(db, "DELETE FROM spans; DELETE FROM traces", NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
	assert_true(write_trace(w, 1));
	assert_int_equal(run_once(f), 0);
	assert_int_equal(ask(f->store, "SELECT count(*) FROM traces"), 1);
	close_writer(w);
	assert_int_equal(run_once(f), 0);
	assert_int_equal(ask(f->store, "SELECT count(*) FROM traces"), 1);
}

static void hundreds_of_small_files_are_brought_in_at_once(void **state)
{
	fixture *f = *state;
	for (int i = 0; i < 600; i++) {
		writer *w = open_writer(f, (uint8_t)(i % 200 + 1), 1);
		assert_true(write_trace(w, (uint32_t)(i / 200)));
		close_writer(w);
	}
	assert_int_equal(run_once(f), 0);
	for (int i = 1; i <= 200; i++) {
		assert_traces_of(f->store, (uint8_t)i, 3);
	}
	assert_int_equal(count_journals(f), 0);
	assert_int_equal(ask(f->store, "SELECT count(*) FROM positions WHERE journal LIKE '%.j'"), 0);
}

static void more_live_journals_than_descriptors_is_no_problem(void **state)
{
	fixture *f = *state;
	enum { WRITERS = 150 };
	writer **writers = calloc(WRITERS, sizeof(*writers));
	for (int i = 0; i < WRITERS; i++) {
		writers[i] = open_writer(f, (uint8_t)(i + 1), 1);
		assert_true(write_trace(writers[i], 0));
	}
	pid_t pid = start(f);
	wait_for_answer(f->store, "SELECT count(*) FROM traces", WRITERS);
	for (int i = 0; i < WRITERS; i++) {
		assert_true(write_trace(writers[i], 1));
	}
	wait_for_answer(f->store, "SELECT count(*) FROM traces", 2 * WRITERS);
	stop(pid);
	for (int i = 0; i < WRITERS; i++) {
		assert_traces_of(f->store, (uint8_t)(i + 1), 2);
		close_writer(writers[i]);
	}
	free(writers);
}

static opa_usage_record read_usage(const fixture *f)
{
	opa_usage_record r = {0};
	int fd = openat(f->spool.dir, "usage", O_RDONLY);
	if (fd >= 0 && read(fd, &r, sizeof(r)) != (ssize_t)sizeof(r)) {
		r = (opa_usage_record){0}; /* it is just being made */
	}
	if (fd >= 0) {
		close(fd);
	}
	return r;
}

static void it_measures_the_spool_as_long_as_it_serves_it(void **state)
{
	fixture *f = *state;
	uint64_t until = opa_clock_mono() + patience(), first = 0;
	writer *w = open_writer(f, 0x11, 1);
	assert_true(write_trace(w, 0));
	pid_t pid = start(f);
	while ((first == 0 || read_usage(f).measured == first) && opa_clock_mono() < until) {
		first = read_usage(f).measured;
		pause_a_little();
	}
	assert_true(first > 0 && read_usage(f).measured > first);
	assert_int_equal(read_usage(f).bytes, 2 * 4096); /* a journal and a control file */
	stop(pid);
	close_writer(w);
}

/* ---- one exporter ---- */

static void only_one_serves_a_spool(void **state)
{
	fixture *f = *state;
	char value[256], path[128];
	pid_t pid = start(f);
	wait_for_state(f, "updated", "1");
	assert_int_equal(run_once(f), 3);
	assert_int_equal(wait_for_end(start(f)), 0);
	snprintf(path, sizeof(path), "%s/lease", f->spool_path);
	assert_true(opa_spool_read_file(&f->spool, "lease", value, sizeof(value)) > 0);
	assert_int_equal(atol(value), pid);
	stop(pid);
	assert_int_equal(run_once(f), 0);
}

static void the_lease_is_taken_over_from_the_starter(void **state)
{
	fixture *f = *state;
	int fd = openat(f->spool.dir, "lease", O_RDWR | O_CREAT, 0600);
	assert_int_equal(flock(fd, LOCK_EX | LOCK_NB), 0);
	pid_t pid = start_with(f, false, 3600, fd);
	close(fd);
	write_and_leave(f, 0x11, 1, 3, true);
	wait_for_answer(f->store, "SELECT count(*) FROM traces", 3);
	assert_int_equal(run_once(f), 3);
	stop(pid);
}

static void what_is_no_spool_is_left_as_it_is(void **state)
{
	fixture *f = *state;
	char problem[512], expected[256];
	opa_exporter_options options = {.spool = f->dir, .lease_fd = -1, .once = true};
	assert_int_equal(opa_exporter_run(&options, problem, sizeof(problem)), OPA_EXPORTER_TROUBLE);
	snprintf(expected, sizeof(expected), "cannot use the spool %s: is no spool of opa's", f->dir);
	assert_string_equal(problem, expected);
	snprintf(expected, sizeof(expected), "%s/tmp", f->dir);
	assert_int_not_equal(access(expected, F_OK), 0);
	snprintf(expected, sizeof(expected), "%s/lease", f->dir);
	assert_int_not_equal(access(expected, F_OK), 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_definition_is_read),
		cmocka_unit_test(the_definition_of_a_collector_is_read),
		TEST(each_destination_gets_its_own_journals),
		TEST(two_destinations_may_be_one_file),
		TEST(a_destination_that_is_not_defined_makes_its_journals_wait),
		TEST(once_brings_in_what_is_there_and_says_how_it_went),
		TEST(what_is_too_old_goes_when_nothing_comes),
		TEST(what_was_brought_in_is_not_brought_in_again),
		TEST(hundreds_of_small_files_are_brought_in_at_once),
		TEST(more_live_journals_than_descriptors_is_no_problem),
		TEST(it_measures_the_spool_as_long_as_it_serves_it),
		TEST(what_is_no_spool_is_left_as_it_is),
		TEST(only_one_serves_a_spool),
		TEST(the_lease_is_taken_over_from_the_starter),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
