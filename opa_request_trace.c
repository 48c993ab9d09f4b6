#include "php_opa.h"
#include "opa_request.h"
#include "opa_http.h"
#include "opa_process.h"
#include "core/opa_alloc.h"
#include "core/opa_clock.h"

/* ---- ids and decisions ---- */

uint8_t opa_request_trace_flags(const opa_request_trace *trace)
{
	uint8_t random =
		trace->remote.known ? trace->remote.parent.flags & OPA_W3C_RANDOM : OPA_W3C_RANDOM;
	return random | (trace->sampling.sampled ? OPA_W3C_SAMPLED : 0u);
}

/* Where it is not recorded it has an id all the same, for the services that the program calls. */
void opa_request_trace_choose(opa_request_trace *trace)
{
	opa_rng *rng = &OPA_G(request).rng;
	if (trace->remote.known) {
		memcpy(trace->trace_id, trace->remote.parent.trace_id, OPA_TRACE_ID_LEN);
	} else {
		opa_trace_id_make(rng, trace->trace_id);
	}
	trace->traced = false;
	trace->announced = false;
	trace->inherited = false;
	trace->dropped = 0;
	trace->root = OPA_NO_SPAN;
	trace->local_root = OPA_NO_SPAN;
	trace->unwanted = !opa_sampling_begin(trace);
	if (trace->unwanted) {
		trace->root = opa_span_id_make(rng, 0, 0);
	}
}

void opa_request_trace_announce(opa_request_trace *trace)
{
	trace->announced = true;
	opa_publish_begin_trace(opa_the_process.publisher, &OPA_G(request).config->outlet);
}

/* Opens the trace with its root span. */
static void begin(opa_request_trace *trace, opa_trace_start *start)
{
	const opa_request *request = &OPA_G(request);
	char state[OPA_W3C_STATE_MAX];
	start->owner = request->owner;
	start->flags = opa_request_trace_flags(trace);
	start->state = opa_sampling_state(trace, state);
	start->limits = opa_sampling_limits(trace);
	start->start = OPA_NOW;
	if (trace->remote.known) {
		start->remote_parent = trace->remote.parent.parent;
	}
	memcpy(start->trace_id, trace->trace_id, OPA_TRACE_ID_LEN);
	trace->traced = opa_trace_begin(opa_the_process.spans, start, &trace->root) == OPA_SPAN_OK;
	trace->local_root = trace->root;
	if (trace->traced) {
		opa_request_trace_announce(trace);
	}
}

/* Ends the trace, and `ending` in it. */
static void finish(opa_request_trace *trace, opa_span_id ending, bool keep)
{
	opa_batch last;
	keep = keep && opa_sampling_end(trace);
	opa_trace_finish(
		opa_the_process.spans, OPA_G(request).owner, trace->root, ending, trace->dropped, &last);
	if (keep) {
		opa_request_publish(&last);
	} else {
		opa_batch_release(opa_the_process.spans, &last);
	}
	if (trace->announced) {
		trace->announced = false;
		opa_publish_end_trace(opa_the_process.publisher);
	}
	trace->traced = false;
}

void opa_request_put_link(opa_fields *fields, const opa_traceparent *to, uint32_t dropped)
{
	uint8_t id[8];
	opa_span_id_to_bytes(to->parent, id);
	opa_fields_bytes(fields, OPA_TAG_LINK_TRACE_ID, to->trace_id, OPA_TRACE_ID_LEN);
	opa_fields_bytes(fields, OPA_TAG_LINK_SPAN_ID, id, sizeof(id));
	opa_fields_uint(fields, OPA_TAG_LINK_DROPPED, dropped);
	opa_fields_fixed32(fields, OPA_TAG_LINK_FLAGS, to->flags);
}

/* A span of a trace, as a link's target. */
static opa_traceparent place_of(const opa_request_trace *trace, opa_span_id span)
{
	opa_traceparent place = {.parent = span, .flags = opa_request_trace_flags(trace)};
	memcpy(place.trace_id, trace->trace_id, OPA_TRACE_ID_LEN);
	return place;
}

static void link_root(const opa_request_trace *trace, const opa_traceparent *to)
{
	opa_fields link;
	opa_fields_init(&link);
	opa_request_put_link(&link, to, 0);
	opa_span_add_link(
		opa_the_process.spans, OPA_G(request).owner, trace->root, opa_fields_str(&link));
	opa_fields_deinit(&link);
}

/* ---- the request's own ---- */

static void forget_baggage(opa_request_trace *trace)
{
	if (trace->baggage != NULL) {
		zend_string_release(trace->baggage);
		trace->baggage = NULL;
	}
}

static void begin_own(opa_request *request)
{
	char room[OPA_HTTP_NAME_ROOM];
	opa_fields fields;
	opa_fields_init(&fields);
	opa_trace_start start = {
		.name = opa_http_begin(request->config, &fields, room),
		.kind = opa_http_is_request() ? OPA_KIND_SERVER : OPA_KIND_INTERNAL,
	};
	start.attributes = (opa_attributes){fields.data, fields.len, 0};
	request->own.dropped = 0;
	begin(&request->own, &start);
	opa_fields_deinit(&fields);
	request->recording = request->own.traced ? OPA_RECORDING_ON : OPA_RECORDING_OFF;
	uint64_t age = request->config->trace_rotate;
	request->rotate_at = age == 0 || opa_http_is_request() ? UINT64_MAX : opa_clock_mono() + age;
}

void opa_request_trace_choose_own(void)
{
	opa_request *request = &OPA_G(request);
	opa_remote_read(request->config, &request->own.remote);
	opa_request_trace_choose(&request->own);
	request->owner = opa_span_owner_make(opa_the_process.spans);
	if (!request->own.unwanted) {
		request->cpu = opa_clock_cpu();
		begin_own(request);
	}
}

static bool has_open_spans(const opa_request_trace *trace)
{
	return opa_trace_has_open_spans(
		opa_the_process.spans, OPA_G(request).owner, trace->root, trace->local_root);
}

void opa_request_trace_renew_own(void)
{
	opa_request *request = &OPA_G(request);
	opa_request_trace *own = &request->own;
	opa_traceparent before = place_of(own, own->local_root);
	forget_baggage(own);
	own->started = false;
	own->remote.debug = false;
	opa_sampling_rotate(own);
	begin_own(request);
	if (own->traced) {
		link_root(own, &before);
	}
}

void opa_request_trace_rotate(void)
{
	opa_request_trace *own = &OPA_G(request).own;
	if (!has_open_spans(own)) {
		finish(own, own->local_root, true);
		opa_request_trace_renew_own();
	}
}

/* ---- which one goes on ---- */

static opa_request_trace *find_started(opa_span_id root)
{
	const opa_request *request = &OPA_G(request);
	return request->started.count == 0 ? NULL : opa_idmap_get(&request->started, root);
}

opa_request_trace *opa_request_trace_named(opa_span_id root)
{
	opa_request_trace *found = find_started(root);
	return found != NULL ? found : &OPA_G(request).own;
}

/* One that is not wanted, by the id that stands for it; NULL when it is another span's. */
static opa_request_trace *find_unwanted(opa_span_id span)
{
	opa_request_trace *trace = find_started(span);
	return trace != NULL && trace->unwanted ? trace : NULL;
}

bool opa_request_trace_stands(opa_span_id span)
{
	return opa_request_is_open(span) || find_unwanted(span) != NULL;
}

opa_request_trace *opa_request_trace_of(opa_span_id span)
{
	opa_request *request = &OPA_G(request);
	if (request->started.count == 0) {
		return &request->own;
	}
	opa_request_trace *unwanted = find_unwanted(span);
	if (unwanted != NULL) {
		return unwanted;
	}
	return opa_request_trace_named(opa_span_root(opa_the_process.spans, request->owner, span));
}

opa_request_trace *opa_request_trace_current(void)
{
	opa_span_id top = opa_fiber_top(&OPA_G(request).fibers, opa_request_trace_stands);
	return top == OPA_NO_SPAN ? &OPA_G(request).own : opa_request_trace_of(top);
}

/* ---- those that the program starts ---- */

bool opa_request_trace_may_start(void)
{
	const opa_request *request = &OPA_G(request);
	bool only_unwanted = request->recording == OPA_RECORDING_OFF && request->begun &&
						 request->own.unwanted && !request->switched_off;
	return (only_unwanted || opa_request_records()) &&
		   opa_publish_begin(opa_the_process.publisher, &request->config->outlet);
}

static void list(opa_request *request, opa_request_trace *trace)
{
	trace->previous = NULL;
	trace->next = request->latest;
	*(trace->next != NULL ? &trace->next->previous : &request->earliest) = trace;
	request->latest = trace;
	request->recorded += trace->traced && !trace->inherited;
}

static void unlist(opa_request *request, opa_request_trace *trace)
{
	*(trace->previous != NULL ? &trace->previous->next : &request->latest) = trace->next;
	*(trace->next != NULL ? &trace->next->previous : &request->earliest) = trace->previous;
}

/* Ends it in whatever state it is, and forgets it. */
static void close_started(opa_request_trace *trace, opa_span_id ending, bool keep)
{
	opa_request *request = &OPA_G(request);
	if (trace->traced) {
		request->recorded -= !trace->inherited;
		finish(trace, ending, keep && !trace->inherited);
	}
	opa_idmap_remove(&request->started, trace->root);
	unlist(request, trace);
	forget_baggage(trace);
	opa_free(trace);
	/* Of a request that is not wanted nothing is recorded but what is started in it. */
	if (request->recorded == 0 && !request->own.traced && request->recording == OPA_RECORDING_ON) {
		request->recording = OPA_RECORDING_OFF;
	}
}

/* A copy that lasts, with a place in the map for it. NULL: memory is short. */
static opa_request_trace *make_lasting(opa_request *request, const opa_request_trace *chosen)
{
	if (request->started.count >= OPA_TRACES_OPEN) {
		close_started(request->earliest, OPA_NO_SPAN, true);
	}
	opa_request_trace *trace =
		opa_idmap_reserve(&request->started) ? opa_malloc(sizeof(*trace)) : NULL;
	if (trace != NULL) {
		*trace = *chosen;
		trace->started = true;
	}
	return trace;
}

static void enter(opa_request *request, opa_request_trace *trace)
{
	opa_idmap_insert(&request->started, trace->root, trace);
	list(request, trace);
	opa_fiber_push(&request->fibers, trace->root, opa_request_trace_stands);
}

/* A script's own trace may be too old, and have nothing open but its root: as for a span. */
static void rotate_own_if_due(opa_request *request)
{
	if (request->own.traced && opa_fiber_peek(&request->fibers) == OPA_NO_SPAN &&
		opa_clock_mono() >= request->rotate_at) {
		opa_request_trace_rotate();
	}
}

static void begin_started(opa_request *request, opa_request_trace *trace, opa_trace_start *start)
{
	rotate_own_if_due(request);
	opa_span_id before = opa_request_current();
	opa_traceparent link = place_of(opa_request_trace_current(), before);
	begin(trace, start);
	if (trace->traced && before != OPA_NO_SPAN) {
		link_root(trace, &link);
	}
}

opa_span_id opa_request_trace_start(
	opa_request_trace *chosen, opa_str name, opa_span_kind kind, const opa_attributes *attributes)
{
	opa_request *request = &OPA_G(request);
	opa_request_trace *trace = make_lasting(request, chosen);
	if (trace == NULL) {
		forget_baggage(chosen);
		return OPA_NO_SPAN;
	}
	if (!trace->unwanted) {
		opa_trace_start start = {.name = name, .kind = kind, .attributes = *attributes};
		begin_started(request, trace, &start);
		if (!trace->traced) {
			forget_baggage(trace);
			opa_free(trace);
			return OPA_NO_SPAN;
		}
		request->recording = OPA_RECORDING_ON;
		request->spans++;
	}
	enter(request, trace);
	return trace->unwanted ? OPA_NO_SPAN : trace->root;
}

bool opa_request_trace_end(opa_span_id root)
{
	opa_request *request = &OPA_G(request);
	opa_request_trace *trace = find_started(root);
	if (trace == NULL || !trace->traced || trace->inherited) {
		return false;
	}
	opa_fiber_drop(&request->fibers, root);
	close_started(trace, root, true);
	return true;
}

void opa_request_trace_end_unwanted(void)
{
	opa_stack *stack = OPA_G(request).fibers.current;
	for (uint32_t i = stack->count; i-- > 0;) {
		opa_request_trace *trace = find_unwanted(stack->ids[i]);
		if (trace != NULL) {
			opa_fiber_drop(&OPA_G(request).fibers, trace->root);
			close_started(trace, OPA_NO_SPAN, false);
			return;
		}
	}
}

void opa_request_trace_end_own(bool keep)
{
	opa_request_trace *own = &OPA_G(request).own;
	if (own->traced) {
		finish(own, own->local_root, keep);
	}
	forget_baggage(own);
}

void opa_request_trace_end_all(bool keep)
{
	opa_request *request = &OPA_G(request);
	while (request->latest != NULL) {
		close_started(request->latest, OPA_NO_SPAN, keep);
	}
}

void opa_request_trace_shut_down(bool keep)
{
	opa_request *request = &OPA_G(request);
	request->own.baggage = NULL;
	for (opa_request_trace *t = request->latest; t != NULL; t = t->next) {
		t->baggage = NULL;
	}
	opa_request_trace_end_all(keep);
	opa_request_trace_end_own(keep);
}

/* ---- fork ---- */

void opa_request_trace_note_fork(void)
{
	opa_request *request = &OPA_G(request);
	uint64_t now = opa_clock_mono();
	for (opa_request_trace *t = request->latest; t != NULL; t = t->next) {
		t->inherited = true;
		t->announced = false;
		t->sampling.begun = now; /* the time of the child's own local root counts */
		t->dropped = 0;
	}
	request->own.sampling.begun = now;
	request->own.announced = false; /* in this process it is not */
	request->recorded = 0;
}

bool opa_request_trace_adopt(opa_request_trace *trace)
{
	opa_request *request = &OPA_G(request);
	opa_request_trace own = request->own;
	if (!opa_idmap_reserve(&request->started)) {
		return false;
	}
	opa_idmap_remove(&request->started, trace->root);
	unlist(request, trace);
	request->own = *trace;
	request->own.inherited = false;
	if (own.root == OPA_NO_SPAN) {
		opa_free(trace);
		return true;
	}
	*trace = own;
	trace->started = true;
	trace->inherited = true;
	opa_idmap_insert(&request->started, trace->root, trace);
	list(request, trace);
	return true;
}
