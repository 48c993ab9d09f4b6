#include "php_opa.h"
#include "opa_remote.h"
#include "opa_http.h"
#include "opa_process.h"
#include "core/opa_units.h"

/* What was sent, by opa_header, and what must be kept as long as it is read. */
typedef struct sent_headers {
	opa_str values[OPA_HEADER_COUNT];
	zend_string *held[OPA_HEADER_COUNT]; /* NULL: the value lives as long as the request */
} sent_headers;

static void hold(sent_headers *to, opa_header header, zend_string *value)
{
	to->held[header] = value;
	to->values[header] = value == NULL ? OPA_STR("") : (opa_str){ZSTR_VAL(value), ZSTR_LEN(value)};
}

static void let_go(sent_headers *sent)
{
	for (int i = 0; i < OPA_HEADER_COUNT; i++) {
		if (sent->held[i] != NULL) {
			zend_string_release(sent->held[i]);
		}
	}
}

/* Each header as CGI has it; behind the prefix is the variable's name in a script's environment. */
#define PREFIX "HTTP_"
static const char *const variables[OPA_HEADER_COUNT] = {
	[OPA_HEADER_TRACEPARENT] = PREFIX "TRACEPARENT",
	[OPA_HEADER_TRACESTATE] = PREFIX "TRACESTATE",
	[OPA_HEADER_BAGGAGE] = PREFIX "BAGGAGE",
	[OPA_HEADER_B3] = PREFIX "B3",
	[OPA_HEADER_B3_TRACE_ID] = PREFIX "X_B3_TRACEID",
	[OPA_HEADER_B3_SPAN_ID] = PREFIX "X_B3_SPANID",
	[OPA_HEADER_B3_SAMPLED] = PREFIX "X_B3_SAMPLED",
	[OPA_HEADER_B3_FLAGS] = PREFIX "X_B3_FLAGS",
};

/* What stands in the headers `which` (a bit for each opa_header), or in the environment. */
static void gather(unsigned which, sent_headers *to)
{
	for (int i = 0; i < OPA_HEADER_COUNT; i++) {
		hold(to, (opa_header)i, NULL);
		if ((which & 1u << i) == 0) {
			continue;
		}
		if (opa_http_is_request()) {
			to->values[i] = opa_http_variable(variables[i]);
		} else {
			const char *name = variables[i] + sizeof(PREFIX) - 1;
			hold(to, (opa_header)i, opa_process_variable(name));
		}
	}
}

void opa_remote_read(const opa_config *config, opa_remote *to)
{
	sent_headers sent;
	unsigned baggage = 1u << OPA_HEADER_BAGGAGE; /* is read when it is sent on */
	gather(config->trust_incoming ? config->propagators.headers & ~baggage : 0, &sent);
	opa_propagation_extract(&config->propagators, sent.values, to);
	let_go(&sent);
}

/* The part of it that may be sent on. */
static zend_string *sendable_baggage(opa_str value)
{
	size_t len = opa_w3c_baggage_len(value);
	return len == 0 ? NULL : zend_string_init(value.data, len, false);
}

zend_string *opa_remote_baggage(const opa_config *config)
{
	sent_headers sent;
	unsigned baggage = config->propagators.headers & 1u << OPA_HEADER_BAGGAGE;
	gather(config->trust_incoming ? baggage : 0, &sent);
	zend_string *kept = sendable_baggage(sent.values[OPA_HEADER_BAGGAGE]);
	let_go(&sent);
	return kept;
}

/* ---- headers of a message ---- */

#define VALUES_MAX 64 /* of one name; more than any format has a use for */

static int header_of(opa_str name)
{
	for (int i = 0; i < OPA_HEADER_COUNT; i++) {
		if (opa_text_equals(name, opa_header_name((opa_header)i))) {
			return i;
		}
	}
	return -1;
}

/* Behind what is there already, with a comma between, as repeated headers of HTTP are one. */
static void add_value(sent_headers *to, opa_header header, const zval *value)
{
	zend_string *before = to->held[header];
	ZVAL_DEREF(value);
	if (Z_TYPE_P(value) != IS_STRING) {
		return;
	}
	if (before == NULL) {
		hold(to, header, zend_string_copy(Z_STR_P(value)));
		return;
	}
	hold(to, header,
		zend_string_concat3(
			ZSTR_VAL(before), ZSTR_LEN(before), ",", 1, Z_STRVAL_P(value), Z_STRLEN_P(value)));
	zend_string_release(before);
}

static void add_values(sent_headers *to, opa_header header, zval *value)
{
	zval *one;
	unsigned count = 0;
	ZVAL_DEREF(value);
	if (Z_TYPE_P(value) != IS_ARRAY) {
		add_value(to, header, value);
		return;
	}
	ZEND_HASH_FOREACH_VAL (Z_ARRVAL_P(value), one) {
		if (count++ == VALUES_MAX) {
			break;
		}
		add_value(to, header, one);
	}
	ZEND_HASH_FOREACH_END();
}

zend_string *opa_remote_read_headers(const opa_config *config, HashTable *headers, opa_remote *to)
{
	sent_headers sent;
	zend_string *name;
	zval *value;
	gather(0, &sent);
	if (headers != NULL) {
		ZEND_HASH_FOREACH_STR_KEY_VAL (headers, name, value) {
			int header = name == NULL ? -1 : header_of((opa_str){ZSTR_VAL(name), ZSTR_LEN(name)});
			if (header >= 0) {
				add_values(&sent, (opa_header)header, value);
			}
		}
		ZEND_HASH_FOREACH_END();
	}
	opa_propagation_extract(&config->propagators, sent.values, to);
	zend_string *baggage = sendable_baggage(sent.values[OPA_HEADER_BAGGAGE]);
	let_go(&sent);
	return baggage;
}
