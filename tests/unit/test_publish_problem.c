/*
 * Why traces do not arrive, as the log is told (opa_publish_problem()) and as opa_status() says it.
 * Each publisher here is a process.
 */
#include "publish_fixture.h"

#include <sys/file.h>

/* A process's first request: its first look at the spool. */
static bool is_told_to(site *s, opa_publisher *publisher, char *line, size_t size)
{
	opa_publish_begin(publisher, &s->outlet);
	bool told = opa_publish_problem(publisher, line, size);
	/* Asked again without another look: never. */
	assert_false(opa_publish_problem(publisher, line, size));
	return told;
}

static bool is_told(site *s, char *line, size_t size)
{
	opa_publisher *publisher = opa_publisher_create();
	bool told = is_told_to(s, publisher, line, size);
	opa_publisher_destroy(publisher);
	return told;
}

/* The fixture's process looks anew, and says what it would log. */
static bool is_told_now(site *s, char *line, size_t size)
{
	counter(s, OPA_COUNT_SPANS_KEPT);
	return opa_publish_problem(s->publisher, line, size);
}

static const char *status_problem(site *s)
{
	static opa_publish_status status;
	opa_publish_status_get(s->publisher, &s->outlet, &status);
	return status.problem;
}

static void say(const site *s, const char *state)
{
	assert_true(opa_spool_replace_file(&s->f.spool, "state", state, strlen(state)));
}

/* One that can be executed. It is not started where nothing is published. */
static int open_with_exporter(void **state)
{
	open_site(state);
	((site *)*state)->outlet.exporter = "/bin/true";
	return 0;
}

static void expect_part(const char *line, const char *part)
{
	if (strstr(line, part) == NULL) {
		fail_msg("\"%s\" does not have \"%s\"", line, part);
	}
}

static void test_nothing_is_told_without_a_problem(void **state)
{
	site *s = *state;
	char line[128];
	assert_false(is_told(s, line, sizeof(line)));
	say(s, "pid=1\nlast_error=an old problem=x\nversion=1\n");
	assert_false(is_told(s, line, sizeof(line)));
	assert_string_equal(status_problem(s), "");
}

static void test_one_process_is_told(void **state)
{
	site *s = *state;
	char line[128];
	say(s, "pid=1\nproblem=the store is full\nversion=1\n");
	assert_true(is_told(s, line, sizeof(line)));
	assert_string_equal(line, "opa-exporter: the store is full");
	assert_false(is_told(s, line, sizeof(line)));
	assert_string_equal(status_problem(s), line);
}

static void test_the_next_ten_minutes_are_told_again(void **state)
{
	site *s = *state;
	char line[128], now[300], before[300];
	unsigned long long period = (unsigned long long)time(NULL) / 600;
	snprintf(now, sizeof(now), "%s/logged-%llu", s->f.dir, period);
	snprintf(before, sizeof(before), "%s/logged-%llu", s->f.dir, period - 7);
	say(s, "problem=first line");
	assert_true(is_told(s, line, sizeof(line)));
	assert_string_equal(line, "opa-exporter: first line");
	/* As if that had been an hour ago. */
	if (rename(now, before) == 0) {
		assert_true(is_told(s, line, sizeof(line)));
		assert_int_equal(access(before, F_OK), -1);
	}
}

static void test_a_long_problem_is_cut(void **state)
{
	site *s = *state;
	char line[22];
	say(s, "problem=0123456789\n");
	assert_true(is_told(s, line, sizeof(line)));
	assert_string_equal(line, "opa-exporter: 0123456");
}

/* ---- no spool ---- */

static void test_without_a_spool_each_process_is_told_once(void **state)
{
	site *s = *state;
	static char dir[300];
	char line[512] = "";
	snprintf(dir, sizeof(dir), "%s/no/such", s->f.dir);
	s->outlet.spool.dir = dir;
	for (int i = 0; i < 2; i++) {
		opa_publisher *publisher = opa_publisher_create();
		assert_true(is_told_to(s, publisher, line, sizeof(line)));
		expect_part(line, dir);
		expect_part(line, "No such file or directory");
		opa_publisher *mine = s->publisher;
		s->publisher = publisher;
		assert_false(is_told_now(s, line, sizeof(line)));
		assert_string_equal(status_problem(s), line);
		s->publisher = mine;
		opa_publisher_destroy(publisher);
	}
}

/* The mark of these ten minutes cannot be made there. */
static void in_closed_directory(fixture *f)
{
	site *s = (site *)f;
	char line[512], command[300];
	if (geteuid() == 0) {
		snprintf(command, sizeof(command), "chown -R 65534 %s", f->dir);
		CHECK(system(command) == 0 && setresuid(65534, 65534, 65534) == 0);
	}
	say(s, "problem=no room\n");
	CHECK(chmod(f->dir, 0500) == 0);
	CHECK(is_told_now(s, line, sizeof(line)));
	CHECK(!is_told_now(s, line, sizeof(line)));
	CHECK(chmod(f->dir, 0700) == 0);
	opa_publisher_destroy(s->publisher);
}

static void test_where_processes_cannot_agree_each_is_told_once(void **state)
{
	assert_int_equal(in_child(in_closed_directory, *state), 0);
	assert_int_equal(in_child(in_closed_directory, *state), 0);
}

/* ---- an exporter that cannot run ---- */

static void test_no_exporter_is_told(void **state)
{
	site *s = *state;
	char line[512];
	s->outlet.exporter = NULL;
	assert_true(is_told(s, line, sizeof(line)));
	expect_part(line, "not found beside opa.so");
	assert_string_equal(status_problem(s), line);
}

static void test_missing_exporter_is_told(void **state)
{
	site *s = *state;
	char line[512];
	s->outlet.exporter = "/no/such/exporter";
	expect_part(status_problem(s), "there is no executable file at exporter_path");
	assert_true(publish(s, 0, 100));
	assert_true(is_told_now(s, line, sizeof(line)));
	assert_string_equal(line,
		"opa-exporter: there is no executable file at exporter_path: /no/such/exporter (No such file "
		"or directory)");
	assert_string_equal(status_problem(s), line);
}

static void await_end(const site *s)
{
	for (int i = 0; i < 20000 && opa_launch_is_running(&s->f.spool); i++) {
		pause_shortly();
	}
}

/* As if some time had passed since the last start. */
static void let_time_pass(const site *s)
{
	struct timespec times[2] = {{.tv_sec = 1000}, {.tv_sec = 1000}};
	await_end(s);
	utimensat(s->f.spool.dir, "lease", times, 0);
}

static bool becomes_told(site *s, char *line, size_t size)
{
	for (int i = 0; i < 5000; i++) {
		let_time_pass(s);
		publish(s, 0, 100);
		if (is_told_now(s, line, size)) {
			return true;
		}
		pause_shortly();
	}
	return false;
}

static void test_exporter_that_ends_at_once_is_told(void **state)
{
	site *s = *state;
	char line[512];
	assert_true(becomes_told(s, line, sizeof(line))); /* /bin/true */
	assert_string_equal(line, "opa-exporter: ends as soon as it is started: /bin/true");
	assert_true(counter(s, OPA_COUNT_EXPORTER_FAILED) > 0);
	await_end(s);
	assert_string_equal(status_problem(s), line);
}

static void test_exporter_that_is_no_program_is_told(void **state)
{
	site *s = *state;
	static char path[300];
	char line[512];
	snprintf(path, sizeof(path), "%s/garbage", s->f.dir);
	int fd = open(path, O_CREAT | O_WRONLY, 0700);
	assert_int_equal(write(fd, "garbage", 7), 7);
	close(fd);
	s->outlet.exporter = path;
	assert_true(becomes_told(s, line, sizeof(line)));
	expect_part(line, "it could not be started");
	expect_part(line, "Exec format error");
}

/* ---- one that hangs ---- */

/* The lease, as an exporter has it that took it so long ago; closed, it has ended. */
static int hold_lease(const site *s, time_t age)
{
	struct timespec times[2] = {{.tv_sec = time(NULL) - age}, {.tv_sec = time(NULL) - age}};
	int fd = openat(s->f.spool.dir, "lease", O_RDWR | O_CREAT, 0600);
	assert_int_equal(flock(fd, LOCK_EX | LOCK_NB), 0);
	assert_int_equal(write(fd, "1\n", 2), 2);
	assert_int_equal(futimens(fd, times), 0);
	return fd;
}

static void say_updated(const site *s, time_t age)
{
	char state[64];
	snprintf(state, sizeof(state), "pid=1\nupdated=%lld\n", (long long)(time(NULL) - age));
	say(s, state);
}

static void test_exporter_that_hangs_is_told(void **state)
{
	site *s = *state;
	char line[512] = "";
	bool told = false;
	int lease = hold_lease(s, 1000);
	say_updated(s, 100);
	assert_true(publish(s, 0, 100));
	assert_false(is_told_now(s, line, sizeof(line))); /* the machine may have slept until now */
	expect_part(status_problem(s), "hangs");
	for (int i = 0; i < 30000 && !told; i++) {
		told = is_told_now(s, line, sizeof(line));
		pause_shortly();
	}
	assert_true(told);
	expect_part(line, "opa-exporter: hangs, not heard of for 1");
	say_updated(s, 5);
	assert_string_equal(status_problem(s), "");
	close(lease);
}

static void test_exporter_that_hangs_before_its_first_word_is_told(void **state)
{
	site *s = *state;
	int lease = hold_lease(s, 100);
	assert_true(publish(s, 0, 100));
	expect_part(status_problem(s), "hangs");
	close(lease);
}

static void test_quiet_exporter_is_no_problem_while_nothing_waits(void **state)
{
	site *s = *state;
	opa_journal_name *names;
	int lease = hold_lease(s, 1000);
	say_updated(s, 100);
	assert_string_equal(status_problem(s), ""); /* nothing was published */
	assert_true(publish(s, 0, 100));
	expect_part(status_problem(s), "hangs");
	assert_int_equal(opa_journal_list(&s->f.spool, &names), 1);
	char id[33] = {0};
	memcpy(id, names[0], 32);
	opa_free(names);
	assert_true(opa_control_acknowledge(&s->f.spool, id, 0, (opa_ack){1, 1 << 20}));
	assert_string_equal(status_problem(s), "");
	close(lease);
}

static void test_new_exporter_beside_an_old_state_does_not_hang(void **state)
{
	site *s = *state;
	int lease = hold_lease(s, 5);
	say_updated(s, 10000);
	assert_true(publish(s, 0, 100));
	assert_string_equal(status_problem(s), "");
	close(lease);
}

/* ---- drops ---- */

static void test_reason_of_drops_is_told_until_there_is_room(void **state)
{
	site *s = *state;
	char line[512];
	int lease = hold_lease(s, 0);
	s->outlet.spool.max_size = 40000;
	for (uint32_t i = 0; publish(s, i, 5000); i++) {
		assert_true(i < 100);
	}
	assert_true(is_told_now(s, line, sizeof(line)));
	assert_string_equal(line, "the last trace was dropped: opa.spool_max_size was reached");
	assert_string_equal(status_problem(s), line);
	assert_true(publish(s, 0, 10));
	assert_string_equal(status_problem(s), "");
	close(lease);
}

#define E(name) cmocka_unit_test_setup_teardown(name, open_with_exporter, close_site)

int main(void)
{
	const struct CMUnitTest tests[] = {
		E(test_nothing_is_told_without_a_problem),
		E(test_one_process_is_told),
		E(test_the_next_ten_minutes_are_told_again),
		E(test_a_long_problem_is_cut),
		E(test_without_a_spool_each_process_is_told_once),
		E(test_where_processes_cannot_agree_each_is_told_once),
		E(test_no_exporter_is_told),
		E(test_missing_exporter_is_told),
		E(test_exporter_that_ends_at_once_is_told),
		E(test_exporter_that_is_no_program_is_told),
		E(test_exporter_that_hangs_is_told),
		E(test_exporter_that_hangs_before_its_first_word_is_told),
		E(test_quiet_exporter_is_no_problem_while_nothing_waits),
		E(test_new_exporter_beside_an_old_state_does_not_hang),
		E(test_reason_of_drops_is_told_until_there_is_room),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
