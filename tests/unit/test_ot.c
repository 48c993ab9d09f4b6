/*
 * OpenTelemetry's member of a tracestate: what is read of it, what is written in its place, and
 * when a decision has a threshold.
 */
#include "support.h"
#include "core/opa_ot.h"

static const uint64_t none = UINT64_MAX; /* in place of a threshold: to be erased */

static opa_ot read_state(const char *text)
{
	opa_ot ot;
	size_t len = strlen(text);
	char *exact = malloc(len > 0 ? len : 1);
	memcpy(exact, text, len);
	opa_ot_read((opa_str){exact, len}, &ot);
	free(exact);
	return ot;
}

static const char *write_state(const char *text, uint64_t threshold)
{
	static char result[OPA_W3C_STATE_MAX + 1];
	size_t len = strlen(text);
	char *exact = malloc(len > 0 ? len : 1), *to = malloc(OPA_W3C_STATE_MAX);
	memcpy(exact, text, len);
	len = opa_ot_write((opa_str){exact, len}, threshold == none ? NULL : &threshold, to);
	assert_true(len <= OPA_W3C_STATE_MAX);
	memcpy(result, to, len);
	result[len] = '\0';
	free(exact);
	free(to);
	return result;
}

static void threshold_and_randomness_are_read(void **state)
{
	(void)state;
	opa_ot ot = read_state("a=1,ot=th:c;rv:6e6d1a75832a2f,b=2");
	assert_true(ot.has_threshold && ot.threshold == 0xc0000000000000u);
	assert_true(ot.has_random && ot.random == 0x6e6d1a75832a2fu);
	ot = read_state("ot=p:8;th:0");
	assert_true(ot.has_threshold && ot.threshold == 0 && !ot.has_random);
	ot = read_state("ot=th:fffffffffffff1");
	assert_true(ot.has_threshold && ot.threshold == 0xfffffffffffff1u);
	ot = read_state("ot=th:fd70a");
	assert_true(ot.has_threshold && ot.threshold == 0xfd70a000000000u);
	ot = read_state("ot=th:8;th:c");
	assert_true(ot.has_threshold && ot.threshold == 0x80000000000000u);
}

static void what_is_malformed_is_not_there(void **state)
{
	(void)state;
	static const char *const bad[] = {"", "a=1", "ot=", "ot=th", "ot=th:", "ot=th:;p:1", "ot=th:C",
		"ot=th:g", "ot=th:0x1", "ot=th:fffffffffffffff", "ot=TH:c", "ot=xth:c", "xot=th:c",
		"ot@a=th:c", "a=ot=th:c", "ot=rv:1", "ot=rv:6e6d1a75832a2", "ot=rv:6e6d1a75832a2f0",
		"ot=rv:6E6D1A75832A2F", "ot=t", "ot=rv"};
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		opa_ot ot = read_state(bad[i]);
		if (ot.has_threshold || ot.has_random) {
			fail_msg("read: %s", bad[i]);
		}
	}
	assert_true(read_state("ot=th:C").says_threshold);
	assert_true(read_state("ot=th:C;th:c").says_threshold);
	assert_false(read_state("ot=th:C;th:c").has_threshold);
	assert_false(read_state("ot=rv:1").says_threshold);
}

static void a_threshold_is_written_without_trailing_zeros(void **state)
{
	(void)state;
	assert_string_equal(write_state("", 0), "ot=th:0");
	assert_string_equal(write_state("", 0x80000000000000u), "ot=th:8");
	assert_string_equal(write_state("", opa_sampler_threshold(0.1)), "ot=th:e666");
	assert_string_equal(write_state("", opa_sampler_threshold(0.01)), "ot=th:fd70a");
	assert_string_equal(write_state("", 1), "ot=th:00000000000001");
	assert_string_equal(write_state("", 0x00100000000000u), "ot=th:001");
	assert_string_equal(write_state("", OPA_SAMPLER_NONE - 1), "ot=th:ffffffffffffff");
}

static void it_takes_the_place_of_the_one_before_and_comes_first(void **state)
{
	(void)state;
	assert_string_equal(write_state("a=1,b=2", 0), "ot=th:0,a=1,b=2");
	assert_string_equal(write_state("a=1,ot=th:c,b=2", 0), "ot=th:0,a=1,b=2");
	assert_string_equal(write_state("a=1,ot=p:8;th:c;rv:6e6d1a75832a2f", 0x80000000000000u),
		"ot=th:8;p:8;rv:6e6d1a75832a2f,a=1");
	assert_string_equal(write_state("ot=th:c;th:8;x:1", 0), "ot=th:0;x:1");
	assert_string_equal(write_state("ot@a=th:c", 0), "ot=th:0,ot@a=th:c");
}

static void erasing_leaves_what_else_is_there(void **state)
{
	(void)state;
	assert_string_equal(write_state("", none), "");
	assert_string_equal(write_state("a=1", none), "a=1");
	assert_string_equal(write_state("ot=th:c", none), "");
	assert_string_equal(write_state("a=1,ot=th:c,b=2", none), "a=1,b=2");
	assert_string_equal(write_state("a=1,ot=th:c;p:8;;th:Z", none), "ot=p:8,a=1");
	assert_string_equal(write_state("ot=rv:6e6d1a75832a2f;th:0", none), "ot=rv:6e6d1a75832a2f");
}

static void there_are_never_more_than_32_members(void **state)
{
	(void)state;
	char text[512] = "", expected[512] = "ot=th:0";
	for (unsigned i = 0; i < 32; i++) {
		char member[16];
		snprintf(member, sizeof(member), ",k%u=1", i);
		strcat(text, i == 0 ? member + 1 : member);
		strcat(expected, i < 31 ? member : "");
	}
	assert_string_equal(write_state(text, none), text);
	assert_string_equal(write_state(text, 0), expected);
	strcpy(strrchr(text, ','), ",ot=x:1");
	strcpy(expected + 7, "");
	assert_int_equal(strlen(write_state(text, 0)), strlen(text) + 5);
}

static void what_becomes_too_long_loses_members_of_others(void **state)
{
	(void)state;
	char text[OPA_W3C_STATE_MAX + 1];
	memset(text, 'v', sizeof(text));
	for (unsigned i = 0; i < 4; i++) {
		memcpy(text + (size_t)128 * i, i == 0 ? "a=" : i == 1 ? "b=" : i == 2 ? "c=" : "d=", 2);
		text[128 * i + 127] = ',';
	}
	text[511] = '\0';
	const char *written = write_state(text, 0);
	assert_int_equal(strlen(written), 8 + 128 * 3 - 1);
	assert_memory_equal(written, "ot=th:0,a=", 10);
}

static void a_threshold_without_room_in_its_member_is_left_out(void **state)
{
	(void)state;
	char text[300] = "ot=th:c;x:";
	memset(text + 10, 'v', 3 + 256 - 10);
	text[3 + 256] = '\0';
	const char *written = write_state(text, 0xffffffff);
	assert_int_equal(strlen(written), 3 + 256 - 5);
	assert_false(read_state(written).says_threshold);
	text[3 + 256 - 14] = '\0';
	assert_true(read_state(write_state(text, 0xffffffff)).threshold == 0xffffffff);
}

static void a_decision_of_ones_own_has_its_threshold_where_it_wants_the_trace(void **state)
{
	(void)state;
	opa_verdict verdict = opa_verdict_own(100, 100);
	assert_true(verdict.sampled && verdict.has_threshold && verdict.threshold == 100);
	verdict = opa_verdict_own(100, 99);
	assert_false(verdict.sampled || verdict.has_threshold);
	verdict = opa_verdict_own(0, 0);
	assert_true(verdict.sampled && verdict.has_threshold && verdict.threshold == 0);
	verdict = opa_verdict_own(OPA_SAMPLER_NONE, OPA_SAMPLER_NONE - 1);
	assert_false(verdict.sampled || verdict.has_threshold);
}

static void a_callers_threshold_counts_while_it_agrees_with_the_flag(void **state)
{
	(void)state;
	const opa_ot ot = {.has_threshold = true, .threshold = 100}, nothing = {.has_threshold = false};
	opa_verdict verdict = opa_verdict_followed(true, &ot, 100);
	assert_true(verdict.sampled && verdict.has_threshold && verdict.threshold == 100);
	verdict = opa_verdict_followed(true, &ot, 99);
	assert_true(verdict.sampled && !verdict.has_threshold);
	verdict = opa_verdict_followed(false, &ot, 99);
	assert_true(!verdict.sampled && verdict.has_threshold);
	verdict = opa_verdict_followed(false, &ot, 100);
	assert_false(verdict.sampled || verdict.has_threshold);
	verdict = opa_verdict_followed(true, &nothing, 100);
	assert_true(verdict.sampled && !verdict.has_threshold);
	verdict = opa_verdict_followed(false, &nothing, 100);
	assert_false(verdict.sampled || verdict.has_threshold);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(threshold_and_randomness_are_read),
		cmocka_unit_test(what_is_malformed_is_not_there),
		cmocka_unit_test(a_threshold_is_written_without_trailing_zeros),
		cmocka_unit_test(it_takes_the_place_of_the_one_before_and_comes_first),
		cmocka_unit_test(erasing_leaves_what_else_is_there),
		cmocka_unit_test(there_are_never_more_than_32_members),
		cmocka_unit_test(what_becomes_too_long_loses_members_of_others),
		cmocka_unit_test(a_threshold_without_room_in_its_member_is_left_out),
		cmocka_unit_test(a_decision_of_ones_own_has_its_threshold_where_it_wants_the_trace),
		cmocka_unit_test(a_callers_threshold_counts_while_it_agrees_with_the_flag),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
