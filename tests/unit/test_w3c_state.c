/* What is sent on: `traceparent`, and `tracestate` as W3C Trace Context, level 2, section 3.3 has
 * it. */
#include "support.h"
#include "core/opa_w3c.h"

/* Cleans it in memory of its own length, into memory of just the room that there is. */
static const char *cleaned(const char *text, size_t text_len)
{
	static char result[OPA_W3C_STATE_MAX + 1];
	char *exact = malloc(text_len > 0 ? text_len : 1), *to = malloc(OPA_W3C_STATE_MAX);
	memcpy(exact, text, text_len);
	size_t len = opa_w3c_clean_state((opa_str){exact, text_len}, to);
	assert_true(len <= OPA_W3C_STATE_MAX);
	memcpy(result, to, len);
	result[len] = '\0';
	free(exact);
	free(to);
	return result;
}

static const char *clean(const char *text)
{
	return cleaned(text, strlen(text));
}

static void a_traceparent_is_written_as_it_is_read(void **state)
{
	(void)state;
	char *to = malloc(OPA_W3C_LEN);
	opa_traceparent parent;
	static const char text[] = "00-0af7651916cd43dd8448eb211c80319c-00ad6b7169203331-03";
	assert_true(
		opa_w3c_parse(OPA_STR("00-0af7651916cd43dd8448eb211c80319c-00ad6b7169203331-03"), &parent));
	opa_w3c_format(parent.trace_id, parent.parent, parent.flags, to);
	assert_memory_equal(to, text, OPA_W3C_LEN);
	opa_w3c_format(parent.trace_id, parent.parent, 0xfe, to);
	assert_memory_equal(to + OPA_W3C_LEN - 2, "02", 2);
	free(to);
}

static void members_keep_their_order_and_lose_what_stands_around_them(void **state)
{
	(void)state;
	assert_string_equal(clean(""), "");
	assert_string_equal(clean("a=1"), "a=1");
	assert_string_equal(clean("b=2,a=1"), "b=2,a=1");
	assert_string_equal(clean(" \tb=2\t ,\t a=1 "), "b=2,a=1");
	assert_string_equal(clean(",, ,b=2,,\t,a=1,"), "b=2,a=1");
	assert_string_equal(clean("a= x y"), "a= x y");
	assert_string_equal(clean("0k_-*/@=!~"), "0k_-*/@=!~");
	assert_string_equal(clean("t@v=1"), "t@v=1");
}

static void of_two_with_one_key_the_first_is_kept(void **state)
{
	(void)state;
	assert_string_equal(clean("a=1,b=2,a=3"), "a=1,b=2");
	assert_string_equal(clean("a=1,a=1"), "a=1");
	assert_string_equal(clean("a=1,ab=2,a=3"), "a=1,ab=2");
}

static void one_malformed_member_spoils_all(void **state)
{
	(void)state;
	static const char *const bad[] = {"a", "=1", "a=", "A=1", "_a=1", "a b=1", "a==1", "a=1=2",
		"a=\x7f", "a=\xc3\xa9", "a=\t1", "\xc3\xa9=1", "a =1", "a.b=1"};
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		char text[64];
		assert_string_equal(clean(bad[i]), "");
		snprintf(text, sizeof(text), "x=1,%s,y=2", bad[i]);
		assert_string_equal(clean(text), "");
	}
	assert_string_equal(cleaned("a=\0b", 4), "");
	assert_string_equal(cleaned("a\0=b", 4), "");
}

static size_t put_member(char *to, size_t at, unsigned key, size_t value_len)
{
	int n = sprintf(to + at, "%sk%u=", at > 0 ? "," : "", key);
	memset(to + at + n, 'v', value_len);
	to[at + (size_t)n + value_len] = '\0';
	return at + (size_t)n + value_len;
}

static void thirty_two_members_are_the_most(void **state)
{
	(void)state;
	char text[1024];
	size_t len = 0;
	for (unsigned i = 0; i < 32; i++) {
		len = put_member(text, len, i, 1);
	}
	assert_string_equal(clean(text), text);
	sprintf(text + len, ",k31=again,");
	assert_int_equal(strlen(clean(text)), len);
	put_member(text, len, 32, 1);
	assert_string_equal(clean(text), "");
}

static void keys_and_values_have_256_characters_at_most(void **state)
{
	(void)state;
	char text[1024];
	memset(text, 'k', 256);
	strcpy(text + 256, "=v");
	assert_string_equal(clean(text), text);
	memset(text, 'k', 257);
	strcpy(text + 257, "=v");
	assert_string_equal(clean(text), "");
	put_member(text, 0, 1, 256);
	assert_string_equal(clean(text), text);
	put_member(text, 0, 1, 257);
	assert_string_equal(clean(text), "");
}

static void what_is_too_long_loses_large_members_first_then_the_last(void **state)
{
	(void)state;
	char text[4096], expected[4096];
	size_t len = put_member(text, 0, 1, 126); /* 129 bytes: large */
	len = put_member(text, len, 2, 125);      /* 128: not */
	len = put_member(text, len, 3, 125);
	size_t whole = put_member(text, len, 4, 512 - len - 4);
	assert_int_equal(whole, 512);
	assert_string_equal(clean(text), text);
	put_member(text, len, 4, 512 - len - 3); /* one more */
	len = put_member(expected, 0, 2, 125);
	len = put_member(expected, len, 3, 125);
	put_member(expected, len, 4, strlen(text) - 387 - 4);
	assert_string_equal(clean(text), expected);
	len = 0;
	for (unsigned i = 1; i <= 9; i++) {
		len = put_member(text, len, i, 100);
	}
	len = 0;
	for (unsigned i = 1; i <= 4; i++) {
		len = put_member(expected, len, i, 100);
	}
	assert_string_equal(clean(text), expected);
}

static size_t baggage(const char *text, size_t len)
{
	char *exact = malloc(len > 0 ? len : 1);
	memcpy(exact, text, len);
	size_t whole = opa_w3c_baggage_len((opa_str){exact, len});
	free(exact);
	return whole;
}

static void baggage_is_cut_to_whole_members(void **state)
{
	(void)state;
	char *text = malloc(10000);
	assert_int_equal(baggage("", 0), 0);
	assert_int_equal(baggage("a=1", 3), 3);
	assert_int_equal(baggage("a=1;p, b=2\t", 11), 11);
	memset(text, 'x', 10000);
	assert_int_equal(baggage(text, OPA_BAGGAGE_MAX), OPA_BAGGAGE_MAX);
	assert_int_equal(baggage(text, OPA_BAGGAGE_MAX + 1), 0);
	text[5000] = ',';
	assert_int_equal(baggage(text, 10000), 5000);
	text[OPA_BAGGAGE_MAX] = ',';
	assert_int_equal(baggage(text, 10000), OPA_BAGGAGE_MAX);
	for (unsigned i = 0; i < 100; i++) {
		memcpy(text + (size_t)4 * i, "a=1,", 4);
	}
	assert_int_equal(baggage(text, 400), 4 * OPA_BAGGAGE_MEMBERS - 1);
	free(text);
}

static void baggage_with_bytes_that_no_header_has_is_none(void **state)
{
	(void)state;
	static const char bad[] = {'\0', '\n', '\r', 0x1f, 0x7f, (char)0x80, (char)0xff};
	for (size_t i = 0; i < sizeof(bad); i++) {
		char text[] = "a=1,b=?,c=3";
		text[6] = bad[i];
		assert_int_equal(baggage(text, sizeof(text) - 1), 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_traceparent_is_written_as_it_is_read),
		cmocka_unit_test(members_keep_their_order_and_lose_what_stands_around_them),
		cmocka_unit_test(of_two_with_one_key_the_first_is_kept),
		cmocka_unit_test(one_malformed_member_spoils_all),
		cmocka_unit_test(thirty_two_members_are_the_most),
		cmocka_unit_test(keys_and_values_have_256_characters_at_most),
		cmocka_unit_test(what_is_too_long_loses_large_members_first_then_the_last),
		cmocka_unit_test(baggage_is_cut_to_whole_members),
		cmocka_unit_test(baggage_with_bytes_that_no_header_has_is_none),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
