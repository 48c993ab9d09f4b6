#include "opa_usage.h"
#include "opa_file.h"
#include "../core/opa_clock.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define SECOND   1000000000u
#define MEASURED (3ull * SECOND) /* how long the exporter's word counts; it speaks every second */

static const char *const folders[] = {"live", "sealed", "control"};

#define FOLDERS (sizeof(folders) / sizeof(*folders))

/* A time of the future is not: the difference is a very large number. */
static bool is_younger(uint64_t then, uint64_t age, uint64_t now)
{
	return now - then < age;
}

/* ---- the walk ---- */

/* Blocks of a file; 0 for what is none. */
static uint64_t blocks_of(DIR *dir, const char *name)
{
	struct stat st;
	if (name[0] == '.' || fstatat(dirfd(dir), name, &st, AT_SYMLINK_NOFOLLOW) != 0 ||
		!S_ISREG(st.st_mode)) {
		return 0;
	}
	return (uint64_t)st.st_blocks * 512;
}

/* Reads on in the record's folder; answers how many of `most` entries it did not come to read. */
static unsigned walk_folder(const opa_spool *spool, opa_usage_record *r, unsigned most)
{
	DIR *dir = opa_file_open_folder(spool->dir, folders[r->folder]);
	struct dirent *entry = NULL;
	if (dir != NULL && (r->place == 0 || lseek(dirfd(dir), (off_t)r->place, SEEK_SET) >= 0)) {
		while (most > 0 && (entry = readdir(dir)) != NULL) {
			most--;
			r->found += blocks_of(dir, entry->d_name);
			r->place = (uint64_t)entry->d_off;
		}
	}
	if (entry == NULL) {
		r->folder++;
		r->place = 0;
	}
	if (dir != NULL) {
		closedir(dir);
	}
	return most;
}

static void begin_walk(opa_usage_record *r)
{
	r->folder = 0;
	r->place = r->found = r->added = 0;
}

/*
 * What was added to the account while the walk went on may have been found by it, too, or not: that
 * the sum is too large then is put right by the next walk.
 */
static void step(const opa_spool *spool, opa_usage_record *r, uint64_t now, unsigned most)
{
	r->stepped = now;
	if (r->folder == 0 && r->place == 0) {
		begin_walk(r);
	}
	while (most > 0 && r->folder < FOLDERS) {
		most = walk_folder(spool, r, most);
	}
	uint64_t sum = r->found + r->added;
	if (r->folder == FOLDERS) {
		r->bytes = sum;
		begin_walk(r);
	} else if (sum > r->bytes) {
		r->bytes = sum;
	}
}

/* ---- the record ---- */

/* A file that is new or damaged is an account of nothing. */
static void read_record(int fd, opa_usage_record *r)
{
	if (opa_file_read(fd, r, sizeof(*r), 0) != (long)sizeof(*r) || r->magic != OPA_USAGE_MAGIC ||
		r->version != OPA_USAGE_VERSION || r->folder >= FOLDERS) {
		*r = (opa_usage_record){.magic = OPA_USAGE_MAGIC, .version = OPA_USAGE_VERSION};
	}
}

static bool write_record(int fd, const opa_usage_record *r)
{
	return opa_file_may_reach(sizeof(*r)) && opa_file_write(fd, r, sizeof(*r), 0);
}

/*
 * The record is locked. Answers false when it could not be written. What an exporter has found
 * meanwhile may be added to it once more: until it measures again the spool passes for larger.
 */
static bool keep_account(const opa_spool *spool, int fd, opa_usage_record *r, uint64_t written)
{
	uint64_t now = opa_clock_wall();
	bool due = !is_younger(r->measured, MEASURED, now) && !is_younger(r->stepped, SECOND, now);
	r->bytes += written;
	r->added += written;
	if (due) {
		step(spool, r, now, OPA_USAGE_STEP);
	}
	return (written == 0 && !due) || write_record(fd, r);
}

uint64_t opa_usage_report(const opa_spool *spool, uint64_t *written)
{
	opa_usage_record r;
	int fd = opa_file_open_common(spool, "usage");
	if (fd < 0) {
		return *written;
	}
	read_record(fd, &r);
	uint64_t size = r.bytes + *written;
	if (flock(fd, LOCK_EX | LOCK_NB) == 0) {
		read_record(fd, &r);
		bool kept = keep_account(spool, fd, &r, *written);
		size = r.bytes; /* that has `written` in it */
		*written = kept ? 0 : *written;
	}
	close(fd);
	return size;
}

uint64_t opa_usage_measure(const opa_spool *spool)
{
	opa_usage_record r = {.magic = OPA_USAGE_MAGIC, .version = OPA_USAGE_VERSION};
	int fd = opa_file_open_common(spool, "usage");
	while (r.folder < FOLDERS) {
		walk_folder(spool, &r, UINT32_MAX);
	}
	r.bytes = r.found;
	begin_walk(&r);
	r.measured = r.stepped = opa_clock_wall();
	if (fd >= 0) {
		if (flock(fd, LOCK_EX | LOCK_NB) == 0) {
			write_record(fd, &r);
		}
		close(fd);
	}
	return r.bytes;
}
