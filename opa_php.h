/*
 * PHP's headers, behind one door: as system headers, so that opa's own warnings are about opa's own
 * code.
 *
 * With them snprintf() is PHP's own: of a "%.*s" it looks for the end before it cuts, so what it is
 * given has to be terminated.
 */
#ifndef OPA_PHP_H
#define OPA_PHP_H

#if defined(__GNUC__) || defined(__clang__)
#pragma GCC system_header
#endif

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "php.h"
#include "php_ini.h"
#include "SAPI.h"
#include "ext/date/php_date.h"
#include "ext/standard/info.h"
#include "zend_arena.h"
#include "zend_attributes.h"
#include "zend_closures.h"
#include "zend_enum.h"
#include "zend_exceptions.h"
#include "zend_extensions.h"
#include "zend_fibers.h"
#include "zend_interfaces.h"
#include "zend_observer.h"
#include "zend_smart_str.h"
#include "zend_weakrefs.h"

#endif
