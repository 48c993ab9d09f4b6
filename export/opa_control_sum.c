#include "opa_control.h"
#include "opa_file.h"
#include "../core/opa_alloc.h"
#include "../core/opa_entropy.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#define ID_LEN 32
#define FEW    8 /* files that are left alone: the exporter may come for them */

#define FOLDER "control"

#define MERGED_AT offsetof(opa_control_file, slots)

bool opa_control_is_name(const char *name)
{
	return strspn(name, "0123456789abcdef") == ID_LEN &&
		   (strcmp(name + ID_LEN, ".c") == 0 || strcmp(name + ID_LEN, ".d") == 0);
}

static bool is_claimed(const char *name)
{
	return name[ID_LEN + 1] == 'd';
}

static bool is_sum(const char *name)
{
	return strcmp(name, OPA_CONTROL_SUM) == 0;
}

bool opa_control_remove(const opa_spool *spool, const char *name)
{
	char path[OPA_FILE_PATH_MAX];
	return opa_control_is_name(name) && opa_file_path(path, FOLDER, name) &&
		   unlinkat(spool->dir, path, 0) == 0;
}

void opa_control_add_dead(uint64_t sum[OPA_CONTROL_COUNTERS], const opa_control_file *file)
{
	for (int i = 0; i < OPA_CONTROL_COUNTERS; i++) {
		sum[i] += file->counters[i];
	}
	sum[OPA_COUNT_TRACES_STARTED] += file->running;
	sum[OPA_COUNT_TRACES_LOST] += file->running;
}

/* ---- the sum ---- */

static opa_control_merged *merged_of(opa_control_file *sum)
{
	return (opa_control_merged *)(void *)sum->slots;
}

typedef enum found {
	FOUND,
	FOUND_NONE,
	FOUND_OTHER, /* of another version, or it cannot be read: nothing may be done */
} found;

/* With *fd open for reading and writing where it was found. */
static found open_sum(const opa_spool *spool, opa_control_file *sum, int *fd)
{
	*fd = opa_file_open(spool, FOLDER, OPA_CONTROL_SUM, true);
	if (*fd < 0) {
		return errno == ENOENT ? FOUND_NONE : FOUND_OTHER;
	}
	if (opa_file_read(*fd, sum, sizeof(*sum), 0) == (long)sizeof(*sum) &&
		sum->magic == OPA_CONTROL_MAGIC && sum->version == OPA_CONTROL_VERSION &&
		sum->kind == OPA_CONTROL_OF_THE_DEAD && merged_of(sum)->count <= OPA_CONTROL_MERGED) {
		return FOUND;
	}
	close(*fd);
	return FOUND_OTHER;
}

/* Removes what the sum has taken in, and notes that. */
static void finish(const opa_spool *spool, opa_control_file *sum, int fd)
{
	const uint64_t none = 0;
	opa_control_merged *merged = merged_of(sum);
	for (uint64_t i = 0; i < merged->count; i++) {
		char name[OPA_CONTROL_NAME_MAX];
		snprintf(name, sizeof(name), "%.32s.c", merged->ids[i]);
		opa_control_remove(spool, name);
	}
	if (merged->count > 0 && opa_file_may_reach(MERGED_AT + sizeof(none))) {
		opa_file_write(fd, &none, sizeof(none), MERGED_AT);
	}
}

static void finish_last(const opa_spool *spool)
{
	int fd;
	opa_control_file *sum = opa_malloc(sizeof(*sum));
	if (sum != NULL && open_sum(spool, sum, &fd) == FOUND) {
		finish(spool, sum, fd);
		close(fd);
	}
	opa_free(sum);
}

int opa_control_lock(const opa_spool *spool)
{
	int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
	int fd = opa_spool_lift_fd(openat(spool->dir, FOLDER, flags));
	if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) != 0) {
		close(fd);
		return -1;
	}
	if (fd >= 0) {
		finish_last(spool);
	}
	return fd;
}

/* ---- merging ---- */

static bool has_open_spans(const opa_control_file *file)
{
	for (size_t i = 0; i < sizeof(file->slots); i++) {
		if (file->slots[i] != 0) {
			return true;
		}
	}
	return false;
}

/*
 * Whether it is a file that nobody writes to any more. The lock is asked first: of the living
 * nearly all have it, and that is the cheap question. It is kept as long as fd is open.
 */
static bool is_of_the_dead(int fd, opa_control_file *file)
{
	return flock(fd, LOCK_EX | LOCK_NB) == 0 &&
		   opa_file_read(fd, file, sizeof(*file), 0) == (long)sizeof(*file) &&
		   file->magic == OPA_CONTROL_MAGIC && file->version == OPA_CONTROL_VERSION &&
		   file->kind == OPA_CONTROL_OF_PROCESS && !has_open_spans(file) &&
		   opa_owner_look(&file->owner) != OPA_OWNER_ALIVE;
}

static void take_in(
	const opa_spool *spool, const char *name, opa_control_file *sum, opa_control_file *file)
{
	opa_control_merged *merged = merged_of(sum);
	int fd = opa_file_open(spool, FOLDER, name, false);
	if (fd < 0) {
		return;
	}
	if (is_of_the_dead(fd, file)) {
		opa_control_add_dead(sum->counters, file);
		memcpy(merged->ids[merged->count++], name, ID_LEN);
	}
	close(fd);
}

/* Up to `look` names. `file` is room to read one. */
static void gather(
	const opa_spool *spool, unsigned look, opa_control_file *sum, opa_control_file *file)
{
	DIR *dir = opa_file_open_folder(spool->dir, FOLDER);
	struct dirent *entry;
	while (dir != NULL && look-- > 0 && merged_of(sum)->count < OPA_CONTROL_MERGED &&
		   (entry = readdir(dir)) != NULL) {
		const char *name = entry->d_name;
		if (opa_control_is_name(name) && !is_claimed(name) && !is_sum(name)) {
			take_in(spool, name, sum, file);
		}
	}
	if (dir != NULL) {
		closedir(dir);
	}
}

/* What the sum is before the merge. False when nothing may be merged. */
static bool begin_sum(const opa_spool *spool, opa_control_file *sum)
{
	int fd;
	found old = open_sum(spool, sum, &fd);
	if (old == FOUND) {
		close(fd);
		merged_of(sum)->count = 0;
	} else {
		memset(sum, 0, sizeof(*sum));
		sum->magic = OPA_CONTROL_MAGIC;
		sum->version = OPA_CONTROL_VERSION;
		sum->kind = OPA_CONTROL_OF_THE_DEAD;
	}
	return old != FOUND_OTHER;
}

static unsigned merge(
	const opa_spool *spool, unsigned look, opa_control_file *sum, opa_control_file *file)
{
	int fd;
	if (!begin_sum(spool, sum)) {
		return 0;
	}
	gather(spool, look, sum, file);
	unsigned count = (unsigned)merged_of(sum)->count;
	if (count <= FEW ||
		!opa_spool_replace_file(spool, FOLDER "/" OPA_CONTROL_SUM, sum, sizeof(*sum)) ||
		open_sum(spool, sum, &fd) != FOUND) {
		return 0;
	}
	finish(spool, sum, fd);
	close(fd);
	return count;
}

unsigned opa_control_merge(const opa_spool *spool, unsigned look)
{
	opa_control_file *files = opa_malloc(2 * sizeof(*files));
	unsigned count = files != NULL ? merge(spool, look, &files[0], &files[1]) : 0;
	opa_free(files);
	return count;
}

/* ---- the exporter's part ---- */

/* The sum's own name will be that of another sum: it gets one that nothing had. */
bool opa_control_claim(const opa_spool *spool, const char *name, char claimed[OPA_CONTROL_NAME_MAX])
{
	char from[OPA_FILE_PATH_MAX], to[OPA_FILE_PATH_MAX];
	uint64_t random[2];
	if (is_claimed(name)) {
		snprintf(claimed, OPA_CONTROL_NAME_MAX, "%s", name);
		return true;
	}
	if (is_sum(name)) {
		opa_entropy_fill(random, sizeof(random));
		snprintf(claimed, OPA_CONTROL_NAME_MAX, "%016llx%016llx.d", (unsigned long long)random[0],
			(unsigned long long)random[1]);
	} else {
		snprintf(claimed, OPA_CONTROL_NAME_MAX, "%.32s.d", name);
	}
	return opa_file_path(from, FOLDER, name) && opa_file_path(to, FOLDER, claimed) &&
		   renameat(spool->dir, from, spool->dir, to) == 0;
}
