#include "php_opa.h"
#include "opa_dump.h"
#include "opa_error.h"
#include "opa_process.h"
#include "opa_value.h"
#include "core/opa_bounded.h"

#define DEPTH_MAX  6
#define WIDTH_MAX  128
#define STRING_MAX 1024

static void dump_value(opa_bounded *text, const zval *value, unsigned depth);

static void indent(opa_bounded *text, unsigned depth)
{
	for (unsigned i = 0; i < depth; i++) {
		opa_bounded_add_text(text, "  ");
	}
}

static void dump_string(opa_bounded *text, const zend_string *string)
{
	size_t len = ZSTR_LEN(string);
	opa_bounded_add_text(text, "\"");
	opa_bounded_add(text, ZSTR_VAL(string), MIN(len, STRING_MAX));
	opa_bounded_add_text(text, "\"");
	if (len > STRING_MAX) {
		opa_bounded_printf(text, "... (%zu bytes)", len);
	}
}

/* A property's name without the class that the engine keeps in front of it. */
static void dump_key(opa_bounded *text, const zend_string *name)
{
	const char *key = ZSTR_VAL(name);
	size_t len = ZSTR_LEN(name);
	if (len > 0 && key[0] == '\0') {
		const char *end = memchr(key + 1, '\0', len - 1);
		if (end != NULL) {
			len -= (size_t)(end + 1 - key);
			key = end + 1;
		}
	}
	opa_bounded_add(text, key, MIN(len, STRING_MAX));
}

/* Whether the value under that key is not to be shown: then it says so instead. */
static bool is_hidden(opa_bounded *text, const zend_string *name)
{
	const char *key = ZSTR_VAL(name);
	size_t len = ZSTR_LEN(name);
	const char *end = len > 0 && key[0] == '\0' ? memchr(key + 1, '\0', len - 1) : NULL;
	if (end != NULL) {
		len -= (size_t)(end + 1 - key);
		key = end + 1;
	}
	if (!opa_redact_asks(&OPA_G(memo), OPA_G(request).config->redact, (opa_str){key, len})) {
		return false;
	}
	opa_bounded_add_text(text, OPA_REDACTED "\n");
	return true;
}

static void dump_elements(opa_bounded *text, HashTable *elements, unsigned depth)
{
	unsigned n = 0;
	zend_ulong index;
	zend_string *name;
	zval *value;
	ZEND_HASH_FOREACH_KEY_VAL (elements, index, name, value) {
		if (Z_TYPE_P(value) == IS_INDIRECT) {
			value = Z_INDIRECT_P(value);
		}
		if (Z_TYPE_P(value) == IS_UNDEF) {
			continue; /* a typed property that was not set yet */
		}
		if (text->cut || n++ == WIDTH_MAX) {
			indent(text, depth + 1);
			opa_bounded_add_text(text, "...\n");
			break;
		}
		indent(text, depth + 1);
		if (name != NULL) {
			dump_key(text, name);
		} else {
			opa_bounded_printf(text, ZEND_LONG_FMT, (zend_long)index);
		}
		opa_bounded_add_text(text, " => ");
		if (name == NULL || !is_hidden(text, name)) {
			dump_value(text, value, depth + 1);
		}
	}
	ZEND_HASH_FOREACH_END();
	indent(text, depth);
	opa_bounded_add_text(text, "}\n");
}

static void dump_array(opa_bounded *text, HashTable *array, unsigned depth)
{
	opa_bounded_printf(text, "array(%u) {", zend_hash_num_elements(array));
	if (depth == DEPTH_MAX) {
		opa_bounded_add_text(text, " ... }\n");
		return;
	}
	opa_bounded_add_text(text, "\n");
	dump_elements(text, array, depth);
}

/* The declared properties' slots and the table of dynamic ones, if there is one: asking the object
   for its properties could run code. */
static void dump_object(opa_bounded *text, const zval *value, unsigned depth)
{
	zend_object *object = Z_OBJ_P(value);
	opa_str name = opa_value_type_name(value);
	opa_bounded_add(text, name.data, name.len);
	if (instanceof_function(object->ce, zend_ce_throwable)) {
		/* Its trace has arguments in it. */
		char summary[OPA_ERROR_SUMMARY];
		opa_str line = opa_error_summary(object, summary);
		opa_bounded_printf(text, "#%u {", object->handle);
		opa_bounded_add(text, line.data, line.len);
		opa_bounded_add_text(text, "}\n");
		return;
	}
	if (instanceof_function(object->ce, zend_ce_sensitive_parameter_value)) {
		opa_bounded_add_text(text, "\n");
		return;
	}
	opa_bounded_printf(text, "#%u {", object->handle);
	if (depth == DEPTH_MAX) {
		opa_bounded_add_text(text, " ... }\n");
		return;
	}
	opa_bounded_add_text(text, "\n");
	if (object->properties != NULL) {
		dump_elements(text, object->properties, depth);
		return;
	}
	for (int i = 0; i < object->ce->default_properties_count && !text->cut; i++) {
		zend_property_info *info = object->ce->properties_info_table[i];
		const zval *slot = OBJ_PROP_NUM(object, i);
		if (info != NULL && Z_TYPE_P(slot) != IS_UNDEF) {
			indent(text, depth + 1);
			dump_key(text, info->name);
			opa_bounded_add_text(text, " => ");
			if (!is_hidden(text, info->name)) {
				dump_value(text, slot, depth + 1);
			}
		}
	}
	indent(text, depth);
	opa_bounded_add_text(text, "}\n");
}

static void dump_double(opa_bounded *text, double value)
{
	char digits[64];
	php_gcvt(value, 17, '.', 'E', digits);
	opa_bounded_add_text(text, digits);
}

static void dump_value(opa_bounded *text, const zval *value, unsigned depth)
{
	ZVAL_DEREF(value);
	switch (Z_TYPE_P(value)) {
	case IS_UNDEF:
	case IS_NULL:
		opa_bounded_add_text(text, "null\n");
		return;
	case IS_FALSE:
		opa_bounded_add_text(text, "false\n");
		return;
	case IS_TRUE:
		opa_bounded_add_text(text, "true\n");
		return;
	case IS_LONG:
		opa_bounded_printf(text, ZEND_LONG_FMT "\n", Z_LVAL_P(value));
		return;
	case IS_DOUBLE:
		dump_double(text, Z_DVAL_P(value));
		break;
	case IS_STRING:
		dump_string(text, Z_STR_P(value));
		break;
	case IS_ARRAY:
		dump_array(text, Z_ARRVAL_P(value), depth);
		return;
	case IS_OBJECT:
		dump_object(text, value, depth);
		return;
	default: {
		opa_str name = opa_value_type_name(value);
		opa_bounded_add(text, name.data, name.len);
	}
	}
	opa_bounded_add_text(text, "\n");
}

void opa_dump_record(opa_span_id span, const zval *values, uint32_t count)
{
	opa_bounded text;
	opa_fields fields;
	opa_bounded_init(&text, OPA_G(request).config->max_value_length);
	opa_fields_init(&fields);
	for (uint32_t i = 0; i < count && !text.cut; i++) {
		dump_value(&text, &values[i], 0);
	}
	opa_value dump = OPA_VALUE_OF_STRING(opa_bounded_str(&text));
	opa_fields_string(&fields, OPA_TAG_EVENT_NAME, OPA_STR("dump"));
	opa_fields_attribute(&fields, OPA_TAG_EVENT_ATTRIBUTE, OPA_STR("opa.dump"), &dump);
	zend_string *file = zend_get_executed_filename_ex();
	if (file != NULL) {
		opa_value path = OPA_VALUE_OF_STRING(((opa_str){ZSTR_VAL(file), ZSTR_LEN(file)}));
		opa_value line = OPA_VALUE_OF_INT(zend_get_executed_lineno());
		opa_fields_attribute(&fields, OPA_TAG_EVENT_ATTRIBUTE, OPA_STR("code.file.path"), &path);
		opa_fields_attribute(&fields, OPA_TAG_EVENT_ATTRIBUTE, OPA_STR("code.line.number"), &line);
	}
	OPA_G(request).values_cut += text.cut;
	opa_span_add_event(
		opa_the_process.spans, OPA_G(request).owner, span, OPA_NOW, opa_fields_str(&fields));
	opa_fields_deinit(&fields);
	opa_bounded_deinit(&text);
}
