/*
 * A plain mutex: not recursive, no condition. Its size is fixed here so that no header of the
 * platform is needed; the implementation checks that it is enough.
 *
 * While the process has one thread, as most PHP processes do all their life, nobody can meet in a
 * critical section, and taking the mutex is a note that it is taken (the C library says when that
 * is so, and does the same inside; here it saves the two calls). A thread cannot begin while the
 * only one that could make it is between lock and unlock: no critical section makes one. How a
 * mutex was taken is noted in it, so one that was taken by a single thread is given back as such.
 */
#ifndef OPA_MUTEX_H
#define OPA_MUTEX_H

#include "opa_base.h"

typedef struct opa_mutex {
	_Alignas(16) unsigned char opaque[48];
	bool alone; /* taken while the process had one thread */
} opa_mutex;

/* False when the platform has no more of them. */
bool opa_mutex_init(opa_mutex *mutex);

/* The mutex is not held. */
void opa_mutex_deinit(opa_mutex *mutex);

/* Points to a byte that is not zero while the process has one thread. */
extern const char *const opa_mutex_single_thread;

/* What the two below do when there are, or may be, more threads. */
void opa_mutex_lock_shared(opa_mutex *mutex);
void opa_mutex_unlock_shared(opa_mutex *mutex);

OPA_INLINE void opa_mutex_lock(opa_mutex *mutex)
{
	if (OPA_LIKELY(*(const volatile char *)opa_mutex_single_thread)) {
		mutex->alone = true;
	} else {
		opa_mutex_lock_shared(mutex);
	}
}

OPA_INLINE void opa_mutex_unlock(opa_mutex *mutex)
{
	if (OPA_LIKELY(mutex->alone)) {
		mutex->alone = false;
	} else {
		opa_mutex_unlock_shared(mutex);
	}
}

#endif
