#include "opa_otlp_read.h"

#include "../core/opa_alloc.h"
#include "../core/opa_utf8.h"

#include <float.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	KEY_VALUE_KEY = 1,
	KEY_VALUE_VALUE = 2,
	ANY_STRING = 1,
	ANY_BOOL = 2,
	ANY_INT = 3,
	ANY_DOUBLE = 4,
	ANY_ARRAY = 5,
	ANY_MAP = 6,
	ANY_BYTES = 7,
	LIST_ITEM = 1,
};

#define NUMBER_MAX 32 /* bytes of any number as text */

void opa_wire_init(opa_wire_reader *reader, opa_str message)
{
	reader->pos = (const uint8_t *)message.data;
	reader->end = message.len > 0 ? reader->pos + message.len : reader->pos;
	reader->damaged = false;
}

static bool read_varint(opa_wire_reader *reader, uint64_t *value)
{
	uint64_t result = 0;
	for (unsigned shift = 0; shift < 64 && reader->pos < reader->end; shift += 7) {
		uint8_t byte = *reader->pos++;
		result |= (uint64_t)(byte & 0x7f) << shift;
		if (byte < 0x80) {
			*value = result;
			return true;
		}
	}
	return false;
}

static bool read_fixed(opa_wire_reader *reader, size_t size, uint64_t *value)
{
	if ((size_t)(reader->end - reader->pos) < size) {
		return false;
	}
	uint64_t result = 0;
	for (size_t i = size; i-- > 0;) {
		result = result << 8 | reader->pos[i];
	}
	reader->pos += size;
	*value = result;
	return true;
}

static bool read_bytes(opa_wire_reader *reader, opa_str *bytes)
{
	uint64_t len;
	if (!read_varint(reader, &len) || len > (uint64_t)(reader->end - reader->pos)) {
		return false;
	}
	*bytes = (opa_str){(const char *)reader->pos, (size_t)len};
	reader->pos += len;
	return true;
}

static bool read_field(opa_wire_reader *reader, opa_wire_field *field)
{
	uint64_t tag;
	if (!read_varint(reader, &tag) || tag >> 3 == 0 || tag > UINT32_MAX) {
		return false;
	}
	field->number = (uint32_t)(tag >> 3);
	field->type = (opa_wire_type)(tag & 7);
	switch (field->type) {
	case OPA_WIRE_VARINT:
		return read_varint(reader, &field->value);
	case OPA_WIRE_FIXED64:
		return read_fixed(reader, 8, &field->value);
	case OPA_WIRE_BYTES:
		return read_bytes(reader, &field->bytes);
	case OPA_WIRE_FIXED32:
		return read_fixed(reader, 4, &field->value);
	}
	return false;
}

bool opa_wire_next(opa_wire_reader *reader, opa_wire_field *field)
{
	*field = (opa_wire_field){0};
	if (reader->damaged || reader->pos >= reader->end) {
		return false;
	}
	reader->damaged = !read_field(reader, field);
	return !reader->damaged;
}

/* ---- text ---- */

void opa_text_deinit(opa_text *text)
{
	opa_free(text->data);
	*text = (opa_text){0};
}

void opa_text_reset(opa_text *text)
{
	text->len = 0;
	text->failed = false;
}

/* Room for len more bytes. */
static bool reserve(opa_text *text, size_t len)
{
	if (text->failed) {
		return false;
	}
	if (text->capacity - text->len >= len) {
		return true;
	}
	if (len > SIZE_MAX / 2 - text->len) {
		text->failed = true;
		return false;
	}
	size_t capacity = text->capacity > 0 ? text->capacity : 256;
	while (capacity - text->len < len) {
		capacity *= 2;
	}
	char *data = opa_realloc(text->data, capacity);
	if (data == NULL) {
		text->failed = true;
		return false;
	}
	text->data = data;
	text->capacity = capacity;
	return true;
}

void opa_text_append(opa_text *text, const char *data, size_t len)
{
	if (len > 0 && reserve(text, len)) {
		memcpy(text->data + text->len, data, len);
		text->len += len;
	}
}

static void append_char(opa_text *text, char c)
{
	opa_text_append(text, &c, 1);
}

/* ---- JSON ---- */

static bool is_plain(unsigned char c)
{
	return c >= 0x20 && c != '"' && c != '\\';
}

static void append_escape(opa_text *text, unsigned char c)
{
	static const char names[] = "\"\"\\\\\bb\ff\nn\rr\tt";
	for (size_t i = 0; i + 1 < sizeof(names); i += 2) {
		if ((unsigned char)names[i] == c) {
			opa_text_append(text, (const char[]){'\\', names[i + 1]}, 2);
			return;
		}
	}
	char code[8];
	int n = snprintf(code, sizeof(code), "\\u%04x", c);
	opa_text_append(text, code, (size_t)n);
}

/* The content of a JSON string, for bytes that are valid UTF-8. */
static void append_escaped(opa_text *text, const char *data, size_t len)
{
	size_t from = 0;
	for (size_t i = 0; i < len; i++) {
		if (OPA_UNLIKELY(!is_plain((unsigned char)data[i]))) {
			opa_text_append(text, data + from, i - from);
			append_escape(text, (unsigned char)data[i]);
			from = i + 1;
		}
	}
	opa_text_append(text, data + from, len - from);
}

void opa_json_string(opa_text *text, opa_str string)
{
	append_char(text, '"');
	if (opa_utf8_valid_prefix(string.data, string.len) == string.len) {
		append_escaped(text, string.data, string.len);
	} else {
		size_t len = opa_utf8_repaired_len(string.data, string.len);
		char *repaired = opa_malloc(len);
		if (repaired == NULL) {
			text->failed = true;
			return;
		}
		opa_utf8_repair(string.data, string.len, repaired);
		append_escaped(text, repaired, len);
		opa_free(repaired);
	}
	append_char(text, '"');
}

static void append_bytes(opa_text *text, opa_str bytes)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const uint8_t *p = (const uint8_t *)bytes.data;
	append_char(text, '"');
	for (size_t i = 0; i < bytes.len; i += 3) {
		size_t left = bytes.len - i;
		uint32_t v = (uint32_t)p[i] << 16;
		v |= left > 1 ? (uint32_t)p[i + 1] << 8 : 0;
		v |= left > 2 ? p[i + 2] : 0;
		char four[4] = {digits[v >> 18], digits[v >> 12 & 63], left > 1 ? digits[v >> 6 & 63] : '=',
			left > 2 ? digits[v & 63] : '='};
		opa_text_append(text, four, sizeof(four));
	}
	append_char(text, '"');
}

static void append_int(opa_text *text, int64_t value)
{
	char number[NUMBER_MAX];
	int n = snprintf(number, sizeof(number), "%" PRId64, value);
	opa_text_append(text, number, (size_t)n);
}

/*
 * 15 digits always survive the way into a double and back, so what %.15g prints is the shortest
 * when it reads back as the same number; 17 always do. Not so with subnormal numbers, which have
 * fewer digits than that.
 */
static int format_double(char *number, double value)
{
	int n = 0;
	for (int digits = fabs(value) < DBL_MIN ? 1 : 15; digits <= 17; digits++) {
		n = snprintf(number, NUMBER_MAX, "%.*g", digits, value);
		if (strtod(number, NULL) == value) {
			break;
		}
	}
	return n;
}

static void append_double(opa_text *text, uint64_t bits)
{
	double value;
	memcpy(&value, &bits, sizeof(value));
	if (isnan(value)) {
		opa_text_append(text, "\"NaN\"", 5);
	} else if (isinf(value)) {
		opa_json_string(text, value > 0 ? OPA_STR("Infinity") : OPA_STR("-Infinity"));
	} else {
		char number[NUMBER_MAX];
		int n = format_double(number, value);
		opa_text_append(text, number, (size_t)n);
		if (strpbrk(number, ".e") == NULL) {
			opa_text_append(text, ".0", 2);
		}
	}
}

static bool append_value(opa_text *text, opa_str any_value, unsigned depth);
static bool append_member(opa_text *text, opa_str key_value, unsigned depth);

static bool append_list(opa_text *text, opa_str list, unsigned depth)
{
	opa_wire_reader reader;
	opa_wire_field field;
	opa_wire_init(&reader, list);
	append_char(text, '[');
	bool first = true;
	while (opa_wire_next(&reader, &field)) {
		if (field.number != LIST_ITEM || field.type != OPA_WIRE_BYTES) {
			continue;
		}
		if (!first) {
			append_char(text, ',');
		}
		first = false;
		if (!append_value(text, field.bytes, depth)) {
			return false;
		}
	}
	append_char(text, ']');
	return !reader.damaged;
}

static bool append_map(opa_text *text, opa_str map, unsigned depth)
{
	opa_wire_reader reader;
	opa_wire_field field;
	opa_wire_init(&reader, map);
	append_char(text, '{');
	while (opa_wire_next(&reader, &field)) {
		if (field.number == LIST_ITEM && field.type == OPA_WIRE_BYTES &&
			!append_member(text, field.bytes, depth)) {
			return false;
		}
	}
	append_char(text, '}');
	return !reader.damaged;
}

/* Whether this is a field of AnyValue's oneof, with the wire type that it has there. */
static bool is_any_field(const opa_wire_field *field)
{
	switch (field->number) {
	case ANY_STRING:
	case ANY_ARRAY:
	case ANY_MAP:
	case ANY_BYTES:
		return field->type == OPA_WIRE_BYTES;
	case ANY_BOOL:
	case ANY_INT:
		return field->type == OPA_WIRE_VARINT;
	case ANY_DOUBLE:
		return field->type == OPA_WIRE_FIXED64;
	default:
		return false;
	}
}

/* The field that counts: of a oneof the last one. number 0: no value. False on damage. */
static bool find_value(opa_str any_value, opa_wire_field *value)
{
	opa_wire_reader reader;
	opa_wire_field field;
	*value = (opa_wire_field){0};
	opa_wire_init(&reader, any_value);
	while (opa_wire_next(&reader, &field)) {
		if (is_any_field(&field)) {
			*value = field;
		}
	}
	return !reader.damaged;
}

static bool append_value(opa_text *text, opa_str any_value, unsigned depth)
{
	opa_wire_field value;
	if (depth >= OPA_JSON_MAX_DEPTH || !find_value(any_value, &value)) {
		return false;
	}
	switch (value.number) {
	case ANY_STRING:
		opa_json_string(text, value.bytes);
		return true;
	case ANY_BOOL:
		opa_text_append(text, value.value != 0 ? "true" : "false", value.value != 0 ? 4 : 5);
		return true;
	case ANY_INT:
		append_int(text, (int64_t)value.value);
		return true;
	case ANY_DOUBLE:
		append_double(text, value.value);
		return true;
	case ANY_ARRAY:
		return append_list(text, value.bytes, depth + 1);
	case ANY_MAP:
		return append_map(text, value.bytes, depth + 1);
	case ANY_BYTES:
		append_bytes(text, value.bytes);
		return true;
	default:
		opa_text_append(text, "null", 4);
		return true;
	}
}

bool opa_otlp_key_value(opa_str key_value, opa_str *key, opa_str *any_value)
{
	opa_wire_reader reader;
	opa_wire_field field;
	*key = *any_value = (opa_str){"", 0};
	opa_wire_init(&reader, key_value);
	while (opa_wire_next(&reader, &field)) {
		if (field.number == KEY_VALUE_KEY && field.type == OPA_WIRE_BYTES) {
			*key = field.bytes;
		} else if (field.number == KEY_VALUE_VALUE && field.type == OPA_WIRE_BYTES) {
			*any_value = field.bytes;
		}
	}
	return !reader.damaged;
}

static bool append_member(opa_text *text, opa_str key_value, unsigned depth)
{
	opa_str key, value;
	if (!opa_otlp_key_value(key_value, &key, &value)) {
		return false;
	}
	if (text->len > 0 && text->data[text->len - 1] != '{') {
		append_char(text, ',');
	}
	opa_json_string(text, key);
	append_char(text, ':');
	return append_value(text, value, depth);
}

bool opa_json_key_value(opa_text *text, opa_str key_value)
{
	size_t before = text->len;
	if (!append_member(text, key_value, 0)) {
		text->len = before;
		return false;
	}
	return true;
}

opa_str opa_otlp_any_string(opa_str any_value)
{
	opa_wire_field value;
	if (find_value(any_value, &value) && value.number == ANY_STRING) {
		return value.bytes;
	}
	return (opa_str){"", 0};
}
