/*
 * Random bytes of the system, for seeds and file names. Any thread may call it.
 */
#ifndef OPA_ENTROPY_H
#define OPA_ENTROPY_H

#include "opa_base.h"

/*
 * Fills len bytes. Where the system refuses (a seccomp filter, say), the bytes come from clocks,
 * pid and addresses: good enough that ids do not collide, not a secret. Async-signal-safe.
 */
void opa_entropy_fill(void *bytes, size_t len);

#endif
