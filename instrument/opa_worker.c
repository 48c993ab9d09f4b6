#include "opa_worker.h"
#include "../php_opa.h"
#include "../opa_request.h"

zif_handler opa_worker_original;

/* Where the call has its one argument. */
static zval *argument_of(zend_execute_data *call)
{
	return ZEND_CALL_ARG(call, 1);
}

/* Puts the program's callback where it was. The closure that stood there is not used again. */
static void put_back(zend_execute_data *call)
{
	zval *argument = argument_of(call), closure;
	ZVAL_COPY_VALUE(&closure, argument);
	ZVAL_COPY_VALUE(argument, &OPA_G(callback));
	ZVAL_UNDEF(&OPA_G(callback));
	zval_ptr_dtor(&closure);
}

/* Calls the program's callback as the original would have: from the original's own frame. */
static void call_program(
	zend_execute_data *caller, zend_execute_data *execute_data, zval *return_value)
{
	zend_fcall_info_cache cache;
	zend_fcall_info call = {
		.size = sizeof(call),
		.retval = return_value,
		.params = ZEND_CALL_ARG(execute_data, 1),
		.param_count = ZEND_NUM_ARGS(),
	};
	EG(current_execute_data) = caller;
	ZVAL_COPY_VALUE(&call.function_name, argument_of(caller));
	if (zend_is_callable_ex(
			&call.function_name, NULL, IS_CALLABLE_SUPPRESS_DEPRECATIONS, NULL, &cache, NULL)) {
		zend_call_function(&call, &cache);
	}
	EG(current_execute_data) = execute_data;
}

/* What the original calls: a request has come. */
static ZEND_NAMED_FUNCTION(serve)
{
	zend_execute_data *caller = EX(prev_execute_data);
	put_back(caller);
	opa_request_serve();
	call_program(caller, execute_data, return_value);
	if (Z_ISREF_P(return_value)) {
		EX(func)->common.fn_flags |= ZEND_ACC_RETURN_REFERENCE; /* the closure's own copy */
	}
}

/* A function like the original's, but of any arguments and any result. */
static void make_closure(const zend_execute_data *execute_data, zval *to)
{
	zend_function function = {.internal_function = EX(func)->internal_function};
	function.internal_function.handler = serve;
	function.internal_function.fn_flags = 0;
	function.internal_function.num_args = 0;
	function.internal_function.required_num_args = 0;
	function.internal_function.arg_info = NULL;
	zend_create_fake_closure(to, &function, NULL, NULL, NULL);
}

/* False where the original is to see the argument as it is: to say what is wrong with it. */
static bool replace_argument(zend_execute_data *execute_data)
{
	zval closure;
	zend_fcall_info_cache cache;
	if (!OPA_G(request).begun || ZEND_NUM_ARGS() != 1 || Z_TYPE(OPA_G(callback)) != IS_UNDEF ||
		!zend_is_callable_ex(argument_of(execute_data), NULL, 0, NULL, &cache, NULL)) {
		return false;
	}
	zend_release_fcall_info_cache(&cache);
	make_closure(execute_data, &closure);
	ZVAL_COPY_VALUE(&OPA_G(callback), argument_of(execute_data));
	ZVAL_COPY_VALUE(argument_of(execute_data), &closure);
	return true;
}

/*
 * A program that is no worker calls it in vain, and its trace goes on. One that has not said that
 * it is one, for want of $_SERVER, is known as soon as the first request has come.
 */
ZEND_NAMED_FUNCTION(opa_worker_handle_request)
{
	bool replaced = replace_argument(execute_data);
	if (EG(exception) != NULL) {
		return; /* an autoloader's; what the original would have come to as well */
	}
	if (replaced && OPA_G(request).worker) {
		opa_request_wait();
	}
	opa_worker_original(INTERNAL_FUNCTION_PARAM_PASSTHRU);
	if (!replaced) {
		return;
	}
	if (Z_TYPE(OPA_G(callback)) != IS_UNDEF) {
		put_back(execute_data); /* none came */
	} else {
		opa_request_answered();
	}
}
