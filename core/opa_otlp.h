/*
 * Writing OTLP protobuf: plain values, attributes, and the primitives for the rest.
 *
 * Messages are written backwards, from the end of the caller's memory to its beginning: when a
 * message's length has to be written its content stands already, so nothing is measured first and
 * nothing is moved. The caller provides enough room (the *_bound functions say how much); no
 * primitive checks. Field numbers: opentelemetry/proto/trace/v1/trace.proto,
 * common/v1/common.proto.
 */
#ifndef OPA_OTLP_H
#define OPA_OTLP_H

#include "opa_id.h"
#include "opa_utf8.h"

#include <string.h>

/* What has been written is [pos, the end that the caller began with). */
typedef struct opa_writer {
	uint8_t *pos;
} opa_writer;

/* Field tags: number << 3 | wire type. */
enum {
	OPA_TAG_SCOPE_SPANS_SCOPE = 1 << 3 | 2,
	OPA_TAG_SCOPE_SPANS_SPAN = 2 << 3 | 2,
	OPA_TAG_SCOPE_NAME = 1 << 3 | 2,
	OPA_TAG_SCOPE_VERSION = 2 << 3 | 2,
	OPA_TAG_RESOURCE_ATTRIBUTE = 1 << 3 | 2,
	OPA_TAG_SPAN_TRACE_ID = 1 << 3 | 2,
	OPA_TAG_SPAN_ID = 2 << 3 | 2,
	OPA_TAG_SPAN_TRACE_STATE = 3 << 3 | 2,
	OPA_TAG_SPAN_PARENT = 4 << 3 | 2,
	OPA_TAG_SPAN_NAME = 5 << 3 | 2,
	OPA_TAG_SPAN_KIND = 6 << 3 | 0,
	OPA_TAG_SPAN_START = 7 << 3 | 1,
	OPA_TAG_SPAN_END = 8 << 3 | 1,
	OPA_TAG_SPAN_ATTRIBUTE = 9 << 3 | 2,
	OPA_TAG_SPAN_DROPPED_ATTRIBUTES = 10 << 3 | 0,
	OPA_TAG_SPAN_EVENT = 11 << 3 | 2,
	OPA_TAG_SPAN_DROPPED_EVENTS = 12 << 3 | 0,
	OPA_TAG_SPAN_LINK = 13 << 3 | 2,
	OPA_TAG_SPAN_DROPPED_LINKS = 14 << 3 | 0,
	OPA_TAG_SPAN_STATUS = 15 << 3 | 2,
	OPA_TAG_SPAN_FLAGS = 16 << 3 | 5,
	OPA_TAG_EVENT_TIME = 1 << 3 | 1,
	OPA_TAG_EVENT_NAME = 2 << 3 | 2,
	OPA_TAG_EVENT_ATTRIBUTE = 3 << 3 | 2,
	OPA_TAG_EVENT_DROPPED = 4 << 3 | 0,
	OPA_TAG_LINK_TRACE_ID = 1 << 3 | 2,
	OPA_TAG_LINK_SPAN_ID = 2 << 3 | 2,
	OPA_TAG_LINK_ATTRIBUTE = 4 << 3 | 2,
	OPA_TAG_LINK_DROPPED = 5 << 3 | 0,
	OPA_TAG_LINK_FLAGS = 6 << 3 | 5,
	OPA_TAG_STATUS_MESSAGE = 2 << 3 | 2,
	OPA_TAG_STATUS_CODE = 3 << 3 | 0,
	OPA_TAG_KEY = 1 << 3 | 2,
	OPA_TAG_VALUE = 2 << 3 | 2,
	OPA_TAG_ANY_STRING = 1 << 3 | 2,
};

/* A plain value: what a PHP value becomes. Everything it points to is the caller's. */
typedef enum opa_value_type {
	OPA_VALUE_NULL, /* an AnyValue without content */
	OPA_VALUE_BOOL,
	OPA_VALUE_INT,
	OPA_VALUE_DOUBLE,
	OPA_VALUE_STRING, /* any bytes; invalid UTF-8 is replaced when it is written */
	OPA_VALUE_LIST,
	OPA_VALUE_MAP,
} opa_value_type;

typedef struct opa_value {
	opa_value_type type;
	union {
		bool boolean;
		int64_t integer;
		double real;
		opa_str string;
		struct {
			const struct opa_value *items;
			size_t count;
		} list;
		struct {
			const struct opa_pair *pairs;
			size_t count;
		} map;
	} as;
} opa_value;

typedef struct opa_pair {
	opa_str key;
	opa_value value;
} opa_pair;

#define OPA_VALUE_OF_STRING(s) ((opa_value){.type = OPA_VALUE_STRING, .as.string = (s)})
#define OPA_VALUE_OF_INT(i)    ((opa_value){.type = OPA_VALUE_INT, .as.integer = (i)})
#define OPA_VALUE_OF_DOUBLE(d) ((opa_value){.type = OPA_VALUE_DOUBLE, .as.real = (d)})
#define OPA_VALUE_OF_BOOL(b)   ((opa_value){.type = OPA_VALUE_BOOL, .as.boolean = (b)})

/* Room that one attribute needs at most, tag and lengths included. Recursive for lists and maps. */
size_t opa_attribute_bound(size_t key_len, const opa_value *value);

/* `tag` length KeyValue{key, value}, key and strings made valid UTF-8. */
OPA_INLINE void opa_write_attribute(
	opa_writer *w, uint32_t tag, opa_str key, const opa_value *value);

/* `tag` length bytes, made valid UTF-8. At most opa_string_bound(len) bytes. */
void opa_write_string(opa_writer *w, uint32_t tag, opa_str string);

static inline size_t opa_string_bound(size_t len)
{
	return 3 * len + 12;
}

/* ---- primitives ---- */

OPA_INLINE void opa_write_raw(opa_writer *w, const void *data, size_t len)
{
	w->pos -= len;
	opa_copy(w->pos, data, len);
}

/*
 * What opa_write_varint does with a number of more than seven bits: writes it in front of `pos` and
 * answers where it begins. (Takes no opa_writer: one whose address is passed on has to live in
 * memory, and every write would wait for the one before.)
 */
uint8_t *opa_put_long_varint(uint8_t *pos, uint64_t v);

OPA_INLINE void opa_write_varint(opa_writer *w, uint64_t v)
{
	if (OPA_LIKELY(v < 0x80)) {
		*--w->pos = (uint8_t)v;
	} else {
		w->pos = opa_put_long_varint(w->pos, v);
	}
}

OPA_INLINE void opa_write_fixed64(opa_writer *w, uint64_t v)
{
	w->pos -= 8;
	opa_store_le64(w->pos, v);
}

OPA_INLINE void opa_write_fixed32(opa_writer *w, uint32_t v)
{
	w->pos -= 4;
	opa_store_le32(w->pos, v);
}

/* Length and tag in front of what was written since `end` was w->pos. */
OPA_INLINE void opa_write_header(opa_writer *w, uint32_t tag, const uint8_t *end)
{
	opa_write_varint(w, (uint64_t)(end - w->pos));
	opa_write_varint(w, tag);
}

/* An integer field; a zero is protobuf's default and not written. */
OPA_INLINE void opa_write_uint(opa_writer *w, uint32_t tag, uint64_t v)
{
	if (v != 0) {
		opa_write_varint(w, v);
		opa_write_varint(w, tag);
	}
}

/* ---- attributes ---- */

/* What opa_write_attribute does for all but a short ASCII text under a short ASCII key. */
void opa_write_any_attribute(opa_writer *w, uint32_t tag, opa_str key, const opa_value *value);

/* Lengths below 128 take one byte, so such an attribute can be laid out at once. */
#define OPA_SHORT_ATTRIBUTE 100u

OPA_INLINE bool opa_attribute_is_short(opa_str key, const opa_value *value)
{
	return OPA_LIKELY(value->type == OPA_VALUE_STRING) &&
		   OPA_LIKELY(key.len + value->as.string.len <= OPA_SHORT_ATTRIBUTE);
}

OPA_INLINE size_t opa_short_attribute_len(opa_str key, opa_str text)
{
	return key.len + text.len + 8;
}

/*
 * Writes opa_short_attribute_len() bytes. False when key or text are not ASCII: they have to be
 * looked at more closely, and what was written has no meaning.
 */
OPA_INLINE bool opa_put_short_attribute(uint8_t *p, uint32_t tag, opa_str key, opa_str text)
{
	p[0] = (uint8_t)tag;
	p[1] = (uint8_t)(key.len + text.len + 6);
	p[2] = OPA_TAG_KEY;
	p[3] = (uint8_t)key.len;
	bool ascii = opa_utf8_copy_ascii(p + 4, key.data, key.len);
	p += 4 + key.len;
	p[0] = OPA_TAG_VALUE;
	p[1] = (uint8_t)(text.len + 2);
	p[2] = OPA_TAG_ANY_STRING;
	p[3] = (uint8_t)text.len;
	return opa_utf8_copy_ascii(p + 4, text.data, text.len) && ascii;
}

OPA_INLINE void opa_write_attribute(
	opa_writer *w, uint32_t tag, opa_str key, const opa_value *value)
{
	if (opa_attribute_is_short(key, value)) {
		uint8_t *pos = w->pos - opa_short_attribute_len(key, value->as.string);
		if (OPA_LIKELY(opa_put_short_attribute(pos, tag, key, value->as.string))) {
			w->pos = pos;
			return;
		}
	}
	opa_write_any_attribute(w, tag, key, value);
}

#endif
