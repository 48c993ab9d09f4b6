#include "opa_spool.h"
#include "opa_file.h"
#include "../core/opa_clock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define SECOND    1000000000u
#define NO_LIMIT  UINT64_MAX
#define LIMIT_MAX ((uint64_t)1 << 60) /* version 1 has no word for "none", only large numbers */

static uint64_t measure_folder(const opa_spool *spool, const char *folder)
{
	DIR *dir = opa_file_open_folder(spool->dir, folder);
	uint64_t bytes = 0;
	if (dir == NULL) {
		return 0;
	}
	for (struct dirent *entry = readdir(dir); entry != NULL; entry = readdir(dir)) {
		struct stat st;
		if (fstatat(dirfd(dir), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
			S_ISREG(st.st_mode)) {
			bytes += (uint64_t)st.st_blocks * 512;
		}
	}
	closedir(dir);
	return bytes;
}

uint64_t opa_spool_measure(const opa_spool *spool)
{
	return measure_folder(spool, "live") + measure_folder(spool, "sealed");
}

/* A time stamp of the future (the clock was set back) counts as old. */
static bool is_fresh(const struct stat *st)
{
	uint64_t then = (uint64_t)st->st_mtim.tv_sec * SECOND + (uint64_t)st->st_mtim.tv_nsec;
	uint64_t now = opa_clock_wall();
	return then <= now + SECOND && now <= then + SECOND;
}

uint64_t opa_spool_usage(const opa_spool *spool)
{
	char text[32];
	struct stat st;
	int flags = O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
	int fd = opa_spool_lift_fd(openat(spool->dir, "usage", flags));
	if (fd >= 0) {
		long len = opa_file_read(fd, text, sizeof(text) - 1, 0);
		bool fresh = fstat(fd, &st) == 0 && is_fresh(&st) && len > 0;
		if (!fresh) {
			futimens(fd, NULL); /* those who ask while this process measures take the old one */
		}
		close(fd);
		if (fresh) {
			text[len] = '\0';
			return strtoull(text, NULL, 10);
		}
	}
	uint64_t bytes = opa_spool_measure(spool);
	int len = snprintf(text, sizeof(text), "%llu\n", (unsigned long long)bytes);
	opa_spool_replace_file(spool, "usage", text, (size_t)len);
	return bytes;
}

static uint64_t smaller(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* "max", what cannot be read, and what is too large to be meant count as no limit. */
static uint64_t read_limit(const char *path)
{
	char text[32];
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (fd < 0) {
		return NO_LIMIT;
	}
	long len = opa_file_read(fd, text, sizeof(text) - 1, 0);
	close(fd);
	if (len <= 0) {
		return NO_LIMIT;
	}
	text[len] = '\0';
	char *end;
	errno = 0;
	unsigned long long limit = strtoull(text, &end, 10);
	return end == text || errno != 0 || limit == 0 || limit >= LIMIT_MAX ? NO_LIMIT : limit;
}

/*
 * Up the tree from `group`. In a container the path that /proc names may be the host's, of which
 * nothing is mounted but the end of the walk: the root.
 */
static uint64_t walk_up(const char *mount, char *group, const char *file)
{
	uint64_t limit = NO_LIMIT;
	for (;;) {
		char path[OPA_SPOOL_PATH_MAX];
		int len = snprintf(path, sizeof(path), "%s%s/%s", mount, group, file);
		if (len > 0 && (size_t)len < sizeof(path)) {
			limit = smaller(limit, read_limit(path));
		}
		char *slash = strrchr(group, '/');
		if (slash == NULL) {
			return limit;
		}
		*slash = '\0';
	}
}

/* A line of /proc/self/cgroup: "0::/path" (version 2) or "4:cpu,memory:/path" (version 1). */
static uint64_t limit_of_line(const char *root, char *line)
{
	char mount[OPA_SPOOL_PATH_MAX];
	char *controllers = strchr(line, ':');
	char *group = controllers != NULL ? strchr(controllers + 1, ':') : NULL;
	if (group == NULL) {
		return NO_LIMIT;
	}
	*group++ = '\0';
	if (strcmp(line, "0:") == 0) {
		snprintf(mount, sizeof(mount), "%s/sys/fs/cgroup", root);
		return walk_up(mount, group, "memory.max");
	}
	char *save = NULL;
	for (char *name = strtok_r(controllers + 1, ",", &save); name != NULL;
		 name = strtok_r(NULL, ",", &save)) {
		if (strcmp(name, "memory") == 0) {
			snprintf(mount, sizeof(mount), "%s/sys/fs/cgroup/memory", root);
			return walk_up(mount, group, "memory.limit_in_bytes");
		}
	}
	return NO_LIMIT;
}

uint64_t opa_spool_cgroup_limit(const char *root)
{
	char path[OPA_SPOOL_PATH_MAX], text[8192];
	snprintf(path, sizeof(path), "%s/proc/self/cgroup", root);
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	long len = fd < 0 ? -1 : opa_file_read(fd, text, sizeof(text) - 1, 0);
	if (fd >= 0) {
		close(fd);
	}
	if (len <= 0) {
		return NO_LIMIT;
	}
	text[len] = '\0';
	uint64_t limit = NO_LIMIT;
	char *save = NULL;
	for (char *line = strtok_r(text, "\n", &save); line != NULL;
		 line = strtok_r(NULL, "\n", &save)) {
		limit = smaller(limit, limit_of_line(root, line));
	}
	return limit;
}

uint64_t opa_spool_default_max(const opa_spool *spool)
{
	uint64_t max = 64u * 1024 * 1024;
	struct statvfs fs;
	if (fstatvfs(spool->dir, &fs) == 0 && fs.f_blocks > 0) {
		max = smaller(max, (uint64_t)fs.f_blocks * fs.f_frsize / 4);
	}
	return smaller(max, opa_spool_cgroup_limit("") / 20);
}
