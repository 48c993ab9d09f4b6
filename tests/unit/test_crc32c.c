#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "core/opa_crc32c.h"

/* The examples of RFC 3720, B.4, and the check value of the CRC catalogues. */
static void test_known_values(void **state)
{
	(void)state;
	uint8_t bytes[32];
	assert_int_equal(opa_crc32c(0, "123456789", 9), 0xe3069283u);
	memset(bytes, 0, sizeof(bytes));
	assert_int_equal(opa_crc32c(0, bytes, 32), 0x8a9136aau);
	memset(bytes, 0xff, sizeof(bytes));
	assert_int_equal(opa_crc32c(0, bytes, 32), 0x62a8ab43u);
	for (int i = 0; i < 32; i++) {
		bytes[i] = (uint8_t)i;
	}
	assert_int_equal(opa_crc32c(0, bytes, 32), 0x46dd794eu);
}

static void test_nothing_changes_nothing(void **state)
{
	(void)state;
	assert_int_equal(opa_crc32c(0, "", 0), 0);
	assert_int_equal(opa_crc32c(0xe3069283u, "", 0), 0xe3069283u);
}

/* RFC's definition, bit by bit. */
static uint32_t slowly(const uint8_t *p, size_t len)
{
	uint32_t crc = ~0u;
	for (size_t i = 0; i < len; i++) {
		crc ^= p[i];
		for (int bit = 0; bit < 8; bit++) {
			crc = crc >> 1 ^ (0x82f63b78u & -(crc & 1));
		}
	}
	return ~crc;
}

static void test_every_length_and_alignment(void **state)
{
	(void)state;
	uint8_t bytes[128];
	for (size_t i = 0; i < sizeof(bytes); i++) {
		bytes[i] = (uint8_t)(i * 167 + 13);
	}
	for (size_t start = 0; start < 9; start++) {
		for (size_t len = 0; start + len <= sizeof(bytes); len++) {
			uint32_t expected = slowly(bytes + start, len);
			assert_int_equal(opa_crc32c(0, bytes + start, len), expected);
			assert_int_equal(opa_crc32c_portable(0, bytes + start, len), expected);
		}
	}
}

static void test_every_byte_in_every_lane(void **state)
{
	(void)state;
	for (int lane = 0; lane < 8; lane++) {
		for (int value = 0; value < 256; value++) {
			uint8_t bytes[8] = {0};
			bytes[lane] = (uint8_t)value;
			assert_int_equal(opa_crc32c_portable(0, bytes, 8), slowly(bytes, 8));
		}
	}
}

static void test_parts_are_the_whole(void **state)
{
	(void)state;
	uint8_t bytes[100];
	for (size_t i = 0; i < sizeof(bytes); i++) {
		bytes[i] = (uint8_t)(i ^ 0x5a);
	}
	uint32_t whole = opa_crc32c(0, bytes, sizeof(bytes));
	for (size_t cut = 0; cut <= sizeof(bytes); cut++) {
		uint32_t first = opa_crc32c(0, bytes, cut);
		assert_int_equal(opa_crc32c(first, bytes + cut, sizeof(bytes) - cut), whole);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_known_values),
		cmocka_unit_test(test_nothing_changes_nothing),
		cmocka_unit_test(test_every_length_and_alignment),
		cmocka_unit_test(test_every_byte_in_every_lane),
		cmocka_unit_test(test_parts_are_the_whole),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
