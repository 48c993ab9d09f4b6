#include "wire.h"
#include "support.h"

typedef struct field {
	unsigned number;
	unsigned type; /* of protobuf */
	uint64_t value;
	opa_str bytes;
} field;

static uint64_t read_varint(opa_str message, size_t *at)
{
	uint64_t value = 0;
	for (unsigned shift = 0;; shift += 7) {
		assert_true(*at < message.len);
		uint8_t byte = (uint8_t)message.data[(*at)++];
		assert_true(shift < 63 || byte <= 1);
		value |= (uint64_t)(byte & 0x7f) << shift;
		if (byte < 0x80) {
			assert_true(byte != 0 || shift == 0); /* overlong */
			return value;
		}
	}
}

static uint64_t read_fixed(opa_str message, size_t *at, unsigned size)
{
	uint64_t value = 0;
	assert_true(message.len - *at >= size);
	for (unsigned i = 0; i < size; i++) {
		value |= (uint64_t)(uint8_t)message.data[*at + i] << (8 * i);
	}
	*at += size;
	return value;
}

static bool next_field(opa_str message, size_t *at, field *f)
{
	if (*at == message.len) {
		return false;
	}
	uint64_t tag = read_varint(message, at);
	*f = (field){.number = (unsigned)(tag >> 3), .type = tag & 7};
	switch (f->type) {
	case 0:
		f->value = read_varint(message, at);
		break;
	case 1:
		f->value = read_fixed(message, at, 8);
		break;
	case 2:
		f->bytes.len = read_varint(message, at);
		assert_true(f->bytes.len <= message.len - *at);
		f->bytes.data = message.data + *at;
		*at += f->bytes.len;
		break;
	case 5:
		f->value = read_fixed(message, at, 4);
		break;
	default:
		fail_msg("wire type %u", f->type);
	}
	return true;
}

/* A field that may stand there once. */
static void once(unsigned *seen, const field *f, unsigned type)
{
	assert_int_equal(f->type, type);
	assert_true((*seen & 1u << f->number) == 0);
	*seen |= 1u << f->number;
}

static opa_str text_of(const field *f)
{
	assert_true(wire_is_utf8(f->bytes));
	return f->bytes;
}

static opa_span_id id_of(const field *f)
{
	assert_int_equal(f->bytes.len, 8);
	opa_span_id id = opa_span_id_from_bytes((const uint8_t *)f->bytes.data);
	assert_true(id != 0);
	return id;
}

static void check_any(opa_str any);

/* A KeyValue: key first, then value, both there. */
static void read_pair(opa_str message, opa_str *key, opa_str *value)
{
	size_t at = 0;
	field f;
	assert_true(next_field(message, &at, &f) && f.number == 1 && f.type == 2);
	*key = text_of(&f);
	assert_true(next_field(message, &at, &f) && f.number == 2 && f.type == 2);
	*value = f.bytes;
	check_any(f.bytes);
	assert_int_equal(at, message.len);
}

static void check_any(opa_str any)
{
	size_t at = 0, inner = 0;
	field f;
	opa_str key, value;
	if (!next_field(any, &at, &f)) {
		return;
	}
	assert_int_equal(at, any.len);
	static const unsigned types[] = {9, 2, 0, 0, 1, 2, 2};
	assert_in_range(f.number, 1, 6);
	assert_int_equal(f.type, types[f.number]);
	if (f.number == 1) {
		text_of(&f);
	} else if (f.number == 2) {
		assert_in_range(f.value, 0, 1);
	} else if (f.number == 5) {
		while (wire_next_item(any, &inner, &value)) {
		}
	} else if (f.number == 6) {
		while (wire_next_pair(any, &inner, &key, &value)) {
		}
	}
}

static void read_event(opa_str message, wire_event *event)
{
	size_t at = 0;
	unsigned seen = 0;
	field f;
	opa_str key, value;
	*event = (wire_event){.fields = message};
	while (next_field(message, &at, &f)) {
		if (f.number == 1) {
			once(&seen, &f, 1);
			event->time = f.value;
		} else if (f.number == 2) {
			once(&seen, &f, 2);
			event->name = text_of(&f);
		} else if (f.number == 3) {
			assert_int_equal(f.type, 2);
			read_pair(f.bytes, &key, &value);
			event->attributes++;
		} else {
			assert_int_equal(f.number, 4);
			once(&seen, &f, 0);
		}
	}
	assert_true(seen & 1u << 1);
}

static void read_link(opa_str message, wire_link *link)
{
	size_t at = 0;
	unsigned seen = 0;
	field f;
	opa_str key, value;
	*link = (wire_link){.attributes = 0};
	while (next_field(message, &at, &f)) {
		if (f.number == 1 || f.number == 2) {
			once(&seen, &f, 2);
			assert_int_equal(f.bytes.len, f.number == 1 ? 16 : 8);
			*(f.number == 1 ? &link->trace_id : &link->span_id) = f.bytes;
		} else if (f.number == 4) {
			assert_int_equal(f.type, 2);
			read_pair(f.bytes, &key, &value);
			link->attributes++;
		} else {
			assert_true(f.number == 5 || f.number == 6);
			once(&seen, &f, f.number == 5 ? 0 : 5);
		}
	}
	assert_int_equal(seen & 6u, 6u);
}

static void read_status(opa_str message, wire_span *span)
{
	size_t at = 0;
	unsigned seen = 0;
	field f;
	while (next_field(message, &at, &f)) {
		assert_true(f.number == 2 || f.number == 3);
		once(&seen, &f, f.number == 2 ? 2 : 0);
		if (f.number == 2) {
			span->message = text_of(&f);
		} else {
			span->status = (uint32_t)f.value;
		}
	}
	assert_in_range(span->status, 1, 2);
}

/* The fields that may stand there many times. */
static bool read_repeated(const field *f, wire_span *span)
{
	uint32_t n;
	switch (f->number) {
	case 9:
		n = span->attribute_count++;
		opa_str key, value;
		read_pair(f->bytes, &key, &value);
		if (n < WIRE_MAX_FIELDS) {
			span->keys[n] = key;
			span->values[n] = value;
		}
		break;
	case 11:
		n = span->event_count++;
		assert_true(n < WIRE_MAX_FIELDS);
		read_event(f->bytes, &span->events[n]);
		break;
	case 13:
		n = span->link_count++;
		assert_true(n < WIRE_MAX_FIELDS);
		read_link(f->bytes, &span->links[n]);
		break;
	default:
		return false;
	}
	assert_int_equal(f->type, 2);
	return true;
}

static void read_single(const field *f, wire_span *span)
{
	switch (f->number) {
	case 1:
		assert_int_equal(f->bytes.len, 16);
		span->trace_id = f->bytes;
		break;
	case 2:
		span->id = id_of(f);
		break;
	case 3:
		span->state = text_of(f);
		break;
	case 4:
		span->parent = id_of(f);
		break;
	case 5:
		span->name = text_of(f);
		break;
	case 6:
		span->kind = (uint32_t)f->value;
		break;
	case 7:
		span->start = f->value;
		break;
	case 8:
		span->end = f->value;
		break;
	case 10:
		span->dropped_attributes = (uint32_t)f->value;
		break;
	case 12:
		span->dropped_events = (uint32_t)f->value;
		break;
	case 14:
		span->dropped_links = (uint32_t)f->value;
		break;
	case 15:
		read_status(f->bytes, span);
		break;
	default:
		span->flags = (uint32_t)f->value;
		break;
	}
}

bool wire_next_span(const uint8_t *data, size_t len, size_t *at, wire_span *span)
{
	static const unsigned types[17] = {9, 2, 2, 2, 2, 2, 0, 1, 1, 2, 0, 2, 0, 2, 0, 2, 5};
	opa_str all = {(const char *)data, len};
	field f;
	if (!next_field(all, at, &f)) {
		return false;
	}
	assert_true(f.number == 2 && f.type == 2);
	opa_str message = f.bytes;
	size_t inner = 0;
	unsigned seen = 0;
	memset(span, 0, offsetof(wire_span, keys));
	span->event_count = span->link_count = 0;
	span->dropped_attributes = span->dropped_events = span->dropped_links = 0;
	while (next_field(message, &inner, &f)) {
		assert_in_range(f.number, 1, 16);
		if (!read_repeated(&f, span)) {
			once(&seen, &f, types[f.number]);
			read_single(&f, span);
		}
	}
	/* trace id, span id, name, kind, start, end, flags */
	assert_int_equal(seen & 0x101e6u, 0x101e6u);
	assert_in_range(span->kind, 1, 5);
	assert_true(span->end >= span->start);
	assert_true(span->id != span->parent);
	return true;
}

const opa_str *wire_attribute(const wire_span *span, const char *key)
{
	const opa_str *found = NULL;
	for (uint32_t i = 0; i < span->attribute_count && i < WIRE_MAX_FIELDS; i++) {
		if (wire_is(span->keys[i], key)) {
			assert_null(found);
			found = &span->values[i];
		}
	}
	return found;
}

/* The one field of an AnyValue, which has this number. */
static field content(opa_str any, unsigned number)
{
	size_t at = 0;
	field f = {0};
	assert_true(next_field(any, &at, &f));
	assert_int_equal(f.number, number);
	assert_int_equal(at, any.len);
	return f;
}

opa_str wire_string(opa_str any_value)
{
	return content(any_value, 1).bytes;
}

bool wire_bool(opa_str any_value)
{
	return content(any_value, 2).value != 0;
}

int64_t wire_int(opa_str any_value)
{
	return (int64_t)content(any_value, 3).value;
}

double wire_double(opa_str any_value)
{
	uint64_t bits = content(any_value, 4).value;
	double value;
	memcpy(&value, &bits, sizeof(value));
	return value;
}

bool wire_next_item(opa_str any_value, size_t *at, opa_str *item)
{
	field f;
	opa_str list = content(any_value, 5).bytes;
	if (!next_field(list, at, &f)) {
		return false;
	}
	assert_true(f.number == 1 && f.type == 2);
	check_any(f.bytes);
	*item = f.bytes;
	return true;
}

bool wire_next_pair(opa_str any_value, size_t *at, opa_str *key, opa_str *value)
{
	field f;
	opa_str map = content(any_value, 6).bytes;
	if (!next_field(map, at, &f)) {
		return false;
	}
	assert_true(f.number == 1 && f.type == 2);
	read_pair(f.bytes, key, value);
	return true;
}

/* Decodes each character to its number and compares: no table of leading bytes. */
bool wire_is_utf8(opa_str text)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	for (size_t i = 0; i < text.len;) {
		uint8_t c = (uint8_t)text.data[i];
		unsigned bytes = c < 0x80 ? 1 : c >> 5 == 6 ? 2 : c >> 4 == 14 ? 3 : c >> 3 == 30 ? 4 : 0;
		if (bytes == 0 || text.len - i < bytes) {
			return false;
		}
		uint32_t number = bytes == 1 ? c : c & (0xffu >> (bytes + 1));
		for (unsigned k = 1; k < bytes; k++) {
			uint8_t more = (uint8_t)text.data[i + k];
			if (more >> 6 != 2) {
				return false;
			}
			number = number << 6 | (more & 0x3fu);
		}
		if (number < least[bytes] || number > 0x10ffff || (number >= 0xd800 && number <= 0xdfff)) {
			return false;
		}
		i += bytes;
	}
	return true;
}

bool wire_is(opa_str text, const char *expected)
{
	return text.len == strlen(expected) && memcmp(text.data, expected, text.len) == 0;
}
