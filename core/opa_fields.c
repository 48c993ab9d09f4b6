#include "opa_fields.h"
#include "opa_alloc.h"

#define NUMBER_BOUND 16u /* a tag, and 64 bits as a varint or fixed */

void opa_fields_init(opa_fields *fields)
{
	fields->data = fields->room;
	fields->len = 0;
	fields->capacity = OPA_FIELDS_INLINE;
	fields->most = SIZE_MAX;
	fields->failed = false;
}

void opa_fields_bound(opa_fields *fields, size_t most)
{
	fields->most = most;
}

void opa_fields_deinit(opa_fields *fields)
{
	if (OPA_UNLIKELY(fields->data != fields->room)) {
		opa_free(fields->data);
	}
}

/* A writer whose end lies `bound` bytes behind what stands already. */
static bool begin(opa_fields *fields, size_t bound, opa_writer *w)
{
	size_t needed = fields->len + bound;
	if (OPA_UNLIKELY(needed > fields->most)) {
		fields->failed = true;
		return false;
	}
	if (OPA_UNLIKELY(needed > fields->capacity)) {
		size_t capacity = needed <= fields->most / 2 ? needed * 2 : fields->most;
		bool outside = fields->data != fields->room;
		uint8_t *data = opa_realloc(outside ? fields->data : NULL, capacity);
		if (data == NULL) {
			fields->failed = true;
			return false;
		}
		if (!outside) {
			memcpy(data, fields->room, fields->len);
		}
		fields->data = data;
		fields->capacity = capacity;
	}
	w->pos = fields->data + fields->len + bound;
	return true;
}

/* Moves what was written to where it belongs. */
static void commit(opa_fields *fields, size_t bound, const opa_writer *w)
{
	uint8_t *to = fields->data + fields->len;
	size_t len = (size_t)(to + bound - w->pos);
	memmove(to, w->pos, len);
	fields->len += len;
}

void opa_fields_attribute(opa_fields *fields, uint32_t tag, opa_str key, const opa_value *value)
{
	opa_writer w;
	size_t bound = opa_attribute_bound(key.len, value);
	if (begin(fields, bound, &w)) {
		opa_write_attribute(&w, tag, key, value);
		commit(fields, bound, &w);
	}
}

void opa_fields_string(opa_fields *fields, uint32_t tag, opa_str text)
{
	opa_writer w;
	size_t bound = opa_string_bound(text.len);
	if (begin(fields, bound, &w)) {
		opa_write_string(&w, tag, text);
		commit(fields, bound, &w);
	}
}

void opa_fields_bytes(opa_fields *fields, uint32_t tag, const void *bytes, size_t len)
{
	opa_writer w;
	size_t bound = opa_string_bound(len);
	if (begin(fields, bound, &w)) {
		const uint8_t *end = w.pos;
		opa_write_raw(&w, bytes, len);
		opa_write_header(&w, tag, end);
		commit(fields, bound, &w);
	}
}

void opa_fields_uint(opa_fields *fields, uint32_t tag, uint64_t value)
{
	opa_writer w;
	size_t bound = NUMBER_BOUND;
	if (begin(fields, bound, &w)) {
		opa_write_uint(&w, tag, value);
		commit(fields, bound, &w);
	}
}

void opa_fields_fixed32(opa_fields *fields, uint32_t tag, uint32_t value)
{
	opa_writer w;
	size_t bound = NUMBER_BOUND;
	if (begin(fields, bound, &w)) {
		opa_write_fixed32(&w, value);
		opa_write_varint(&w, tag);
		commit(fields, bound, &w);
	}
}

void opa_fields_append(opa_fields *fields, opa_str wire)
{
	opa_writer w;
	if (wire.len > 0 && begin(fields, wire.len, &w)) {
		opa_write_raw(&w, wire.data, wire.len);
		commit(fields, wire.len, &w);
	}
}
