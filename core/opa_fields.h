/*
 * A list of protobuf fields that is built from front to back: the attributes of a span, or the
 * fields of an event or a link. Most lists fit into the struct, which lives on the caller's stack;
 * a longer one goes to malloc(3). When that fails, or the list would get longer than its bound, the
 * field is left out and `failed` set.
 */
#ifndef OPA_FIELDS_H
#define OPA_FIELDS_H

#include "opa_otlp.h"

#define OPA_FIELDS_INLINE 1024

typedef struct opa_fields {
	uint8_t *data;
	size_t len;
	size_t capacity;
	size_t most;
	bool failed;
	uint8_t room[OPA_FIELDS_INLINE];
} opa_fields;

void opa_fields_init(opa_fields *fields);
void opa_fields_deinit(opa_fields *fields);

/* Bytes that the list may have at most; without it there is no bound. */
void opa_fields_bound(opa_fields *fields, size_t most);

void opa_fields_attribute(opa_fields *fields, uint32_t tag, opa_str key, const opa_value *value);

/* A length-delimited field with text, made valid UTF-8. */
void opa_fields_string(opa_fields *fields, uint32_t tag, opa_str text);

/* A length-delimited field with bytes as they are. */
void opa_fields_bytes(opa_fields *fields, uint32_t tag, const void *bytes, size_t len);

/* A varint field; left out when it is 0. */
void opa_fields_uint(opa_fields *fields, uint32_t tag, uint64_t value);

void opa_fields_fixed32(opa_fields *fields, uint32_t tag, uint32_t value);

/* Fields that stand already. */
void opa_fields_append(opa_fields *fields, opa_str wire);

static inline opa_str opa_fields_str(const opa_fields *fields)
{
	return (opa_str){(const char *)fields->data, fields->len};
}

#endif
