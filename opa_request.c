#include "php_opa.h"
#include "opa_request.h"
#include "opa_error.h"
#include "opa_http.h"
#include "opa_process.h"
#include "core/opa_clock.h"

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
	if (opa_http_is_request()
			? SG(request_info).request_method == NULL
			: !opa_http_is_server() && (SG(request_info).argv == NULL || !config->trace_cli)) {
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
	const opa_request_trace *own = &request->own;
	if ((own->traced || own->unwanted) && request->config->response_header &&
		opa_http_is_request()) {
		opa_w3c_format(own->trace_id, own->root, opa_request_trace_flags(own), traceparent);
		opa_http_answer(traceparent);
	}
}

/* Field by field: there is much in it that is read only where these say so. */
static void forget_own(opa_request_trace *own)
{
	own->traced = false;
	own->sampling = (opa_sampling){.sampled = false};
	own->announced = false;
	own->unwanted = false;
	own->started = false;
	own->inherited = false;
	own->root = OPA_NO_SPAN;
	own->local_root = OPA_NO_SPAN;
	own->remote.known = false;
	own->remote.debug = false;
	own->baggage = NULL;
}

/* What each of a worker's requests begins with, too. */
static void begin_anew(opa_request *request)
{
	request->recording = OPA_RECORDING_OFF;
	request->switched_off = false;
	request->forked = false;
	request->answered = false;
	request->script_ran = false;
	request->failed = false;
	forget_own(&request->own);
	request->spans = 0;
	request->values_cut = 0;
	memset(request->clean_keys, 0, sizeof(request->clean_keys));
}

static void begin_empty(opa_request *request)
{
	begin_anew(request);
	request->worker = false;
	request->worker_starts = false;
	request->waiting = false;
	opa_idmap_init(&request->started);
	request->latest = NULL;
	request->earliest = NULL;
	request->recorded = 0;
	request->last_text = NULL;
	request->spare_text = NULL;
	request->exceptions = NULL;
	request->exception_count = 0;
	opa_fiber_begin(&request->fibers);
}

static void begin_trace(opa_request *request)
{
	request->config = current_config();
	if (request->config != NULL && request->config->enabled && may_trace(request->config)) {
		opa_request_trace_choose_own();
		if (request->own.traced) {
			log_problem(request->config);
		}
		answer(request);
	}
}

void opa_request_begin(void)
{
	opa_request *request = &OPA_G(request);
	request->begun = opa_the_process.spans != NULL && !is_preloading();
	OPA_G(conversion_calls) = 0; /* a fatal error may have left it */
	OPA_G(ini_switched) = false;
	ZVAL_UNDEF(&OPA_G(callback));
	begin_empty(request);
	if (request->begun) {
		request->worker = opa_http_is_worker_start();
		request->worker_starts = request->worker;
		begin_trace(request);
	}
}

bool opa_request_enable(void)
{
	opa_request *request = &OPA_G(request);
	if (!request->begun || request->config == NULL || request->waiting) {
		return false;
	}
	request->switched_off = false;
	if (request->own.traced || request->recorded > 0) {
		request->recording = request->forked ? OPA_RECORDING_FORKED : OPA_RECORDING_ON;
		return true;
	}
	/* The sampler is asked once. */
	if (request->own.unwanted) {
		return false;
	}
	request->config = current_config();
	if (!may_trace(request->config)) {
		return false;
	}
	opa_request_trace_choose_own();
	return request->own.traced;
}

void opa_request_disable(void)
{
	OPA_G(request).recording = OPA_RECORDING_OFF;
	OPA_G(request).switched_off = true;
}

/* ---- spans ---- */

bool opa_request_is_open(opa_span_id id)
{
	return opa_span_is_open(opa_the_process.spans, OPA_G(request).owner, id);
}

opa_span_id opa_request_top(void)
{
	return opa_fiber_top(&OPA_G(request).fibers, opa_request_trace_stands);
}

opa_span_id opa_request_current(void)
{
	const opa_request *request = &OPA_G(request);
	opa_span_id top = opa_request_top();
	if (top == OPA_NO_SPAN) {
		return request->own.local_root;
	}
	return opa_request_trace_of(top)->unwanted ? OPA_NO_SPAN : top;
}

void opa_request_rotate(opa_span_start *start)
{
	opa_request_trace_rotate();
	start->mono = opa_clock_mono();
}

opa_span_id opa_request_start_elsewhere(opa_span_start *start, opa_span_result result)
{
	opa_span_id id = OPA_NO_SPAN;
	if (result == OPA_SPAN_UNKNOWN) {
		start->parent = opa_request_current();
		if (start->parent != OPA_NO_SPAN) {
			opa_span_begin(opa_the_process.spans, OPA_G(request).owner, start, &id);
		}
	}
	return id;
}

/* ---- the end ---- */

static void set_attributes(opa_span_id span, const opa_fields *fields)
{
	opa_attributes attributes = {fields->data, fields->len, 0};
	opa_span_set_attributes(opa_the_process.spans, OPA_G(request).owner, span, attributes);
}

static void put_text(opa_fields *fields, opa_str key, opa_str value)
{
	opa_value plain = OPA_VALUE_OF_STRING(value);
	opa_fields_attribute(fields, OPA_TAG_SPAN_ATTRIBUTE, key, &plain);
}

void opa_request_set_error(opa_span_id span, opa_str type, zend_string *file, uint32_t line)
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
	set_attributes(span, &fields);
	opa_fields_deinit(&fields);
	request->failed = request->failed || span == request->own.local_root;
}

/* What the request has used since `cpu`. */
static void put_usage(const opa_request *request, opa_fields *fields)
{
	opa_value cpu = OPA_VALUE_OF_DOUBLE((double)(opa_clock_cpu() - request->cpu) / 1e9);
	opa_value peak = OPA_VALUE_OF_INT((int64_t)zend_memory_peak_usage(true));
	opa_fields_attribute(fields, OPA_TAG_SPAN_ATTRIBUTE, OPA_STR("php.cpu.time"), &cpu);
	opa_fields_attribute(fields, OPA_TAG_SPAN_ATTRIBUTE, OPA_STR("php.memory.peak"), &peak);
}

/* Status, with the attributes that stand in `fields` already. */
static void set_outcome(opa_request *request, opa_fields *fields)
{
	char room[32];
	bool failed;
	opa_str error_type;
	opa_http_end(fields, &failed, &error_type, room);
	if (failed && !request->failed) {
		put_text(fields, OPA_STR("error.type"), error_type);
		opa_span_set_status(opa_the_process.spans, request->owner, request->own.local_root,
			OPA_STATUS_ERROR, (opa_str){"", 0}, true);
	}
	set_attributes(request->own.local_root, fields);
	request->exit_status = EG(exit_status);
}

/* All of it, on the local root. The answer's status is not that of what follows it. */
static void set_end(opa_request *request)
{
	opa_fields fields;
	opa_fields_init(&fields);
	put_usage(request, &fields);
	if (request->answered) {
		set_attributes(request->own.local_root, &fields);
		request->exit_status = EG(exit_status);
	} else {
		set_outcome(request, &fields);
	}
	opa_fields_deinit(&fields);
}

/*
 * The SERVER span has the time that the client saw: it ends, and what follows is its child, the
 * local root from now on. What the program has open stays open.
 */
void opa_request_answered(void)
{
	opa_request *request = &OPA_G(request);
	opa_request_trace *own = &request->own;
	opa_span_start start = {
		.parent = own->root,
		.name = OPA_STR("after response"),
		.kind = OPA_KIND_INTERNAL,
		.start = OPA_NOW,
		.mono = opa_clock_mono(),
	};
	opa_span_id after;
	opa_batch flushed;
	if (!own->traced || request->forked || own->local_root != own->root ||
		opa_span_begin(opa_the_process.spans, request->owner, &start, &after) != OPA_SPAN_OK) {
		return;
	}
	set_end(request);
	opa_span_end(opa_the_process.spans, request->owner, own->root, OPA_NOW, &flushed);
	if (flushed.data != NULL) {
		opa_request_publish(&flushed);
	}
	own->local_root = after;
	request->answered = true;
	request->failed = false;
	request->cpu = opa_clock_cpu();
}

/* Where nothing follows a worker's answer, there is no span that says so. */
static void drop_idle_rest(opa_request *request)
{
	opa_request_trace *own = &request->own;
	/* The reason why a trace is kept stands on what ends last. */
	if (request->worker && request->answered && !opa_sampling_keeps_at_end(request->config) &&
		opa_span_take_back(opa_the_process.spans, request->owner, own->local_root)) {
		own->local_root = own->root;
	}
}

/*
 * What only PHP knows and will have forgotten soon. Nothing ends here yet: a session handler of the
 * program's may run after this.
 */
void opa_request_leave(void)
{
	opa_request *request = &OPA_G(request);
	bool has_traces = request->own.traced || request->recorded > 0;
	/* Of a child that was forked while tracing was off nothing is kept. */
	if (!has_traces || (request->forked && !opa_request_records())) {
		return;
	}
	opa_error_leave();
	if (!request->own.traced) {
		return;
	}
	drop_idle_rest(request);
	set_end(request);
	request->script_ran = request->script_ran || opa_http_is_server() || opa_http_script_ran() ||
						  request->spans > 0 || request->failed;
}

/* What runs after RSHUTDOWN (a session handler, the end of a stream) may still call exit or fail.
 */
static void correct_outcome(opa_request *request)
{
	opa_fields fields;
	if (request->exit_status != EG(exit_status) && !request->answered) {
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

/* All traces leave the table, and the process if they are to be kept. */
static void end_traces(opa_request *request)
{
	if (request->own.traced || request->latest != NULL) {
		bool keep = !request->forked || opa_request_records();
		if (keep && request->own.traced) {
			correct_outcome(request);
		}
		opa_request_trace_end_all(keep);
		opa_request_trace_end_own(keep && (request->script_ran || request->spans > 0));
	}
}

bool opa_request_end_early(void)
{
	opa_request *request = &OPA_G(request);
	if (!request->own.traced) {
		return false;
	}
	opa_request_leave();
	end_traces(request);
	return true;
}

void opa_request_go_on(void)
{
	opa_request *request = &OPA_G(request);
	opa_recording recording = request->recording;
	opa_fiber_forget(&request->fibers);
	request->forked = false;
	request->answered = false;
	request->failed = false;
	opa_request_trace_renew_own();
	if (request->own.traced && recording == OPA_RECORDING_OFF) {
		opa_request_disable();
	}
}

/* ---- the requests of a worker ---- */

void opa_request_wait(void)
{
	opa_request *request = &OPA_G(request);
	if (!request->begun || request->waiting) {
		return;
	}
	opa_request_leave();
	end_traces(request);
	opa_fiber_forget(&request->fibers);
	begin_anew(request);
	request->worker = true;
	request->worker_starts = false;
	request->waiting = true;
}

void opa_request_serve(void)
{
	opa_request *request = &OPA_G(request);
	if (!request->begun) {
		return;
	}
	opa_request_wait(); /* unless it does already */
	request->waiting = false;
	/* ini_set('opa.enabled') of an earlier one stands: nobody takes it back between them. */
	OPA_G(ini_changed) |= OPA_G(ini_switched);
	OPA_G(ini_switched) = false;
	begin_trace(request);
}

/* ---- the very end ---- */

void opa_request_end(void)
{
	opa_request *request = &OPA_G(request);
	end_traces(request);
	opa_idmap_deinit(&request->started);
	forget_id(&request->last_text);
	forget_id(&request->spare_text);
	opa_error_end();
	opa_fiber_end(&request->fibers);
	request->recording = OPA_RECORDING_OFF;
	request->own.traced = false;
	request->begun = false;
}

/* PHP's memory may be gone. */
void opa_request_shutdown(void)
{
	opa_request *request = &OPA_G(request);
	if (opa_the_process.spans != NULL) {
		opa_request_trace_shut_down(!request->forked);
		request->recording = OPA_RECORDING_OFF;
	}
}
