#include "opa_exporter_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define TRIES  20
#define TRY_NS 5000000

static bool is_lease(const opa_exporter *exporter, int fd)
{
	struct stat mine, there;
	return fd >= 0 && fstat(fd, &mine) == 0 &&
		   fstatat(exporter->spool.dir, "lease", &there, AT_SYMLINK_NOFOLLOW) == 0 &&
		   mine.st_dev == there.st_dev && mine.st_ino == there.st_ino;
}

/* A starter holds it for microseconds while it looks whether it is free. */
static opa_lease lock(int fd)
{
	for (int i = 0; i < TRIES; i++) {
		if (flock(fd, LOCK_EX | LOCK_NB) == 0) {
			return OPA_LEASE_TAKEN;
		}
		if (errno != EWOULDBLOCK && errno != EINTR) {
			return OPA_LEASE_FAILED;
		}
		nanosleep(&(struct timespec){0, TRY_NS}, NULL);
	}
	return OPA_LEASE_BUSY;
}

static void write_pid(int fd)
{
	char pid[32];
	int len = snprintf(pid, sizeof(pid), "%ld\n", (long)getpid());
	/* For people; nothing depends on it. Cut last: a full disk gives no block back that was let go.
	 */
	if (pwrite(fd, pid, (size_t)len, 0) != len || ftruncate(fd, len) != 0) {
		return;
	}
}

opa_lease opa_exporter_take_lease(opa_exporter *exporter, int fd)
{
	if (!is_lease(exporter, fd)) {
		fd = openat(exporter->spool.dir, "lease", O_RDWR | O_CREAT | O_NOFOLLOW, 0600);
	}
	fd = opa_spool_lift_fd(fd);
	if (fd < 0) {
		return OPA_LEASE_FAILED;
	}
	fcntl(fd, F_SETFD, FD_CLOEXEC);
	opa_lease result = lock(fd);
	/* Somebody may have removed the file between open and lock: then it is nobody's lease. */
	if (result == OPA_LEASE_TAKEN && !is_lease(exporter, fd)) {
		result = OPA_LEASE_BUSY;
	}
	if (result != OPA_LEASE_TAKEN) {
		int reason = errno;
		close(fd);
		errno = reason;
		return result;
	}
	exporter->lease = fd;
	write_pid(fd);
	return result;
}

void opa_exporter_release_lease(opa_exporter *exporter)
{
	if (exporter->lease >= 0) {
		close(exporter->lease);
		exporter->lease = -1;
	}
}

bool opa_exporter_owns_spool(const opa_exporter *exporter)
{
	return opa_spool_is_intact(&exporter->spool) && is_lease(exporter, exporter->lease);
}
