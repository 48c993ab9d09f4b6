/*
 * How the table is built: shards, and how a span is found in one with its lock held. For
 * opa_span.c, opa_span_change.c and opa_span_trace.c alone.
 */
#ifndef OPA_SPAN_TABLE_H
#define OPA_SPAN_TABLE_H

#include "opa_trace.h"
#include "core/opa_idmap.h"
#include "core/opa_mutex.h"

#include <stdatomic.h>

/* Each in cache lines of its own, and of a size by which it is found with a shift. */
union opa_shard {
	struct {
		opa_mutex lock;
		opa_idmap spans;  /* open spans: id -> opa_block */
		opa_idmap traces; /* local root's id -> opa_trace */
		opa_block_pool pool;
		opa_rng rng;
		opa_trace_buffer spare; /* a batch's memory, kept for the next trace */
		atomic_size_t *spare_bytes;
		unsigned index;
	};
	unsigned char lines[256];
};

_Static_assert(sizeof(union opa_shard) == 256, "no power of two");

struct opa_span_table {
	unsigned bits; /* of a span id that name its shard */
	unsigned count;
	uint64_t mask; /* count - 1 */
	atomic_ullong owners;
	atomic_uint next_shard;
	atomic_size_t spare_bytes; /* in the spares of all shards */
	union opa_shard *shards;
};

static inline void opa_shard_lock(union opa_shard *shard)
{
	opa_mutex_lock(&shard->lock);
}

static inline void opa_shard_unlock(union opa_shard *shard)
{
	opa_mutex_unlock(&shard->lock);
}

OPA_INLINE union opa_shard *opa_shard_lock_of(opa_span_table *table, opa_span_id id)
{
	union opa_shard *shard = &table->shards[id & table->mask];
	opa_shard_lock(shard);
	return shard;
}

OPA_INLINE opa_block *opa_shard_find_span(
	const union opa_shard *shard, uint64_t owner, opa_span_id id)
{
	opa_block *span = opa_idmap_get(&shard->spans, id);
	return OPA_LIKELY(span != NULL) && OPA_LIKELY(span->owner == owner) ? span : NULL;
}

static inline opa_trace *opa_shard_find_trace(
	const union opa_shard *shard, uint64_t owner, opa_span_id root)
{
	opa_trace *trace = opa_idmap_get(&shard->traces, root);
	return trace != NULL && trace->owner == owner ? trace : NULL;
}

/*
 * What begins every operation that writes to one span: it locks the shard, and answers where the
 * span stands in the table with the lock held, or NULL with the lock given back and the reason in
 * *result.
 */
OPA_INLINE opa_idmap_slot *opa_shard_lock_slot(opa_span_table *table, uint64_t owner,
	opa_span_id id, union opa_shard **shard, opa_span_result *result)
{
	*shard = opa_shard_lock_of(table, id);
	opa_idmap_slot *slot = opa_idmap_find(&(*shard)->spans, id);
	const opa_block *span = slot->value;
	if (OPA_LIKELY(span != NULL) && OPA_LIKELY(span->owner == owner)) {
		if (OPA_LIKELY(!span->frozen)) {
			*result = OPA_SPAN_OK;
			return slot;
		}
		*result = OPA_SPAN_REFUSED;
	} else {
		*result = OPA_SPAN_UNKNOWN;
	}
	opa_shard_unlock(*shard);
	return NULL;
}

/* The same, for the span itself. */
OPA_INLINE opa_block *opa_shard_lock_span(opa_span_table *table, uint64_t owner, opa_span_id id,
	union opa_shard **shard, opa_span_result *result)
{
	opa_idmap_slot *slot = opa_shard_lock_slot(table, owner, id, shard, result);
	return OPA_LIKELY(slot != NULL) ? slot->value : NULL;
}

#endif
