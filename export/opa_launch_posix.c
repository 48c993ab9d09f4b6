#include "opa_launch.h"
#include "opa_file.h"
#include "opa_spawn.h"
#include "../core/opa_clock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define PAUSE_NS               (1ull * OPA_SECOND_NS)
#define PAUSE_AFTER_FAILURE_NS (5ull * OPA_SECOND_NS)

/* An empty lease was never used to start anything, however new it is. */
static bool is_recent(int lease, uint64_t pause)
{
	struct stat st;
	if (fstat(lease, &st) != 0 || st.st_size == 0) {
		return false;
	}
	uint64_t then = (uint64_t)st.st_mtim.tv_sec * OPA_SECOND_NS + (uint64_t)st.st_mtim.tv_nsec;
	uint64_t now = opa_clock_wall();
	return now < then + pause && then < now + pause;
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
	opa_spawn_plan plan = {
		.path = exporter_path,
		.arguments = arguments,
		.environment = environment,
		.handed_on = lease,
		.notes = fcntl(spool->dir, F_DUPFD_CLOEXEC, OPA_SPAWN_FD_ASIDE),
		.note = "launch",
	};
	*system_error = plan.notes < 0 ? errno : 0;
	if (plan.notes >= 0) {
		unlinkat(spool->dir, plan.note, 0);
		*system_error = opa_spawn(&plan);
		close(plan.notes);
	}
	return *system_error == 0 ? OPA_LAUNCH_STARTED : OPA_LAUNCH_FAILED;
}

/* The lease is locked. */
static opa_launch_result start_with(
	const opa_spool *spool, const char *exporter_path, int lease, int *system_error)
{
	if (is_recent(lease, PAUSE_NS)) {
		return OPA_LAUNCH_RECENT;
	}
	*system_error = opa_launch_check(exporter_path);
	if (*system_error != 0) {
		return OPA_LAUNCH_MISSING;
	}
	int before = problem_of_last(spool, lease);
	if (before != 0 && is_recent(lease, PAUSE_AFTER_FAILURE_NS)) {
		return OPA_LAUNCH_RECENT;
	}
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
	int aside = fchmod(fd, 0600) == 0 ? fcntl(fd, F_DUPFD_CLOEXEC, OPA_SPAWN_FD_ASIDE) : -1;
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
