#include "opa_b3.h"
#include "opa_units.h"

#define SPAN_AT  33u
#define STATE_AT 50u

/* 32 digits, or 16 with zeros before them; never all zero. */
static bool read_trace_id(opa_str text, uint8_t to[OPA_TRACE_ID_LEN])
{
	uint8_t any = 0;
	size_t skipped = text.len == OPA_SPAN_ID_HEX ? OPA_TRACE_ID_LEN / 2 : 0;
	if (text.len != OPA_TRACE_ID_HEX && skipped == 0) {
		return false;
	}
	memset(to, 0, skipped);
	if (!opa_hex_parse(text.data, text.len, to + skipped)) {
		return false;
	}
	for (size_t i = 0; i < OPA_TRACE_ID_LEN; i++) {
		any |= to[i];
	}
	return any != 0;
}

/* An id of any process, which opa_span_id_parse() reads as well. */
static opa_span_id read_span_id(opa_str text)
{
	return opa_span_id_parse(text.data, text.len);
}

static bool read_state(opa_str text, opa_b3_state *state)
{
	static const char letters[] = {
		[OPA_B3_DENY] = '0', [OPA_B3_ACCEPT] = '1', [OPA_B3_DEBUG] = 'd'};
	*state = OPA_B3_DEFER;
	for (int i = OPA_B3_DENY; i <= OPA_B3_DEBUG; i++) {
		if (text.len == 1 && text.data[0] == letters[i]) {
			*state = (opa_b3_state)i;
		}
	}
	return *state != OPA_B3_DEFER;
}

/* What stands before the next hyphen; *rest begins behind it. */
static opa_str next_part(opa_str *rest)
{
	const char *hyphen = memchr(rest->data, '-', rest->len);
	opa_str part = {rest->data, hyphen == NULL ? rest->len : (size_t)(hyphen - rest->data)};
	size_t step = part.len + (hyphen != NULL);
	rest->data += step;
	rest->len -= step;
	return part;
}

/* The parts behind the first; none of them may be empty, nor may there be more. */
static bool read_parts(opa_str trace_id, opa_str rest, opa_b3 *to)
{
	bool more = rest.len > 0 && rest.data[rest.len - 1] != '-';
	opa_str span = next_part(&rest);
	to->has_ids = true;
	to->span = read_span_id(span);
	if (!more || to->span == OPA_NO_SPAN || !read_trace_id(trace_id, to->trace_id)) {
		return false;
	}
	if (rest.len == 0) {
		return true;
	}
	if (!read_state(next_part(&rest), &to->state)) {
		return false;
	}
	return rest.len == 0 || read_span_id(rest) != OPA_NO_SPAN;
}

bool opa_b3_parse(opa_str value, opa_b3 *to)
{
	opa_b3 read = {.has_ids = false};
	bool done = read_state(value, &read.state);
	if (value.len > 1) {
		opa_str rest = value;
		opa_str trace_id = next_part(&rest);
		done = read_parts(trace_id, rest, &read);
	}
	*to = done ? read : (opa_b3){.has_ids = false};
	return done;
}

static opa_b3_state state_of(const opa_b3_headers *headers)
{
	if (headers->flags.len == 1 && headers->flags.data[0] == '1') {
		return OPA_B3_DEBUG;
	}
	if (opa_text_equals(headers->sampled, "1") || opa_text_equals(headers->sampled, "true")) {
		return OPA_B3_ACCEPT;
	}
	if (opa_text_equals(headers->sampled, "0") || opa_text_equals(headers->sampled, "false")) {
		return OPA_B3_DENY;
	}
	return OPA_B3_DEFER;
}

bool opa_b3_parse_headers(const opa_b3_headers *headers, opa_b3 *to)
{
	opa_b3 read = {
		.has_ids = headers->trace_id.len > 0 || headers->span_id.len > 0,
		.state = state_of(headers),
	};
	bool done = read.state != OPA_B3_DEFER;
	if (read.has_ids) {
		read.span = read_span_id(headers->span_id);
		done = read_trace_id(headers->trace_id, read.trace_id) && read.span != OPA_NO_SPAN;
	}
	*to = done ? read : (opa_b3){.has_ids = false};
	return done;
}

void opa_b3_format(const uint8_t trace_id[OPA_TRACE_ID_LEN], opa_span_id span, opa_b3_state state,
	char to[OPA_B3_LEN])
{
	opa_hex_format(trace_id, OPA_TRACE_ID_LEN, to);
	to[SPAN_AT - 1] = '-';
	opa_span_id_format(span, to + SPAN_AT);
	to[STATE_AT - 1] = '-';
	to[STATE_AT] = state == OPA_B3_DEBUG ? 'd' : state == OPA_B3_ACCEPT ? '1' : '0';
}
