#include "opa_spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

/* The new process's descriptors; FD_NOTES is gone once the program runs. */
enum { FD_HANDED_ON = 3, FD_NOTES = 4, FD_FIRST_CLOSED = 5 };

/* The keeper's last one. */
#define FD_STARTED 4

#define STACK_SIZE (16 * 1024)

/*
 * Between clone and execve the new processes have one thread of a process that may have had many,
 * and no fork handler has run: locks of libc, malloc and the sanitizers' runtime may be held for
 * ever. So there only system calls are made, by syscall(2), no wrapper that somebody might
 * intercept; and no function there is instrumented.
 *
 * They write the caller's errno where memory is shared. The caller sleeps meanwhile.
 */
#if defined(__clang__)
#define BARE __attribute__((no_sanitize("address", "thread", "undefined"), noinline))
#else
#define BARE                                                                                       \
	__attribute__((no_sanitize_address, no_sanitize_thread, no_sanitize_undefined, noinline))
#endif

/* A start, in a mapping of its own: a keeper needs its stack for as long as it lives. */
typedef struct spawning {
	const opa_spawn_plan *plan;
	int sharing;  /* clone(2)'s flags */
	int problem;  /* errno of the second clone */
	int started;  /* the pipe that a keeper closes once the program is loaded; -1: it does not stay
				   */
	pid_t keeper; /* for reap_keepers() */
	struct spawning *next;
	_Alignas(16) unsigned char middle_stack[STACK_SIZE];
	_Alignas(16) unsigned char stack[STACK_SIZE];
} spawning;

/* Those that were not seen to have ended; in a forked child they are not its own. */
static _Atomic(spawning *) keepers;

/* The layout of getdents64(2). */
typedef struct directory_entry {
	uint64_t inode;
	int64_t offset;
	unsigned short length;
	unsigned char type;
	char name[];
} directory_entry;

/* ---- the new process ---- */

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

BARE static void close_rest(void)
{
	if (syscall(SYS_close_range, FD_FIRST_CLOSED, ~0u, 0) != 0) {
		close_one_by_one();
	}
}

BARE static void arrange_descriptors(const opa_spawn_plan *plan)
{
	put(plan->handed_on, FD_HANDED_ON, 0);
	put(plan->notes, FD_NOTES, O_CLOEXEC);
	long null = syscall(SYS_openat, AT_FDCWD, "/dev/null", O_RDWR, 0);
	if (null < 0) {
		/* in a chroot, say: anything is better than that a database becomes descriptor 2 */
		null = syscall(SYS_openat, AT_FDCWD, "/", O_RDONLY | O_DIRECTORY, 0);
	}
	for (int fd = 0; fd <= 2; fd++) {
		put((int)null, fd, 0);
	}
	close_rest();
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

/* The program's limits on its own files and time are not meant for the new one. */
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

BARE static void note_problem(const opa_spawn_plan *plan, int problem)
{
	char text[12];
	size_t at = sizeof(text);
	do {
		text[--at] = (char)('0' + problem % 10);
		problem /= 10;
	} while (problem > 0);
	int flags = O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW;
	long fd = syscall(SYS_openat, FD_NOTES, plan->note, flags, 0600);
	if (fd >= 0) {
		syscall(SYS_write, fd, text + at, sizeof(text) - at);
	}
}

/* The process that becomes the program. */
BARE static int become(void *argument)
{
	const opa_spawn_plan *plan = ((const spawning *)argument)->plan;
	arrange_descriptors(plan);
	syscall(SYS_chdir, "/");
	syscall(SYS_umask, 077);
	raise_limit(RLIMIT_FSIZE);
	raise_limit(RLIMIT_CPU);
	reset_signals();
	long result = syscall(SYS_execve, plan->path, plan->arguments, plan->environment);
	note_problem(plan, result < 0 ? errno : 0);
	syscall(SYS_exit_group, 127);
	return 127;
}

/* The caller goes on when it sees the pipe closed: from then on no call here may fail. */
BARE static void stay(const spawning *s, int pid)
{
	put(s->started, FD_STARTED, 0);
	close_rest();
	for (int fd = 0; fd < FD_STARTED; fd++) {
		syscall(SYS_close, fd);
	}
	syscall(SYS_prctl, PR_SET_NAME, "opa-keeper", 0L, 0L, 0L);
	syscall(SYS_close, FD_STARTED);
	syscall(SYS_wait4, pid, NULL, __WALL, NULL);
}

/* The process in between: its child is nobody's when it ends. */
BARE static int pass_on(void *argument)
{
	spawning *s = argument;
	syscall(SYS_setsid);
	int pid = clone(become, s->stack + STACK_SIZE, s->sharing, s);
	int problem = pid < 0 ? errno : 0;
	if (s->started >= 0) {
		s->problem = problem;
		if (problem == 0) {
			stay(s, pid);
		}
	}
	syscall(SYS_exit_group, problem);
	return problem;
}

/* ---- the caller ---- */

/* Answers the errno that it has ended with. */
static int await_end(pid_t pid)
{
	int status = 0;
	while (waitpid(pid, &status, __WCLONE) < 0 && errno == EINTR) {
	}
	return WIFEXITED(status) ? WEXITSTATUS(status) : 0;
}

static int start_and_leave(spawning *s)
{
	int pid = clone(pass_on, s->middle_stack + STACK_SIZE, s->sharing, s);
	return pid < 0 ? errno : await_end(pid);
}

static void remember_keeper(spawning *s)
{
	s->next = atomic_load(&keepers);
	while (!atomic_compare_exchange_weak(&keepers, &s->next, s)) {
	}
}

/* *stays: s is the keeper's from now on. */
static int start_and_keep(spawning *s, bool *stays)
{
	int ends[2];
	char byte;
	if (pipe2(ends, O_CLOEXEC) != 0) {
		return errno;
	}
	s->started = ends[1];
	s->keeper = clone(pass_on, s->middle_stack + STACK_SIZE, CLONE_VM, s);
	int problem = s->keeper < 0 ? errno : 0;
	close(ends[1]);
	if (problem == 0) {
		while (read(ends[0], &byte, 1) < 0 && errno == EINTR) {
		}
		problem = s->problem;
		if (problem == 0) {
			*stays = true;
			remember_keeper(s);
		} else {
			await_end(s->keeper);
		}
	}
	close(ends[0]);
	return problem;
}

static void reap_keepers(void)
{
	spawning *s = atomic_exchange(&keepers, NULL);
	while (s != NULL) {
		spawning *next = s->next;
		if (waitpid(s->keeper, NULL, __WCLONE | WNOHANG) == 0) {
			remember_keeper(s);
		} else {
			munmap(s, sizeof(*s));
		}
		s = next;
	}
}

static bool may_share_memory(void)
{
	struct utsname system;
	unsigned major = 0, minor = 0;
	if (uname(&system) == 0 && sscanf(system.release, "%u.%u", &major, &minor) == 2 &&
		(major > 5 || (major == 5 && minor >= 16))) {
		return true;
	}
	return prctl(PR_GET_SECCOMP) == 0;
}

int opa_spawn(const opa_spawn_plan *plan)
{
	sigset_t all, before;
	reap_keepers();
	spawning *s =
		mmap(NULL, sizeof(*s), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (s == MAP_FAILED) {
		return errno;
	}
	bool shares = may_share_memory(), stays = false;
	s->plan = plan;
	s->sharing = shares ? CLONE_VM | CLONE_VFORK : 0;
	s->started = -1;
	/* no handler of the program's may run in the new process before it has given them up */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	int problem = shares && getpid() == 1 ? start_and_keep(s, &stays) : start_and_leave(s);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (!stays) {
		munmap(s, sizeof(*s));
	}
	return problem;
}
