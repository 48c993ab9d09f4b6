/* Numbers as people write them: what is read, what is refused and leaves the value alone. */
#include "support.h"
#include "core/opa_units.h"

/* In memory of its own length, so that the sanitizers see what is read beyond. */
static char *exactly(const char *text)
{
	size_t len = strlen(text);
	char *exact = malloc(len > 0 ? len : 1);
	memcpy(exact, text, len);
	return exact;
}

#define READER(function, type)                                                                     \
	static bool reads_##function(const char *text, type *value)                                    \
	{                                                                                              \
		char *exact = exactly(text);                                                               \
		bool read = opa_parse_##function((opa_str){exact, strlen(text)}, value);                   \
		free(exact);                                                                               \
		return read;                                                                               \
	}

READER(bool, bool)
READER(int, int64_t)
READER(real, double)
READER(size, uint64_t)
READER(duration, uint64_t)

static void booleans_are_read_as_php_reads_them(void **state)
{
	(void)state;
	static const char *const yes[] = {"1", "on", "On", "YES", "true", "True", " 1\n"};
	static const char *const no[] = {"", "0", "off", "OFF", "no", "false", "FALSE", "  "};
	bool value;
	for (size_t i = 0; i < sizeof(yes) / sizeof(yes[0]); i++) {
		value = false;
		assert_true(reads_bool(yes[i], &value) && value);
	}
	for (size_t i = 0; i < sizeof(no) / sizeof(no[0]); i++) {
		value = true;
		assert_true(reads_bool(no[i], &value) && !value);
	}
}

static void other_booleans_are_refused(void **state)
{
	(void)state;
	static const char *const wrong[] = {"2", "-1", "o", "onn", "ye", "truee", "t", "01", "1 1"};
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		bool value = true;
		assert_false(reads_bool(wrong[i], &value));
		assert_true(value);
	}
	bool value = true;
	assert_false(opa_parse_bool(OPA_STR("on\0"), &value) || opa_parse_bool(OPA_STR("\0"), &value));
}

static void check_int(const char *text, int64_t expected)
{
	int64_t value = 77;
	assert_true(reads_int(text, &value));
	assert_true(value == expected);
}

static void integers_are_read_to_their_last_digit(void **state)
{
	(void)state;
	check_int("0", 0);
	check_int("-0", 0);
	check_int("+12", 12);
	check_int(" 007\t", 7);
	check_int("9223372036854775807", INT64_MAX);
	check_int("-9223372036854775808", INT64_MIN);
	check_int("-9223372036854775807", INT64_MIN + 1);
	check_int("-1", -1);
}

static void other_integers_are_refused(void **state)
{
	(void)state;
	static const char *const wrong[] = {"", " ", "-", "+", "--1", "+-1", "- 1", "1 2", "1.0",
		"0x10", "1e3", "9223372036854775808", "-9223372036854775809", "18446744073709551616",
		"99999999999999999999999999", "12a", "\xD9\xA1"};
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		int64_t value = 77;
		assert_false(reads_int(wrong[i], &value));
		assert_true(value == 77);
	}
	int64_t value = 77;
	assert_false(opa_parse_int(OPA_STR("1\0"), &value));
}

/* To the bit: processes that are given the same rate must make the same threshold of it. */
static void reals_of_usual_length_are_the_nearest_double(void **state)
{
	(void)state;
	static const char *const texts[] = {"0", "1", "0.1", "0.2", "0.3", "0.7", "0.25", "0.001",
		"1e-3", "1E-3", "1e+2", ".5", "5.", "123456.789", "0.123456789012345", "00.50", "1e22",
		"3e-22", "0.000000000001", "+0.9", "-2.5", " 0.5 ", "1e-10", "0e5"};
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		double value = 77;
		if (!reads_real(texts[i], &value) || value != strtod(texts[i], NULL)) {
			fail_msg("%s became %.17g", texts[i], value);
		}
	}
	uint64_t seed = 8;
	for (unsigned long k = scaled(100000, 1000); k > 0; k--) {
		char text[32];
		double value = 77;
		snprintf(text, sizeof(text), "0.%0*u", (int)random_below(&seed, 10) + 1,
			(unsigned)random_below(&seed, 1000000000));
		assert_true(reads_real(text, &value) && value == strtod(text, NULL));
	}
}

static void longer_reals_are_near(void **state)
{
	(void)state;
	static const char *const texts[] = {"0.333333333333333333333333333333333", "1e299", "1e-300",
		"18446744073709551615", "123456789012345678901234567890", "0.00000000000000000000000001e20",
		"1234567890123456789012e-22", "1.7976931348623157e299"};
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		double value = 77, expected = strtod(texts[i], NULL);
		if (!reads_real(texts[i], &value) || value < expected * (1 - 1e-14) ||
			value > expected * (1 + 1e-14)) {
			fail_msg("%s became %.17g", texts[i], value);
		}
	}
}

static void other_reals_are_refused(void **state)
{
	(void)state;
	static const char *const wrong[] = {"", ".", "-", "e5", "1e", "1e+", "1e301", "1e-301",
		"1e99999999999999999999", "1e300", "2e300", "1,5", "1.2.3", "0x1p3", "nan", "inf",
		"infinity", "1 2", "1f", "--1", "1_000"};
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		double value = 77;
		if (reads_real(wrong[i], &value) || value != 77) {
			fail_msg("%s became %.17g", wrong[i], value);
		}
	}
	double value = 77;
	assert_false(opa_parse_real(OPA_STR("0.5\0"), &value));
}

/* A text of a megabyte is no text of a megabyte's digits. */
static void a_real_of_very_many_digits_is_read_or_refused(void **state)
{
	(void)state;
	size_t len = 1 << 20;
	char *digits = malloc(len);
	double value = 77;
	memset(digits, '9', len);
	assert_false(opa_parse_real((opa_str){digits, len}, &value));
	assert_true(value == 77);
	digits[1] = '.';
	assert_true(opa_parse_real((opa_str){digits, len}, &value));
	assert_true(value == 10.0);
	memset(digits, '0', len);
	digits[1] = '.';
	digits[len - 1] = '1';
	assert_true(opa_parse_real((opa_str){digits, len}, &value));
	assert_true(value == 0.0);
	free(digits);
}

static void check_size(const char *text, uint64_t expected)
{
	uint64_t value = 77;
	if (!reads_size(text, &value) || value != expected) {
		fail_msg("%s became %llu", text, (unsigned long long)value);
	}
}

static void sizes_have_units_of_1024(void **state)
{
	(void)state;
	check_size("0", 0);
	check_size("65536", 65536);
	check_size("1b", 1);
	check_size("64K", 65536);
	check_size("64k", 65536);
	check_size(" 64 KB ", 65536);
	check_size("64KiB", 65536);
	check_size("3M", 3ull << 20);
	check_size("3mb", 3ull << 20);
	check_size("3MIB", 3ull << 20);
	check_size("4G", 4ull << 30);
	check_size("4GB", 4ull << 30);
	check_size("4GiB", 4ull << 30);
	check_size("1T", 1ull << 40);
	check_size("1TB", 1ull << 40);
	check_size("1TiB", 1ull << 40);
	check_size("18446744073709551615", UINT64_MAX);
	check_size("17179869183G", 17179869183ull << 30);
}

static void other_sizes_are_refused(void **state)
{
	(void)state;
	static const char *const wrong[] = {"", " ", "K", "-1", "+1", "-1K", "1.5M", "1P", "1KK", "1K1",
		"1 2", "1Ki", "0x10", "1e6", "18446744073709551616", "17179869184G",
		"99999999999999999999K"};
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		uint64_t value = 77;
		assert_false(reads_size(wrong[i], &value));
		assert_true(value == 77);
	}
	uint64_t value = 77;
	assert_false(opa_parse_size(OPA_STR("1K\0"), &value));
}

static void check_duration(const char *text, uint64_t expected)
{
	uint64_t value = 77;
	if (!reads_duration(text, &value) || value != expected) {
		fail_msg("%s became %llu", text, (unsigned long long)value);
	}
}

static void durations_are_seconds_or_have_a_unit(void **state)
{
	(void)state;
	check_duration("0", 0);
	check_duration("10", 10000000000u);
	check_duration("10s", 10000000000u);
	check_duration("3ns", 3);
	check_duration("100us", 100000);
	check_duration("500ms", 500000000);
	check_duration("500 MS", 500000000);
	check_duration("5m", 300000000000u);
	check_duration("2h", 7200000000000u);
	check_duration("7d", 604800000000000u);
	check_duration("18446744073709551615ns", UINT64_MAX);
	check_duration("213503d", 213503ull * 86400000000000u);
}

static void other_durations_are_refused(void **state)
{
	(void)state;
	static const char *const wrong[] = {
		"", "s", "-1s", "1.5s", "1w", "1min", "1 s 2", "213504d", "18446744074s", "1sec"};
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		uint64_t value = 77;
		assert_false(reads_duration(wrong[i], &value));
		assert_true(value == 77);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(booleans_are_read_as_php_reads_them),
		cmocka_unit_test(other_booleans_are_refused),
		cmocka_unit_test(integers_are_read_to_their_last_digit),
		cmocka_unit_test(other_integers_are_refused),
		cmocka_unit_test(reals_of_usual_length_are_the_nearest_double),
		cmocka_unit_test(longer_reals_are_near),
		cmocka_unit_test(other_reals_are_refused),
		cmocka_unit_test(a_real_of_very_many_digits_is_read_or_refused),
		cmocka_unit_test(sizes_have_units_of_1024),
		cmocka_unit_test(other_sizes_are_refused),
		cmocka_unit_test(durations_are_seconds_or_have_a_unit),
		cmocka_unit_test(other_durations_are_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
