/*
 * Any bytes as headers of B3 and of W3C: what is accepted of `b3` is written again as it was, and
 * whatever is sent along leaves what may be sent on.
 */
#include "core/opa_propagation.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool condition)
{
	if (!condition) {
		abort();
	}
}

static void check_one_header(opa_str text)
{
	static const opa_b3 nothing;
	opa_b3 b3;
	char again[OPA_B3_LEN];
	memset(&b3, 0xA5, sizeof(b3));
	if (!opa_b3_parse(text, &b3)) {
		check(!b3.has_ids && b3.span == OPA_NO_SPAN && b3.state == OPA_B3_DEFER);
		check(memcmp(b3.trace_id, nothing.trace_id, OPA_TRACE_ID_LEN) == 0);
		return;
	}
	if (!b3.has_ids) {
		check(text.len == 1 && b3.state != OPA_B3_DEFER);
		return;
	}
	check(b3.span != OPA_NO_SPAN);
	opa_b3_format(b3.trace_id, b3.span, b3.state, again);
	bool is_short = text.data[OPA_SPAN_ID_HEX] == '-';
	size_t ids = is_short ? 33 : 49, more = b3.state == OPA_B3_DEFER ? 0 : 2;
	const char *from = again + (is_short ? OPA_TRACE_ID_HEX - OPA_SPAN_ID_HEX : 0);
	check(text.len == ids + more || (more > 0 && text.len == ids + more + 17));
	check(memcmp(from, text.data, ids + more) == 0);
}

/* The bytes, cut into as many values as there are headers. */
static void check_all_headers(const uint8_t *data, size_t size, const char *list)
{
	opa_str values[OPA_HEADER_COUNT], unknown;
	opa_propagators propagators;
	opa_remote remote;
	for (int i = 0; i < OPA_HEADER_COUNT; i++) {
		const uint8_t *end = size == 0 ? NULL : memchr(data, '\n', size);
		values[i] = (opa_str){(const char *)data, end == NULL ? size : (size_t)(end - data)};
		size_t step = values[i].len + (end != NULL);
		data = step == 0 ? data : data + step;
		size -= step;
	}
	opa_propagators_read((opa_str){list, strlen(list)}, &propagators, &unknown);
	memset(&remote, 0xA5, sizeof(remote));
	opa_propagation_extract(&propagators, values, &remote);
	check(remote.state_len <= OPA_W3C_STATE_MAX && (remote.known || remote.state_len == 0));
	check(!remote.known || remote.parent.parent != OPA_NO_SPAN);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	check_one_header((opa_str){(const char *)data, size});
	check_all_headers(data, size, "tracecontext,b3");
	check_all_headers(data, size, "b3multi,tracecontext");
	return 0;
}
