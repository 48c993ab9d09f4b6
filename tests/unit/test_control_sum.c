/* The counters of the dead where no exporter takes them: few files, and each is counted once. */
#include "spool_fixture.h"

#include "core/opa_entropy.h"
#include "export/opa_control.h"
#include "export/opa_publish.h"

#include <sys/file.h>
#include <sys/prctl.h>

static void random_id(char id[33])
{
	uint64_t random[2];
	opa_entropy_fill(random, sizeof(random));
	snprintf(
		id, 33, "%016llx%016llx", (unsigned long long)random[0], (unsigned long long)random[1]);
}

/* What a process that counts one span leaves behind. */
static void live_and_die(fixture *f)
{
	char id[33];
	random_id(id);
	opa_control *control = opa_control_create(&f->spool, id);
	opa_control_add(control, OPA_COUNT_SPANS_KEPT, 1);
	opa_control_add(control, OPA_COUNT_EVENTS_DROPPED, 3);
	opa_control_save(control);
}

static void let_die(fixture *f, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		assert_int_equal(in_child(live_and_die, f), 0);
	}
}

typedef struct totals {
	unsigned files;
	unsigned sums;
	uint64_t spans;
	uint64_t events;
	uint64_t started;
	uint64_t lost;
	uint64_t running;
} totals;

static bool visit(void *user, const char *name, const opa_control_file *file, bool gone)
{
	totals *t = user;
	(void)gone;
	t->files++;
	t->sums += strcmp(name, OPA_CONTROL_SUM) == 0;
	t->spans += file->counters[OPA_COUNT_SPANS_KEPT];
	t->events += file->counters[OPA_COUNT_EVENTS_DROPPED];
	t->started += file->counters[OPA_COUNT_TRACES_STARTED];
	t->lost += file->counters[OPA_COUNT_TRACES_LOST];
	t->running += file->running;
	return true;
}

static totals add_up(const fixture *f)
{
	totals t = {0};
	opa_control_visit(&f->spool, visit, &t);
	return t;
}

static unsigned merge(const fixture *f, unsigned look)
{
	int lock = opa_control_lock(&f->spool);
	assert_true(lock >= 0);
	unsigned count = opa_control_merge(&f->spool, look);
	close(lock);
	return count;
}

static void test_dead_become_one_file_and_the_living_stay(void **state)
{
	fixture *f = *state;
	opa_control *alive = opa_control_create(&f->spool, ID);
	opa_control_add(alive, OPA_COUNT_SPANS_KEPT, 1000);
	opa_control_save(alive);
	for (unsigned round = 1; round <= 3; round++) {
		let_die(f, 20);
		assert_int_equal(merge(f, 1000), 20);
		totals t = add_up(f);
		assert_int_equal(t.files, 2);
		assert_int_equal(t.sums, 1);
		assert_int_equal(t.spans, 1000 + 20 * round);
		assert_int_equal(t.events, 60 * round);
	}
	assert_true(opa_control_is_durable(alive));
	opa_control_close(alive);
}

static void die_in_the_middle(fixture *f)
{
	char id[33];
	random_id(id);
	opa_control *control = opa_control_create(&f->spool, id);
	opa_control_add(control, OPA_COUNT_TRACES_STARTED, 5);
	opa_control_set_running(control, 2);
	opa_control_save(control);
}

static void test_what_ran_when_they_died_is_lost(void **state)
{
	fixture *f = *state;
	opa_control *alive = opa_control_create(&f->spool, ID);
	opa_control_set_running(alive, 4);
	opa_control_save(alive);
	for (unsigned round = 1; round <= 2; round++) {
		let_die(f, 20);
		assert_int_equal(in_child(die_in_the_middle, f), 0);
		assert_int_equal(merge(f, 1000), 21);
		totals t = add_up(f);
		assert_int_equal(t.lost, 2 * round);
		assert_int_equal(t.started, 7 * round);
		assert_int_equal(t.running, 4);
	}
	opa_control_close(alive);
}

static void test_few_are_left_for_the_exporter(void **state)
{
	fixture *f = *state;
	let_die(f, 8);
	assert_int_equal(merge(f, 1000), 0);
	assert_int_equal(add_up(f).files, 8);
	let_die(f, 1);
	assert_int_equal(merge(f, 1000), 9);
}

static void test_a_merge_is_bounded(void **state)
{
	fixture *f = *state;
	let_die(f, OPA_CONTROL_MERGED + 20);
	assert_int_equal(merge(f, 10), 0); /* two of the names are "." and ".." */
	assert_int_equal(merge(f, 12), 10);
	assert_int_equal(merge(f, 1000), OPA_CONTROL_MERGED);
	totals t = add_up(f);
	assert_int_equal(t.files, 1 + 10);
	assert_int_equal(t.spans, OPA_CONTROL_MERGED + 20);
}

/* A process that another namespace hides, and whose descriptor the program has closed. */
static void test_lock_that_was_lost_does_not_make_a_process_dead(void **state)
{
	fixture *f = *state;
	let_die(f, 20);
	opa_control *alive = opa_control_create(&f->spool, ID);
	for (int fd = 3; fd < 64; fd++) {
		if (fd != f->spool.dir) {
			close(fd);
		}
	}
	assert_int_equal(merge(f, 1000), 20);
	assert_int_equal(faccessat(f->spool.dir, "control/" ID ".c", F_OK, 0), 0);
	opa_control_close(alive);
}

static void put_file(const fixture *f, const char *name, const opa_control_file *file)
{
	char path[64];
	snprintf(path, sizeof(path), "control/%s", name);
	assert_true(opa_spool_replace_file(&f->spool, path, file, sizeof(*file)));
}

static void test_open_spans_are_left_for_the_exporter(void **state)
{
	fixture *f = *state;
	opa_control_file file = {.magic = OPA_CONTROL_MAGIC, .version = OPA_CONTROL_VERSION};
	file.slots[sizeof(file.slots) - 1] = 1;
	put_file(f, ID ".c", &file);
	let_die(f, 20);
	assert_int_equal(merge(f, 1000), 20);
	assert_int_equal(faccessat(f->spool.dir, "control/" ID ".c", F_OK, 0), 0);
}

static void test_sum_of_a_later_version_is_left_alone(void **state)
{
	fixture *f = *state;
	opa_control_file file = {.magic = OPA_CONTROL_MAGIC,
		.version = OPA_CONTROL_VERSION + 1,
		.kind = OPA_CONTROL_OF_THE_DEAD};
	put_file(f, OPA_CONTROL_SUM, &file);
	let_die(f, 20);
	assert_int_equal(merge(f, 1000), 0);
	assert_int_equal(add_up(f).files, 20);
}

/* The dead files are put back, as if the one that merged them had not come to remove them. */
static void test_race_killed_between_the_sum_and_the_removal(void **state)
{
	fixture *f = *state;
	char command[600];
	let_die(f, 20);
	snprintf(command, sizeof(command), "cp -r %s/control %s/saved", f->dir, f->dir);
	assert_int_equal(system(command), 0);
	int lock = opa_control_lock(&f->spool);
	opa_control_file sum;
	opa_control_merged *merged = (void *)sum.slots;
	assert_int_equal(opa_control_merge(&f->spool, 1000), 20);
	close(lock);
	/* the sum as it was before the removal was noted */
	int fd = openat(f->spool.dir, "control/" OPA_CONTROL_SUM, O_RDWR);
	assert_int_equal(read(fd, &sum, sizeof(sum)), sizeof(sum));
	assert_int_equal(merged->count, 0);
	merged->count = 20;
	assert_int_equal(pwrite(fd, &sum, sizeof(sum), 0), sizeof(sum));
	close(fd);
	snprintf(command, sizeof(command), "cp %s/saved/* %s/control/", f->dir, f->dir);
	assert_int_equal(system(command), 0);
	assert_int_equal(add_up(f).files, 21);
	assert_int_equal(merge(f, 1000), 0);
	assert_int_equal(add_up(f).files, 1);
	assert_int_equal(add_up(f).spans, 20);
}

static void test_one_at_a_time(void **state)
{
	fixture *f = *state;
	int lock = opa_control_lock(&f->spool);
	assert_true(lock >= 0);
	assert_int_equal(opa_control_lock(&f->spool), -1);
	close(lock);
	lock = opa_control_lock(&f->spool);
	assert_true(lock >= 0);
	close(lock);
}

/* Merges until it is killed. */
static pid_t start_merging(fixture *f)
{
	fflush(NULL);
	pid_t pid = fork();
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (;;) {
			int lock = opa_control_lock(&f->spool);
			if (lock >= 0) {
				opa_control_merge(&f->spool, 1000);
				close(lock);
			}
		}
	}
	return pid;
}

static void test_race_each_is_counted_once_however_often_merging_is_killed(void **state)
{
	enum { MERGERS = 3 };
	fixture *f = *state;
	unsigned rounds = getenv("OPA_TEST_SLOW") == NULL ? 100 : 10, each = 15;
	pid_t mergers[MERGERS];
	for (int i = 0; i < MERGERS; i++) {
		mergers[i] = start_merging(f);
	}
	for (unsigned i = 0; i < rounds; i++) {
		let_die(f, each);
		pid_t *victim = &mergers[i % MERGERS];
		assert_int_equal(kill(*victim, SIGKILL), 0);
		assert_int_equal(waitpid(*victim, NULL, 0), *victim);
		*victim = start_merging(f);
	}
	for (int i = 0; i < MERGERS; i++) {
		kill(mergers[i], SIGKILL);
		assert_int_equal(waitpid(mergers[i], NULL, 0), mergers[i]);
	}
	merge(f, 1000);
	totals t = add_up(f);
	assert_int_equal(t.spans, rounds * each);
	assert_int_equal(t.events, 3 * rounds * each);
	assert_in_range(t.files, 1, 1 + 8);
}

/* ---- claiming ---- */

static void test_claimed_file_is_not_merged(void **state)
{
	fixture *f = *state;
	char claimed[OPA_CONTROL_NAME_MAX], again[OPA_CONTROL_NAME_MAX], path[64];
	opa_control_file file = {.magic = OPA_CONTROL_MAGIC, .version = OPA_CONTROL_VERSION};
	put_file(f, ID ".c", &file);
	let_die(f, 20);
	assert_true(opa_control_claim(&f->spool, ID ".c", claimed));
	assert_string_equal(claimed, ID ".d");
	assert_true(opa_control_claim(&f->spool, claimed, again));
	assert_string_equal(again, claimed);
	assert_false(opa_control_claim(&f->spool, ID ".c", again));
	assert_int_equal(merge(f, 1000), 20);
	snprintf(path, sizeof(path), "control/%s", claimed);
	assert_int_equal(faccessat(f->spool.dir, path, F_OK, 0), 0);
	assert_int_equal(add_up(f).files, 2); /* it is still seen */
	assert_true(opa_control_remove(&f->spool, claimed));
}

static void test_claimed_sum_makes_room_for_another(void **state)
{
	fixture *f = *state;
	char first[OPA_CONTROL_NAME_MAX], second[OPA_CONTROL_NAME_MAX];
	let_die(f, 20);
	assert_int_equal(merge(f, 1000), 20);
	assert_true(opa_control_claim(&f->spool, OPA_CONTROL_SUM, first));
	let_die(f, 10);
	assert_int_equal(merge(f, 1000), 10);
	assert_true(opa_control_claim(&f->spool, OPA_CONTROL_SUM, second));
	assert_string_not_equal(first, second);
	assert_string_not_equal(first, OPA_CONTROL_SUM);
	assert_int_equal(add_up(f).files, 2);
	assert_int_equal(add_up(f).spans, 30);
}

/* ---- processes ---- */

static void run_shortly(fixture *f)
{
	opa_outlet outlet = {.spool = {.dir = f->dir},
		.exporter = "/no/such/exporter",
		.destination = "type=store\n",
		.destination_id = opa_destination_id("type=store\n")};
	uint64_t counts[OPA_COUNTER_COUNT] = {[OPA_COUNT_SPANS_KEPT] = 1};
	opa_publisher *publisher = opa_publisher_create();
	CHECK(opa_publish_begin(publisher, &outlet));
	opa_publish_count_all(publisher, &outlet, counts, false);
	opa_publisher_destroy(publisher);
}

static void test_many_short_processes_without_an_exporter_leave_few_files(void **state)
{
	fixture *f = *state;
	unsigned processes = getenv("OPA_TEST_SLOW") == NULL ? 2000 : 300, most = 0;
	for (unsigned i = 0; i < processes; i++) {
		assert_int_equal(in_child(run_shortly, f), 0);
		if (i % 50 == 49) {
			unsigned files = add_up(f).files;
			most = files > most ? files : most;
		}
	}
	print_message("at most %u control files of %u processes\n", most, processes);
	assert_true(most < 150);
	assert_int_equal(add_up(f).spans, processes);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_dead_become_one_file_and_the_living_stay),
		T(test_what_ran_when_they_died_is_lost),
		T(test_few_are_left_for_the_exporter),
		T(test_a_merge_is_bounded),
		T(test_lock_that_was_lost_does_not_make_a_process_dead),
		T(test_open_spans_are_left_for_the_exporter),
		T(test_sum_of_a_later_version_is_left_alone),
		T(test_race_killed_between_the_sum_and_the_removal),
		T(test_one_at_a_time),
		T(test_race_each_is_counted_once_however_often_merging_is_killed),
		T(test_claimed_file_is_not_merged),
		T(test_claimed_sum_makes_room_for_another),
		T(test_many_short_processes_without_an_exporter_leave_few_files),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
