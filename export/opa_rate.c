#include "opa_rate.h"
#include "../core/opa_alloc.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define SECOND    1001 /* and one more: moments are rounded down */
#define AT_ONCE   256  /* moments that one look reads */
#define CROWD     64   /* processes that may be between looking and appending, and some */
#define NAME_SIZE 32
#define SIZE      sizeof(opa_rate_moment)

static void name_of(uint32_t limit, char name[NAME_SIZE])
{
	snprintf(name, NAME_SIZE, "rate-%lu", (unsigned long)limit);
}

void opa_rate_close(opa_rate *rate)
{
	opa_file_close(&rate->file);
	*rate = OPA_RATE_NONE;
}

static bool open_file(opa_rate *rate, const opa_spool *spool, uint32_t limit)
{
	char name[NAME_SIZE];
	struct stat st;
	opa_rate_close(rate);
	/* As for opa_file_make(): the directory may be another one by now. */
	if (!opa_spool_is_intact(spool)) {
		return false;
	}
	name_of(limit, name);
	int flags = O_RDWR | O_CREAT | O_APPEND | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
	int fd = opa_spool_lift_fd(openat(spool->dir, name, flags, 0600));
	/* A umask may have taken the owner's own rights from a new file. */
	if (fd >= 0 && (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) ||
					   ((st.st_mode & 0600) != 0600 && fchmod(fd, 0600) != 0))) {
		close(fd);
		fd = -1;
	}
	if (fd >= 0) {
		rate->file = (opa_file){.fd = fd, .device = st.st_dev, .inode = st.st_ino};
		rate->limit = limit;
	}
	return fd >= 0;
}

/* The file and its size; false when it cannot be had. */
static bool look(opa_rate *rate, const opa_spool *spool, uint32_t limit, uint64_t *size)
{
	if (rate->limit == limit && opa_file_look(&rate->file, size) == OPA_FILE_OURS) {
		return true;
	}
	return open_file(rate, spool, limit) && opa_file_look(&rate->file, size) == OPA_FILE_OURS;
}

/* One that is ahead was written meanwhile; further ahead it is of before a restart of the host. */
static bool is_young(opa_rate_moment then, opa_rate_moment now)
{
	int32_t age = (int32_t)(now - then);
	return age > -SECOND && age < SECOND;
}

/*
 * Whether the moment with that number is more than a second ago. Reads some behind it, too: they
 * are of the same time or later, and once old they stay so.
 */
static bool is_old(opa_rate *rate, uint64_t number, opa_rate_moment now)
{
	opa_rate_moment moments[AT_ONCE];
	if (number < rate->old) {
		return true;
	}
	long got = opa_file_read(rate->file.fd, moments, sizeof(moments), number * SIZE);
	size_t count = got < 0 ? 0 : (size_t)got / SIZE, old = 0;
	while (old < count && !is_young(moments[old], now)) {
		old++;
	}
	if (old > 0) {
		rate->old = number + old;
		return true;
	}
	if (count > 0) {
		rate->shut = true;
		rate->opens = moments[0] + SECOND;
	}
	return count == 0; /* it could not be read */
}

/* The last `limit` moments become a file of their own, which is opened when it is needed. */
static void shorten(opa_rate *rate, const opa_spool *spool, uint64_t count)
{
	char name[NAME_SIZE];
	size_t kept = count < rate->limit ? (size_t)count : rate->limit;
	opa_rate_moment *moments = opa_malloc((kept + 1) * SIZE);
	if (moments == NULL) {
		return;
	}
	long got = opa_file_read(rate->file.fd, moments, kept * SIZE, (count - kept) * SIZE);
	name_of(rate->limit, name);
	if (got == (long)(kept * SIZE) && opa_spool_is_intact(spool)) {
		opa_spool_replace_file(spool, name, moments, kept * SIZE);
	}
	opa_free(moments);
	opa_rate_close(rate);
}

/* Others may do so meanwhile: the file may be longer than it was. */
static bool append(const opa_rate *rate, opa_rate_moment now, uint64_t size)
{
	ssize_t wrote;
	if (!opa_file_may_reach(size + OPA_RATE_SPARE * SIZE)) {
		return false;
	}
	do {
		wrote = write(rate->file.fd, &now, SIZE);
	} while (wrote < 0 && errno == EINTR);
	return wrote == (ssize_t)SIZE;
}

/*
 * Whether the moment that was just appended is within the limit still, where others were quicker:
 * behind an append the descriptor stands at its end. Not asked while there is room for all of them.
 */
static bool is_within(opa_rate *rate, uint64_t count, uint32_t limit, opa_rate_moment now)
{
	if (count - rate->old + CROWD < limit) {
		return true;
	}
	off_t end = lseek(rate->file.fd, 0, SEEK_CUR);
	uint64_t number = end < (off_t)SIZE ? 0 : (uint64_t)end / SIZE - 1;
	return number < limit || number == count || is_old(rate, number - limit, now);
}

bool opa_rate_take(opa_rate *rate, const opa_spool *spool, uint32_t limit, uint64_t mono)
{
	opa_rate_moment now = (opa_rate_moment)(mono / 1000000);
	uint64_t size;
	if (rate->shut && rate->limit == limit) {
		if (is_young(rate->opens - SECOND, now)) {
			return false;
		}
		rate->shut = false;
	}
	if (!look(rate, spool, limit, &size)) {
		return true;
	}
	if (size % SIZE != 0) {
		/* A write that a full disk has cut, or not of ours. */
		shorten(rate, spool, size / SIZE);
		if (!look(rate, spool, limit, &size)) {
			return true;
		}
	}
	uint64_t count = size / SIZE;
	if (count >= limit && !is_old(rate, count - limit, now)) {
		return false;
	}
	bool within = !append(rate, now, size) || is_within(rate, count, limit, now);
	if (count >= (uint64_t)limit + OPA_RATE_SPARE) {
		shorten(rate, spool, count + 1);
	}
	return within;
}
