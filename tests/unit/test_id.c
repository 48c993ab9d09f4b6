/* Ids: their hex form, what is refused, and what the generator promises. */
#include "support.h"

static bool is_hex(int c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
}

static void format_writes_sixteen_lower_case_digits(void **state)
{
	(void)state;
	char hex[17] = "................";
	opa_span_id_format(0xfedcba9876543210u, hex);
	assert_string_equal(hex, "fedcba9876543210");
	opa_span_id_format(0xa00000000000000fu, hex);
	assert_string_equal(hex, "a00000000000000f");
}

static void format_agrees_with_printf(void **state)
{
	(void)state;
	uint64_t seed = 1;
	for (unsigned long i = scaled(1000000, 1000); i > 0; i--) {
		uint64_t id = random_next(&seed) >> random_below(&seed, 64);
		char hex[17] = "", expected[17];
		opa_span_id_format(id, hex);
		snprintf(expected, sizeof(expected), "%016llx", (unsigned long long)id);
		assert_memory_equal(hex, expected, 16);
	}
}

static void ten_million_ids_come_back_from_hex(void **state)
{
	(void)state;
	opa_rng rng = {.seeded = false};
	unsigned long wrong = 0;
	for (unsigned long i = scaled(10000000, 1000); i > 0; i--) {
		char hex[OPA_SPAN_ID_HEX];
		opa_span_id id = opa_span_id_make(&rng, 0, 0);
		opa_span_id_format(id, hex);
		wrong += opa_span_id_parse(hex, sizeof(hex)) != id;
	}
	assert_int_equal(wrong, 0);
}

static void parse_accepts_exactly_the_lower_case_digits(void **state)
{
	(void)state;
	opa_rng rng = {.seeded = false};
	for (unsigned long round = scaled(2000, 20); round > 0; round--) {
		char hex[17] = "";
		opa_span_id_format(opa_span_id_make(&rng, 0, 0), hex);
		for (int at = 0; at < 16; at++) {
			char was = hex[at];
			for (int c = 0; c < 256; c++) {
				hex[at] = (char)c;
				opa_span_id expected = is_hex(c) ? strtoull(hex, NULL, 16) : OPA_NO_SPAN;
				if (opa_span_id_parse(hex, 16) != expected) {
					fail_msg("byte %02x at %d of %s", (unsigned)c, at, hex);
				}
			}
			hex[at] = was;
		}
	}
}

static void parse_refuses_two_wrong_bytes_that_might_cancel_out(void **state)
{
	(void)state;
	for (int a = 0; a < 256; a++) {
		for (int b = 0; b < 256; b++) {
			char hex[17] = "a123456789abcdef";
			hex[3] = (char)a;
			hex[4] = (char)b;
			bool right = is_hex(a) && is_hex(b);
			assert_true((opa_span_id_parse(hex, 16) != OPA_NO_SPAN) == right);
		}
	}
}

static void parse_refuses_every_other_length(void **state)
{
	(void)state;
	char many[64];
	memset(many, 'a', sizeof(many));
	for (size_t len = 0; len <= sizeof(many); len++) {
		assert_true((opa_span_id_parse(many, len) != OPA_NO_SPAN) == (len == 16));
	}
	assert_true(opa_span_id_parse(NULL, 0) == OPA_NO_SPAN);
	assert_true(opa_span_id_parse(many, SIZE_MAX) == OPA_NO_SPAN);
}

static void parse_reads_no_further_than_sixteen_bytes(void **state)
{
	(void)state;
	char *exact = malloc(16); /* the sanitizers look at what lies behind it */
	memcpy(exact, "abcdef0123456789", 16);
	assert_true(opa_span_id_parse(exact, 16) == 0xabcdef0123456789u);
	free(exact);
}

static void zero_is_never_an_id(void **state)
{
	(void)state;
	assert_true(opa_span_id_parse("0000000000000000", 16) == OPA_NO_SPAN);
	assert_true(opa_span_id_parse("0000000000000001", 16) == 1);
}

static void first_digit_is_always_a_letter(void **state)
{
	(void)state;
	opa_rng rng = {.seeded = false};
	unsigned long wrong = 0;
	for (unsigned long i = scaled(10000000, 10000); i > 0; i--) {
		char hex[OPA_SPAN_ID_HEX];
		opa_span_id_format(opa_span_id_make(&rng, (unsigned)i, 6), hex);
		wrong += hex[0] < 'a' || hex[0] > 'f';
	}
	assert_int_equal(wrong, 0);
}

/* The chi-square statistic of counts that should all be the same. */
static double chi_square(const unsigned long *counts, unsigned n, unsigned long total)
{
	double expected = (double)total / n, sum = 0;
	for (unsigned i = 0; i < n; i++) {
		double off = (double)counts[i] - expected;
		sum += off * off / expected;
	}
	return sum;
}

static void digits_are_uniform(void **state)
{
	(void)state;
	opa_rng rng = {.seeded = false};
	unsigned long first[6] = {0}, others[15][16] = {{0}};
	unsigned long total = scaled(3000000, 30000);
	for (unsigned long i = 0; i < total; i++) {
		opa_span_id id = opa_span_id_make(&rng, 0, 0);
		unsigned letter = (unsigned)(id >> 60) - 10;
		first[letter]++;
		for (int k = 0; k < 15; k++) {
			others[k][(id >> (4 * k)) & 15]++;
		}
	}
	/* A generator that works goes beyond these once in 10^10 runs, or less. */
	assert_true(chi_square(first, 6, total) < 55);
	for (int k = 0; k < 15; k++) {
		assert_true(chi_square(others[k], 16, total) < 80);
	}
}

static void low_bits_name_the_shard(void **state)
{
	(void)state;
	opa_rng rng = {.seeded = false};
	for (unsigned bits = 0; bits <= 8; bits++) {
		for (unsigned shard = 0; shard < 1u << bits; shard++) {
			opa_span_id id = opa_span_id_make(&rng, shard, bits);
			assert_int_equal(id & ((1u << bits) - 1), shard);
		}
	}
}

static int compare_ids(const void *a, const void *b)
{
	const opa_span_id x = *(const opa_span_id *)a, y = *(const opa_span_id *)b;
	return x < y ? -1 : x > y;
}

static void a_million_ids_are_all_different(void **state)
{
	(void)state;
	size_t n = scaled(1000000, 1000);
	opa_span_id *ids = malloc(n * sizeof(*ids));
	opa_rng rng = {.seeded = false};
	for (size_t i = 0; i < n; i++) {
		ids[i] = opa_span_id_make(&rng, 5, 6);
	}
	qsort(ids, n, sizeof(*ids), compare_ids);
	for (size_t i = 1; i < n; i++) {
		assert_true(ids[i] != ids[i - 1]);
	}
	free(ids);
}

static void generators_and_their_forgetful_copies_go_different_ways(void **state)
{
	(void)state;
	opa_rng a = {.seeded = false}, b = {.seeded = false};
	assert_true(opa_rng_next(&a) != opa_rng_next(&b));
	opa_rng child = a;
	assert_true(opa_rng_next(&child) == opa_rng_next(&a));
	opa_rng_forget(&child);
	for (int i = 0; i < 100; i++) {
		assert_true(opa_rng_next(&child) != opa_rng_next(&a));
	}
}

/* Two different seedings of the reference values that the authors' code gives. */
static void generator_is_xoshiro(void **state)
{
	(void)state;
	opa_rng rng = {.state = {1, 2, 3, 4}, .seeded = true};
	static const uint64_t expected[] = {
		11520, 0, 1509978240, 1215971899390074240, 1216172134540287360, 607988272756665600};
	for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++) {
		assert_true(opa_rng_next(&rng) == expected[i]);
	}
}

static void trace_ids_are_different_and_their_low_bytes_random(void **state)
{
	(void)state;
	opa_rng rng = {.seeded = false};
	unsigned long bits[128] = {0}, total = scaled(100000, 10000);
	uint8_t before[16] = {0}, id[16];
	for (unsigned long i = 0; i < total; i++) {
		opa_trace_id_make(&rng, id);
		assert_memory_not_equal(id, before, 16);
		memcpy(before, id, 16);
		for (int k = 0; k < 128; k++) {
			bits[k] += id[k / 8] >> (k % 8) & 1;
		}
	}
	for (int k = 0; k < 128; k++) {
		double off = (double)bits[k] - (double)total / 2;
		assert_true(off * off / ((double)total / 4) < 60); /* seven and a half sigma */
	}
}

static void hex_goes_to_bytes_and_back(void **state)
{
	(void)state;
	uint8_t bytes[16], back[16];
	char hex[33] = "";
	for (int i = 0; i < 16; i++) {
		bytes[i] = (uint8_t)(i * 17 + 3);
	}
	opa_hex_format(bytes, 16, hex);
	assert_string_equal(hex, "03142536475869"
							 "7a8b9cadbecfe0f102");
	assert_true(opa_hex_parse(hex, 32, back));
	assert_memory_equal(back, bytes, 16);
	assert_true(opa_hex_parse("", 0, back));
}

static void hex_with_a_wrong_digit_or_an_odd_length_is_refused(void **state)
{
	(void)state;
	uint8_t bytes[2];
	for (int c = 0; c < 256; c++) {
		char hex[4] = {'0', '1', '2', '3'};
		for (int at = 0; at < 4; at++) {
			char was = hex[at];
			hex[at] = (char)c;
			assert_true(opa_hex_parse(hex, 4, bytes) == is_hex(c));
			hex[at] = was;
		}
	}
	assert_false(opa_hex_parse("012", 3, bytes));
}

static void wire_form_is_big_endian(void **state)
{
	(void)state;
	static const uint8_t expected[8] = {0xa1, 0xb2, 0xc3, 0xd4, 0xe5, 0xf6, 0x07, 0x18};
	uint8_t bytes[8];
	opa_span_id_to_bytes(0xa1b2c3d4e5f60718u, bytes);
	assert_memory_equal(bytes, expected, 8);
	assert_true(opa_span_id_from_bytes(bytes) == 0xa1b2c3d4e5f60718u);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(format_writes_sixteen_lower_case_digits),
		cmocka_unit_test(format_agrees_with_printf),
		cmocka_unit_test(ten_million_ids_come_back_from_hex),
		cmocka_unit_test(parse_accepts_exactly_the_lower_case_digits),
		cmocka_unit_test(parse_refuses_two_wrong_bytes_that_might_cancel_out),
		cmocka_unit_test(parse_refuses_every_other_length),
		cmocka_unit_test(parse_reads_no_further_than_sixteen_bytes),
		cmocka_unit_test(zero_is_never_an_id),
		cmocka_unit_test(first_digit_is_always_a_letter),
		cmocka_unit_test(digits_are_uniform),
		cmocka_unit_test(low_bits_name_the_shard),
		cmocka_unit_test(a_million_ids_are_all_different),
		cmocka_unit_test(generators_and_their_forgetful_copies_go_different_ways),
		cmocka_unit_test(generator_is_xoshiro),
		cmocka_unit_test(trace_ids_are_different_and_their_low_bytes_random),
		cmocka_unit_test(hex_goes_to_bytes_and_back),
		cmocka_unit_test(hex_with_a_wrong_digit_or_an_odd_length_is_refused),
		cmocka_unit_test(wire_form_is_big_endian),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
