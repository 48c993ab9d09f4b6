#include "opa_propagation.h"
#include "opa_units.h"

const char *opa_header_name(opa_header header)
{
	static const char *const names[OPA_HEADER_COUNT] = {
		[OPA_HEADER_TRACEPARENT] = "traceparent",
		[OPA_HEADER_TRACESTATE] = "tracestate",
		[OPA_HEADER_BAGGAGE] = "baggage",
		[OPA_HEADER_B3] = "b3",
		[OPA_HEADER_B3_TRACE_ID] = "x-b3-traceid",
		[OPA_HEADER_B3_SPAN_ID] = "x-b3-spanid",
		[OPA_HEADER_B3_SAMPLED] = "x-b3-sampled",
		[OPA_HEADER_B3_FLAGS] = "x-b3-flags",
	};
	return names[header];
}

/* ---- which formats ---- */

#define BIT(header) (1u << (header))
#define OF_B3                                                                                      \
	(BIT(OPA_HEADER_B3) | BIT(OPA_HEADER_B3_TRACE_ID) | BIT(OPA_HEADER_B3_SPAN_ID) |               \
		BIT(OPA_HEADER_B3_SAMPLED) | BIT(OPA_HEADER_B3_FLAGS))

/* Both of B3 read either encoding (specification, "B3 Requirements"). */
static const struct {
	const char *name;
	unsigned headers;
} known[OPA_PROPAGATOR_COUNT] = {
	[OPA_PROPAGATOR_TRACECONTEXT] = {"tracecontext",
		BIT(OPA_HEADER_TRACEPARENT) | BIT(OPA_HEADER_TRACESTATE)},
	[OPA_PROPAGATOR_BAGGAGE] = {"baggage", BIT(OPA_HEADER_BAGGAGE)},
	[OPA_PROPAGATOR_B3] = {"b3", OF_B3},
	[OPA_PROPAGATOR_B3MULTI] = {"b3multi", OF_B3},
};

bool opa_propagators_have(const opa_propagators *propagators, opa_propagator which)
{
	return memchr(propagators->order, (int)which, propagators->count) != NULL;
}

/* False when the name is not known. */
static bool add(opa_propagators *to, opa_str name)
{
	for (int i = 0; i < OPA_PROPAGATOR_COUNT; i++) {
		if (!opa_text_equals(name, known[i].name)) {
			continue;
		}
		if (!opa_propagators_have(to, (opa_propagator)i)) {
			to->order[to->count++] = (uint8_t)i;
			to->headers |= (uint16_t)known[i].headers;
		}
		return true;
	}
	return false;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static opa_str trim(opa_str text)
{
	while (text.len > 0 && is_blank(text.data[0])) {
		text.data++;
		text.len--;
	}
	while (text.len > 0 && is_blank(text.data[text.len - 1])) {
		text.len--;
	}
	return text;
}

void opa_propagators_read(opa_str list, opa_propagators *to, opa_str *unknown)
{
	bool none = false;
	*to = (opa_propagators){.count = 0};
	*unknown = OPA_STR("");
	for (size_t at = 0; at < list.len;) {
		const char *comma = memchr(list.data + at, ',', list.len - at);
		size_t len = comma == NULL ? list.len - at : (size_t)(comma - list.data) - at;
		opa_str name = trim((opa_str){list.data + at, len});
		none = none || opa_text_equals(name, "none");
		if (name.len > 0 && !none && !add(to, name) && unknown->len == 0) {
			*unknown = name;
		}
		at += len + 1;
	}
	if (none) {
		*to = (opa_propagators){.count = 0};
	}
}

/* ---- what was sent ---- */

static void take_tracecontext(const opa_str values[OPA_HEADER_COUNT], opa_remote *to)
{
	opa_traceparent parent;
	if (!opa_w3c_parse(trim(values[OPA_HEADER_TRACEPARENT]), &parent)) {
		return;
	}
	to->known = true;
	to->parent = parent;
	to->decision = (parent.flags & OPA_W3C_SAMPLED) != 0 ? OPA_DECISION_YES : OPA_DECISION_NO;
	to->state_len = opa_w3c_clean_state(values[OPA_HEADER_TRACESTATE], to->state);
}

static opa_str first_of(opa_str value)
{
	const char *comma = value.len == 0 ? NULL : memchr(value.data, ',', value.len);
	return trim((opa_str){value.data, comma == NULL ? value.len : (size_t)(comma - value.data)});
}

static bool read_b3(const opa_str values[OPA_HEADER_COUNT], opa_b3 *b3)
{
	opa_b3_headers headers = {
		.trace_id = first_of(values[OPA_HEADER_B3_TRACE_ID]),
		.span_id = first_of(values[OPA_HEADER_B3_SPAN_ID]),
		.sampled = first_of(values[OPA_HEADER_B3_SAMPLED]),
		.flags = first_of(values[OPA_HEADER_B3_FLAGS]),
	};
	return opa_b3_parse(first_of(values[OPA_HEADER_B3]), b3) || opa_b3_parse_headers(&headers, b3);
}

static void take_b3(const opa_str values[OPA_HEADER_COUNT], opa_remote *to)
{
	static const opa_decision decisions[] = {
		[OPA_B3_DEFER] = OPA_DECISION_OPEN,
		[OPA_B3_DENY] = OPA_DECISION_NO,
		[OPA_B3_ACCEPT] = OPA_DECISION_YES,
		[OPA_B3_DEBUG] = OPA_DECISION_YES,
	};
	opa_b3 b3;
	/* A decision alone does not outweigh a parent, who has decided, too. */
	if (!read_b3(values, &b3) || (to->known && !b3.has_ids)) {
		return;
	}
	to->decision = decisions[b3.state];
	to->debug = b3.state == OPA_B3_DEBUG;
	if (b3.has_ids) {
		to->known = true;
		to->parent.parent = b3.span;
		to->parent.flags = to->decision == OPA_DECISION_YES ? OPA_W3C_SAMPLED : 0;
		memcpy(to->parent.trace_id, b3.trace_id, OPA_TRACE_ID_LEN);
		to->state_len = 0; /* it was another parent's */
	}
}

void opa_propagation_extract(
	const opa_propagators *propagators, const opa_str values[OPA_HEADER_COUNT], opa_remote *to)
{
	to->known = false;
	to->debug = false;
	to->decision = OPA_DECISION_OPEN;
	to->state_len = 0;
	for (unsigned i = 0; i < propagators->count; i++) {
		switch ((opa_propagator)propagators->order[i]) {
		case OPA_PROPAGATOR_TRACECONTEXT:
			take_tracecontext(values, to);
			break;
		case OPA_PROPAGATOR_B3:
		case OPA_PROPAGATOR_B3MULTI:
			take_b3(values, to);
			break;
		default: /* baggage is no context of a trace */
			break;
		}
	}
}
