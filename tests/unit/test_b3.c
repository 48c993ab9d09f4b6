/* B3's headers, one or several, as https://github.com/openzipkin/b3-propagation has them. */
#include "support.h"
#include "core/opa_b3.h"

#define TRACE "80f198ee56343ba864fe8b2a57d3eff7"
#define SPAN  "e457b5a2e4d86bd1"

static const uint8_t trace_id[] = {
	0x80, 0xf1, 0x98, 0xee, 0x56, 0x34, 0x3b, 0xa8, 0x64, 0xfe, 0x8b, 0x2a, 0x57, 0xd3, 0xef, 0xf7};

static void check_empty(const opa_b3 *b3)
{
	static const uint8_t none[OPA_TRACE_ID_LEN];
	assert_false(b3->has_ids);
	assert_memory_equal(b3->trace_id, none, sizeof(none));
	assert_true(b3->span == OPA_NO_SPAN);
	assert_int_equal(b3->state, OPA_B3_DEFER);
}

/* Reads it in memory of its own length. */
static bool reads(opa_str text, opa_b3 *b3)
{
	char *exact = malloc(text.len > 0 ? text.len : 1);
	memcpy(exact, text.data, text.len);
	memset(b3, 0xA5, sizeof(*b3));
	bool read = opa_b3_parse((opa_str){exact, text.len}, b3);
	free(exact);
	if (!read) {
		check_empty(b3);
	}
	return read;
}

#define REFUSES(text) assert_false(reads(OPA_STR(text), &b3))

static void check_ids(const opa_b3 *b3, opa_b3_state state)
{
	assert_true(b3->has_ids);
	assert_memory_equal(b3->trace_id, trace_id, sizeof(trace_id));
	assert_true(b3->span == 0xe457b5a2e4d86bd1u);
	assert_int_equal(b3->state, state);
}

static void one_header_has_ids_and_perhaps_a_state_and_a_parent(void **state)
{
	(void)state;
	opa_b3 b3;
	assert_true(reads(OPA_STR(TRACE "-" SPAN), &b3));
	check_ids(&b3, OPA_B3_DEFER);
	assert_true(reads(OPA_STR(TRACE "-" SPAN "-0"), &b3));
	check_ids(&b3, OPA_B3_DENY);
	assert_true(reads(OPA_STR(TRACE "-" SPAN "-1"), &b3));
	check_ids(&b3, OPA_B3_ACCEPT);
	assert_true(reads(OPA_STR(TRACE "-" SPAN "-d"), &b3));
	check_ids(&b3, OPA_B3_DEBUG);
	assert_true(reads(OPA_STR(TRACE "-" SPAN "-1-05e3ac9a4f6e3b90"), &b3));
	check_ids(&b3, OPA_B3_ACCEPT);
}

static void a_short_trace_id_has_zeros_before_it(void **state)
{
	(void)state;
	static const uint8_t padded[] = {
		0, 0, 0, 0, 0, 0, 0, 0, 0x64, 0xfe, 0x8b, 0x2a, 0x57, 0xd3, 0xef, 0xf7};
	opa_b3 b3;
	assert_true(reads(OPA_STR("64fe8b2a57d3eff7-" SPAN "-1"), &b3));
	assert_memory_equal(b3.trace_id, padded, sizeof(padded));
	opa_b3_headers headers = {.trace_id = OPA_STR("64fe8b2a57d3eff7"), .span_id = OPA_STR(SPAN)};
	assert_true(opa_b3_parse_headers(&headers, &b3));
	assert_memory_equal(b3.trace_id, padded, sizeof(padded));
}

static void a_decision_may_come_alone(void **state)
{
	(void)state;
	static const struct {
		opa_str text;
		opa_b3_state state;
	} alone[] = {
		{OPA_STR("0"), OPA_B3_DENY}, {OPA_STR("1"), OPA_B3_ACCEPT}, {OPA_STR("d"), OPA_B3_DEBUG}};
	opa_b3 b3;
	for (size_t i = 0; i < sizeof(alone) / sizeof(alone[0]); i++) {
		assert_true(reads(alone[i].text, &b3));
		assert_false(b3.has_ids);
		assert_int_equal(b3.state, alone[i].state);
	}
}

static void what_is_malformed_is_refused_whole(void **state)
{
	(void)state;
	opa_b3 b3;
	REFUSES("");
	REFUSES("2");
	REFUSES("D");
	REFUSES("-");
	REFUSES("---");
	REFUSES(TRACE);
	REFUSES(TRACE "-");
	REFUSES("-" SPAN);
	REFUSES(TRACE "-" SPAN "-");
	REFUSES(TRACE "--1");
	REFUSES(TRACE "-" SPAN "-2");
	REFUSES(TRACE "-" SPAN "-01");
	REFUSES(TRACE "-" SPAN "-1-");
	REFUSES(TRACE "-" SPAN "-1-05e3ac9a4f6e3b9");
	REFUSES(TRACE "-" SPAN "-1-05e3ac9a4f6e3b90-");
	REFUSES(TRACE "-" SPAN "-1-05e3ac9a4f6e3b90-1");
	REFUSES("80F198EE56343BA864FE8B2A57D3EFF7-" SPAN "-1");
	REFUSES(TRACE "0-" SPAN "-1");
	REFUSES("80f198ee56343ba864fe8b2a57d3eff-" SPAN "-1");
	REFUSES(TRACE "-E457B5A2E4D86BD1-1");
	REFUSES(TRACE "-" SPAN "0-1");
	REFUSES("00000000000000000000000000000000-" SPAN "-1");
	REFUSES("0000000000000000-" SPAN "-1");
	REFUSES(TRACE "-0000000000000000-1");
	REFUSES(TRACE "-" SPAN "-1 ");
	REFUSES(" " TRACE "-" SPAN "-1");
	REFUSES(TRACE "-" SPAN "\0-1");
}

static bool reads_headers(
	const char *trace, const char *span, const char *sampled, const char *flags, opa_b3 *b3)
{
	opa_b3_headers headers = {str(trace), str(span), str(sampled), str(flags)};
	memset(b3, 0xA5, sizeof(*b3));
	bool read = opa_b3_parse_headers(&headers, b3);
	if (!read) {
		check_empty(b3);
	}
	return read;
}

static void several_headers_say_the_same(void **state)
{
	(void)state;
	opa_b3 b3;
	static const struct {
		const char *sampled;
		const char *flags;
		opa_b3_state state;
	} states[] = {{"", "", OPA_B3_DEFER}, {"0", "", OPA_B3_DENY}, {"1", "", OPA_B3_ACCEPT},
		{"", "1", OPA_B3_DEBUG}, {"0", "1", OPA_B3_DEBUG}, {"1", "0", OPA_B3_ACCEPT},
		{"true", "", OPA_B3_ACCEPT}, {"False", "", OPA_B3_DENY}, {"2", "", OPA_B3_DEFER},
		{"d", "2", OPA_B3_DEFER}};
	for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++) {
		assert_true(reads_headers(TRACE, SPAN, states[i].sampled, states[i].flags, &b3));
		check_ids(&b3, states[i].state);
	}
}

static void of_several_headers_both_ids_must_be_valid_or_none_be_there(void **state)
{
	(void)state;
	opa_b3 b3;
	assert_false(reads_headers(TRACE, "", "1", "", &b3));
	assert_false(reads_headers("", SPAN, "1", "", &b3));
	assert_false(reads_headers(TRACE, "0000000000000000", "1", "", &b3));
	assert_false(reads_headers("nonsense", SPAN, "1", "", &b3));
	assert_false(reads_headers("", "", "", "", &b3));
	assert_false(reads_headers("", "", "maybe", "0", &b3));
	assert_true(reads_headers("", "", "0", "", &b3));
	assert_false(b3.has_ids);
	assert_int_equal(b3.state, OPA_B3_DENY);
	assert_true(reads_headers("", "", "", "1", &b3));
	assert_int_equal(b3.state, OPA_B3_DEBUG);
}

static void what_is_written_can_be_read(void **state)
{
	(void)state;
	char text[OPA_B3_LEN];
	opa_b3 b3;
	opa_b3_format(trace_id, 0xe457b5a2e4d86bd1u, OPA_B3_ACCEPT, text);
	assert_memory_equal(text, TRACE "-" SPAN "-1", sizeof(text));
	for (opa_b3_state s = OPA_B3_DENY; s <= OPA_B3_DEBUG; s++) {
		opa_b3_format(trace_id, 0xe457b5a2e4d86bd1u, s, text);
		assert_true(reads((opa_str){text, sizeof(text)}, &b3));
		check_ids(&b3, s);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_header_has_ids_and_perhaps_a_state_and_a_parent),
		cmocka_unit_test(a_short_trace_id_has_zeros_before_it),
		cmocka_unit_test(a_decision_may_come_alone),
		cmocka_unit_test(what_is_malformed_is_refused_whole),
		cmocka_unit_test(several_headers_say_the_same),
		cmocka_unit_test(of_several_headers_both_ids_must_be_valid_or_none_be_there),
		cmocka_unit_test(what_is_written_can_be_read),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
