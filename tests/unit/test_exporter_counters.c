/*
 * What becomes of the counters that processes without a file of their own have handed over, and of
 * the traces that ran when their process died.
 */
#include "exporter_fixture.h"

#include "export/opa_file.h"

static const char dropped[] = "SELECT value FROM counters WHERE name = 'spans_dropped_disk_full'";

static bool hand_over(const fixture *f, uint64_t spans)
{
	uint64_t counters[OPA_CONTROL_COUNTERS] = {[OPA_COUNT_DROPPED_DISK_FULL] = spans};
	return opa_control_hand_over(&f->spool, counters, 8);
}

static uint64_t in_common(const fixture *f)
{
	opa_control_file file;
	int fd = openat(f->spool.dir, OPA_CONTROL_COMMON, O_RDONLY);
	assert_int_equal(opa_file_read(fd, &file, sizeof(file), 0), sizeof(file));
	close(fd);
	return file.counters[OPA_COUNT_DROPPED_DISK_FULL];
}

static bool count_file(void *user, const char *name, const opa_control_file *file, bool gone)
{
	unsigned *count = user;
	(void)name;
	(void)file;
	*count += gone;
	return true;
}

static unsigned count_dead(const fixture *f)
{
	unsigned count = 0;
	opa_control_visit(&f->spool, count_file, &count);
	return count;
}

static void what_was_handed_over_is_stored_once(void **state)
{
	fixture *f = *state;
	write_and_leave(f, 0x11, 1, 1, true);
	assert_true(hand_over(f, 5));
	assert_int_equal(run_once(f), 0);
	assert_int_equal(ask(f->store, dropped), 5);
	assert_int_equal(in_common(f), 0);
	assert_int_equal(run_once(f), 0);
	assert_int_equal(ask(f->store, dropped), 5);
	assert_true(hand_over(f, 2));
	assert_int_equal(run_once(f), 0);
	assert_int_equal(ask(f->store, dropped), 7);
	assert_int_equal(count_dead(f), 0);
}

/* Nor is it a reason to stay. */
static void it_waits_until_there_is_a_store(void **state)
{
	fixture *f = *state;
	assert_true(hand_over(f, 5));
	assert_int_equal(wait_for_end(start_with(f, false, 0, -1)), 0);
	assert_int_equal(in_common(f), 5);
	assert_int_equal(count_dead(f), 0);
	write_and_leave(f, 0x11, 1, 1, true);
	assert_int_equal(run_once(f), 0);
	assert_int_equal(ask(f->store, dropped), 5);
}

/* A store that can be opened, but not written to, does not make more and more files of them. */
static void few_files_wait_for_a_store_that_fails(void **state)
{
	fixture *f = *state;
	sqlite3 *db;
	write_and_leave(f, 0x11, 1, 1, true);
	assert_int_equal(run_once(f), 0);
	assert_int_equal(sqlite3_open(f->store, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db,
						 "CREATE TRIGGER no BEFORE INSERT ON counters BEGIN"
						 " SELECT raise(ABORT, 'no'); END",
						 NULL, NULL, NULL),
		SQLITE_OK);
	for (uint64_t i = 0; i < 5; i++) {
		assert_true(hand_over(f, 1));
		run_once(f);
	}
	assert_int_equal(count_dead(f), 1);
	assert_int_equal(in_common(f), 4);
	assert_int_equal(sqlite3_exec(db, "DROP TRIGGER no", NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
	assert_int_equal(run_once(f), 0);
	assert_int_equal(ask(f->store, dropped), 5);
}

/* ---- traces that ran ---- */

static const char lost[] = "SELECT value FROM counters WHERE name = 'traces_lost'";
static const char started[] = "SELECT value FROM counters WHERE name = 'traces_started'";

/* So many were running, of 10 that were begun. */
static void die_while_running(const fixture *f, uint64_t traces)
{
	pid_t pid = fork();
	if (pid == 0) {
		writer *w = open_writer(f, 0x21, 1);
		opa_control_add(w->control, OPA_COUNT_TRACES_STARTED, 10 - traces);
		opa_control_set_running(w->control, traces);
		opa_control_save(w->control);
		raise(SIGKILL);
	}
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static void what_ran_when_its_process_died_is_lost(void **state)
{
	fixture *f = *state;
	write_and_leave(f, 0x11, 1, 1, true);
	writer *alive = open_writer(f, 0x12, 1);
	opa_control_set_running(alive->control, 1);
	opa_control_save(alive->control);
	die_while_running(f, 2);
	assert_int_equal(run_once(f), 0);
	assert_int_equal(ask(f->store, lost), 2);
	assert_int_equal(ask(f->store, started), 10);
	die_while_running(f, 0);
	die_while_running(f, 1);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(run_once(f), 0);
		assert_int_equal(ask(f->store, lost), 3);
		assert_int_equal(ask(f->store, started), 30);
	}
	close_writer(alive);
}

static void what_ran_is_lost_once_where_processes_have_merged_it(void **state)
{
	fixture *f = *state;
	write_and_leave(f, 0x11, 1, 1, true);
	for (int i = 0; i < 10; i++) {
		die_while_running(f, 1);
	}
	int lock = opa_control_lock(&f->spool);
	assert_int_equal(opa_control_merge(&f->spool, UINT32_MAX), 11);
	close(lock);
	die_while_running(f, 1);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(run_once(f), 0);
		assert_int_equal(ask(f->store, lost), 11);
		assert_int_equal(ask(f->store, started), 110);
	}
}

/* ---- killed ---- */

typedef struct shared {
	volatile bool enough;
	volatile uint64_t handed;
} shared;

static pid_t start_handing_over(const fixture *f, shared *s)
{
	pid_t pid = fork();
	if (pid == 0) {
		while (!s->enough) {
			s->handed += hand_over(f, 1);
		}
		_exit(0);
	}
	return pid;
}

static void let_pass(uint64_t ns)
{
	nanosleep(&(struct timespec){(time_t)(ns / OPA_SECOND_NS), (long)(ns % OPA_SECOND_NS)}, NULL);
}

static void each_number_is_stored_once_however_often_it_is_killed(void **state)
{
	fixture *f = *state;
	bool slow = getenv("OPA_TEST_SLOW") != NULL;
	unsigned kills = slow ? 40 : 100, progress = 0;
	shared *s = mmap(NULL, sizeof(*s), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	write_and_leave(f, 0x11, 1, 1, true);
	assert_int_equal(run_once(f), 0);
	pid_t giver = start_handing_over(f, s);
	uint64_t seed = opa_clock_mono() | 1;
	/* found while it goes: so long that about half of the lives get as far as storing something */
	long window = slow ? 400000000 : 20000000, widest = slow ? 20000000000 : 900000000, before = 0;
	for (unsigned i = 0; i < kills; i++) {
		pid_t pid = start_with(f, true, 0, -1);
		seed = seed * 6364136223846793005u + 1442695040888963407u;
		let_pass((seed >> 33) % (uint64_t)window);
		kill(pid, SIGKILL);
		assert_int_equal(waitpid(pid, NULL, 0), pid);
		long now = ask(f->store, dropped);
		progress += now > before;
		window = now > before ? window * 3 / 4 : window * 3 / 2;
		window = window < 1000000 ? 1000000 : window > widest ? widest : window;
		before = now;
	}
	s->enough = true;
	assert_int_equal(waitpid(giver, NULL, 0), giver);
	assert_int_equal(run_once(f), 0);
	assert_int_equal(ask(f->store, dropped), s->handed);
	assert_int_equal(in_common(f), 0);
	assert_int_equal(count_dead(f), 0);
	print_message("%llu numbers; in %u of %u lives some were stored\n",
		(unsigned long long)s->handed, progress, kills);
	assert_true(progress > 5 && progress < kills);
	munmap(s, sizeof(*s));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(what_was_handed_over_is_stored_once),
		TEST(it_waits_until_there_is_a_store),
		TEST(few_files_wait_for_a_store_that_fails),
		TEST(what_ran_when_its_process_died_is_lost),
		TEST(what_ran_is_lost_once_where_processes_have_merged_it),
		TEST(each_number_is_stored_once_however_often_it_is_killed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
