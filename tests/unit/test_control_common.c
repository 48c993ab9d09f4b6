/*
 * The counters of processes that can make no file of their own: each number is counted once, in the
 * common file or in theirs, whoever is killed when.
 */
#include "spool_fixture.h"

#include "export/opa_control.h"
#include "export/opa_file.h"

#include <sys/file.h>

/* Writes of the common file fail while this is set, as on a disk that copies what it overwrites. */
static bool no_room;

static bool write_or_fail(int fd, const void *data, size_t len, uint64_t offset)
{
	if (no_room) {
		errno = ENOSPC;
		return false;
	}
	return opa_file_write(fd, data, len, offset);
}

#define opa_file_write write_or_fail
#include "export/opa_control_common.c"
#undef opa_file_write

/* ---- the fixture ---- */

/* No file can be made in the spool while something else stands in the place of tmp/. */
static void forbid_files(const fixture *f)
{
	CHECK(renameat(f->spool.dir, "tmp", f->spool.dir, "away") == 0);
	close(openat(f->spool.dir, "tmp", O_WRONLY | O_CREAT, 0600));
}

static void allow_files(const fixture *f)
{
	CHECK(unlinkat(f->spool.dir, "tmp", 0) == 0);
	CHECK(renameat(f->spool.dir, "away", f->spool.dir, "tmp") == 0);
}

static uint64_t in_common(const fixture *f)
{
	opa_control_file file;
	int fd = openat(f->spool.dir, OPA_CONTROL_COMMON, O_RDONLY);
	if (fd < 0) {
		return 0;
	}
	long len = opa_file_read(fd, &file, sizeof(file), 0);
	close(fd);
	CHECK(len == (long)sizeof(file) && file.magic == OPA_CONTROL_MAGIC &&
		  file.version == OPA_CONTROL_VERSION && file.kind == OPA_CONTROL_SHARED);
	return file.counters[OPA_COUNT_DROPPED_DISK_FULL];
}

static bool add_file(void *user, const char *name, const opa_control_file *file, bool gone)
{
	uint64_t *sum = user;
	(void)name;
	(void)gone;
	*sum += file->counters[OPA_COUNT_DROPPED_DISK_FULL];
	return true;
}

static uint64_t in_files(const fixture *f)
{
	uint64_t sum = 0;
	opa_control_visit(&f->spool, add_file, &sum);
	return sum;
}

static bool add_running(void *user, const char *name, const opa_control_file *file, bool gone)
{
	uint64_t *sum = user;
	(void)name;
	(void)gone;
	*sum += file->running;
	return true;
}

static uint64_t running_in_files(const fixture *f)
{
	uint64_t sum = 0;
	opa_control_visit(&f->spool, add_running, &sum);
	return sum;
}

static opa_control *without_a_file(fixture *f)
{
	forbid_files(f);
	opa_control *control = opa_control_create(&f->spool, ID);
	CHECK(!opa_control_is_durable(control));
	return control;
}

static void drop(opa_control *control, uint64_t spans)
{
	opa_control_add(control, OPA_COUNT_DROPPED_DISK_FULL, spans);
	opa_control_save(control);
}

static bool hand_over_one(const fixture *f, unsigned tries)
{
	uint64_t one[OPA_CONTROL_COUNTERS] = {[OPA_COUNT_DROPPED_DISK_FULL] = 1};
	return opa_control_hand_over(&f->spool, one, tries);
}

/* ---- handing over ---- */

static void test_first_process_makes_the_common_file_whole(void **state)
{
	fixture *f = *state;
	struct stat st;
	opa_control *control = opa_control_create(&f->spool, ID);
	assert_int_equal(fstatat(f->spool.dir, OPA_CONTROL_COMMON, &st, 0), 0);
	assert_int_equal(st.st_size, OPA_CONTROL_SIZE);
	assert_true(st.st_blocks > 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(in_common(f), 0);
	opa_control_close(control);
}

static void test_without_a_file_counters_outlive_the_process(void **state)
{
	fixture *f = *state;
	opa_control *control = without_a_file(f);
	drop(control, 3);
	assert_int_equal(in_common(f), 3);
	assert_true(opa_control_outlives(control));
	opa_control_save(control);
	drop(control, 4);
	assert_int_equal(in_common(f), 7);
	opa_control_add(control, OPA_COUNT_DROPPED_DISK_FULL, 1);
	assert_int_equal(opa_control_get(control, OPA_COUNT_DROPPED_DISK_FULL), 8);
	opa_control_close(control);
	assert_int_equal(in_common(f), 8);
	assert_int_equal(in_files(f), 0);
}

static void test_file_that_is_made_later_holds_the_rest(void **state)
{
	fixture *f = *state;
	opa_control *control = without_a_file(f);
	opa_control_set_running(control, 1);
	drop(control, 3);
	allow_files(f);
	opa_control_add(control, OPA_COUNT_DROPPED_DISK_FULL, 1);
	for (int i = 0; i < 5000 && !opa_control_is_durable(control); i++) {
		pause_shortly();
		opa_control_check(control);
	}
	assert_true(opa_control_is_durable(control));
	assert_int_equal(in_common(f), 3);
	assert_int_equal(in_files(f), 1);
	assert_int_equal(running_in_files(f), 1);
	drop(control, 5);
	assert_int_equal(in_files(f), 6);
	assert_int_equal(running_in_files(f), 1);
	assert_int_equal(opa_control_get(control, OPA_COUNT_DROPPED_DISK_FULL), 9);
	opa_control_close(control);
	assert_int_equal(in_common(f) + in_files(f), 9);
}

/* What a program may do; the files still stand there. */
static void close_all(const fixture *f)
{
	for (int fd = 3; fd < 64; fd++) {
		if (fd != f->spool.dir) {
			close(fd);
		}
	}
}

static void lose_while_running(fixture *f, bool can_make_another)
{
	opa_control *control = opa_control_create(&f->spool, ID);
	opa_control_set_running(control, 1);
	opa_control_save(control);
	close_all(f);
	if (!can_make_another) {
		forbid_files(f);
	}
	assert_int_equal(running_in_files(f), 1);
	opa_control_set_running(control, 0);
	opa_control_close(control);
	assert_int_equal(running_in_files(f), 0);
	assert_int_equal(count_entries(f, "control"), can_make_another);
}

static void test_file_that_was_lost_does_not_say_that_a_trace_runs(void **state)
{
	lose_while_running(*state, true);
	lose_while_running(*state, false);
}

static void test_counters_of_a_file_that_was_lost_count_once(void **state)
{
	fixture *f = *state;
	opa_control *control = opa_control_create(&f->spool, ID);
	drop(control, 2);
	close_all(f);
	forbid_files(f);
	assert_int_equal(in_files(f), 2);
	opa_control_add(control, OPA_COUNT_DROPPED_DISK_FULL, 1);
	opa_control_close(control);
	assert_int_equal(in_files(f), 0);
	assert_int_equal(in_common(f), 3);
}

static void test_what_could_not_be_handed_over_waits(void **state)
{
	fixture *f = *state;
	opa_control *control = without_a_file(f);
	int fd = openat(f->spool.dir, OPA_CONTROL_COMMON, O_RDONLY);
	assert_int_equal(flock(fd, LOCK_EX | LOCK_NB), 0);
	drop(control, 3);
	assert_int_equal(in_common(f), 0);
	assert_false(opa_control_outlives(control));
	close(fd);
	drop(control, 1);
	assert_int_equal(in_common(f), 4);
	no_room = true;
	drop(control, 5);
	no_room = false;
	assert_int_equal(in_common(f), 4);
	opa_control_save(control);
	assert_int_equal(in_common(f), 9);
	opa_control_close(control);
}

static void test_end_does_not_wait_for_a_lock_that_stays(void **state)
{
	fixture *f = *state;
	opa_control *control = without_a_file(f);
	int fd = openat(f->spool.dir, OPA_CONTROL_COMMON, O_RDONLY);
	assert_int_equal(flock(fd, LOCK_EX | LOCK_NB), 0);
	opa_control_add(control, OPA_COUNT_DROPPED_DISK_FULL, 3);
	opa_control_close(control);
	close(fd);
	assert_int_equal(in_common(f), 0);
}

/* The lock's holder lets go of it as soon as it sees that somebody waits for it. */
static void test_end_tries_more_than_once(void **state)
{
	fixture *f = *state;
	opa_control *control = without_a_file(f);
	unsigned stops = 0;
	opa_control_add(control, OPA_COUNT_DROPPED_DISK_FULL, 3);
	int fd = openat(f->spool.dir, OPA_CONTROL_COMMON, O_RDONLY | O_CLOEXEC);
	assert_int_equal(flock(fd, LOCK_EX | LOCK_NB), 0);
	fflush(NULL);
	pid_t pid = fork();
	if (pid == 0) {
		close(fd);
		CHECK(ptrace(PTRACE_TRACEME, 0, NULL, NULL) == 0);
		raise(SIGSTOP);
		opa_control_close(control);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	while (step(pid)) {
		if (++stops == 20) { /* within the second try or so */
			close(fd);
		}
	}
	assert_true(stops > 20);
	assert_int_equal(in_common(f), 3);
	opa_control_abandon(control);
}

enum { PROCESSES = 6, EACH = 200 };

static void hand_over_many(fixture *f)
{
	opa_control *control = opa_control_create(&f->spool, ID);
	for (int i = 0; i < EACH; i++) {
		drop(control, 1);
	}
	while (!opa_control_outlives(control)) {
		opa_control_save(control);
	}
	opa_control_close(control);
}

static void test_race_many_processes_hand_over(void **state)
{
	fixture *f = *state;
	assert_true(opa_control_make_common(&f->spool));
	forbid_files(f);
	fflush(NULL);
	for (int i = 0; i < PROCESSES; i++) {
		if (fork() == 0) {
			hand_over_many(f);
			_exit(0);
		}
	}
	for (int i = 0, status; i < PROCESSES; i++) {
		assert_true(wait(&status) > 0);
		assert_int_equal(status, 0);
	}
	assert_int_equal(in_common(f), PROCESSES * EACH);
}

static void hand_over_and_report(fixture *f)
{
	hand_over_one(f, 1);
}

/* Killed at its n-th stop, for each n. Answers how many stops there are. */
static unsigned kill_everywhere(fixture *f, void (*body)(fixture *), void (*check)(fixture *))
{
	unsigned stops = 1;
	for (bool ended = false; !ended; stops++) {
		pid_t pid = start_traced(body, f);
		for (unsigned i = 0; i < stops && !ended; i++) {
			ended = !step(pid);
		}
		if (!ended) {
			assert_int_equal(kill(pid, SIGKILL), 0);
			assert_int_equal(waitpid(pid, NULL, 0), pid);
		}
		check(f);
	}
	return stops;
}

static uint64_t known; /* what all files together had */

static void expect_none_or_one_more(fixture *f)
{
	uint64_t now = in_common(f);
	assert_in_range(now, known, known + 1);
	assert_true(hand_over_one(f, 1));
	known = in_common(f);
	assert_int_equal(known, now + 1);
}

static void test_race_killed_while_it_hands_over(void **state)
{
	fixture *f = *state;
	assert_true(hand_over_one(f, 1));
	known = 1;
	assert_true(kill_everywhere(f, hand_over_and_report, expect_none_or_one_more) > 10);
}

/* ---- claiming ---- */

static void test_claimed_numbers_are_in_the_folder_and_an_empty_file_in_their_place(void **state)
{
	fixture *f = *state;
	assert_false(opa_control_claim_common(&f->spool)); /* there is none */
	assert_true(opa_control_make_common(&f->spool));
	assert_false(opa_control_claim_common(&f->spool)); /* nothing in it */
	assert_true(hand_over_one(f, 1));
	assert_true(opa_control_claim_common(&f->spool));
	assert_int_equal(in_common(f), 0);
	assert_int_equal(in_files(f), 1);
	assert_true(hand_over_one(f, 1));
	assert_int_equal(in_common(f), 1);
	assert_int_equal(in_files(f), 1);
}

static void test_numbers_wait_where_there_is_no_room_for_another_file(void **state)
{
	fixture *f = *state;
	assert_true(hand_over_one(f, 1));
	forbid_files(f);
	assert_false(opa_control_claim_common(&f->spool));
	assert_int_equal(in_common(f), 1);
	assert_int_equal(count_entries(f, "control"), 0);
}

static void claim(fixture *f)
{
	opa_control_claim_common(&f->spool);
}

static void expect_all(fixture *f)
{
	assert_int_equal(in_common(f) + in_files(f), known);
	assert_true(hand_over_one(f, 1));
	known++;
}

static void test_race_killed_while_it_claims(void **state)
{
	fixture *f = *state;
	assert_true(hand_over_one(f, 1));
	known = 1;
	assert_true(kill_everywhere(f, claim, expect_all) > 10);
	assert_true(in_files(f) > 0);
}

/* It is claimed at each moment of somebody's handing over. */
static void test_race_claimed_while_somebody_hands_over(void **state)
{
	fixture *f = *state;
	assert_true(hand_over_one(f, 1));
	bool ended = false;
	unsigned claims = 0;
	for (unsigned stops = 1; !ended; stops++) {
		pid_t pid = start_traced(hand_over_and_report, f);
		for (unsigned i = 0; i < stops && !ended; i++) {
			ended = !step(pid);
		}
		uint64_t before = in_common(f) + in_files(f);
		claims += opa_control_claim_common(&f->spool);
		uint64_t stored = in_files(f); /* the exporter reads that once */
		assert_int_equal(in_common(f) + stored, before);
		while (!ended && step(pid)) {
		}
		assert_int_equal(in_files(f), stored);
		assert_in_range(in_common(f) + in_files(f), before, before + 1);
		before = in_common(f) + in_files(f);
		assert_true(hand_over_one(f, 1));
		assert_int_equal(in_common(f) + in_files(f), before + 1);
	}
	assert_true(claims > 5);
}

/* ---- what may have become of the file ---- */

static void put(const fixture *f, const void *content, size_t size)
{
	int fd = openat(f->spool.dir, OPA_CONTROL_COMMON, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	assert_int_equal(write(fd, content, size), size);
	close(fd);
}

static void test_damaged_file_is_filled_anew(void **state)
{
	fixture *f = *state;
	static const char garbage[OPA_CONTROL_SIZE] = "garbage";
	put(f, "", 0);
	assert_true(hand_over_one(f, 1));
	assert_int_equal(in_common(f), 1);
	put(f, garbage, 100);
	assert_true(opa_control_make_common(&f->spool));
	assert_int_equal(in_common(f), 0);
	put(f, garbage, sizeof(garbage));
	assert_false(opa_control_claim_common(&f->spool));
	assert_true(hand_over_one(f, 1));
	assert_int_equal(in_common(f), 1);
}

static void test_file_of_a_later_version_is_left_alone(void **state)
{
	fixture *f = *state;
	opa_control_file file = {.magic = OPA_CONTROL_MAGIC,
		.version = OPA_CONTROL_VERSION + 1,
		.kind = OPA_CONTROL_SHARED,
		.counters = {1}};
	put(f, &file, sizeof(file));
	assert_false(hand_over_one(f, 1));
	assert_false(opa_control_claim_common(&f->spool));
	int fd = openat(f->spool.dir, OPA_CONTROL_COMMON, O_RDONLY);
	opa_control_file after;
	assert_int_equal(read(fd, &after, sizeof(after)), sizeof(after));
	close(fd);
	assert_memory_equal(&file, &after, sizeof(file));
}

static void test_what_is_no_file_is_not_touched(void **state)
{
	fixture *f = *state;
	assert_int_equal(symlinkat("/etc/passwd", f->spool.dir, OPA_CONTROL_COMMON), 0);
	assert_false(opa_control_make_common(&f->spool));
	assert_false(hand_over_one(f, 1));
	assert_int_equal(unlinkat(f->spool.dir, OPA_CONTROL_COMMON, 0), 0);
	assert_int_equal(mkfifoat(f->spool.dir, OPA_CONTROL_COMMON, 0600), 0);
	assert_false(opa_control_make_common(&f->spool));
	assert_false(hand_over_one(f, 1));
	assert_false(opa_control_claim_common(&f->spool));
	assert_int_equal(unlinkat(f->spool.dir, OPA_CONTROL_COMMON, 0), 0);
	int dir = f->spool.dir;
	f->spool.dir = open("/tmp", O_RDONLY | O_DIRECTORY); /* the program's, by now */
	assert_false(hand_over_one(f, 1));
	close(f->spool.dir);
	f->spool.dir = dir;
	assert_true(access("/tmp/" OPA_CONTROL_COMMON, F_OK) != 0);
}

static void limited(fixture *f)
{
	struct rlimit limit = {.rlim_cur = 1000, .rlim_max = 1000};
	CHECK(setrlimit(RLIMIT_FSIZE, &limit) == 0);
	opa_control *control = opa_control_create(&f->spool, ID);
	CHECK(!opa_control_is_durable(control));
	drop(control, 2);
	CHECK(opa_control_outlives(control) && in_common(f) == 2);
	limit.rlim_cur = 100;
	CHECK(setrlimit(RLIMIT_FSIZE, &limit) == 0);
	drop(control, 1);
	CHECK(!opa_control_outlives(control) && in_common(f) == 2);
	opa_control_close(control);
}

static void test_file_size_limit_raises_no_signal(void **state)
{
	fixture *f = *state;
	assert_true(opa_control_make_common(&f->spool));
	assert_int_equal(in_child(limited, f), 0);
}

/* ---- a full disk ---- */

static void fill(const opa_spool *spool)
{
	static char block[4096];
	int fd = openat(spool->dir, "filler", O_WRONLY | O_CREAT | O_APPEND, 0600);
	while (write(fd, block, sizeof(block)) == (ssize_t)sizeof(block)) {
	}
	close(fd);
}

static void count_on_full_disk(fixture *f)
{
	fixture full = {0};
	mount_small(f->dir, "size=64k,mode=0700");
	CHECK(open_spool_at(&full.spool, f->dir) == OPA_SPOOL_OK);
	fill(&full.spool);
	opa_control *first = opa_control_create(&full.spool, ID);
	drop(first, 1);
	CHECK(!opa_control_outlives(first)); /* nothing was there before the disk was full */
	CHECK(unlinkat(full.spool.dir, "filler", 0) == 0);
	opa_control_save(first);
	CHECK(opa_control_outlives(first) && in_common(&full) == 1);
	fill(&full.spool);
	opa_control *second = opa_control_create(&full.spool, "ffeeddccbbaa99887766554433221100");
	CHECK(!opa_control_is_durable(second));
	drop(second, 2);
	CHECK(opa_control_outlives(second) && in_common(&full) == 3);
	CHECK(!opa_control_claim_common(&full.spool));
	opa_control_add(second, OPA_COUNT_DROPPED_DISK_FULL, 1);
	opa_control_close(second);
	opa_control_close(first);
	CHECK(in_common(&full) == 4);
	opa_spool_close(&full.spool);
}

static void test_counts_on_a_full_disk(void **state)
{
	int status = in_child(count_on_full_disk, *state);
	if (status == CANNOT_MOUNT) {
		skip_because("a private mount is needed for a full disk");
	}
	assert_int_equal(status, 0);
}

static void test_no_memory_is_needed(void **state)
{
	fixture *f = *state;
	opa_control *control = without_a_file(f);
	opa_alloc_fail_after(0, true);
	drop(control, 1);
	opa_control_close(control);
	opa_alloc_fail_after(-1, false);
	assert_int_equal(in_common(f), 1);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_first_process_makes_the_common_file_whole),
		T(test_without_a_file_counters_outlive_the_process),
		T(test_file_that_is_made_later_holds_the_rest),
		T(test_file_that_was_lost_does_not_say_that_a_trace_runs),
		T(test_counters_of_a_file_that_was_lost_count_once),
		T(test_what_could_not_be_handed_over_waits),
		T(test_end_does_not_wait_for_a_lock_that_stays),
		T(test_end_tries_more_than_once),
		T(test_race_many_processes_hand_over),
		T(test_race_killed_while_it_hands_over),
		T(test_claimed_numbers_are_in_the_folder_and_an_empty_file_in_their_place),
		T(test_numbers_wait_where_there_is_no_room_for_another_file),
		T(test_race_killed_while_it_claims),
		T(test_race_claimed_while_somebody_hands_over),
		T(test_damaged_file_is_filled_anew),
		T(test_file_of_a_later_version_is_left_alone),
		T(test_what_is_no_file_is_not_touched),
		T(test_file_size_limit_raises_no_signal),
		T(test_counts_on_a_full_disk),
		T(test_no_memory_is_needed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
