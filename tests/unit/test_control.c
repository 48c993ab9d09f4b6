#include "spool_fixture.h"

#include "export/opa_control.h"

/* What a walk over the control files found. */
typedef struct seen {
	unsigned files;
	unsigned gone;
	bool stop;
	uint64_t kept; /* the sum of spans_kept */
	uint64_t running;
	char name[64];
} seen;

static bool visitor(void *user, const char *name, const opa_control_file *file, bool gone)
{
	seen *s = user;
	s->files++;
	s->gone += gone;
	s->kept += file->counters[OPA_COUNT_SPANS_KEPT];
	s->running += file->running;
	snprintf(s->name, sizeof(s->name), "%s", name);
	return !s->stop;
}

static seen look(const opa_spool *spool)
{
	seen s = {0};
	opa_control_visit(spool, visitor, &s);
	return s;
}

static void test_counters_have_names_of_their_own(void **state)
{
	(void)state;
	assert_string_equal(opa_counter_name(OPA_COUNT_TRACES_STARTED), "traces_started");
	assert_string_equal(opa_counter_name(OPA_COUNT_EXPORTER_FAILED), "exporter_failed");
	for (int i = 0; i < OPA_COUNTER_COUNT; i++) {
		assert_true(strlen(opa_counter_text((opa_counter)i)) > 0);
		for (int j = 0; j < i; j++) {
			assert_string_not_equal(
				opa_counter_name((opa_counter)i), opa_counter_name((opa_counter)j));
		}
	}
}

static void test_a_control_file_is_its_process(void **state)
{
	fixture *f = *state;
	opa_control *control = opa_control_create(&f->spool, ID);
	assert_true(opa_control_is_durable(control));
	opa_control_add(control, OPA_COUNT_SPANS_KEPT, 3);
	opa_control_add(control, OPA_COUNT_SPANS_KEPT, 4);
	assert_int_equal(opa_control_get(control, OPA_COUNT_SPANS_KEPT), 7);
	opa_control_save(control);
	seen s = look(&f->spool);
	assert_int_equal(s.files, 1);
	assert_int_equal(s.gone, 0);
	assert_int_equal(s.kept, 7);
	assert_string_equal(s.name, ID ".c");
	opa_control_close(control);
}

static void test_counters_are_saved(void **state)
{
	fixture *f = *state;
	opa_control *control = opa_control_create(&f->spool, ID);
	opa_control_add(control, OPA_COUNT_SPANS_KEPT, 7);
	assert_int_equal(look(&f->spool).kept, 0);
	opa_control_save(control);
	assert_int_equal(look(&f->spool).kept, 7);
	opa_control_add(control, OPA_COUNT_SPANS_KEPT, 1);
	opa_control_close(control);
	assert_int_equal(look(&f->spool).kept, 8);
}

static void test_what_runs_is_saved_with_the_counters(void **state)
{
	fixture *f = *state;
	opa_control *control = opa_control_create(&f->spool, ID);
	opa_control_set_running(control, 2);
	assert_int_equal(look(&f->spool).running, 0);
	opa_control_add(control, OPA_COUNT_SPANS_KEPT, 7);
	opa_control_save(control);
	assert_int_equal(look(&f->spool).running, 2);
	assert_int_equal(look(&f->spool).kept, 7);
	assert_true(opa_control_acknowledge(&f->spool, ID, 0, (opa_ack){2, 500}));
	opa_control_set_running(control, 1);
	assert_int_equal(opa_control_running(control), 1);
	opa_control_close(control);
	assert_int_equal(look(&f->spool).running, 1);
}

static void test_file_that_is_made_later_says_what_runs(void **state)
{
	fixture *f = *state;
	opa_control *control = opa_control_create(NULL, ID);
	opa_control_set_running(control, 3);
	opa_control_save(control);
	opa_control_attach(control, &f->spool);
	assert_int_equal(look(&f->spool).running, 3);
	opa_control_close(control);
}

static void count_and_die(fixture *f)
{
	opa_control *control = opa_control_create(&f->spool, ID);
	opa_control_add(control, OPA_COUNT_SPANS_KEPT, 11);
	opa_control_save(control);
	raise(SIGKILL);
}

static void test_counters_outlive_their_process(void **state)
{
	fixture *f = *state;
	assert_int_equal(in_child(count_and_die, f), 256 + SIGKILL);
	seen s = look(&f->spool);
	assert_int_equal(s.files, 1);
	assert_int_equal(s.gone, 1);
	assert_int_equal(s.kept, 11);
	assert_true(opa_control_remove(&f->spool, s.name));
	assert_false(opa_control_remove(&f->spool, s.name));
	assert_true(opa_spool_replace_file(&f->spool, "state", "", 0));
	assert_false(opa_control_remove(&f->spool, "../state"));
	assert_int_equal(faccessat(f->spool.dir, "state", F_OK, 0), 0);
	assert_int_equal(look(&f->spool).files, 0);
}

static void test_walk_ends_where_the_visitor_says(void **state)
{
	fixture *f = *state;
	opa_control *a = opa_control_create(&f->spool, ID);
	opa_control *b = opa_control_create(&f->spool, "ffeeddccbbaa99887766554433221100");
	seen s = {.stop = true};
	opa_control_visit(&f->spool, visitor, &s);
	assert_int_equal(s.files, 1);
	assert_int_equal(look(&f->spool).files, 2);
	opa_control_close(a);
	opa_control_close(b);
}

static void acks(fixture *f)
{
	opa_control *control = opa_control_create(&f->spool, ID);
	assert_int_equal(opa_control_ack(control, 1).sequence, 0);
	assert_true(opa_control_acknowledge(&f->spool, ID, 1, (opa_ack){2, 500}));
	assert_true(opa_control_acknowledge(&f->spool, ID, 1, (opa_ack){2, 400}));
	assert_true(opa_control_acknowledge(&f->spool, ID, 1, (opa_ack){1, 900}));
	opa_control_add(control, OPA_COUNT_SPANS_KEPT, 1);
	opa_control_save(control);
	opa_ack ack = opa_control_ack(control, 1);
	assert_int_equal(ack.sequence, 2);
	assert_int_equal(ack.offset, 500);
	assert_int_equal(opa_control_ack(control, 0).sequence, 0);
	assert_true(opa_control_acknowledge(&f->spool, ID, 1, (opa_ack){3, 100}));
	ack = opa_control_ack(control, 1);
	assert_int_equal(ack.sequence, 3);
	assert_int_equal(ack.offset, 100);
	assert_false(opa_control_acknowledge(&f->spool, ID, OPA_CONTROL_ACKS, ack));
	assert_false(opa_control_acknowledge(&f->spool, "../../../etc/passwd", 0, ack));
	assert_int_equal(opa_control_ack(control, OPA_CONTROL_ACKS).sequence, 0);
	opa_control_close(control);
}

static void test_acknowledgements_only_grow(void **state)
{
	fixture *f = *state;
	acks(f);
	remove_tree(f->dir);
	assert_int_equal(mkdir(f->dir, 0700), 0);
	opa_spool_close(&f->spool);
	assert_int_equal(open_spool_at(&f->spool, f->dir), OPA_SPOOL_OK);
	acks(f);
}

/* The offset that belongs to a sequence: each is smaller than those before it. */
static uint64_t offset_of(uint64_t sequence)
{
	return 1000000 - sequence * 10;
}

enum { ACK_ROUNDS = 20000 };

static void acknowledge_many(fixture *f)
{
	for (uint64_t i = 1; i <= ACK_ROUNDS; i++) {
		CHECK(opa_control_acknowledge(&f->spool, ID, 0, (opa_ack){i, offset_of(i)}));
	}
}

static void test_race_old_offset_never_stands_with_a_new_file(void **state)
{
	fixture *f = *state;
	opa_control *control = opa_control_create(&f->spool, ID);
	fflush(NULL);
	pid_t pid = fork();
	if (pid == 0) {
		acknowledge_many(f);
		_exit(0);
	}
	opa_ack ack;
	do {
		ack = opa_control_ack(control, 0);
		assert_true(ack.sequence == 0 || ack.offset <= offset_of(ack.sequence));
	} while (waitpid(pid, NULL, WNOHANG) == 0);
	ack = opa_control_ack(control, 0);
	assert_int_equal(ack.sequence, ACK_ROUNDS);
	assert_int_equal(ack.offset, offset_of(ACK_ROUNDS));
	opa_control_close(control);
}

/* Retries are a second apart: as long as they may take on a slow machine. */
static bool becomes_durable(opa_control *control)
{
	for (int i = 0; i < 5000 && !opa_control_is_durable(control); i++) {
		pause_shortly();
		opa_control_check(control);
	}
	return opa_control_is_durable(control);
}

/* What was counted while there was no file, or 0. */
static uint64_t handed_over(const opa_spool *spool)
{
	opa_control_file file = {0};
	int fd = openat(spool->dir, OPA_CONTROL_COMMON, O_RDONLY);
	assert_int_equal(read(fd, &file, sizeof(file)), sizeof(file));
	close(fd);
	return file.counters[OPA_COUNT_SPANS_KEPT];
}

static void lose(fixture *f, void (*how)(const fixture *))
{
	opa_control *control = opa_control_create(&f->spool, ID);
	opa_control_add(control, OPA_COUNT_SPANS_KEPT, 5);
	how(f);
	opa_control_add(control, OPA_COUNT_SPANS_KEPT, 1); /* raises no signal */
	opa_control_check(control);
	assert_false(opa_control_is_durable(control));
	opa_control_save(control);
	assert_int_equal(handed_over(&f->spool), 6);
	assert_int_equal(opa_control_ack(control, 0).sequence, 0);
	assert_true(becomes_durable(control));
	opa_control_add(control, OPA_COUNT_SPANS_KEPT, 1);
	opa_control_save(control);
	seen s = look(&f->spool);
	assert_int_equal(s.files, 1);
	assert_int_equal(s.kept, 1);
	opa_control_close(control);
}

static void unlink_file(const fixture *f)
{
	assert_int_equal(unlinkat(f->spool.dir, "control/" ID ".c", 0), 0);
}

static void cut_file(const fixture *f)
{
	int fd = openat(f->spool.dir, "control/" ID ".c", O_RDWR);
	assert_int_equal(ftruncate(fd, 0), 0);
	close(fd);
}

static void test_file_that_was_removed_is_made_again(void **state)
{
	lose(*state, unlink_file);
}

static void test_file_that_was_cut_raises_no_signal(void **state)
{
	lose(*state, cut_file);
}

static void test_descriptor_reused_by_the_program(void **state)
{
	fixture *f = *state;
	char path[400];
	int probe = open("/dev/null", O_RDONLY);
	close(probe);
	opa_control *control = opa_control_create(&f->spool, ID);
	assert_true(opa_control_acknowledge(&f->spool, ID, 2, (opa_ack){4, 44}));
	close(probe);
	snprintf(path, sizeof(path), "%s/program", f->dir);
	int theirs = open(path, O_RDWR | O_CREAT, 0600);
	assert_int_equal(theirs, probe);
	opa_control_add(control, OPA_COUNT_SPANS_KEPT, 2);
	opa_control_save(control);
	assert_true(look(&f->spool).gone == 0); /* this process lives, whoever has the lock */
	opa_control_check(control);
	assert_true(becomes_durable(control));
	assert_int_equal(opa_control_ack(control, 2).offset, 44);
	assert_int_equal(look(&f->spool).files, 1);
	opa_control_close(control);
	struct stat st;
	assert_int_equal(fstat(theirs, &st), 0);
	assert_int_equal(st.st_size, 0);
	close(theirs);
}

static void in_memory(fixture *f)
{
	opa_control *control = opa_control_create(&f->spool, ID);
	CHECK(!opa_control_is_durable(control));
	opa_control_add(control, OPA_COUNT_SPANS_KEPT, 9);
	opa_control_save(control);
	opa_control_check(control);
	CHECK(opa_control_get(control, OPA_COUNT_SPANS_KEPT) == 9);
	opa_control_close(control);
}

static void limited(fixture *f)
{
	struct rlimit limit = {.rlim_cur = 100, .rlim_max = 100};
	CHECK(setrlimit(RLIMIT_FSIZE, &limit) == 0);
	in_memory(f);
}

static void limited_later(fixture *f)
{
	struct rlimit limit = {.rlim_cur = 10, .rlim_max = 10};
	opa_control *control = opa_control_create(&f->spool, ID);
	CHECK(setrlimit(RLIMIT_FSIZE, &limit) == 0);
	opa_control_add(control, OPA_COUNT_SPANS_KEPT, 9);
	opa_control_save(control);
	opa_control_close(control);
}

static void test_file_size_limit_raises_no_signal(void **state)
{
	assert_int_equal(in_child(limited, *state), 0);
	assert_int_equal(in_child(limited_later, *state), 0);
}

static void on_full_disk(fixture *f)
{
	static char block[4096];
	opa_spool small;
	mount_small(f->dir, "size=32k,mode=0700");
	CHECK(open_spool_at(&small, f->dir) == OPA_SPOOL_OK);
	int fd = openat(small.dir, "filler", O_WRONLY | O_CREAT, 0600);
	while (write(fd, block, sizeof(block)) == (ssize_t)sizeof(block)) {
	}
	close(fd);
	fixture full = {.spool = small};
	in_memory(&full);
	opa_spool_close(&small);
}

static void test_full_disk_leaves_counters_in_memory(void **state)
{
	int status = in_child(on_full_disk, *state);
	if (status == CANNOT_MOUNT) {
		skip_because("a private mount is needed for a full disk");
	}
	assert_int_equal(status, 0);
}

static void test_counts_before_there_is_a_spool(void **state)
{
	fixture *f = *state;
	opa_control *control = opa_control_create(NULL, ID);
	assert_false(opa_control_is_durable(control));
	opa_control_add(control, OPA_COUNT_SPANS_KEPT, 2);
	opa_control_attach(control, &f->spool);
	assert_true(opa_control_is_durable(control));
	opa_control_add(control, OPA_COUNT_SPANS_KEPT, 3);
	opa_control_save(control);
	assert_int_equal(look(&f->spool).kept, 5);
	opa_control_attach(control, NULL);
	opa_control_add(control, OPA_COUNT_SPANS_KEPT, 1);
	assert_int_equal(opa_control_get(control, OPA_COUNT_SPANS_KEPT), 6);
	opa_control_close(control);
	opa_control_close(NULL);
	opa_control_abandon(NULL);
}

static void write_control(const fixture *f, const opa_control_file *file, size_t size)
{
	int fd = openat(f->spool.dir, "control/" ID ".c", O_WRONLY | O_CREAT | O_TRUNC, 0600);
	assert_int_equal(write(fd, file, size), size);
	close(fd);
}

static void test_damaged_files_are_removed_and_later_versions_left(void **state)
{
	fixture *f = *state;
	opa_control_file file = {.magic = OPA_CONTROL_MAGIC, .version = OPA_CONTROL_VERSION + 1};
	write_control(f, &file, sizeof(file));
	assert_int_equal(look(&f->spool).files, 0);
	assert_int_equal(count_entries(f, "control"), 1);
	assert_false(opa_control_acknowledge(&f->spool, ID, 0, (opa_ack){1, 1}));
	file.version = OPA_CONTROL_VERSION;
	write_control(f, &file, 100);
	assert_int_equal(look(&f->spool).files, 0);
	assert_int_equal(count_entries(f, "control"), 0);
	write_control(f, &file, sizeof(file));
	assert_int_equal(look(&f->spool).gone, 1); /* an unknown owner, and nobody holds the lock */
}

static void test_forked_child_leaves_the_file_alone(void **state)
{
	fixture *f = *state;
	opa_control *control = opa_control_create(&f->spool, ID);
	opa_control_add(control, OPA_COUNT_SPANS_KEPT, 1);
	fflush(NULL);
	pid_t pid = fork();
	if (pid == 0) {
		opa_control_abandon(control);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	opa_control_add(control, OPA_COUNT_SPANS_KEPT, 1);
	opa_control_save(control);
	assert_int_equal(look(&f->spool).kept, 2);
	assert_int_equal(look(&f->spool).gone, 0);
	opa_control_close(control);
}

static void test_every_allocation_may_fail(void **state)
{
	fixture *f = *state;
	opa_alloc_fail_after(0, false);
	assert_null(opa_control_create(&f->spool, ID));
	opa_alloc_fail_after(1, false);
	opa_control *control = opa_control_create(&f->spool, ID);
	opa_alloc_fail_after(-1, false);
	assert_non_null(control);
	assert_false(opa_control_is_durable(control));
	opa_control_add(control, OPA_COUNT_SPANS_KEPT, 1);
	assert_true(becomes_durable(control));
	opa_control_close(control);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_counters_have_names_of_their_own),
		T(test_a_control_file_is_its_process),
		T(test_counters_are_saved),
		T(test_what_runs_is_saved_with_the_counters),
		T(test_file_that_is_made_later_says_what_runs),
		T(test_counters_outlive_their_process),
		T(test_walk_ends_where_the_visitor_says),
		T(test_acknowledgements_only_grow),
		T(test_race_old_offset_never_stands_with_a_new_file),
		T(test_file_that_was_removed_is_made_again),
		T(test_file_that_was_cut_raises_no_signal),
		T(test_descriptor_reused_by_the_program),
		T(test_file_size_limit_raises_no_signal),
		T(test_full_disk_leaves_counters_in_memory),
		T(test_counts_before_there_is_a_spool),
		T(test_damaged_files_are_removed_and_later_versions_left),
		T(test_forked_child_leaves_the_file_alone),
		T(test_every_allocation_may_fail),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
