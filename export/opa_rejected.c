#include "opa_rejected.h"
#include "opa_file.h"

#include "../core/opa_clock.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define FOLDER   "rejected"
#define ENDING   ".otlp"
#define NAME_LEN (20 + sizeof(ENDING) - 1) /* 20 digits: nanoseconds, so they sort by time */

static bool is_ours(const char *name)
{
	return strlen(name) == NAME_LEN && strspn(name, "0123456789") == 20 &&
		   strcmp(name + 20, ENDING) == 0;
}

/* How many there are, and the oldest of them. */
static unsigned look(const opa_spool *spool, char oldest[NAME_LEN + 1])
{
	DIR *dir = opa_file_open_folder(spool->dir, FOLDER);
	unsigned count = 0;
	if (dir == NULL) {
		return 0;
	}
	for (struct dirent *entry = readdir(dir); entry != NULL; entry = readdir(dir)) {
		if (is_ours(entry->d_name) && (count++ == 0 || strcmp(entry->d_name, oldest) < 0)) {
			memcpy(oldest, entry->d_name, NAME_LEN + 1);
		}
	}
	closedir(dir);
	return count;
}

void opa_rejected_keep(const opa_spool *spool, const void *request, size_t len)
{
	char path[OPA_FILE_PATH_MAX], oldest[NAME_LEN + 1];
	if (len > OPA_REJECTED_SIZE) {
		return;
	}
	while (look(spool, oldest) >= OPA_REJECTED_COUNT) {
		if (!opa_file_path(path, FOLDER, oldest) || unlinkat(spool->dir, path, 0) != 0) {
			return;
		}
	}
	snprintf(path, sizeof(path), FOLDER "/%020" PRIu64 ENDING, opa_clock_wall());
	opa_spool_replace_file(spool, path, request, len);
}
