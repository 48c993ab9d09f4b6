/*
 * The module: what it is called, and the state that it has for each thread.
 */
#ifndef PHP_OPA_H
#define PHP_OPA_H

#include "opa_php.h"
#include "opa_request.h"
#include "core/opa_version.h"

#define PHP_OPA_VERSION OPA_VERSION_TEXT

extern zend_module_entry opa_module_entry;
#define phpext_opa_ptr &opa_module_entry

ZEND_BEGIN_MODULE_GLOBALS(opa)
	opa_request request;
	opa_redact_memo memo;
	uint32_t conversion_calls; /* see opa_value.h */
	bool ini_changed;          /* a setting was changed since `config` was looked up */
	bool ini_switched;         /* opa.enabled was, by the program, which has no part in `config` */
	zval callback;             /* see instrument/opa_worker.h */
	uint64_t ini_refused;      /* a bit for each setting whose value in this request was refused */
	opa_config *config;        /* of the last request, held; shared, immutable */
ZEND_END_MODULE_GLOBALS(opa)

ZEND_EXTERN_MODULE_GLOBALS(opa)
#define OPA_G(v) ZEND_MODULE_GLOBALS_ACCESSOR(opa, v)

#if defined(ZTS) && defined(COMPILE_DL_OPA)
ZEND_TSRMLS_CACHE_EXTERN()
#endif

/* Whether opa's functions do anything now: what each of them asks first. */
static inline bool opa_request_records(void)
{
	opa_recording recording = OPA_G(request).recording;
	return EXPECTED(recording == OPA_RECORDING_ON) ||
		   (recording == OPA_RECORDING_FORKED && opa_request_wake());
}

#endif
