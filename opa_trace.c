#include "opa_trace.h"
#include "core/opa_alloc.h"
#include "core/opa_clock.h"
#include "core/opa_fields.h"

#define BUFFER_STEP ((size_t)4096)

const char opa_trace_marks[] = OPA_UNFINISHED_MARK OPA_CLAMPED_MARK;

opa_trace *opa_trace_create(const opa_trace_start *start)
{
	opa_trace *trace = opa_calloc(1, sizeof(*trace));
	if (trace == NULL) {
		return NULL;
	}
	trace->owner = start->owner;
	trace->limits = start->limits;
	trace->context.flags = start->flags;
	memcpy(trace->context.trace_id, start->trace_id, OPA_TRACE_ID_LEN);
	if (start->state.len > 0) {
		trace->state = opa_strndup(start->state.data, start->state.len);
		if (trace->state == NULL) {
			opa_free(trace);
			return NULL;
		}
		trace->context.state = (opa_str){trace->state, start->state.len};
	}
	opa_trace_anchor(trace);
	return trace;
}

void opa_trace_destroy(opa_trace *trace)
{
	opa_free(trace->finished.block);
	opa_free(trace->state);
	opa_free(trace);
}

void opa_trace_anchor(opa_trace *trace)
{
	trace->wall = opa_clock_wall();
	trace->mono = opa_clock_mono();
}

/* ---- the books ---- */

opa_span_result opa_trace_refuse(opa_trace *trace, opa_trace_count why)
{
	trace->counts[why]++;
	return why == OPA_TRACE_REFUSED_MEMORY ? OPA_SPAN_NO_MEMORY : OPA_SPAN_LIMIT;
}

/* Books what a change has made of a block that was `before` bytes large. */
static void account(opa_trace *trace, const opa_block *span, size_t before)
{
	trace->bytes += span->size;
	trace->bytes -= before;
}

/* Room for whole fields, within the limit and booked. What the block has already is booked. */
static opa_span_result reserve_fields(opa_trace *trace, opa_block *span, size_t len)
{
	size_t growth = opa_block_growth(span, len);
	if (OPA_LIKELY(growth == 0)) {
		return OPA_SPAN_OK;
	}
	if (!opa_trace_has_room(trace, growth)) {
		return OPA_SPAN_LIMIT;
	}
	size_t before = span->size;
	if (!opa_block_reserve(span, len, trace->limits->trace_size - trace->bytes)) {
		return opa_trace_refuse(trace, OPA_TRACE_REFUSED_MEMORY);
	}
	account(trace, span, before);
	return OPA_SPAN_OK;
}

/* ---- closing ---- */

bool opa_trace_grow(opa_trace *trace, const opa_block *span)
{
	opa_trace_buffer *buffer = &trace->finished;
	size_t used = opa_trace_finished_len(trace);
	size_t needed = used + opa_trace_bound(trace, span);
	size_t capacity = buffer->capacity + buffer->capacity / 2;
	if (capacity < needed) {
		capacity = needed;
	}
	capacity = (capacity + BUFFER_STEP - 1) / BUFFER_STEP * BUFFER_STEP;
	uint8_t *block = opa_malloc(capacity);
	if (block == NULL) {
		return false;
	}
	if (used > 0) {
		memcpy(block + capacity - used, buffer->pos, used);
	}
	opa_free(buffer->block);
	*buffer = (opa_trace_buffer){block, capacity, block + capacity - used};
	return true;
}

void opa_trace_detach(opa_trace *trace, bool complete, opa_batch *batch)
{
	opa_trace_buffer *buffer = &trace->finished;
	*batch = (opa_batch){.len = opa_trace_finished_len(trace)};
	if (batch->len > 0) {
		batch->data = buffer->pos;
		batch->block = buffer->block;
		batch->capacity = buffer->capacity;
		*buffer = (opa_trace_buffer){NULL, 0, NULL};
	}
	batch->spans = trace->finished_spans;
	batch->complete = complete;
	batch->error = trace->error;
	batch->root = trace->root;
	memcpy(batch->trace_id, trace->context.trace_id, OPA_TRACE_ID_LEN);
	memcpy(batch->counts, trace->counts, sizeof(trace->counts));
	trace->bytes -= batch->len;
	memset(trace->counts, 0, sizeof(trace->counts));
	trace->finished_spans = 0;
	trace->error = false;
}

void opa_trace_leave_to_parent(opa_trace *trace)
{
	size_t len = opa_trace_finished_len(trace);
	if (len > 0) {
		trace->finished.pos += len;
		trace->bytes -= len;
	}
	trace->finished_spans = 0;
	trace->dropped = 0;
	trace->error = false;
	memset(trace->counts, 0, sizeof(trace->counts));
	for (opa_block *span = trace->open; span != NULL; span = span->next) {
		span->frozen = true;
	}
}

/* ---- what is done to an open span ---- */

/* One attribute: overwrites the one with its key, or is added if the limits let it. */
static opa_span_result set_attribute(
	opa_trace *trace, opa_block *span, const uint8_t *wire, size_t len)
{
	size_t old_len = 0;
	long at = span->attributes == 0 ? -1 : opa_block_find(span, wire, len, &old_len);
	if (OPA_UNLIKELY(at < 0 && span->attributes >= trace->limits->attributes)) {
		span->dropped_attributes++;
		return opa_trace_refuse(trace, OPA_TRACE_ATTRIBUTES_DROPPED);
	}
	if (len > old_len) {
		opa_span_result result = reserve_fields(trace, span, len - old_len);
		if (OPA_UNLIKELY(result != OPA_SPAN_OK)) {
			span->dropped_attributes++;
			return result;
		}
	}
	if (at >= 0) {
		opa_block_replace(span, (size_t)at, old_len, wire, len);
	} else {
		opa_block_append(span, wire, len);
		span->attributes++;
	}
	return OPA_SPAN_OK;
}

opa_span_result opa_trace_set_attributes(
	opa_trace *trace, opa_block *span, const opa_attributes *attributes)
{
	opa_span_result result = OPA_SPAN_OK;
	const uint8_t *p = attributes->wire;
	size_t left = attributes->len, len;
	while (left > 0 && (len = opa_attribute_len(p, left)) > 0) {
		opa_span_result one = set_attribute(trace, span, p, len);
		result = one == OPA_SPAN_OK ? result : one;
		p += len;
		left -= len;
	}
	if (OPA_UNLIKELY(attributes->dropped > 0)) {
		span->dropped_attributes += attributes->dropped;
		trace->counts[OPA_TRACE_ATTRIBUTES_DROPPED] += attributes->dropped;
		result = OPA_SPAN_LIMIT;
	}
	return result;
}

bool opa_trace_set_further_attribute(
	opa_trace *trace, opa_block *span, opa_str key, opa_str text, opa_span_result *result)
{
	uint8_t wire[OPA_SHORT_ATTRIBUTE + 8];
	if (!opa_put_short_attribute(wire, OPA_TAG_SPAN_ATTRIBUTE, key, text)) {
		return false;
	}
	opa_attributes attributes = {wire, opa_short_attribute_len(key, text), 0};
	*result = opa_trace_set_attributes(trace, span, &attributes);
	return true;
}

opa_span_result opa_trace_mark(
	opa_trace *trace, opa_block *span, opa_str key, const opa_value *value)
{
	const opa_span_limits *limits = trace->limits;
	opa_span_limits none = *limits;
	opa_fields fields;
	none.attributes = UINT32_MAX;
	none.trace_size = SIZE_MAX;
	opa_fields_init(&fields);
	opa_fields_attribute(&fields, OPA_TAG_SPAN_ATTRIBUTE, key, value);
	trace->limits = &none;
	opa_span_result result =
		fields.failed ? OPA_SPAN_NO_MEMORY : set_attribute(trace, span, fields.data, fields.len);
	trace->limits = limits;
	opa_fields_deinit(&fields);
	return result;
}

void opa_trace_tell_dropped(opa_trace *trace, opa_block *span, uint64_t dropped)
{
	dropped += trace->dropped;
	if (OPA_UNLIKELY(dropped > 0)) {
		opa_value number = OPA_VALUE_OF_INT((int64_t)dropped);
		opa_trace_mark(trace, span, OPA_STR("opa.dropped_spans"), &number);
	}
}

/* Behind what stands already; there is room. */
static void put(opa_block *span, const void *bytes, size_t len)
{
	if (len > 0) {
		memcpy(span->data + span->len, bytes, len);
		span->len += (uint32_t)len;
	}
}

/* Appends a message of which all but a few bytes stand already: header, head, body. */
static opa_span_result append_message(
	opa_trace *trace, opa_block *span, uint8_t tag, opa_str head, opa_str body)
{
	uint8_t header[16];
	opa_writer w = {header + sizeof(header)};
	opa_write_varint(&w, head.len + body.len);
	*--w.pos = tag;
	size_t header_len = (size_t)(header + sizeof(header) - w.pos);
	opa_span_result result = reserve_fields(trace, span, header_len + head.len + body.len);
	if (result == OPA_SPAN_OK) {
		put(span, w.pos, header_len);
		put(span, head.data, head.len);
		put(span, body.data, body.len);
	}
	return result;
}

opa_span_result opa_trace_add_event(
	opa_trace *trace, opa_block *span, uint64_t time, uint64_t mono, opa_str fields)
{
	if (span->events >= trace->limits->events) {
		span->dropped_events++;
		return opa_trace_refuse(trace, OPA_TRACE_EVENTS_DROPPED);
	}
	uint8_t head[9];
	opa_writer w = {head + sizeof(head)};
	opa_write_fixed64(&w, time == OPA_NOW ? opa_trace_end_of(trace, span, mono) : time);
	*--w.pos = OPA_TAG_EVENT_TIME;
	opa_span_result result = append_message(
		trace, span, OPA_TAG_SPAN_EVENT, (opa_str){(char *)head, sizeof(head)}, fields);
	*(result == OPA_SPAN_OK ? &span->events : &span->dropped_events) += 1;
	return result;
}

opa_span_result opa_trace_add_link(opa_trace *trace, opa_block *span, opa_str fields)
{
	if (span->links >= trace->limits->links) {
		span->dropped_links++;
		return opa_trace_refuse(trace, OPA_TRACE_LINKS_DROPPED);
	}
	opa_span_result result =
		append_message(trace, span, OPA_TAG_SPAN_LINK, (opa_str){NULL, 0}, fields);
	*(result == OPA_SPAN_OK ? &span->links : &span->dropped_links) += 1;
	return result;
}

/* A message that cannot be kept leaves none, rather than that of an earlier status. */
static opa_span_result set_message(opa_trace *trace, opa_block *span, opa_str message)
{
	size_t before = span->size;
	opa_block_set_message(span, OPA_STR(""));
	account(trace, span, before);
	if (message.len == 0) {
		return OPA_SPAN_OK;
	}
	if (!opa_trace_has_room(trace, message.len)) {
		return OPA_SPAN_LIMIT;
	}
	before = span->size;
	if (!opa_block_set_message(span, message)) {
		return opa_trace_refuse(trace, OPA_TRACE_REFUSED_MEMORY);
	}
	account(trace, span, before);
	return OPA_SPAN_OK;
}

opa_span_result opa_trace_set_status(
	opa_trace *trace, opa_block *span, opa_span_status status, opa_str message, bool found)
{
	if (found && (span->status_final || span->status == OPA_STATUS_ERROR)) {
		return OPA_SPAN_OK;
	}
	if (status != OPA_STATUS_ERROR) {
		message.len = 0;
	}
	span->status = (uint8_t)status;
	span->status_final = !found && status != OPA_STATUS_UNSET;
	return set_message(trace, span, message);
}

opa_span_result opa_trace_set_name(opa_trace *trace, opa_block *span, opa_str name)
{
	size_t len = opa_name_field_len(name);
	if (len > span->name_field) {
		opa_span_result result = reserve_fields(trace, span, len - span->name_field);
		if (result != OPA_SPAN_OK) {
			return result;
		}
	}
	opa_block_set_name(span, name);
	return OPA_SPAN_OK;
}

static bool has_exception(const opa_block *span, uint64_t token)
{
	uint32_t known = span->exception_count;
	for (uint32_t i = 0; i < known && i < OPA_BLOCK_EXCEPTIONS; i++) {
		if (span->exceptions[i] == token) {
			return true;
		}
	}
	return false;
}

opa_span_result opa_trace_add_exception(opa_trace *trace, opa_block *span, uint64_t token,
	uint64_t mono, opa_str fields, opa_str message)
{
	if (has_exception(span, token)) {
		return OPA_SPAN_OK;
	}
	opa_span_result result = opa_trace_add_event(trace, span, OPA_NOW, mono, fields);
	if (result == OPA_SPAN_OK) {
		span->exceptions[span->exception_count++ % OPA_BLOCK_EXCEPTIONS] = token;
	}
	opa_trace_set_status(trace, span, OPA_STATUS_ERROR, message, true);
	return result;
}
