#include "opa_control.h"
#include "opa_file.h"
#include "../core/opa_entropy.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define COUNTERS_AT  offsetof(opa_control_file, counters)
#define COUNTERS_END offsetof(opa_control_file, running)
#define PAUSE_NS     500000
#define CLAIM_TRIES  20

#ifndef RENAME_EXCHANGE
#define RENAME_EXCHANGE 2
#endif

static const opa_control_file empty = {
	.magic = OPA_CONTROL_MAGIC,
	.version = OPA_CONTROL_VERSION,
	.kind = OPA_CONTROL_SHARED,
};

/* The beginning of opa_control_file. */
typedef struct head {
	uint32_t magic;
	uint16_t version;
	uint16_t kind;
} head;

typedef uint64_t numbers[OPA_CONTROL_COUNTERS];

typedef enum result {
	DONE,
	BUSY,   /* somebody has the lock, or has just claimed the file */
	FAILED, /* to try again at once does not help */
} result;

/* ---- the file ---- */

/* Locks it, if it is still the one of that name: nobody looks for numbers in one that was claimed.
 */
static bool lock_file(const opa_spool *spool, int fd)
{
	struct stat mine, there;
	return flock(fd, LOCK_EX | LOCK_NB) == 0 && fstat(fd, &mine) == 0 &&
		   fstatat(spool->dir, OPA_CONTROL_COMMON, &there, AT_SYMLINK_NOFOLLOW) == 0 &&
		   mine.st_dev == there.st_dev && mine.st_ino == there.st_ino;
}

typedef enum found {
	WHOLE,
	DAMAGED, /* or not filled yet */
	OTHER,   /* of a later version, or it cannot be read: nothing may be done */
} found;

static found read_file(int fd, numbers n)
{
	head h;
	struct stat st;
	if (fstat(fd, &st) != 0) {
		return OTHER;
	}
	if (st.st_size < (off_t)sizeof(empty)) {
		return DAMAGED;
	}
	if (opa_file_read(fd, &h, sizeof(h), 0) != (long)sizeof(h) ||
		opa_file_read(fd, n, sizeof(numbers), COUNTERS_AT) != (long)sizeof(numbers)) {
		return OTHER;
	}
	if (h.magic != OPA_CONTROL_MAGIC || h.version == 0) {
		return DAMAGED;
	}
	return h.version == OPA_CONTROL_VERSION && h.kind == OPA_CONTROL_SHARED ? WHOLE : OTHER;
}

/* Reads it with the lock, and fills it if that has to be. */
static bool read_or_fill(int fd, numbers n)
{
	found f = read_file(fd, n);
	if (f != DAMAGED) {
		return f == WHOLE;
	}
	memset(n, 0, sizeof(numbers));
	return opa_file_may_reach(sizeof(empty)) && opa_file_write(fd, &empty, sizeof(empty), 0);
}

/* ---- a process's side ---- */

static bool is_there(const opa_spool *spool)
{
	struct stat st;
	return fstatat(spool->dir, OPA_CONTROL_COMMON, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
		   S_ISREG(st.st_mode) && st.st_size >= (off_t)sizeof(empty);
}

bool opa_control_make_common(const opa_spool *spool)
{
	numbers n;
	if (is_there(spool)) {
		return true;
	}
	int fd = opa_spool_is_intact(spool) ? opa_file_open_common(spool, OPA_CONTROL_COMMON) : -1;
	bool made = fd >= 0 && lock_file(spool, fd) && read_or_fill(fd, n);
	if (fd >= 0) {
		close(fd);
	}
	return made;
}

static result add(const opa_spool *spool, int fd, const numbers more)
{
	numbers n;
	if (!lock_file(spool, fd)) {
		return BUSY;
	}
	if (!read_or_fill(fd, n) || !opa_file_may_reach(COUNTERS_END)) {
		return FAILED;
	}
	for (int i = 0; i < OPA_CONTROL_COUNTERS; i++) {
		n[i] += more[i];
	}
	return opa_file_write(fd, n, sizeof(n), COUNTERS_AT) ? DONE : FAILED;
}

static result try_once(const opa_spool *spool, const numbers more)
{
	int fd = opa_file_open_common(spool, OPA_CONTROL_COMMON);
	if (fd < 0) {
		return FAILED;
	}
	result r = add(spool, fd, more);
	close(fd);
	return r;
}

bool opa_control_hand_over(
	const opa_spool *spool, const uint64_t counters[OPA_CONTROL_COUNTERS], unsigned tries)
{
	if (!opa_spool_is_intact(spool)) {
		return false;
	}
	result r = try_once(spool, counters);
	for (unsigned i = 1; i < tries && r == BUSY; i++) {
		nanosleep(&(struct timespec){.tv_nsec = PAUSE_NS}, NULL);
		r = try_once(spool, counters);
	}
	return r == DONE;
}

/* ---- the exporter's side ---- */

static bool has_numbers(int fd)
{
	numbers n;
	uint64_t any = 0;
	if (read_file(fd, n) == WHOLE) {
		for (int i = 0; i < OPA_CONTROL_COUNTERS; i++) {
			any |= n[i];
		}
	}
	return any != 0;
}

/*
 * Puts an empty file in its place. Killed before the exchange, an empty one is left in control/;
 * there is no moment in which the common file is missing. Where the file system knows no exchange
 * the numbers stay where they are, and count there.
 */
static bool exchange(const opa_spool *spool)
{
	char name[OPA_CONTROL_NAME_MAX], path[OPA_FILE_PATH_MAX];
	uint64_t random[2];
	opa_entropy_fill(random, sizeof(random));
	snprintf(name, sizeof(name), "%016llx%016llx.d", (unsigned long long)random[0],
		(unsigned long long)random[1]);
	if (!opa_file_path(path, "control", name) ||
		!opa_spool_replace_file(spool, path, &empty, sizeof(empty))) {
		return false;
	}
	if (syscall(SYS_renameat2, spool->dir, path, spool->dir, OPA_CONTROL_COMMON, RENAME_EXCHANGE) !=
		0) {
		opa_control_remove(spool, name);
		return false;
	}
	return true;
}

static bool lock_patiently(const opa_spool *spool, int fd)
{
	bool locked = lock_file(spool, fd);
	for (int i = 1; i < CLAIM_TRIES && !locked; i++) {
		nanosleep(&(struct timespec){.tv_nsec = PAUSE_NS}, NULL);
		locked = lock_file(spool, fd);
	}
	return locked;
}

bool opa_control_common_is_used(const opa_spool *spool)
{
	int fd = opa_file_open(spool, ".", OPA_CONTROL_COMMON, false);
	bool used = fd >= 0 && has_numbers(fd);
	if (fd >= 0) {
		close(fd);
	}
	return used;
}

bool opa_control_claim_common(const opa_spool *spool)
{
	int fd = opa_file_open(spool, ".", OPA_CONTROL_COMMON, true);
	bool claimed = fd >= 0 && lock_patiently(spool, fd) && has_numbers(fd) && exchange(spool);
	if (fd >= 0) {
		close(fd);
	}
	return claimed;
}
