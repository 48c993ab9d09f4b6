/*
 * Reading OTLP: fields, JSON, and bytes that are no message. Run under ASan too: the blocks are
 * exactly as large as the messages, so a read past the end is seen.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "core/opa_alloc.h"
#include "export/opa_otlp_read.h"
#include "otlp_build.h"
#include "protoc.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <unistd.h>

static void assert_text(const opa_text *text, const char *expected)
{
	assert_false(text->failed);
	if (text->len != strlen(expected) || memcmp(text->data, expected, text->len) != 0) {
		fail_msg("got %.*s, wanted %s", (int)text->len, text->data, expected);
	}
}

/* The member that a value under the key "k" becomes. Frees the value. */
static void assert_member(build *any, const char *expected)
{
	build message = {0}, pair = {0};
	opa_text text = {0};
	build_text(&pair, 1, "k");
	build_message(&pair, 2, any);
	build_raw(&message, pair.data, pair.len);
	assert_true(opa_json_key_value(&text, build_str(&message)));
	assert_text(&text, expected);
	opa_text_deinit(&text);
	free(pair.data);
	free(message.data);
}

static void assert_double(double value, const char *expected)
{
	build any = {0};
	uint64_t bits;
	char member[64];
	memcpy(&bits, &value, sizeof(bits));
	build_fixed64(&any, 4, bits);
	snprintf(member, sizeof(member), "\"k\":%s", expected);
	assert_member(&any, member);
}

static void assert_json_string(const char *data, size_t len, const char *expected)
{
	opa_text text = {0};
	opa_json_string(&text, (opa_str){data, len});
	assert_text(&text, expected);
	opa_text_deinit(&text);
}

/* ---- fields ---- */

static void reads_fields_of_every_wire_type(void **state)
{
	(void)state;
	build b = {0};
	build_uint(&b, 1, UINT64_MAX);
	build_fixed64(&b, 2, 0x0102030405060708u);
	build_text(&b, 536870911, "abc");
	build_fixed32(&b, 4, 0xfffefdfcu);
	opa_wire_reader reader;
	opa_wire_field field;
	opa_wire_init(&reader, build_str(&b));
	assert_true(opa_wire_next(&reader, &field));
	assert_int_equal(field.number, 1);
	assert_true(field.type == OPA_WIRE_VARINT && field.value == UINT64_MAX);
	assert_true(opa_wire_next(&reader, &field));
	assert_true(field.type == OPA_WIRE_FIXED64 && field.value == 0x0102030405060708u);
	assert_true(opa_wire_next(&reader, &field));
	assert_int_equal(field.number, 536870911);
	assert_int_equal(field.bytes.len, 3);
	assert_memory_equal(field.bytes.data, "abc", 3);
	assert_true(opa_wire_next(&reader, &field));
	assert_true(field.type == OPA_WIRE_FIXED32 && field.value == 0xfffefdfcu);
	assert_false(opa_wire_next(&reader, &field));
	assert_false(reader.damaged);
	free(b.data);
}

static void an_empty_message_is_whole(void **state)
{
	(void)state;
	opa_wire_reader reader;
	opa_wire_field field;
	opa_wire_init(&reader, (opa_str){NULL, 0});
	assert_false(opa_wire_next(&reader, &field));
	assert_false(reader.damaged);
}

static void assert_damaged(const void *bytes, size_t len)
{
	uint8_t *block = malloc(len);
	memcpy(block, bytes, len);
	opa_wire_reader reader;
	opa_wire_field field;
	opa_wire_init(&reader, (opa_str){(const char *)block, len});
	assert_false(opa_wire_next(&reader, &field));
	assert_true(reader.damaged);
	assert_false(opa_wire_next(&reader, &field));
	free(block);
}

static void damage_is_told(void **state)
{
	(void)state;
	assert_damaged("\x80", 1);                                              /* the tag ends early */
	assert_damaged("\x08\xff\xff", 3);                                      /* a varint */
	assert_damaged("\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 12); /* too long a one */
	assert_damaged("\x09\x01\x02\x03\x04\x05\x06\x07", 8);                  /* fixed64 */
	assert_damaged("\x0d\x01\x02\x03", 4);                                  /* fixed32 */
	assert_damaged("\x0a\x03"
				   "ab",
		4);                                                             /* bytes */
	assert_damaged("\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 11); /* length 2^64 - 1 */
	assert_damaged("\x0b", 1);                                          /* a group */
	assert_damaged("\x0f", 1);                                          /* wire type 7 */
	assert_damaged("\x00\x01", 2);                                      /* field 0 */
}

/* ---- JSON ---- */

static void strings_are_escaped(void **state)
{
	(void)state;
	assert_json_string("", 0, "\"\"");
	assert_json_string("a\"b\\c/d", 7, "\"a\\\"b\\\\c/d\"");
	assert_json_string("\b\f\n\r\t", 5, "\"\\b\\f\\n\\r\\t\"");
	assert_json_string("\0\x01\x1f\x7f", 4, "\"\\u0000\\u0001\\u001f\x7f\"");
	assert_json_string("\xc3\xa4\xf0\x9f\x98\x80", 6, "\"\xc3\xa4\xf0\x9f\x98\x80\"");
}

static void invalid_utf8_is_replaced(void **state)
{
	(void)state;
	assert_json_string("a\xff"
					   "b",
		3,
		"\"a\xef\xbf\xbd"
		"b\"");
	assert_json_string("\xc3", 1, "\"\xef\xbf\xbd\"");
	assert_json_string("\n\xed\xa0\x80", 4, "\"\\n\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"");
}

static void integers_are_exact(void **state)
{
	(void)state;
	static const int64_t values[] = {0, 1, -1, INT64_MAX, INT64_MIN};
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		build any = {0};
		char member[64];
		build_uint(&any, 3, (uint64_t)values[i]);
		snprintf(member, sizeof(member), "\"k\":%" PRId64, values[i]);
		assert_member(&any, member);
	}
}

static void doubles_are_shortest_and_never_look_like_integers(void **state)
{
	(void)state;
	assert_double(0.1, "0.1");
	assert_double(2.0, "2.0");
	assert_double(-0.0, "-0.0");
	assert_double(0.30000000000000004, "0.30000000000000004");
	assert_double(1e22, "1e+22");
	assert_double(123456789012345680.0, "1.2345678901234568e+17");
	assert_double(5e-324, "5e-324");
	assert_double(1.7976931348623157e308, "1.7976931348623157e+308");
	assert_double(1.0 / 3, "0.3333333333333333");
	assert_double(NAN, "\"NaN\"");
	assert_double(INFINITY, "\"Infinity\"");
	assert_double(-INFINITY, "\"-Infinity\"");
}

static void doubles_survive_the_way_there_and_back(void **state)
{
	(void)state;
	uint64_t seed = 42;
	for (int i = 0; i < 20000; i++) {
		seed = seed * 6364136223846793005u + 1442695040888963407u;
		uint64_t bits = seed ^ seed >> 29;
		double value, back;
		memcpy(&value, &bits, sizeof(value));
		if (!isfinite(value)) {
			continue;
		}
		build pair = {0};
		build_double_attribute(&pair, 1, "k", value);
		opa_wire_reader reader;
		opa_wire_field field;
		opa_text text = {0};
		opa_wire_init(&reader, build_str(&pair));
		assert_true(opa_wire_next(&reader, &field));
		assert_true(opa_json_key_value(&text, field.bytes));
		opa_text_append(&text, "", 1);
		back = strtod(text.data + 4, NULL);
		assert_memory_equal(&back, &value, sizeof(back));
		opa_text_deinit(&text);
		free(pair.data);
	}
}

static void simple_values_become_json(void **state)
{
	(void)state;
	build any = {0};
	assert_member(&any, "\"k\":null");
	build_uint(&any, 2, 1);
	assert_member(&any, "\"k\":true");
	build_uint(&any, 2, 0);
	assert_member(&any, "\"k\":false");
	build_text(&any, 1, "v\n");
	assert_member(&any, "\"k\":\"v\\n\"");
	build_bytes(&any, 7, "\0\xff\xfe", 3);
	assert_member(&any, "\"k\":\"AP/+\"");
	build_bytes(&any, 7, "ab", 2);
	assert_member(&any, "\"k\":\"YWI=\"");
	build_bytes(&any, 7, "a", 1);
	assert_member(&any, "\"k\":\"YQ==\"");
}

static void of_a_oneof_the_last_counts_and_unknown_fields_are_passed_over(void **state)
{
	(void)state;
	build any = {0};
	build_text(&any, 1, "first");
	build_text(&any, 99, "unknown");
	build_uint(&any, 3, 7);
	build_fixed32(&any, 3, 8); /* the number of the int, but another wire type */
	assert_member(&any, "\"k\":7");
}

static void lists_and_maps_nest(void **state)
{
	(void)state;
	build any = {0}, list = {0}, item = {0}, map = {0}, inner = {0};
	build_uint(&item, 3, 1);
	build_message(&list, 1, &item);
	build_int_attribute(&map, 1, "a", 2);
	build_text_attribute(&map, 1, "b", "c");
	build_message(&inner, 6, &map);
	build_message(&list, 1, &inner);
	build_message(&list, 1, &item); /* an AnyValue without content */
	build_message(&any, 5, &list);
	assert_member(&any, "\"k\":[1,{\"a\":2,\"b\":\"c\"},null]");
	build_message(&any, 5, &list);
	assert_member(&any, "\"k\":[]");
	build_message(&any, 6, &map);
	assert_member(&any, "\"k\":{}");
}

static bool nested(unsigned depth, opa_text *text)
{
	build any = {0}, list = {0}, pair = {0};
	build_uint(&any, 3, 1);
	for (unsigned i = 0; i < depth; i++) {
		build_message(&list, 1, &any);
		build_message(&any, 5, &list);
	}
	build_message(&pair, 2, &any);
	bool ok = opa_json_key_value(text, build_str(&pair));
	free(pair.data);
	return ok;
}

static void nesting_is_bounded(void **state)
{
	(void)state;
	opa_text text = {0};
	assert_true(nested(OPA_JSON_MAX_DEPTH - 1, &text));
	opa_text_reset(&text);
	opa_text_append(&text, "{", 1);
	assert_false(nested(OPA_JSON_MAX_DEPTH, &text));
	assert_text(&text, "{");
	assert_false(nested(3000, &text));
	opa_text_deinit(&text);
}

static void members_get_commas_and_damage_leaves_the_text_alone(void **state)
{
	(void)state;
	build one = {0}, two = {0}, any = {0}, broken = {0}, list = {0};
	opa_text text = {0};
	build_text(&one, 1, "a");
	build_uint(&any, 3, 1);
	build_message(&one, 2, &any);
	build_text(&two, 1, "b");
	build_text(&list, 1, "\x08");
	build_message(&any, 5, &list);
	build_text(&broken, 1, "c");
	build_message(&broken, 2, &any);
	opa_text_append(&text, "{", 1);
	assert_true(opa_json_key_value(&text, build_str(&one)));
	assert_false(opa_json_key_value(&text, build_str(&broken)));
	assert_true(opa_json_key_value(&text, build_str(&two)));
	assert_text(&text, "{\"a\":1,\"b\":null");
	opa_text_deinit(&text);
	free(one.data);
	free(two.data);
	free(broken.data);
}

static void only_a_string_is_a_string(void **state)
{
	(void)state;
	build any = {0};
	build_text(&any, 1, "shop");
	opa_str string = opa_otlp_any_string(build_str(&any));
	assert_int_equal(string.len, 4);
	assert_memory_equal(string.data, "shop", 4);
	build_uint(&any, 3, 5);
	assert_int_equal(opa_otlp_any_string(build_str(&any)).len, 0);
	free(any.data);
}

static void short_memory_is_told_and_changes_nothing_after(void **state)
{
	(void)state;
	char big[600];
	memset(big, 'x', sizeof(big));
	opa_text text = {0};
	opa_text_append(&text, "start", 5);
	opa_alloc_fail_after(0, false);
	opa_text_append(&text, big, sizeof(big));
	opa_alloc_fail_after(-1, false);
	assert_true(text.failed);
	opa_text_append(&text, "more", 4);
	assert_int_equal(text.len, 5);
	opa_text_reset(&text);
	opa_text_append(&text, big, sizeof(big));
	assert_int_equal(text.len, sizeof(big));
	assert_false(text.failed);
	opa_alloc_fail_after(0, false);
	opa_json_string(&text, OPA_STR("\xff"));
	opa_alloc_fail_after(-1, false);
	assert_true(text.failed);
	opa_text_deinit(&text);
}

/* ---- bytes that are no message ---- */

static void read_all(const uint8_t *bytes, size_t len)
{
	uint8_t *block = malloc(len > 0 ? len : 1);
	memcpy(block, bytes, len);
	opa_str message = {(const char *)block, len};
	opa_wire_reader reader;
	opa_wire_field field;
	opa_text text = {0};
	opa_wire_init(&reader, message);
	while (opa_wire_next(&reader, &field)) {
		if (field.type == OPA_WIRE_BYTES) {
			assert_true((const uint8_t *)field.bytes.data >= block);
			assert_true((const uint8_t *)field.bytes.data + field.bytes.len <= block + len);
			opa_json_key_value(&text, field.bytes);
		}
	}
	opa_json_key_value(&text, message);
	opa_otlp_any_string(message);
	assert_false(text.failed);
	opa_text_deinit(&text);
	free(block);
}

static uint64_t next_random(uint64_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 7;
	*seed ^= *seed << 17;
	return *seed;
}

static void random_bytes_are_survived(void **state)
{
	(void)state;
	uint64_t seed = 88172645463325252u;
	uint8_t bytes[96];
	for (int round = 0; round < 60000; round++) {
		size_t len = next_random(&seed) % sizeof(bytes);
		for (size_t i = 0; i < len; i++) {
			bytes[i] = (uint8_t)(next_random(&seed) >> 24);
			if (next_random(&seed) % 3 == 0) {
				bytes[i] %= 0x40; /* small tags and lengths go deeper */
			}
		}
		read_all(bytes, len);
	}
}

static void whole_messages_with_a_few_bytes_changed_are_survived(void **state)
{
	(void)state;
	build message = {0}, any = {0}, list = {0};
	for (int i = 0; i < 3; i++) {
		build_text(&any, 1, "a value");
		build_message(&list, 1, &any);
	}
	build_message(&any, 5, &list);
	build_key_value(&message, 9, "list", &any);
	build_text_attribute(&message, 9, "text", "text");
	build_double_attribute(&message, 9, "double", 1.5);
	build_int_attribute(&message, 9, "int", -1);
	uint64_t seed = 0x9e3779b97f4a7c15u;
	uint8_t *copy = malloc(message.len);
	for (int round = 0; round < 60000; round++) {
		memcpy(copy, message.data, message.len);
		for (size_t n = next_random(&seed) % 4; n > 0; n--) {
			copy[next_random(&seed) % message.len] = (uint8_t)next_random(&seed);
		}
		read_all(copy, next_random(&seed) % (message.len + 1));
	}
	free(copy);
	free(message.data);
}

/* ---- protoc ---- */

static const char oracle_text[] =
	"attributes { key: \"text\" value { string_value: \"a\\303\\244\\n\" } }\n"
	"attributes { key: \"yes\" value { bool_value: true } }\n"
	"attributes { key: \"low\" value { int_value: -9223372036854775808 } }\n"
	"attributes { key: \"real\" value { double_value: 0.1 } }\n"
	"attributes { key: \"bytes\" value { bytes_value: \"\\000\\377\" } }\n"
	"attributes { key: \"list\" value { array_value {\n"
	"  values { int_value: 300 } values { string_value: \"\" } values { } } } }\n"
	"attributes { key: \"map\" value { kvlist_value {\n"
	"  values { key: \"a\" value { bool_value: false } } } } }\n";

static const char oracle_json[] =
	"{\"text\":\"a\xc3\xa4\\n\",\"yes\":true,\"low\":-9223372036854775808,\"real\":0.1,"
	"\"bytes\":\"AP8=\",\"list\":[300,\"\",null],\"map\":{\"a\":false}";

/* What Google's compiler makes of a text form of a Resource is read as what it says. */
static void agrees_with_protoc(void **state)
{
	(void)state;
	char dir[] = "/tmp/otlp_read.XXXXXX", path[64], command[512];
	uint8_t bytes[4096];
	if (!protoc_is_there()) {
		skip();
	}
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/text", dir);
	FILE *file = fopen(path, "w");
	assert_true(fputs(oracle_text, file) >= 0 && fclose(file) == 0);
	snprintf(command, sizeof(command),
		"protoc -I\"$OPA_OTLP_PROTOS\" --encode=opentelemetry.proto.resource.v1.Resource"
		" opentelemetry/proto/resource/v1/resource.proto < %s",
		path);
	file = popen(command, "r");
	size_t len = fread(bytes, 1, sizeof(bytes), file);
	assert_int_equal(pclose(file), 0);
	unlink(path);
	rmdir(dir);
	opa_wire_reader reader;
	opa_wire_field field;
	opa_text text = {0};
	opa_text_append(&text, "{", 1);
	opa_wire_init(&reader, (opa_str){(const char *)bytes, len});
	while (opa_wire_next(&reader, &field)) {
		assert_true(opa_json_key_value(&text, field.bytes));
	}
	assert_false(reader.damaged);
	assert_text(&text, oracle_json);
	opa_text_deinit(&text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_fields_of_every_wire_type),
		cmocka_unit_test(an_empty_message_is_whole),
		cmocka_unit_test(damage_is_told),
		cmocka_unit_test(strings_are_escaped),
		cmocka_unit_test(invalid_utf8_is_replaced),
		cmocka_unit_test(integers_are_exact),
		cmocka_unit_test(doubles_are_shortest_and_never_look_like_integers),
		cmocka_unit_test(doubles_survive_the_way_there_and_back),
		cmocka_unit_test(simple_values_become_json),
		cmocka_unit_test(of_a_oneof_the_last_counts_and_unknown_fields_are_passed_over),
		cmocka_unit_test(lists_and_maps_nest),
		cmocka_unit_test(nesting_is_bounded),
		cmocka_unit_test(members_get_commas_and_damage_leaves_the_text_alone),
		cmocka_unit_test(only_a_string_is_a_string),
		cmocka_unit_test(short_memory_is_told_and_changes_nothing_after),
		cmocka_unit_test(random_bytes_are_survived),
		cmocka_unit_test(whole_messages_with_a_few_bytes_changed_are_survived),
		cmocka_unit_test(agrees_with_protoc),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
