#include "php_opa.h"
#include "opa_compat.h"
#include "opa_error.h"
#include "opa_process.h"
#include "core/opa_block.h"
#include "core/opa_bounded.h"
#include "core/opa_fields.h"
#include "core/opa_utf8.h"

#define CHAIN_MAX  16
#define FRAMES_MAX 256

/* ---- reading a Throwable ---- */

/* The slot of one of Exception's (or Error's) own properties: reading it runs no code. */
static zval *property(zend_object *exception, const char *name)
{
	zend_class_entry *base =
		instanceof_function(exception->ce, zend_ce_exception) ? zend_ce_exception : zend_ce_error;
	zend_property_info *info = zend_hash_str_find_ptr(&base->properties_info, name, strlen(name));
	if (info == NULL || !instanceof_function(exception->ce, base)) {
		return NULL;
	}
	zval *value = OBJ_PROP(exception, info->offset);
	ZVAL_DEREF(value);
	return value;
}

static opa_str text_property(zend_object *exception, const char *name)
{
	zval *value = property(exception, name);
	return value != NULL && Z_TYPE_P(value) == IS_STRING
			   ? (opa_str){Z_STRVAL_P(value), Z_STRLEN_P(value)}
			   : (opa_str){"", 0};
}

static zend_long line_of(zend_object *exception)
{
	zval *value = property(exception, "line");
	return value != NULL && Z_TYPE_P(value) == IS_LONG ? Z_LVAL_P(value) : 0;
}

static opa_str class_of(zend_object *exception)
{
	/* An anonymous class's name has a NUL and a path behind its readable part. */
	const char *name = ZSTR_VAL(exception->ce->name);
	return (opa_str){name, strlen(name)};
}

/* ---- stack traces ---- */

static opa_str frame_text(zval *frame, const char *key)
{
	zval *value = zend_hash_str_find_deref(Z_ARRVAL_P(frame), key, strlen(key));
	return value != NULL && Z_TYPE_P(value) == IS_STRING
			   ? (opa_str){Z_STRVAL_P(value), Z_STRLEN_P(value)}
			   : (opa_str){"", 0};
}

static void add(opa_bounded *text, opa_str part)
{
	opa_bounded_add(text, part.data, part.len);
}

/* As Exception::getTraceAsString() does it, but without arguments. */
static void add_frame(opa_bounded *text, unsigned number, zval *frame)
{
	zval *line = zend_hash_str_find_deref(Z_ARRVAL_P(frame), "line", 4);
	opa_str file = frame_text(frame, "file");
	opa_bounded_printf(text, "#%u ", number);
	if (file.len > 0) {
		add(text, file);
		opa_bounded_printf(text, "(" ZEND_LONG_FMT "): ",
			line != NULL && Z_TYPE_P(line) == IS_LONG ? Z_LVAL_P(line) : (zend_long)0);
	} else {
		opa_bounded_add_text(text, "[internal function]: ");
	}
	add(text, frame_text(frame, "class"));
	add(text, frame_text(frame, "type"));
	add(text, frame_text(frame, "function"));
	opa_bounded_add_text(text, "()\n");
}

static void add_trace(opa_bounded *text, zend_object *exception)
{
	zval *trace = property(exception, "trace"), *frame;
	unsigned number = 0;
	if (trace != NULL && Z_TYPE_P(trace) == IS_ARRAY) {
		ZEND_HASH_FOREACH_VAL (Z_ARRVAL_P(trace), frame) {
			ZVAL_DEREF(frame);
			if (number == FRAMES_MAX || text->cut) {
				break;
			}
			if (Z_TYPE_P(frame) == IS_ARRAY) {
				add_frame(text, number++, frame);
			}
		}
		ZEND_HASH_FOREACH_END();
	}
	opa_bounded_printf(text, "#%u {main}", number);
}

static void add_place(opa_bounded *text, zend_object *exception)
{
	add(text, text_property(exception, "file"));
	opa_bounded_printf(text, "(" ZEND_LONG_FMT ")", line_of(exception));
}

/* The exception's own trace, then each previous one's. */
static void add_chain(opa_bounded *text, zend_object *exception)
{
	for (unsigned n = 0; n < CHAIN_MAX; n++) {
		if (n > 0) {
			opa_bounded_add_text(text, "\nCaused by: ");
		}
		add(text, class_of(exception));
		opa_bounded_add_text(text, ": ");
		add(text, text_property(exception, "message"));
		opa_bounded_add_text(text, " in ");
		add_place(text, exception);
		opa_bounded_add_text(text, "\n");
		add_trace(text, exception);
		zval *previous = property(exception, "previous");
		if (text->cut || previous == NULL || Z_TYPE_P(previous) != IS_OBJECT ||
			!instanceof_function(Z_OBJCE_P(previous), zend_ce_throwable)) {
			return;
		}
		exception = Z_OBJ_P(previous);
	}
}

opa_str opa_error_summary(zend_object *exception, char *to)
{
	opa_str name = class_of(exception), message = text_property(exception, "message"),
			file = text_property(exception, "file");
	int len = snprintf(to, OPA_ERROR_SUMMARY, "%.*s: %.*s in %.*s(" ZEND_LONG_FMT ")",
		(int)MIN(name.len, 200), name.data, (int)MIN(message.len, 500), message.data,
		(int)MIN(file.len, 250), file.data, line_of(exception));
	return (opa_str){to, (size_t)MAX(0, MIN(len, OPA_ERROR_SUMMARY - 1))};
}

/* ---- events ---- */

static void put(opa_fields *fields, opa_str key, opa_str value)
{
	uint32_t max = OPA_G(request).config->max_value_length;
	value.len = opa_utf8_cut(value.data, value.len, max);
	opa_value plain = OPA_VALUE_OF_STRING(value);
	opa_fields_attribute(fields, OPA_TAG_EVENT_ATTRIBUTE, key, &plain);
}

/* A status message must be valid UTF-8 and short. */
static opa_str status_message(opa_str message, char *room, size_t size)
{
	size_t len = opa_utf8_cut(message.data, message.len, size / 3);
	opa_utf8_repair(message.data, len, room);
	return (opa_str){room, opa_utf8_repaired_len(message.data, len)};
}

/*
 * Says which exception it is: the number that it got when it was first recorded. An object's handle
 * and address are used again as soon as it is gone; the engine's table of weak references forgets
 * it then. Nothing is put there when PHP is ending for want of memory: `may_allocate`.
 */
static uint64_t number_of(zend_object *exception, bool may_allocate)
{
	opa_request *request = &OPA_G(request);
	zval number;
	const zval *known = NULL;
	if (request->exceptions != NULL) {
		known = zend_hash_index_find(request->exceptions, zend_object_to_weakref_key(exception));
	}
	if (known != NULL) {
		return (uint64_t)Z_LVAL_P(known);
	}
	ZVAL_LONG(&number, (zend_long)++request->exception_count);
	if (may_allocate) {
		if (request->exceptions == NULL) {
			ALLOC_HASHTABLE(request->exceptions);
			zend_hash_init(request->exceptions, 8, NULL, NULL, 0);
		}
		zend_weakrefs_hash_add(request->exceptions, exception, &number);
	}
	return (uint64_t)Z_LVAL(number);
}

uint64_t opa_error_number(zend_object *exception)
{
	return number_of(exception, true);
}

void opa_error_end(void)
{
	opa_request *request = &OPA_G(request);
	if (request->exceptions != NULL) {
		/* The objects, and the engine's side of it, are gone already. */
		zend_hash_destroy(request->exceptions);
		FREE_HASHTABLE(request->exceptions);
		request->exceptions = NULL;
	}
	request->exception_count = 0;
}

/* What the caller has given under the same key counts more. */
static void put_unless_given(opa_fields *fields, opa_str given, opa_str key, opa_str value)
{
	size_t len;
	if (opa_attribute_find(
			(const uint8_t *)given.data, given.len, OPA_TAG_EVENT_ATTRIBUTE, key, &len) < 0) {
		put(fields, key, value);
	}
}

opa_span_result opa_error_record(
	opa_span_id span, zend_object *exception, uint64_t number, opa_str tags, uint32_t dropped)
{
	char room[1024];
	opa_fields fields;
	opa_bounded trace;
	opa_fields_init(&fields);
	opa_bounded_init(&trace, OPA_G(request).config->max_value_length);
	add_chain(&trace, exception);
	opa_str message = text_property(exception, "message");
	opa_fields_string(&fields, OPA_TAG_EVENT_NAME, OPA_STR("exception"));
	put_unless_given(&fields, tags, OPA_STR("exception.type"), class_of(exception));
	put_unless_given(&fields, tags, OPA_STR("exception.message"), message);
	put_unless_given(&fields, tags, OPA_STR("exception.stacktrace"), opa_bounded_str(&trace));
	opa_fields_append(&fields, tags);
	opa_fields_uint(&fields, OPA_TAG_EVENT_DROPPED, dropped);
	opa_span_result result = opa_span_add_exception(opa_the_process.spans, OPA_G(request).owner,
		span, number, opa_fields_str(&fields), status_message(message, room, sizeof(room)));
	opa_bounded_deinit(&trace);
	opa_fields_deinit(&fields);
	return result;
}

/* ---- fatal errors ---- */

static const char *level_name(int type)
{
	switch (type) {
	case E_ERROR:
		return "E_ERROR";
	case E_PARSE:
		return "E_PARSE";
	case E_CORE_ERROR:
		return "E_CORE_ERROR";
	case E_COMPILE_ERROR:
		return "E_COMPILE_ERROR";
	case E_USER_ERROR:
		return "E_USER_ERROR";
	default:
		return "E_RECOVERABLE_ERROR";
	}
}

/* These two levels the program's own handler may take over; the others end the request. */
#define E_HANDLED_ERRORS (E_USER_ERROR | E_RECOVERABLE_ERROR)

static bool is_handled(int type)
{
	return (type & E_HANDLED_ERRORS) != 0 && Z_TYPE(EG(user_error_handler)) != IS_UNDEF &&
		   (EG(user_error_handler_error_reporting) & type) != 0;
}

#define UNCAUGHT "Uncaught "
#define THROWN   "\n  thrown"

/* The text between "Uncaught " and "thrown" is what the engine has just put into the exception's
   own property `string`: by that the exception is found, without a hook on every throw. */
static zend_object *find_uncaught(opa_str message, zend_string *file, uint32_t line)
{
	size_t head = sizeof(UNCAUGHT) - 1, tail = sizeof(THROWN) - 1;
	if (message.len < head + tail || memcmp(message.data, UNCAUGHT, head) != 0) {
		return NULL;
	}
	opa_str printed = {message.data + head, message.len - head - tail};
	for (uint32_t i = EG(objects_store).top; i-- > 1;) {
		zend_object *object = EG(objects_store).object_buckets[i];
		if (!IS_OBJ_VALID(object) || !instanceof_function(object->ce, zend_ce_throwable)) {
			continue;
		}
		opa_str string = text_property(object, "string");
		opa_str in = text_property(object, "file");
		if (string.len == printed.len && memcmp(string.data, printed.data, string.len) == 0 &&
			line_of(object) == (zend_long)line && file != NULL && in.len == ZSTR_LEN(file) &&
			memcmp(in.data, ZSTR_VAL(file), in.len) == 0) {
			return object;
		}
	}
	return NULL;
}

/* Without its object, an uncaught exception's text says its class, and is cut before the trace,
   which may have arguments in it. */
static void describe_uncaught(opa_str *type, opa_str *message)
{
	size_t head = sizeof(UNCAUGHT) - 1;
	if (message->len < head || memcmp(message->data, UNCAUGHT, head) != 0) {
		return;
	}
	const char *text = message->data + head, *end = message->data + message->len;
	const char *trace = zend_memnstr(text, "\nStack trace:", 13, end);
	end = trace == NULL ? end : trace;
	size_t name = 0;
	while (text + name < end && (isalnum((unsigned char)text[name]) || text[name] == '_' ||
									text[name] == '\\' || (unsigned char)text[name] >= 0x80)) {
		name++;
	}
	*type = (opa_str){text, name};
	*message = (opa_str){text, (size_t)(end - text)};
}

static void record_fatal_on(
	opa_span_id span, int type, zend_string *file, uint32_t line, zend_string *text)
{
	char room[1024];
	const opa_request *request = &OPA_G(request);
	const char *level = level_name(type);
	opa_str error_type = {level, strlen(level)};
	opa_str message = {ZSTR_VAL(text), ZSTR_LEN(text)};
	zend_object *exception = find_uncaught(message, file, line);
	if (exception != NULL) {
		error_type = class_of(exception);
		opa_error_record(span, exception, number_of(exception, false), (opa_str){NULL, 0}, 0);
	} else {
		opa_fields fields;
		describe_uncaught(&error_type, &message);
		opa_fields_init(&fields);
		opa_fields_string(&fields, OPA_TAG_EVENT_NAME, OPA_STR("exception"));
		put(&fields, OPA_STR("exception.type"), error_type);
		put(&fields, OPA_STR("exception.message"), message);
		opa_span_add_event(
			opa_the_process.spans, request->owner, span, OPA_NOW, opa_fields_str(&fields));
		opa_fields_deinit(&fields);
		opa_span_set_status(opa_the_process.spans, request->owner, span, OPA_STATUS_ERROR,
			status_message(message, room, sizeof(room)), true);
	}
	opa_request_set_error(span, error_type, file, line);
}

/* The request has failed, and so has the trace that the program has started and was in. */
static void record_fatal(int type, zend_string *file, uint32_t line, zend_string *text)
{
	opa_span_id own = OPA_G(request).own.local_root;
	opa_span_id current = opa_request_trace_current()->local_root;
	if (current != own) {
		record_fatal_on(current, type, file, line, text);
	}
	record_fatal_on(own, type, file, line, text);
}

/* An error may come at any time: before a request, after it, with all memory used up. */
static void on_error(int type, zend_string *file, uint32_t line, zend_string *message)
{
	type &= E_ALL;
	if (EXPECTED((type & E_FATAL_ERRORS) == 0) || !opa_request_records() || message == NULL ||
		is_handled(type)) {
		return;
	}
	record_fatal(type, file, line, message);
}

void opa_error_leave(void)
{
	if (!OPA_G(request).failed && EG(exit_status) == 255 && PG(last_error_message) != NULL &&
		(PG(last_error_type) & E_HANDLED_ERRORS) != 0) {
		record_fatal(PG(last_error_type), PG(last_error_file), (uint32_t)PG(last_error_lineno),
			PG(last_error_message));
	}
}

void opa_error_startup(void)
{
	zend_observer_error_register(on_error);
}
