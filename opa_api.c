#include "opa_api.h"
#include "opa_process.h"
#include "opa_request_span.h"
#include "core/opa_utf8.h"
#include "core/opa_w3c.h"

#define ZERO_ID "0000000000000000"

static zend_string *zero_id;

void opa_api_startup(void)
{
	zero_id = zend_string_init_interned(ZERO_ID, sizeof(ZERO_ID) - 1, true);
}

/* ---- parameters ---- */

/*
 * The three functions that every span goes through are mostly called with strings and nothing that
 * is optional. Such a call needs no parsing; all others go the long way, which says what is wrong.
 * Both ways are functions of their own, so that the shorter does not save registers for the longer.
 */
static zend_always_inline bool has_strings(
	zend_execute_data *execute_data, uint32_t arguments, uint32_t strings)
{
	bool are = ZEND_CALL_NUM_ARGS(execute_data) == arguments;
	for (uint32_t i = 1; i <= strings; i++) {
		are = are && Z_TYPE_P(ZEND_CALL_ARG(execute_data, i)) == IS_STRING;
	}
	return are;
}

static zend_always_inline bool is_off(void)
{
	return OPA_G(request).recording == OPA_RECORDING_OFF;
}

static zend_always_inline zend_string *string_argument(zend_execute_data *execute_data, uint32_t i)
{
	return Z_STR_P(ZEND_CALL_ARG(execute_data, i));
}

static zend_always_inline zend_string *text_of(opa_span_id id)
{
	zend_string *text = zend_string_alloc(OPA_SPAN_ID_HEX, false);
	opa_span_id_format(id, ZSTR_VAL(text));
	ZSTR_VAL(text)[OPA_SPAN_ID_HEX] = '\0';
	return text;
}

zend_string *opa_api_text(opa_span_id id)
{
	return id == OPA_NO_SPAN ? zend_string_copy(zero_id) : text_of(id);
}

/*
 * A new span's id; remembered, because the next calls will most likely be about it. The one before
 * is kept a little longer: once the program has let go of it, its memory serves for the next.
 */
static zend_always_inline zend_string *new_id(opa_span_id id)
{
	opa_request *request = &OPA_G(request);
	zend_string *text = request->spare_text;
	if (EXPECTED(text != NULL) && EXPECTED(GC_REFCOUNT(text) == 1)) {
		opa_span_id_format(id, ZSTR_VAL(text));
		zend_string_forget_hash_val(text);
	} else {
		request->spare_text = NULL; /* to take memory may end the request, and does not come back */
		if (text != NULL) {
			zend_string_release(text);
		}
		text = text_of(id);
	}
	GC_ADDREF(text);
	request->spare_text = request->last_text;
	request->last_text = text;
	request->last_id = id;
	return text;
}

zend_string *opa_api_new_text(opa_span_id id)
{
	return id == OPA_NO_SPAN ? zend_string_copy(zero_id) : new_id(id);
}

static opa_str repair_name(opa_str name, opa_name_room *room)
{
	opa_utf8_repair(name.data, name.len, room->text);
	return (opa_str){room->text, opa_utf8_repaired_len(name.data, name.len)};
}

opa_str opa_api_name(const zend_string *name, opa_name_room *room)
{
	opa_str text = opa_value_name(name);
	return opa_utf8_is_valid(text.data, text.len) ? text : repair_name(text, room);
}

#define NS_PER_SECOND     1000000000u
#define FIRST_NANOSECONDS 1000000000000 /* 10^12: smaller ints are seconds */
#define LATEST_SECOND     9223372036 /* in nanoseconds it fits into 63 bits, as stores have them */

/* What is no time (negative, NaN, beyond the year 2262) is taken for now. */
static zend_never_inline uint64_t given_time(const zval *time)
{
	if (Z_TYPE_P(time) == IS_LONG) {
		zend_long value = Z_LVAL_P(time);
		if (value >= FIRST_NANOSECONDS) {
			return (uint64_t)value;
		}
		return value >= 0 && value < LATEST_SECOND ? (uint64_t)value * NS_PER_SECOND : OPA_NOW;
	}
	double seconds = Z_DVAL_P(time);
	if (!(seconds >= 0 && seconds < (double)LATEST_SECOND)) {
		return OPA_NOW;
	}
	/* A double has no room for today's nanoseconds: whole seconds and the rest are scaled apart. */
	double whole = floor(seconds);
	return (uint64_t)whole * NS_PER_SECOND + (uint64_t)((seconds - whole) * NS_PER_SECOND + 0.5);
}

static zend_always_inline uint64_t time_of(const zval *time)
{
	return EXPECTED(time == NULL) ? OPA_NOW : given_time(time);
}

/* ---- conversions ---- */

static void begin_conversion(opa_conversion *conversion)
{
	const opa_config *config = OPA_G(request).config;
	opa_conversion_begin(conversion, config->max_value_length, config->redact, &OPA_G(memo),
		&OPA_G(conversion_calls));
}

static void end_conversion(opa_conversion *conversion)
{
	OPA_G(request).values_cut += conversion->cut;
	opa_conversion_end(conversion);
}

bool opa_tags_begin(opa_tags *to, HashTable *tags, uint32_t limit, uint32_t tag)
{
	opa_fields_init(&to->fields);
	opa_fields_bound(&to->fields, OPA_G(request).config->limits.trace_size);
	begin_conversion(&to->conversion);
	to->dropped = 0;
	if (tags != NULL) {
		to->dropped = opa_value_convert_tags(&to->conversion, tags, limit, tag, &to->fields);
	}
	return EXPECTED(!to->conversion.stop) && EXPECTED(opa_request_records());
}

void opa_tags_end(opa_tags *tags)
{
	opa_fields_deinit(&tags->fields);
	end_conversion(&tags->conversion);
}

/* ---- spans ---- */

static zend_always_inline opa_span_id begin_named_span(
	opa_str name, const opa_attributes *attributes, const opa_span_options *options)
{
	opa_span_start start; /* an initialiser would set it to zero first */
	start.parent = options->parent == NULL ? OPA_NO_SPAN : opa_api_id(options->parent);
	start.name = name;
	start.kind = options->kind >= OPA_KIND_INTERNAL && options->kind <= OPA_KIND_CONSUMER
					 ? (opa_span_kind)options->kind
					 : OPA_KIND_INTERNAL;
	start.start = time_of(options->time);
	start.attributes = attributes;
	return opa_request_start_span(&start);
}

/* By itself, because it needs much of the stack. */
static zend_never_inline opa_span_id begin_repaired_span(
	opa_str name, const opa_attributes *attributes, const opa_span_options *options)
{
	opa_name_room room;
	return begin_named_span(repair_name(name, &room), attributes, options);
}

static zend_always_inline opa_span_id begin_span(
	zend_string *name, const opa_attributes *attributes, const opa_span_options *options)
{
	opa_str text = opa_value_name(name);
	return EXPECTED(opa_utf8_is_valid(text.data, text.len))
			   ? begin_named_span(text, attributes, options)
			   : begin_repaired_span(text, attributes, options);
}

static opa_span_id begin_tagged_span(zend_string *name, const opa_span_options *options)
{
	opa_tags tags;
	opa_span_id id = OPA_NO_SPAN;
	if (opa_tags_begin(&tags, options->tags, OPA_G(request).config->limits.attributes,
			OPA_TAG_SPAN_ATTRIBUTE)) {
		opa_attributes attributes = {tags.fields.data, tags.fields.len, tags.dropped};
		id = begin_span(name, &attributes, options);
	}
	opa_tags_end(&tags);
	if (UNEXPECTED(EG(exception) != NULL) && id != OPA_NO_SPAN) {
		/* The program will not get the id: nobody could end it. */
		opa_request_end_span(id, OPA_NOW);
		id = OPA_NO_SPAN;
	}
	return id;
}

opa_span_id opa_api_start_span(zend_string *name, const opa_span_options *options)
{
	return options->tags != NULL && zend_hash_num_elements(options->tags) > 0
			   ? begin_tagged_span(name, options)
			   : begin_span(name, NULL, options);
}

static zend_always_inline void return_id(opa_span_id id, zval *return_value)
{
	if (EXPECTED(id != OPA_NO_SPAN)) {
		RETURN_NEW_STR(new_id(id));
	}
	RETURN_INTERNED_STR(zero_id);
}

static zend_never_inline void start_plain_span(zend_string *name, zval *return_value)
{
	const opa_span_options none = {.kind = OPA_KIND_INTERNAL};
	return_id(EXPECTED(opa_request_records()) ? begin_span(name, NULL, &none) : OPA_NO_SPAN,
		return_value);
}

static zend_never_inline void start_span_with(INTERNAL_FUNCTION_PARAMETERS)
{
	zend_string *name;
	opa_span_options options = {.kind = OPA_KIND_INTERNAL};
	ZEND_PARSE_PARAMETERS_START(1, 5)
		Z_PARAM_STR(name)
		Z_PARAM_OPTIONAL
		Z_PARAM_ARRAY_HT(options.tags)
		Z_PARAM_STR_OR_NULL(options.parent)
		Z_PARAM_LONG(options.kind)
		Z_PARAM_NUMBER_OR_NULL(options.time)
	ZEND_PARSE_PARAMETERS_END();
	return_id(
		opa_request_records() ? opa_api_start_span(name, &options) : OPA_NO_SPAN, return_value);
}

PHP_FUNCTION(opa_start_span)
{
	if (EXPECTED(has_strings(execute_data, 1, 1))) {
		if (UNEXPECTED(is_off())) {
			RETURN_INTERNED_STR(zero_id);
		}
		start_plain_span(string_argument(execute_data, 1), return_value);
	} else {
		start_span_with(INTERNAL_FUNCTION_PARAM_PASSTHRU);
	}
}

static zend_never_inline void end_span_now(const zend_string *span, zval *return_value)
{
	RETURN_BOOL(EXPECTED(opa_request_records()) &&
				EXPECTED(opa_request_end_span(opa_api_id(span), OPA_NOW)));
}

static zend_never_inline void end_span_at(INTERNAL_FUNCTION_PARAMETERS)
{
	zend_string *span;
	zval *time = NULL;
	ZEND_PARSE_PARAMETERS_START(1, 2)
		Z_PARAM_STR(span)
		Z_PARAM_OPTIONAL
		Z_PARAM_NUMBER_OR_NULL(time)
	ZEND_PARSE_PARAMETERS_END();
	RETURN_BOOL(opa_request_records() && opa_request_end_span(opa_api_id(span), time_of(time)));
}

PHP_FUNCTION(opa_end_span)
{
	if (EXPECTED(has_strings(execute_data, 1, 1))) {
		if (UNEXPECTED(is_off())) {
			RETURN_FALSE;
		}
		end_span_now(string_argument(execute_data, 1), return_value);
	} else {
		end_span_at(INTERNAL_FUNCTION_PARAM_PASSTHRU);
	}
}

static bool set_tags(opa_span_id span, const opa_fields *fields, uint32_t dropped)
{
	opa_attributes attributes = {fields->data, fields->len, dropped};
	return opa_span_set_attributes(opa_the_process.spans, OPA_G(request).owner, span, attributes) ==
		   OPA_SPAN_OK;
}

/* Any value: converting it may take memory and run the program's code. */
static zend_never_inline bool add_any_tag(opa_span_id span, opa_str key, zval *value)
{
	opa_conversion conversion;
	opa_fields fields;
	bool done = false;
	opa_fields_init(&fields);
	opa_fields_bound(&fields, OPA_G(request).config->limits.trace_size);
	begin_conversion(&conversion);
	opa_value plain = opa_value_convert_for(&conversion, key, value);
	if (plain.type != OPA_VALUE_NULL && key.len > 0 && !conversion.stop && opa_request_records()) {
		opa_fields_attribute(&fields, OPA_TAG_SPAN_ATTRIBUTE, key, &plain);
		done = set_tags(span, &fields, fields.failed) && !fields.failed;
	}
	opa_fields_deinit(&fields);
	end_conversion(&conversion);
	return done;
}

/* What needs no conversion: nothing to cut, no code of the program's to run. */
static zend_always_inline bool is_plain(const zval *value, opa_value *plain)
{
	switch (Z_TYPE_P(value)) {
	case IS_STRING:
		*plain = OPA_VALUE_OF_STRING(((opa_str){Z_STRVAL_P(value), Z_STRLEN_P(value)}));
		return Z_STRLEN_P(value) <= OPA_G(request).config->max_value_length;
	case IS_LONG:
		*plain = OPA_VALUE_OF_INT(Z_LVAL_P(value));
		return true;
	case IS_DOUBLE:
		*plain = OPA_VALUE_OF_DOUBLE(Z_DVAL_P(value));
		return true;
	case IS_FALSE:
	case IS_TRUE:
		*plain = OPA_VALUE_OF_BOOL(Z_TYPE_P(value) == IS_TRUE);
		return true;
	default:
		return false;
	}
}

static zend_always_inline bool is_secret(const zend_string *name, opa_str key)
{
	opa_request *request = &OPA_G(request);
	const zend_string **slot = &request->clean_keys[((uintptr_t)name >> 5) % OPA_CLEAN_KEYS];
	if (EXPECTED(*slot == name)) {
		return false;
	}
	bool secret = opa_redact_asks(&OPA_G(memo), request->config->redact, key);
	if (!secret && ZSTR_IS_INTERNED(name)) {
		*slot = name;
	}
	return secret;
}

static zend_never_inline void add_tag(
	const zend_string *span, const zend_string *name, zval *value, zval *return_value)
{
	if (UNEXPECTED(!opa_request_records())) {
		RETURN_FALSE;
	}
	opa_value plain;
	opa_span_id id = opa_api_id(span);
	opa_str key = opa_value_name(name);
	if (UNEXPECTED(key.len == 0) || UNEXPECTED(!is_plain(value, &plain))) {
		RETURN_BOOL(add_any_tag(id, key, value));
	}
	if (UNEXPECTED(is_secret(name, key))) {
		plain = OPA_VALUE_OF_STRING(OPA_STR(OPA_REDACTED));
	}
	RETURN_BOOL(opa_span_set_attribute(
					opa_the_process.spans, OPA_G(request).owner, id, key, &plain) == OPA_SPAN_OK);
}

static zend_never_inline void parse_and_add_tag(INTERNAL_FUNCTION_PARAMETERS)
{
	zend_string *span, *key;
	zval *value;
	ZEND_PARSE_PARAMETERS_START(3, 3)
		Z_PARAM_STR(span)
		Z_PARAM_STR(key)
		Z_PARAM_ZVAL(value)
	ZEND_PARSE_PARAMETERS_END();
	add_tag(span, key, value, return_value);
}

PHP_FUNCTION(opa_add_tag)
{
	if (EXPECTED(has_strings(execute_data, 3, 2))) {
		if (UNEXPECTED(is_off())) {
			RETURN_FALSE;
		}
		add_tag(string_argument(execute_data, 1), string_argument(execute_data, 2),
			ZEND_CALL_ARG(execute_data, 3), return_value);
	} else {
		parse_and_add_tag(INTERNAL_FUNCTION_PARAM_PASSTHRU);
	}
}

PHP_FUNCTION(opa_add_tags)
{
	zend_string *span;
	HashTable *values;
	ZEND_PARSE_PARAMETERS_START(2, 2)
		Z_PARAM_STR(span)
		Z_PARAM_ARRAY_HT(values)
	ZEND_PARSE_PARAMETERS_END();
	if (!opa_request_records()) {
		RETURN_FALSE;
	}
	opa_tags tags;
	bool done = opa_tags_begin(&tags, values, OPA_G(request).config->limits.attributes,
					OPA_TAG_SPAN_ATTRIBUTE) &&
				set_tags(opa_api_id(span), &tags.fields, tags.dropped) && !tags.fields.failed;
	opa_tags_end(&tags);
	RETURN_BOOL(done);
}

PHP_FUNCTION(opa_add_event)
{
	zend_string *span, *name;
	HashTable *values = NULL;
	zval *time = NULL;
	ZEND_PARSE_PARAMETERS_START(2, 4)
		Z_PARAM_STR(span)
		Z_PARAM_STR(name)
		Z_PARAM_OPTIONAL
		Z_PARAM_ARRAY_HT(values)
		Z_PARAM_NUMBER_OR_NULL(time)
	ZEND_PARSE_PARAMETERS_END();
	if (!opa_request_records()) {
		RETURN_FALSE;
	}
	opa_tags tags;
	bool done = opa_tags_begin(
		&tags, values, OPA_G(request).config->event_attributes, OPA_TAG_EVENT_ATTRIBUTE);
	if (done) {
		opa_fields_string(&tags.fields, OPA_TAG_EVENT_NAME, opa_value_name(name));
		opa_fields_uint(&tags.fields, OPA_TAG_EVENT_DROPPED, tags.dropped);
		done = !tags.fields.failed &&
			   opa_span_add_event(opa_the_process.spans, OPA_G(request).owner, opa_api_id(span),
				   time_of(time), opa_fields_str(&tags.fields)) == OPA_SPAN_OK;
	}
	opa_tags_end(&tags);
	RETURN_BOOL(done);
}

PHP_FUNCTION(opa_add_link)
{
	zend_string *span, *text;
	HashTable *values = NULL;
	opa_traceparent to;
	ZEND_PARSE_PARAMETERS_START(2, 3)
		Z_PARAM_STR(span)
		Z_PARAM_STR(text)
		Z_PARAM_OPTIONAL
		Z_PARAM_ARRAY_HT(values)
	ZEND_PARSE_PARAMETERS_END();
	if (!opa_request_records() || !opa_w3c_parse((opa_str){ZSTR_VAL(text), ZSTR_LEN(text)}, &to)) {
		RETURN_FALSE;
	}
	opa_tags tags;
	bool done = opa_tags_begin(
		&tags, values, OPA_G(request).config->link_attributes, OPA_TAG_LINK_ATTRIBUTE);
	if (done) {
		opa_request_put_link(&tags.fields, &to, tags.dropped);
		done = !tags.fields.failed &&
			   opa_span_add_link(opa_the_process.spans, OPA_G(request).owner, opa_api_id(span),
				   opa_fields_str(&tags.fields)) == OPA_SPAN_OK;
	}
	opa_tags_end(&tags);
	RETURN_BOOL(done);
}

PHP_FUNCTION(opa_set_parent)
{
	zend_string *span, *parent;
	ZEND_PARSE_PARAMETERS_START(2, 2)
		Z_PARAM_STR(span)
		Z_PARAM_STR(parent)
	ZEND_PARSE_PARAMETERS_END();
	RETURN_BOOL(
		opa_request_records() && opa_span_set_parent(opa_the_process.spans, OPA_G(request).owner,
									 opa_api_id(span), opa_api_id(parent)) == OPA_SPAN_OK);
}

PHP_FUNCTION(opa_set_name)
{
	zend_string *span, *name;
	opa_name_room room;
	ZEND_PARSE_PARAMETERS_START(2, 2)
		Z_PARAM_STR(span)
		Z_PARAM_STR(name)
	ZEND_PARSE_PARAMETERS_END();
	RETURN_BOOL(
		opa_request_records() && opa_span_set_name(opa_the_process.spans, OPA_G(request).owner,
									 opa_api_id(span), opa_api_name(name, &room)) == OPA_SPAN_OK);
}

PHP_FUNCTION(opa_set_status)
{
	zend_string *span, *message = NULL;
	zend_long status;
	opa_name_room room;
	ZEND_PARSE_PARAMETERS_START(2, 3)
		Z_PARAM_STR(span)
		Z_PARAM_LONG(status)
		Z_PARAM_OPTIONAL
		Z_PARAM_STR(message)
	ZEND_PARSE_PARAMETERS_END();
	if (!opa_request_records() || status < OPA_STATUS_UNSET || status > OPA_STATUS_ERROR) {
		RETURN_FALSE;
	}
	opa_str text = message == NULL ? OPA_STR("") : opa_api_name(message, &room);
	RETURN_BOOL(opa_span_set_status(opa_the_process.spans, OPA_G(request).owner, opa_api_id(span),
					(opa_span_status)status, text, false) == OPA_SPAN_OK);
}
