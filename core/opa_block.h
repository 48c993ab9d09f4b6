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

#define OPA_BLOCK_INLINE 104

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
	uint64_t exception;  /* token of the last one recorded, 0: none */
	char *message;       /* of the status; malloc, NULL: none */
	uint8_t *data;       /* name, then fields; inline_data or malloc */
	uint32_t capacity;
	uint32_t name_len;
	uint32_t len; /* of name and fields */
	uint32_t message_len;
	uint32_t attributes;
	uint32_t events;
	uint32_t links;
	uint32_t dropped_attributes;
	uint32_t dropped_events;
	uint32_t dropped_links;
	uint8_t kind;
	uint8_t status;
	bool status_final; /* set by the program */
	bool parent_remote;
	bool has_children; /* some span has, or had, this one as its parent */
	bool frozen;       /* was open at a fork: the parent process will write it */
	uint8_t inline_data[OPA_BLOCK_INLINE];
} opa_block;

/* Free blocks, at most `limit` of them. */
typedef struct opa_block_pool {
	opa_block *free;
	unsigned count;
	unsigned limit;
} opa_block_pool;

/* An empty block, or NULL. All numbers are 0. */
opa_block *opa_block_take(opa_block_pool *pool);
void opa_block_give(opa_block_pool *pool, opa_block *block);
void opa_block_pool_deinit(opa_block_pool *pool);

/* Heap bytes that the block takes. */
size_t opa_block_size(const opa_block *block);

/* All of these answer false when memory is short; the block is then as it was. */
bool opa_block_set_name(opa_block *block, opa_str name);
bool opa_block_set_message(opa_block *block, opa_str message);

/* Heap bytes that the block must grow by, at least, to take `more` further bytes of fields. */
size_t opa_block_growth(const opa_block *block, size_t more);

/*
 * Room for `more` further bytes of fields, so that appending cannot fail. Grows by at most `room`
 * heap bytes, which is not less than opa_block_growth().
 */
bool opa_block_reserve(opa_block *block, size_t more, size_t room);

/* Appends bytes that form whole fields of a Span message. */
bool opa_block_append(opa_block *block, const void *bytes, size_t len);

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

/* What all spans of a trace have in common on the wire. */
typedef struct opa_block_context {
	uint8_t trace_id[OPA_TRACE_ID_LEN];
	uint8_t flags;
	opa_str state;
} opa_block_context;

/* Room that encoding needs at most. */
size_t opa_block_bound(const opa_block *block, const opa_block_context *context);

/* Writes the span as a field of ScopeSpans, with `more` fields (not in the bound) behind its own.
 */
void opa_block_encode(const opa_block *block, const opa_block_context *context, uint64_t end,
	const void *more, size_t more_len, opa_writer *w);

#endif
