/*
 * The differences between the versions of PHP that opa supports (8.2 to 8.6): the only place that
 * asks for the version.
 */
#ifndef OPA_COMPAT_H
#define OPA_COMPAT_H

#include "opa_php.h"

/* 8.3 made the value that PHP's own error functions and handlers use one for the public. */
#ifndef E_FATAL_ERRORS
#define E_FATAL_ERRORS                                                                             \
	(E_ERROR | E_CORE_ERROR | E_COMPILE_ERROR | E_USER_ERROR | E_RECOVERABLE_ERROR | E_PARSE)
#endif

#endif
