/* Sampling by the trace id: agreed with the specification, and among processes. */
#include "support.h"
#include "core/opa_sampler.h"

#include <math.h>

#define VALUES ((uint64_t)1 << 56)

/* A trace id whose low 56 bits are `random` and whose others are all `rest`. */
static void make_id(uint8_t id[OPA_TRACE_ID_LEN], uint8_t rest, uint64_t random)
{
	memset(id, rest, OPA_TRACE_ID_LEN);
	for (unsigned i = 0; i < 7; i++) {
		id[15 - i] = (uint8_t)(random >> (8 * i));
	}
}

static bool wants(double rate, uint8_t rest, uint64_t random)
{
	uint8_t id[OPA_TRACE_ID_LEN];
	make_id(id, rest, random);
	return opa_sampler_wants(opa_sampler_threshold(rate), id);
}

static void rate_one_keeps_all_and_rate_zero_none(void **state)
{
	(void)state;
	assert_true(wants(1.0, 0, 0) && wants(1.0, 0xff, VALUES - 1));
	assert_false(wants(0.0, 0, 0) || wants(0.0, 0xff, VALUES - 1) || wants(-0.0, 0xff, VALUES - 1));
}

static void thresholds_are_those_of_the_specification(void **state)
{
	(void)state;
	assert_true(opa_sampler_threshold(1.0) == 0);
	assert_true(opa_sampler_threshold(0.0) == VALUES);
	assert_true(opa_sampler_threshold(0.5) == 0x80000000000000u);
	assert_true(opa_sampler_threshold(0.25) == 0xc0000000000000u);
	assert_true(opa_sampler_threshold(1.0 / 64) == 0xfc000000000000u);
}

/* The specification's table, "precision 4". */
static void thresholds_have_as_many_digits_as_the_specification_recommends(void **state)
{
	(void)state;
	assert_true(opa_sampler_threshold(1.0 / 3) == 0xaaab0000000000u);
	assert_true(opa_sampler_threshold(0.2) == 0xcccd0000000000u);
	assert_true(opa_sampler_threshold(0.125) == 0xe0000000000000u);
	assert_true(opa_sampler_threshold(0.1) == 0xe6660000000000u);
	assert_true(opa_sampler_threshold(0.0625) == 0xf0000000000000u);
	assert_true(opa_sampler_threshold(0.01) == 0xfd70a000000000u);
	assert_true(opa_sampler_threshold(0.001) == 0xffbe7700000000u);
	assert_true(opa_sampler_threshold(0.0001) == 0xfff97240000000u);
	assert_true(opa_sampler_threshold(0.00001) == 0xffff583a000000u);
	assert_true(opa_sampler_threshold(0.000001) == 0xffffef39000000u);
}

/* Each rate above 2^-56 may want something, and never more than it says by a thousandth. */
static void rounding_changes_no_rate_by_much(void **state)
{
	(void)state;
	for (double rate = 0.9; rate >= 0x1p-46; rate *= 0.9) {
		double kept = (double)(VALUES - opa_sampler_threshold(rate)) / (double)VALUES;
		assert_true(kept / rate < 1.001 && kept / rate > 0.999);
	}
	for (double rate = 0x1p-46; rate >= 0x1p-56; rate *= 0.9) {
		assert_true(opa_sampler_threshold(rate) < VALUES);
	}
	assert_true(opa_sampler_threshold(0x1p-57) == VALUES);
}

static void an_id_can_be_made_that_is_wanted(void **state)
{
	(void)state;
	opa_rng rng = {.seeded = true, .state = {1, 2, 3, 4}};
	unsigned long upper = 0, count = scaled(20000, 500);
	for (unsigned long i = 0; i < count; i++) {
		uint8_t id[OPA_TRACE_ID_LEN];
		opa_sampler_make_id(&rng, VALUES - 1000, id);
		assert_true(opa_sampler_wants(VALUES - 1000, id));
		opa_sampler_make_id(&rng, VALUES / 2, id);
		assert_true(opa_sampler_wants(VALUES / 2, id));
		upper += opa_sampler_wants(VALUES / 4 * 3, id);
		opa_sampler_make_id(&rng, 0, id);
	}
	assert_true(upper > count / 5 * 2 && upper < count / 5 * 3);
}

static void the_random_number_is_compared_with_the_threshold(void **state)
{
	(void)state;
	assert_false(wants(0.5, 0xff, VALUES / 2 - 1));
	assert_true(wants(0.5, 0x00, VALUES / 2));
	assert_true(wants(0.25, 0, VALUES / 4 * 3) && !wants(0.25, 0, VALUES / 4 * 3 - 1));
}

static void what_is_above_56_bits_does_not_matter(void **state)
{
	(void)state;
	for (unsigned rest = 0; rest < 256; rest++) {
		assert_false(wants(0.5, (uint8_t)rest, VALUES / 2 - 1));
		assert_true(wants(0.5, (uint8_t)rest, VALUES / 2));
	}
}

static void rates_that_are_none_keep_all_or_nothing(void **state)
{
	(void)state;
	assert_true(opa_sampler_threshold(NAN) == VALUES);
	assert_true(opa_sampler_threshold(-1) == VALUES);
	assert_true(opa_sampler_threshold(-INFINITY) == VALUES);
	assert_true(opa_sampler_threshold(2) == 0);
	assert_true(opa_sampler_threshold(INFINITY) == 0);
	assert_true(opa_sampler_threshold(5e-324) == VALUES);
	assert_true(opa_sampler_threshold(1 - 0x1p-53) == 0);
	assert_true(opa_sampler_threshold(0.99999) == 0x00010000000000u);
}

static void a_higher_rate_keeps_what_a_lower_one_keeps(void **state)
{
	(void)state;
	uint64_t seed = 9;
	for (unsigned long i = scaled(100000, 1000); i > 0; i--) {
		double a = (double)random_below(&seed, 1001) / 1000,
			   b = (double)random_below(&seed, 1001) / 1000;
		uint64_t random = random_next(&seed) & (VALUES - 1);
		assert_true(!wants(a < b ? a : b, 0, random) || wants(a < b ? b : a, 0, random));
	}
}

static void the_share_that_is_kept_is_the_rate(void **state)
{
	(void)state;
	opa_rng rng = {.seeded = true, .state = {1, 2, 3, 4}};
	uint64_t threshold = opa_sampler_threshold(0.1);
	unsigned long count = scaled(1000000, 20000), kept = 0;
	for (unsigned long i = 0; i < count; i++) {
		uint8_t id[OPA_TRACE_ID_LEN];
		opa_trace_id_make(&rng, id);
		kept += opa_sampler_wants(threshold, id);
	}
	double off = (double)kept / (double)count - 0.1, six_sigma_squared = 36 * 0.09 / (double)count;
	assert_true(off * off < six_sigma_squared);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rate_one_keeps_all_and_rate_zero_none),
		cmocka_unit_test(thresholds_are_those_of_the_specification),
		cmocka_unit_test(thresholds_have_as_many_digits_as_the_specification_recommends),
		cmocka_unit_test(rounding_changes_no_rate_by_much),
		cmocka_unit_test(an_id_can_be_made_that_is_wanted),
		cmocka_unit_test(the_random_number_is_compared_with_the_threshold),
		cmocka_unit_test(what_is_above_56_bits_does_not_matter),
		cmocka_unit_test(rates_that_are_none_keep_all_or_nothing),
		cmocka_unit_test(a_higher_rate_keeps_what_a_lower_one_keeps),
		cmocka_unit_test(the_share_that_is_kept_is_the_rate),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
