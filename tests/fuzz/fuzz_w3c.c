/* Any bytes as a traceparent: what is accepted is what its bytes say, and the rest leaves nothing.
 */
#include "core/opa_w3c.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool condition)
{
	if (!condition) {
		abort();
	}
}

static void check_accepted(const char *text, size_t size, const opa_traceparent *parent)
{
	char again[55], span[OPA_SPAN_ID_HEX];
	check(size >= sizeof(again) && memcmp(text, "ff", 2) != 0);
	check(size == sizeof(again) || (memcmp(text, "00", 2) != 0 && text[sizeof(again)] == '-'));
	check(parent->parent != OPA_NO_SPAN);
	memcpy(again, text, 3);
	opa_hex_format(parent->trace_id, OPA_TRACE_ID_LEN, again + 3);
	opa_span_id_format(parent->parent, span);
	again[35] = '-';
	memcpy(again + 36, span, sizeof(span));
	again[52] = '-';
	opa_hex_format(&parent->flags, 1, again + 53);
	check(memcmp(again, text, sizeof(again)) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const opa_traceparent none;
	opa_traceparent parent;
	memset(&parent, 0xA5, sizeof(parent));
	bool read = opa_w3c_parse((opa_str){(const char *)data, size}, &parent);
	bool zero = memcmp(parent.trace_id, none.trace_id, OPA_TRACE_ID_LEN) == 0;
	check(zero == !read);
	if (read) {
		check_accepted((const char *)data, size, &parent);
	} else {
		check(parent.parent == OPA_NO_SPAN && parent.flags == 0);
	}
	return 0;
}
