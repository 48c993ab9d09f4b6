#include "opa_otlp.h"
#include "opa_utf8.h"

enum {
	TAG_KEY = OPA_TAG_KEY,
	TAG_VALUE = OPA_TAG_VALUE,
	TAG_ANY_STRING = OPA_TAG_ANY_STRING,
	TAG_ANY_BOOL = 2 << 3 | 0,
	TAG_ANY_INT = 3 << 3 | 0,
	TAG_ANY_DOUBLE = 4 << 3 | 1,
	TAG_ANY_ARRAY = 5 << 3 | 2,
	TAG_ANY_MAP = 6 << 3 | 2,
	TAG_ARRAY_VALUE = 1 << 3 | 2,
	TAG_MAP_PAIR = 1 << 3 | 2,
};

/* A tag of one byte, a length of at most ten, around each message that a value is wrapped in. */
#define WRAPPING 11u

static size_t value_bound(const opa_value *value)
{
	size_t bound = 2 * WRAPPING;
	switch (value->type) {
	case OPA_VALUE_STRING:
		bound += opa_string_bound(value->as.string.len);
		break;
	case OPA_VALUE_LIST:
		for (size_t i = 0; i < value->as.list.count; i++) {
			bound += WRAPPING + value_bound(&value->as.list.items[i]);
		}
		break;
	case OPA_VALUE_MAP:
		for (size_t i = 0; i < value->as.map.count; i++) {
			const opa_pair *pair = &value->as.map.pairs[i];
			bound += opa_attribute_bound(pair->key.len, &pair->value);
		}
		break;
	default:
		break;
	}
	return bound;
}

uint8_t *opa_put_long_varint(uint8_t *pos, uint64_t v)
{
	size_t len = 1;
	for (uint64_t rest = v >> 7; rest > 0; rest >>= 7) {
		len++;
	}
	pos -= len;
	uint8_t *p = pos;
	for (; v >= 0x80; v >>= 7) {
		*p++ = (uint8_t)(v | 0x80);
	}
	*p = (uint8_t)v;
	return pos;
}

size_t opa_attribute_bound(size_t key_len, const opa_value *value)
{
	return 2 * WRAPPING + opa_string_bound(key_len) + value_bound(value);
}

void opa_write_string(opa_writer *w, uint32_t tag, opa_str string)
{
	const uint8_t *end = w->pos;
	if (string.len == 0) {
		*--w->pos = 0;
		opa_write_varint(w, tag);
		return;
	}
	if (OPA_LIKELY(opa_utf8_is_valid(string.data, string.len))) {
		opa_write_raw(w, string.data, string.len);
	} else {
		w->pos -= opa_utf8_repaired_len(string.data, string.len);
		opa_utf8_repair(string.data, string.len, (char *)w->pos);
	}
	opa_write_header(w, tag, end);
}

static void write_value(opa_writer *w, uint32_t tag, const opa_value *value);

static void write_list(opa_writer *w, const opa_value *items, size_t count)
{
	const uint8_t *end = w->pos;
	for (size_t i = count; i-- > 0;) {
		write_value(w, TAG_ARRAY_VALUE, &items[i]);
	}
	opa_write_header(w, TAG_ANY_ARRAY, end);
}

static void write_map(opa_writer *w, const opa_pair *pairs, size_t count)
{
	const uint8_t *end = w->pos;
	for (size_t i = count; i-- > 0;) {
		opa_write_attribute(w, TAG_MAP_PAIR, pairs[i].key, &pairs[i].value);
	}
	opa_write_header(w, TAG_ANY_MAP, end);
}

/* `tag` length AnyValue. A oneof field is written even when it has its type's default. */
static void write_value(opa_writer *w, uint32_t tag, const opa_value *value)
{
	const uint8_t *end = w->pos;
	uint64_t bits;
	switch (value->type) {
	case OPA_VALUE_NULL:
		break;
	case OPA_VALUE_BOOL:
		*--w->pos = value->as.boolean ? 1 : 0;
		*--w->pos = TAG_ANY_BOOL;
		break;
	case OPA_VALUE_INT:
		opa_write_varint(w, (uint64_t)value->as.integer);
		*--w->pos = TAG_ANY_INT;
		break;
	case OPA_VALUE_DOUBLE:
		memcpy(&bits, &value->as.real, sizeof(bits));
		opa_write_fixed64(w, bits);
		*--w->pos = TAG_ANY_DOUBLE;
		break;
	case OPA_VALUE_STRING:
		opa_write_string(w, TAG_ANY_STRING, value->as.string);
		break;
	case OPA_VALUE_LIST:
		write_list(w, value->as.list.items, value->as.list.count);
		break;
	case OPA_VALUE_MAP:
		write_map(w, value->as.map.pairs, value->as.map.count);
		break;
	}
	opa_write_header(w, tag, end);
}

void opa_write_any_attribute(opa_writer *w, uint32_t tag, opa_str key, const opa_value *value)
{
	const uint8_t *end = w->pos;
	write_value(w, TAG_VALUE, value);
	opa_write_string(w, TAG_KEY, key);
	opa_write_header(w, tag, end);
}
