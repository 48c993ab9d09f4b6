/* UTF-8: what is valid, how the rest is replaced, where a string may be cut. */
#include "support.h"
#include "core/opa_utf8.h"

#define FFFD "\xEF\xBF\xBD"

static char *repaired(const char *data, size_t len, size_t *repaired_len)
{
	*repaired_len = opa_utf8_repaired_len(data, len);
	char *to = malloc(*repaired_len + 1); /* exact: the sanitizers see what goes beyond */
	opa_utf8_repair(data, len, to);
	to[*repaired_len] = '\0';
	return to;
}

static void check_repair(const char *data, size_t len, const char *expected)
{
	size_t n;
	char *copy = malloc(len + 1);
	memcpy(copy, data, len);
	char *to = repaired(copy, len, &n);
	if (n != strlen(expected) || memcmp(to, expected, n) != 0) {
		fail_msg("\"%.*s\" became \"%s\" (%zu bytes), not \"%s\"", (int)len, data, to, n, expected);
	}
	free(to);
	free(copy);
}

#define REPAIRS(from, to) check_repair(from, sizeof(from) - 1, to)

static void valid_text_is_left_alone(void **state)
{
	(void)state;
	REPAIRS("", "");
	REPAIRS("plain", "plain");
	REPAIRS("plain text of more than eight bytes", "plain text of more than eight bytes");
	REPAIRS("gr\xC3\xBC\xC3\x9F dich, \xE4\xB8\x96\xE7\x95\x8C \xF0\x9F\x90\x98",
		"gr\xC3\xBC\xC3\x9F dich, \xE4\xB8\x96\xE7\x95\x8C \xF0\x9F\x90\x98");
	REPAIRS("\x01\x7F", "\x01\x7F");
	REPAIRS("\xEF\xBF\xBD", FFFD);
	REPAIRS("\xC2\x80\xDF\xBF", "\xC2\x80\xDF\xBF");
	REPAIRS("\xE0\xA0\x80\xEF\xBF\xBF", "\xE0\xA0\x80\xEF\xBF\xBF");
	REPAIRS("\xED\x9F\xBF\xEE\x80\x80", "\xED\x9F\xBF\xEE\x80\x80");
	REPAIRS("\xF0\x90\x80\x80\xF4\x8F\xBF\xBF", "\xF0\x90\x80\x80\xF4\x8F\xBF\xBF");
}

static void a_zero_byte_is_valid(void **state)
{
	(void)state;
	assert_int_equal(opa_utf8_valid_prefix("a\0b", 3), 3);
	assert_int_equal(opa_utf8_repaired_len("a\0b\xff", 4), 6);
}

/* The Unicode standard 15, chapter 3, tables 3-8 to 3-11. */
static void maximal_subparts_are_replaced_as_in_the_standards_tables(void **state)
{
	(void)state;
	REPAIRS("\xC0\xAF\xE0\x80\xBF\xF0\x81\x82\x41", FFFD FFFD FFFD FFFD FFFD FFFD FFFD FFFD "A");
	REPAIRS("\xED\xA0\x80\xED\xBF\xBF\xED\xAF\x41", FFFD FFFD FFFD FFFD FFFD FFFD FFFD FFFD "A");
	REPAIRS("\xF4\x91\x92\x93\xFF\x41\x80\xBF\x42", FFFD FFFD FFFD FFFD FFFD "A" FFFD FFFD "B");
	REPAIRS("\xE1\x80\xE2\xF0\x91\x92\xF1\xBF\x41", FFFD FFFD FFFD FFFD "A");
}

static void truncated_characters_become_one_replacement(void **state)
{
	(void)state;
	REPAIRS("a\xC3", "a" FFFD);
	REPAIRS("a\xE4\xB8", "a" FFFD);
	REPAIRS("a\xF0\x9F\x90", "a" FFFD);
	REPAIRS("\xF0\x9F\x90z", FFFD "z");
	REPAIRS("\xE4\xB8\xE4\xB8\x96", FFFD "\xE4\xB8\x96");
	REPAIRS("eight ok\xC3", "eight ok" FFFD);
}

static void bytes_that_never_occur_are_replaced_one_by_one(void **state)
{
	(void)state;
	REPAIRS("\xC0\xC1\xF5\xF8\xFC\xFE\xFF", FFFD FFFD FFFD FFFD FFFD FFFD FFFD);
	REPAIRS("\x80\x80\x80", FFFD FFFD FFFD);
	REPAIRS("\xF8\x88\x80\x80\x80", FFFD FFFD FFFD FFFD FFFD);
}

/*
 * The rule again, from the definition: at each place the longest prefix of any well-formed
 * character is replaced; if there is none, one byte.
 */
static size_t subpart(const uint8_t *p, size_t left)
{
	for (size_t n = left < 3 ? left : 3; n > 1; n--) {
		for (unsigned third = 0x80; third <= 0xBF; third++) {
			uint8_t full[4] = {p[0], p[1], n > 2 ? p[2] : (uint8_t)third, 0x80};
			if (wire_is_utf8((opa_str){(char *)full, 3}) ||
				wire_is_utf8((opa_str){(char *)full, 4})) {
				return n;
			}
		}
	}
	return 1;
}

static size_t slow_repair(const uint8_t *p, size_t len, char *to)
{
	size_t n = 0;
	while (len > 0) {
		size_t whole = 4 < len ? 4 : len;
		while (whole > 0 &&
			   !(wire_is_utf8((opa_str){(const char *)p, whole}) && (whole == 1 || p[0] >= 0x80))) {
			whole--;
		}
		/* The shortest valid prefix is the first character. */
		for (size_t k = 1; k < whole; k++) {
			if (wire_is_utf8((opa_str){(const char *)p, k})) {
				whole = k;
			}
		}
		size_t taken = whole > 0 ? whole : subpart(p, len);
		memcpy(to + n, whole > 0 ? (const char *)p : FFFD, whole > 0 ? whole : 3);
		n += whole > 0 ? whole : 3;
		p += taken;
		len -= taken;
	}
	return n;
}

static uint8_t tricky_byte(uint64_t *seed)
{
	static const uint8_t edges[] = {0x00, 0x41, 0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC0,
		0xC1, 0xC2, 0xDF, 0xE0, 0xE1, 0xEC, 0xED, 0xEE, 0xEF, 0xF0, 0xF1, 0xF3, 0xF4, 0xF5, 0xFF};
	return edges[random_below(seed, sizeof(edges))];
}

static void random_bytes_agree_with_the_definition(void **state)
{
	(void)state;
	uint64_t seed = 11;
	for (unsigned long i = scaled(300000, 3000); i > 0; i--) {
		uint8_t bytes[24];
		char expected[sizeof(bytes) * 3];
		size_t len = random_below(&seed, sizeof(bytes) + 1), n;
		for (size_t k = 0; k < len; k++) {
			bytes[k] = tricky_byte(&seed);
		}
		size_t expected_len = slow_repair(bytes, len, expected);
		char *to = repaired((char *)bytes, len, &n);
		assert_int_equal(n, expected_len);
		assert_memory_equal(to, expected, n);
		assert_true(n <= 3 * len);
		assert_true(wire_is_utf8((opa_str){to, n}));
		free(to);
	}
}

static void valid_prefix_is_the_longest_that_is_valid(void **state)
{
	(void)state;
	uint64_t seed = 12;
	for (unsigned long i = scaled(300000, 3000); i > 0; i--) {
		char bytes[24];
		size_t len = random_below(&seed, sizeof(bytes) + 1), longest = 0;
		bool ascii = random_below(&seed, 2);
		for (size_t k = 0; k < len; k++) {
			bytes[k] = ascii && k < 17 ? 'x' : (char)tricky_byte(&seed);
		}
		for (size_t k = 1; k <= len; k++) {
			longest = wire_is_utf8((opa_str){bytes, k}) ? k : longest;
		}
		assert_int_equal(opa_utf8_valid_prefix(bytes, len), longest);
	}
}

static void a_byte_above_ascii_is_noticed_wherever_it_stands(void **state)
{
	(void)state;
	for (size_t len = 0; len < 40; len++) {
		char *exact = malloc(len > 0 ? len : 1);
		memset(exact, 'x', len);
		assert_true(opa_utf8_is_ascii(exact, len) && opa_utf8_is_valid(exact, len));
		for (size_t at = 0; at < len; at++) {
			exact[at] = '\x80';
			assert_false(opa_utf8_is_ascii(exact, len) || opa_utf8_is_valid(exact, len));
			exact[at] = '\x7f';
		}
		assert_true(opa_utf8_is_ascii(exact, len));
		free(exact);
	}
	assert_true(opa_utf8_is_valid("gr\xC3\xBC\xC3\x9F", 6));
}

static void every_character_is_valid_and_every_surrogate_is_not(void **state)
{
	(void)state;
	for (uint32_t c = 0; c < 0x120000; c += c < 0x12000 ? 1 : 97) {
		uint8_t b[4];
		size_t n;
		if (c < 0x80) {
			b[0] = (uint8_t)c;
			n = 1;
		} else if (c < 0x800) {
			b[0] = (uint8_t)(0xC0 | c >> 6);
			n = 2;
		} else if (c < 0x10000) {
			b[0] = (uint8_t)(0xE0 | c >> 12);
			n = 3;
		} else {
			b[0] = (uint8_t)(0xF0 | c >> 18);
			n = 4;
		}
		for (size_t k = 1; k < n; k++) {
			b[k] = (uint8_t)(0x80 | (c >> (6 * (n - 1 - k)) & 0x3f));
		}
		bool valid = c < 0xD800 || (c > 0xDFFF && c < 0x110000);
		assert_true((opa_utf8_valid_prefix((char *)b, n) == n) == valid);
	}
}

static void a_cut_never_ends_inside_a_character(void **state)
{
	(void)state;
	static const char text[] = "a\xC3\xBC\xE4\xB8\x96\xF0\x9F\x90\x98z";
	static const size_t expected[] = {0, 1, 1, 3, 3, 3, 6, 6, 6, 6, 10, 11, 11, 11};
	for (size_t max = 0; max < sizeof(expected) / sizeof(expected[0]); max++) {
		assert_int_equal(opa_utf8_cut(text, 11, max), expected[max]);
	}
}

/* Among bytes that are no character any place will do, so the largest is right. */
static void a_cut_is_the_largest_that_is_allowed(void **state)
{
	(void)state;
	assert_int_equal(opa_utf8_cut("\xC3\xA9\xA9", 3, 2), 2);
	assert_int_equal(opa_utf8_cut("\x80\x80\x80\x80\x80\x80", 6, 5), 5);
	assert_int_equal(opa_utf8_cut("ab\xBF\xBF", 4, 3), 3);
	assert_int_equal(opa_utf8_cut("\xFF\x80\x80", 3, 1), 1);
	assert_int_equal(opa_utf8_cut("\xE4\xB8\x96\x80", 4, 3), 3);
	assert_int_equal(opa_utf8_cut("\xE4\xB8\x96\x80\x80", 5, 4), 4);
	assert_int_equal(opa_utf8_cut("\xED\xA0\x80", 3, 2), 2);
}

static void a_cut_of_valid_text_is_valid(void **state)
{
	(void)state;
	uint64_t seed = 13;
	for (unsigned long i = scaled(100000, 1000); i > 0; i--) {
		char bytes[64];
		size_t len = random_below(&seed, 20), n;
		for (size_t k = 0; k < len; k++) {
			bytes[k] = (char)tricky_byte(&seed);
		}
		char *text = repaired(bytes, len, &n);
		size_t max = random_below(&seed, 64), cut = opa_utf8_cut(text, n, max);
		assert_true(cut <= max && cut <= n);
		assert_true(wire_is_utf8((opa_str){text, cut}));
		assert_true(n <= max ? cut == n : max - cut <= 3);
		free(text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(valid_text_is_left_alone),
		cmocka_unit_test(a_zero_byte_is_valid),
		cmocka_unit_test(maximal_subparts_are_replaced_as_in_the_standards_tables),
		cmocka_unit_test(truncated_characters_become_one_replacement),
		cmocka_unit_test(bytes_that_never_occur_are_replaced_one_by_one),
		cmocka_unit_test(random_bytes_agree_with_the_definition),
		cmocka_unit_test(valid_prefix_is_the_longest_that_is_valid),
		cmocka_unit_test(a_byte_above_ascii_is_noticed_wherever_it_stands),
		cmocka_unit_test(every_character_is_valid_and_every_surrogate_is_not),
		cmocka_unit_test(a_cut_never_ends_inside_a_character),
		cmocka_unit_test(a_cut_is_the_largest_that_is_allowed),
		cmocka_unit_test(a_cut_of_valid_text_is_valid),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
