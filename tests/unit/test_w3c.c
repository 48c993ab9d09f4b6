/* `traceparent` as W3C Trace Context, level 2, section 3.2 has it. */
#include "support.h"
#include "core/opa_w3c.h"

#define TRACE "0af7651916cd43dd8448eb211c80319c"
#define SPAN  "b7ad6b7169203331"

/* Reads it in memory of its own length; a refused one must leave *parent zeroed. */
static bool reads(opa_str text, opa_traceparent *parent)
{
	static const opa_traceparent none;
	char *exact = malloc(text.len > 0 ? text.len : 1);
	memcpy(exact, text.data, text.len);
	memset(parent, 0xA5, sizeof(*parent));
	bool read = opa_w3c_parse((opa_str){exact, text.len}, parent);
	free(exact);
	if (!read) {
		assert_memory_equal(parent->trace_id, none.trace_id, OPA_TRACE_ID_LEN);
		assert_true(parent->parent == OPA_NO_SPAN && parent->flags == 0);
	}
	return read;
}

#define ACCEPTS(text) assert_true(reads(OPA_STR(text), &parent))
#define REFUSES(text) assert_false(reads(OPA_STR(text), &parent))

static void the_four_fields_are_read(void **state)
{
	(void)state;
	static const uint8_t id[] = {0x0a, 0xf7, 0x65, 0x19, 0x16, 0xcd, 0x43, 0xdd, 0x84, 0x48, 0xeb,
		0x21, 0x1c, 0x80, 0x31, 0x9c};
	opa_traceparent parent;
	ACCEPTS("00-" TRACE "-" SPAN "-01");
	assert_memory_equal(parent.trace_id, id, sizeof(id));
	assert_true(parent.parent == 0xb7ad6b7169203331u);
	assert_int_equal(parent.flags, OPA_W3C_SAMPLED);
}

static void flags_are_kept_as_they_are(void **state)
{
	(void)state;
	opa_traceparent parent;
	for (unsigned flags = 0; flags < 256; flags++) {
		char text[64];
		snprintf(text, sizeof(text), "00-" TRACE "-" SPAN "-%02x", flags);
		assert_true(reads(str(text), &parent));
		assert_int_equal(parent.flags, flags);
	}
	ACCEPTS("00-" TRACE "-" SPAN "-03");
	assert_int_equal(parent.flags, OPA_W3C_SAMPLED | OPA_W3C_RANDOM);
}

static void ids_may_begin_with_zeros_but_not_be_zero(void **state)
{
	(void)state;
	opa_traceparent parent;
	ACCEPTS("00-00000000000000000000000000000001-0000000000000001-00");
	assert_true(parent.parent == 1 && parent.trace_id[15] == 1);
	ACCEPTS("00-10000000000000000000000000000000-1000000000000000-00");
	REFUSES("00-00000000000000000000000000000000-" SPAN "-01");
	REFUSES("00-" TRACE "-0000000000000000-01");
}

static void version_00_has_nothing_behind_the_flags(void **state)
{
	(void)state;
	opa_traceparent parent;
	REFUSES("00-" TRACE "-" SPAN "-01-");
	REFUSES("00-" TRACE "-" SPAN "-01-what");
	REFUSES("00-" TRACE "-" SPAN "-010");
	REFUSES("00-" TRACE "-" SPAN "-01 ");
	REFUSES("00-" TRACE "-" SPAN "-01\0");
}

static void of_a_higher_version_the_first_four_fields_are_read(void **state)
{
	(void)state;
	opa_traceparent parent;
	ACCEPTS("01-" TRACE "-" SPAN "-01");
	ACCEPTS("cc-" TRACE "-" SPAN "-01-");
	ACCEPTS("cc-" TRACE "-" SPAN "-01-what-the-future-holds");
	assert_true(parent.parent == 0xb7ad6b7169203331u);
	ACCEPTS("fe-" TRACE "-" SPAN "-00-\0\xff");
	REFUSES("cc-" TRACE "-" SPAN "-01.what");
	REFUSES("cc-" TRACE "-" SPAN "-010");
	REFUSES("cc-" TRACE "-" SPAN "-0");
}

static void version_ff_is_refused(void **state)
{
	(void)state;
	opa_traceparent parent;
	REFUSES("ff-" TRACE "-" SPAN "-01");
	REFUSES("ff-" TRACE "-" SPAN "-01-x");
}

static void a_shorter_value_is_refused_at_any_length(void **state)
{
	(void)state;
	static const char full[] = "00-" TRACE "-" SPAN "-01";
	opa_traceparent parent;
	for (size_t len = 0; len < sizeof(full) - 1; len++) {
		assert_false(reads((opa_str){full, len}, &parent));
	}
}

static bool is_hex(int c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
}

/* Upper case, another dash, a space, a zero byte, bytes above ASCII: at each place each byte. */
static void no_other_byte_may_stand_at_any_place(void **state)
{
	(void)state;
	static const char full[] = "00-" TRACE "-" SPAN "-01";
	opa_traceparent parent;
	for (size_t at = 0; at < sizeof(full) - 1; at++) {
		for (int byte = 0; byte < 256; byte++) {
			char text[sizeof(full)];
			memcpy(text, full, sizeof(full));
			text[at] = (char)byte;
			bool right = full[at] == '-' ? byte == '-' : is_hex(byte);
			assert_int_equal(reads((opa_str){text, sizeof(full) - 1}, &parent), right);
		}
	}
}

static void spaces_around_it_are_refused(void **state)
{
	(void)state;
	opa_traceparent parent;
	REFUSES(" 00-" TRACE "-" SPAN "-01");
	REFUSES("00-" TRACE "-" SPAN "-01\n");
	REFUSES("00 -" TRACE "-" SPAN "-1");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_four_fields_are_read),
		cmocka_unit_test(flags_are_kept_as_they_are),
		cmocka_unit_test(ids_may_begin_with_zeros_but_not_be_zero),
		cmocka_unit_test(version_00_has_nothing_behind_the_flags),
		cmocka_unit_test(of_a_higher_version_the_first_four_fields_are_read),
		cmocka_unit_test(version_ff_is_refused),
		cmocka_unit_test(a_shorter_value_is_refused_at_any_length),
		cmocka_unit_test(no_other_byte_may_stand_at_any_place),
		cmocka_unit_test(spaces_around_it_are_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
