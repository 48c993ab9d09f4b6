#include "opa_place.h"
#include "opa_alloc.h"

#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The file itself, when `name` is a link. Without one the folder is as good by the name it has. */
static bool resolve(const char *name, char path[PATH_MAX])
{
	char target[1];
	size_t len = strlen(name);
	if (name[0] == '/' && len < PATH_MAX && readlink(name, target, sizeof(target)) < 0 &&
		errno == EINVAL) {
		memcpy(path, name, len + 1);
		return true;
	}
	return realpath(name, path) != NULL;
}

char *opa_place_beside(const void *address, const char *name)
{
	char path[PATH_MAX], full[PATH_MAX + 64];
	Dl_info info;
	if (dladdr(address, &info) == 0 || info.dli_fname == NULL || !resolve(info.dli_fname, path)) {
		return NULL;
	}
	char *slash = strrchr(path, '/');
	if (slash == NULL) {
		return NULL;
	}
	*slash = '\0';
	int len = snprintf(full, sizeof(full), "%s/%s", path, name);
	return len < 0 || (size_t)len >= sizeof(full) ? NULL : opa_strndup(full, (size_t)len);
}
