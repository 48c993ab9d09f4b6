#include "opa_alloc.h"

#include <stdlib.h>
#include <string.h>

#ifdef OPA_TEST_ALLOC

#include <stdatomic.h>

static atomic_long fail_countdown = -1;
static atomic_bool fail_sticky;
static atomic_ulong asked;

static bool fails(void)
{
	atomic_fetch_add(&asked, 1);
	long left = atomic_load(&fail_countdown);
	if (left < 0) {
		return false;
	}
	if (left == 0) {
		if (!atomic_load(&fail_sticky)) {
			atomic_store(&fail_countdown, -1);
		}
		return true;
	}
	atomic_fetch_sub(&fail_countdown, 1);
	return false;
}

unsigned long opa_alloc_fail_after(long countdown, bool sticky)
{
	atomic_store(&fail_countdown, countdown);
	atomic_store(&fail_sticky, sticky);
	return atomic_exchange(&asked, 0);
}

#else

#define fails() false

unsigned long opa_alloc_fail_after(long countdown, bool sticky)
{
	(void)countdown;
	(void)sticky;
	return 0;
}

#endif

void *opa_malloc(size_t size)
{
	return fails() ? NULL : malloc(size);
}

void *opa_calloc(size_t count, size_t size)
{
	return fails() ? NULL : calloc(count, size);
}

void *opa_realloc(void *block, size_t size)
{
	return fails() ? NULL : realloc(block, size);
}

void opa_free(void *block)
{
	free(block);
}

char *opa_strndup(const char *data, size_t len)
{
	char *copy = opa_malloc(len + 1);
	if (copy != NULL) {
		if (len > 0) {
			memcpy(copy, data, len);
		}
		copy[len] = '\0';
	}
	return copy;
}
