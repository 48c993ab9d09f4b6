#include "opa_spool.h"
#include "opa_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NO_LIMIT  UINT64_MAX
#define SURELY    (256u * 1024) /* no PHP runs in a cgroup of which this is more than a twentieth */
#define LIMIT_MAX ((uint64_t)1 << 60) /* version 1 has no word for "none", only large numbers */

static uint64_t smaller(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* "max", what cannot be read, and what is too large to be meant count as no limit. */
static uint64_t read_limit(const char *path)
{
	char text[32];
	if (opa_file_read_text(AT_FDCWD, path, text, sizeof(text)) <= 0) {
		return NO_LIMIT;
	}
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
	if (opa_file_read_text(AT_FDCWD, path, text, sizeof(text)) <= 0) {
		return NO_LIMIT;
	}
	uint64_t limit = NO_LIMIT;
	char *save = NULL;
	for (char *line = strtok_r(text, "\n", &save); line != NULL;
		 line = strtok_r(NULL, "\n", &save)) {
		limit = smaller(limit, limit_of_line(root, line));
	}
	return limit;
}

uint64_t opa_spool_max_size(opa_spool *spool)
{
	if (!spool->max_known) {
		spool->max_size = smaller(spool->max_size, opa_spool_cgroup_limit("") / 20);
		spool->max_known = true;
	}
	return spool->max_size;
}

bool opa_spool_may_take(opa_spool *spool, uint64_t size)
{
	return size <= SURELY ? size <= spool->max_size : size <= opa_spool_max_size(spool);
}
