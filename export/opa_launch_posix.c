#include "opa_launch.h"
#include "opa_file.h"
#include "../core/opa_clock.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define RATE_NS 1000000000u

/* The exporter's descriptors; FD_SPOOL is gone once it runs. */
enum { FD_LEASE = 3, FD_SPOOL = 4, FD_FIRST_CLOSED = 5 };

/* Above all that start() puts things at. */
#define FD_ASIDE 10

/*
 * Between clone and execve the new process has a copy of one thread of a process that may have
 * had many, and no fork handler has run: locks of libc, malloc and the sanitizers' runtime may be
 * held for ever. So there only system calls are made, by syscall(2), no wrapper that somebody might
 * intercept; and no function there is instrumented.
 */
#if defined(__clang__)
#define BARE __attribute__((no_sanitize("address", "thread", "undefined"), noinline))
#else
#define BARE                                                                                       \
	__attribute__((no_sanitize_address, no_sanitize_thread, no_sanitize_undefined, noinline))
#endif

typedef struct start_plan {
	int lease; /* FD_ASIDE or above, as is spool */
	int spool;
	const char *path;
	char *const *arguments;
	char *const *environment;
} start_plan;

/* The layout of getdents64(2). */
typedef struct directory_entry {
	uint64_t inode;
	int64_t offset;
	unsigned short length;
	unsigned char type;
	char name[];
} directory_entry;

BARE static long clone_process(void)
{
	return syscall(SYS_clone, 0L, 0L, 0L, 0L, 0L);
}

BARE static void put(int from, int to, int flags)
{
	if (from != to) {
		syscall(SYS_dup3, from, to, flags);
	}
}

/* For kernels before 5.9, and filters that do not know close_range(2). */
BARE static void close_one_by_one(void)
{
	_Alignas(8) char buffer[2048];
	long fd = syscall(SYS_openat, AT_FDCWD, "/proc/self/fd", O_RDONLY | O_DIRECTORY, 0);
	if (fd < 0) {
		for (int i = FD_FIRST_CLOSED; i < 65536; i++) {
			syscall(SYS_close, i);
		}
		return;
	}
	/* Closing shifts what is listed: start over until there is nothing left to close. */
	for (bool again = true; again;) {
		again = false;
		syscall(SYS_lseek, fd, 0L, SEEK_SET);
		long got;
		while ((got = syscall(SYS_getdents64, fd, buffer, sizeof(buffer))) > 0) {
			for (long at = 0; at < got;) {
				const directory_entry *entry = (const void *)(buffer + at);
				at += entry->length;
				int number = 0;
				for (const char *p = entry->name; *p >= '0' && *p <= '9'; p++) {
					number = number * 10 + (*p - '0');
				}
				if (number >= FD_FIRST_CLOSED && number != fd) {
					again |= syscall(SYS_close, number) == 0;
				}
			}
		}
	}
	syscall(SYS_close, fd);
}

BARE static void arrange_descriptors(const start_plan *plan)
{
	put(plan->lease, FD_LEASE, 0);
	put(plan->spool, FD_SPOOL, O_CLOEXEC);
	long null = syscall(SYS_openat, AT_FDCWD, "/dev/null", O_RDWR, 0);
	if (null < 0) {
		/* in a chroot, say: anything is better than that a database becomes descriptor 2 */
		null = syscall(SYS_openat, AT_FDCWD, "/", O_RDONLY | O_DIRECTORY, 0);
	}
	for (int fd = 0; fd <= 2; fd++) {
		put((int)null, fd, 0);
	}
	if (syscall(SYS_close_range, FD_FIRST_CLOSED, ~0u, 0) != 0) {
		close_one_by_one();
	}
}

/* What a signal does survives execve(2) where it is "nothing", and so does the mask. */
BARE static void reset_signals(void)
{
	/* larger than any architecture's struct, all zero: SIG_DFL, no flags */
	_Alignas(16) unsigned char action[256];
	_Alignas(16) unsigned char none[16];
	for (size_t i = 0; i < sizeof(action); i++) {
		((volatile unsigned char *)action)[i] = 0;
	}
	for (size_t i = 0; i < sizeof(none); i++) {
		((volatile unsigned char *)none)[i] = 0;
	}
	for (int number = 1; number < _NSIG; number++) {
		syscall(SYS_rt_sigaction, number, action, NULL, _NSIG / 8);
	}
	syscall(SYS_rt_sigprocmask, SIG_SETMASK, none, NULL, _NSIG / 8);
}

/* The program's limits on its own files and time are not meant for the exporter. */
BARE static void raise_limit(int which)
{
	struct {
		uint64_t soft;
		uint64_t hard;
	} limit;
	if (syscall(SYS_prlimit64, 0, which, NULL, &limit) == 0) {
		limit.soft = limit.hard;
		syscall(SYS_prlimit64, 0, which, &limit, NULL);
	}
}

BARE static void note_problem(int problem)
{
	char text[12];
	size_t at = sizeof(text);
	do {
		text[--at] = (char)('0' + problem % 10);
		problem /= 10;
	} while (problem > 0);
	long fd =
		syscall(SYS_openat, FD_SPOOL, "launch", O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, 0600);
	if (fd >= 0) {
		syscall(SYS_write, fd, text + at, sizeof(text) - at);
	}
}

/* The process that becomes the exporter. */
BARE static void become(const start_plan *plan)
{
	arrange_descriptors(plan);
	syscall(SYS_chdir, "/");
	syscall(SYS_umask, 077);
	raise_limit(RLIMIT_FSIZE);
	raise_limit(RLIMIT_CPU);
	reset_signals();
	long result = syscall(SYS_execve, plan->path, plan->arguments, plan->environment);
	note_problem(result < 0 ? errno : 0);
	syscall(SYS_exit_group, 127);
}

/* The process in between: its child is nobody's when it ends, so init takes it. */
BARE static void pass_on(const start_plan *plan)
{
	syscall(SYS_setsid);
	long pid = clone_process();
	if (pid == 0) {
		become(plan);
	}
	syscall(SYS_exit_group, pid < 0 ? errno : 0);
}

/*
 * errno, 0 when a process was started. All signals are blocked around clone, so that no handler of
 * the program's runs in the new process before it has given them up.
 */
static int start(const start_plan *plan)
{
	sigset_t all, before;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	long pid = clone_process();
	if (pid == 0) {
		pass_on(plan);
	}
	int problem = pid < 0 ? errno : 0;
	if (pid > 0) {
		int status = 0;
		while (waitpid((pid_t)pid, &status, __WCLONE) < 0 && errno == EINTR) {
		}
		problem = WIFEXITED(status) ? WEXITSTATUS(status) : 0;
	}
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return problem;
}

/* An empty lease was never used to start anything, however new it is. */
static bool is_recent(int lease)
{
	struct stat st;
	if (fstat(lease, &st) != 0 || st.st_size == 0) {
		return false;
	}
	uint64_t then = (uint64_t)st.st_mtim.tv_sec * 1000000000u + (uint64_t)st.st_mtim.tv_nsec;
	uint64_t now = opa_clock_wall();
	return now < then + RATE_NS && then < now + RATE_NS;
}

int opa_launch_check(const char *exporter_path)
{
	struct stat st;
	if (exporter_path[0] != '/') {
		return EINVAL;
	}
	if (stat(exporter_path, &st) != 0) {
		return errno;
	}
	if (!S_ISREG(st.st_mode)) {
		return EACCES;
	}
	return faccessat(AT_FDCWD, exporter_path, X_OK, AT_EACCESS) == 0 ? 0 : errno;
}

/* Starter and exporter write the lease, and then the exporter writes `state`. */
static bool has_spoken_since(const opa_spool *spool, const struct stat *lease)
{
	struct stat state;
	if (fstatat(spool->dir, "state", &state, AT_SYMLINK_NOFOLLOW) != 0) {
		return false;
	}
	return state.st_mtim.tv_sec != lease->st_mtim.tv_sec
			   ? state.st_mtim.tv_sec > lease->st_mtim.tv_sec
			   : state.st_mtim.tv_nsec >= lease->st_mtim.tv_nsec;
}

/* The lease is free, or ours. */
static int problem_of_last(const opa_spool *spool, int lease)
{
	char text[16];
	struct stat st;
	if (opa_spool_read_file(spool, "launch", text, sizeof(text)) > 0 && atoi(text) > 0) {
		return atoi(text);
	}
	bool was_used = fstat(lease, &st) == 0 && st.st_size > 0;
	return was_used && !has_spoken_since(spool, &st) ? OPA_LAUNCH_MUTE : 0;
}

static opa_launch_result start_exporter(
	const opa_spool *spool, const char *exporter_path, int lease, int *system_error)
{
	static char path_variable[] =
		"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
	static char spool_option[] = "--spool", lease_option[] = "--lease-fd", lease_number[] = "3";
	char *arguments[] = {(char *)(uintptr_t)exporter_path, spool_option, spool->path, lease_option,
		lease_number, NULL};
	char *environment[] = {path_variable, NULL};
	start_plan plan = {
		.lease = lease,
		.spool = fcntl(spool->dir, F_DUPFD_CLOEXEC, FD_ASIDE),
		.path = exporter_path,
		.arguments = arguments,
		.environment = environment,
	};
	*system_error = plan.spool < 0 ? errno : 0;
	if (plan.spool >= 0) {
		unlinkat(spool->dir, "launch", 0);
		*system_error = start(&plan);
		close(plan.spool);
	}
	return *system_error == 0 ? OPA_LAUNCH_STARTED : OPA_LAUNCH_FAILED;
}

/* The lease is locked. */
static opa_launch_result start_with(
	const opa_spool *spool, const char *exporter_path, int lease, int *system_error)
{
	if (is_recent(lease)) {
		return OPA_LAUNCH_RECENT;
	}
	*system_error = opa_launch_check(exporter_path);
	if (*system_error != 0) {
		return OPA_LAUNCH_MISSING;
	}
	int before = problem_of_last(spool, lease);
	if (!opa_file_may_reach(1) || !opa_file_write(lease, "\n", 1, 0)) {
		*system_error = errno;
		return OPA_LAUNCH_FAILED;
	}
	opa_launch_result result = start_exporter(spool, exporter_path, lease, system_error);
	if (result == OPA_LAUNCH_STARTED && before != 0) {
		*system_error = before;
		result = OPA_LAUNCH_AGAIN;
	}
	return result;
}

static int open_lease(const opa_spool *spool)
{
	int flags = O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
	int fd = openat(spool->dir, "lease", flags, 0600);
	if (fd < 0) {
		return -1;
	}
	/* a umask may have taken the owner's own rights from a new file */
	int aside = fchmod(fd, 0600) == 0 ? fcntl(fd, F_DUPFD_CLOEXEC, FD_ASIDE) : -1;
	int problem = errno;
	close(fd);
	errno = problem;
	return aside;
}

opa_launch_result opa_launch(const opa_spool *spool, const char *exporter_path, int *system_error)
{
	*system_error = 0;
	int lease = open_lease(spool);
	if (lease < 0) {
		*system_error = errno;
		return OPA_LAUNCH_FAILED;
	}
	opa_launch_result result;
	if (flock(lease, LOCK_EX | LOCK_NB) == 0) {
		result = start_with(spool, exporter_path, lease, system_error);
	} else if (errno == EWOULDBLOCK) {
		result = OPA_LAUNCH_BUSY;
	} else {
		*system_error = errno;
		result = OPA_LAUNCH_FAILED;
	}
	close(lease);
	return result;
}

/* -1 when there is none, or none that can be read. */
static int look_at_lease(const opa_spool *spool)
{
	int flags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
	return opa_spool_lift_fd(openat(spool->dir, "lease", flags));
}

static bool is_held(int lease)
{
	return flock(lease, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK;
}

int opa_launch_problem(const opa_spool *spool)
{
	int lease = look_at_lease(spool);
	if (lease < 0) {
		return 0;
	}
	int problem = is_held(lease) ? 0 : problem_of_last(spool, lease);
	close(lease);
	return problem;
}

bool opa_launch_is_running(const opa_spool *spool)
{
	int lease = look_at_lease(spool);
	if (lease < 0) {
		return false;
	}
	bool running = is_held(lease);
	close(lease);
	return running;
}
