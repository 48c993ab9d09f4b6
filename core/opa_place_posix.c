#include "opa_place.h"
#include "opa_alloc.h"

#include <dlfcn.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

char *opa_place_beside(const void *address, const char *name)
{
	char path[PATH_MAX], full[PATH_MAX + 64];
	Dl_info info;
	if (dladdr(address, &info) == 0 || info.dli_fname == NULL ||
		realpath(info.dli_fname, path) == NULL) {
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
