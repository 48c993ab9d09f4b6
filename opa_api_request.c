#include "opa_api.h"
#include "opa_dump.h"
#include "opa_error.h"
#include "opa_process.h"
#include "opa_request_span.h"
#include "opa_status.h"

/* ---- exceptions ---- */

static bool record_exception(opa_span_id span, zend_object *exception, HashTable *values)
{
	opa_tags tags;
	uint64_t number = opa_error_number(exception);
	bool done = opa_tags_begin(&tags, values, OPA_G(request).config->event_attributes,
					OPA_TAG_EVENT_ATTRIBUTE) &&
				!tags.fields.failed &&
				opa_error_record(span, exception, number, opa_fields_str(&tags.fields),
					tags.dropped) == OPA_SPAN_OK;
	opa_tags_end(&tags);
	return done;
}

PHP_FUNCTION(opa_record_exception)
{
	zend_string *span;
	zend_object *exception;
	HashTable *tags = NULL;
	ZEND_PARSE_PARAMETERS_START(2, 3)
		Z_PARAM_STR(span)
		Z_PARAM_OBJ_OF_CLASS(exception, zend_ce_throwable)
		Z_PARAM_OPTIONAL
		Z_PARAM_ARRAY_HT(tags)
	ZEND_PARSE_PARAMETERS_END();
	RETURN_BOOL(opa_request_records() && record_exception(opa_api_id(span), exception, tags));
}

PHP_FUNCTION(opa_track_error)
{
	zend_object *exception;
	ZEND_PARSE_PARAMETERS_START(1, 1)
		Z_PARAM_OBJ_OF_CLASS(exception, zend_ce_throwable)
	ZEND_PARSE_PARAMETERS_END();
	RETURN_BOOL(opa_request_records() && record_exception(opa_request_current(), exception, NULL));
}

/* What the call threw, if it is an exception and not the engine's way to exit. */
static zend_object *thrown_exception(void)
{
	zend_object *thrown = EG(exception);
	return thrown != NULL && instanceof_function(thrown->ce, zend_ce_throwable) ? thrown : NULL;
}

/* Calls the program's function with the id, by reference if it wants that. */
static void call_with_id(
	zend_fcall_info *call, zend_fcall_info_cache *cache, zend_string *id, zval *result)
{
	zval argument;
	ZVAL_STR(&argument, id);
	/* NULL: __call() or the like, which take nothing by reference. */
	if (cache->function_handler != NULL && ARG_SHOULD_BE_SENT_BY_REF(cache->function_handler, 1)) {
		ZVAL_MAKE_REF(&argument);
	}
	call->params = &argument;
	call->param_count = 1;
	call->retval = result;
	zend_call_function(call, cache);
	zval_ptr_dtor(&argument);
	if (Z_ISREF_P(result)) {
		zend_unwrap_reference(result);
	}
}

PHP_FUNCTION(opa_trace)
{
	zend_string *name;
	zend_fcall_info call;
	zend_fcall_info_cache cache;
	opa_span_options options = {.kind = OPA_KIND_INTERNAL};
	ZEND_PARSE_PARAMETERS_START(2, 3)
		Z_PARAM_STR(name)
		Z_PARAM_FUNC(call, cache)
		Z_PARAM_OPTIONAL
		Z_PARAM_ARRAY_HT(options.tags)
	ZEND_PARSE_PARAMETERS_END();
	opa_span_id id = OPA_NO_SPAN;
	if (opa_request_records()) {
		id = opa_api_start_span(name, &options);
		if (EG(exception) != NULL) {
			RETURN_THROWS();
		}
	}
	call_with_id(&call, &cache, opa_api_new_text(id), return_value);
	if (id != OPA_NO_SPAN && opa_request_records()) {
		zend_object *exception = thrown_exception();
		if (exception != NULL) {
			opa_error_record(id, exception, opa_error_number(exception), (opa_str){NULL, 0}, 0);
		}
		opa_request_end_span(id, OPA_NOW);
	}
}

/* ---- state ---- */

PHP_FUNCTION(opa_current_span)
{
	ZEND_PARSE_PARAMETERS_NONE();
	RETURN_STR(opa_api_text(opa_request_records() ? opa_request_current() : OPA_NO_SPAN));
}

PHP_FUNCTION(opa_root_span)
{
	ZEND_PARSE_PARAMETERS_NONE();
	RETURN_STR(opa_api_text(
		opa_request_records() ? opa_request_trace_current()->local_root : OPA_NO_SPAN));
}

PHP_FUNCTION(opa_trace_id)
{
	ZEND_PARSE_PARAMETERS_NONE();
	if (!opa_request_records()) {
		RETURN_NULL();
	}
	const opa_request_trace *trace = opa_request_trace_current();
	OPA_G(request).script_ran = true;
	if (!trace->traced) {
		RETURN_NULL();
	}
	zend_string *text = zend_string_alloc(OPA_TRACE_ID_HEX, false);
	opa_hex_format(trace->trace_id, OPA_TRACE_ID_LEN, ZSTR_VAL(text));
	ZSTR_VAL(text)[OPA_TRACE_ID_HEX] = '\0';
	RETURN_NEW_STR(text);
}

/* ---- on and off ---- */

PHP_FUNCTION(opa_enable)
{
	ZEND_PARSE_PARAMETERS_NONE();
	RETURN_BOOL(opa_request_enable());
}

PHP_FUNCTION(opa_disable)
{
	ZEND_PARSE_PARAMETERS_NONE();
	bool was_on = opa_request_records();
	opa_request_disable();
	RETURN_BOOL(was_on);
}

PHP_FUNCTION(opa_is_enabled)
{
	ZEND_PARSE_PARAMETERS_NONE();
	RETURN_BOOL(opa_request_records());
}

PHP_FUNCTION(opa_dump)
{
	zval *values;
	uint32_t count;
	ZEND_PARSE_PARAMETERS_START(0, -1)
		Z_PARAM_VARIADIC('*', values, count)
	ZEND_PARSE_PARAMETERS_END();
	if (opa_request_records()) {
		opa_dump_record(opa_request_current(), values, count);
	}
}

PHP_FUNCTION(opa_flush)
{
	zend_long timeout_ms = 5000;
	ZEND_PARSE_PARAMETERS_START(0, 1)
		Z_PARAM_OPTIONAL
		Z_PARAM_LONG(timeout_ms)
	ZEND_PARSE_PARAMETERS_END();
	if (!opa_request_records() || !opa_request_flush()) {
		RETURN_FALSE;
	}
	unsigned wait = (unsigned)MAX(0, MIN(timeout_ms, 600000));
	RETURN_BOOL(opa_publish_flush(opa_the_process.publisher, &OPA_G(request).config->outlet, wait));
}

PHP_FUNCTION(opa_status)
{
	ZEND_PARSE_PARAMETERS_NONE();
	opa_status_array(return_value);
}
