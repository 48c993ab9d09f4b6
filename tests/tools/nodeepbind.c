/*
 * Preloaded in front of libasan: PHP opens extensions with RTLD_DEEPBIND, which the sanitizers'
 * runtime refuses, because calls from the extension would go round its malloc.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stddef.h>

typedef void *(*dlopen_function)(const char *, int);

void *dlopen(const char *path, int flags)
{
	static dlopen_function real;

	if (real == NULL) {
		real = (dlopen_function)dlsym(RTLD_NEXT, "dlopen");
	}
	return real(path, flags & ~RTLD_DEEPBIND);
}
