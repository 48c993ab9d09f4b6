/*
 * A plain mutex: not recursive, no condition. Its size is fixed here so that no header of the
 * platform is needed; the implementation checks that it is enough.
 */
#ifndef OPA_MUTEX_H
#define OPA_MUTEX_H

#include "opa_base.h"

typedef struct opa_mutex {
	_Alignas(16) unsigned char opaque[48];
} opa_mutex;

/* False when the platform has no more of them. */
bool opa_mutex_init(opa_mutex *mutex);

/* The mutex is not held. */
void opa_mutex_deinit(opa_mutex *mutex);

void opa_mutex_lock(opa_mutex *mutex);
void opa_mutex_unlock(opa_mutex *mutex);

#endif
