/*
 * A mark that is this process's alone: a forked child does not have it, in whatever way it was
 * forked (pthread_atfork(3) handlers do not run for a raw clone(2)). To ask costs one read of
 * memory where the kernel can wipe a page on fork (Linux 4.14), else one getpid(2).
 *
 * Any thread may ask, also while a mark is settled; set and clear are for a time when nobody asks.
 */
#ifndef OPA_FORK_H
#define OPA_FORK_H

#include "opa_base.h"

#include <stdatomic.h>

typedef struct opa_fork_mark {
	_Atomic(volatile unsigned char *) page; /* wiped in a child; NULL: pid is compared */
	uint64_t pid;
} opa_fork_mark;

/* Makes the mark this process's. Zeroed memory is nobody's; a mark that was inherited is used
 * again. */
void opa_fork_mark_set(opa_fork_mark *mark);
void opa_fork_mark_clear(opa_fork_mark *mark);

/*
 * From now on to ask is one read: for a process that stays, because to get the page costs as much
 * as a hundred getpid(2). By one thread at a time.
 */
void opa_fork_mark_settle(opa_fork_mark *mark);

/* What the next one does without a page. */
bool opa_fork_mark_has_pid(const opa_fork_mark *mark);

OPA_INLINE bool opa_fork_mark_is_ours(const opa_fork_mark *mark)
{
	const volatile unsigned char *page = atomic_load_explicit(&mark->page, memory_order_acquire);
	return page != NULL ? *page != 0 : opa_fork_mark_has_pid(mark);
}

#endif
