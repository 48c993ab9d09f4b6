#include "opa_w3c.h"

#define LEN      55u /* 00-<32>-<16>-<2> */
#define TRACE_AT 3u
#define SPAN_AT  36u
#define FLAGS_AT 53u

bool opa_w3c_parse(opa_str value, opa_traceparent *parent)
{
	opa_traceparent read;
	uint8_t version, span[8], any = 0;
	const char *v = value.data;
	*parent = (opa_traceparent){0};
	if (value.len < LEN || !opa_hex_parse(v, 2, &version) || version == 0xff) {
		return false;
	}
	if (value.len > LEN && (version == 0 || v[LEN] != '-')) {
		return false;
	}
	if (v[TRACE_AT - 1] != '-' || v[SPAN_AT - 1] != '-' || v[FLAGS_AT - 1] != '-') {
		return false;
	}
	if (!opa_hex_parse(v + TRACE_AT, OPA_TRACE_ID_HEX, read.trace_id) ||
		!opa_hex_parse(v + SPAN_AT, OPA_SPAN_ID_HEX, span) ||
		!opa_hex_parse(v + FLAGS_AT, 2, &read.flags)) {
		return false;
	}
	for (size_t i = 0; i < OPA_TRACE_ID_LEN; i++) {
		any |= read.trace_id[i];
	}
	read.parent = opa_span_id_from_bytes(span);
	if (any == 0 || read.parent == OPA_NO_SPAN) {
		return false;
	}
	*parent = read;
	return true;
}
