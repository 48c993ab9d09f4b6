#include "opa_wrap.h"

static const opa_wrapped *wrapped;
static size_t wrapped_count;
static zend_result (*next_post_startup)(void);

static void wrap(const opa_wrapped *function)
{
	zend_internal_function *found =
		zend_hash_str_find_ptr(CG(function_table), function->name, strlen(function->name));
	if (found != NULL && found->type == ZEND_INTERNAL_FUNCTION &&
		found->handler != function->wrapper) {
		*function->original = found->handler;
		found->handler = function->wrapper;
	}
}

static zend_result post_startup(void)
{
	for (size_t i = 0; i < wrapped_count; i++) {
		wrap(&wrapped[i]);
	}
	return next_post_startup != NULL ? next_post_startup() : SUCCESS;
}

void opa_wrap_startup(const opa_wrapped *functions, size_t count)
{
	wrapped = functions;
	wrapped_count = count;
	next_post_startup = zend_post_startup_cb;
	zend_post_startup_cb = post_startup;
}
