#include "opa_mutex.h"

#define WIN32_LEAN_AND_MEAN
#include <windows.h>

_Static_assert(sizeof(SRWLOCK) <= sizeof(((opa_mutex *)0)->opaque), "opa_mutex is too small");

/* Windows does not tell. */
const char *const opa_mutex_single_thread = "";

bool opa_mutex_init(opa_mutex *mutex)
{
	mutex->alone = false;
	InitializeSRWLock((SRWLOCK *)mutex->opaque);
	return true;
}

void opa_mutex_deinit(opa_mutex *mutex)
{
	(void)mutex;
}

void opa_mutex_lock_shared(opa_mutex *mutex)
{
	AcquireSRWLockExclusive((SRWLOCK *)mutex->opaque);
}

void opa_mutex_unlock_shared(opa_mutex *mutex)
{
	ReleaseSRWLockExclusive((SRWLOCK *)mutex->opaque);
}
