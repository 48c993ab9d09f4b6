/*
 * How the exporter ends: when it leaves, what it does when the store fails, what it makes of
 * processes that are gone, and that nothing is lost or doubled when it is killed.
 */
#include "exporter_fixture.h"

#include <dirent.h>
#include <sched.h>
#include <sys/mount.h>

#define CANNOT_MOUNT 77

/* ---- leaving ---- */

static void it_leaves_when_there_is_nothing_to_do(void **state)
{
	fixture *f = *state;
	char value[64];
	write_and_leave(f, 0x11, 1, 3, true);
	pid_t pid = start_with(f, false, 1, -1);
	assert_int_equal(wait_for_end(pid), 0);
	assert_traces_of(f->store, 0x11, 3);
	read_state(f, "stopped", value, sizeof(value));
	assert_true(value[0] != '\0');
}

static void it_stays_while_a_process_may_write(void **state)
{
	fixture *f = *state;
	writer *w = open_writer(f, 0x11, 1);
	assert_true(write_trace(w, 0));
	pid_t pid = start_with(f, false, 0, -1);
	for (uint32_t i = 1; i < 4; i++) {
		wait_for_answer(f->store, "SELECT count(*) FROM traces", i);
		assert_int_equal(waitpid(pid, NULL, WNOHANG), 0);
		assert_true(write_trace(w, i));
	}
	close_writer(w);
	/* The control file's owner is this process, which does not end: it goes by hand. */
	char command[160];
	snprintf(command, sizeof(command), "rm -f '%s'/control/*", f->spool_path);
	assert_int_equal(system(command), 0);
	assert_int_equal(wait_for_end(pid), 0);
	assert_traces_of(f->store, 0x11, 4);
}

static void it_leaves_when_its_spool_is_removed(void **state)
{
	fixture *f = *state;
	char command[512];
	writer *w = open_writer(f, 0x11, 1);
	assert_true(write_trace(w, 0));
	pid_t pid = start(f);
	wait_for_answer(f->store, "SELECT count(*) FROM traces", 1);
	snprintf(
		command, sizeof(command), "rm -rf '%s' && mkdir -m 700 '%s'", f->spool_path, f->spool_path);
	assert_int_equal(system(command), 0);
	assert_int_equal(wait_for_end(pid), 0);
	snprintf(command, sizeof(command), "test -z \"$(ls -A '%s')\"", f->spool_path);
	assert_int_equal(system(command), 0); /* and writes nothing into the new one */
	close_writer(w);
}

/* In a child, which mounts the spool for itself: its exit status says how far it came. */
static int report_on_full_disk(fixture *f)
{
	static char zeros[4096];
	char path[96], value[512];
	if (unshare(CLONE_NEWNS) != 0 || mount("none", "/", "none", MS_REC | MS_PRIVATE, "") != 0 ||
		mount("tmpfs", f->spool_path, "tmpfs", 0, "size=256k,mode=0700") != 0) {
		return CANNOT_MOUNT;
	}
	opa_spool_close(&f->spool);
	if (!open_spool(f)) {
		return 1;
	}
	snprintf(path, sizeof(path), "%s/one", f->dir);
	define(f, 1, path, "");
	close(open(path, O_WRONLY | O_CREAT, 0600)); /* in the place of the directory */
	writer *w = open_writer(f, 0x11, 1);
	if (!write_trace(w, 0) || run_once(f) != 1) {
		return 2;
	}
	read_state(f, "problem", value, sizeof(value));
	if (strstr(value, path) == NULL) {
		return 3;
	}
	int fd = openat(f->spool.dir, "filler", O_WRONLY | O_CREAT, 0600);
	while (write(fd, zeros, sizeof(zeros)) == (ssize_t)sizeof(zeros)) {
	}
	if (opa_spool_replace_file(&f->spool, "more", "x", 1)) {
		return 4; /* it is not full */
	}
	unlink(path);
	if (run_once(f) != 0) {
		return 5;
	}
	read_state(f, "problem", value, sizeof(value));
	return value[0] == '\0' ? 0 : 6;
}

static void what_it_says_changes_on_a_full_disk_too(void **state)
{
	fixture *f = *state;
	int status;
	fflush(NULL);
	pid_t pid = fork();
	if (pid == 0) {
		_exit(report_on_full_disk(f));
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) == CANNOT_MOUNT) {
		fprintf(stderr, "SKIPPED: a private mount is needed for a full disk\n");
		skip();
	}
	assert_int_equal(WEXITSTATUS(status), 0);
	assert_traces_of(f->store, 0x11, 1);
}

/* Somebody clears the traces with rm: what is traced from then on, and what the journal still has.
 */
static void a_removed_store_is_made_anew(void **state)
{
	fixture *f = *state;
	char command[512];
	writer *w = open_writer(f, 0x11, 1);
	assert_true(write_trace(w, 0));
	pid_t pid = start(f);
	wait_for_answer(f->store, "SELECT count(*) FROM traces", 1);
	snprintf(
		command, sizeof(command), "rm -f '%s' '%s-wal' '%s-shm'", f->store, f->store, f->store);
	assert_int_equal(system(command), 0);
	assert_true(write_trace(w, 1));
	wait_for_answer(f->store, "SELECT count(*) FROM traces", 2);
	assert_int_equal(kill(pid, SIGTERM), 0);
	assert_int_equal(wait_for_end(pid), 0);
	close_writer(w);
}

static void it_leaves_when_its_lease_is_removed(void **state)
{
	fixture *f = *state;
	pid_t pid = start(f);
	wait_for_state(f, "updated", "1");
	assert_int_equal(unlinkat(f->spool.dir, "lease", 0), 0);
	assert_int_equal(wait_for_end(pid), 0);
}

static void sigterm_drains(void **state)
{
	fixture *f = *state;
	char value[64], path[96];
	/* Of what is not reached within shutdown_timeout the next test tells. */
	snprintf(path, sizeof(path), "%s/one", f->dir);
	define(f, 1, path, "shutdown_timeout=600000\n");
	write_and_leave(f, 0x11, 1, 1, true);
	pid_t pid = start(f);
	wait_for_answer(f->store, "SELECT count(*) FROM traces", 1);
	write_and_leave(f, 0x12, 1, 3000, true);
	kill(pid, SIGHUP); /* is ignored */
	stop(pid);
	assert_traces_of(f->store, 0x12, 3000);
	assert_int_equal(count_journals(f), 0);
	read_state(f, "stopped", value, sizeof(value));
	assert_true(value[0] != '\0');
}

static void without_time_sigterm_does_not_drain_and_loses_nothing(void **state)
{
	fixture *f = *state;
	char path[96];
	snprintf(path, sizeof(path), "%s/one", f->dir);
	define(f, 1, path, "shutdown_timeout=0\n");
	for (uint8_t i = 0; i < 8; i++) {
		write_and_leave(f, (uint8_t)(0x20 + i), 1, 3000, true);
	}
	pid_t pid = start(f);
	wait_for_state(f, "updated", "1");
	stop(pid);
	assert_true(count_journals(f) > 0);
	assert_int_equal(run_once(f), 0);
	for (uint8_t i = 0; i < 8; i++) {
		assert_traces_of(f->store, (uint8_t)(0x20 + i), 3000);
	}
}

/* ---- problems ---- */

static void a_store_that_cannot_be_opened_makes_journals_wait_until_it_can(void **state)
{
	fixture *f = *state;
	char path[96];
	snprintf(path, sizeof(path), "%s/one", f->dir);
	FILE *file = fopen(path, "w"); /* a file in the place of the directory */
	fclose(file);
	write_and_leave(f, 0x11, 1, 5, true);
	pid_t pid = start(f);
	wait_for_state(f, "problem", path);
	assert_int_equal(count_journals(f), 1);
	unlink(path);
	wait_for_answer(f->store, "SELECT count(*) FROM traces", 5);
	wait_for_state(f, "problem", "");
	wait_for_state(f, "last_error", path);
	wait_for_state(f, "last_success", "1");
	stop(pid);
	assert_traces_of(f->store, 0x11, 5);
	assert_int_equal(count_journals(f), 0);
}

/* A store that breaks in the middle: a batch that failed is brought in again, whole and once. */
static void a_batch_that_fails_is_brought_in_again(void **state)
{
	fixture *f = *state;
	sqlite3 *db;
	writer *w = open_writer(f, 0x11, 1);
	assert_true(write_trace(w, 0));
	pid_t pid = start(f);
	wait_for_answer(f->store, "SELECT count(*) FROM traces", 1);
	assert_int_equal(sqlite3_open(f->store, &db), SQLITE_OK);
	assert_int_equal(
		sqlite3_exec(db,
			"CREATE TRIGGER broken BEFORE INSERT ON traces WHEN"
			" new.trace_id LIKE '11%02' BEGIN SELECT RAISE(ABORT, 'out of order'); END",
			NULL, NULL, NULL),
		SQLITE_OK);
	for (uint32_t i = 1; i < 5; i++) {
		assert_true(write_trace(w, i));
	}
	wait_for_state(f, "problem", "out of order");
	assert_int_equal(sqlite3_exec(db, "DROP TRIGGER broken", NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
	wait_for_answer(f->store, "SELECT count(*) FROM traces", 5);
	stop(pid);
	close_writer(w);
	assert_traces_of(f->store, 0x11, 5);
}

/* The commit itself is refused: the rows are not there, so the file must be. */
static void a_journal_is_removed_only_when_its_spans_are_in_the_store(void **state)
{
	fixture *f = *state;
	sqlite3 *db;
	write_and_leave(f, 0x11, 1, 1, true);
	assert_int_equal(run_once(f), 0);
	assert_int_equal(sqlite3_open(f->store, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db,
						 "CREATE TRIGGER full BEFORE INSERT ON positions BEGIN"
						 " SELECT RAISE(ABORT, 'no room'); END",
						 NULL, NULL, NULL),
		SQLITE_OK);
	write_and_leave(f, 0x12, 1, 3, true);
	assert_int_equal(run_once(f), 1);
	assert_traces_of(f->store, 0x12, 0);
	assert_int_equal(count_journals(f), 1);
	assert_int_equal(sqlite3_exec(db, "DROP TRIGGER full", NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
	assert_int_equal(run_once(f), 0);
	assert_traces_of(f->store, 0x12, 3);
	assert_int_equal(count_journals(f), 0);
}

static void a_journal_that_cannot_be_read_waits_and_is_told_of(void **state)
{
	fixture *f = *state;
	char value[256];
	opa_journal_header header = {.magic = OPA_JOURNAL_MAGIC, .version = OPA_JOURNAL_VERSION + 1};
	const char *path = "sealed/00000000000000000000000000000001.1.j";
	int fd = openat(f->spool.dir, path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	assert_int_equal(write(fd, &header, sizeof(header)), sizeof(header));
	assert_int_equal(close(fd), 0);
	write_and_leave(f, 0x11, 1, 3, true);
	assert_int_equal(run_once(f), OPA_EXPORTER_TROUBLE);
	assert_traces_of(f->store, 0x11, 3);
	assert_int_equal(count_journals(f), 1);
	read_state(f, "problem", value, sizeof(value));
	assert_string_equal(value, "cannot read 00000000000000000000000000000001.1.j: it is of a later "
							   "version of opa");
	assert_int_equal(unlinkat(f->spool.dir, path, 0), 0);
	assert_int_equal(run_once(f), 0);
	read_state(f, "problem", value, sizeof(value));
	assert_string_equal(value, "");
}

static void a_file_that_is_no_journal_is_counted_and_removed(void **state)
{
	fixture *f = *state;
	char junk[3000];
	memset(junk, 'j', sizeof(junk));
	assert_true(opa_spool_replace_file(
		&f->spool, "sealed/00112233445566778899aabbccddeeff.1.j", junk, sizeof(junk)));
	assert_int_equal(run_once(f), 0);
	assert_int_equal(count_journals(f), 1); /* no store to count it in */
	write_and_leave(f, 0x11, 1, 1, true);
	assert_int_equal(run_once(f), 0);
	assert_int_equal(run_once(f), 0);
	assert_int_equal(count_journals(f), 0);
	assert_int_equal(
		ask(f->store, "SELECT value FROM counters WHERE name = 'exporter_bytes_skipped'"), 3000);
}

/* ---- counters ---- */

static const char kept[] = "SELECT value FROM counters WHERE name = 'traces_kept'";

static void counters_of_the_dead_are_added_once(void **state)
{
	fixture *f = *state;
	write_and_leave(f, 0x11, 1, 5, true);
	write_and_leave(f, 0x12, 1, 7, false);
	writer *alive = open_writer(f, 0x13, 1);
	assert_true(write_trace(alive, 0));
	for (int i = 0; i < 3; i++) {
		assert_int_equal(run_once(f), 0);
		assert_int_equal(ask(f->store, kept), 12);
	}
	close_writer(alive);
}

typedef struct noting {
	const fixture *f;
	sqlite3 *db;
} noting;

/* Notes each control file as an exporter does that dies before it removes them. */
static bool note_as_stored(void *user, const char *name, const opa_control_file *file, bool gone)
{
	noting *n = user;
	char sql[256], claimed[OPA_CONTROL_NAME_MAX];
	(void)file;
	assert_true(gone);
	assert_true(opa_control_claim(&n->f->spool, name, claimed));
	snprintf(sql, sizeof(sql), "INSERT INTO positions VALUES ('%s', 1, '', %" PRIu64 ")", claimed,
		opa_clock_wall());
	assert_int_equal(sqlite3_exec(n->db, sql, NULL, NULL, NULL), SQLITE_OK);
	return true;
}

static void counters_that_were_stored_are_not_added_again(void **state)
{
	fixture *f = *state;
	sqlite3 *db;
	write_and_leave(f, 0x11, 1, 5, true);
	assert_int_equal(run_once(f), 0);
	assert_int_equal(ask(f->store, kept), 5);
	write_and_leave(f, 0x12, 1, 6, true);
	assert_int_equal(sqlite3_open(f->store, &db), SQLITE_OK);
	noting n = {f, db};
	opa_control_visit(&f->spool, note_as_stored, &n);
	sqlite3_close(db);
	write_and_leave(f, 0x13, 1, 7, true);
	assert_int_equal(run_once(f), 0);
	assert_int_equal(ask(f->store, kept), 5 + 7);
	assert_int_equal(ask(f->store, "SELECT count(*) FROM positions"), 0);
}

static unsigned count_controls(const fixture *f)
{
	unsigned count = 0;
	char path[128];
	snprintf(path, sizeof(path), "%s/control", f->spool_path);
	DIR *dir = opendir(path);
	for (struct dirent *entry; (entry = readdir(dir)) != NULL;) {
		count += entry->d_name[0] != '.';
	}
	closedir(dir);
	return count;
}

static void merge_controls(const fixture *f)
{
	int lock = opa_control_lock(&f->spool);
	assert_true(lock >= 0);
	assert_int_equal(opa_control_merge(&f->spool, UINT32_MAX), 10);
	close(lock);
}

static void counters_that_processes_have_merged_are_stored_once(void **state)
{
	fixture *f = *state;
	for (uint32_t round = 1; round <= 2; round++) {
		for (uint8_t i = 0; i < 10; i++) {
			write_and_leave(f, (uint8_t)(0x10 * round + i), 1, 2, true);
		}
		merge_controls(f);
		assert_int_equal(count_controls(f), 1);
		assert_int_equal(run_once(f), 0);
		assert_int_equal(ask(f->store, kept), 20 * round);
		assert_int_equal(run_once(f), 0);
		assert_int_equal(ask(f->store, kept), 20 * round);
		assert_int_equal(count_controls(f), 0);
	}
}

/* The exporter merges, too: as long as it has no store it cannot add anything up. */
static void counters_wait_in_few_files_while_no_store_can_be_opened(void **state)
{
	fixture *f = *state;
	char path[96];
	snprintf(path, sizeof(path), "%s/one", f->dir);
	FILE *file = fopen(path, "w"); /* in the place of the directory */
	fclose(file);
	for (uint8_t i = 0; i < 80; i++) {
		write_and_leave(f, i + 1, 1, 1, true);
	}
	assert_int_equal(run_once(f), 1);
	assert_int_equal(run_once(f), 1);
	assert_in_range(count_controls(f), 1, 20);
	unlink(path);
	assert_int_equal(run_once(f), 0);
	assert_int_equal(ask(f->store, kept), 80);
	assert_int_equal(count_controls(f), 0);
}

/* A process that kept nothing, when the exporter has not used a store since it started. */
static void counters_go_to_the_store_that_is_there(void **state)
{
	fixture *f = *state;
	write_and_leave(f, 0x11, 1, 1, true);
	assert_int_equal(run_once(f), 0);
	pid_t pid = fork();
	if (pid == 0) {
		writer *w = open_writer(f, 0x12, 1);
		opa_control_add(w->control, OPA_COUNT_TRACES_SAMPLED_OUT, 9);
		close_writer(w);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_int_equal(run_once(f), 0);
	assert_int_equal(
		ask(f->store, "SELECT value FROM counters WHERE name = 'traces_sampled_out'"), 9);
}

static void the_writer_is_told_how_far_it_is(void **state)
{
	fixture *f = *state;
	uint64_t sequence, offset;
	writer *w = open_writer(f, 0x11, 1);
	assert_true(write_trace(w, 0));
	opa_journal_position(w->journal, &sequence, &offset);
	assert_int_equal(run_once(f), 0);
	opa_ack ack = opa_control_ack(w->control, 0);
	assert_int_equal(ack.sequence, sequence);
	assert_int_equal(ack.offset, offset);
	close_writer(w);
}

/* ---- killed ---- */

#define KILLS   100
#define WRITERS 3

typedef struct shared {
	volatile bool enough;
	volatile uint32_t written[WRITERS];
} shared;

/* Writes until it is told to end; the last of them without leaving in order. */
static pid_t start_writer(const fixture *f, shared *s, int index)
{
	pid_t pid = fork();
	if (pid == 0) {
		bool ok = true;
		writer *w = open_writer(f, (uint8_t)(0x31 + index), 1);
		for (uint32_t i = 0; ok && !s->enough; i++) {
			ok = write_trace(w, i);
			s->written[index] = i + 1;
			nanosleep(&(struct timespec){0, 1000000}, NULL);
		}
		if (index == WRITERS - 1) {
			kill(getpid(), SIGKILL);
		}
		close_writer(w);
		_exit(ok ? 0 : 1);
	}
	return pid;
}

static void each_span_arrives_once_however_often_it_is_killed(void **state)
{
	fixture *f = *state;
	shared *s = mmap(NULL, sizeof(*s), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid_t writers[WRITERS];
	uint64_t seed = opa_clock_mono() | 1;
	uint32_t total = 0;
	int progress = 0;
	for (int i = 0; i < WRITERS; i++) {
		writers[i] = start_writer(f, s, i);
	}
	/* Sometimes before the first commit, sometimes after some, however slow the machine is. */
	long window = 20000000, before = 0;
	for (int i = 0; i < KILLS; i++) {
		pid_t pid = start(f);
		seed = seed * 6364136223846793005u + 1442695040888963407u;
		long delay = (long)((seed >> 33) % (uint64_t)window);
		nanosleep(&(struct timespec){delay / 1000000000, delay % 1000000000}, NULL);
		kill(pid, SIGKILL);
		assert_int_equal(waitpid(pid, NULL, 0), pid);
		long now = ask(f->store, "SELECT count(*) FROM spans");
		progress += now > before;
		window = now > before ? window * 3 / 4 : window * 5 / 4;
		window = window < 5000000 ? 5000000 : window > 900000000 ? 900000000 : window;
		before = now;
	}
	s->enough = true;
	for (int i = 0; i < WRITERS; i++) {
		assert_int_equal(waitpid(writers[i], NULL, 0), writers[i]);
	}
	assert_int_equal(run_once(f), 0);
	for (int i = 0; i < WRITERS; i++) {
		assert_traces_of(f->store, (uint8_t)(0x31 + i), s->written[i]);
		total += s->written[i];
	}
	print_message("%u spans; in %d of %d lives it committed before it was killed\n",
		total * SPANS_A_TRACE, progress, KILLS);
	assert_true(progress > 5 && progress < KILLS);
	assert_int_equal(ask(f->store, "SELECT sum(spans) FROM traces"), (long)total * SPANS_A_TRACE);
	assert_int_equal(
		ask(f->store, "SELECT sum(spans) FROM resources"), (long)total * SPANS_A_TRACE);
	assert_int_equal(ask(f->store, "SELECT count(*) FROM counters WHERE name LIKE 'exporter%'"), 0);
	assert_int_equal(ask(f->store, kept), total);
	assert_int_equal(count_journals(f), 0);
	munmap(s, sizeof(*s));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(it_leaves_when_there_is_nothing_to_do),
		TEST(it_stays_while_a_process_may_write),
		TEST(it_leaves_when_its_spool_is_removed),
		TEST(a_removed_store_is_made_anew),
		TEST(it_leaves_when_its_lease_is_removed),
		TEST(sigterm_drains),
		TEST(without_time_sigterm_does_not_drain_and_loses_nothing),
		TEST(a_store_that_cannot_be_opened_makes_journals_wait_until_it_can),
		TEST(what_it_says_changes_on_a_full_disk_too),
		TEST(a_batch_that_fails_is_brought_in_again),
		TEST(a_journal_is_removed_only_when_its_spans_are_in_the_store),
		TEST(a_journal_that_cannot_be_read_waits_and_is_told_of),
		TEST(a_file_that_is_no_journal_is_counted_and_removed),
		TEST(counters_of_the_dead_are_added_once),
		TEST(counters_that_were_stored_are_not_added_again),
		TEST(counters_that_processes_have_merged_are_stored_once),
		TEST(counters_wait_in_few_files_while_no_store_can_be_opened),
		TEST(counters_go_to_the_store_that_is_there),
		TEST(the_writer_is_told_how_far_it_is),
		TEST(each_span_arrives_once_however_often_it_is_killed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
