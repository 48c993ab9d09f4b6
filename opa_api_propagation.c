#include "opa_api.h"
#include "opa_process.h"
#include "opa_request_span.h"

/* The ids that are sent along with a call. */
typedef struct place {
	const uint8_t *trace_id;
	opa_span_id span;
	uint8_t flags; /* of W3C */
} place;

/* False when there is nothing to send along. */
static bool find_place(const zend_string *span, place *to)
{
	const opa_request *request = &OPA_G(request);
	to->span = request->root; /* of a request that is not wanted it is only an id */
	if (opa_request_records()) {
		opa_span_id id = span == NULL ? OPA_NO_SPAN : opa_api_id(span);
		to->span = id != OPA_NO_SPAN && opa_request_is_open(id) ? id : opa_request_current();
	} else if (!request->begun || !request->unwanted) {
		return false;
	}
	to->trace_id = request->trace_id;
	to->flags = opa_request_flags(request);
	return true;
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
	opa_w3c_format(here.trace_id, here.span, here.flags, value);
	RETURN_STRINGL(value, sizeof(value));
}

static void put_tracecontext(const place *here, const opa_remote *remote, zval *headers)
{
	char value[OPA_W3C_LEN];
	opa_w3c_format(here->trace_id, here->span, here->flags, value);
	add_assoc_stringl(headers, "traceparent", value, sizeof(value));
	if (remote->known && remote->state_len > 0) {
		add_assoc_stringl(headers, "tracestate", remote->state, remote->state_len);
	}
}

static opa_b3_state b3_state(const place *here, const opa_remote *remote)
{
	if (remote->debug) {
		return OPA_B3_DEBUG;
	}
	return (here->flags & OPA_W3C_SAMPLED) != 0 ? OPA_B3_ACCEPT : OPA_B3_DENY;
}

static void put_b3(const place *here, const opa_remote *remote, zval *headers)
{
	char value[OPA_B3_LEN];
	opa_b3_format(here->trace_id, here->span, b3_state(here, remote), value);
	add_assoc_stringl(headers, "b3", value, sizeof(value));
}

/* Without the parent's id, as OpenTelemetry wants it; debug says that it is sampled. */
static void put_b3_headers(const place *here, const opa_remote *remote, zval *headers)
{
	char trace_id[OPA_TRACE_ID_HEX], span[OPA_SPAN_ID_HEX];
	opa_b3_state state = b3_state(here, remote);
	opa_hex_format(here->trace_id, OPA_TRACE_ID_LEN, trace_id);
	opa_span_id_format(here->span, span);
	add_assoc_stringl(headers, "X-B3-TraceId", trace_id, sizeof(trace_id));
	add_assoc_stringl(headers, "X-B3-SpanId", span, sizeof(span));
	if (state == OPA_B3_DEBUG) {
		add_assoc_stringl(headers, "X-B3-Flags", "1", 1);
	} else {
		add_assoc_stringl(headers, "X-B3-Sampled", state == OPA_B3_ACCEPT ? "1" : "0", 1);
	}
}

static void put_baggage(const opa_config *config, zval *headers)
{
	zend_string *baggage = opa_remote_baggage(config);
	if (baggage != NULL) {
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
	const opa_request *request = &OPA_G(request);
	const opa_propagators *propagators = &request->config->propagators;
	for (unsigned i = 0; i < propagators->count; i++) {
		switch ((opa_propagator)propagators->order[i]) {
		case OPA_PROPAGATOR_TRACECONTEXT:
			put_tracecontext(&here, &request->remote, return_value);
			break;
		case OPA_PROPAGATOR_BAGGAGE:
			put_baggage(request->config, return_value);
			break;
		case OPA_PROPAGATOR_B3:
			put_b3(&here, &request->remote, return_value);
			break;
		default:
			put_b3_headers(&here, &request->remote, return_value);
			break;
		}
	}
}
