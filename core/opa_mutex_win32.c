#include "opa_mutex.h"

#define WIN32_LEAN_AND_MEAN
#include <windows.h>

_Static_assert(sizeof(SRWLOCK) <= sizeof(opa_mutex), "opa_mutex is too small");

bool opa_mutex_init(opa_mutex *mutex)
{
	InitializeSRWLock((SRWLOCK *)mutex->opaque);
	return true;
}

void opa_mutex_deinit(opa_mutex *mutex)
{
	(void)mutex;
}

void opa_mutex_lock(opa_mutex *mutex)
{
	AcquireSRWLockExclusive((SRWLOCK *)mutex->opaque);
}

void opa_mutex_unlock(opa_mutex *mutex)
{
	ReleaseSRWLockExclusive((SRWLOCK *)mutex->opaque);
}
