#include "opa_mutex.h"

#include <pthread.h>

_Static_assert(sizeof(pthread_mutex_t) <= sizeof(opa_mutex), "opa_mutex is too small");
_Static_assert(_Alignof(pthread_mutex_t) <= _Alignof(opa_mutex), "opa_mutex is not aligned");

bool opa_mutex_init(opa_mutex *mutex)
{
	return pthread_mutex_init((pthread_mutex_t *)mutex->opaque, NULL) == 0;
}

void opa_mutex_deinit(opa_mutex *mutex)
{
	pthread_mutex_destroy((pthread_mutex_t *)mutex->opaque);
}

void opa_mutex_lock(opa_mutex *mutex)
{
	pthread_mutex_lock((pthread_mutex_t *)mutex->opaque);
}

void opa_mutex_unlock(opa_mutex *mutex)
{
	pthread_mutex_unlock((pthread_mutex_t *)mutex->opaque);
}
