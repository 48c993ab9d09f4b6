/* What is done to an open span between its start and its end. */
#include "opa_span.h"
#include "opa_span_table.h"
#include "core/opa_clock.h"
#include "core/opa_fields.h"

opa_span_result opa_span_set_attributes(
	opa_span_table *table, uint64_t owner, opa_span_id id, opa_attributes attributes)
{
	union opa_shard *shard;
	opa_span_result result;
	opa_block *span = opa_shard_lock_span(table, owner, id, &shard, &result);
	if (span != NULL) {
		result = opa_trace_set_attributes(span->trace, span, &attributes);
		opa_shard_unlock(shard);
	}
	return result;
}

/* Written to the stack, or to memory of its own, before the lock. */
static OPA_NOINLINE opa_span_result set_long_attribute(
	opa_span_table *table, uint64_t owner, opa_span_id id, opa_str key, const opa_value *value)
{
	opa_fields fields;
	opa_fields_init(&fields);
	opa_fields_attribute(&fields, OPA_TAG_SPAN_ATTRIBUTE, key, value);
	opa_attributes attributes = {fields.data, fields.len, 0};
	if (fields.failed) {
		/* The span is to say that it has lost one. */
		attributes = (opa_attributes){.dropped = 1};
	}
	opa_span_result result = opa_span_set_attributes(table, owner, id, attributes);
	if (fields.failed && result == OPA_SPAN_LIMIT) {
		result = OPA_SPAN_NO_MEMORY;
	}
	opa_fields_deinit(&fields);
	return result;
}

opa_span_result opa_span_set_attribute(
	opa_span_table *table, uint64_t owner, opa_span_id id, opa_str key, const opa_value *value)
{
	union opa_shard *shard;
	opa_span_result result;
	if (OPA_LIKELY(opa_attribute_is_short(key, value))) {
		opa_str text = value->as.string;
		opa_block *span = opa_shard_lock_span(table, owner, id, &shard, &result);
		if (OPA_UNLIKELY(span == NULL)) {
			return result;
		}
		bool done = opa_trace_set_short_attribute(span->trace, span, key, text, &result);
		opa_shard_unlock(shard);
		if (OPA_LIKELY(done)) {
			return result;
		}
	}
	return set_long_attribute(table, owner, id, key, value);
}

opa_span_result opa_span_add_event(
	opa_span_table *table, uint64_t owner, opa_span_id id, uint64_t time, opa_str fields)
{
	union opa_shard *shard;
	opa_span_result result;
	uint64_t mono = opa_clock_mono();
	opa_block *span = opa_shard_lock_span(table, owner, id, &shard, &result);
	if (span != NULL) {
		result = opa_trace_add_event(span->trace, span, time, mono, fields);
		opa_shard_unlock(shard);
	}
	return result;
}

opa_span_result opa_span_add_exception(opa_span_table *table, uint64_t owner, opa_span_id id,
	uint64_t token, opa_str fields, opa_str message)
{
	union opa_shard *shard;
	opa_span_result result;
	uint64_t mono = opa_clock_mono();
	opa_block *span = opa_shard_lock_span(table, owner, id, &shard, &result);
	if (span != NULL) {
		result = opa_trace_add_exception(span->trace, span, token, mono, fields, message);
		opa_shard_unlock(shard);
	}
	return result;
}

opa_span_result opa_span_add_link(
	opa_span_table *table, uint64_t owner, opa_span_id id, opa_str fields)
{
	union opa_shard *shard;
	opa_span_result result;
	opa_block *span = opa_shard_lock_span(table, owner, id, &shard, &result);
	if (span != NULL) {
		result = opa_trace_add_link(span->trace, span, fields);
		opa_shard_unlock(shard);
	}
	return result;
}

/*
 * Whether `parent` is certainly not below `span`. The way up from the parent is followed as long as
 * its spans are open. Where it meets one that has ended, the rest is unknown; but as long as every
 * span of the trace hangs under an earlier one, what lies above an earlier span is earlier still.
 */
static bool is_above(const union opa_shard *shard, const opa_block *span, const opa_block *parent)
{
	const opa_trace *trace = span->trace;
	if (!span->has_children) {
		return span != parent;
	}
	for (;;) {
		if (parent == span) {
			return false;
		}
		if (parent->id == trace->root || parent->parent == trace->root) {
			return true;
		}
		const opa_block *up = opa_shard_find_span(shard, span->owner, parent->parent);
		if (up == NULL) {
			return !trace->later_parent && parent->sequence < span->sequence;
		}
		parent = up;
	}
}

opa_span_result opa_span_set_parent(
	opa_span_table *table, uint64_t owner, opa_span_id id, opa_span_id parent_id)
{
	union opa_shard *shard;
	opa_span_result result;
	opa_block *span = opa_shard_lock_span(table, owner, id, &shard, &result);
	if (span == NULL) {
		return result;
	}
	opa_trace *trace = span->trace;
	/* A span of another trace may stand in another shard: then it is not found here. */
	opa_block *parent = opa_shard_find_span(shard, owner, parent_id);
	if (parent == NULL) {
		result = OPA_SPAN_UNKNOWN;
	} else if (parent->trace != trace || id == trace->root || !is_above(shard, span, parent)) {
		result = OPA_SPAN_REFUSED;
	} else {
		span->parent = parent_id;
		parent->has_children = true;
		trace->later_parent |= parent->sequence > span->sequence;
	}
	opa_shard_unlock(shard);
	return result;
}

opa_span_result opa_span_set_name(
	opa_span_table *table, uint64_t owner, opa_span_id id, opa_str name)
{
	union opa_shard *shard;
	opa_span_result result;
	opa_block *span = opa_shard_lock_span(table, owner, id, &shard, &result);
	if (span != NULL) {
		result = opa_trace_set_name(span->trace, span, name);
		opa_shard_unlock(shard);
	}
	return result;
}

opa_span_result opa_span_set_status(opa_span_table *table, uint64_t owner, opa_span_id id,
	opa_span_status status, opa_str message, bool found)
{
	union opa_shard *shard;
	opa_span_result result;
	opa_block *span = opa_shard_lock_span(table, owner, id, &shard, &result);
	if (span != NULL) {
		result = opa_trace_set_status(span->trace, span, status, message, found);
		opa_shard_unlock(shard);
	}
	return result;
}

opa_span_result opa_span_mark(
	opa_span_table *table, uint64_t owner, opa_span_id id, opa_str key, opa_str text)
{
	union opa_shard *shard;
	opa_span_result result;
	opa_value value = OPA_VALUE_OF_STRING(text);
	opa_block *span = opa_shard_lock_span(table, owner, id, &shard, &result);
	if (span != NULL) {
		result = opa_trace_mark(span->trace, span, key, &value);
		opa_shard_unlock(shard);
	}
	return result;
}
