/*
 * A strict reader of OTLP spans for the tests, written apart from the project's own: it refuses
 * what protobuf would forgive (unknown fields, a singular field twice, overlong varints, fields out
 * of place), so that a test which reads a span has checked its form, too.
 */
#ifndef OPA_TEST_WIRE_H
#define OPA_TEST_WIRE_H

#include "core/opa_id.h"

#define WIRE_MAX_FIELDS 160

typedef struct wire_event {
	uint64_t time;
	opa_str name;
	opa_str fields; /* the whole message */
	uint32_t attributes;
} wire_event;

typedef struct wire_link {
	opa_str trace_id;
	opa_str span_id;
	uint32_t attributes;
} wire_link;

/* One span. Strings point into the bytes that were read. */
typedef struct wire_span {
	opa_str trace_id;
	opa_span_id id;
	opa_span_id parent;
	opa_str state;
	opa_str name;
	uint32_t flags;
	uint32_t kind;
	uint64_t start;
	uint64_t end;
	uint32_t status;
	opa_str message;
	uint32_t attribute_count; /* all of them; the first WIRE_MAX_FIELDS are in the arrays */
	opa_str keys[WIRE_MAX_FIELDS];
	opa_str values[WIRE_MAX_FIELDS]; /* AnyValue messages */
	uint32_t event_count;
	wire_event events[WIRE_MAX_FIELDS];
	uint32_t link_count;
	wire_link links[WIRE_MAX_FIELDS];
	uint32_t dropped_attributes;
	uint32_t dropped_events;
	uint32_t dropped_links;
} wire_span;

/* Goes over the ScopeSpans.spans fields in data: start with *at = 0; false at the end. Fails the
 * test when something is not as it must be. */
bool wire_next_span(const uint8_t *data, size_t len, size_t *at, wire_span *span);

/* The AnyValue of the span's attribute, or NULL. Fails the test when the key stands there twice. */
const opa_str *wire_attribute(const wire_span *span, const char *key);

/* What is in an AnyValue: fails the test when it is of another type. */
opa_str wire_string(opa_str any_value);
int64_t wire_int(opa_str any_value);
bool wire_bool(opa_str any_value);
double wire_double(opa_str any_value);

/* Items of a list, or pairs of a map, one after the other: as wire_next_span. */
bool wire_next_item(opa_str any_value, size_t *at, opa_str *item);
bool wire_next_pair(opa_str any_value, size_t *at, opa_str *key, opa_str *value);

/* Whether all bytes are valid UTF-8, decided apart from core/opa_utf8. */
bool wire_is_utf8(opa_str text);

bool wire_is(opa_str text, const char *expected);

#endif
