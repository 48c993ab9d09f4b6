#include "php_opa.h"
#include "opa_remote.h"
#include "opa_http.h"
#include "opa_process.h"

/* A header of the request, or a variable of the script's. NULL when there is none. */
static zend_string *sent_along(const char *header, const char *variable)
{
	if (!opa_http_is_server()) {
		return opa_process_variable(variable);
	}
	opa_str value = opa_http_variable(header);
	return value.len == 0 ? NULL : zend_string_init(value.data, value.len, false);
}

static opa_str text_of(const zend_string *value)
{
	return (opa_str){ZSTR_VAL(value), ZSTR_LEN(value)};
}

void opa_remote_read(const opa_config *config, opa_remote *to)
{
	to->known = false;
	to->state_len = 0;
	zend_string *parent =
		config->trust_incoming ? sent_along("HTTP_TRACEPARENT", "TRACEPARENT") : NULL;
	if (parent == NULL) {
		return;
	}
	to->known = opa_w3c_parse(text_of(parent), &to->parent);
	zend_string_release(parent);
	zend_string *state = to->known ? sent_along("HTTP_TRACESTATE", "TRACESTATE") : NULL;
	if (state != NULL) {
		to->state_len = opa_w3c_clean_state(text_of(state), to->state);
		zend_string_release(state);
	}
}

zend_string *opa_remote_baggage(const opa_config *config)
{
	zend_string *baggage = config->trust_incoming ? sent_along("HTTP_BAGGAGE", "BAGGAGE") : NULL;
	if (baggage == NULL) {
		return NULL;
	}
	size_t len = opa_w3c_baggage_len(text_of(baggage));
	zend_string *kept = len == 0 ? NULL : zend_string_init(ZSTR_VAL(baggage), len, false);
	zend_string_release(baggage);
	return kept;
}
