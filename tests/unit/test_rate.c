/*
 * opa.rate_limit over processes: never more than the limit in any second, never much fewer where
 * more are asked for, whatever the load; and what happens to the file.
 */
#include "publish_fixture.h"

#include "core/opa_clock.h"
#include "export/opa_rate.h"

#include <sched.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/resource.h>

#define MS 1000000ull

static uint64_t random_below(uint64_t *state, uint64_t bound)
{
	*state = *state * 6364136223846793005u + 1442695040888963407u;
	return (*state >> 33) % bound;
}

static void await_child(pid_t pid)
{
	int status;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

/* One process with a clock of its own, in milliseconds. */
typedef struct taker {
	opa_rate rate;
	uint64_t now;
} taker;

static taker new_taker(uint64_t now)
{
	return (taker){OPA_RATE_NONE, now};
}

static bool take(taker *t, const fixture *f, uint32_t limit)
{
	return opa_rate_take(&t->rate, &f->spool, limit, t->now * MS);
}

/* How many of `asked` may begin at once. */
static unsigned take_some(taker *t, const fixture *f, uint32_t limit, unsigned asked)
{
	unsigned taken = 0;
	for (unsigned i = 0; i < asked; i++) {
		taken += take(t, f, limit);
	}
	return taken;
}

static uint64_t file_size(const fixture *f, const char *name)
{
	struct stat st;
	return fstatat(f->spool.dir, name, &st, 0) == 0 ? (uint64_t)st.st_size : 0;
}

static void a_burst_may_take_all_and_then_none_for_a_second(void **state)
{
	fixture *f = *state;
	taker t = new_taker(5000);
	assert_int_equal(take_some(&t, f, 10, 100), 10);
	t.now = 6000;
	assert_int_equal(take_some(&t, f, 10, 100), 0);
	t.now = 6001;
	assert_int_equal(take_some(&t, f, 10, 100), 10);
	assert_int_equal(file_size(f, "rate-10"), 20 * sizeof(opa_rate_moment));
	opa_rate_close(&t.rate);
}

static void below_the_limit_nothing_is_refused(void **state)
{
	fixture *f = *state;
	taker t = new_taker(1);
	for (unsigned i = 0; i < 10000; i++, t.now += 11) {
		assert_true(take(&t, f, 100));
	}
	opa_rate_close(&t.rate);
}

static void no_second_has_more_than_the_limit(void **state)
{
	fixture *f = *state;
	static uint64_t begun[4096];
	unsigned count = 0;
	uint64_t seed = 4;
	taker t[3] = {new_taker(0), new_taker(0), new_taker(0)};
	for (uint64_t now = 10; now < 30000; now += 1 + random_below(&seed, 20)) {
		taker *one = &t[random_below(&seed, 3)];
		one->now = now;
		for (uint64_t n = random_below(&seed, 30); n > 0; n--) {
			if (take(one, f, 50)) {
				begun[count++] = now;
			}
		}
	}
	for (unsigned i = 50; i < count; i++) {
		assert_true(begun[i] - begun[i - 50] > 1000);
	}
	assert_in_range(count, 50 * 27, 50 * 30);
	for (unsigned i = 0; i < 3; i++) {
		opa_rate_close(&t[i].rate);
	}
}

static void other_processes_are_counted(void **state)
{
	fixture *f = *state;
	taker a = new_taker(100), b = new_taker(100);
	assert_int_equal(take_some(&a, f, 10, 4), 4);
	assert_int_equal(take_some(&b, f, 10, 100), 6);
	assert_int_equal(take_some(&a, f, 10, 100), 0);
	opa_rate_close(&a.rate);
	opa_rate_close(&b.rate);
}

static void another_limit_is_another_account(void **state)
{
	fixture *f = *state;
	taker t = new_taker(100);
	assert_int_equal(take_some(&t, f, 10, 100), 10);
	assert_int_equal(take_some(&t, f, 3, 100), 3);
	assert_int_equal(take_some(&t, f, 10, 100), 0);
	opa_rate_close(&t.rate);
}

/* Moments of a clock that has begun anew, or has gone round, do not shut anybody out. */
static void old_moments_and_those_of_another_boot_do_not_count(void **state)
{
	fixture *f = *state;
	taker t = new_taker(UINT64_C(1) << 31);
	assert_int_equal(take_some(&t, f, 10, 100), 10);
	taker restarted = new_taker(5000);
	assert_int_equal(take_some(&restarted, f, 10, 100), 10);
	taker round = new_taker((UINT64_C(1) << 32) - 500);
	assert_int_equal(take_some(&round, f, 10, 100), 10);
	round.now += 600;
	assert_int_equal(take_some(&round, f, 10, 100), 0);
	round.now += 401;
	assert_int_equal(take_some(&round, f, 10, 100), 10);
	opa_rate_close(&t.rate);
	opa_rate_close(&restarted.rate);
	opa_rate_close(&round.rate);
}

/* Another one has appended between this one's look at the clock and at the file. */
static void a_moment_that_is_ahead_counts(void **state)
{
	fixture *f = *state;
	taker a = new_taker(1003), b = new_taker(1001);
	assert_int_equal(take_some(&a, f, 5, 100), 5);
	assert_int_equal(take_some(&b, f, 5, 100), 0);
	opa_rate_close(&a.rate);
	opa_rate_close(&b.rate);
}

static void the_file_is_shortened_and_keeps_what_counts(void **state)
{
	fixture *f = *state;
	static uint64_t begun[3 * OPA_RATE_SPARE];
	taker a = new_taker(10), b = new_taker(10);
	unsigned taken = 0;
	uint64_t largest = 0;
	for (unsigned i = 0; i < 3 * OPA_RATE_SPARE; i++) {
		taker *t = i % 2 == 0 ? &a : &b;
		t->now = 10 + i / 20 * 10; /* 2,000 a second */
		if (take(t, f, 1000)) {
			begun[taken++] = t->now;
		}
		uint64_t size = file_size(f, "rate-1000");
		largest = size > largest ? size : largest;
	}
	for (unsigned i = 1000; i < taken; i++) {
		assert_true(begun[i] - begun[i - 1000] > 1000);
	}
	double seconds = 3.0 * OPA_RATE_SPARE / 2000;
	assert_in_range(taken, (unsigned)(1000 * (seconds - 1)), (unsigned)(1000 * (seconds + 1)));
	assert_true(largest <= (OPA_RATE_SPARE + 1002) * sizeof(opa_rate_moment));
	opa_rate_close(&a.rate);
	opa_rate_close(&b.rate);
}

static void without_memory_the_file_is_shortened_later(void **state)
{
	fixture *f = *state;
	taker t = new_taker(10);
	opa_alloc_fail_after(0, true);
	for (unsigned i = 0; i < OPA_RATE_SPARE + 200; i++) {
		t.now += 101;
		assert_true(take(&t, f, 10));
	}
	opa_alloc_fail_after(-1, false);
	assert_true(file_size(f, "rate-10") > OPA_RATE_SPARE * sizeof(opa_rate_moment));
	t.now += 101;
	assert_true(take(&t, f, 10));
	assert_int_equal(file_size(f, "rate-10"), 10 * sizeof(opa_rate_moment));
	opa_rate_close(&t.rate);
}

static void a_file_that_was_removed_or_damaged_is_begun_anew(void **state)
{
	fixture *f = *state;
	taker t = new_taker(10);
	assert_int_equal(take_some(&t, f, 10, 4), 4);
	assert_int_equal(unlinkat(f->spool.dir, "rate-10", 0), 0);
	assert_int_equal(take_some(&t, f, 10, 100), 10);
	t.now = 2000;
	assert_true(opa_spool_replace_file(&f->spool, "rate-10", "12345", 5));
	assert_int_equal(take_some(&t, f, 10, 100), 10);
	assert_int_equal(file_size(f, "rate-10") % sizeof(opa_rate_moment), 0);
	opa_rate_close(&t.rate);
}

static void what_is_no_file_of_ours_is_left_alone(void **state)
{
	fixture *f = *state;
	taker t = new_taker(10);
	assert_int_equal(symlinkat("/etc/passwd", f->spool.dir, "rate-10"), 0);
	assert_int_equal(take_some(&t, f, 10, 20), 20);
	assert_int_equal(mkfifoat(f->spool.dir, "rate-11", 0600), 0);
	assert_int_equal(take_some(&t, f, 11, 20), 20);
	assert_int_equal(mkdirat(f->spool.dir, "rate-12", 0700), 0);
	assert_int_equal(take_some(&t, f, 12, 20), 20);
	opa_rate_close(&t.rate);
}

/* The program has closed the descriptor and opened a file of its own, which got its number. */
static void a_descriptor_that_is_another_files_is_not_written_to(void **state)
{
	fixture *f = *state;
	taker t = new_taker(10);
	assert_true(take(&t, f, 10));
	int number = t.rate.file.fd;
	int own = openat(f->spool.dir, "own", O_RDWR | O_CREAT, 0600);
	assert_int_equal(dup2(own, number), number);
	assert_int_equal(take_some(&t, f, 10, 100), 9);
	assert_int_equal(file_size(f, "own"), 0);
	opa_rate_close(&t.rate);
	assert_int_equal(write(number, "x", 1), 1);
	close(number);
	close(own);
}

static void with_small_files(fixture *f)
{
	taker t = new_taker(10);
	CHECK(setrlimit(RLIMIT_FSIZE, &(struct rlimit){0, 0}) == 0);
	CHECK(take_some(&t, f, 10, 100) == 100);
}

static void a_limit_of_file_sizes_kills_nobody(void **state)
{
	assert_int_equal(in_child(with_small_files, *state), 0);
}

static void on_full_disk(fixture *f)
{
	static char block[4096];
	fixture full = {0};
	taker t = new_taker(10);
	mount_small(f->dir, "size=64k,mode=0700");
	CHECK(open_spool_at(&full.spool, f->dir) == OPA_SPOOL_OK);
	int fd = openat(full.spool.dir, "live/filler", O_WRONLY | O_CREAT, 0600);
	while (write(fd, block, sizeof(block)) == (ssize_t)sizeof(block)) {
	}
	CHECK(take_some(&t, &full, 10, 100) == 100);
	CHECK(ftruncate(fd, 0) == 0);
	CHECK(take_some(&t, &full, 10, 100) == 10);
}

static void on_a_full_disk_there_is_no_limit(void **state)
{
	int status = in_child(on_full_disk, *state);
	if (status == CANNOT_MOUNT) {
		skip_because("a private mount is needed for a full disk");
	}
	assert_int_equal(status, 0);
}

/* ---- many processes ---- */

typedef struct crowd {
	atomic_ulong taken[40]; /* in each 100 ms since the start */
	atomic_bool go;
	uint64_t start;
	atomic_ulong first; /* when one asked first and last, in ms; first is one more, 0: none has */
	atomic_ulong last;
} crowd;

/* Asks each `pause` microseconds for `duration` milliseconds. */
static void ask(crowd *c, const fixture *f, uint32_t limit, unsigned pause, unsigned duration)
{
	opa_rate rate = OPA_RATE_NONE;
	while (!atomic_load(&c->go)) {
		sched_yield();
	}
	for (;;) {
		uint64_t now = opa_clock_mono(), age = (now - c->start) / MS;
		if (age >= duration) {
			break;
		}
		unsigned long none = 0;
		atomic_compare_exchange_strong(&c->first, &none, (unsigned long)age + 1);
		atomic_store(&c->last, (unsigned long)age);
		if (opa_rate_take(&rate, &f->spool, limit, now)) {
			atomic_fetch_add(&c->taken[age / 100], 1);
		}
		nanosleep(&(struct timespec){.tv_nsec = pause * 1000L}, NULL);
	}
	opa_rate_close(&rate);
}

static unsigned long sum(const crowd *c, unsigned from, unsigned to)
{
	unsigned long all = 0;
	for (unsigned i = from; i < to; i++) {
		all += atomic_load(&c->taken[i]);
	}
	return all;
}

static crowd *run_crowd(
	const fixture *f, unsigned processes, uint32_t limit, unsigned pause, unsigned duration)
{
	crowd *c = mmap(NULL, sizeof(*c), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid_t pids[256];
	assert_true(c != MAP_FAILED && processes <= 256);
	fflush(NULL);
	for (unsigned i = 0; i < processes; i++) {
		pids[i] = fork();
		if (pids[i] == 0) {
			ask(c, f, limit, pause, duration);
			_exit(0);
		}
	}
	c->start = opa_clock_mono();
	atomic_store(&c->go, true);
	for (unsigned i = 0; i < processes; i++) {
		await_child(pids[i]);
	}
	return c;
}

static void check_crowd(
	fixture *f, unsigned processes, uint32_t limit, unsigned pause, unsigned duration)
{
	crowd *c = run_crowd(f, processes, limit, pause, duration);
	/* The first second begins with a burst of all. */
	for (unsigned i = 0; i + 10 <= duration / 100; i++) {
		unsigned long taken = sum(c, i, i + 10);
		if (taken > limit + limit / 5 + 1) {
			fail_msg("%u processes, limit %u: %lu in a second", processes, limit, taken);
		}
	}
	/* A busy machine may begin late with running them. */
	unsigned long all = sum(c, 0, duration / 100), asked = c->last + 1 - c->first;
	assert_true(c->first > 0);
	if (all * 1000 < limit * asked / 5 * 4) {
		fail_msg("%u processes, limit %u: %lu in %lu ms", processes, limit, all, asked);
	}
	munmap(c, sizeof(*c));
}

static void many_processes_keep_the_limit_together(void **state)
{
	check_crowd(*state, 1, 100, 500, 3000);
	check_crowd(*state, 8, 20, 1000, 3000);
	check_crowd(*state, 200, 10, 20000, 3000);
	check_crowd(*state, 200, 500, 20000, 3000);
}

static bool *child_took; /* shared */

static void take_one(fixture *f)
{
	taker t = new_taker(5000);
	*child_took = take(&t, f, 1);
	opa_rate_close(&t.rate);
}

/* Another process is as far as it can be: it has looked, or appended, or neither. */
static void of_two_that_look_at_the_same_moment_one_may_begin(void **state)
{
	fixture *f = *state;
	child_took = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	bool going = true;
	for (unsigned steps = 0; going; steps++) {
		taker t = new_taker(5000);
		unlinkat(f->spool.dir, "rate-1", 0);
		pid_t pid = start_traced(take_one, f);
		for (unsigned i = 0; i < steps && going; i++) {
			going = step(pid);
		}
		bool took = take(&t, f, 1);
		while (going && step(pid)) {
		}
		assert_true(took != *child_took);
		opa_rate_close(&t.rate);
	}
	munmap(child_took, 4096);
}

/* ---- the publisher ---- */

static void the_publisher_asks_where_it_has_a_spool(void **state)
{
	site *s = *state;
	assert_true(opa_publish_begin(s->publisher, &s->outlet));
	unsigned taken = 0;
	for (unsigned i = 0; i < 100; i++) {
		taken += opa_publish_may_begin(s->publisher, 5);
	}
	assert_in_range(taken, 5, 10);
	assert_true(file_size(&s->f, "rate-5") > 0);
}

static void without_a_spool_there_is_no_limit(void **state)
{
	site *s = *state;
	opa_publisher *publisher = opa_publisher_create();
	for (unsigned i = 0; i < 100; i++) {
		assert_true(opa_publish_may_begin(publisher, 1));
	}
	assert_int_equal(file_size(&s->f, "rate-1"), 0);
	opa_publisher_destroy(publisher);
}

/* Descriptors of this process that are a file of moments. */
static unsigned count_open(void)
{
	unsigned count = 0;
	for (int fd = 0; fd < 256; fd++) {
		char path[64], target[512];
		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
		ssize_t len = readlink(path, target, sizeof(target) - 1);
		target[len < 0 ? 0 : len] = '\0';
		count += strstr(target, "/rate-") != NULL;
	}
	return count;
}

/* The parent's descriptor is not the child's to use; the account is the same. */
static void a_forked_child_asks_for_itself(void **state)
{
	site *s = *state;
	assert_true(opa_publish_begin(s->publisher, &s->outlet));
	assert_true(opa_publish_may_begin(s->publisher, 1));
	opa_publish_fork_prepare(s->publisher);
	pid_t pid = fork();
	if (pid == 0) {
		CHECK(count_open() == 1);
		opa_publish_fork_child(s->publisher);
		CHECK(count_open() == 0);
		CHECK(opa_publish_begin(s->publisher, &s->outlet));
		unsigned taken = 0;
		for (unsigned i = 0; i < 10; i++) {
			taken += opa_publish_may_begin(s->publisher, 1);
		}
		CHECK(taken <= 1);
		_exit(0);
	}
	opa_publish_fork_parent(s->publisher);
	await_child(pid);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			a_burst_may_take_all_and_then_none_for_a_second, setup, teardown),
		cmocka_unit_test_setup_teardown(below_the_limit_nothing_is_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(no_second_has_more_than_the_limit, setup, teardown),
		cmocka_unit_test_setup_teardown(other_processes_are_counted, setup, teardown),
		cmocka_unit_test_setup_teardown(another_limit_is_another_account, setup, teardown),
		cmocka_unit_test_setup_teardown(
			old_moments_and_those_of_another_boot_do_not_count, setup, teardown),
		cmocka_unit_test_setup_teardown(a_moment_that_is_ahead_counts, setup, teardown),
		cmocka_unit_test_setup_teardown(
			the_file_is_shortened_and_keeps_what_counts, setup, teardown),
		cmocka_unit_test_setup_teardown(
			without_memory_the_file_is_shortened_later, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_file_that_was_removed_or_damaged_is_begun_anew, setup, teardown),
		cmocka_unit_test_setup_teardown(what_is_no_file_of_ours_is_left_alone, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_descriptor_that_is_another_files_is_not_written_to, setup, teardown),
		cmocka_unit_test_setup_teardown(a_limit_of_file_sizes_kills_nobody, setup, teardown),
		cmocka_unit_test_setup_teardown(on_a_full_disk_there_is_no_limit, setup, teardown),
		cmocka_unit_test_setup_teardown(
			of_two_that_look_at_the_same_moment_one_may_begin, setup, teardown),
		cmocka_unit_test_setup_teardown(many_processes_keep_the_limit_together, setup, teardown),
		cmocka_unit_test_setup_teardown(
			the_publisher_asks_where_it_has_a_spool, open_site, close_site),
		cmocka_unit_test_setup_teardown(without_a_spool_there_is_no_limit, open_site, close_site),
		cmocka_unit_test_setup_teardown(a_forked_child_asks_for_itself, open_site, close_site),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
