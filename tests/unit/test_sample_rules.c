/* opa.sample_rules: what is a rule, which one matches, and what it costs in memory. */
#include "support.h"
#include "core/opa_alloc.h"
#include "core/opa_sample_rules.h"
#include "core/opa_sampler.h"

#define NOTHING (-1.0)

/* In memory of its own length, so that a read beyond it is found. */
static bool accepts(const char *text, size_t len)
{
	char *exact = malloc(len > 0 ? len : 1);
	memcpy(exact, text, len);
	bool accepted = opa_sample_rules_accepts((opa_str){exact, len});
	free(exact);
	return accepted;
}

static opa_sample_rules *create(const char *text, const char *service, const char *sapi)
{
	opa_sample_rules *rules;
	char *copy = strdup(text);
	assert_true(accepts(text, strlen(text)));
	assert_true(opa_sample_rules_create(str(copy), str(service), str(sapi), &rules));
	memset(copy, '?', strlen(copy));
	free(copy);
	return rules;
}

/* The rate of the rule that matches, NOTHING when none does. */
static double rate_for(
	const char *text, const char *service, const char *sapi, const char *method, const char *path)
{
	uint64_t threshold = 7;
	double rate = NOTHING;
	opa_sample_rules *rules = create(text, service, sapi);
	if (rules != NULL && opa_sample_rules_find(rules, str(method), str(path), &threshold)) {
		rate = 1 - (double)threshold / (double)OPA_SAMPLER_NONE;
	}
	opa_sample_rules_destroy(rules);
	return rate;
}

static double rate_of(const char *text, const char *method, const char *path)
{
	return rate_for(text, "shop", "fpm-fcgi", method, path);
}

static void a_rule_has_selectors_and_a_rate(void **state)
{
	(void)state;
	static const char *const good[] = {"", " \t\r\n", ";", " ; ;; ", "*=1", "/=0", "/a=0.5;",
		";*=1", "GET=1", "GET /=1", "/ GET=1", "M-SEARCH /x=0", "A_1=1", "service:a=1",
		"sapi:cli=0", "sapi:c* service:s*p GET /x*=.25", " GET  /a = 1 ", "GET\n/a\t=\r\n1",
		"/a=b=1", "/a==0", "/\xc3\xa9=1", "/%2f?x=1", "/a:b=1", "*.php=0.1", "*/bin/worker.php=1",
		"/a=1e-3", "/service:x=1", "service:service:x=1"};
	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
		if (!accepts(good[i], strlen(good[i]))) {
			fail_msg("refused: %s", good[i]);
		}
	}
}

static void anything_else_is_refused(void **state)
{
	(void)state;
	static const char *const bad[] = {"=1", "1", "*", "*=", "*=2", "*=-1", "*=-0.1", "*=nan", "*=x",
		"*=1x", "*=1 1", "get /=1", "Get=1", "health=0", "a/b=1", "1A=1", "-A=1", "GET POST=1",
		"/a /b=1", "* /b=1", "sapi:a sapi:b=1", "service:a service:b=1", "service:=1", "sapi:=1",
		"host:a=1", "Service:a=1", "*=1;bad", "bad;*=1", "GET /a=1, /b=0", "GET/a=1", "*=1;;=0",
		"/a\x01=1"};
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		if (accepts(bad[i], strlen(bad[i]))) {
			fail_msg("accepted: %s", bad[i]);
		}
	}
	assert_false(accepts("/a\0b=1", 6));
	assert_false(accepts("*=\0", 3));
}

static void there_are_256_rules_at_most(void **state)
{
	(void)state;
	char text[4 * (OPA_SAMPLE_RULES_MAX + 2)] = "";
	for (int i = 0; i < OPA_SAMPLE_RULES_MAX; i++) {
		strcat(text, "/=1;");
	}
	assert_true(accepts(text, strlen(text)));
	strcat(text, " ;");
	assert_true(accepts(text, strlen(text)));
	strcat(text, "*=1");
	assert_false(accepts(text, strlen(text)));
}

static void the_first_rule_that_matches_counts(void **state)
{
	(void)state;
	static const char rules[] = "GET /health=0; POST /checkout*=1; *=0.5";
	assert_true(rate_of(rules, "GET", "/health") == 0);
	assert_true(rate_of(rules, "POST", "/health") == 0.5);
	assert_true(rate_of(rules, "GET", "/healthy") == 0.5);
	assert_true(rate_of(rules, "POST", "/checkout") == 1);
	assert_true(rate_of(rules, "POST", "/checkout/pay") == 1);
	assert_true(rate_of(rules, "GET", "/checkout") == 0.5);
	assert_true(rate_of(rules, "", "/srv/worker.php") == 0.5);
	assert_true(rate_of("/a=0; /a=1; /a*=0.25", "GET", "/a") == 0);
}

static void where_none_matches_there_is_no_answer(void **state)
{
	(void)state;
	assert_true(rate_of("", "GET", "/") == NOTHING);
	assert_true(rate_of("/a=1", "GET", "/") == NOTHING);
	assert_true(rate_of("POST=1", "GET", "/") == NOTHING);
	assert_true(rate_of("POST=1", "", "/x") == NOTHING);
	assert_true(rate_of("POST=1", "POSTS", "/x") == NOTHING);
	assert_true(rate_of("POST=1", "post", "/x") == NOTHING);
}

static void a_star_stands_for_anything_and_case_matters(void **state)
{
	(void)state;
	assert_true(rate_of("/a*z=1", "GET", "/a/b/z") == 1);
	assert_true(rate_of("/a*z=1", "GET", "/az") == 1);
	assert_true(rate_of("/a*z=1", "GET", "/az/") == NOTHING);
	assert_true(rate_of("*.php=1", "GET", "/x.php") == 1);
	assert_true(rate_of("*a*b*=1", "GET", "/xaxxbx") == 1);
	assert_true(rate_of("*a*b*=1", "GET", "/xbxxax") == NOTHING);
	assert_true(rate_of("/A=1", "GET", "/a") == NOTHING);
	assert_true(rate_of("/a?=1", "GET", "/ab") == NOTHING);
	assert_true(rate_of("**=1", "GET", "/") == 1);
	assert_true(rate_of("/a=b*=1", "GET", "/a=bc") == 1);
	assert_true(rate_of("*=1", "GET", "") == 1);
}

static void service_and_sapi_are_those_of_the_process(void **state)
{
	(void)state;
	static const char rules[] = "service:shop* /a=1; sapi:cli=0; service:desk sapi:fpm* *=0.25";
	assert_true(rate_for(rules, "shop-eu", "fpm-fcgi", "GET", "/a") == 1);
	assert_true(rate_for(rules, "shop-eu", "fpm-fcgi", "GET", "/b") == NOTHING);
	assert_true(rate_for(rules, "shop", "cli", "", "/x.php") == 0);
	assert_true(rate_for(rules, "desk", "fpm-fcgi", "GET", "/a") == 0.25);
	assert_true(rate_for(rules, "desk", "apache2handler", "GET", "/a") == NOTHING);
	assert_true(
		rate_for("service:unknown_service:php=1", "unknown_service:php", "cli", "", "") == 1);
	assert_null(create("service:a=1; sapi:b=1", "c", "c"));
}

static void rates_are_those_of_the_sampler(void **state)
{
	(void)state;
	uint64_t threshold = 0;
	opa_sample_rules *rules = create("/a=0.1; /b=0; /c=1e-300", "s", "cli");
	assert_true(opa_sample_rules_find(rules, str("GET"), str("/a"), &threshold));
	assert_true(threshold == opa_sampler_threshold(0.1));
	assert_true(opa_sample_rules_find(rules, str("GET"), str("/b"), &threshold));
	assert_true(threshold == OPA_SAMPLER_NONE);
	assert_true(opa_sample_rules_find(rules, str("GET"), str("/c"), &threshold));
	assert_true(threshold == OPA_SAMPLER_NONE);
	opa_sample_rules_destroy(rules);
	opa_sample_rules_destroy(NULL);
}

static void without_memory_there_are_none(void **state)
{
	(void)state;
	for (long n = 0; n < 2; n++) {
		opa_sample_rules *rules = (opa_sample_rules *)&n;
		opa_alloc_fail_after(n, false);
		assert_false(opa_sample_rules_create(str("GET /=1"), str(""), str(""), &rules));
		assert_null(rules);
	}
	opa_alloc_fail_after(-1, false);
}

static void asking_takes_no_memory(void **state)
{
	(void)state;
	uint64_t threshold;
	opa_sample_rules *rules = create("GET /a*=1; *=0", "", "");
	opa_alloc_fail_after(0, true);
	assert_true(opa_sample_rules_find(rules, str("GET"), str("/abc"), &threshold));
	assert_true(opa_sample_rules_accepts(str("GET /a*=1")));
	assert_int_equal(opa_alloc_fail_after(-1, false), 0);
	opa_sample_rules_destroy(rules);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_rule_has_selectors_and_a_rate),
		cmocka_unit_test(anything_else_is_refused),
		cmocka_unit_test(there_are_256_rules_at_most),
		cmocka_unit_test(the_first_rule_that_matches_counts),
		cmocka_unit_test(where_none_matches_there_is_no_answer),
		cmocka_unit_test(a_star_stands_for_anything_and_case_matters),
		cmocka_unit_test(service_and_sapi_are_those_of_the_process),
		cmocka_unit_test(rates_are_those_of_the_sampler),
		cmocka_unit_test(without_memory_there_are_none),
		cmocka_unit_test(asking_takes_no_memory),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
