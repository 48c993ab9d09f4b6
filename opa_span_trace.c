#include "opa_span_table.h"

bool opa_trace_has_open_spans(
	opa_span_table *table, uint64_t owner, opa_span_id root, opa_span_id local_root)
{
	union opa_shard *shard = opa_shard_lock_of(table, root);
	const opa_trace *trace = opa_shard_find_trace(shard, owner, root);
	const opa_block *span = trace == NULL ? NULL : trace->open;
	while (span != NULL && (span->frozen || span->id == local_root)) {
		span = span->next;
	}
	opa_shard_unlock(shard);
	return span != NULL;
}

void opa_trace_take_counts(
	opa_span_table *table, uint64_t owner, opa_span_id root, uint32_t counts[OPA_TRACE_COUNTS])
{
	union opa_shard *shard = opa_shard_lock_of(table, root);
	opa_trace *trace = opa_shard_find_trace(shard, owner, root);
	memset(counts, 0, OPA_TRACE_COUNTS * sizeof(counts[0]));
	if (trace != NULL) {
		memcpy(counts, trace->counts, sizeof(trace->counts));
		memset(trace->counts, 0, sizeof(trace->counts));
	}
	opa_shard_unlock(shard);
}

void opa_span_table_usage(opa_span_table *table, size_t *open_spans, size_t *bytes)
{
	*open_spans = 0;
	*bytes = 0;
	for (unsigned i = 0; i < table->count; i++) {
		union opa_shard *shard = &table->shards[i];
		opa_shard_lock(shard);
		*open_spans += shard->spans.count;
		for (size_t k = 0; k <= shard->traces.mask; k++) {
			const opa_trace *trace = shard->traces.slots[k].value;
			*bytes += trace == NULL ? 0 : trace->bytes;
		}
		opa_shard_unlock(shard);
	}
}

bool opa_trace_has_error(opa_span_table *table, uint64_t owner, opa_span_id root)
{
	union opa_shard *shard = opa_shard_lock_of(table, root);
	const opa_trace *trace = opa_shard_find_trace(shard, owner, root);
	bool error = trace != NULL && trace->error;
	for (const opa_block *span = trace == NULL ? NULL : trace->open; span != NULL && !error;
		 span = span->next) {
		error = span->status == OPA_STATUS_ERROR && !span->frozen;
	}
	opa_shard_unlock(shard);
	return error;
}

void opa_trace_set_limits(
	opa_span_table *table, uint64_t owner, opa_span_id root, const opa_span_limits *limits)
{
	union opa_shard *shard = opa_shard_lock_of(table, root);
	opa_trace *trace = opa_shard_find_trace(shard, owner, root);
	if (trace != NULL) {
		trace->limits = limits;
	}
	opa_shard_unlock(shard);
}
