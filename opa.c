/*
 * The module: its globals, its life, its entry. Wiring only.
 */
#include "php_opa.h"
#include "opa_api.h"
#include "opa_arginfo.h"
#include "opa_error.h"
#include "opa_http.h"
#include "opa_ini.h"
#include "opa_process.h"
#include "opa_status.h"
#include "instrument/opa_sapi.h"
#ifdef OPA_BENCH
#include "bench/opa_bench.h"
#endif

ZEND_DECLARE_MODULE_GLOBALS(opa)

/* GINIT: once for each thread. */
static void init_globals(void *globals)
{
#if defined(ZTS) && defined(COMPILE_DL_OPA)
	ZEND_TSRMLS_CACHE_UPDATE();
#endif
	memset(globals, 0, sizeof(zend_opa_globals));
}

/* GSHUTDOWN: when a thread ends, and after MSHUTDOWN; of any thread, maybe by another one. */
static void deinit_globals(void *globals)
{
	zend_opa_globals *of_thread = globals;
	opa_fiber_deinit(&of_thread->request.fibers);
	opa_config_release(of_thread->config);
	of_thread->config = NULL;
}

static PHP_MINIT_FUNCTION(opa)
{
	opa_ini_register(module_number);
	register_opa_symbols(module_number);
	opa_api_startup();
	opa_http_startup();
#ifdef OPA_BENCH
	opa_bench_startup();
#endif
	/*
	 * dl() loads a module for the rest of one request. The hooks could not be taken out again, so
	 * opa stays off then, and its functions answer false.
	 */
	if (type == MODULE_PERSISTENT && opa_process_startup()) {
		opa_fiber_startup();
		opa_error_startup();
		opa_sapi_startup();
	}
	return SUCCESS;
}

static PHP_MSHUTDOWN_FUNCTION(opa)
{
	opa_request_shutdown();
	opa_process_shutdown();
	opa_ini_unregister(module_number);
	return SUCCESS;
}

static PHP_RINIT_FUNCTION(opa)
{
#if defined(ZTS) && defined(COMPILE_DL_OPA)
	ZEND_TSRMLS_CACHE_UPDATE();
#endif
	opa_request_begin();
	return SUCCESS;
}

static PHP_RSHUTDOWN_FUNCTION(opa)
{
	opa_request_leave();
	return SUCCESS;
}

static ZEND_MODULE_POST_ZEND_DEACTIVATE_D(opa)
{
	opa_request_end();
	return SUCCESS;
}

static PHP_MINFO_FUNCTION(opa)
{
	opa_status_info();
}

zend_module_entry opa_module_entry = {
	STANDARD_MODULE_HEADER,
	"opa",
	ext_functions,
	PHP_MINIT(opa),
	PHP_MSHUTDOWN(opa),
	PHP_RINIT(opa),
	PHP_RSHUTDOWN(opa),
	PHP_MINFO(opa),
	PHP_OPA_VERSION,
	PHP_MODULE_GLOBALS(opa),
	init_globals,
	deinit_globals,
	ZEND_MODULE_POST_ZEND_DEACTIVATE_N(opa),
	STANDARD_MODULE_PROPERTIES_EX,
};

#ifdef COMPILE_DL_OPA
#ifdef ZTS
ZEND_TSRMLS_CACHE_DEFINE()
#endif
ZEND_GET_MODULE(opa)
#endif
