/*
 * Where this code was loaded from.
 */
#ifndef OPA_PLACE_H
#define OPA_PLACE_H

#include "opa_base.h"

/*
 * The absolute path of a file `name` in the directory of the library (or program) that `address`
 * lies in, whether it exists or not; NULL when that cannot be told. Freed with opa_free().
 */
char *opa_place_beside(const void *address, const char *name);

#endif
