/* Redaction: which keys are on a list, and what a URL's query looks like afterwards. */
#include "support.h"
#include "opa_config.h"
#include "core/opa_alloc.h"
#include "core/opa_redact.h"

static opa_redact *list_of(const char *patterns)
{
	opa_redact *redact = opa_redact_create(str(patterns));
	assert_non_null(redact);
	return redact;
}

static bool is_on(const char *patterns, const char *key)
{
	opa_redact *redact = list_of(patterns);
	size_t len = strlen(key);
	char *exact = malloc(len > 0 ? len : 1); /* the sanitizers see what is read beyond */
	memcpy(exact, key, len);
	bool answer = opa_redact_matches(redact, (opa_str){exact, len});
	free(exact);
	opa_redact_destroy(redact);
	return answer;
}

static void check_query(const char *patterns, opa_str query, const char *expected)
{
	opa_redact *redact = list_of(patterns);
	char *from = malloc(query.len + 1), *to = malloc(opa_redact_query_bound(query.len));
	memcpy(from, query.data, query.len);
	size_t n = opa_redact_query(redact, (opa_str){from, query.len}, to);
	if (n != strlen(expected) || memcmp(to, expected, n) != 0) {
		fail_msg("%.*s became %.*s, not %s", (int)query.len, query.data, (int)n, to, expected);
	}
	free(from);
	free(to);
	opa_redact_destroy(redact);
}

#define QUERY(patterns, from, to) check_query(patterns, OPA_STR(from), to)

static void a_pattern_without_star_is_the_whole_key(void **state)
{
	(void)state;
	assert_true(is_on("code", "code"));
	assert_false(is_on("code", "cod"));
	assert_false(is_on("code", "codes"));
	assert_false(is_on("code", "zip.code"));
	assert_false(is_on("code", ""));
}

static void case_of_ascii_letters_does_not_matter(void **state)
{
	(void)state;
	assert_true(is_on("Code", "cODE"));
	assert_true(is_on("*PassWord*", "user.PASSWORD.old"));
	assert_false(is_on("\xC3\x89t\xC3\xA9", "\xC3\xA9t\xC3\xA9"));
	assert_true(is_on("\xC3\xA9T\xC3\xA9", "\xC3\xA9t\xC3\xA9"));
	assert_false(is_on("[", "{"));
	assert_false(is_on("@", "`"));
}

static void a_star_stands_for_any_run_of_characters(void **state)
{
	(void)state;
	assert_true(is_on("*token*", "token") && is_on("*token*", "a.token.b"));
	assert_true(is_on("*.sig", "x.sig") && !is_on("*.sig", "sig") && !is_on("*.sig", "x.sign"));
	assert_true(is_on("db.*", "db.") && is_on("db.*", "db.x") && !is_on("db.*", "db"));
	assert_true(is_on("a*b*c", "abc") && is_on("a*b*c", "axxbyyc") && is_on("a*b*c", "abcbc"));
	assert_false(is_on("a*b*c", "acb"));
	assert_true(is_on("*aab", "aaab") && is_on("*abab*", "aabaabab"));
	assert_true(is_on("*", "") && is_on("**", "x") && is_on("*", "a,b"));
	assert_true(is_on("x-*", "X-*"));
}

/* The rule again, from the definition. */
static bool slowly(const char *pattern, const char *key)
{
	if (*pattern == '*') {
		return slowly(pattern + 1, key) || (*key != '\0' && slowly(pattern, key + 1));
	}
	return *pattern == *key && (*key == '\0' || slowly(pattern + 1, key + 1));
}

static void random_patterns_agree_with_the_definition(void **state)
{
	(void)state;
	uint64_t seed = 5;
	for (unsigned long i = scaled(200000, 2000); i > 0; i--) {
		char pattern[8] = "", key[10] = "";
		size_t pattern_len = 1 + random_below(&seed, 7), key_len = random_below(&seed, 10);
		for (size_t k = 0; k < pattern_len; k++) {
			pattern[k] = "ab*"[random_below(&seed, 3)];
		}
		for (size_t k = 0; k < key_len; k++) {
			key[k] = "ab"[random_below(&seed, 2)];
		}
		if (is_on(pattern, key) != slowly(pattern, key)) {
			fail_msg("%s and %s", pattern, key);
		}
	}
}

static void blanks_and_empty_names_in_the_list_mean_nothing(void **state)
{
	(void)state;
	assert_true(is_on(" a , \tb\t,,c ,", "a") && is_on(" a , \tb\t,,c ,", "b"));
	assert_true(is_on(" a , \tb\t,,c ,", "c"));
	assert_false(is_on(" a , ,,", "") || is_on(",", ",") || is_on("", "") || is_on("", "a"));
	assert_true(is_on("a b", "a b"));
}

static void zero_bytes_in_a_key_are_bytes(void **state)
{
	(void)state;
	opa_redact *redact = list_of("code,*secret*");
	assert_false(opa_redact_matches(redact, OPA_STR("code\0")));
	assert_false(opa_redact_matches(redact, OPA_STR("code\0x")));
	assert_true(opa_redact_matches(redact, OPA_STR("a\0secret\0")));
	opa_redact_destroy(redact);
}

static void the_default_list_has_the_usual_secrets(void **state)
{
	(void)state;
	static const char *const secret[] = {"password", "db.PASSWORD", "passwd", "pwd",
		"client_secret", "access_token", "csrf-token", "api_key",
		"http.request.header.authorization", "http.request.header.cookie", "Set-Cookie",
		"signature", "x.signature", "sig", "code", "PHPSESSID", "X-Amz-Signature",
		"X-Amz-Credential", "X-Amz-Security-Token", "AWSAccessKeyId", "X-Goog-Signature"};
	static const char *const harmless[] = {"zip_code", "http.response.status_code", "http.route",
		"url.path", "encode", "codec", "design", "side", "author", "db.query.text",
		"code.function"};
	for (size_t i = 0; i < sizeof(secret) / sizeof(secret[0]); i++) {
		if (!is_on(OPA_REDACT_DEFAULT, secret[i])) {
			fail_msg("%s is not on the list", secret[i]);
		}
	}
	for (size_t i = 0; i < sizeof(harmless) / sizeof(harmless[0]); i++) {
		if (is_on(OPA_REDACT_DEFAULT, harmless[i])) {
			fail_msg("%s is on the list", harmless[i]);
		}
	}
}

static void a_memo_answers_as_the_list_does(void **state)
{
	(void)state;
	opa_redact *lists[] = {list_of("*a*,bb"), list_of("*b,cc")};
	opa_redact_memo memo;
	memset(&memo, 0, sizeof(memo));
	uint64_t seed = 6;
	for (unsigned long i = scaled(200000, 2000); i > 0; i--) {
		char key[OPA_REDACT_MEMO_KEY + 4];
		size_t len =
			random_below(&seed, 2) ? random_below(&seed, 4) : random_below(&seed, sizeof(key));
		for (size_t k = 0; k < len; k++) {
			key[k] = "abc\0"[random_below(&seed, k == 0 ? 4 : 3)];
		}
		const opa_redact *redact = lists[i / 64 % 2];
		assert_int_equal(opa_redact_asks(&memo, redact, (opa_str){key, len}),
			opa_redact_matches(redact, (opa_str){key, len}));
	}
	opa_redact_destroy(lists[0]);
	opa_redact_destroy(lists[1]);
}

static void values_of_listed_parameters_are_replaced(void **state)
{
	(void)state;
	QUERY("token", "a=1&token=x&b=2", "a=1&token=REDACTED&b=2");
	QUERY("token", "TOKEN=x=y=z", "TOKEN=REDACTED");
	QUERY("token", "token=", "token=REDACTED");
	QUERY("*", "=&=", "=REDACTED&=REDACTED");
	QUERY("*", "=", "=REDACTED");
}

static void the_rest_of_a_query_is_left_as_it_is(void **state)
{
	(void)state;
	QUERY("token", "", "");
	QUERY("token", "&&", "&&");
	QUERY("token", "token", "token");
	QUERY("token", "token&a&", "token&a&");
	QUERY("token", "a=token&b=%74oken", "a=token&b=%74oken");
	QUERY("", "password=x", "password=x");
	QUERY("token", "a=%zz&b=%&c=%4", "a=%zz&b=%&c=%4");
	QUERY("token", "gr\xC3\xBC\xC3\x9F=\xff\xfe", "gr\xC3\xBC\xC3\x9F=\xff\xfe");
}

static void names_are_compared_decoded(void **state)
{
	(void)state;
	QUERY("token", "%74oken=x&tok%65n=x&toke%6E=x",
		"%74oken=REDACTED&tok%65n=REDACTED&toke%6E=REDACTED");
	QUERY("a b", "a+b=x&a%20b=y", "a+b=REDACTED&a%20b=REDACTED");
	QUERY("a+b", "a%2Bb=x&a+b=y&a%2bb=z", "a%2Bb=REDACTED&a+b=y&a%2bb=REDACTED");
	QUERY("a%4", "a%4=x&a%=y", "a%4=REDACTED&a%=y");
	QUERY("a%,b%g1", "a%=x&b%g1=y", "a%=REDACTED&b%g1=REDACTED");
	QUERY("token", "%2574oken=x", "%2574oken=x");
	QUERY("token", "token%00=x", "token%00=x");
}

/* PHP, too, knows it without them. */
static void spaces_in_front_of_a_name_are_no_way_past(void **state)
{
	(void)state;
	QUERY("code", "+code=x&%20%20code=y", "+code=REDACTED&%20%20code=REDACTED");
}

static void keys_of_arrays_are_looked_at_one_by_one(void **state)
{
	(void)state;
	QUERY("pwd", "user[pwd]=x&user%5Bpwd%5D=y", "user[pwd]=REDACTED&user%5Bpwd%5D=REDACTED");
	QUERY("pwd", "pwd[]=x&pwd[a][b]=y", "pwd[]=REDACTED&pwd[a][b]=REDACTED");
	QUERY("pwd", "a[b][pwd][c]=x", "a[b][pwd][c]=REDACTED");
	QUERY("pwd", "a[xpwd]=1&a[b]pwd=2&[]=3", "a[xpwd]=1&a[b]pwd=2&[]=3");
	QUERY("a[b]", "a[b]=x&a[c]=y", "a[b]=REDACTED&a[c]=y");
}

/* arg_separator.input may make it one; where it does not, it belongs to the value. */
static void a_semicolon_begins_a_name_but_ends_no_value(void **state)
{
	(void)state;
	QUERY("token", "a=1;token=x&b=2", "a=1;token=REDACTED&b=2");
	QUERY("token", "token=x;y;b=1&c=2", "token=REDACTED&c=2");
	QUERY("token", ";;a=1;", ";;a=1;");
}

static void a_long_name_is_no_way_past(void **state)
{
	(void)state;
	char query[1200], expected[1200];
	for (int pad = 240; pad < 1000; pad += 19) {
		snprintf(query, sizeof(query), "%0*d[password]=x&b=1", pad, 0);
		snprintf(expected, sizeof(expected), "%0*d[password]=REDACTED&b=1", pad, 0);
		check_query("password", str(query), expected);
	}
}

static void any_query_fits_into_its_bound(void **state)
{
	(void)state;
	opa_redact *redact = list_of("*a*,%,b c,*");
	uint64_t seed = 7;
	for (unsigned long i = scaled(100000, 1000); i > 0; i--) {
		size_t len = random_below(&seed, 24);
		char *query = malloc(len > 0 ? len : 1), *to = malloc(opa_redact_query_bound(len));
		for (size_t k = 0; k < len; k++) {
			query[k] = "a=&;%2[+"[random_below(&seed, 8)];
		}
		assert_true(
			opa_redact_query(redact, (opa_str){query, len}, to) <= opa_redact_query_bound(len));
		free(query);
		free(to);
	}
	opa_redact_destroy(redact);
}

static void without_memory_there_is_no_list_and_nothing_is_lost(void **state)
{
	(void)state;
	for (long n = 0; n < 2; n++) {
		opa_alloc_fail_after(n, false);
		assert_null(opa_redact_create(OPA_STR("a,b")));
	}
	opa_alloc_fail_after(-1, false);
	opa_redact_destroy(list_of("a,b"));
	opa_redact_destroy(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_pattern_without_star_is_the_whole_key),
		cmocka_unit_test(case_of_ascii_letters_does_not_matter),
		cmocka_unit_test(a_star_stands_for_any_run_of_characters),
		cmocka_unit_test(random_patterns_agree_with_the_definition),
		cmocka_unit_test(blanks_and_empty_names_in_the_list_mean_nothing),
		cmocka_unit_test(zero_bytes_in_a_key_are_bytes),
		cmocka_unit_test(the_default_list_has_the_usual_secrets),
		cmocka_unit_test(a_memo_answers_as_the_list_does),
		cmocka_unit_test(values_of_listed_parameters_are_replaced),
		cmocka_unit_test(the_rest_of_a_query_is_left_as_it_is),
		cmocka_unit_test(names_are_compared_decoded),
		cmocka_unit_test(spaces_in_front_of_a_name_are_no_way_past),
		cmocka_unit_test(keys_of_arrays_are_looked_at_one_by_one),
		cmocka_unit_test(a_semicolon_begins_a_name_but_ends_no_value),
		cmocka_unit_test(a_long_name_is_no_way_past),
		cmocka_unit_test(any_query_fits_into_its_bound),
		cmocka_unit_test(without_memory_there_is_no_list_and_nothing_is_lost),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
