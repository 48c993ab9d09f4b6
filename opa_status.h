/*
 * What is going on, for people: opa_status() and phpinfo().
 */
#ifndef OPA_STATUS_H
#define OPA_STATUS_H

#include "opa_php.h"

/* The array that opa_status() answers. */
void opa_status_array(zval *to);

/* The module's part of phpinfo(). */
void opa_status_info(void);

#endif
