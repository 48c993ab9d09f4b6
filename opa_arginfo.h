/* This is a generated file, edit the .stub.php file instead.
 * Stub hash: ba12b393ecaae62b546dda51f3e50e86b86db223 */

ZEND_BEGIN_ARG_WITH_RETURN_TYPE_INFO_EX(arginfo_opa_start_span, 0, 1, IS_STRING, 0)
	ZEND_ARG_TYPE_INFO(0, name, IS_STRING, 0)
	ZEND_ARG_TYPE_INFO_WITH_DEFAULT_VALUE(0, tags, IS_ARRAY, 0, "[]")
	ZEND_ARG_TYPE_INFO_WITH_DEFAULT_VALUE(0, parent, IS_STRING, 1, "null")
	ZEND_ARG_TYPE_INFO_WITH_DEFAULT_VALUE(0, kind, IS_LONG, 0, "OPA_KIND_INTERNAL")
	ZEND_ARG_TYPE_MASK(0, start, MAY_BE_LONG|MAY_BE_DOUBLE|MAY_BE_NULL, "null")
ZEND_END_ARG_INFO()

ZEND_BEGIN_ARG_WITH_RETURN_TYPE_INFO_EX(arginfo_opa_start_trace, 0, 1, IS_STRING, 0)
	ZEND_ARG_TYPE_INFO(0, name, IS_STRING, 0)
	ZEND_ARG_TYPE_INFO_WITH_DEFAULT_VALUE(0, tags, IS_ARRAY, 0, "[]")
	ZEND_ARG_TYPE_INFO_WITH_DEFAULT_VALUE(0, headers, IS_ARRAY, 1, "null")
	ZEND_ARG_TYPE_INFO_WITH_DEFAULT_VALUE(0, kind, IS_LONG, 0, "OPA_KIND_CONSUMER")
ZEND_END_ARG_INFO()

ZEND_BEGIN_ARG_WITH_RETURN_TYPE_INFO_EX(arginfo_opa_end_trace, 0, 1, _IS_BOOL, 0)
	ZEND_ARG_TYPE_INFO(0, span, IS_STRING, 0)
ZEND_END_ARG_INFO()

ZEND_BEGIN_ARG_WITH_RETURN_TYPE_INFO_EX(arginfo_opa_end_span, 0, 1, _IS_BOOL, 0)
	ZEND_ARG_TYPE_INFO(0, span, IS_STRING, 0)
	ZEND_ARG_TYPE_MASK(0, end, MAY_BE_LONG|MAY_BE_DOUBLE|MAY_BE_NULL, "null")
ZEND_END_ARG_INFO()

ZEND_BEGIN_ARG_WITH_RETURN_TYPE_INFO_EX(arginfo_opa_add_tag, 0, 3, _IS_BOOL, 0)
	ZEND_ARG_TYPE_INFO(0, span, IS_STRING, 0)
	ZEND_ARG_TYPE_INFO(0, key, IS_STRING, 0)
	ZEND_ARG_TYPE_INFO(0, value, IS_MIXED, 0)
ZEND_END_ARG_INFO()

ZEND_BEGIN_ARG_WITH_RETURN_TYPE_INFO_EX(arginfo_opa_add_tags, 0, 2, _IS_BOOL, 0)
	ZEND_ARG_TYPE_INFO(0, span, IS_STRING, 0)
	ZEND_ARG_TYPE_INFO(0, tags, IS_ARRAY, 0)
ZEND_END_ARG_INFO()

ZEND_BEGIN_ARG_WITH_RETURN_TYPE_INFO_EX(arginfo_opa_add_event, 0, 2, _IS_BOOL, 0)
	ZEND_ARG_TYPE_INFO(0, span, IS_STRING, 0)
	ZEND_ARG_TYPE_INFO(0, name, IS_STRING, 0)
	ZEND_ARG_TYPE_INFO_WITH_DEFAULT_VALUE(0, tags, IS_ARRAY, 0, "[]")
	ZEND_ARG_TYPE_MASK(0, time, MAY_BE_LONG|MAY_BE_DOUBLE|MAY_BE_NULL, "null")
ZEND_END_ARG_INFO()

ZEND_BEGIN_ARG_WITH_RETURN_TYPE_INFO_EX(arginfo_opa_add_link, 0, 2, _IS_BOOL, 0)
	ZEND_ARG_TYPE_INFO(0, span, IS_STRING, 0)
	ZEND_ARG_TYPE_INFO(0, traceparent, IS_STRING, 0)
	ZEND_ARG_TYPE_INFO_WITH_DEFAULT_VALUE(0, tags, IS_ARRAY, 0, "[]")
ZEND_END_ARG_INFO()

ZEND_BEGIN_ARG_WITH_RETURN_TYPE_INFO_EX(arginfo_opa_set_parent, 0, 2, _IS_BOOL, 0)
	ZEND_ARG_TYPE_INFO(0, span, IS_STRING, 0)
	ZEND_ARG_TYPE_INFO(0, parent, IS_STRING, 0)
ZEND_END_ARG_INFO()

ZEND_BEGIN_ARG_WITH_RETURN_TYPE_INFO_EX(arginfo_opa_set_name, 0, 2, _IS_BOOL, 0)
	ZEND_ARG_TYPE_INFO(0, span, IS_STRING, 0)
	ZEND_ARG_TYPE_INFO(0, name, IS_STRING, 0)
ZEND_END_ARG_INFO()

ZEND_BEGIN_ARG_WITH_RETURN_TYPE_INFO_EX(arginfo_opa_set_status, 0, 2, _IS_BOOL, 0)
	ZEND_ARG_TYPE_INFO(0, span, IS_STRING, 0)
	ZEND_ARG_TYPE_INFO(0, status, IS_LONG, 0)
	ZEND_ARG_TYPE_INFO_WITH_DEFAULT_VALUE(0, message, IS_STRING, 0, "\'\'")
ZEND_END_ARG_INFO()

ZEND_BEGIN_ARG_WITH_RETURN_TYPE_INFO_EX(arginfo_opa_record_exception, 0, 2, _IS_BOOL, 0)
	ZEND_ARG_TYPE_INFO(0, span, IS_STRING, 0)
	ZEND_ARG_OBJ_INFO(0, e, Throwable, 0)
	ZEND_ARG_TYPE_INFO_WITH_DEFAULT_VALUE(0, tags, IS_ARRAY, 0, "[]")
ZEND_END_ARG_INFO()

ZEND_BEGIN_ARG_WITH_RETURN_TYPE_INFO_EX(arginfo_opa_track_error, 0, 1, _IS_BOOL, 0)
	ZEND_ARG_OBJ_INFO(0, e, Throwable, 0)
ZEND_END_ARG_INFO()

ZEND_BEGIN_ARG_WITH_RETURN_TYPE_INFO_EX(arginfo_opa_trace, 0, 2, IS_MIXED, 0)
	ZEND_ARG_TYPE_INFO(0, name, IS_STRING, 0)
	ZEND_ARG_TYPE_INFO(0, fn, IS_CALLABLE, 0)
	ZEND_ARG_TYPE_INFO_WITH_DEFAULT_VALUE(0, tags, IS_ARRAY, 0, "[]")
ZEND_END_ARG_INFO()

ZEND_BEGIN_ARG_WITH_RETURN_TYPE_INFO_EX(arginfo_opa_current_span, 0, 0, IS_STRING, 1)
ZEND_END_ARG_INFO()

#define arginfo_opa_root_span arginfo_opa_current_span

#define arginfo_opa_trace_id arginfo_opa_current_span

ZEND_BEGIN_ARG_WITH_RETURN_TYPE_INFO_EX(arginfo_opa_traceparent, 0, 0, IS_STRING, 1)
	ZEND_ARG_TYPE_INFO_WITH_DEFAULT_VALUE(0, span, IS_STRING, 1, "null")
ZEND_END_ARG_INFO()

ZEND_BEGIN_ARG_WITH_RETURN_TYPE_INFO_EX(arginfo_opa_propagation_headers, 0, 0, IS_ARRAY, 0)
	ZEND_ARG_TYPE_INFO_WITH_DEFAULT_VALUE(0, span, IS_STRING, 1, "null")
ZEND_END_ARG_INFO()

ZEND_BEGIN_ARG_WITH_RETURN_TYPE_INFO_EX(arginfo_opa_enable, 0, 0, _IS_BOOL, 0)
ZEND_END_ARG_INFO()

#define arginfo_opa_disable arginfo_opa_enable

#define arginfo_opa_is_enabled arginfo_opa_enable

ZEND_BEGIN_ARG_WITH_RETURN_TYPE_INFO_EX(arginfo_opa_dump, 0, 0, IS_VOID, 0)
	ZEND_ARG_VARIADIC_TYPE_INFO(0, values, IS_MIXED, 0)
ZEND_END_ARG_INFO()

ZEND_BEGIN_ARG_WITH_RETURN_TYPE_INFO_EX(arginfo_opa_flush, 0, 0, _IS_BOOL, 0)
	ZEND_ARG_TYPE_INFO_WITH_DEFAULT_VALUE(0, timeout_ms, IS_LONG, 0, "5000")
ZEND_END_ARG_INFO()

ZEND_BEGIN_ARG_WITH_RETURN_TYPE_INFO_EX(arginfo_opa_status, 0, 0, IS_ARRAY, 0)
ZEND_END_ARG_INFO()


ZEND_FUNCTION(opa_start_span);
ZEND_FUNCTION(opa_start_trace);
ZEND_FUNCTION(opa_end_trace);
ZEND_FUNCTION(opa_end_span);
ZEND_FUNCTION(opa_add_tag);
ZEND_FUNCTION(opa_add_tags);
ZEND_FUNCTION(opa_add_event);
ZEND_FUNCTION(opa_add_link);
ZEND_FUNCTION(opa_set_parent);
ZEND_FUNCTION(opa_set_name);
ZEND_FUNCTION(opa_set_status);
ZEND_FUNCTION(opa_record_exception);
ZEND_FUNCTION(opa_track_error);
ZEND_FUNCTION(opa_trace);
ZEND_FUNCTION(opa_current_span);
ZEND_FUNCTION(opa_root_span);
ZEND_FUNCTION(opa_trace_id);
ZEND_FUNCTION(opa_traceparent);
ZEND_FUNCTION(opa_propagation_headers);
ZEND_FUNCTION(opa_enable);
ZEND_FUNCTION(opa_disable);
ZEND_FUNCTION(opa_is_enabled);
ZEND_FUNCTION(opa_dump);
ZEND_FUNCTION(opa_flush);
ZEND_FUNCTION(opa_status);


static const zend_function_entry ext_functions[] = {
	ZEND_FE(opa_start_span, arginfo_opa_start_span)
	ZEND_FE(opa_start_trace, arginfo_opa_start_trace)
	ZEND_FE(opa_end_trace, arginfo_opa_end_trace)
	ZEND_FE(opa_end_span, arginfo_opa_end_span)
	ZEND_FE(opa_add_tag, arginfo_opa_add_tag)
	ZEND_FE(opa_add_tags, arginfo_opa_add_tags)
	ZEND_FE(opa_add_event, arginfo_opa_add_event)
	ZEND_FE(opa_add_link, arginfo_opa_add_link)
	ZEND_FE(opa_set_parent, arginfo_opa_set_parent)
	ZEND_FE(opa_set_name, arginfo_opa_set_name)
	ZEND_FE(opa_set_status, arginfo_opa_set_status)
	ZEND_FE(opa_record_exception, arginfo_opa_record_exception)
	ZEND_FE(opa_track_error, arginfo_opa_track_error)
	ZEND_FE(opa_trace, arginfo_opa_trace)
	ZEND_FE(opa_current_span, arginfo_opa_current_span)
	ZEND_FE(opa_root_span, arginfo_opa_root_span)
	ZEND_FE(opa_trace_id, arginfo_opa_trace_id)
	ZEND_FE(opa_traceparent, arginfo_opa_traceparent)
	ZEND_FE(opa_propagation_headers, arginfo_opa_propagation_headers)
	ZEND_FE(opa_enable, arginfo_opa_enable)
	ZEND_FE(opa_disable, arginfo_opa_disable)
	ZEND_FE(opa_is_enabled, arginfo_opa_is_enabled)
	ZEND_FE(opa_dump, arginfo_opa_dump)
	ZEND_FE(opa_flush, arginfo_opa_flush)
	ZEND_FE(opa_status, arginfo_opa_status)
	ZEND_FE_END
};

static void register_opa_symbols(int module_number)
{
	REGISTER_STRING_CONSTANT("OPA_VERSION", PHP_OPA_VERSION, CONST_PERSISTENT);
	REGISTER_LONG_CONSTANT("OPA_KIND_INTERNAL", OPA_KIND_INTERNAL, CONST_PERSISTENT);
	REGISTER_LONG_CONSTANT("OPA_KIND_SERVER", OPA_KIND_SERVER, CONST_PERSISTENT);
	REGISTER_LONG_CONSTANT("OPA_KIND_CLIENT", OPA_KIND_CLIENT, CONST_PERSISTENT);
	REGISTER_LONG_CONSTANT("OPA_KIND_PRODUCER", OPA_KIND_PRODUCER, CONST_PERSISTENT);
	REGISTER_LONG_CONSTANT("OPA_KIND_CONSUMER", OPA_KIND_CONSUMER, CONST_PERSISTENT);
	REGISTER_LONG_CONSTANT("OPA_STATUS_UNSET", OPA_STATUS_UNSET, CONST_PERSISTENT);
	REGISTER_LONG_CONSTANT("OPA_STATUS_OK", OPA_STATUS_OK, CONST_PERSISTENT);
	REGISTER_LONG_CONSTANT("OPA_STATUS_ERROR", OPA_STATUS_ERROR, CONST_PERSISTENT);
}
