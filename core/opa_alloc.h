/*
 * The one door to the heap for core/, opa_span.* and export/: malloc(3), so that nothing here
 * depends on a PHP request, and a switch by which tests make the Nth allocation fail.
 *
 * Any thread may call these. Every caller handles NULL.
 */
#ifndef OPA_ALLOC_H
#define OPA_ALLOC_H

#include "opa_base.h"

void *opa_malloc(size_t size);
void *opa_calloc(size_t count, size_t size);

/* As realloc(3): on NULL the old block is untouched and still the caller's. size is never 0. */
void *opa_realloc(void *block, size_t size);
void opa_free(void *block);

/* A terminated copy of len bytes, or NULL. Freed with opa_free(). */
char *opa_strndup(const char *data, size_t len);

/*
 * Tests only: the allocation after `countdown` further ones fails, and with `sticky` all that
 * follow it. A negative countdown switches failing off. Answers how many allocations were asked
 * for since the last call.
 */
unsigned long opa_alloc_fail_after(long countdown, bool sticky);

#endif
