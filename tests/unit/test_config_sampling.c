/* What the settings say of sampling. */
#include "config_fixture.h"

static uint64_t threshold_for(const opa_config *config, const char *method, const char *path)
{
	uint64_t threshold = 0;
	return opa_sample_rules_find(config->sample_rules, str(method), str(path), &threshold)
			   ? threshold
			   : UINT64_MAX;
}

static void by_default_nothing_is_sampled(void **state)
{
	opa_config *config = make(*state);
	assert_null(config->sample_rules);
	assert_false(config->sample_told || config->keep_errors);
	assert_int_equal(config->rate_limit, 0);
	assert_true(config->keep_slow == 0);
}

static void a_rate_or_a_rule_that_is_given_is_told(void **state)
{
	config_fixture *f = *state;
	set_ini(f, OPA_SETTING_SAMPLE_RATE, "1");
	assert_true(make(f)->sample_told);
	f->input.given[OPA_SETTING_SAMPLE_RATE] = false;
	assert_false(make(f)->sample_told);
	set_env(f, "OTEL_TRACES_SAMPLER", "parentbased_always_on");
	assert_true(make(f)->sample_told);
	f->variables = 0;
	set_ini(f, OPA_SETTING_SAMPLE_RULES, "sapi:nobody's=1");
	assert_true(make(f)->sample_told);
	assert_null(make(f)->sample_rules);
}

static void numbers_are_read(void **state)
{
	config_fixture *f = *state;
	set_ini(f, OPA_SETTING_RATE_LIMIT, "250");
	set_ini(f, OPA_SETTING_KEEP_ERRORS, "on");
	set_ini(f, OPA_SETTING_KEEP_SLOW, "500ms");
	opa_config *config = make(f);
	assert_int_equal(config->rate_limit, 250);
	assert_true(config->keep_errors && config->keep_slow == OPA_SECOND / 2);
	assert_false(config->sample_told);
}

static void a_waiting_trace_has_the_other_limits(void **state)
{
	config_fixture *f = *state;
	set_ini(f, OPA_SETTING_MAX_TRACE_SIZE, "1M");
	set_ini(f, OPA_SETTING_MAX_EVENTS, "7");
	opa_config *config = make(f);
	assert_true(config->waiting_limits.flush_size == SIZE_MAX);
	assert_true(config->waiting_limits.flush_age == 0);
	assert_int_equal(config->waiting_limits.trace_size, OPA_MIB);
	assert_int_equal(config->waiting_limits.events, 7);
	assert_int_equal(config->waiting_limits.links, 128);
}

static void rules_are_of_the_process_and_of_its_service_wherever_that_came_from(void **state)
{
	config_fixture *f = *state;
	char longer[300];
	memset(longer, 'x', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	set_ini(f, OPA_SETTING_SAMPLE_RULES,
		"service:shop /a=0; service:unknown_service:php /b=0; sapi:cli /c=0; sapi:fpm* /d=0; "
		"service:xxx* /e=0");
	opa_config *config = make(f);
	assert_true(threshold_for(config, "GET", "/b") == OPA_SAMPLER_NONE);
	assert_true(threshold_for(config, "GET", "/c") == OPA_SAMPLER_NONE);
	assert_true(threshold_for(config, "GET", "/a") == UINT64_MAX);
	assert_true(threshold_for(config, "GET", "/d") == UINT64_MAX);
	set_env(f, "OTEL_RESOURCE_ATTRIBUTES", "a=b,service.name=shop");
	f->input.sapi = "fpm-fcgi";
	config = make(f);
	assert_true(threshold_for(config, "GET", "/a") == OPA_SAMPLER_NONE);
	assert_true(threshold_for(config, "GET", "/d") == OPA_SAMPLER_NONE);
	assert_true(threshold_for(config, "GET", "/b") == UINT64_MAX);
	set_ini(f, OPA_SETTING_SERVICE_NAME, longer);
	assert_true(threshold_for(make(f), "GET", "/e") == OPA_SAMPLER_NONE);
}

static void without_memory_there_is_no_config(void **state)
{
	config_fixture *f = *state;
	set_ini(f, OPA_SETTING_SAMPLE_RULES, "/a=0; *=1");
	opa_alloc_fail_after(-1, false);
	make(f);
	unsigned long asked = opa_alloc_fail_after(-1, false);
	for (unsigned long n = 0; n < asked; n++) {
		opa_alloc_fail_after((long)n, false);
		opa_config *config = opa_config_create(&f->input);
		opa_alloc_fail_after(-1, false);
		assert_null(config);
	}
}

int main(void)
{
#define EACH(test) cmocka_unit_test_setup_teardown(test, config_setup, config_teardown)
	const struct CMUnitTest tests[] = {
		EACH(by_default_nothing_is_sampled),
		EACH(a_rate_or_a_rule_that_is_given_is_told),
		EACH(numbers_are_read),
		EACH(a_waiting_trace_has_the_other_limits),
		EACH(rules_are_of_the_process_and_of_its_service_wherever_that_came_from),
		EACH(without_memory_there_is_no_config),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
