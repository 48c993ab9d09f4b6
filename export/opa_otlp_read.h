/*
 * Reading OTLP protobuf: a cursor over a message's fields, and OTLP attributes as JSON. In
 * opa-exporter alone. Nothing is allocated but by the JSON buffer; nothing is read past the end,
 * whatever the bytes are. Unknown fields are passed over, as protobuf demands.
 */
#ifndef OPA_OTLP_READ_H
#define OPA_OTLP_READ_H

#include "../core/opa_base.h"

typedef enum opa_wire_type {
	OPA_WIRE_VARINT = 0,
	OPA_WIRE_FIXED64 = 1,
	OPA_WIRE_BYTES = 2,
	OPA_WIRE_FIXED32 = 5,
} opa_wire_type;

typedef struct opa_wire_field {
	uint32_t number;
	opa_wire_type type;
	uint64_t value; /* of a varint or a fixed field */
	opa_str bytes;  /* of a length-delimited field: inside the message */
} opa_wire_field;

typedef struct opa_wire_reader {
	const uint8_t *pos;
	const uint8_t *end;
	bool damaged; /* the message ended early or had a wire type that does not exist */
} opa_wire_reader;

void opa_wire_init(opa_wire_reader *reader, opa_str message);

/* The next field; false at the end and on damage. */
bool opa_wire_next(opa_wire_reader *reader, opa_wire_field *field);

/* A growing text; `failed` once memory was short, after which everything is a no-op. */
typedef struct opa_text {
	char *data;
	size_t len;
	size_t capacity;
	bool failed;
} opa_text;

void opa_text_deinit(opa_text *text);
void opa_text_reset(opa_text *text); /* empty again, memory kept, failed forgotten */
void opa_text_append(opa_text *text, const char *data, size_t len);

/* A JSON string with its quotes. Invalid UTF-8 becomes U+FFFD. */
void opa_json_string(opa_text *text, opa_str string);

/* Lists and maps in each other: a value that goes deeper counts as damage. */
#define OPA_JSON_MAX_DEPTH 32

/*
 * Appends the member (no braces) of a JSON object for one KeyValue message, with a comma in front
 * if the text does not end in '{'. A value of bytes becomes base64, one without content null. False
 * on damage; the text is then as it was.
 */
bool opa_json_key_value(opa_text *text, opa_str key_value);

/* Key and AnyValue of a KeyValue message, empty where it has none. False on damage. */
bool opa_otlp_key_value(opa_str key_value, opa_str *key, opa_str *any_value);

/* The string value of an AnyValue message; empty when it is not a string. */
opa_str opa_otlp_any_string(opa_str any_value);

#endif
