#include "php_opa.h"
#include "opa_request.h"
#include "opa_process.h"
#include "core/opa_clock.h"

void opa_request_note_fork(void)
{
#ifdef ZTS
	if (TSRMLS_CACHE == NULL) {
		return; /* forked by a thread that has nothing to do with PHP */
	}
#endif
	opa_request *request = &OPA_G(request);
	OPA_G(ini_changed) = true; /* pid and environment may be other ones: settings are looked up */
	opa_rng_forget(&request->rng);
	if (!request->own.traced && request->latest == NULL) {
		return;
	}
	request->forked = true;
	request->own.dropped = 0; /* what the parent lacks it says itself */
	opa_request_trace_note_fork();
	request->fork_time = opa_clock_wall();
	request->fork_parent = opa_fiber_peek(&request->fibers);
	if (request->recording == OPA_RECORDING_ON) {
		request->recording = OPA_RECORDING_FORKED;
	}
}

/* Opens the child's own root span below what was current. */
static opa_span_id begin_root(const opa_request *request, opa_span_id parent)
{
	opa_span_start start = {
		.parent = parent,
		.name = OPA_STR("fork"),
		.kind = OPA_KIND_INTERNAL,
		.start = request->fork_time,
	};
	opa_span_id id = OPA_NO_SPAN;
	opa_span_result result = OPA_SPAN_UNKNOWN;
	if (start.parent != OPA_NO_SPAN) {
		result = opa_span_begin(opa_the_process.spans, request->owner, &start, &id);
	}
	if (result == OPA_SPAN_UNKNOWN && request->own.traced) {
		start.parent = request->own.local_root;
		opa_span_begin(opa_the_process.spans, request->owner, &start, &id);
	}
	return id;
}

/* The trace that the parent was in becomes the child's own. False: nothing is to be recorded. */
static bool choose_own(opa_request *request)
{
	opa_request_trace *trace = opa_request_trace_of(request->fork_parent);
	if (trace != &request->own && !opa_request_trace_adopt(trace)) {
		return false;
	}
	return request->own.traced;
}

bool opa_request_wake(void)
{
	opa_request *request = &OPA_G(request);
	opa_process_renew_config(OPA_G(config));
	request->forked = false;
	opa_span_id id = choose_own(request) ? begin_root(request, request->fork_parent) : OPA_NO_SPAN;
	opa_fiber_forget(&request->fibers);
	request->recording = id == OPA_NO_SPAN ? OPA_RECORDING_OFF : OPA_RECORDING_ON;
	if (id == OPA_NO_SPAN) {
		return false;
	}
	request->own.local_root = id;
	opa_request_trace_announce(&request->own);
	request->cpu = opa_clock_cpu();
	return true;
}
