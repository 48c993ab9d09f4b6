/*
 * How the span table is laid out: for the files that it is made of, opa_span.c (life, what every
 * span goes through, fork) and opa_span_trace.c (what is asked of a whole trace). Nobody else
 * includes this.
 */
#ifndef OPA_SPAN_SHARD_H
#define OPA_SPAN_SHARD_H

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

OPA_INLINE void opa_shard_lock(union opa_shard *shard)
{
	opa_mutex_lock(&shard->lock);
}

OPA_INLINE void opa_shard_unlock(union opa_shard *shard)
{
	opa_mutex_unlock(&shard->lock);
}

/* Locks the shard that an id names. */
OPA_INLINE union opa_shard *opa_shard_lock_of(opa_span_table *table, opa_span_id id)
{
	union opa_shard *shard = &table->shards[id & table->mask];
	opa_shard_lock(shard);
	return shard;
}

/* The trace with that root, if it is the owner's; NULL otherwise. */
OPA_INLINE opa_trace *opa_shard_find_trace(
	const union opa_shard *shard, uint64_t owner, opa_span_id root)
{
	opa_trace *trace = opa_idmap_get(&shard->traces, root);
	return trace != NULL && trace->owner == owner ? trace : NULL;
}

#endif
