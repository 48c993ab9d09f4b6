#include "spool_fixture.h"

#include "export/opa_launch.h"

#include <dirent.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/utsname.h>

extern char **environ;

static char self[512]; /* this program: called as an exporter it reports what it finds */

/* ---- the exporter that is started ---- */

static void report_descriptors(FILE *out)
{
	DIR *dir = opendir("/proc/self/fd");
	for (struct dirent *entry; (entry = readdir(dir)) != NULL;) {
		int fd = atoi(entry->d_name);
		if (entry->d_name[0] != '.' && fd != dirfd(dir) && fd != fileno(out)) {
			fprintf(out, "fd %d\n", fd);
		}
	}
	closedir(dir);
}

static void report_signals(FILE *out)
{
	sigset_t mask;
	sigprocmask(SIG_BLOCK, NULL, &mask);
	for (int i = 1; i < 32; i++) {
		struct sigaction action;
		if (sigismember(&mask, i) == 1) {
			fprintf(out, "blocked %d\n", i);
		}
		if (i != SIGSEGV && i != SIGBUS && i != SIGFPE && i != SIGILL && i != SIGABRT &&
			sigaction(i, NULL, &action) == 0 && action.sa_handler != SIG_DFL) {
			fprintf(out, "handled %d\n", i);
		}
	}
}

static void report(const char *spool, char **argv)
{
	char cwd[512], tmp[512], final[512];
	struct rlimit limit;
	snprintf(tmp, sizeof(tmp), "%s/tmp/report", spool);
	snprintf(final, sizeof(final), "%s/report.%d", spool, (int)getpid());
	FILE *out = fopen(tmp, "w");
	report_descriptors(out);
	report_signals(out);
	for (char **variable = environ; *variable != NULL; variable++) {
		fprintf(out, "env %.5s\n", *variable);
	}
	fprintf(out, "arg %s %s\n", argv[3], argv[4]);
	fprintf(out, "cwd %s\n", getcwd(cwd, sizeof(cwd)));
	fprintf(out, "umask %03o\n", (unsigned)umask(077));
	fprintf(out, "session %d\n", getsid(0) != getpid() && getpgid(0) == getsid(0));
	fprintf(out, "locked %d\n", flock(3, LOCK_EX | LOCK_NB) == 0);
	getrlimit(RLIMIT_FSIZE, &limit);
	fprintf(out, "fsize %d\n", limit.rlim_cur == limit.rlim_max);
	fclose(out);
	rename(tmp, final);
}

static void say_something(const char *spool)
{
	char path[512];
	snprintf(path, sizeof(path), "%s/state", spool);
	fclose(fopen(path, "w"));
}

/* Stays until the test says stop, at most half a minute. */
static int run_as_exporter(char **argv)
{
	char stop[512], mute[512];
	snprintf(mute, sizeof(mute), "%s/mute", argv[2]);
	if (access(mute, F_OK) == 0) {
		return 127; /* as the dynamic linker does that misses a library */
	}
	say_something(argv[2]);
	report(argv[2], argv);
	snprintf(stop, sizeof(stop), "%s/stop", argv[2]);
	for (int i = 0; i < 30000 && access(argv[2], F_OK) == 0 && access(stop, F_OK) != 0; i++) {
		pause_shortly();
	}
	return 0;
}

/* ---- helpers ---- */

static unsigned reports(const fixture *f, char *text, size_t size)
{
	unsigned count = 0;
	DIR *dir = opendir(f->dir);
	for (struct dirent *entry; (entry = readdir(dir)) != NULL;) {
		if (strncmp(entry->d_name, "report.", 7) == 0) {
			count++;
			if (text != NULL) {
				assert_true(opa_spool_read_file(&f->spool, entry->d_name, text, size) > 0);
			}
		}
	}
	closedir(dir);
	return count;
}

static void await_reports(const fixture *f, unsigned expected, char *text, size_t size)
{
	for (int i = 0; i < 20000 && reports(f, NULL, 0) < expected; i++) {
		pause_shortly();
	}
	assert_int_equal(reports(f, text, size), expected);
}

static void await_end(const fixture *f)
{
	assert_true(opa_spool_replace_file(&f->spool, "stop", "", 0));
	for (int i = 0; i < 20000 && opa_launch_is_running(&f->spool); i++) {
		pause_shortly();
	}
	assert_false(opa_launch_is_running(&f->spool));
}

static void await_exit(const fixture *f)
{
	for (int i = 0; i < 20000 && opa_launch_is_running(&f->spool); i++) {
		pause_shortly();
	}
	assert_false(opa_launch_is_running(&f->spool));
}

static void forget_last_start(const fixture *f)
{
	struct timespec times[2] = {{.tv_sec = 1000}, {.tv_sec = 1000}};
	assert_int_equal(utimensat(f->spool.dir, "lease", times, 0), 0);
}

static void date_last_start(const fixture *f, time_t seconds_ago)
{
	time_t then = time(NULL) - seconds_ago;
	struct timespec times[2] = {{.tv_sec = then}, {.tv_sec = then}};
	assert_int_equal(utimensat(f->spool.dir, "lease", times, 0), 0);
}

static opa_launch_result launch(const fixture *f)
{
	int problem;
	opa_launch_result result = opa_launch(&f->spool, self, &problem);
	assert_int_equal(problem, 0);
	return result;
}

/* In a child: what happens at that system call. */
static void refuse(unsigned number, unsigned action)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, action),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = {.len = 4, .filter = code};
	CHECK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
	CHECK(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0);
}

/* ---- tests ---- */

static void test_starts_it_with_nothing_of_the_program(void **state)
{
	fixture *f = *state;
	char text[4096];
	int kept[2];
	sigset_t blocked, before;
	struct rlimit limit;
	assert_int_equal(pipe(kept), 0); /* inheritable */
	assert_true(dup2(kept[0], 200) == 200);
	setenv("SECRET_OF_THE_PROGRAM", "x", 1);
	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&blocked);
	sigaddset(&blocked, SIGTERM);
	sigprocmask(SIG_BLOCK, &blocked, &before);
	getrlimit(RLIMIT_FSIZE, &limit);
	struct rlimit low = {.rlim_cur = 1 << 20, .rlim_max = limit.rlim_max};
	setrlimit(RLIMIT_FSIZE, &low);
	assert_int_equal(launch(f), OPA_LAUNCH_STARTED);
	setrlimit(RLIMIT_FSIZE, &limit);
	sigset_t now;
	sigprocmask(SIG_SETMASK, &before, &now);
	assert_int_equal(sigismember(&now, SIGTERM), 1);
	assert_int_equal(sigismember(&now, SIGINT), 0);
	signal(SIGPIPE, SIG_DFL);
	await_reports(f, 1, text, sizeof(text));
	assert_string_equal(text, "fd 0\nfd 1\nfd 2\nfd 3\nenv PATH=\narg --lease-fd 3\ncwd /\n"
							  "umask 077\nsession 1\nlocked 1\nfsize 1\n");
	assert_true(opa_launch_is_running(&f->spool));
	assert_int_equal(opa_launch_problem(&f->spool), 0);
	await_end(f);
	close(200);
	close(kept[0]);
	close(kept[1]);
}

static volatile sig_atomic_t child_signals;

static void on_child(int number)
{
	(void)number;
	child_signals++;
}

static void test_program_sees_nothing_of_it(void **state)
{
	fixture *f = *state;
	struct sigaction action = {.sa_handler = on_child}, before;
	sigaction(SIGCHLD, &action, &before);
	child_signals = 0;
	assert_int_equal(launch(f), OPA_LAUNCH_STARTED);
	await_reports(f, 1, NULL, 0);
	await_end(f);
	assert_int_equal(child_signals, 0);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	assert_int_equal(errno, ECHILD);
	assert_int_equal(waitpid(-1, NULL, WNOHANG | __WALL), -1); /* no zombie of any kind */
	assert_int_equal(errno, ECHILD);
	sigaction(SIGCHLD, &before, NULL);
}

/* Where they are copied each page that is written afterwards faults, in both processes. */
static void test_page_tables_are_not_copied(void **state)
{
	enum { PAGES = 4096, PAGE = 4096 };
	fixture *f = *state;
	struct rusage before, after;
	struct utsname system;
	unsigned major, minor;
	assert_int_equal(uname(&system), 0);
	assert_int_equal(sscanf(system.release, "%u.%u", &major, &minor), 2);
	if (major < 5 || (major == 5 && minor < 16) || getenv("OPA_TEST_SLOW") != NULL) {
		skip_because("this kernel, or valgrind, makes it a copy");
	}
	int flags = MAP_PRIVATE | MAP_ANONYMOUS;
	volatile char *memory = mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE, flags, -1, 0);
	assert_true(memory != MAP_FAILED);
	madvise((void *)(uintptr_t)memory, PAGES * PAGE, MADV_NOHUGEPAGE);
	for (int i = 0; i < PAGES; i++) {
		memory[i * PAGE] = 1;
	}
	assert_int_equal(launch(f), OPA_LAUNCH_STARTED);
	getrusage(RUSAGE_SELF, &before);
	for (int i = 0; i < PAGES; i++) {
		memory[i * PAGE] = 2;
	}
	getrusage(RUSAGE_SELF, &after);
	assert_in_range(after.ru_minflt - before.ru_minflt, 0, PAGES / 16);
	munmap((void *)(uintptr_t)memory, PAGES * PAGE);
	await_reports(f, 1, NULL, 0);
	await_end(f);
}

static bool has_child(int options)
{
	siginfo_t info;
	return waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT | options) == 0;
}

/* It would adopt the exporter, and a program that waits for all its children would wait for it. */
static void as_init(fixture *f)
{
	int problem;
	siginfo_t info;
	struct sigaction action = {.sa_handler = on_child};
	struct timespec long_ago[2] = {{.tv_sec = 1000}, {.tv_sec = 1000}};
	CHECK(getpid() == 1);
	sigaction(SIGCHLD, &action, NULL);
	child_signals = 0;
	for (unsigned round = 1; round <= 3; round++) {
		CHECK(opa_launch(&f->spool, self, &problem) == OPA_LAUNCH_STARTED);
		CHECK(opa_launch(&f->spool, self, &problem) == OPA_LAUNCH_BUSY);
		for (int i = 0; i < 20000 && reports(f, NULL, 0) < round; i++) {
			pause_shortly();
		}
		CHECK(reports(f, NULL, 0) == round);
		CHECK(!has_child(0));
		CHECK(has_child(__WALL)); /* it is there, out of sight */
		CHECK(opa_spool_replace_file(&f->spool, "stop", "", 0));
		CHECK(waitid(P_ALL, 0, &info, WEXITED | WNOWAIT | __WALL) == 0); /* its keeper has ended */
		CHECK(!has_child(0));
		CHECK(unlinkat(f->spool.dir, "stop", 0) == 0);
		CHECK(utimensat(f->spool.dir, "lease", long_ago, 0) == 0);
	}
	CHECK(child_signals == 0);
	CHECK(waitid(P_ALL, 0, &info, WEXITED | __WALL) == 0);
	CHECK(!has_child(__WALL)); /* those before it were taken away */
}

static void with_processes_of_its_own(fixture *f)
{
	if (unshare(CLONE_NEWPID) != 0) {
		_exit(CANNOT_MOUNT);
	}
	_exit(in_child(as_init, f));
}

static void test_init_of_a_container_does_not_see_it_either(void **state)
{
#ifdef __SANITIZE_THREAD__
	skip_because("its clone() passes arguments on the stack of a caller that goes on");
#endif
	if (getenv("OPA_TEST_SLOW") != NULL) {
		skip_because("valgrind knows no clone that shares memory");
	}
	int status = in_child(with_processes_of_its_own, *state);
	if (status == CANNOT_MOUNT) {
		skip_because("a pid namespace is needed");
	}
	assert_int_equal(status, 0);
}

static void test_ignored_sigchld_is_no_hindrance(void **state)
{
	fixture *f = *state;
	void (*before)(int) = signal(SIGCHLD, SIG_IGN);
	assert_int_equal(launch(f), OPA_LAUNCH_STARTED);
	assert_int_equal(waitpid(-1, NULL, WNOHANG | __WALL), -1);
	signal(SIGCHLD, before);
	await_reports(f, 1, NULL, 0);
	await_end(f);
}

static void test_race_fifty_processes_start_one(void **state)
{
	enum { PROCESSES = 50 };
	fixture *f = *state;
	int go[2], started = 0;
	assert_int_equal(pipe(go), 0);
	fflush(NULL);
	for (int i = 0; i < PROCESSES; i++) {
		if (fork() == 0) {
			int problem;
			char byte;
			close(go[1]);
			CHECK(read(go[0], &byte, 1) == 0);
			_exit(10 + (int)opa_launch(&f->spool, self, &problem));
		}
	}
	close(go[0]);
	close(go[1]);
	for (int i = 0; i < PROCESSES; i++) {
		int status;
		assert_true(wait(&status) > 0);
		int result = WEXITSTATUS(status) - 10;
		started += result == OPA_LAUNCH_STARTED;
		assert_true(result == OPA_LAUNCH_STARTED || result == OPA_LAUNCH_BUSY);
	}
	assert_int_equal(started, 1);
	await_reports(f, 1, NULL, 0);
	await_end(f);
	assert_int_equal(reports(f, NULL, 0), 1);
}

static void test_busy_then_recent_then_again(void **state)
{
	fixture *f = *state;
	assert_int_equal(launch(f), OPA_LAUNCH_STARTED);
	assert_int_equal(launch(f), OPA_LAUNCH_BUSY);
	await_reports(f, 1, NULL, 0);
	await_end(f);
	/* a start that lies in the future is none that counts: the clock was set back */
	struct timespec times[2] = {{.tv_sec = time(NULL)}, {.tv_sec = time(NULL) + 100}};
	assert_int_equal(utimensat(f->spool.dir, "lease", NULL, 0), 0);
	assert_int_equal(launch(f), OPA_LAUNCH_RECENT);
	assert_int_equal(utimensat(f->spool.dir, "lease", times, 0), 0);
	assert_int_equal(utimensat(f->spool.dir, "state", times, 0), 0);
	assert_int_equal(launch(f), OPA_LAUNCH_STARTED);
	await_reports(f, 2, NULL, 0);
}

static void expect_missing(const fixture *f, const char *path, int expected)
{
	int problem;
	assert_int_equal(opa_launch(&f->spool, path, &problem), OPA_LAUNCH_MISSING);
	assert_int_equal(problem, expected);
}

static void test_missing_and_not_executable(void **state)
{
	fixture *f = *state;
	char path[300];
	snprintf(path, sizeof(path), "%s/plain", f->dir);
	close(open(path, O_CREAT | O_WRONLY, 0600));
	expect_missing(f, "/no/such/exporter", ENOENT);
	expect_missing(f, path, EACCES);
	expect_missing(f, f->dir, EACCES);
	expect_missing(f, "bin/relative", EINVAL);
	assert_false(opa_launch_is_running(&f->spool));
}

static void test_failed_exec_is_recorded_and_forgotten(void **state)
{
	fixture *f = *state;
	char path[300];
	int problem;
	snprintf(path, sizeof(path), "%s/garbage", f->dir);
	int fd = open(path, O_CREAT | O_WRONLY, 0700);
	assert_int_equal(write(fd,
						 "\x7f"
						 "ELF nonsense",
						 13),
		13);
	close(fd);
	assert_int_equal(opa_launch(&f->spool, path, &problem), OPA_LAUNCH_STARTED);
	for (int i = 0; i < 20000 && opa_launch_problem(&f->spool) == 0; i++) {
		pause_shortly();
	}
	assert_int_equal(opa_launch_problem(&f->spool), ENOEXEC);
	await_exit(f);
	forget_last_start(f);
	assert_int_equal(opa_launch(&f->spool, self, &problem), OPA_LAUNCH_AGAIN);
	assert_int_equal(problem, ENOEXEC);
	assert_int_equal(opa_launch_problem(&f->spool), 0);
	await_reports(f, 1, NULL, 0);
	await_end(f);
	assert_int_equal(opa_launch_problem(&f->spool), 0);
}

static void test_program_that_ends_without_a_word_is_noticed(void **state)
{
	fixture *f = *state;
	int problem;
	assert_int_equal(opa_launch_problem(&f->spool), 0); /* nobody was started yet */
	assert_true(opa_spool_replace_file(&f->spool, "mute", "", 0));
	assert_int_equal(launch(f), OPA_LAUNCH_STARTED);
	await_exit(f);
	assert_int_equal(opa_launch_problem(&f->spool), OPA_LAUNCH_MUTE);
	date_last_start(f, 2);
	assert_int_equal(launch(f), OPA_LAUNCH_RECENT);
	date_last_start(f, 6);
	assert_int_equal(opa_launch(&f->spool, self, &problem), OPA_LAUNCH_AGAIN);
	assert_int_equal(problem, OPA_LAUNCH_MUTE);
	await_exit(f);
	assert_int_equal(unlinkat(f->spool.dir, "mute", 0), 0);
	forget_last_start(f);
	assert_int_equal(opa_launch(&f->spool, self, &problem), OPA_LAUNCH_AGAIN);
	await_reports(f, 1, NULL, 0);
	await_end(f);
	forget_last_start(f);
	assert_int_equal(launch(f), OPA_LAUNCH_STARTED);
	await_reports(f, 2, NULL, 0);
}

static void on_noexec(fixture *f)
{
	char command[1200], path[512];
	int problem;
	mount_small(f->dir, "size=64m,mode=0700");
	CHECK(mount("none", f->dir, "none", MS_REMOUNT | MS_BIND | MS_NOEXEC, "") == 0);
	opa_spool spool;
	CHECK(open_spool_at(&spool, f->dir) == OPA_SPOOL_OK);
	snprintf(path, sizeof(path), "%s/exporter", f->dir);
	snprintf(command, sizeof(command), "cp %s %s", self, path);
	CHECK(system(command) == 0);
	CHECK(opa_launch(&spool, path, &problem) == OPA_LAUNCH_MISSING);
	CHECK(problem == EACCES);
}

static void test_file_system_that_forbids_execution_is_told(void **state)
{
	int status = in_child(on_noexec, *state);
	if (status == CANNOT_MOUNT) {
		skip_because("a private mount is needed");
	}
	assert_int_equal(status, 0);
}

/* A filter that answers with an error, and one that kills. */
static void without_execve(fixture *f)
{
	int problem;
	refuse(SYS_execve, SECCOMP_RET_ERRNO | EPERM);
	CHECK(opa_launch(&f->spool, self, &problem) == OPA_LAUNCH_STARTED);
}

static void killed_by_execve(fixture *f)
{
	int problem;
	refuse(SYS_execve, SECCOMP_RET_KILL_PROCESS);
	CHECK(opa_launch(&f->spool, self, &problem) == OPA_LAUNCH_AGAIN);
	CHECK(problem == EPERM);
}

static void test_refused_execve_is_told(void **state)
{
	fixture *f = *state;
	if (getenv("OPA_TEST_SLOW") != NULL) {
		skip_because("valgrind does not survive an execve that fails");
	}
	assert_int_equal(in_child(without_execve, f), 0);
	await_exit(f);
	assert_int_equal(opa_launch_problem(&f->spool), EPERM);
	forget_last_start(f);
	assert_int_equal(in_child(killed_by_execve, f), 0);
	await_exit(f);
	assert_int_equal(opa_launch_problem(&f->spool), OPA_LAUNCH_MUTE);
}

static void test_no_lease_file(void **state)
{
	fixture *f = *state;
	int problem;
	assert_int_equal(symlinkat("/tmp/x", f->spool.dir, "lease"), 0);
	assert_int_equal(opa_launch(&f->spool, self, &problem), OPA_LAUNCH_FAILED);
	assert_int_equal(problem, ELOOP);
}

static void without_close_range(fixture *f)
{
	int problem;
	for (int fd = 20; fd < 400; fd += 3) {
		CHECK(dup2(0, fd) == fd);
	}
	refuse(SYS_close_range, SECCOMP_RET_ERRNO | ENOSYS);
	CHECK(opa_launch(&f->spool, self, &problem) == OPA_LAUNCH_STARTED);
}

static void test_old_kernel_closes_one_by_one(void **state)
{
	fixture *f = *state;
	char text[4096];
	assert_int_equal(in_child(without_close_range, f), 0);
	await_reports(f, 1, text, sizeof(text));
	assert_memory_equal(text, "fd 0\nfd 1\nfd 2\nfd 3\nenv", 23);
	await_end(f);
}

static void without_clone(fixture *f)
{
	int problem;
	refuse(SYS_clone, SECCOMP_RET_ERRNO | EPERM);
	CHECK(opa_launch(&f->spool, self, &problem) == OPA_LAUNCH_FAILED);
	CHECK(problem == EPERM);
	CHECK(!opa_launch_is_running(&f->spool));
}

static void test_refused_clone_is_told(void **state)
{
	assert_int_equal(in_child(without_clone, *state), 0);
}

static void limited(fixture *f)
{
	int problem;
	struct rlimit limit = {.rlim_cur = 0, .rlim_max = 0};
	CHECK(setrlimit(RLIMIT_FSIZE, &limit) == 0);
	CHECK(opa_launch(&f->spool, self, &problem) == OPA_LAUNCH_FAILED);
	CHECK(problem == EFBIG);
}

static void test_file_size_limit_raises_no_signal(void **state)
{
	assert_int_equal(in_child(limited, *state), 0);
}

static void closed_streams(fixture *f)
{
	int problem;
	close(0);
	close(1);
	close(2);
	if (opa_launch(&f->spool, self, &problem) != OPA_LAUNCH_STARTED) {
		_exit(2);
	}
}

static void test_closed_standard_streams_are_no_hindrance(void **state)
{
	fixture *f = *state;
	char text[4096];
	assert_int_equal(in_child(closed_streams, f), 0);
	await_reports(f, 1, text, sizeof(text));
	assert_memory_equal(text, "fd 0\nfd 1\nfd 2\nfd 3\nenv", 23);
	await_end(f);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(int argc, char **argv)
{
	if (argc == 5 && strcmp(argv[1], "--spool") == 0) {
		return run_as_exporter(argv);
	}
	if (readlink("/proc/self/exe", self, sizeof(self) - 1) < 0) {
		return 1;
	}
	const struct CMUnitTest tests[] = {
		T(test_starts_it_with_nothing_of_the_program),
		T(test_program_sees_nothing_of_it),
		T(test_page_tables_are_not_copied),
		T(test_init_of_a_container_does_not_see_it_either),
		T(test_ignored_sigchld_is_no_hindrance),
		T(test_race_fifty_processes_start_one),
		T(test_busy_then_recent_then_again),
		T(test_missing_and_not_executable),
		T(test_failed_exec_is_recorded_and_forgotten),
		T(test_program_that_ends_without_a_word_is_noticed),
		T(test_file_system_that_forbids_execution_is_told),
		T(test_refused_execve_is_told),
		T(test_no_lease_file),
		T(test_old_kernel_closes_one_by_one),
		T(test_refused_clone_is_told),
		T(test_file_size_limit_raises_no_signal),
		T(test_closed_standard_streams_are_no_hindrance),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
