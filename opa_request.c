#include "php_opa.h"
#include "opa_request.h"
#include "opa_error.h"
#include "opa_http.h"
#include "opa_process.h"
#include "core/opa_clock.h"
#include "core/opa_fields.h"
#include "core/opa_w3c.h"

/* InstrumentationScope{name, version} as a field of ScopeSpans: it stands in front of the spans. */
#define SCOPE_NAME    "opa"
#define SCOPE_MAX_LEN 48

/* ---- publishing ---- */

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

static void count(opa_request *request, const uint32_t from[OPA_TRACE_COUNTS], bool complete)
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
	opa_publish_count_all(opa_the_process.publisher, &request->config->outlet, counts);
}

void opa_request_count(void)
{
	opa_request *request = &OPA_G(request);
	/* A trace that may be dropped as if it had never been is counted when it is kept. */
	if (request->traced && !opa_sampling_waits(&request->sampling)) {
		uint32_t counts[OPA_TRACE_COUNTS];
		opa_trace_take_counts(opa_the_process.spans, request->owner, request->root, counts);
		count(request, counts, false);
	}
}

/* Takes the batch over. True when there was nothing to write, or it is in the journal. */
static bool publish(opa_request *request, opa_batch *batch)
{
	bool kept = true;
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
		request->dropped += kept ? 0 : batch->spans;
	}
	/* Last, because it saves the counters: what was kept is among them. */
	if (batch->data != NULL || batch->complete) {
		count(request, batch->counts, batch->complete);
	}
	opa_batch_release(opa_the_process.spans, batch);
	return kept;
}

bool opa_request_flush(void)
{
	opa_request *request = &OPA_G(request);
	opa_batch batch;
	if (!opa_sampling_decide(request, OPA_KEPT_UNDECIDED)) {
		return true;
	}
	if (opa_trace_flush(opa_the_process.spans, request->owner, request->root, &batch) !=
		OPA_SPAN_OK) {
		return false;
	}
	if (batch.data == NULL) {
		opa_request_count();
	}
	return publish(request, &batch);
}

/* Ends the local root and the trace. */
static void finish(opa_request *request, bool keep)
{
	opa_batch last;
	keep = keep && opa_sampling_end(request);
	opa_trace_finish(opa_the_process.spans, request->owner, request->root, request->local_root,
		request->dropped, &last);
	if (keep) {
		publish(request, &last);
	} else {
		opa_batch_release(opa_the_process.spans, &last);
	}
}

/* ---- the trace ---- */

uint8_t opa_request_flags(const opa_request *request)
{
	uint8_t random =
		request->remote.known ? request->remote.parent.flags & OPA_W3C_RANDOM : OPA_W3C_RANDOM;
	return random | (request->sampling.sampled ? OPA_W3C_SAMPLED : 0u);
}

static void set_attributes(opa_span_id span, const opa_fields *fields)
{
	opa_attributes attributes = {fields->data, fields->len, 0};
	opa_span_set_attributes(opa_the_process.spans, OPA_G(request).owner, span, attributes);
}

/* Opens a trace with its root span. The trace id and the owner stand in the request. */
static void begin_trace(opa_request *request)
{
	char room[OPA_HTTP_NAME_ROOM], state[OPA_W3C_STATE_MAX];
	opa_fields fields;
	request->dropped = 0;
	opa_fields_init(&fields);
	opa_trace_start start = {
		.owner = request->owner,
		.flags = opa_request_flags(request),
		.state = opa_sampling_state(request, state),
		.limits = opa_sampling_limits(request),
		.name = opa_http_begin(request->config, &fields, room),
		.kind = opa_http_is_server() ? OPA_KIND_SERVER : OPA_KIND_INTERNAL,
		.start = OPA_NOW,
	};
	if (request->remote.known) {
		start.remote_parent = request->remote.parent.parent;
	}
	start.attributes = (opa_attributes){fields.data, fields.len, 0};
	memcpy(start.trace_id, request->trace_id, OPA_TRACE_ID_LEN);
	opa_span_result result = opa_trace_begin(opa_the_process.spans, &start, &request->root);
	opa_fields_deinit(&fields);
	request->traced = result == OPA_SPAN_OK;
	request->local_root = request->root;
	request->recording = request->traced ? OPA_RECORDING_ON : OPA_RECORDING_OFF;
	uint64_t age = request->config->trace_rotate;
	request->rotate_at = age == 0 || opa_http_is_server() ? UINT64_MAX : opa_clock_mono() + age;
}

/*
 * Whether a trace is recorded that begins, or goes on, here. Where none is the request has an id
 * all the same, for the services that it calls.
 */
static bool is_wanted(opa_request *request)
{
	if (request->unwanted) {
		return false;
	}
	opa_remote_read(request->config, &request->remote);
	if (request->remote.known) {
		memcpy(request->trace_id, request->remote.parent.trace_id, OPA_TRACE_ID_LEN);
	} else {
		opa_trace_id_make(&request->rng, request->trace_id);
	}
	if (opa_sampling_begin(request)) {
		return true;
	}
	request->unwanted = true;
	request->root = opa_span_id_make(&request->rng, 0, 0);
	return false;
}

/* Settings are looked up where they may have changed: at the first request, and after a change. */
static const opa_config *current_config(void)
{
	if (OPA_G(config) == NULL || OPA_G(ini_changed)) {
		opa_config *before = OPA_G(config);
		OPA_G(config) = opa_process_config(before);
		OPA_G(ini_changed) = false;
		if (OPA_G(config) != before) {
			OPA_G(memo).redact = NULL; /* another one may come to stand at its address */
			opa_config_release(before);
		}
	}
	return OPA_G(config);
}

static bool may_trace(const opa_config *config)
{
	if (config == NULL || config->exporter_none) {
		return false;
	}
	/* A run without a request, or without arguments, is PHP's own, such as `php -v`. */
	if (opa_http_is_server() ? SG(request_info).request_method == NULL
							 : SG(request_info).argv == NULL || !config->trace_cli) {
		return false;
	}
	opa_process_begin_use();
	return opa_publish_begin(opa_the_process.publisher, &config->outlet);
}

/*
 * Says in the log why traces do not arrive. Never on the command line, where the log is the user's
 * terminal, unless it was asked for.
 */
static void log_problem(const opa_config *config)
{
	char line[512];
	if ((opa_http_is_server() || config->log_level == OPA_LOG_DEBUG) &&
		config->log_level != OPA_LOG_OFF &&
		opa_publish_problem(opa_the_process.publisher, line, sizeof(line))) {
		opa_process_log(config, OPA_LOG_ERROR, "traces do not arrive: %s", line);
	}
}

/*
 * opcache.preload is run as a request, in the server's master or before a script. It is nobody's:
 * what it makes belongs to those that come. The engine takes the SAPI's handlers away for it.
 */
static bool is_preloading(void)
{
	return sapi_module.register_server_variables == NULL;
}

/* The trace's ids for who has asked, if they are to be told. */
static void answer(const opa_request *request)
{
	char traceparent[OPA_W3C_LEN + 1] = "";
	if (request->config->response_header && opa_http_is_server()) {
		opa_w3c_format(request->trace_id, request->root, opa_request_flags(request), traceparent);
		opa_http_answer(traceparent);
	}
}

void opa_request_begin(void)
{
	opa_request *request = &OPA_G(request);
	request->begun = opa_the_process.spans != NULL && !is_preloading();
	request->recording = OPA_RECORDING_OFF;
	request->traced = false;
	request->forked = false;
	request->script_ran = false;
	request->failed = false;
	request->unwanted = false;
	request->remote.known = false;
	request->sampling = (opa_sampling){.sampled = false};
	request->spans = 0;
	request->values_cut = 0;
	OPA_G(conversion_calls) = 0; /* a fatal error may have left it */
	request->last_text = NULL;
	request->spare_text = NULL;
	request->exceptions = NULL;
	request->exception_count = 0;
	memset(request->clean_keys, 0, sizeof(request->clean_keys));
	opa_fiber_begin(&request->fibers);
	if (!request->begun) {
		return;
	}
	request->config = current_config();
	if (request->config != NULL && request->config->enabled && may_trace(request->config) &&
		is_wanted(request)) {
		request->cpu = opa_clock_cpu();
		request->owner = opa_span_owner_make(opa_the_process.spans);
		begin_trace(request);
		log_problem(request->config);
	}
	if (request->traced || request->unwanted) {
		answer(request);
	}
}

bool opa_request_enable(void)
{
	opa_request *request = &OPA_G(request);
	if (!request->begun || request->config == NULL) {
		return false;
	}
	if (request->traced) {
		request->recording = request->forked ? OPA_RECORDING_FORKED : OPA_RECORDING_ON;
		return true;
	}
	request->config = current_config();
	if (!may_trace(request->config) || !is_wanted(request)) {
		return false;
	}
	request->cpu = opa_clock_cpu();
	request->owner = opa_span_owner_make(opa_the_process.spans);
	begin_trace(request);
	return request->traced;
}

void opa_request_disable(void)
{
	OPA_G(request).recording = OPA_RECORDING_OFF;
}

/* ---- fork ---- */

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
	if (!request->traced) {
		return;
	}
	request->forked = true;
	request->dropped = 0; /* what the parent lacks it says itself */
	request->fork_time = opa_clock_wall();
	request->fork_parent = opa_fiber_peek(&request->fibers);
	request->sampling.begun = opa_clock_mono(); /* its own local root's time counts */
	if (request->recording == OPA_RECORDING_ON) {
		request->recording = OPA_RECORDING_FORKED;
	}
}

bool opa_request_wake(void)
{
	opa_request *request = &OPA_G(request);
	opa_process_renew_config(OPA_G(config));
	opa_span_start start = {
		.parent = request->fork_parent,
		.name = OPA_STR("fork"),
		.kind = OPA_KIND_INTERNAL,
		.start = request->fork_time,
	};
	opa_span_id id;
	opa_span_result result = OPA_SPAN_UNKNOWN;
	request->forked = false;
	if (start.parent != OPA_NO_SPAN) {
		result = opa_span_begin(opa_the_process.spans, request->owner, &start, &id);
	}
	if (result == OPA_SPAN_UNKNOWN) {
		start.parent = request->local_root;
		result = opa_span_begin(opa_the_process.spans, request->owner, &start, &id);
	}
	opa_fiber_forget(&request->fibers);
	if (result != OPA_SPAN_OK) {
		request->recording = OPA_RECORDING_OFF;
		return false;
	}
	request->local_root = id;
	request->recording = OPA_RECORDING_ON;
	request->cpu = opa_clock_cpu();
	return true;
}

/* ---- spans ---- */

bool opa_request_is_open(opa_span_id id)
{
	return opa_span_is_open(opa_the_process.spans, OPA_G(request).owner, id);
}

opa_span_id opa_request_current(void)
{
	opa_request *request = &OPA_G(request);
	opa_span_id top = opa_fiber_top(&request->fibers, opa_request_is_open);
	return top != OPA_NO_SPAN ? top : request->local_root;
}

/* A program without requests: its trace is ended and a new one, linked to it, begun. */
static void rotate(opa_request *request)
{
	opa_fields link;
	uint8_t id[8];
	opa_fields_init(&link);
	opa_span_id_to_bytes(request->local_root, id);
	opa_fields_bytes(&link, OPA_TAG_LINK_TRACE_ID, request->trace_id, OPA_TRACE_ID_LEN);
	opa_fields_bytes(&link, OPA_TAG_LINK_SPAN_ID, id, sizeof(id));
	finish(request, true);
	opa_sampling_rotate(request);
	begin_trace(request);
	if (request->traced) {
		opa_span_add_link(
			opa_the_process.spans, request->owner, request->root, opa_fields_str(&link));
	}
	opa_fields_deinit(&link);
}

static bool has_open_spans(const opa_request *request)
{
	return opa_trace_has_open_spans(
		opa_the_process.spans, request->owner, request->root, request->local_root);
}

void opa_request_rotate(opa_span_start *start)
{
	opa_request *request = &OPA_G(request);
	if (!has_open_spans(request)) {
		rotate(request);
		start->mono = opa_clock_mono();
	}
}

opa_span_id opa_request_start_elsewhere(opa_span_start *start, opa_span_result result)
{
	opa_span_id id = OPA_NO_SPAN;
	if (result == OPA_SPAN_UNKNOWN) {
		start->parent = opa_request_current();
		opa_span_begin(opa_the_process.spans, OPA_G(request).owner, start, &id);
	}
	return id;
}

void opa_request_publish_piece(opa_batch *batch)
{
	opa_sampling_decide(&OPA_G(request), OPA_KEPT_SIZE);
	publish(&OPA_G(request), batch);
}

/* ---- the end ---- */

static void put_text(opa_fields *fields, opa_str key, opa_str value)
{
	opa_value plain = OPA_VALUE_OF_STRING(value);
	opa_fields_attribute(fields, OPA_TAG_SPAN_ATTRIBUTE, key, &plain);
}

void opa_request_set_error(opa_str type, zend_string *file, uint32_t line)
{
	opa_request *request = &OPA_G(request);
	opa_fields fields;
	opa_fields_init(&fields);
	put_text(&fields, OPA_STR("error.type"), type);
	if (file != NULL) {
		opa_value number = OPA_VALUE_OF_INT(line);
		put_text(&fields, OPA_STR("code.file.path"), (opa_str){ZSTR_VAL(file), ZSTR_LEN(file)});
		opa_fields_attribute(&fields, OPA_TAG_SPAN_ATTRIBUTE, OPA_STR("code.line.number"), &number);
	}
	set_attributes(request->local_root, &fields);
	opa_fields_deinit(&fields);
	request->failed = true;
}

/* Status, and what else is known at the end, with attributes that stand in `fields` already. */
static void set_outcome(opa_request *request, opa_fields *fields)
{
	char room[32];
	bool failed;
	opa_str error_type;
	opa_http_end(fields, &failed, &error_type, room);
	if (failed && !request->failed) {
		put_text(fields, OPA_STR("error.type"), error_type);
		opa_span_set_status(opa_the_process.spans, request->owner, request->local_root,
			OPA_STATUS_ERROR, (opa_str){"", 0}, true);
	}
	set_attributes(request->local_root, fields);
	request->exit_status = EG(exit_status);
}

/*
 * What only PHP knows and will have forgotten soon. Nothing ends here yet: a session handler of the
 * program's may run after this.
 */
void opa_request_leave(void)
{
	opa_request *request = &OPA_G(request);
	/* Of a child that was forked while tracing was off nothing is kept. */
	if (!request->traced || (request->forked && !opa_request_records())) {
		return;
	}
	opa_fields fields;
	opa_error_leave();
	opa_fields_init(&fields);
	opa_value cpu = OPA_VALUE_OF_DOUBLE((double)(opa_clock_cpu() - request->cpu) / 1e9);
	opa_fields_attribute(&fields, OPA_TAG_SPAN_ATTRIBUTE, OPA_STR("php.cpu.time"), &cpu);
	set_outcome(request, &fields);
	opa_fields_deinit(&fields);
	request->script_ran = opa_http_is_server() || zend_hash_num_elements(&EG(included_files)) > 0 ||
						  request->spans > 0 || request->failed;
}

/* What runs after RSHUTDOWN (a session handler, the end of a stream) may still call exit or fail.
 */
static void correct_outcome(opa_request *request)
{
	opa_fields fields;
	if (request->exit_status != EG(exit_status)) {
		opa_fields_init(&fields);
		set_outcome(request, &fields);
		opa_fields_deinit(&fields);
	}
}

static void forget_id(zend_string **text)
{
	if (*text != NULL) {
		zend_string_release(*text);
		*text = NULL;
	}
}

void opa_request_end(void)
{
	opa_request *request = &OPA_G(request);
	if (request->traced) {
		bool keep = !request->forked || opa_request_records();
		if (keep) {
			correct_outcome(request);
		}
		finish(request, keep && (request->script_ran || request->spans > 0));
	}
	forget_id(&request->last_text);
	forget_id(&request->spare_text);
	opa_error_end();
	opa_fiber_end(&request->fibers);
	request->recording = OPA_RECORDING_OFF;
	request->traced = false;
	request->begun = false;
}
