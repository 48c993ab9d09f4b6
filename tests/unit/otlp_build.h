/*
 * For tests that read OTLP: messages put together byte by byte, by other means than
 * core/opa_otlp.c.
 */
#ifndef OPA_TEST_OTLP_BUILD_H
#define OPA_TEST_OTLP_BUILD_H

#include "core/opa_base.h"

#include <stdlib.h>
#include <string.h>

typedef struct build {
	uint8_t *data;
	size_t len;
	size_t capacity;
} build;

static inline void build_raw(build *b, const void *data, size_t len)
{
	if (b->capacity - b->len < len) {
		b->capacity = (b->capacity + len) * 2;
		b->data = realloc(b->data, b->capacity);
	}
	if (len > 0) {
		memcpy(b->data + b->len, data, len);
	}
	b->len += len;
}

static inline void build_varint(build *b, uint64_t value)
{
	do {
		uint8_t byte = (uint8_t)((value & 0x7f) | (value > 0x7f ? 0x80 : 0));
		build_raw(b, &byte, 1);
		value >>= 7;
	} while (value > 0);
}

static inline void build_uint(build *b, uint32_t number, uint64_t value)
{
	build_varint(b, (uint64_t)number << 3);
	build_varint(b, value);
}

static inline void build_fixed64(build *b, uint32_t number, uint64_t value)
{
	build_varint(b, (uint64_t)number << 3 | 1);
	for (int i = 0; i < 8; i++) {
		build_raw(b, &(uint8_t){(uint8_t)(value >> 8 * i)}, 1);
	}
}

static inline void build_fixed32(build *b, uint32_t number, uint32_t value)
{
	build_varint(b, (uint64_t)number << 3 | 5);
	for (int i = 0; i < 4; i++) {
		build_raw(b, &(uint8_t){(uint8_t)(value >> 8 * i)}, 1);
	}
}

static inline void build_bytes(build *b, uint32_t number, const void *data, size_t len)
{
	build_varint(b, (uint64_t)number << 3 | 2);
	build_varint(b, len);
	build_raw(b, data, len);
}

static inline void build_text(build *b, uint32_t number, const char *text)
{
	build_bytes(b, number, text, strlen(text));
}

/* A message as a field of another; the inner one is freed. */
static inline void build_message(build *b, uint32_t number, build *inner)
{
	build_bytes(b, number, inner->data, inner->len);
	free(inner->data);
	*inner = (build){0};
}

static inline opa_str build_str(const build *b)
{
	return (opa_str){(const char *)b->data, b->len};
}

/* Field `number` with KeyValue{key, AnyValue}; the value is freed. */
static inline void build_key_value(build *b, uint32_t number, const char *key, build *any)
{
	build pair = {0};
	build_text(&pair, 1, key);
	build_message(&pair, 2, any);
	build_message(b, number, &pair);
}

static inline void build_text_attribute(
	build *b, uint32_t number, const char *key, const char *text)
{
	build any = {0};
	build_text(&any, 1, text);
	build_key_value(b, number, key, &any);
}

static inline void build_int_attribute(build *b, uint32_t number, const char *key, int64_t value)
{
	build any = {0};
	build_uint(&any, 3, (uint64_t)value);
	build_key_value(b, number, key, &any);
}

static inline void build_double_attribute(build *b, uint32_t number, const char *key, double value)
{
	build any = {0};
	uint64_t bits;
	memcpy(&bits, &value, sizeof(bits));
	build_fixed64(&any, 4, bits);
	build_key_value(b, number, key, &any);
}

#endif
