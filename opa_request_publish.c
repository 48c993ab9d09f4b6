#include "php_opa.h"
#include "opa_request.h"
#include "opa_process.h"

/* InstrumentationScope{name, version} as a field of ScopeSpans: it stands in front of the spans. */
#define SCOPE_NAME    "opa"
#define SCOPE_MAX_LEN 48

/* Writes the scope into the batch's headroom, in front of its spans. */
static void prepend_scope(opa_batch *batch)
{
	opa_writer w = {batch->data};
	opa_str version = OPA_STR(PHP_OPA_VERSION), name = OPA_STR(SCOPE_NAME);
	_Static_assert(SCOPE_MAX_LEN + OPA_RECORD_HEADER_SIZE <= OPA_BATCH_HEADROOM, "no headroom");
	opa_write_raw(&w, version.data, version.len);
	opa_write_varint(&w, version.len);
	opa_write_varint(&w, OPA_TAG_SCOPE_VERSION);
	opa_write_raw(&w, name.data, name.len);
	opa_write_varint(&w, name.len);
	opa_write_varint(&w, OPA_TAG_SCOPE_NAME);
	opa_write_header(&w, OPA_TAG_SCOPE_SPANS_SCOPE, batch->data);
	batch->len += (size_t)(batch->data - w.pos);
	batch->data = w.pos;
}

/* `complete`: the trace has ended. */
static void count(opa_request *request, opa_request_trace *trace,
	const uint32_t from[OPA_TRACE_COUNTS], bool complete)
{
	uint64_t counts[OPA_COUNTER_COUNT] = {0};
	counts[OPA_COUNT_TRACES_STARTED] = complete;
	counts[OPA_COUNT_SPANS_STARTED] = from[OPA_TRACE_SPANS_STARTED];
	counts[OPA_COUNT_SPANS_UNFINISHED] = from[OPA_TRACE_SPANS_UNFINISHED];
	counts[OPA_COUNT_DROPPED_NO_MEMORY] = from[OPA_TRACE_SPANS_LOST];
	counts[OPA_COUNT_ATTRIBUTES_DROPPED] = from[OPA_TRACE_ATTRIBUTES_DROPPED];
	counts[OPA_COUNT_EVENTS_DROPPED] = from[OPA_TRACE_EVENTS_DROPPED];
	counts[OPA_COUNT_LINKS_DROPPED] = from[OPA_TRACE_LINKS_DROPPED];
	counts[OPA_COUNT_REFUSED_TRACE_SIZE] = from[OPA_TRACE_REFUSED_SIZE];
	counts[OPA_COUNT_REFUSED_NO_MEMORY] = from[OPA_TRACE_REFUSED_MEMORY];
	counts[OPA_COUNT_VALUES_CUT] = request->values_cut;
	request->values_cut = 0;
	bool ended = complete && trace->announced;
	trace->announced = trace->announced && !ended;
	opa_publish_count_all(opa_the_process.publisher, &request->config->outlet, counts, ended);
}

static void count_trace(opa_request *request, opa_request_trace *trace)
{
	/* A trace that may be dropped as if it had never been is counted when it is kept. */
	if (trace->traced && !trace->inherited && !opa_sampling_waits(&trace->sampling)) {
		uint32_t counts[OPA_TRACE_COUNTS];
		opa_trace_take_counts(opa_the_process.spans, request->owner, trace->root, counts);
		count(request, trace, counts, false);
	}
}

void opa_request_count(void)
{
	opa_request *request = &OPA_G(request);
	count_trace(request, &request->own);
	for (opa_request_trace *t = request->latest; t != NULL; t = t->next) {
		count_trace(request, t);
	}
}

bool opa_request_publish(opa_batch *batch)
{
	opa_request *request = &OPA_G(request);
	opa_request_trace *trace = opa_request_trace_named(batch->root);
	bool kept = true;
	if (!batch->complete && batch->data != NULL) {
		opa_sampling_decide(trace, OPA_KEPT_SIZE);
	}
	if (batch->data != NULL && batch->spans > 0) {
		const opa_config *config = request->config;
		prepend_scope(batch);
		opa_record record = {
			.payload = batch->data,
			.length = batch->len,
			.type = OPA_RECORD_SPANS,
			.flags = (uint16_t)((batch->complete ? OPA_RECORD_COMPLETE : 0u) |
								(batch->error ? OPA_RECORD_ERROR : 0u)),
			.spans = batch->spans,
			.resource = config->resource_id,
		};
		memcpy(record.trace_id, batch->trace_id, OPA_TRACE_ID_LEN);
		kept = opa_publish(opa_the_process.publisher, &config->outlet, &record,
			(opa_str){(const char *)config->resource, config->resource_len});
		trace->dropped += kept ? 0 : batch->spans;
	}
	/* Last, because it saves the counters: what was kept is among them. */
	if (batch->data != NULL || batch->complete) {
		count(request, trace, batch->counts, batch->complete);
	}
	opa_batch_release(opa_the_process.spans, batch);
	return kept;
}

static bool flush(opa_request *request, opa_request_trace *trace)
{
	opa_batch batch;
	if (!trace->traced || trace->inherited || !opa_sampling_decide(trace, OPA_KEPT_UNDECIDED)) {
		return true;
	}
	if (opa_trace_flush(opa_the_process.spans, request->owner, trace->root, &batch) !=
		OPA_SPAN_OK) {
		return false;
	}
	if (batch.data == NULL) {
		count_trace(request, trace);
	}
	return opa_request_publish(&batch);
}

bool opa_request_flush(void)
{
	opa_request *request = &OPA_G(request);
	bool kept = flush(request, &request->own);
	for (opa_request_trace *t = request->latest; t != NULL; t = t->next) {
		kept = flush(request, t) && kept;
	}
	return kept;
}
