#include "spool_fixture.h"

#include "export/opa_control.h"
#include "export/opa_mapping.h"

#include <sys/mman.h>

/* Everything is done in children: the signal's handler is the process's, and cmocka has its own. */

#define SIZE 4096

static int new_file(const fixture *f, const char *name)
{
	int fd = openat(f->spool.dir, name, O_RDWR | O_CREAT | O_TRUNC, 0600);
	CHECK(fd >= 0 && ftruncate(fd, SIZE) == 0);
	return fd;
}

static int in_plain_child(void (*body)(fixture *), fixture *f)
{
	void (*of_cmocka)(int) = signal(SIGBUS, SIG_DFL);
	int status = in_child(body, f);
	signal(SIGBUS, of_cmocka);
	return status;
}

static opa_mapping map(const fixture *f, int *fd)
{
	opa_mapping mapping;
	*fd = new_file(f, "mapped");
	CHECK(opa_mapping_open(&mapping, *fd, SIZE));
	CHECK(opa_mapping_holds(&mapping));
	return mapping;
}

static void touch(opa_mapping *mapping)
{
	*(volatile char *)mapping->at = 'x';
}

/* A fault of the program's own. */
static void touch_beyond_a_file(const fixture *f)
{
	int fd = new_file(f, "theirs");
	volatile char *at = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	CHECK(at != MAP_FAILED && ftruncate(fd, 0) == 0);
	*at = 'x';
}

/* ---- the mapping ---- */

static void write_through(fixture *f)
{
	int fd;
	char is = 0;
	opa_mapping mapping = map(f, &fd);
	touch(&mapping);
	CHECK(pread(fd, &is, 1, 0) == 1 && is == 'x');
	CHECK(opa_mapping_holds(&mapping));
	opa_mapping_close(&mapping);
	CHECK(!opa_mapping_holds(&mapping));
	opa_mapping_close(&mapping);
}

static void cut(fixture *f)
{
	int fd;
	opa_mapping mapping = map(f, &fd);
	CHECK(ftruncate(fd, 0) == 0);
	touch(&mapping);
	CHECK(!opa_mapping_holds(&mapping));
	touch(&mapping);
	opa_mapping_close(&mapping);
	mapping = map(f, &fd); /* and the next one is guarded, too */
	CHECK(ftruncate(fd, 0) == 0);
	touch(&mapping);
	CHECK(!opa_mapping_holds(&mapping));
}

static void many(fixture *f)
{
	int fd;
	opa_mapping mappings[OPA_MAPPINGS_MAX], more;
	for (int i = 0; i < OPA_MAPPINGS_MAX; i++) {
		mappings[i] = map(f, &fd);
	}
	CHECK(!opa_mapping_open(&more, fd, SIZE));
	CHECK(!opa_mapping_holds(&more));
	opa_mapping_close(&more);
	opa_mapping_close(&mappings[1]);
	CHECK(opa_mapping_open(&mappings[1], fd, SIZE));
	CHECK(!opa_mapping_open(&more, fd, SIZE));
	CHECK(opa_mapping_holds(&mappings[2]));
}

static void refused(fixture *f)
{
	opa_mapping mapping;
	int fd = openat(f->spool.dir, "live", O_RDONLY | O_DIRECTORY);
	for (int i = 0; i < 2 * OPA_MAPPINGS_MAX; i++) { /* takes no place */
		CHECK(!opa_mapping_open(&mapping, fd, SIZE));
		CHECK(!opa_mapping_holds(&mapping));
	}
}

static void test_what_is_written_stands_in_the_file(void **state)
{
	assert_int_equal(in_plain_child(write_through, *state), 0);
}

static void test_file_that_is_cut_does_not_kill(void **state)
{
	assert_int_equal(in_plain_child(cut, *state), 0);
}

static void test_there_are_few_places(void **state)
{
	assert_int_equal(in_plain_child(many, *state), 0);
}

static void test_what_the_system_refuses(void **state)
{
	assert_int_equal(in_plain_child(refused, *state), 0);
}

/* ---- everybody else's signal ---- */

static opa_mapping of_before; /* still open in a child of the test */

static void on_bus(int number)
{
	(void)number;
	_exit(77);
}

static void default_fault(fixture *f)
{
	int fd;
	map(f, &fd);
	touch_beyond_a_file(f);
}

static void default_sent(fixture *f)
{
	int fd;
	map(f, &fd);
	kill(getpid(), SIGBUS);
	pause();
}

static void handled_before(const fixture *f)
{
	struct sigaction theirs = {.sa_handler = on_bus, .sa_flags = (int)SA_RESETHAND};
	int fd = new_file(f, "mapped");
	sigaction(SIGBUS, &theirs, NULL);
	CHECK(opa_mapping_open(&of_before, fd, SIZE));
}

static void handled_fault(fixture *f)
{
	handled_before(f);
	touch_beyond_a_file(f);
}

static void handled_sent(fixture *f)
{
	handled_before(f);
	kill(getpid(), SIGBUS);
	_exit(1);
}

static pid_t sender;

static void on_bus_of(int number, siginfo_t *info, void *context)
{
	(void)number;
	(void)context;
	_exit(info->si_code == SI_USER && info->si_pid == sender ? 77 : 1);
}

static void handled_sent_by_other(fixture *f)
{
	struct sigaction theirs = {.sa_sigaction = on_bus_of, .sa_flags = SA_SIGINFO};
	int fd = new_file(f, "mapped");
	sigset_t blocked, before;
	sigemptyset(&blocked);
	sigaddset(&blocked, SIGBUS);
	sigaction(SIGBUS, &theirs, NULL);
	CHECK(opa_mapping_open(&of_before, fd, SIZE));
	sigprocmask(SIG_BLOCK, &blocked, &before);
	if ((sender = fork()) == 0) {
		_exit(kill(getppid(), SIGBUS));
	}
	CHECK(waitpid(sender, NULL, 0) == sender);
	sigprocmask(SIG_SETMASK, &before, NULL);
	_exit(2);
}

static void test_other_faults_are_as_without_us(void **state)
{
	assert_int_equal(in_plain_child(default_fault, *state), 256 + SIGBUS);
	assert_int_equal(in_plain_child(default_sent, *state), 256 + SIGBUS);
	assert_int_equal(in_plain_child(handled_fault, *state), 77);
	assert_int_equal(in_plain_child(handled_sent, *state), 77);
	assert_int_equal(in_plain_child(handled_sent_by_other, *state), 77);
}

static void survived(fixture *f)
{
	int fd;
	opa_mapping next;
	signal(SIGBUS, SIG_IGN);
	fd = new_file(f, "mapped");
	CHECK(opa_mapping_open(&of_before, fd, SIZE));
	kill(getpid(), SIGBUS);                /* ignored, as before */
	CHECK(!opa_mapping_holds(&of_before)); /* the guard is gone: nobody writes through it */
	CHECK(!opa_mapping_open(&next, fd, SIZE));
	opa_mapping_close(&of_before);
}

static void taken(fixture *f)
{
	int fd;
	opa_mapping next;
	opa_mapping mapping = map(f, &fd);
	signal(SIGBUS, on_bus);
	CHECK(!opa_mapping_open(&next, fd, SIZE));
	CHECK(!opa_mapping_check(&mapping));
	CHECK(!opa_mapping_holds(&mapping));
	opa_mapping_close(&mapping);
	struct sigaction now;
	CHECK(sigaction(SIGBUS, NULL, &now) == 0 && now.sa_handler == on_bus);
}

static void blocked(fixture *f)
{
	int fd;
	sigset_t set;
	opa_mapping mapping = map(f, &fd);
	CHECK(opa_mapping_check(&mapping));
	sigemptyset(&set);
	sigaddset(&set, SIGBUS);
	sigprocmask(SIG_BLOCK, &set, NULL);
	CHECK(!opa_mapping_check(&mapping));
	opa_mapping_close(&mapping);
}

static void test_who_takes_the_signal_has_it(void **state)
{
	assert_int_equal(in_plain_child(blocked, *state), 0);
	assert_int_equal(in_plain_child(survived, *state), 0);
	assert_int_equal(in_plain_child(taken, *state), 0);
}

/* ---- a control file that is mapped ---- */

static bool visitor(void *user, const char *name, const opa_control_file *file, bool gone)
{
	opa_control_file *to = user;
	(void)name;
	(void)gone;
	*to = *file;
	return true;
}

static opa_control_file read_control(const fixture *f)
{
	opa_control_file file = {0};
	opa_control_visit(&f->spool, visitor, &file);
	return file;
}

static void count_one(opa_control *control)
{
	opa_control_add(control, OPA_COUNT_SPANS_KEPT, 1);
	opa_control_save(control);
}

/* One that is mapped: it has saved more often than a script of one trace does. */
static opa_control *mapped_control(const fixture *f)
{
	opa_control *control = opa_control_create(&f->spool, ID);
	for (int i = 0; i < 10; i++) {
		count_one(control);
	}
	return control;
}

/* Neither descriptor nor signal nor limit can be in the way of what needs no system call. */
static void save_without_calls(fixture *f)
{
	struct rlimit none = {0, 0};
	opa_control *control = mapped_control(f);
	CHECK(setrlimit(RLIMIT_FSIZE, &none) == 0);
	opa_control_set_running(control, 3);
	count_one(control);
	opa_control_file file = read_control(f);
	CHECK(file.counters[OPA_COUNT_SPANS_KEPT] == 11 && file.running == 3);
	raise(SIGKILL);
}

static void lose(fixture *f, bool grow)
{
	opa_control *control = mapped_control(f);
	int fd = openat(f->spool.dir, "control/" ID ".c", O_RDWR);
	CHECK(ftruncate(fd, 0) == 0 && (!grow || ftruncate(fd, SIZE) == 0));
	close(fd);
	count_one(control);
	opa_control_check(control);
	CHECK(!opa_control_is_durable(control));
	opa_control_close(control); /* so soon after the last one it makes none, and hands over */
	opa_control_file common = {0};
	fd = openat(f->spool.dir, OPA_CONTROL_COMMON, O_RDONLY);
	CHECK(read(fd, &common, sizeof(common)) == (ssize_t)sizeof(common));
	CHECK(common.counters[OPA_COUNT_SPANS_KEPT] == 11);
}

static void lose_by_cutting(fixture *f)
{
	lose(f, false);
}

static void lose_by_emptying(fixture *f)
{
	lose(f, true);
}

static void take_signal(fixture *f)
{
	opa_control *control = mapped_control(f);
	signal(SIGBUS, on_bus);
	opa_control_check(control);
	int fd = openat(f->spool.dir, "control/" ID ".c", O_RDWR);
	CHECK(fd < 0 || ftruncate(fd, 0) == 0);
	count_one(control);
	opa_control_close(control);
}

static void leave_to_child(fixture *f)
{
	opa_control *control = mapped_control(f);
	pid_t pid = fork();
	if (pid == 0) {
		opa_control_add(control, OPA_COUNT_SPANS_KEPT, 100);
		opa_control_abandon(control);
		_exit(0);
	}
	CHECK(waitpid(pid, NULL, 0) == pid);
	count_one(control);
	CHECK(read_control(f).counters[OPA_COUNT_SPANS_KEPT] == 11);
	opa_control_close(control);
}

static void close_descriptors(fixture *f)
{
	opa_control *control = mapped_control(f);
	for (int fd = 3; fd < 64; fd++) {
		if (fd != f->spool.dir) {
			close(fd);
		}
	}
	count_one(control);
	CHECK(read_control(f).counters[OPA_COUNT_SPANS_KEPT] == 11);
}

static void test_counters_are_saved_without_system_calls(void **state)
{
	fixture *f = *state;
	assert_int_equal(in_plain_child(save_without_calls, f), 256 + SIGKILL);
	opa_control_file file = read_control(f);
	assert_int_equal(file.counters[OPA_COUNT_SPANS_KEPT], 11);
	assert_int_equal(file.running, 3);
}

static void test_control_file_that_is_cut_costs_no_counter(void **state)
{
	assert_int_equal(in_plain_child(lose_by_cutting, *state), 0);
}

static void test_control_file_that_is_emptied_costs_no_counter(void **state)
{
	assert_int_equal(in_plain_child(lose_by_emptying, *state), 0);
}

static void test_who_takes_the_signal_is_not_sent_it(void **state)
{
	assert_int_equal(in_plain_child(take_signal, *state), 0);
}

static void test_child_and_program_may_close_it(void **state)
{
	assert_int_equal(in_plain_child(leave_to_child, *state), 0);
	assert_int_equal(in_plain_child(close_descriptors, *state), 0);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_what_is_written_stands_in_the_file),
		T(test_file_that_is_cut_does_not_kill),
		T(test_there_are_few_places),
		T(test_what_the_system_refuses),
		T(test_other_faults_are_as_without_us),
		T(test_who_takes_the_signal_has_it),
		T(test_counters_are_saved_without_system_calls),
		T(test_control_file_that_is_cut_costs_no_counter),
		T(test_control_file_that_is_emptied_costs_no_counter),
		T(test_who_takes_the_signal_is_not_sent_it),
		T(test_child_and_program_may_close_it),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
