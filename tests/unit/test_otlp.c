/* Values and attributes on the wire, read back by the tests' own strict reader. */
#include "support.h"

#include <float.h>
#include <math.h>

static uint8_t room[1 << 16];

/* Writes one attribute and answers its KeyValue's content; checks the bound on the way. */
static void written(opa_str key, opa_value value, opa_str *read_key, opa_str *any)
{
	static wire_span span;
	size_t bound = opa_attribute_bound(key.len, &value), at = 0;
	uint8_t *exact = malloc(bound);
	opa_writer w = {exact + bound};
	opa_write_attribute(&w, OPA_TAG_SPAN_ATTRIBUTE, key, &value);
	assert_true(w.pos >= exact);
	size_t len = (size_t)(exact + bound - w.pos);
	/* A span with this attribute, so that the reader checks all of it. */
	opa_writer s = {room + sizeof(room)};
	const uint8_t *end = s.pos;
	opa_write_fixed32(&s, 0);
	opa_write_varint(&s, OPA_TAG_SPAN_FLAGS);
	opa_write_raw(&s, w.pos, len);
	static const char rest[] = "\x0a\x10tttttttttttttttt\x12\x08ssssssss\x2a\x01n\x30\x01"
							   "\x39\0\0\0\0\0\0\0\0\x41\0\0\0\0\0\0\0\0";
	opa_write_raw(&s, rest, sizeof(rest) - 1);
	opa_write_header(&s, OPA_TAG_SCOPE_SPANS_SPAN, end);
	assert_true(wire_next_span(s.pos, (size_t)(end - s.pos), &at, &span));
	assert_int_equal(span.attribute_count, 1);
	*read_key = span.keys[0];
	*any = span.values[0];
	free(exact);
}

static opa_str any_of(opa_value value)
{
	opa_str key, any;
	written(OPA_STR("key"), value, &key, &any);
	assert_true(wire_is(key, "key"));
	return any;
}

static void an_int_keeps_all_its_bits(void **state)
{
	(void)state;
	static const int64_t ints[] = {0, 1, -1, 127, 128, 16383, 16384, INT32_MAX, INT32_MIN,
		INT64_MAX, INT64_MIN, INT64_MAX - 1, (int64_t)1 << 53};
	for (size_t i = 0; i < sizeof(ints) / sizeof(ints[0]); i++) {
		assert_true(wire_int(any_of(OPA_VALUE_OF_INT(ints[i]))) == ints[i]);
	}
}

static void a_double_keeps_all_its_bits(void **state)
{
	(void)state;
	const double doubles[] = {0.0, -0.0, 0.1, -1.5, DBL_MAX, DBL_MIN, DBL_TRUE_MIN, INFINITY, NAN};
	for (size_t i = 0; i < sizeof(doubles) / sizeof(doubles[0]); i++) {
		double back = wire_double(any_of(OPA_VALUE_OF_DOUBLE(doubles[i])));
		assert_memory_equal(&back, &doubles[i], sizeof(back));
	}
}

/* A oneof that has its type's default must still be written: else it is a null for the reader. */
static void defaults_are_written(void **state)
{
	(void)state;
	assert_false(wire_bool(any_of(OPA_VALUE_OF_BOOL(false))));
	assert_true(wire_bool(any_of(OPA_VALUE_OF_BOOL(true))));
	assert_true(wire_int(any_of(OPA_VALUE_OF_INT(0))) == 0);
	assert_int_equal(wire_string(any_of(OPA_VALUE_OF_STRING(OPA_STR("")))).len, 0);
}

static void null_is_a_value_without_content(void **state)
{
	(void)state;
	assert_int_equal(any_of((opa_value){.type = OPA_VALUE_NULL}).len, 0);
}

static void an_empty_string_may_have_no_address(void **state)
{
	(void)state;
	opa_str key, any, none = {NULL, 0};
	written(none, OPA_VALUE_OF_STRING(none), &key, &any);
	assert_int_equal(key.len, 0);
	assert_int_equal(wire_string(any).len, 0);
}

static void invalid_utf8_is_replaced_in_keys_and_values(void **state)
{
	(void)state;
	opa_str key, any;
	written(OPA_STR("k\xff"), OPA_VALUE_OF_STRING(OPA_STR("\xc3(v\xe4\xb8")), &key, &any);
	assert_true(wire_is(key, "k\xEF\xBF\xBD"));
	assert_true(wire_is(wire_string(any), "\xEF\xBF\xBD(v\xEF\xBF\xBD"));
}

static void lengths_of_one_two_and_three_bytes_are_right(void **state)
{
	(void)state;
	static char text[20000];
	memset(text, 'x', sizeof(text));
	static const size_t lengths[] = {1, 120, 121, 122, 123, 124, 125, 126, 127, 128, 129, 130,
		16370, 16376, 16380, 16383, 16384, 16385, 20000};
	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		opa_str any = any_of(OPA_VALUE_OF_STRING(((opa_str){text, lengths[i]})));
		assert_int_equal(wire_string(any).len, lengths[i]);
	}
}

static void a_list_keeps_its_order(void **state)
{
	(void)state;
	const opa_value items[] = {OPA_VALUE_OF_INT(1), OPA_VALUE_OF_STRING(OPA_STR("two")),
		{.type = OPA_VALUE_NULL}, OPA_VALUE_OF_BOOL(true)};
	opa_value list = {.type = OPA_VALUE_LIST, .as.list = {items, 4}};
	opa_str any = any_of(list), item;
	size_t at = 0;
	assert_true(wire_next_item(any, &at, &item) && wire_int(item) == 1);
	assert_true(wire_next_item(any, &at, &item) && wire_is(wire_string(item), "two"));
	assert_true(wire_next_item(any, &at, &item) && item.len == 0);
	assert_true(wire_next_item(any, &at, &item) && wire_bool(item));
	assert_false(wire_next_item(any, &at, &item));
}

static void a_map_keeps_its_order_and_its_keys(void **state)
{
	(void)state;
	const opa_pair pairs[] = {
		{OPA_STR("z"), OPA_VALUE_OF_INT(1)}, {OPA_STR("a"), OPA_VALUE_OF_DOUBLE(0.5)}};
	opa_value map = {.type = OPA_VALUE_MAP, .as.map = {pairs, 2}};
	opa_str any = any_of(map), key, value;
	size_t at = 0;
	assert_true(wire_next_pair(any, &at, &key, &value) && wire_is(key, "z"));
	assert_true(wire_int(value) == 1);
	assert_true(wire_next_pair(any, &at, &key, &value) && wire_is(key, "a"));
	assert_true(wire_double(value) == 0.5);
	assert_false(wire_next_pair(any, &at, &key, &value));
}

static void empty_lists_and_maps_are_lists_and_maps(void **state)
{
	(void)state;
	opa_str item, key;
	size_t at = 0;
	opa_value list = {.type = OPA_VALUE_LIST, .as.list = {NULL, 0}};
	assert_false(wire_next_item(any_of(list), &at, &item));
	opa_value map = {.type = OPA_VALUE_MAP, .as.map = {NULL, 0}};
	assert_false(wire_next_pair(any_of(map), &at, &key, &item));
}

#define POOL 256

static opa_value items[POOL];
static opa_pair pairs[POOL];
static size_t items_used, pairs_used;

static opa_str random_string(uint64_t *seed)
{
	static char bytes[4096];
	static bool filled;
	for (size_t i = 0; !filled && i < sizeof(bytes); i++) {
		bytes[i] = (char)(i % 3 == 0 ? random_next(seed) : 'a' + i % 26);
	}
	filled = true;
	size_t from = random_below(seed, sizeof(bytes));
	size_t len = random_below(seed, random_below(seed, 4) == 0 ? 400 : 8);
	return (opa_str){bytes + from, len < sizeof(bytes) - from ? len : sizeof(bytes) - from};
}

static opa_value random_value(uint64_t *seed, int depth)
{
	size_t count = random_below(seed, 6);
	opa_value value = {.type = (opa_value_type)random_below(seed, depth > 0 ? 7 : 5)};
	switch (value.type) {
	case OPA_VALUE_STRING:
		value.as.string = random_string(seed);
		break;
	case OPA_VALUE_BOOL:
		value.as.boolean = count > 2;
		break;
	case OPA_VALUE_LIST:
		count = count < POOL - items_used ? count : 0;
		opa_value *list = items + items_used;
		items_used += count;
		for (size_t i = 0; i < count; i++) {
			list[i] = random_value(seed, depth - 1);
		}
		value.as.list.items = list;
		value.as.list.count = count;
		break;
	case OPA_VALUE_MAP:
		count = count < POOL - pairs_used ? count : 0;
		opa_pair *map = pairs + pairs_used;
		pairs_used += count;
		for (size_t i = 0; i < count; i++) {
			map[i].key = random_string(seed);
			map[i].value = random_value(seed, depth - 1);
		}
		value.as.map.pairs = map;
		value.as.map.count = count;
		break;
	default:
		value.as.integer = (int64_t)(random_next(seed) >> random_below(seed, 64));
		break;
	}
	return value;
}

static void check_same(opa_value value, opa_str any)
{
	opa_str item, key;
	size_t at = 0;
	switch (value.type) {
	case OPA_VALUE_NULL:
		assert_int_equal(any.len, 0);
		break;
	case OPA_VALUE_BOOL:
		assert_true(wire_bool(any) == value.as.boolean);
		break;
	case OPA_VALUE_INT:
		assert_true(wire_int(any) == value.as.integer);
		break;
	case OPA_VALUE_DOUBLE:
		wire_double(any);
		break;
	case OPA_VALUE_STRING:
		assert_true(wire_string(any).len >= value.as.string.len);
		break;
	case OPA_VALUE_LIST:
		for (size_t i = 0; i < value.as.list.count; i++) {
			assert_true(wire_next_item(any, &at, &item));
			check_same(value.as.list.items[i], item);
		}
		assert_false(wire_next_item(any, &at, &item));
		break;
	case OPA_VALUE_MAP:
		for (size_t i = 0; i < value.as.map.count; i++) {
			assert_true(wire_next_pair(any, &at, &key, &item));
			check_same(value.as.map.pairs[i].value, item);
		}
		assert_false(wire_next_pair(any, &at, &key, &item));
		break;
	}
}

/* `written` allocates exactly the bound: what goes beyond is seen by the sanitizers. */
static void random_nested_values_stay_within_the_bound_and_come_back(void **state)
{
	(void)state;
	uint64_t seed = 21;
	for (unsigned long i = scaled(30000, 500); i > 0; i--) {
		opa_str key, any;
		items_used = pairs_used = 0;
		opa_value value = random_value(&seed, 4);
		written(random_string(&seed), value, &key, &any);
		check_same(value, any);
	}
}

static void the_bound_holds_for_many_large_numbers(void **state)
{
	(void)state;
	opa_str key, any, none = OPA_STR("");
	opa_value numbers[50];
	opa_pair named[50];
	for (int i = 0; i < 50; i++) {
		numbers[i] = OPA_VALUE_OF_INT(INT64_MIN);
		named[i] = (opa_pair){none, numbers[i]};
	}
	written(none, (opa_value){.type = OPA_VALUE_LIST, .as.list = {numbers, 50}}, &key, &any);
	written(none, (opa_value){.type = OPA_VALUE_MAP, .as.map = {named, 50}}, &key, &any);
}

static void varints_have_their_shortest_form(void **state)
{
	(void)state;
	uint64_t seed = 22;
	for (unsigned long i = scaled(100000, 1000); i > 0; i--) {
		uint64_t v = random_next(&seed) >> random_below(&seed, 64), back = 0;
		uint8_t bytes[10];
		opa_writer w = {bytes + 10};
		opa_write_varint(&w, v);
		size_t len = (size_t)(bytes + 10 - w.pos), expected = 1;
		for (uint64_t rest = v >> 7; rest != 0; rest >>= 7) {
			expected++;
		}
		assert_int_equal(len, expected);
		for (size_t k = 0; k < len; k++) {
			assert_true((w.pos[k] >= 0x80) == (k + 1 < len));
			back |= (uint64_t)(w.pos[k] & 0x7f) << (7 * k);
		}
		assert_true(back == v);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_int_keeps_all_its_bits),
		cmocka_unit_test(a_double_keeps_all_its_bits),
		cmocka_unit_test(defaults_are_written),
		cmocka_unit_test(null_is_a_value_without_content),
		cmocka_unit_test(an_empty_string_may_have_no_address),
		cmocka_unit_test(invalid_utf8_is_replaced_in_keys_and_values),
		cmocka_unit_test(lengths_of_one_two_and_three_bytes_are_right),
		cmocka_unit_test(a_list_keeps_its_order),
		cmocka_unit_test(a_map_keeps_its_order_and_its_keys),
		cmocka_unit_test(empty_lists_and_maps_are_lists_and_maps),
		cmocka_unit_test(random_nested_values_stay_within_the_bound_and_come_back),
		cmocka_unit_test(the_bound_holds_for_many_large_numbers),
		cmocka_unit_test(varints_have_their_shortest_form),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
