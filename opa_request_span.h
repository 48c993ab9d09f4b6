/*
 * Starting and ending a span of the request: what every span goes through, in a header so that
 * compilers can join it to the functions that do it.
 */
#ifndef OPA_REQUEST_SPAN_H
#define OPA_REQUEST_SPAN_H

#include "php_opa.h"
#include "opa_process.h"
#include "core/opa_clock.h"

/*
 * A span below start->parent, or below the current one when that is OPA_NO_SPAN or not open; it
 * becomes the current one. OPA_NO_SPAN when it was refused. `start` is changed.
 */
OPA_INLINE opa_span_id opa_request_start_span(opa_span_start *start);

/* Ends a span of the program's; false for a root, which ends with its request or trace. */
OPA_INLINE bool opa_request_end_span(opa_span_id span, uint64_t end);

OPA_INLINE opa_span_id opa_request_start_span(opa_span_start *start)
{
	opa_request *request = &OPA_G(request);
	opa_span_id id;
	start->mono = opa_clock_mono();
	if (EXPECTED(start->parent == OPA_NO_SPAN)) {
		start->parent = opa_fiber_peek(&request->fibers);
	}
	if (start->parent == OPA_NO_SPAN) {
		if (UNEXPECTED(start->mono >= request->rotate_at)) {
			opa_request_rotate(start);
		}
		start->parent = request->own.local_root;
	}
	opa_span_result result = opa_span_begin(opa_the_process.spans, request->owner, start, &id);
	if (UNEXPECTED(result != OPA_SPAN_OK)) {
		id = opa_request_start_elsewhere(start, result);
		if (id == OPA_NO_SPAN) {
			return id;
		}
	}
	opa_fiber_push(&request->fibers, id, opa_request_trace_stands);
	request->spans++;
	return id;
}

OPA_INLINE bool opa_request_end_span(opa_span_id span, uint64_t end)
{
	opa_request *request = &OPA_G(request);
	opa_batch flushed;
	if (UNEXPECTED(span == request->own.local_root) ||
		UNEXPECTED(request->started.count > 0 && opa_idmap_get(&request->started, span) != NULL)) {
		return false;
	}
	opa_span_result result =
		opa_span_end(opa_the_process.spans, request->owner, span, end, &flushed);
	if (UNEXPECTED(flushed.data != NULL)) {
		opa_request_publish(&flushed);
	}
	if (UNEXPECTED(result != OPA_SPAN_OK)) {
		return false;
	}
	opa_fiber_drop(&request->fibers, span);
	return true;
}

#endif
