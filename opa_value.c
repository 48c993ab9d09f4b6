#include "opa_value.h"
#include "opa_error.h"
#include "core/opa_utf8.h"

#define ARENA_SIZE 2048

/* ---- memory that is held until the end of the conversion ---- */

typedef struct held {
	struct held *next;
	zval value;
} held;

/* The list of held values stands at the arena's beginning. */
typedef struct arena_head {
	held *first;
} arena_head;

void opa_conversion_begin(opa_conversion *conversion, uint32_t max_length, const opa_redact *redact,
	opa_redact_memo *memo, uint32_t *calls)
{
	conversion->max_length = max_length;
	conversion->redact = redact;
	conversion->memo = memo;
	conversion->calls = calls;
	conversion->cut = 0;
	conversion->stop = false;
	conversion->has_room = false;
	conversion->text_left = max_length;
	conversion->nodes_left = OPA_VALUE_NODES;
}

static void *room(opa_conversion *conversion, size_t size)
{
	if (!conversion->has_room) {
		conversion->arena = zend_arena_create(ARENA_SIZE);
		arena_head *head = zend_arena_alloc(&conversion->arena, sizeof(*head));
		head->first = NULL;
		conversion->has_room = true;
		conversion->held = head;
	}
	return zend_arena_alloc(&conversion->arena, size);
}

/* Takes over a reference to a value, so that nothing that the program does frees it meanwhile. */
static zval *hold(opa_conversion *conversion, zval *value)
{
	held *h = room(conversion, sizeof(*h));
	arena_head *head = conversion->held;
	ZVAL_COPY_VALUE(&h->value, value);
	h->next = head->first;
	head->first = h;
	return &h->value;
}

void opa_conversion_end(opa_conversion *conversion)
{
	if (EXPECTED(!conversion->has_room)) {
		return;
	}
	for (held *h = ((arena_head *)conversion->held)->first; h != NULL; h = h->next) {
		zval_ptr_dtor(&h->value);
	}
	zend_arena_destroy(conversion->arena);
	conversion->has_room = false;
}

/* ---- texts ---- */

opa_str opa_value_long_name(const zend_string *name)
{
	size_t len = opa_utf8_cut(ZSTR_VAL(name), ZSTR_LEN(name), OPA_NAME_LENGTH);
	return (opa_str){ZSTR_VAL(name), len};
}

opa_str opa_value_type_name(const zval *value)
{
	switch (Z_TYPE_P(value)) {
	case IS_OBJECT: {
		/* An anonymous class's name has a NUL and a path behind its readable part. */
		const char *name = ZSTR_VAL(Z_OBJCE_P(value)->name);
		return (opa_str){name, strlen(name)};
	}
	case IS_ARRAY:
		return OPA_STR("array");
	case IS_RESOURCE:
		return OPA_STR("resource");
	default:
		return OPA_STR("mixed");
	}
}

static opa_value text(opa_conversion *conversion, const char *data, size_t len)
{
	if (UNEXPECTED(len > conversion->text_left)) {
		len = opa_utf8_cut(data, len, conversion->text_left);
		conversion->cut++;
	}
	conversion->text_left -= (uint32_t)len;
	return OPA_VALUE_OF_STRING(((opa_str){data, len}));
}

static opa_value string_value(opa_conversion *conversion, const zend_string *string)
{
	return text(conversion, ZSTR_VAL(string), ZSTR_LEN(string));
}

static opa_value type_name_value(opa_conversion *conversion, const zval *value)
{
	opa_str name = opa_value_type_name(value);
	return text(conversion, name.data, name.len);
}

/* ---- objects ---- */

#define SWALLOWED_MAX 16

/*
 * What became of the program's code. An exception is swallowed, and what its destructor throws then
 * (not without end); exit is not: the engine unwinds with an object that is no exception, and it
 * must reach the top.
 */
static bool came_back(opa_conversion *conversion)
{
	if (EXPECTED(EG(exception) == NULL)) {
		return true;
	}
	for (unsigned n = 0; EG(exception) != NULL; n++) {
		if (n == SWALLOWED_MAX || zend_is_unwind_exit(EG(exception)) ||
			zend_is_graceful_exit(EG(exception))) {
			conversion->stop = true;
			break;
		}
		zend_clear_exception();
	}
	return false;
}

/* A method's string result, held; NULL when there is none. */
static zend_string *call_for_string(
	opa_conversion *conversion, zend_object *object, zend_function *method, zval *argument)
{
	zval result;
	if (*conversion->calls >= OPA_VALUE_CALLS) {
		conversion->cut++;
		return NULL;
	}
	ZVAL_UNDEF(&result);
	++*conversion->calls;
	zend_call_known_function(
		method, object, object->ce, &result, argument == NULL ? 0 : 1, argument, NULL);
	--*conversion->calls;
	if (!came_back(conversion)) {
		zval_ptr_dtor(&result);
		return NULL;
	}
	if (Z_TYPE(result) != IS_STRING) {
		zval_ptr_dtor(&result);
		return NULL;
	}
	return Z_STR_P(hold(conversion, &result));
}

static zend_string *format_date(opa_conversion *conversion, zend_object *object)
{
	zend_function *method = zend_hash_str_find_ptr(&object->ce->function_table, "format", 6);
	if (method == NULL) {
		return NULL;
	}
	zval format;
	ZVAL_STRINGL(&format, "Y-m-d\\TH:i:s.uP", sizeof("Y-m-d\\TH:i:s.uP") - 1);
	zend_string *formatted = call_for_string(conversion, object, method, &format);
	zval_ptr_dtor(&format);
	return formatted;
}

static opa_value object_value(opa_conversion *conversion, zval *value)
{
	zend_object *object = Z_OBJ_P(value);
	zend_string *string = NULL;
	if (object->ce->ce_flags & ZEND_ACC_ENUM) {
		if (object->ce->enum_backing_type != IS_UNDEF) {
			zval *backing = zend_enum_fetch_case_value(object);
			return Z_TYPE_P(backing) == IS_LONG ? OPA_VALUE_OF_INT(Z_LVAL_P(backing))
												: string_value(conversion, Z_STR_P(backing));
		}
	} else if (instanceof_function(object->ce, php_date_get_interface_ce())) {
		string = format_date(conversion, object);
	} else if (instanceof_function(object->ce, zend_ce_throwable)) {
		/* Its own text has a stack trace with arguments in it. */
		opa_str summary = opa_error_summary(object, room(conversion, OPA_ERROR_SUMMARY));
		return text(conversion, summary.data, summary.len);
	} else if (object->ce->__tostring != NULL) {
		string = call_for_string(conversion, object, object->ce->__tostring, NULL);
	}
	return string == NULL ? type_name_value(conversion, value) : string_value(conversion, string);
}

/* ---- arrays ---- */

static opa_value convert(opa_conversion *conversion, zval *value, unsigned depth);

static opa_value convert_member(
	opa_conversion *conversion, opa_str key, zval *value, unsigned depth)
{
	if (conversion->redact != NULL && opa_redact_asks(conversion->memo, conversion->redact, key) &&
		Z_TYPE_P(Z_ISREF_P(value) ? Z_REFVAL_P(value) : value) != IS_NULL) {
		return OPA_VALUE_OF_STRING(OPA_STR(OPA_REDACTED));
	}
	return convert(conversion, value, depth);
}

static opa_str index_key(opa_conversion *conversion, zend_ulong index)
{
	char *digits = room(conversion, MAX_LENGTH_OF_LONG + 1);
	int len = snprintf(digits, MAX_LENGTH_OF_LONG + 1, ZEND_LONG_FMT, (zend_long)index);
	return (opa_str){digits, (size_t)len};
}

/*
 * A key as it will stand on the wire. One that had to be changed (cut, or not UTF-8) may have
 * become another's equal, which no receiver wants: then the later one is to win.
 */
static opa_str clean_key(opa_conversion *conversion, const zend_string *name, bool *changed)
{
	opa_str key = opa_value_name(name);
	*changed |= key.len != ZSTR_LEN(name);
	if (UNEXPECTED(!opa_utf8_is_valid(key.data, key.len))) {
		size_t len = opa_utf8_repaired_len(key.data, key.len);
		char *text = room(conversion, len);
		opa_utf8_repair(key.data, key.len, text);
		key = (opa_str){text, len};
		*changed = true;
	}
	return key;
}

/* Takes out each pair behind which another with its key stands; answers how many are left. */
static size_t drop_overwritten(opa_pair *pairs, size_t count)
{
	HashTable later;
	size_t first = count;
	zend_hash_init(&later, (uint32_t)count, NULL, NULL, false);
	for (size_t i = count; i-- > 0;) {
		if (zend_hash_str_add_empty_element(&later, pairs[i].key.data, pairs[i].key.len) != NULL) {
			pairs[--first] = pairs[i];
		}
	}
	zend_hash_destroy(&later);
	memmove(pairs, pairs + first, (count - first) * sizeof(*pairs));
	return count - first;
}

static bool has_budget(const opa_conversion *conversion)
{
	return !conversion->stop && conversion->nodes_left > 0 && conversion->text_left > 0;
}

static opa_value list_value(opa_conversion *conversion, HashTable *array, unsigned depth)
{
	uint32_t count = MIN(zend_hash_num_elements(array), conversion->nodes_left);
	opa_value *items = room(conversion, MAX(count, 1) * sizeof(*items));
	size_t n = 0;
	zval *element;
	ZEND_HASH_FOREACH_VAL (array, element) {
		if (n == count || !has_budget(conversion)) {
			conversion->cut++;
			break;
		}
		conversion->nodes_left--;
		items[n++] = convert(conversion, element, depth + 1);
	}
	ZEND_HASH_FOREACH_END();
	return (opa_value){.type = OPA_VALUE_LIST, .as.list = {items, n}};
}

static opa_value map_value(opa_conversion *conversion, HashTable *array, unsigned depth)
{
	uint32_t count = MIN(zend_hash_num_elements(array), conversion->nodes_left);
	opa_pair *pairs = room(conversion, MAX(count, 1) * sizeof(*pairs));
	size_t n = 0;
	bool changed = false;
	zend_ulong index;
	zend_string *name;
	zval *element;
	ZEND_HASH_FOREACH_KEY_VAL (array, index, name, element) {
		if (n == count || !has_budget(conversion)) {
			conversion->cut++;
			break;
		}
		conversion->nodes_left--;
		opa_str key =
			name == NULL ? index_key(conversion, index) : clean_key(conversion, name, &changed);
		conversion->text_left -= (uint32_t)MIN(key.len, conversion->text_left);
		pairs[n].key = key;
		pairs[n].value = convert_member(conversion, key, element, depth + 1);
		n++;
	}
	ZEND_HASH_FOREACH_END();
	n = changed ? drop_overwritten(pairs, n) : n;
	return (opa_value){.type = OPA_VALUE_MAP, .as.map = {pairs, n}};
}

/*
 * `value` lies in an array that somebody holds, or in a reference, which the program may assign to
 * while its code runs: what is behind a reference is held.
 */
static opa_value convert(opa_conversion *conversion, zval *value, unsigned depth)
{
	if (Z_ISREF_P(value)) {
		value = Z_REFVAL_P(value);
		if (Z_REFCOUNTED_P(value)) {
			Z_ADDREF_P(value);
			value = hold(conversion, value);
		}
	}
	switch (Z_TYPE_P(value)) {
	case IS_UNDEF:
	case IS_NULL:
		return (opa_value){.type = OPA_VALUE_NULL};
	case IS_FALSE:
		return OPA_VALUE_OF_BOOL(false);
	case IS_TRUE:
		return OPA_VALUE_OF_BOOL(true);
	case IS_LONG:
		return OPA_VALUE_OF_INT(Z_LVAL_P(value));
	case IS_DOUBLE:
		return OPA_VALUE_OF_DOUBLE(Z_DVAL_P(value));
	case IS_STRING:
		return string_value(conversion, Z_STR_P(value));
	case IS_ARRAY:
		if (depth < OPA_VALUE_DEPTH) {
			return zend_array_is_list(Z_ARR_P(value))
					   ? list_value(conversion, Z_ARR_P(value), depth)
					   : map_value(conversion, Z_ARR_P(value), depth);
		}
		break;
	case IS_OBJECT:
		return object_value(conversion, value);
	default:
		break;
	}
	return type_name_value(conversion, value);
}

opa_value opa_value_convert_for(opa_conversion *conversion, opa_str key, zval *value)
{
	conversion->text_left = conversion->max_length;
	conversion->nodes_left = OPA_VALUE_NODES;
	return convert_member(conversion, key, value, 0);
}

/* ---- tags ---- */

#define PAIRS_ON_STACK 12

uint32_t opa_value_convert_tags(
	opa_conversion *conversion, HashTable *tags, uint32_t limit, uint32_t tag, opa_fields *fields)
{
	uint32_t count = zend_hash_num_elements(tags), seen = 0, without_key = 0;
	size_t n = 0;
	bool changed = false;
	opa_pair few[PAIRS_ON_STACK], *pairs = few;
	if (MIN(count, limit) > PAIRS_ON_STACK) {
		pairs = room(conversion, MIN(count, limit) * sizeof(*pairs));
	}
	zend_ulong index;
	zend_string *name;
	zval *element;
	ZEND_HASH_FOREACH_KEY_VAL (tags, index, name, element) {
		if (n == limit || conversion->stop) {
			break;
		}
		seen++;
		opa_str key =
			name == NULL ? index_key(conversion, index) : clean_key(conversion, name, &changed);
		if (key.len == 0) {
			without_key++;
			continue;
		}
		pairs[n].key = key;
		pairs[n].value = opa_value_convert_for(conversion, key, element);
		n += pairs[n].value.type != OPA_VALUE_NULL;
	}
	ZEND_HASH_FOREACH_END();
	n = changed ? drop_overwritten(pairs, n) : n;
	for (size_t i = 0; i < n && !conversion->stop; i++) {
		opa_fields_attribute(fields, tag, pairs[i].key, &pairs[i].value);
	}
	return count - seen + without_key;
}
