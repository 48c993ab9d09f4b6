#include "opa_store_internal.h"

#include "../core/opa_alloc.h"
#include "../core/opa_utf8.h"

#include <string.h>

enum {
	SPAN_TRACE_ID = 1,
	SPAN_ID = 2,
	SPAN_TRACE_STATE = 3,
	SPAN_PARENT = 4,
	SPAN_NAME = 5,
	SPAN_KIND = 6,
	SPAN_START = 7,
	SPAN_END = 8,
	SPAN_ATTRIBUTE = 9,
	SPAN_DROPPED_ATTRIBUTES = 10,
	SPAN_EVENT = 11,
	SPAN_DROPPED_EVENTS = 12,
	SPAN_LINK = 13,
	SPAN_DROPPED_LINKS = 14,
	SPAN_STATUS = 15,
	SPAN_FLAGS = 16,
	EVENT_TIME = 1,
	EVENT_NAME = 2,
	EVENT_ATTRIBUTE = 3,
	EVENT_DROPPED = 4,
	LINK_TRACE_ID = 1,
	LINK_SPAN_ID = 2,
	LINK_TRACE_STATE = 3,
	LINK_ATTRIBUTE = 4,
	LINK_DROPPED = 5,
	LINK_FLAGS = 6,
	STATUS_MESSAGE = 2,
	STATUS_CODE = 3,
};

#define KIND_MAX 5

/* A counter or enum of OTLP as a value that fits. */
static unsigned small(uint64_t value, unsigned max)
{
	return value <= max ? (unsigned)value : 0;
}

static void add_attribute(opa_text *text, opa_str key_value, uint64_t *dropped)
{
	if (!opa_json_key_value(text, key_value)) {
		++*dropped;
	}
}

static void append_literal(opa_text *text, const char *literal)
{
	opa_text_append(text, literal, strlen(literal));
}

static void append_number(opa_text *text, uint64_t value)
{
	char digits[20];
	size_t i = sizeof(digits);
	do {
		digits[--i] = (char)('0' + value % 10);
		value /= 10;
	} while (value > 0);
	opa_text_append(text, digits + i, sizeof(digits) - i);
}

/* `,"attributes":{...},"dropped":N}` from the fields of an event or a link. False on damage. */
static bool append_tail(
	opa_text *text, opa_str message, uint32_t attribute_field, uint32_t dropped_field)
{
	opa_wire_reader reader;
	opa_wire_field field;
	uint64_t dropped = 0, damaged = 0;
	append_literal(text, ",\"attributes\":{");
	opa_wire_init(&reader, message);
	while (opa_wire_next(&reader, &field)) {
		if (field.number == attribute_field && field.type == OPA_WIRE_BYTES) {
			add_attribute(text, field.bytes, &damaged);
		} else if (field.number == dropped_field && field.type == OPA_WIRE_VARINT) {
			dropped = field.value & UINT32_MAX;
		}
	}
	append_literal(text, "},\"dropped\":");
	append_number(text, dropped + damaged);
	append_literal(text, "}");
	return !reader.damaged;
}

static bool append_event(opa_text *text, opa_str message)
{
	opa_wire_reader reader;
	opa_wire_field field;
	opa_str name = {"", 0};
	uint64_t time = 0;
	opa_wire_init(&reader, message);
	while (opa_wire_next(&reader, &field)) {
		if (field.number == EVENT_TIME && field.type == OPA_WIRE_FIXED64) {
			time = field.value;
		} else if (field.number == EVENT_NAME && field.type == OPA_WIRE_BYTES) {
			name = field.bytes;
		}
	}
	append_literal(text, "{\"name\":");
	opa_json_string(text, name);
	append_literal(text, ",\"time_ns\":");
	append_number(text, (uint64_t)opa_store_clamp(time));
	return append_tail(text, message, EVENT_ATTRIBUTE, EVENT_DROPPED);
}

static void append_id(opa_text *text, opa_str id, size_t size)
{
	char hex[OPA_TRACE_ID_HEX];
	bool right = id.len == size;
	if (right) {
		opa_hex_format((const uint8_t *)id.data, size, hex);
	}
	opa_json_string(text, (opa_str){hex, right ? 2 * size : 0});
}

static bool append_link(opa_text *text, opa_str message)
{
	opa_wire_reader reader;
	opa_wire_field field;
	opa_str trace_id = {"", 0}, span_id = {"", 0}, trace_state = {"", 0};
	uint64_t flags = 0;
	opa_wire_init(&reader, message);
	while (opa_wire_next(&reader, &field)) {
		if (field.number == LINK_FLAGS && field.type == OPA_WIRE_FIXED32) {
			flags = field.value;
		} else if (field.type != OPA_WIRE_BYTES) {
			continue;
		} else if (field.number == LINK_TRACE_ID) {
			trace_id = field.bytes;
		} else if (field.number == LINK_SPAN_ID) {
			span_id = field.bytes;
		} else if (field.number == LINK_TRACE_STATE) {
			trace_state = field.bytes;
		}
	}
	append_literal(text, "{\"trace_id\":");
	append_id(text, trace_id, OPA_TRACE_ID_LEN);
	append_literal(text, ",\"span_id\":");
	append_id(text, span_id, 8);
	append_literal(text, ",\"trace_state\":");
	opa_json_string(text, trace_state);
	append_literal(text, ",\"flags\":");
	append_number(text, flags);
	return append_tail(text, message, LINK_ATTRIBUTE, LINK_DROPPED);
}

/* One event or link more in its array; one that is damaged is left out and counted. */
static void add_item(
	opa_text *text, opa_str message, bool (*append)(opa_text *, opa_str), uint64_t *dropped)
{
	size_t before = text->len;
	append_literal(text, before == 0 ? "[" : ",");
	if (!append(text, message)) {
		text->len = before;
		++*dropped;
	}
}

static void read_status(opa_stored_span *s, opa_str message)
{
	opa_wire_reader reader;
	opa_wire_field field;
	opa_wire_init(&reader, message);
	while (opa_wire_next(&reader, &field)) {
		if (field.number == STATUS_MESSAGE && field.type == OPA_WIRE_BYTES) {
			s->message = field.bytes;
		} else if (field.number == STATUS_CODE && field.type == OPA_WIRE_VARINT) {
			s->status = small(field.value, OPA_STATUS_ERROR);
		}
	}
	s->damaged |= reader.damaged;
}

/* Eight bytes that are not all zero. An empty field is no id; any other length is damage. */
static bool read_span_id(opa_stored_span *s, opa_str bytes, char hex[OPA_SPAN_ID_HEX])
{
	static const char zero[8];
	if (bytes.len != sizeof(zero)) {
		s->damaged |= bytes.len != 0;
		return false;
	}
	opa_hex_format((const uint8_t *)bytes.data, sizeof(zero), hex);
	return memcmp(bytes.data, zero, sizeof(zero)) != 0;
}

static void read_bytes_field(opa_store *store, opa_stored_span *s, const opa_wire_field *field)
{
	switch (field->number) {
	case SPAN_TRACE_ID:
		s->trace_id = field->bytes;
		break;
	case SPAN_ID:
		s->has_id = read_span_id(s, field->bytes, s->id);
		break;
	case SPAN_TRACE_STATE:
		s->trace_state = field->bytes;
		break;
	case SPAN_PARENT:
		s->has_parent = read_span_id(s, field->bytes, s->parent);
		break;
	case SPAN_NAME:
		s->name = field->bytes;
		break;
	case SPAN_ATTRIBUTE:
		add_attribute(&store->attributes, field->bytes, &s->dropped_attributes);
		break;
	case SPAN_EVENT:
		add_item(&store->events, field->bytes, append_event, &s->dropped_events);
		break;
	case SPAN_LINK:
		add_item(&store->links, field->bytes, append_link, &s->dropped_links);
		break;
	case SPAN_STATUS:
		read_status(s, field->bytes);
		break;
	default:
		break;
	}
}

static void read_number_field(opa_stored_span *s, const opa_wire_field *field)
{
	bool varint = field->type == OPA_WIRE_VARINT;
	if (field->number == SPAN_START && field->type == OPA_WIRE_FIXED64) {
		s->start = opa_store_clamp(field->value);
	} else if (field->number == SPAN_END && field->type == OPA_WIRE_FIXED64) {
		s->end = opa_store_clamp(field->value);
	} else if (field->number == SPAN_FLAGS && field->type == OPA_WIRE_FIXED32) {
		s->flags = (uint32_t)field->value;
	} else if (field->number == SPAN_KIND && varint) {
		s->kind = small(field->value, KIND_MAX);
	} else if (field->number == SPAN_DROPPED_ATTRIBUTES && varint) {
		s->dropped_attributes += field->value & UINT32_MAX;
	} else if (field->number == SPAN_DROPPED_EVENTS && varint) {
		s->dropped_events += field->value & UINT32_MAX;
	} else if (field->number == SPAN_DROPPED_LINKS && varint) {
		s->dropped_links += field->value & UINT32_MAX;
	}
}

void opa_store_repair(opa_str *string, opa_text *buffer)
{
	if (opa_utf8_valid_prefix(string->data, string->len) == string->len) {
		return;
	}
	size_t len = opa_utf8_repaired_len(string->data, string->len);
	opa_text_reset(buffer);
	char *repaired = opa_malloc(len);
	if (repaired == NULL) {
		buffer->failed = true;
		return;
	}
	opa_utf8_repair(string->data, string->len, repaired);
	opa_text_append(buffer, repaired, len);
	opa_free(repaired);
	*string = (opa_str){buffer->data, buffer->len};
}

static bool read_fields(opa_store *store, opa_stored_span *s, opa_str message)
{
	opa_wire_reader reader;
	opa_wire_field field;
	*s = (opa_stored_span){.name = {"", 0}};
	opa_text_reset(&store->attributes);
	opa_text_reset(&store->events);
	opa_text_reset(&store->links);
	opa_text_append(&store->attributes, "{", 1);
	opa_wire_init(&reader, message);
	while (opa_wire_next(&reader, &field)) {
		if (field.type == OPA_WIRE_BYTES) {
			read_bytes_field(store, s, &field);
		} else {
			read_number_field(s, &field);
		}
	}
	opa_text_append(&store->attributes, "}", 1);
	if (store->events.len > 0) {
		opa_text_append(&store->events, "]", 1);
	}
	if (store->links.len > 0) {
		opa_text_append(&store->links, "]", 1);
	}
	return !reader.damaged && !s->damaged;
}

/* Whether SQLite takes a row of that size: its bounds are far below what a record may have. */
static bool fits(opa_store *store, const opa_stored_span *s)
{
	size_t limit = (size_t)sqlite3_limit(store->db, SQLITE_LIMIT_LENGTH, -1);
	return store->attributes.len + store->events.len + store->links.len + s->name.len +
			   s->message.len + s->trace_state.len + 500 <
		   limit;
}

static bool is_memory_short(opa_store *store)
{
	bool failed = store->attributes.failed || store->events.failed || store->links.failed ||
				  store->name.failed || store->message.failed || store->trace_state.failed;
	store->name.failed = store->message.failed = store->trace_state.failed = false;
	if (failed) {
		memcpy(store->problem, "out of memory", sizeof("out of memory"));
	}
	return failed;
}

opa_decoded opa_store_decode(
	opa_store *store, opa_stored_span *s, opa_str message, const uint8_t trace_id[16])
{
	bool whole = read_fields(store, s, message) && s->has_id &&
				 s->trace_id.len == OPA_TRACE_ID_LEN &&
				 memcmp(s->trace_id.data, trace_id, OPA_TRACE_ID_LEN) == 0;
	s->raw_name = s->name;
	opa_store_repair(&s->name, &store->name);
	opa_store_repair(&s->message, &store->message);
	opa_store_repair(&s->trace_state, &store->trace_state);
	if (is_memory_short(store)) {
		return OPA_DECODED_NO_MEMORY;
	}
	return whole && fits(store, s) ? OPA_DECODED : OPA_DECODED_DAMAGED;
}
