#include "opa_sapi.h"
#include "opa_worker.h"
#include "opa_wrap.h"
#include "../php_opa.h"
#include "../opa_request.h"

#include <sys/stat.h>
#include <unistd.h>

static zif_handler fastcgi_finish_request, litespeed_finish_request, frankenphp_finish_request,
	pcntl_exec;

static ZEND_NAMED_FUNCTION(wrapped_fastcgi_finish_request)
{
	fastcgi_finish_request(INTERNAL_FUNCTION_PARAM_PASSTHRU);
	if (Z_TYPE_P(return_value) == IS_TRUE) {
		opa_request_answered();
	}
}

static ZEND_NAMED_FUNCTION(wrapped_litespeed_finish_request)
{
	litespeed_finish_request(INTERNAL_FUNCTION_PARAM_PASSTHRU);
	if (Z_TYPE_P(return_value) == IS_TRUE) {
		opa_request_answered();
	}
}

static ZEND_NAMED_FUNCTION(wrapped_frankenphp_finish_request)
{
	frankenphp_finish_request(INTERNAL_FUNCTION_PARAM_PASSTHRU);
	if (Z_TYPE_P(return_value) == IS_TRUE) {
		opa_request_answered();
	}
}

/* Whether execve(2) of that path is likely to succeed: it is a program that may be run. */
static bool is_program(const zval *path)
{
	struct stat st;
	ZVAL_DEREF(path);
	return Z_TYPE_P(path) == IS_STRING && strlen(Z_STRVAL_P(path)) == Z_STRLEN_P(path) &&
		   stat(Z_STRVAL_P(path), &st) == 0 && S_ISREG(st.st_mode) &&
		   access(Z_STRVAL_P(path), X_OK) == 0;
}

/* It comes back only if it has failed. */
static ZEND_NAMED_FUNCTION(wrapped_pcntl_exec)
{
	bool ended = ZEND_NUM_ARGS() > 0 && is_program(ZEND_CALL_ARG(execute_data, 1)) &&
				 opa_request_end_early();
	pcntl_exec(INTERNAL_FUNCTION_PARAM_PASSTHRU);
	if (ended) {
		opa_request_go_on();
	}
}

static const opa_wrapped functions[] = {
	{"fastcgi_finish_request", wrapped_fastcgi_finish_request, &fastcgi_finish_request},
	{"litespeed_finish_request", wrapped_litespeed_finish_request, &litespeed_finish_request},
	{"frankenphp_finish_request", wrapped_frankenphp_finish_request, &frankenphp_finish_request},
	{"frankenphp_handle_request", opa_worker_handle_request, &opa_worker_original},
	{"pcntl_exec", wrapped_pcntl_exec, &pcntl_exec},
};

void opa_sapi_startup(void)
{
	opa_wrap_startup(functions, sizeof(functions) / sizeof(functions[0]));
}
