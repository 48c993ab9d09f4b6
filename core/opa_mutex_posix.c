#include "opa_mutex.h"

#include <pthread.h>
#if defined(__has_include)
#if __has_include(<sys/single_threaded.h>)
#include <sys/single_threaded.h>
#define HAS_SINGLE_THREADED 1
#endif
#endif

_Static_assert(sizeof(pthread_mutex_t) <= sizeof(((opa_mutex *)0)->opaque), "opa_mutex is small");
_Static_assert(_Alignof(pthread_mutex_t) <= _Alignof(opa_mutex), "opa_mutex is not aligned");

#ifdef HAS_SINGLE_THREADED
const char *const opa_mutex_single_thread = &__libc_single_threaded;
#else
const char *const opa_mutex_single_thread = "";
#endif

bool opa_mutex_init(opa_mutex *mutex)
{
	mutex->alone = false;
	return pthread_mutex_init((pthread_mutex_t *)mutex->opaque, NULL) == 0;
}

void opa_mutex_deinit(opa_mutex *mutex)
{
	pthread_mutex_destroy((pthread_mutex_t *)mutex->opaque);
}

void opa_mutex_lock_shared(opa_mutex *mutex)
{
	pthread_mutex_lock((pthread_mutex_t *)mutex->opaque);
}

void opa_mutex_unlock_shared(opa_mutex *mutex)
{
	pthread_mutex_unlock((pthread_mutex_t *)mutex->opaque);
}
