#include "opa_place.h"
#include "opa_alloc.h"

#define WIN32_LEAN_AND_MEAN
#include <windows.h>

#include <stdio.h>
#include <string.h>

char *opa_place_beside(const void *address, const char *name)
{
	HMODULE module;
	char path[MAX_PATH], full[MAX_PATH + 64];
	DWORD flags =
		GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS | GET_MODULE_HANDLE_EX_FLAG_UNCHANGED_REFCOUNT;
	if (!GetModuleHandleExA(flags, (LPCSTR)address, &module) ||
		GetModuleFileNameA(module, path, sizeof(path)) == 0) {
		return NULL;
	}
	char *slash = strrchr(path, '\\');
	if (slash == NULL) {
		return NULL;
	}
	*slash = '\0';
	int len = snprintf(full, sizeof(full), "%s\\%s.exe", path, name);
	return len < 0 || (size_t)len >= sizeof(full) ? NULL : opa_strndup(full, (size_t)len);
}
