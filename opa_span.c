#include "opa_span.h"
#include "opa_span_table.h"
#include "core/opa_alloc.h"
#include "core/opa_clock.h"

#define MAX_SHARD_BITS 8u
#define POOLED_BLOCKS  1024u          /* over all shards */
#define SPARE_LARGEST  (512u * 1024u) /* of a shard */
#define SPARE_TOTAL    (4u * SPARE_LARGEST)

/* ---- the table ---- */

static bool shard_init(union opa_shard *shard, unsigned index, unsigned count)
{
	shard->index = index;
	shard->pool.limit = POOLED_BLOCKS / count;
	opa_idmap_init(&shard->spans);
	opa_idmap_init(&shard->traces);
	return opa_mutex_init(&shard->lock);
}

/* Calls `visit` for each trace of a shard. */
static void each_trace(union opa_shard *shard, void (*visit)(union opa_shard *, opa_trace *))
{
	for (size_t i = 0; i <= shard->traces.mask; i++) {
		if (shard->traces.slots[i].id != OPA_NO_SPAN) {
			visit(shard, shard->traces.slots[i].value);
		}
	}
}

static void discard_trace(union opa_shard *shard, opa_trace *trace)
{
	while (trace->open != NULL) {
		opa_block *span = trace->open;
		opa_trace_close(trace, span);
		opa_block_give(&shard->pool, span);
	}
	opa_trace_destroy(trace);
}

static void shard_deinit(union opa_shard *shard)
{
	each_trace(shard, discard_trace);
	opa_idmap_deinit(&shard->spans);
	opa_idmap_deinit(&shard->traces);
	opa_block_pool_deinit(&shard->pool);
	opa_free(shard->spare.block);
	opa_mutex_deinit(&shard->lock);
}

opa_span_table *opa_span_table_create(unsigned shards)
{
	opa_span_table *table = opa_calloc(1, sizeof(*table));
	if (table == NULL) {
		return NULL;
	}
	while (1u << table->bits < shards && table->bits < MAX_SHARD_BITS) {
		table->bits++;
	}
	shards = 1u << table->bits;
	table->mask = shards - 1;
	table->shards = opa_calloc(shards, sizeof(union opa_shard));
	if (table->shards == NULL) {
		opa_free(table);
		return NULL;
	}
	while (table->count < shards) {
		table->shards[table->count].spare_bytes = &table->spare_bytes;
		if (!shard_init(&table->shards[table->count], table->count, shards)) {
			opa_span_table_destroy(table);
			return NULL;
		}
		table->count++;
	}
	return table;
}

void opa_span_table_destroy(opa_span_table *table)
{
	if (table == NULL) {
		return;
	}
	while (table->count > 0) {
		shard_deinit(&table->shards[--table->count]);
	}
	opa_free(table->shards);
	opa_free(table);
}

uint64_t opa_span_owner_make(opa_span_table *table)
{
	return atomic_fetch_add(&table->owners, 1) + 1;
}

/* ---- starting ---- */

/* A new open span in the trace, or NULL with the reason in *result. */
OPA_INLINE opa_block *open_span(opa_span_table *table, union opa_shard *shard, opa_trace *trace,
	const opa_span_start *start, uint64_t mono, opa_span_result *result)
{
	if (OPA_UNLIKELY(!opa_trace_has_room(trace, sizeof(opa_block) + start->name.len))) {
		*result = OPA_SPAN_LIMIT;
		return NULL;
	}
	opa_block *span = opa_idmap_reserve(&shard->spans) ? opa_block_take(&shard->pool) : NULL;
	if (OPA_UNLIKELY(span == NULL)) {
		*result = opa_trace_refuse(trace, OPA_TRACE_REFUSED_MEMORY);
		return NULL;
	}
	*result = opa_trace_open(trace, span, start, mono);
	if (OPA_UNLIKELY(*result != OPA_SPAN_OK)) {
		opa_block_give(&shard->pool, span);
		return NULL;
	}
	do {
		span->id = opa_span_id_make(&shard->rng, shard->index, table->bits);
	} while (OPA_UNLIKELY(!opa_idmap_insert(&shard->spans, span->id, span)));
	return span;
}

opa_span_result opa_trace_begin(
	opa_span_table *table, const opa_trace_start *start, opa_span_id *root)
{
	*root = OPA_NO_SPAN;
	opa_trace *trace = opa_trace_create(start);
	if (trace == NULL) {
		return OPA_SPAN_NO_MEMORY;
	}
	opa_span_start span_start = {
		.parent = start->remote_parent,
		.name = start->name,
		.kind = start->kind,
		.start = start->start,
		.attributes = &start->attributes,
	};
	union opa_shard *shard = opa_shard_lock_of(table, atomic_fetch_add(&table->next_shard, 1));
	opa_span_result result = OPA_SPAN_NO_MEMORY;
	opa_block *span = NULL;
	if (opa_idmap_reserve(&shard->traces)) {
		span = open_span(table, shard, trace, &span_start, trace->mono, &result);
	}
	if (span == NULL) {
		opa_shard_unlock(shard);
		opa_trace_destroy(trace);
		return result;
	}
	span->parent_remote = start->remote_parent != OPA_NO_SPAN;
	trace->root = span->id;
	*root = span->id;
	opa_idmap_insert(&shard->traces, trace->root, trace);
	opa_shard_unlock(shard);
	return OPA_SPAN_OK;
}

opa_span_result opa_span_begin(
	opa_span_table *table, uint64_t owner, const opa_span_start *start, opa_span_id *id)
{
	uint64_t mono = start->mono != 0 ? start->mono : opa_clock_mono();
	union opa_shard *shard = opa_shard_lock_of(table, start->parent);
	opa_block *parent = opa_shard_find_span(shard, owner, start->parent);
	opa_trace *trace = OPA_LIKELY(parent != NULL)
						   ? parent->trace
						   : opa_shard_find_trace(shard, owner, start->parent);
	opa_span_result result = OPA_SPAN_UNKNOWN;
	opa_block *span = NULL;
	if (OPA_LIKELY(trace != NULL)) {
		span = open_span(table, shard, trace, start, mono, &result);
		if (OPA_UNLIKELY(span == NULL)) {
			trace->dropped++;
		} else if (parent != NULL) {
			parent->has_children = true;
		}
	}
	*id = span == NULL ? OPA_NO_SPAN : span->id;
	opa_shard_unlock(shard);
	return result;
}

/* ---- ending ---- */

/*
 * Memory for a span that does not fit behind the finished ones. The first one takes over what an
 * earlier batch has left.
 */
static OPA_NOINLINE bool make_room(union opa_shard *shard, opa_trace *trace, const opa_block *span)
{
	if (trace->finished.block == NULL) {
		atomic_fetch_sub(shard->spare_bytes, shard->spare.capacity);
		trace->finished = shard->spare;
		shard->spare = (opa_trace_buffer){NULL, 0, NULL};
	}
	return opa_trace_fits(trace, span) || opa_trace_grow(trace, span);
}

/* Out of the table first, then out of the trace's books, then the block may be used again. */
static void remove_span(union opa_shard *shard, opa_trace *trace, opa_block *span)
{
	opa_idmap_remove(&shard->spans, span->id);
	opa_trace_close(trace, span);
	opa_block_give(&shard->pool, span);
}

/*
 * The end of the span in `slot`: taken out of the table, written behind the finished ones, its
 * block given back. Where there is no memory to write it to nothing has changed.
 */
OPA_INLINE bool finish_span(
	union opa_shard *shard, opa_trace *trace, opa_idmap_slot *slot, uint64_t end, bool unfinished)
{
	opa_block *span = slot->value;
	if (OPA_UNLIKELY(!opa_trace_fits(trace, span)) && !make_room(shard, trace, span)) {
		return false;
	}
	opa_idmap_remove_at(&shard->spans, slot);
	opa_trace_close(trace, span);
	opa_trace_write(trace, span, end, unfinished);
	opa_block_give(&shard->pool, span);
	return true;
}

opa_span_result opa_span_end(
	opa_span_table *table, uint64_t owner, opa_span_id id, uint64_t end, opa_batch *flushed)
{
	union opa_shard *shard;
	opa_span_result result;
	uint64_t mono = opa_clock_mono();
	flushed->data = NULL;
	flushed->block = NULL;
	flushed->len = 0;
	flushed->spans = 0;
	opa_idmap_slot *slot = opa_shard_lock_slot(table, owner, id, &shard, &result);
	if (OPA_UNLIKELY(slot == NULL)) {
		return result;
	}
	const opa_block *span = slot->value;
	opa_trace *trace = span->trace;
	end = OPA_LIKELY(end == OPA_NOW) ? opa_trace_end_of(trace, span, mono) : end;
	if (OPA_UNLIKELY(!finish_span(shard, trace, slot, end, false))) {
		result = opa_trace_refuse(trace, OPA_TRACE_REFUSED_MEMORY);
	} else if (OPA_UNLIKELY(opa_trace_should_flush(trace, mono))) {
		opa_trace_detach(trace, false, flushed);
		flushed->shard = shard->index;
		opa_trace_anchor(trace);
	}
	opa_shard_unlock(shard);
	return result;
}

static bool is_untouched(const opa_block *span)
{
	return !span->has_children && span->attributes == 0 && span->dropped_attributes == 0 &&
		   span->events == 0 && span->dropped_events == 0 && span->links == 0 &&
		   span->dropped_links == 0 && span->status == OPA_STATUS_UNSET && !span->status_final;
}

bool opa_span_take_back(opa_span_table *table, uint64_t owner, opa_span_id id)
{
	union opa_shard *shard;
	opa_span_result result;
	opa_block *span = opa_shard_lock_span(table, owner, id, &shard, &result);
	if (span == NULL) {
		return false;
	}
	opa_trace *trace = span->trace;
	bool taken = is_untouched(span) && trace->counts[OPA_TRACE_SPANS_STARTED] > 0;
	if (taken) {
		trace->counts[OPA_TRACE_SPANS_STARTED]--;
		remove_span(shard, trace, span);
	}
	opa_shard_unlock(shard);
	return taken;
}

opa_span_result opa_trace_flush(
	opa_span_table *table, uint64_t owner, opa_span_id root, opa_batch *batch)
{
	memset(batch, 0, sizeof(*batch));
	union opa_shard *shard = opa_shard_lock_of(table, root);
	opa_trace *trace = opa_shard_find_trace(shard, owner, root);
	if (trace != NULL) {
		if (trace->finished_spans > 0) {
			opa_trace_detach(trace, false, batch);
			batch->shard = shard->index;
		}
		opa_trace_anchor(trace);
	}
	opa_shard_unlock(shard);
	return trace == NULL ? OPA_SPAN_UNKNOWN : OPA_SPAN_OK;
}

/*
 * Closes what is open, the latest first, so that what ends in order comes behind what it is to say
 * of the others. What a forked child only inherited is not its to write.
 */
static void finish_open(
	union opa_shard *shard, opa_trace *trace, opa_span_id ending, uint64_t dropped)
{
	uint64_t mono = opa_clock_mono();
	while (trace->open != NULL) {
		opa_block *span = trace->open;
		if (!span->frozen) {
			uint64_t end = opa_trace_end_of(trace, span, mono);
			bool unfinished = span->id != ending;
			if (!unfinished) {
				opa_trace_tell_dropped(trace, span, dropped);
			}
			if (finish_span(
					shard, trace, opa_idmap_find(&shard->spans, span->id), end, unfinished)) {
				continue;
			}
			trace->counts[OPA_TRACE_SPANS_LOST]++;
			trace->dropped++;
		}
		remove_span(shard, trace, span);
	}
}

opa_span_result opa_trace_finish(opa_span_table *table, uint64_t owner, opa_span_id root,
	opa_span_id ending, uint64_t dropped, opa_batch *batch)
{
	memset(batch, 0, sizeof(*batch));
	union opa_shard *shard = opa_shard_lock_of(table, root);
	opa_trace *trace = opa_shard_find_trace(shard, owner, root);
	if (trace != NULL) {
		finish_open(shard, trace, ending, dropped);
		opa_idmap_remove(&shard->traces, root);
		opa_trace_detach(trace, true, batch);
		batch->shard = shard->index;
		opa_idmap_trim(&shard->spans);
	}
	opa_shard_unlock(shard);
	if (trace == NULL) {
		return OPA_SPAN_UNKNOWN;
	}
	opa_trace_destroy(trace);
	return OPA_SPAN_OK;
}

/* Whether all spares together stay within their bound with `more`, which is booked then. */
static bool may_spare(opa_span_table *table, size_t more)
{
	if (atomic_fetch_add(&table->spare_bytes, more) + more <= SPARE_TOTAL) {
		return true;
	}
	atomic_fetch_sub(&table->spare_bytes, more);
	return false;
}

void opa_batch_release(opa_span_table *table, opa_batch *batch)
{
	uint8_t *block = batch->block;
	if (block != NULL && batch->capacity <= SPARE_LARGEST) {
		union opa_shard *shard = &table->shards[batch->shard];
		opa_shard_lock(shard);
		if (shard->spare.block == NULL && may_spare(table, batch->capacity)) {
			shard->spare = (opa_trace_buffer){block, batch->capacity, block + batch->capacity};
			block = NULL;
		}
		opa_shard_unlock(shard);
	}
	opa_free(block);
	memset(batch, 0, sizeof(*batch));
}

/* ---- what is asked ---- */

opa_span_id opa_span_root(opa_span_table *table, uint64_t owner, opa_span_id id)
{
	union opa_shard *shard = opa_shard_lock_of(table, id);
	const opa_block *span = opa_shard_find_span(shard, owner, id);
	const opa_trace *trace = span == NULL ? NULL : span->trace;
	opa_span_id root = trace == NULL ? OPA_NO_SPAN : trace->root;
	opa_shard_unlock(shard);
	return root;
}

bool opa_span_is_open(opa_span_table *table, uint64_t owner, opa_span_id id)
{
	union opa_shard *shard;
	opa_span_result result;
	if (opa_shard_lock_span(table, owner, id, &shard, &result) == NULL) {
		return false;
	}
	opa_shard_unlock(shard);
	return true;
}

/* ---- fork ---- */

void opa_span_table_fork_prepare(opa_span_table *table)
{
	for (unsigned i = 0; i < table->count; i++) {
		opa_shard_lock(&table->shards[i]);
	}
}

void opa_span_table_fork_parent(opa_span_table *table)
{
	for (unsigned i = table->count; i-- > 0;) {
		opa_shard_unlock(&table->shards[i]);
	}
}

static void leave_to_parent(union opa_shard *shard, opa_trace *trace)
{
	(void)shard;
	opa_trace_leave_to_parent(trace);
}

void opa_span_table_fork_child(opa_span_table *table)
{
	for (unsigned i = table->count; i-- > 0;) {
		union opa_shard *shard = &table->shards[i];
		opa_rng_forget(&shard->rng);
		each_trace(shard, leave_to_parent);
		opa_shard_unlock(shard);
	}
}
