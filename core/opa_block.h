/*
 * The memory of one open span: its numbers, its name, and its attributes, events and links in the
 * form in which they will go over the wire. Most spans fit into the block itself; a larger one has
 * its bytes in a second allocation. Blocks are recycled through a pool.
 *
 * For opa_span.c alone, under the lock of the span's shard.
 */
#ifndef OPA_BLOCK_H
#define OPA_BLOCK_H

#include "opa_otlp.h"

#include <stddef.h>

#define OPA_BLOCK_INLINE 104

/* How many exceptions a span remembers, so as not to record one twice. */
#define OPA_BLOCK_EXCEPTIONS 4u

typedef struct opa_block {
	opa_span_id id;
	opa_span_id parent;
	uint64_t owner;
	void *trace;
	struct opa_block *next; /* the open spans of a trace; in a pool, the next free block */
	struct opa_block *previous;
	uint64_t start;      /* Unix nanoseconds */
	uint64_t start_mono; /* 0: the program gave the start, so a duration says nothing */
	uint64_t sequence;   /* of starts within the trace */
	size_t size;         /* heap bytes that the block takes, message included */
	uint8_t *data;       /* fields of a Span message, the name first; inline_data or malloc */
	uint32_t capacity;
	uint32_t len;
	uint32_t name_field; /* length of the first one; 0: no name yet */
	uint8_t inline_data[OPA_BLOCK_INLINE];
	/* From here to `exceptions` all is zero in an empty block. */
	char *message; /* of the status; malloc, NULL: none */
	uint32_t message_len;
	uint32_t attributes;
	uint32_t events;
	uint32_t links;
	uint32_t dropped_attributes;
	uint32_t dropped_events;
	uint32_t dropped_links;
	uint32_t exception_count;
	uint8_t status;
	bool status_final; /* set by the program */
	bool parent_remote;
	bool has_children; /* some span has, or had, this one as its parent */
	bool frozen;       /* was open at a fork: the parent process will write it */
	uint8_t kind;
	uint64_t exceptions[OPA_BLOCK_EXCEPTIONS]; /* tokens of the last ones recorded */
} opa_block;

/* Free blocks, at most `limit` of them. */
typedef struct opa_block_pool {
	opa_block *free;
	unsigned count;
	unsigned limit;
} opa_block_pool;

/* An empty block, or NULL. Who, when and where (id to sequence, kind) are for the caller to set. */
OPA_INLINE opa_block *opa_block_take(opa_block_pool *pool);
OPA_INLINE void opa_block_give(opa_block_pool *pool, opa_block *block);
void opa_block_pool_deinit(opa_block_pool *pool);

/* All of these answer false when memory is short; the block is then as it was. */
bool opa_block_set_name(opa_block *block, opa_str name);
bool opa_block_set_message(opa_block *block, opa_str message);

/* Gives an empty block its name. */
OPA_INLINE bool opa_block_begin(opa_block *block, opa_str name);

/* Heap bytes that the block must grow by, at least, to take `more` further bytes of fields. */
OPA_INLINE size_t opa_block_growth(const opa_block *block, size_t more);

/*
 * Room for `more` further bytes of fields, so that appending cannot fail. Grows by at most `room`
 * heap bytes, which is not less than opa_block_growth().
 */
bool opa_block_reserve(opa_block *block, size_t more, size_t room);

/* Appends bytes that form whole fields of a Span message. */
OPA_INLINE bool opa_block_append(opa_block *block, const void *bytes, size_t len);

/*
 * The place of the attribute with the key that `wire` (one attribute in wire form) has: its offset
 * in data, and its length in *len; -1 when the span has no such attribute.
 */
long opa_block_find(const opa_block *block, const uint8_t *wire, size_t wire_len, size_t *len);

/* Puts `wire` in the place of the `len` bytes at `offset`. */
bool opa_block_replace(
	opa_block *block, size_t offset, size_t len, const uint8_t *wire, size_t wire_len);

/* Length of the attribute that begins at wire, tag included; 0 when it does not fit into `left`. */
size_t opa_attribute_len(const uint8_t *wire, size_t left);

/*
 * Where among these length-delimited fields the first attribute with that tag and key begins, and
 * its length; -1 when there is none.
 */
long opa_attribute_find(
	const uint8_t *wire, size_t len, uint32_t tag, opa_str key, size_t *found_len);

/* What all spans of a trace have in common on the wire. */
typedef struct opa_block_context {
	uint8_t trace_id[OPA_TRACE_ID_LEN];
	uint8_t flags;
	opa_str state;
} opa_block_context;

/* Room that encoding needs at most. */
OPA_INLINE size_t opa_block_bound(const opa_block *block, const opa_block_context *context);

/*
 * Writes the span as a field of ScopeSpans, with `more` fields (not in the bound) behind its own.
 */
OPA_INLINE void opa_block_encode(const opa_block *block, const opa_block_context *context,
	uint64_t end, const void *more, size_t more_len, opa_writer *w);

/* ---- what every span goes through, in the header so that compilers can join it ---- */

/* What the inline functions fall back to. */
opa_block *opa_block_make(void);
void opa_block_free(opa_block *block);

OPA_INLINE bool opa_block_is_inline(const opa_block *block)
{
	return block->data == block->inline_data;
}

OPA_INLINE size_t opa_block_heap_bytes(const opa_block *block)
{
	return OPA_LIKELY(opa_block_is_inline(block)) ? 0 : block->capacity;
}

OPA_INLINE size_t opa_name_field_len(opa_str name)
{
	size_t len = 2 + name.len;
	for (size_t rest = name.len >> 7; OPA_UNLIKELY(rest > 0); rest >>= 7) {
		len++;
	}
	return len;
}

/* opa_name_field_len() bytes. */
OPA_INLINE void opa_put_name(uint8_t *to, opa_str name)
{
	opa_writer w = {to + opa_name_field_len(name)};
	opa_write_raw(&w, name.data, name.len);
	opa_write_varint(&w, name.len);
	*to = OPA_TAG_SPAN_NAME;
}

OPA_INLINE size_t opa_block_growth(const opa_block *block, size_t more)
{
	size_t needed = block->len + more;
	return OPA_LIKELY(needed <= block->capacity) ? 0 : needed - opa_block_heap_bytes(block);
}

OPA_INLINE opa_block *opa_block_take(opa_block_pool *pool)
{
	opa_block *block = pool->free;
	if (OPA_LIKELY(block != NULL)) {
		pool->free = block->next;
		pool->count--;
	} else {
		block = opa_block_make();
		if (block == NULL) {
			return NULL;
		}
	}
	block->data = block->inline_data;
	block->capacity = OPA_BLOCK_INLINE;
	block->size = sizeof(*block);
	block->len = block->name_field = 0;
	memset(&block->message, 0, offsetof(opa_block, exceptions) - offsetof(opa_block, message));
	return block;
}

OPA_INLINE void opa_block_give(opa_block_pool *pool, opa_block *block)
{
	if (OPA_UNLIKELY(block->size != sizeof(*block)) || OPA_UNLIKELY(pool->count >= pool->limit)) {
		/* A large block's memory goes, the block as well: the pool keeps only plain ones. */
		opa_block_free(block);
		return;
	}
	block->next = pool->free;
	pool->free = block;
	pool->count++;
}

OPA_INLINE bool opa_block_begin(opa_block *block, opa_str name)
{
	size_t len = opa_name_field_len(name);
	if (OPA_UNLIKELY(len > OPA_BLOCK_INLINE) && !opa_block_reserve(block, len, len)) {
		return false;
	}
	opa_put_name(block->data, name);
	block->len = block->name_field = (uint32_t)len;
	return true;
}

OPA_INLINE bool opa_block_append(opa_block *block, const void *bytes, size_t len)
{
	if (OPA_UNLIKELY(block->len + len > block->capacity) &&
		!opa_block_reserve(block, len, SIZE_MAX)) {
		return false;
	}
	if (OPA_LIKELY(len > 0)) {
		opa_copy(block->data + block->len, bytes, len);
		block->len += (uint32_t)len;
	}
	return true;
}

/* Ids, tags, times, counts and lengths: 18 + 10 + 10 + 6 + 20 + 3 * 11 + 4 * 11, and some. */
#define OPA_BLOCK_FIXED 160u

OPA_INLINE size_t opa_block_bound(const opa_block *block, const opa_block_context *context)
{
	return OPA_BLOCK_FIXED + block->len + block->message_len + context->state.len;
}

/*
 * What most spans have nothing of: status, dropped counts, trace state, `more` fields. Written in
 * front of `pos`; answers where it begins.
 */
uint8_t *opa_block_encode_rare(const opa_block *block, const opa_block_context *context,
	const void *more, size_t more_len, uint8_t *pos);

#define OPA_SPAN_FLAG_REMOTE_KNOWN 0x100u
#define OPA_SPAN_FLAG_REMOTE       0x200u

/*
 * Fields of constant length are laid out as a whole: the compiler makes a few stores of them, where
 * one write for each would check and move the writer each time.
 */
OPA_INLINE void opa_block_encode(const opa_block *block, const opa_block_context *context,
	uint64_t end, const void *more, size_t more_len, opa_writer *to)
{
	opa_writer w = *to;
	const uint8_t *span_end = w.pos;
	if (OPA_UNLIKELY((block->dropped_attributes | block->dropped_events | block->dropped_links |
						 block->status | context->state.len | more_len) != 0)) {
		w.pos = opa_block_encode_rare(block, context, more, more_len, w.pos);
	}
	opa_write_raw(&w, block->data, block->len);
	w.pos -= 26;
	uint8_t *p = w.pos;
	opa_store_le16(p, (OPA_TAG_SPAN_FLAGS & 0x7f) | 0x80 | OPA_TAG_SPAN_FLAGS >> 7 << 8);
	opa_store_le32(p + 2, context->flags | OPA_SPAN_FLAG_REMOTE_KNOWN |
							  (block->parent_remote ? OPA_SPAN_FLAG_REMOTE : 0u));
	p[6] = OPA_TAG_SPAN_KIND;
	p[7] = block->kind;
	p[8] = OPA_TAG_SPAN_START;
	opa_store_le64(p + 9, block->start);
	p[17] = OPA_TAG_SPAN_END;
	opa_store_le64(p + 18, end);
	if (OPA_LIKELY(block->parent != OPA_NO_SPAN)) {
		w.pos -= 10;
		opa_store_le16(w.pos, OPA_TAG_SPAN_PARENT | 8 << 8);
		opa_span_id_to_bytes(block->parent, w.pos + 2);
	}
	w.pos -= 28;
	p = w.pos;
	opa_store_le16(p, OPA_TAG_SPAN_TRACE_ID | OPA_TRACE_ID_LEN << 8);
	memcpy(p + 2, context->trace_id, OPA_TRACE_ID_LEN);
	opa_store_le16(p + 18, OPA_TAG_SPAN_ID | 8 << 8);
	opa_span_id_to_bytes(block->id, p + 20);
	opa_write_header(&w, OPA_TAG_SCOPE_SPANS_SPAN, span_end);
	*to = w;
}

#endif
