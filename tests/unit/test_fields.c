/* A list of protobuf fields, written one behind the other, on the stack and beyond. */
#include "support.h"
#include "core/opa_alloc.h"
#include "core/opa_fields.h"

static void check_wire(const opa_fields *fields, opa_str expected)
{
	opa_str wire = opa_fields_str(fields);
	assert_int_equal(wire.len, expected.len);
	assert_memory_equal(wire.data, expected.data, expected.len);
	assert_false(fields->failed);
}

#define WIRE(fields, bytes) check_wire(fields, OPA_STR(bytes))

static void an_empty_list_is_empty(void **state)
{
	(void)state;
	opa_fields fields;
	opa_fields_init(&fields);
	WIRE(&fields, "");
	opa_fields_append(&fields, OPA_STR(""));
	WIRE(&fields, "");
	opa_fields_deinit(&fields);
}

static void fields_stand_in_the_order_of_their_writing(void **state)
{
	(void)state;
	opa_fields fields;
	opa_value value = OPA_VALUE_OF_STRING(OPA_STR("v"));
	opa_fields_init(&fields);
	opa_fields_attribute(&fields, OPA_TAG_EVENT_ATTRIBUTE, OPA_STR("k"), &value);
	opa_fields_string(&fields, OPA_TAG_EVENT_NAME, OPA_STR("n"));
	opa_fields_uint(&fields, OPA_TAG_EVENT_DROPPED, 300);
	opa_fields_fixed32(&fields, OPA_TAG_LINK_FLAGS, 0x01020304);
	opa_fields_bytes(&fields, OPA_TAG_LINK_SPAN_ID, "\xff\0", 2);
	opa_fields_append(&fields, OPA_STR("raw"));
	WIRE(&fields, "\x1a\x08\x0a\x01k\x12\x03\x0a\x01v"
				  "\x12\x01n"
				  "\x20\xac\x02"
				  "\x35\x04\x03\x02\x01"
				  "\x12\x02\xff\x00"
				  "raw");
	opa_fields_deinit(&fields);
}

static void a_zero_is_left_out_where_it_is_the_default(void **state)
{
	(void)state;
	opa_fields fields;
	opa_fields_init(&fields);
	opa_fields_uint(&fields, OPA_TAG_EVENT_DROPPED, 0);
	WIRE(&fields, "");
	opa_fields_fixed32(&fields, OPA_TAG_LINK_FLAGS, 0);
	WIRE(&fields, "\x35\0\0\0\0");
	opa_fields_deinit(&fields);
}

static void texts_become_valid_utf8_and_bytes_do_not(void **state)
{
	(void)state;
	opa_fields fields;
	opa_fields_init(&fields);
	opa_fields_string(&fields, OPA_TAG_EVENT_NAME, OPA_STR("a\xff"));
	opa_fields_bytes(&fields, OPA_TAG_EVENT_NAME, "a\xff", 2);
	WIRE(&fields, "\x12\x04"
				  "a\xEF\xBF\xBD"
				  "\x12\x02"
				  "a\xff");
	opa_fields_deinit(&fields);
}

static void nothing_is_a_field_of_no_length(void **state)
{
	(void)state;
	opa_fields fields;
	opa_fields_init(&fields);
	opa_fields_string(&fields, OPA_TAG_EVENT_NAME, OPA_STR(""));
	opa_fields_bytes(&fields, OPA_TAG_EVENT_NAME, NULL, 0);
	WIRE(&fields, "\x12\0\x12\0");
	opa_fields_deinit(&fields);
}

/* The longest tag and the longest number, where the room on the stack just ends. */
static void the_largest_numbers_fit_wherever_they_stand(void **state)
{
	(void)state;
	for (size_t before = OPA_FIELDS_INLINE - 24; before <= OPA_FIELDS_INLINE; before++) {
		opa_fields *fields = malloc(sizeof(*fields));
		char pad[OPA_FIELDS_INLINE];
		memset(pad, 'x', sizeof(pad));
		opa_fields_init(fields);
		opa_fields_append(fields, (opa_str){pad, before});
		opa_fields_uint(fields, UINT32_MAX, UINT64_MAX);
		opa_fields_fixed32(fields, UINT32_MAX, UINT32_MAX);
		opa_str wire = opa_fields_str(fields);
		assert_int_equal(wire.len, before + 15 + 9);
		assert_memory_equal(wire.data, pad, before);
		assert_memory_equal(wire.data + before,
			"\xff\xff\xff\xff\x0f\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"
			"\xff\xff\xff\xff\x0f\xff\xff\xff\xff",
			24);
		opa_fields_deinit(fields);
		free(fields);
	}
}

static void the_room_on_the_stack_is_used_up_before_any_other(void **state)
{
	(void)state;
	char text[OPA_FIELDS_INLINE + 1] = "";
	for (size_t len = OPA_FIELDS_INLINE; len <= sizeof(text); len++) {
		opa_fields fields;
		opa_fields_init(&fields);
		opa_fields_append(&fields, (opa_str){text, 1});
		opa_fields_append(&fields, (opa_str){text, len - 1});
		assert_int_equal(fields.data == fields.room, len == OPA_FIELDS_INLINE);
		assert_int_equal(fields.len, len);
		opa_fields_deinit(&fields);
	}
}

static void a_list_beyond_the_stack_is_the_same_list(void **state)
{
	(void)state;
	opa_fields fields;
	char *expected = malloc(1 << 20);
	size_t len = 0;
	opa_fields_init(&fields);
	for (unsigned i = 0; i < 5000; i++) {
		char text[64];
		int n = snprintf(text, sizeof(text), "%0*u", (int)(1 + i % 60), i);
		opa_fields_string(&fields, OPA_TAG_EVENT_NAME, (opa_str){text, (size_t)n});
		expected[len++] = OPA_TAG_EVENT_NAME;
		expected[len++] = (char)n;
		memcpy(expected + len, text, (size_t)n);
		len += (size_t)n;
	}
	check_wire(&fields, (opa_str){expected, len});
	opa_fields_deinit(&fields);
	free(expected);
}

/* A megabyte of bytes that each become three. */
static void a_text_that_grows_in_repair_fits(void **state)
{
	(void)state;
	opa_fields fields;
	size_t len = 1 << 20;
	char *text = malloc(len);
	memset(text, 0xff, len);
	opa_fields_init(&fields);
	opa_fields_string(&fields, OPA_TAG_EVENT_NAME, (opa_str){text, len});
	assert_false(fields.failed);
	assert_int_equal(opa_fields_str(&fields).len, 1 + 4 + 3 * len);
	opa_fields_deinit(&fields);
	free(text);
}

/* What does not fit on the stack and gets no memory is left out; what fits is still written. */
static void without_memory_a_field_is_left_out_and_said_so(void **state)
{
	(void)state;
	opa_fields fields;
	char long_text[2000];
	memset(long_text, 'x', sizeof(long_text));
	opa_value value = OPA_VALUE_OF_STRING(((opa_str){long_text, sizeof(long_text)}));
	opa_fields_init(&fields);
	opa_fields_string(&fields, OPA_TAG_EVENT_NAME, OPA_STR("before"));
	assert_false(fields.failed);
	opa_alloc_fail_after(0, true);
	opa_fields_attribute(&fields, OPA_TAG_EVENT_ATTRIBUTE, OPA_STR("k"), &value);
	assert_true(fields.failed);
	opa_fields_string(&fields, OPA_TAG_EVENT_NAME, OPA_STR("after"));
	opa_alloc_fail_after(-1, false);
	opa_str wire = opa_fields_str(&fields);
	assert_int_equal(wire.len, 15);
	assert_memory_equal(wire.data,
		"\x12\x06"
		"before\x12\x05"
		"after",
		15);
	assert_true(fields.failed);
	opa_fields_deinit(&fields);
}

/* The block that could not grow is kept, and freed once. */
static void a_list_keeps_to_its_bound(void **state)
{
	(void)state;
	static char text[5000];
	opa_fields fields;
	opa_fields_init(&fields);
	opa_fields_bound(&fields, 40000);
	memset(text, 't', sizeof(text));
	for (int i = 0; i < 100 && !fields.failed; i++) {
		opa_fields_string(&fields, OPA_TAG_EVENT_NAME, (opa_str){text, sizeof(text)});
	}
	assert_true(fields.failed);
	assert_in_range(fields.len, 5000, 40000);
	opa_fields_deinit(&fields);
}

static void a_list_that_cannot_grow_keeps_what_it_has(void **state)
{
	(void)state;
	opa_fields fields;
	char text[3000];
	memset(text, 'x', sizeof(text));
	opa_fields_init(&fields);
	opa_fields_append(&fields, (opa_str){text, sizeof(text)});
	size_t room = fields.capacity - fields.len;
	opa_alloc_fail_after(0, true);
	for (size_t added = 0; added <= room; added += sizeof(text)) {
		opa_fields_append(&fields, (opa_str){text, sizeof(text)});
	}
	opa_alloc_fail_after(-1, false);
	assert_true(fields.failed);
	opa_str wire = opa_fields_str(&fields);
	assert_true(wire.len >= sizeof(text) && wire.len % sizeof(text) == 0);
	assert_memory_equal(wire.data, text, sizeof(text));
	opa_fields_deinit(&fields);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_empty_list_is_empty),
		cmocka_unit_test(fields_stand_in_the_order_of_their_writing),
		cmocka_unit_test(a_zero_is_left_out_where_it_is_the_default),
		cmocka_unit_test(texts_become_valid_utf8_and_bytes_do_not),
		cmocka_unit_test(nothing_is_a_field_of_no_length),
		cmocka_unit_test(the_largest_numbers_fit_wherever_they_stand),
		cmocka_unit_test(the_room_on_the_stack_is_used_up_before_any_other),
		cmocka_unit_test(a_list_beyond_the_stack_is_the_same_list),
		cmocka_unit_test(a_text_that_grows_in_repair_fits),
		cmocka_unit_test(without_memory_a_field_is_left_out_and_said_so),
		cmocka_unit_test(a_list_keeps_to_its_bound),
		cmocka_unit_test(a_list_that_cannot_grow_keeps_what_it_has),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
