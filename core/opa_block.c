#include "opa_block.h"
#include "opa_alloc.h"

#include <stddef.h>

#define FLAG_IS_REMOTE_KNOWN 0x100u
#define FLAG_IS_REMOTE       0x200u

/* Ids, tags, times, counts and lengths of a span: 18 + 10 + 10 + 2 * 9 + 2 + 3 * 11 + 6 + 3 * 11.
 */
#define ENCODED_FIXED 144u

opa_block *opa_block_take(opa_block_pool *pool)
{
	opa_block *block = pool->free;
	if (OPA_LIKELY(block != NULL)) {
		pool->free = block->next;
		pool->count--;
	} else {
		block = opa_malloc(sizeof(*block));
		if (block == NULL) {
			return NULL;
		}
	}
	memset(block, 0, offsetof(opa_block, inline_data));
	block->data = block->inline_data;
	block->capacity = OPA_BLOCK_INLINE;
	return block;
}

void opa_block_give(opa_block_pool *pool, opa_block *block)
{
	if (block->data != block->inline_data) {
		opa_free(block->data);
	}
	if (OPA_UNLIKELY(block->message != NULL)) {
		opa_free(block->message);
	}
	if (pool->count >= pool->limit) {
		opa_free(block);
		return;
	}
	block->next = pool->free;
	pool->free = block;
	pool->count++;
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

static bool is_inline(const opa_block *block)
{
	return block->data == block->inline_data;
}

static size_t heap_bytes(const opa_block *block)
{
	return is_inline(block) ? 0 : block->capacity;
}

size_t opa_block_size(const opa_block *block)
{
	return sizeof(*block) + heap_bytes(block) + block->message_len;
}

/* Doubles, as far as the room lets it. */
static bool grow(opa_block *block, size_t needed, size_t room)
{
	size_t capacity = (size_t)block->capacity * 2;
	if (capacity > room && capacity - room > heap_bytes(block)) {
		capacity = heap_bytes(block) + room;
	}
	if (capacity < needed) {
		capacity = needed;
	}
	if (capacity > UINT32_MAX) {
		return false;
	}
	bool was_inline = is_inline(block);
	uint8_t *data = opa_realloc(was_inline ? NULL : block->data, capacity);
	if (data == NULL) {
		return false;
	}
	if (was_inline) {
		memcpy(data, block->inline_data, block->len);
	}
	block->data = data;
	block->capacity = (uint32_t)capacity;
	return true;
}

size_t opa_block_growth(const opa_block *block, size_t more)
{
	size_t needed = block->len + more;
	return OPA_LIKELY(needed <= block->capacity) ? 0 : needed - heap_bytes(block);
}

bool opa_block_reserve(opa_block *block, size_t more, size_t room)
{
	size_t needed = block->len + more;
	return OPA_LIKELY(needed <= block->capacity) || grow(block, needed, room);
}

bool opa_block_append(opa_block *block, const void *bytes, size_t len)
{
	if (!opa_block_reserve(block, len, SIZE_MAX)) {
		return false;
	}
	if (len > 0) {
		memcpy(block->data + block->len, bytes, len);
		block->len += (uint32_t)len;
	}
	return true;
}

bool opa_block_replace(
	opa_block *block, size_t offset, size_t len, const uint8_t *wire, size_t wire_len)
{
	if (wire_len > len && !opa_block_reserve(block, wire_len - len, SIZE_MAX)) {
		return false;
	}
	uint8_t *at = block->data + offset;
	if (wire_len != len) {
		memmove(at + wire_len, at + len, block->len - offset - len);
		block->len += (uint32_t)wire_len - (uint32_t)len;
	}
	if (wire_len > 0) {
		memcpy(at, wire, wire_len);
	}
	return true;
}

bool opa_block_set_name(opa_block *block, opa_str name)
{
	if (!opa_block_replace(block, 0, block->name_len, (const uint8_t *)name.data, name.len)) {
		return false;
	}
	block->name_len = (uint32_t)name.len;
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

long opa_block_find(const opa_block *block, const uint8_t *wire, size_t wire_len, size_t *len)
{
	opa_str wanted, field;
	if (read_field(wire, wire + wire_len, &wanted) == NULL) {
		return -1;
	}
	opa_str key = key_of(wanted);
	const uint8_t *p = block->data + block->name_len, *end = block->data + block->len;
	while (p < end) {
		const uint8_t *next = read_field(p, end, &field);
		if (next == NULL) {
			return -1;
		}
		if (*p == OPA_TAG_SPAN_ATTRIBUTE) {
			opa_str has = key_of(field);
			if (has.len == key.len && memcmp(has.data, key.data, key.len) == 0) {
				*len = (size_t)(next - p);
				return p - block->data;
			}
		}
		p = next;
	}
	return -1;
}

size_t opa_block_bound(const opa_block *block, const opa_block_context *context)
{
	return ENCODED_FIXED + block->len + block->message_len + context->state.len;
}

static void write_id(opa_writer *w, uint8_t tag, opa_span_id id)
{
	w->pos -= 10;
	w->pos[0] = tag;
	w->pos[1] = 8;
	opa_span_id_to_bytes(id, w->pos + 2);
}

static void write_time(opa_writer *w, uint8_t tag, uint64_t time)
{
	opa_write_fixed64(w, time);
	*--w->pos = tag;
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

void opa_block_encode(const opa_block *block, const opa_block_context *context, uint64_t end,
	const void *more, size_t more_len, opa_writer *w)
{
	const uint8_t *span_end = w->pos;
	opa_write_fixed32(
		w, context->flags | FLAG_IS_REMOTE_KNOWN | (block->parent_remote ? FLAG_IS_REMOTE : 0u));
	opa_write_varint(w, OPA_TAG_SPAN_FLAGS);
	if (block->status != 0) {
		write_status(w, block);
	}
	if (OPA_UNLIKELY(
			(block->dropped_attributes | block->dropped_events | block->dropped_links) != 0)) {
		opa_write_uint(w, OPA_TAG_SPAN_DROPPED_LINKS, block->dropped_links);
		opa_write_uint(w, OPA_TAG_SPAN_DROPPED_EVENTS, block->dropped_events);
		opa_write_uint(w, OPA_TAG_SPAN_DROPPED_ATTRIBUTES, block->dropped_attributes);
	}
	if (OPA_UNLIKELY(more_len > 0)) {
		opa_write_raw(w, more, more_len);
	}
	opa_write_raw(w, block->data + block->name_len, block->len - block->name_len);
	write_time(w, OPA_TAG_SPAN_END, end);
	write_time(w, OPA_TAG_SPAN_START, block->start);
	*--w->pos = block->kind;
	*--w->pos = OPA_TAG_SPAN_KIND;
	write_bytes(w, OPA_TAG_SPAN_NAME, block->data, block->name_len);
	if (block->parent != OPA_NO_SPAN) {
		write_id(w, OPA_TAG_SPAN_PARENT, block->parent);
	}
	if (context->state.len > 0) {
		write_bytes(w, OPA_TAG_SPAN_TRACE_STATE, context->state.data, context->state.len);
	}
	write_id(w, OPA_TAG_SPAN_ID, block->id);
	write_bytes(w, OPA_TAG_SPAN_TRACE_ID, context->trace_id, OPA_TRACE_ID_LEN);
	opa_write_header(w, OPA_TAG_SCOPE_SPANS_SPAN, span_end);
}
