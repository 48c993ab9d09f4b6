/* A text with a bound: what stands in it, and where it is cut. */
#include "support.h"
#include "core/opa_alloc.h"
#include "core/opa_bounded.h"

static void check_text(const opa_bounded *text, const char *expected, bool cut)
{
	opa_str is = opa_bounded_str(text);
	assert_int_equal(is.len, strlen(expected));
	assert_memory_equal(is.data, expected, is.len);
	assert_int_equal(text->cut, cut);
}

static void parts_stand_one_behind_the_other(void **state)
{
	(void)state;
	opa_bounded text;
	opa_bounded_init(&text, 100);
	check_text(&text, "", false);
	opa_bounded_add(&text, "one, ", 5);
	opa_bounded_add(&text, NULL, 0);
	opa_bounded_add_text(&text, "");
	opa_bounded_add_text(&text, "two");
	opa_bounded_printf(&text, ", %d%c", 3, '!');
	check_text(&text, "one, two, 3!", false);
	opa_bounded_deinit(&text);
}

static void a_text_of_just_the_bound_is_not_cut(void **state)
{
	(void)state;
	opa_bounded text;
	opa_bounded_init(&text, 8);
	opa_bounded_add_text(&text, "1234");
	opa_bounded_add_text(&text, "5678");
	check_text(&text, "12345678", false);
	opa_bounded_add_text(&text, "");
	check_text(&text, "12345678", false);
	opa_bounded_add_text(&text, "9");
	check_text(&text, "12345678", true);
	opa_bounded_deinit(&text);
}

/* Else a small part would stand behind the place where a larger one is missing. */
static void nothing_is_added_behind_a_cut(void **state)
{
	(void)state;
	opa_bounded text;
	opa_bounded_init(&text, 10);
	opa_bounded_add_text(&text, "123456789\xC3\xBC");
	check_text(&text, "123456789", true);
	opa_bounded_add_text(&text, "x");
	opa_bounded_printf(&text, "x");
	check_text(&text, "123456789", true);
	opa_bounded_deinit(&text);
}

static void a_cut_never_ends_inside_a_character(void **state)
{
	(void)state;
	static const char characters[] = "\xF0\x9F\x90\x98\xE4\xB8\x96\xC3\xBC";
	static const size_t expected[] = {0, 0, 0, 0, 4, 4, 4, 7, 7, 9};
	for (size_t max = 0; max < sizeof(expected) / sizeof(expected[0]); max++) {
		opa_bounded text;
		opa_bounded_init(&text, max);
		opa_bounded_add(&text, characters, 9);
		assert_int_equal(text.len, expected[max]);
		assert_int_equal(text.cut, max < 9);
		opa_bounded_deinit(&text);
	}
}

static void a_bound_of_nothing_takes_nothing(void **state)
{
	(void)state;
	opa_bounded text;
	opa_bounded_init(&text, 0);
	opa_bounded_add_text(&text, "");
	check_text(&text, "", false);
	opa_bounded_add_text(&text, "x");
	check_text(&text, "", true);
	opa_bounded_deinit(&text);
}

static void zero_bytes_are_bytes(void **state)
{
	(void)state;
	opa_bounded text;
	opa_bounded_init(&text, 16);
	opa_bounded_add(&text, "a\0b", 3);
	opa_bounded_add(&text, "\0", 1);
	assert_int_equal(text.len, 4);
	assert_memory_equal(text.data, "a\0b", 4);
	opa_bounded_deinit(&text);
}

static void it_grows_to_any_bound(void **state)
{
	(void)state;
	opa_bounded text;
	size_t max = 1 << 20;
	opa_bounded_init(&text, max);
	for (unsigned i = 0; !text.cut; i++) {
		char part[701];
		size_t len = i % sizeof(part);
		memset(part, 'a' + (int)(i % 26), len);
		opa_bounded_add(&text, part, len);
	}
	assert_int_equal(text.len, max);
	assert_true(text.capacity >= max && text.capacity <= 2 * max);
	size_t at = 0;
	for (unsigned i = 0; at < max; i++) {
		for (size_t k = 0; k < i % 701 && at < max; k++) {
			assert_int_equal(text.data[at++], 'a' + (int)(i % 26));
		}
	}
	opa_bounded_deinit(&text);
}

static void a_part_larger_than_all_memory_so_far_fits(void **state)
{
	(void)state;
	opa_bounded text;
	char *part = malloc(100000);
	memset(part, 'x', 100000);
	opa_bounded_init(&text, SIZE_MAX / 4);
	opa_bounded_add(&text, part, 100000);
	assert_int_equal(text.len, 100000);
	assert_true(text.capacity <= 200000);
	assert_false(text.cut);
	opa_bounded_deinit(&text);
	free(part);
}

static void printf_writes_at_most_255_bytes(void **state)
{
	(void)state;
	opa_bounded text;
	opa_bounded_init(&text, 1000);
	opa_bounded_printf(&text, "%0255d", 7);
	assert_int_equal(text.len, 255);
	opa_bounded_printf(&text, "%0300d", 7);
	assert_int_equal(text.len, 510);
	opa_bounded_printf(&text, "%s", "");
	assert_int_equal(text.len, 510);
	opa_bounded_deinit(&text);
}

static void without_memory_the_text_is_cut_where_it_stands(void **state)
{
	(void)state;
	opa_bounded text;
	opa_bounded_init(&text, 10000);
	opa_alloc_fail_after(0, false);
	opa_bounded_add_text(&text, "a");
	check_text(&text, "", true);
	opa_bounded_deinit(&text);

	char part[600];
	memset(part, 'x', sizeof(part));
	opa_bounded_init(&text, 10000);
	opa_bounded_add_text(&text, "kept");
	opa_alloc_fail_after(0, false);
	opa_bounded_add(&text, part, sizeof(part));
	opa_bounded_add_text(&text, "more");
	opa_alloc_fail_after(-1, false);
	check_text(&text, "kept", true);
	opa_bounded_deinit(&text);
}

static void a_text_that_was_given_back_is_empty_and_can_be_used(void **state)
{
	(void)state;
	opa_bounded text;
	opa_bounded_init(&text, 8);
	opa_bounded_add_text(&text, "too long for it");
	opa_bounded_deinit(&text);
	check_text(&text, "", false);
	opa_bounded_deinit(&text);
	opa_bounded_add_text(&text, "anew");
	check_text(&text, "anew", false);
	opa_bounded_deinit(&text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parts_stand_one_behind_the_other),
		cmocka_unit_test(a_text_of_just_the_bound_is_not_cut),
		cmocka_unit_test(nothing_is_added_behind_a_cut),
		cmocka_unit_test(a_cut_never_ends_inside_a_character),
		cmocka_unit_test(a_bound_of_nothing_takes_nothing),
		cmocka_unit_test(zero_bytes_are_bytes),
		cmocka_unit_test(it_grows_to_any_bound),
		cmocka_unit_test(a_part_larger_than_all_memory_so_far_fits),
		cmocka_unit_test(printf_writes_at_most_255_bytes),
		cmocka_unit_test(without_memory_the_text_is_cut_where_it_stands),
		cmocka_unit_test(a_text_that_was_given_back_is_empty_and_can_be_used),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
