/* Which formats are spoken, and what comes of headers in several of them. */
#include "support.h"
#include "core/opa_propagation.h"

#define TRACE       "0af7651916cd43dd8448eb211c80319c"
#define SPAN        "b7ad6b7169203331"
#define OTHER       "80f198ee56343ba864fe8b2a57d3eff7"
#define OTHER_SPAN  "e457b5a2e4d86bd1"
#define TRACEPARENT "00-" TRACE "-" SPAN "-01"

static bool str_equals(opa_str text, const char *expected)
{
	return text.len == strlen(expected) && memcmp(text.data, expected, text.len) == 0;
}

static opa_propagators propagators(const char *list)
{
	opa_propagators read;
	opa_str unknown;
	opa_propagators_read(str(list), &read, &unknown);
	assert_int_equal(unknown.len, 0);
	return read;
}

static void check_order(const char *list, const char *order)
{
	opa_propagators read;
	opa_str unknown;
	char text[OPA_PROPAGATOR_COUNT + 1] = "";
	opa_propagators_read(str(list), &read, &unknown);
	for (unsigned i = 0; i < read.count; i++) {
		text[i] = "tbsm"[read.order[i]];
	}
	assert_string_equal(text, order);
}

static void names_are_read_in_their_order_each_once(void **state)
{
	(void)state;
	check_order("tracecontext,baggage", "tb");
	check_order("baggage,tracecontext", "bt");
	check_order("b3multi,b3,baggage,tracecontext", "msbt");
	check_order(" B3 ,\tTraceContext,,b3", "st");
	check_order("", "");
	check_order(" , ", "");
}

static void none_among_them_means_none(void **state)
{
	(void)state;
	check_order("none", "");
	check_order("tracecontext, None ,b3", "");
}

static void a_name_that_is_not_known_is_passed_over_and_said(void **state)
{
	(void)state;
	opa_propagators read;
	opa_str unknown;
	check_order("jaeger,tracecontext,ottrace", "t");
	opa_propagators_read(OPA_STR("tracecontext, jaeger ,ottrace"), &read, &unknown);
	assert_true(str_equals(unknown, "jaeger"));
	opa_propagators_read(OPA_STR("b3x"), &read, &unknown);
	assert_true(str_equals(unknown, "b3x"));
	assert_int_equal(read.count, 0);
}

static void only_headers_of_theirs_are_read(void **state)
{
	(void)state;
	opa_propagators both = propagators("tracecontext,baggage"), b3 = propagators("b3");
	assert_int_equal(both.headers,
		1 << OPA_HEADER_TRACEPARENT | 1 << OPA_HEADER_TRACESTATE | 1 << OPA_HEADER_BAGGAGE);
	assert_int_equal(b3.headers, ((1 << OPA_HEADER_COUNT) - 1) & ~both.headers);
	assert_int_equal(propagators("b3multi").headers, b3.headers);
	assert_int_equal(propagators("none").headers, 0);
	assert_true(opa_propagators_have(&both, OPA_PROPAGATOR_BAGGAGE));
	assert_false(opa_propagators_have(&both, OPA_PROPAGATOR_B3));
}

/* ---- extracting ---- */

typedef struct sent_headers {
	const char *traceparent;
	const char *tracestate;
	const char *b3;
	const char *trace_id;
	const char *span_id;
	const char *sampled;
	const char *flags;
} sent_headers;

static opa_str or_empty(const char *text)
{
	return text == NULL ? (opa_str){NULL, 0} : str(text);
}

static opa_remote extract(const char *list, sent_headers sent)
{
	opa_remote remote;
	opa_propagators read = propagators(list);
	opa_str values[OPA_HEADER_COUNT] = {
		[OPA_HEADER_TRACEPARENT] = or_empty(sent.traceparent),
		[OPA_HEADER_TRACESTATE] = or_empty(sent.tracestate),
		[OPA_HEADER_B3] = or_empty(sent.b3),
		[OPA_HEADER_B3_TRACE_ID] = or_empty(sent.trace_id),
		[OPA_HEADER_B3_SPAN_ID] = or_empty(sent.span_id),
		[OPA_HEADER_B3_SAMPLED] = or_empty(sent.sampled),
		[OPA_HEADER_B3_FLAGS] = or_empty(sent.flags),
	};
	memset(&remote, 0xA5, sizeof(remote));
	opa_propagation_extract(&read, values, &remote);
	return remote;
}

#define EXTRACT(list, ...) extract(list, (sent_headers){__VA_ARGS__})

static void check_parent(const opa_remote *remote, const char *trace, const char *span)
{
	char hex[OPA_TRACE_ID_HEX + 1] = "", id[OPA_SPAN_ID_HEX + 1] = "";
	assert_true(remote->known);
	opa_hex_format(remote->parent.trace_id, OPA_TRACE_ID_LEN, hex);
	opa_span_id_format(remote->parent.parent, id);
	assert_string_equal(hex, trace);
	assert_string_equal(id, span);
}

static void nothing_that_was_sent_is_nothing(void **state)
{
	(void)state;
	opa_remote remote = EXTRACT("tracecontext,b3", .tracestate = "a=1", .traceparent = "x");
	assert_false(remote.known || remote.debug);
	assert_int_equal(remote.decision, OPA_DECISION_OPEN);
	assert_int_equal(remote.state_len, 0);
}

static void trace_context_has_a_decision_and_a_state(void **state)
{
	(void)state;
	opa_remote remote =
		EXTRACT("tracecontext", .traceparent = TRACEPARENT, .tracestate = "a=1", .b3 = "0");
	check_parent(&remote, TRACE, SPAN);
	assert_int_equal(remote.decision, OPA_DECISION_YES);
	assert_true(str_equals((opa_str){remote.state, remote.state_len}, "a=1"));
	remote = EXTRACT("tracecontext", .traceparent = "00-" TRACE "-" SPAN "-02");
	assert_int_equal(remote.decision, OPA_DECISION_NO);
	assert_int_equal(remote.parent.flags, OPA_W3C_RANDOM);
}

static void of_b3_each_state_is_a_decision(void **state)
{
	(void)state;
	opa_remote remote = EXTRACT("b3", .b3 = OTHER "-" OTHER_SPAN);
	check_parent(&remote, OTHER, OTHER_SPAN);
	assert_int_equal(remote.decision, OPA_DECISION_OPEN);
	assert_int_equal(remote.parent.flags, 0);
	remote = EXTRACT("b3", .b3 = OTHER "-" OTHER_SPAN "-0");
	assert_int_equal(remote.decision, OPA_DECISION_NO);
	remote = EXTRACT("b3", .b3 = OTHER "-" OTHER_SPAN "-1");
	assert_int_equal(remote.decision, OPA_DECISION_YES);
	assert_int_equal(remote.parent.flags, OPA_W3C_SAMPLED);
	assert_false(remote.debug);
	remote = EXTRACT("b3", .b3 = OTHER "-" OTHER_SPAN "-d");
	assert_int_equal(remote.decision, OPA_DECISION_YES);
	assert_true(remote.debug);
}

static void both_of_b3_read_one_header_before_several(void **state)
{
	(void)state;
	static const char *const lists[] = {"b3", "b3multi"};
	for (size_t i = 0; i < 2; i++) {
		opa_remote remote = EXTRACT(lists[i], .trace_id = TRACE, .span_id = SPAN, .sampled = "1");
		check_parent(&remote, TRACE, SPAN);
		remote = EXTRACT(lists[i], .b3 = OTHER "-" OTHER_SPAN "-0", .trace_id = TRACE,
			.span_id = SPAN, .sampled = "1");
		check_parent(&remote, OTHER, OTHER_SPAN);
		assert_int_equal(remote.decision, OPA_DECISION_NO);
		remote = EXTRACT(lists[i], .b3 = "nonsense", .trace_id = TRACE, .span_id = SPAN);
		check_parent(&remote, TRACE, SPAN);
	}
}

static void blanks_around_a_value_do_not_matter(void **state)
{
	(void)state;
	opa_remote remote =
		EXTRACT("tracecontext,b3", .traceparent = " \t" TRACEPARENT "\t ", .tracestate = " a=1 ");
	check_parent(&remote, TRACE, SPAN);
	assert_int_equal(remote.state_len, 3);
	remote = EXTRACT("b3", .b3 = " " OTHER "-" OTHER_SPAN "-1\t");
	check_parent(&remote, OTHER, OTHER_SPAN);
	remote = EXTRACT("b3", .trace_id = " " TRACE, .span_id = SPAN " ", .sampled = " 0 ");
	check_parent(&remote, TRACE, SPAN);
	assert_int_equal(remote.decision, OPA_DECISION_NO);
	remote = EXTRACT("tracecontext", .traceparent = " \t ");
	assert_false(remote.known);
}

static void of_repeated_headers_of_b3_the_first_counts(void **state)
{
	(void)state;
	opa_remote remote = EXTRACT("b3", .b3 = OTHER "-" OTHER_SPAN "-1 , " TRACE "-" SPAN "-0");
	check_parent(&remote, OTHER, OTHER_SPAN);
	assert_int_equal(remote.decision, OPA_DECISION_YES);
	remote = EXTRACT("b3", .trace_id = TRACE "," OTHER, .span_id = SPAN ", " OTHER_SPAN,
		.sampled = "0, 1", .flags = ",1");
	check_parent(&remote, TRACE, SPAN);
	assert_int_equal(remote.decision, OPA_DECISION_NO);
}

static void what_a_later_propagator_finds_counts(void **state)
{
	(void)state;
	sent_headers sent = {
		.traceparent = TRACEPARENT, .tracestate = "a=1", .b3 = OTHER "-" OTHER_SPAN "-0"};
	opa_remote remote = extract("tracecontext,b3", sent);
	check_parent(&remote, OTHER, OTHER_SPAN);
	assert_int_equal(remote.decision, OPA_DECISION_NO);
	assert_int_equal(remote.state_len, 0);
	remote = extract("b3,tracecontext", sent);
	check_parent(&remote, TRACE, SPAN);
	assert_int_equal(remote.decision, OPA_DECISION_YES);
	assert_int_equal(remote.state_len, 3);
}

static void what_a_later_propagator_does_not_find_changes_nothing(void **state)
{
	(void)state;
	opa_remote remote = EXTRACT("tracecontext,b3", .traceparent = TRACEPARENT, .b3 = "nonsense");
	check_parent(&remote, TRACE, SPAN);
	remote = EXTRACT("b3,tracecontext", .traceparent = "nonsense", .b3 = OTHER "-" OTHER_SPAN "-1");
	check_parent(&remote, OTHER, OTHER_SPAN);
}

static void a_decision_alone_counts_where_no_parent_is_known(void **state)
{
	(void)state;
	opa_remote remote = EXTRACT("b3", .b3 = "0");
	assert_false(remote.known);
	assert_int_equal(remote.decision, OPA_DECISION_NO);
	remote = EXTRACT("b3multi", .flags = "1");
	assert_false(remote.known);
	assert_int_equal(remote.decision, OPA_DECISION_YES);
	assert_true(remote.debug);
	remote = EXTRACT("tracecontext,b3", .traceparent = TRACEPARENT, .b3 = "0");
	check_parent(&remote, TRACE, SPAN);
	assert_int_equal(remote.decision, OPA_DECISION_YES);
	remote = EXTRACT("b3,tracecontext", .traceparent = TRACEPARENT, .b3 = "0");
	assert_int_equal(remote.decision, OPA_DECISION_YES);
}

static void debug_stays_whoever_names_the_parent(void **state)
{
	(void)state;
	opa_remote remote =
		EXTRACT("b3,tracecontext", .traceparent = TRACEPARENT, .b3 = OTHER "-" OTHER_SPAN "-d");
	check_parent(&remote, TRACE, SPAN);
	assert_true(remote.debug);
}

static void without_propagators_nothing_counts(void **state)
{
	(void)state;
	opa_remote remote =
		EXTRACT("none", .traceparent = TRACEPARENT, .b3 = OTHER "-" OTHER_SPAN "-0");
	assert_false(remote.known);
	assert_int_equal(remote.decision, OPA_DECISION_OPEN);
	remote = EXTRACT("baggage", .traceparent = TRACEPARENT);
	assert_false(remote.known);
}

static void header_names_are_those_of_the_specifications(void **state)
{
	(void)state;
	static const char *const names[] = {"traceparent", "tracestate", "baggage", "b3",
		"x-b3-traceid", "x-b3-spanid", "x-b3-sampled", "x-b3-flags"};
	for (int i = 0; i < OPA_HEADER_COUNT; i++) {
		assert_string_equal(opa_header_name((opa_header)i), names[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_are_read_in_their_order_each_once),
		cmocka_unit_test(none_among_them_means_none),
		cmocka_unit_test(a_name_that_is_not_known_is_passed_over_and_said),
		cmocka_unit_test(only_headers_of_theirs_are_read),
		cmocka_unit_test(nothing_that_was_sent_is_nothing),
		cmocka_unit_test(trace_context_has_a_decision_and_a_state),
		cmocka_unit_test(of_b3_each_state_is_a_decision),
		cmocka_unit_test(both_of_b3_read_one_header_before_several),
		cmocka_unit_test(blanks_around_a_value_do_not_matter),
		cmocka_unit_test(of_repeated_headers_of_b3_the_first_counts),
		cmocka_unit_test(what_a_later_propagator_finds_counts),
		cmocka_unit_test(what_a_later_propagator_does_not_find_changes_nothing),
		cmocka_unit_test(a_decision_alone_counts_where_no_parent_is_known),
		cmocka_unit_test(debug_stays_whoever_names_the_parent),
		cmocka_unit_test(without_propagators_nothing_counts),
		cmocka_unit_test(header_names_are_those_of_the_specifications),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
