/* How large the spool is: what processes know of it together, and what it costs a request. */
#include "publish_fixture.h"

#include "core/opa_clock.h"
#include "export/opa_usage.h"

#include <sys/file.h>

#define SECOND 1000000000ull

static void write_blob(const opa_spool *spool, const char *name, size_t size)
{
	static char zeros[65536];
	int fd = openat(spool->dir, name, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	assert_int_equal(write(fd, zeros, size), size);
	close(fd);
}

static opa_usage_record look(const site *s)
{
	opa_usage_record r = {0};
	int fd = openat(s->f.spool.dir, "usage", O_RDONLY);
	assert_int_equal(read(fd, &r, sizeof(r)), sizeof(r));
	close(fd);
	return r;
}

static void put(const site *s, const opa_usage_record *r)
{
	assert_true(opa_spool_replace_file(&s->f.spool, "usage", r, sizeof(*r)));
}

/* As if a second, and the exporter's three, had passed. */
static void let_time_pass(const site *s)
{
	opa_usage_record r = look(s);
	r.stepped -= r.stepped > 0 ? SECOND : 0;
	r.measured -= r.measured > 0 ? 3 * SECOND : 0;
	put(s, &r);
}

static uint64_t report(const site *s, uint64_t written)
{
	uint64_t size = opa_usage_report(&s->f.spool, &written);
	assert_int_equal(written, 0);
	return size;
}

/* In the second of a step, however long this machine took until here. */
static uint64_t report_soon(const site *s, uint64_t written)
{
	opa_usage_record r = look(s);
	r.stepped = opa_clock_wall();
	put(s, &r);
	return report(s, written);
}

static void test_counts_what_journals_and_control_files_take(void **state)
{
	site *s = *state;
	assert_int_equal(opa_usage_measure(&s->f.spool), 0);
	write_blob(&s->f.spool, "live/a", 8192);
	write_blob(&s->f.spool, "sealed/b", 100);
	write_blob(&s->f.spool, "control/c", 4096);
	write_blob(&s->f.spool, "tmp/d", 4096);
	assert_int_equal(opa_usage_measure(&s->f.spool), 16384);
	assert_int_equal(look(s).bytes, 16384);
}

static void test_small_spool_is_measured_once_a_second(void **state)
{
	site *s = *state;
	write_blob(&s->f.spool, "live/a", 8192);
	assert_int_equal(report(s, 0), 8192);
	write_blob(&s->f.spool, "sealed/b", 4096);
	assert_int_equal(report_soon(s, 0), 8192);
	let_time_pass(s);
	assert_int_equal(report(s, 0), 12288);
	assert_int_equal(unlinkat(s->f.spool.dir, "live/a", 0), 0);
	opa_usage_record r = look(s);
	r.stepped = opa_clock_wall() + 1000 * SECOND; /* the clock was set back */
	put(s, &r);
	assert_int_equal(report(s, 0), 4096);
}

static void test_what_processes_write_adds_up_between_two_measurements(void **state)
{
	site *s = *state;
	assert_int_equal(report(s, 0), 0);
	assert_int_equal(report_soon(s, 5000), 5000);
	assert_int_equal(report_soon(s, 700), 5700);
	let_time_pass(s);
	assert_int_equal(report(s, 300), 0); /* the files are not there */
}

static void test_exporters_measurement_goes_before_the_account(void **state)
{
	site *s = *state;
	write_blob(&s->f.spool, "live/a", 8192);
	assert_int_equal(opa_usage_measure(&s->f.spool), 8192);
	write_blob(&s->f.spool, "live/a", 40960);
	assert_int_equal(report(s, 32768), 40960); /* what is written meanwhile is added */
	assert_int_equal(look(s).bytes, 40960);
	assert_int_equal(report(s, 32768), 8192 + 2 * 32768); /* though the files are not there */
	assert_int_equal(opa_usage_measure(&s->f.spool), 40960);
	assert_int_equal(look(s).bytes, 40960);
	let_time_pass(s); /* it has left */
	assert_int_equal(report(s, 0), 40960);
	assert_int_equal(look(s).bytes, 40960);
}

static void test_who_cannot_have_the_record_adds_later(void **state)
{
	site *s = *state;
	uint64_t written = 500;
	assert_int_equal(report(s, 0), 0);
	assert_int_equal(report_soon(s, 1000), 1000);
	int fd = openat(s->f.spool.dir, "usage", O_RDONLY);
	assert_int_equal(flock(fd, LOCK_EX | LOCK_NB), 0);
	assert_int_equal(opa_usage_report(&s->f.spool, &written), 1500);
	assert_int_equal(written, 500);
	close(fd);
	assert_int_equal(report_soon(s, written), 1500);
}

static void test_damaged_record_is_begun_anew(void **state)
{
	site *s = *state;
	write_blob(&s->f.spool, "live/a", 8192);
	assert_true(opa_spool_replace_file(&s->f.spool, "usage", "12345\n", 6));
	assert_int_equal(report(s, 0), 8192);
	opa_usage_record r = look(s);
	r.folder = 9;
	r.bytes = 1;
	put(s, &r);
	assert_int_equal(report(s, 0), 8192);
	assert_int_equal(unlinkat(s->f.spool.dir, "usage", 0), 0);
	assert_int_equal(symlinkat("/etc/passwd", s->f.spool.dir, "usage"), 0);
	uint64_t written = 7;
	assert_int_equal(opa_usage_report(&s->f.spool, &written), 7);
	assert_int_equal(written, 7);
}

/* report_soon() where nothing can be replaced. */
static uint64_t report_soon_in_place(const site *s, uint64_t *written)
{
	uint64_t now = opa_clock_wall();
	int fd = openat(s->f.spool.dir, "usage", O_RDWR);
	CHECK(pwrite(fd, &now, 8, offsetof(opa_usage_record, stepped)) == 8);
	close(fd);
	return opa_usage_report(&s->f.spool, written);
}

static void on_full_disk(fixture *f)
{
	static char block[4096];
	site s = {0};
	uint64_t written = 100;
	mount_small(f->dir, "size=64k,mode=0700");
	CHECK(open_spool_at(&s.f.spool, f->dir) == OPA_SPOOL_OK);
	CHECK(report(&s, 0) == 0);
	int fd = openat(s.f.spool.dir, "live/filler", O_WRONLY | O_CREAT, 0600);
	while (write(fd, block, sizeof(block)) == (ssize_t)sizeof(block)) {
	}
	CHECK(report_soon_in_place(&s, &written) == 100 && written == 0);
	CHECK(look(&s).bytes == 100);
	CHECK(unlinkat(s.f.spool.dir, "usage", 0) == 0);
	CHECK(write(fd, block, sizeof(block)) == (ssize_t)sizeof(block));
	close(fd);
	written = 100; /* no record can be made: what it found by itself, and its own */
	CHECK(opa_usage_report(&s.f.spool, &written) == 64 * 1024 && written == 100);
	opa_spool_close(&s.f.spool);
}

static void test_full_disk_does_not_stop_the_account(void **state)
{
	int status = in_child(on_full_disk, *state);
	if (status == CANNOT_MOUNT) {
		skip_because("a private mount is needed for a full disk");
	}
	assert_int_equal(status, 0);
}

/* ---- many files ---- */

enum { MANY = 16000 };

/* Half of them control files. Sizes differ, so that one that is read twice or never shows. */
static uint64_t make_many(const site *s)
{
	uint64_t bytes = 0;
	for (unsigned i = 0; i < MANY; i++) {
		char name[64];
		size_t size = (1 + i % 3) * 4096;
		snprintf(name, sizeof(name), "%s/%032x.%s", i % 2 == 0 ? "sealed" : "control", i,
			i % 2 == 0 ? "1.j" : "c");
		write_blob(&s->f.spool, name, size);
		bytes += size;
	}
	return bytes;
}

static void test_walk_goes_on_where_the_last_step_ended(void **state)
{
	site *s = *state;
	uint64_t all = make_many(s), before = 0, size = 0;
	unsigned least = MANY / OPA_USAGE_STEP, steps = 0;
	for (; size < all && steps < least + 10; steps++) {
		size = report(s, 0);
		assert_true(size - before <= (uint64_t)OPA_USAGE_STEP * 3 * 4096);
		before = size;
		let_time_pass(s);
	}
	assert_int_equal(size, all);
	assert_true(steps >= least);
	/* A walk later what was removed is not counted any more, and what was written is. */
	assert_int_equal(report(s, 8192), all + 8192);
	write_blob(&s->f.spool, "live/a", 8192);
	assert_int_equal(unlinkat(s->f.spool.dir, "control/00000000000000000000000000000001.c", 0), 0);
	for (unsigned i = 0; i < 2 * least + 20; i++) {
		let_time_pass(s);
		size = report(s, 0);
	}
	assert_int_equal(size, all);
}

/* How many system calls a child makes. */
static unsigned count_calls(void (*body)(fixture *), fixture *f)
{
	unsigned stops = 0;
	for (pid_t pid = start_traced(body, f); step(pid);) {
		stops++;
	}
	return stops / 2; /* it stops at each one's beginning and at its end */
}

static void publish_three(fixture *f)
{
	site *s = (site *)f;
	CHECK(opa_publish_begin(s->publisher, &s->outlet));
	for (uint32_t i = 0; i < 3; i++) {
		CHECK(publish(s, i, OPA_JOURNAL_SEAL_SIZE - 1000)); /* each fills a file */
	}
	opa_publisher_destroy(s->publisher);
}

static void test_publishing_among_many_files_reads_few_of_them(void **state)
{
	site *s = *state;
	if (getenv("OPA_TEST_SLOW") != NULL) {
		skip_because("valgrind makes system calls of its own");
	}
	s->outlet.spool.max_size = 1 << 30;
	make_many(s);
	assert_true(unlinkat(s->f.spool.dir, "usage", 0) != 0); /* and nobody has measured yet */
	uint64_t begin = opa_clock_mono();
	unsigned calls = count_calls(publish_three, &s->f);
	unsigned seconds = (unsigned)((opa_clock_mono() - begin) / SECOND);
	print_message("%u system calls\n", calls);
	/* A step of the walk in each second that it takes, and as many names to look for the dead. */
	assert_true(calls < (8 + seconds) * OPA_USAGE_STEP);
}

/* ---- the publisher ---- */

static void fill(fixture *f)
{
	site *s = (site *)f;
	uint32_t kept = 0;
	while (publish(s, kept, 5000)) {
		CHECK(++kept < 100);
	}
	CHECK(kept > 10);
	opa_publisher_destroy(s->publisher);
}

static void test_a_process_knows_what_another_one_has_written(void **state)
{
	site *s = *state;
	s->outlet.spool.max_size = 100000;
	assert_int_equal(report(s, 0), 0); /* no step of the walk is due in this second */
	assert_int_equal(in_child(fill, &s->f), 0);
	assert_false(publish(s, 0, 5000));
	assert_int_equal(counter(s, OPA_COUNT_DROPPED_SPOOL_FULL), 1);
}

static unsigned publish_until_full(site *s)
{
	unsigned kept = 0;
	while (publish(s, kept, 5000)) {
		CHECK(++kept < 200);
	}
	return kept;
}

static void fill_and_stay(fixture *f)
{
	CHECK(publish_until_full((site *)f) > 30);
	raise(SIGKILL);
}

/* Both have looked at it in this second, when it was empty; and an exporter has. */
static void test_a_process_learns_within_the_second_that_it_is_full(void **state)
{
	site *s = *state;
	s->outlet.spool.max_size = 300000;
	opa_usage_measure(&s->f.spool);
	assert_true(publish(s, 0, 5000));
	assert_int_equal(in_child(fill_and_stay, &s->f), 256 + SIGKILL);
	assert_in_range(publish_until_full(s), 0, 2 * 16384 / 5000);
}

static void test_control_files_count_towards_the_limit(void **state)
{
	site *s = *state;
	s->outlet.spool.max_size = 100000;
	for (int i = 0; i < 24; i++) {
		char name[64];
		snprintf(name, sizeof(name), "control/%032x.c", i);
		write_blob(&s->f.spool, name, 4096);
	}
	assert_false(publish(s, 0, 5000));
	assert_int_equal(counter(s, OPA_COUNT_DROPPED_SPOOL_FULL), 1);
}

/* The descriptor of the spool's directory, which the publisher keeps to itself. */
static int find_descriptor(const char *dir, int other_than)
{
	for (int fd = 3; fd < 256; fd++) {
		char link[64], path[300];
		snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
		ssize_t len = readlink(link, path, sizeof(path) - 1);
		if (len > 0 && fd != other_than && strlen(dir) == (size_t)len &&
			strncmp(path, dir, (size_t)len) == 0) {
			return fd;
		}
	}
	return -1;
}

static void test_leaving_touches_no_directory_of_the_programs(void **state)
{
	site *s = *state;
	char path[300];
	snprintf(path, sizeof(path), "%s/theirs", s->f.dir);
	assert_int_equal(mkdir(path, 0700), 0);
	assert_true(publish(s, 0, 100));
	int mine = find_descriptor(s->f.dir, s->f.spool.dir);
	int theirs = open(path, O_RDONLY | O_DIRECTORY);
	assert_true(mine >= 0 && theirs >= 0);
	assert_int_equal(dup2(theirs, mine), mine); /* the program has closed all, and gone on */
	opa_publisher_destroy(s->publisher);
	s->publisher = NULL;
	assert_int_equal(count_entries(&s->f, "theirs"), 0);
	close(theirs);
	close(mine);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_counts_what_journals_and_control_files_take),
		T(test_small_spool_is_measured_once_a_second),
		T(test_what_processes_write_adds_up_between_two_measurements),
		T(test_exporters_measurement_goes_before_the_account),
		T(test_who_cannot_have_the_record_adds_later),
		T(test_damaged_record_is_begun_anew),
		T(test_full_disk_does_not_stop_the_account),
		T(test_walk_goes_on_where_the_last_step_ended),
		T(test_publishing_among_many_files_reads_few_of_them),
		T(test_a_process_knows_what_another_one_has_written),
		T(test_a_process_learns_within_the_second_that_it_is_full),
		T(test_control_files_count_towards_the_limit),
		T(test_leaving_touches_no_directory_of_the_programs),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
