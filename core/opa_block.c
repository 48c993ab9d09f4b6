#include "opa_block.h"
#include "opa_alloc.h"

opa_block *opa_block_make(void)
{
	return opa_malloc(sizeof(opa_block));
}

void opa_block_free(opa_block *block)
{
	if (!opa_block_is_inline(block)) {
		opa_free(block->data);
	}
	opa_free(block->message);
	opa_free(block);
}

void opa_block_pool_deinit(opa_block_pool *pool)
{
	while (pool->free != NULL) {
		opa_block *next = pool->free->next;
		opa_free(pool->free);
		pool->free = next;
	}
	pool->count = 0;
}

/* Doubles, as far as the room lets it. */
static bool grow(opa_block *block, size_t needed, size_t room)
{
	size_t capacity = (size_t)block->capacity * 2;
	if (capacity > room && capacity - room > opa_block_heap_bytes(block)) {
		capacity = opa_block_heap_bytes(block) + room;
	}
	if (capacity < needed) {
		capacity = needed;
	}
	if (capacity > UINT32_MAX) {
		return false;
	}
	bool was_inline = opa_block_is_inline(block);
	uint8_t *data = opa_realloc(was_inline ? NULL : block->data, capacity);
	if (data == NULL) {
		return false;
	}
	if (was_inline) {
		memcpy(data, block->inline_data, block->len);
	}
	block->size += capacity - (was_inline ? 0 : block->capacity);
	block->data = data;
	block->capacity = (uint32_t)capacity;
	return true;
}

bool opa_block_reserve(opa_block *block, size_t more, size_t room)
{
	size_t needed = block->len + more;
	return OPA_LIKELY(needed <= block->capacity) || grow(block, needed, room);
}

/* Makes the `len` bytes at `offset` as many as `wanted`; what follows them moves. */
static bool resize(opa_block *block, size_t offset, size_t len, size_t wanted)
{
	if (wanted > len && !opa_block_reserve(block, wanted - len, SIZE_MAX)) {
		return false;
	}
	if (wanted != len) {
		uint8_t *at = block->data + offset;
		memmove(at + wanted, at + len, block->len - offset - len);
		block->len += (uint32_t)wanted - (uint32_t)len;
	}
	return true;
}

bool opa_block_replace(
	opa_block *block, size_t offset, size_t len, const uint8_t *wire, size_t wire_len)
{
	if (!resize(block, offset, len, wire_len)) {
		return false;
	}
	if (wire_len > 0) {
		memcpy(block->data + offset, wire, wire_len);
	}
	return true;
}

bool opa_block_set_name(opa_block *block, opa_str name)
{
	size_t len = opa_name_field_len(name);
	if (!resize(block, 0, block->name_field, len)) {
		return false;
	}
	opa_put_name(block->data, name);
	block->name_field = (uint32_t)len;
	return true;
}

bool opa_block_set_message(opa_block *block, opa_str message)
{
	char *copy = NULL;
	if (message.len > 0) {
		copy = opa_strndup(message.data, message.len);
		if (copy == NULL) {
			return false;
		}
	}
	opa_free(block->message);
	block->message = copy;
	block->size += message.len;
	block->size -= block->message_len;
	block->message_len = (uint32_t)message.len;
	return true;
}

/* Reads a varint of at most five bytes, which is what opa_write_varint makes of a length. */
static const uint8_t *read_len(const uint8_t *p, const uint8_t *end, size_t *len)
{
	size_t value = 0;
	for (unsigned shift = 0; p < end && shift < 35; shift += 7) {
		uint8_t byte = *p++;
		value |= (size_t)(byte & 0x7f) << shift;
		if (byte < 0x80) {
			*len = value;
			return p;
		}
	}
	return NULL;
}

/* A length-delimited field at p: its content in *content; answers what follows it, or NULL. */
static const uint8_t *read_field(const uint8_t *p, const uint8_t *end, opa_str *content)
{
	size_t len;
	if (p >= end || (p = read_len(p + 1, end, &len)) == NULL || len > (size_t)(end - p)) {
		return NULL;
	}
	*content = (opa_str){(const char *)p, len};
	return p + len;
}

/* The key of an attribute in wire form: the first field of the KeyValue. */
static opa_str key_of(opa_str key_value)
{
	opa_str key = OPA_STR("");
	const uint8_t *p = (const uint8_t *)key_value.data;
	read_field(p, p + key_value.len, &key);
	return key;
}

size_t opa_attribute_len(const uint8_t *wire, size_t left)
{
	opa_str key_value;
	const uint8_t *next = read_field(wire, wire + left, &key_value);
	return next == NULL ? 0 : (size_t)(next - wire);
}

long opa_attribute_find(
	const uint8_t *wire, size_t len, uint32_t tag, opa_str key, size_t *found_len)
{
	opa_str field;
	const uint8_t *p = wire, *end = wire + len;
	while (p < end) {
		const uint8_t *next = read_field(p, end, &field);
		if (next == NULL) {
			return -1;
		}
		if (*p == tag) {
			opa_str has = key_of(field);
			if (has.len == key.len && memcmp(has.data, key.data, key.len) == 0) {
				*found_len = (size_t)(next - p);
				return p - wire;
			}
		}
		p = next;
	}
	return -1;
}

long opa_block_find(const opa_block *block, const uint8_t *wire, size_t wire_len, size_t *len)
{
	opa_str wanted;
	if (read_field(wire, wire + wire_len, &wanted) == NULL) {
		return -1;
	}
	size_t behind_name = block->name_field;
	long at = opa_attribute_find(block->data + behind_name, block->len - behind_name,
		OPA_TAG_SPAN_ATTRIBUTE, key_of(wanted), len);
	return at < 0 ? at : at + (long)behind_name;
}

static void write_bytes(opa_writer *w, uint32_t tag, const void *bytes, size_t len)
{
	const uint8_t *end = w->pos;
	opa_write_raw(w, bytes, len);
	opa_write_header(w, tag, end);
}

static void write_status(opa_writer *w, const opa_block *block)
{
	const uint8_t *end = w->pos;
	opa_write_uint(w, OPA_TAG_STATUS_CODE, block->status);
	if (block->message_len > 0) {
		write_bytes(w, OPA_TAG_STATUS_MESSAGE, block->message, block->message_len);
	}
	opa_write_header(w, OPA_TAG_SPAN_STATUS, end);
}

uint8_t *opa_block_encode_rare(const opa_block *block, const opa_block_context *context,
	const void *more, size_t more_len, uint8_t *pos)
{
	opa_writer writer = {pos}, *w = &writer;
	if (block->status != 0) {
		write_status(w, block);
	}
	opa_write_uint(w, OPA_TAG_SPAN_DROPPED_LINKS, block->dropped_links);
	opa_write_uint(w, OPA_TAG_SPAN_DROPPED_EVENTS, block->dropped_events);
	opa_write_uint(w, OPA_TAG_SPAN_DROPPED_ATTRIBUTES, block->dropped_attributes);
	if (context->state.len > 0) {
		write_bytes(w, OPA_TAG_SPAN_TRACE_STATE, context->state.data, context->state.len);
	}
	if (more_len > 0) {
		opa_write_raw(w, more, more_len);
	}
	return writer.pos;
}
