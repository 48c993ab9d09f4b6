#include "opa_api.h"
#include "opa_process.h"
#include "opa_request_span.h"

/* What is sent along with a call: the span that makes it, in its trace. */
typedef struct place {
	const opa_request_trace *trace;
	opa_span_id span;
} place;

/* False when there is nothing to send along. */
static bool find_place(const zend_string *span, place *to)
{
	bool records = opa_request_records();
	OPA_G(request).script_ran = true;
	opa_span_id id = span == NULL || !records ? OPA_NO_SPAN : opa_api_id(span);
	if (id != OPA_NO_SPAN && opa_request_is_open(id)) {
		*to = (place){opa_request_trace_of(id), id};
		return true;
	}
	to->trace = opa_request_trace_current();
	/* Of a trace that is not wanted it is only an id. */
	to->span = to->trace->unwanted ? to->trace->root : opa_request_current();
	return to->trace->unwanted ? OPA_G(request).begun : records && to->span != OPA_NO_SPAN;
}

PHP_FUNCTION(opa_traceparent)
{
	zend_string *span = NULL;
	char value[OPA_W3C_LEN];
	place here;
	ZEND_PARSE_PARAMETERS_START(0, 1)
		Z_PARAM_OPTIONAL
		Z_PARAM_STR_OR_NULL(span)
	ZEND_PARSE_PARAMETERS_END();
	if (!find_place(span, &here)) {
		RETURN_NULL();
	}
	opa_w3c_format(here.trace->trace_id, here.span, opa_request_trace_flags(here.trace), value);
	RETURN_STRINGL(value, sizeof(value));
}

static void put_tracecontext(const place *here, zval *headers)
{
	char value[OPA_W3C_LEN];
	const opa_remote *remote = &here->trace->remote;
	opa_w3c_format(here->trace->trace_id, here->span, opa_request_trace_flags(here->trace), value);
	add_assoc_stringl(headers, "traceparent", value, sizeof(value));
	if (remote->state_len > 0) {
		add_assoc_stringl(headers, "tracestate", remote->state, remote->state_len);
	}
}

static opa_b3_state b3_state(const place *here)
{
	if (here->trace->remote.debug) {
		return OPA_B3_DEBUG;
	}
	return here->trace->sampling.sampled ? OPA_B3_ACCEPT : OPA_B3_DENY;
}

static void put_b3(const place *here, zval *headers)
{
	char value[OPA_B3_LEN];
	opa_b3_format(here->trace->trace_id, here->span, b3_state(here), value);
	add_assoc_stringl(headers, "b3", value, sizeof(value));
}

/* Without the parent's id, as OpenTelemetry wants it; debug says that it is sampled. */
static void put_b3_headers(const place *here, zval *headers)
{
	char trace_id[OPA_TRACE_ID_HEX], span[OPA_SPAN_ID_HEX];
	opa_b3_state state = b3_state(here);
	opa_hex_format(here->trace->trace_id, OPA_TRACE_ID_LEN, trace_id);
	opa_span_id_format(here->span, span);
	add_assoc_stringl(headers, "X-B3-TraceId", trace_id, sizeof(trace_id));
	add_assoc_stringl(headers, "X-B3-SpanId", span, sizeof(span));
	if (state == OPA_B3_DEBUG) {
		add_assoc_stringl(headers, "X-B3-Flags", "1", 1);
	} else {
		add_assoc_stringl(headers, "X-B3-Sampled", state == OPA_B3_ACCEPT ? "1" : "0", 1);
	}
}

static void put_baggage(const place *here, zval *headers)
{
	zend_string *baggage =
		here->trace->started ? here->trace->baggage : opa_remote_baggage(OPA_G(request).config);
	if (baggage != NULL) {
		if (here->trace->started) {
			zend_string_addref(baggage);
		}
		add_assoc_str(headers, "baggage", baggage);
	}
}

PHP_FUNCTION(opa_propagation_headers)
{
	zend_string *span = NULL;
	place here;
	ZEND_PARSE_PARAMETERS_START(0, 1)
		Z_PARAM_OPTIONAL
		Z_PARAM_STR_OR_NULL(span)
	ZEND_PARSE_PARAMETERS_END();
	array_init(return_value);
	if (!find_place(span, &here)) {
		return;
	}
	const opa_propagators *propagators = &OPA_G(request).config->propagators;
	for (unsigned i = 0; i < propagators->count; i++) {
		switch ((opa_propagator)propagators->order[i]) {
		case OPA_PROPAGATOR_TRACECONTEXT:
			put_tracecontext(&here, return_value);
			break;
		case OPA_PROPAGATOR_BAGGAGE:
			put_baggage(&here, return_value);
			break;
		case OPA_PROPAGATOR_B3:
			put_b3(&here, return_value);
			break;
		default:
			put_b3_headers(&here, return_value);
			break;
		}
	}
}

/* ---- traces of the program's own ---- */

/* The program's values are converted before anything is looked up, and let go last of all. */
static opa_span_id start_chosen(
	opa_request_trace *chosen, zend_string *name, opa_span_kind kind, HashTable *values)
{
	opa_tags tags;
	opa_name_room room;
	opa_span_id id = OPA_NO_SPAN;
	opa_tags_begin(&tags, values, OPA_G(request).config->limits.attributes, OPA_TAG_SPAN_ATTRIBUTE);
	if (!tags.conversion.stop && opa_request_trace_may_start()) {
		opa_attributes attributes = {tags.fields.data, tags.fields.len, tags.dropped};
		id = opa_request_trace_start(chosen, opa_api_name(name, &room), kind, &attributes);
	} else if (chosen->baggage != NULL) {
		zend_string_release(chosen->baggage);
	}
	opa_tags_end(&tags);
	if (UNEXPECTED(EG(exception) != NULL) && id != OPA_NO_SPAN) {
		/* The program will not get the id: nobody could end it. */
		opa_request_trace_end(id);
		id = OPA_NO_SPAN;
	}
	return id;
}

PHP_FUNCTION(opa_start_trace)
{
	zend_string *name;
	HashTable *tags = NULL, *headers = NULL;
	zend_long kind = OPA_KIND_CONSUMER;
	opa_request_trace chosen;
	ZEND_PARSE_PARAMETERS_START(1, 4)
		Z_PARAM_STR(name)
		Z_PARAM_OPTIONAL
		Z_PARAM_ARRAY_HT(tags)
		Z_PARAM_ARRAY_HT_OR_NULL(headers)
		Z_PARAM_LONG(kind)
	ZEND_PARSE_PARAMETERS_END();
	if (!opa_request_trace_may_start()) {
		RETURN_STR(opa_api_text(OPA_NO_SPAN));
	}
	if (kind < OPA_KIND_INTERNAL || kind > OPA_KIND_CONSUMER) {
		kind = OPA_KIND_CONSUMER;
	}
	chosen.baggage = opa_remote_read_headers(OPA_G(request).config, headers, &chosen.remote);
	opa_request_trace_choose(&chosen);
	RETURN_STR(opa_api_new_text(start_chosen(&chosen, name, (opa_span_kind)kind, tags)));
}

PHP_FUNCTION(opa_end_trace)
{
	zend_string *span;
	ZEND_PARSE_PARAMETERS_START(1, 1)
		Z_PARAM_STR(span)
	ZEND_PARSE_PARAMETERS_END();
	opa_span_id id = opa_api_id(span);
	/* Also while tracing is off: what was begun is ended, and does not stay for ever. */
	if (id == OPA_NO_SPAN) {
		opa_request_trace_end_unwanted();
		RETURN_FALSE;
	}
	RETURN_BOOL(opa_request_trace_end(id));
}
