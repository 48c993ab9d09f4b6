/*
 * Settings: which value counts and where it came from, what each may be, the limits, the memory.
 * What is made of the resource and of the places is in test_config_outlet.c.
 */
#include "config_fixture.h"

static void with_nothing_set_all_is_default(void **state)
{
	config_fixture *f = *state;
	opa_config *config = make(f);
	for (opa_setting setting = 0; setting < OPA_SETTING_COUNT; setting++) {
		assert_int_equal(config->sources[setting], OPA_FROM_DEFAULT);
		assert_null(config->variables[setting]);
		assert_string_equal(config->texts[setting], opa_setting_get_info(setting)->def);
	}
	assert_false(config->any_variable);
	assert_true(config->enabled && config->trace_cli && config->trust_incoming);
	assert_false(config->sample_alone || config->response_header || config->cli_args ||
				 config->trust_proxy || config->exporter_none);
	assert_int_equal(config->log_level, OPA_LOG_WARNING);
	assert_true(config->sample_threshold == 0);
	assert_true(config->trace_rotate == 60 * OPA_SECOND);
	assert_true(config->limits.flush_age == 60 * OPA_SECOND);
	assert_int_equal(config->limits.attributes, 128);
	assert_int_equal(config->limits.events, 128);
	assert_int_equal(config->limits.links, 128);
	assert_int_equal(config->limits.trace_size, 32 * OPA_MIB);
	assert_int_equal(config->event_attributes, 128);
	assert_int_equal(config->link_attributes, 128);
	assert_int_equal(config->max_value_length, 16 * OPA_KIB);
	assert_null(config->known_methods);
	assert_int_equal(f->warnings, 0);
}

static void every_default_is_a_value_that_is_accepted(void **state)
{
	(void)state;
	for (opa_setting setting = 0; setting < OPA_SETTING_COUNT; setting++) {
		const opa_setting_info *info = opa_setting_get_info(setting);
		if (!opa_setting_accepts(setting, str(info->def)) || strncmp(info->name, "opa.", 4) != 0) {
			fail_msg("%s: %s", info->name, info->def);
		}
	}
}

static void an_ini_value_outweighs_a_variable(void **state)
{
	config_fixture *f = *state;
	set_ini(f, OPA_SETTING_MAX_EVENTS, "9");
	set_env(f, "OTEL_SPAN_EVENT_COUNT_LIMIT", "7");
	opa_config *config = make(f);
	assert_int_equal(config->limits.events, 9);
	assert_int_equal(config->sources[OPA_SETTING_MAX_EVENTS], OPA_FROM_INI);
	assert_null(config->variables[OPA_SETTING_MAX_EVENTS]);
}

static void an_ini_value_that_is_the_default_outweighs_it_too(void **state)
{
	config_fixture *f = *state;
	set_ini(f, OPA_SETTING_MAX_EVENTS, "128");
	set_env(f, "OTEL_SPAN_EVENT_COUNT_LIMIT", "7");
	opa_config *config = make(f);
	assert_int_equal(config->limits.events, 128);
	assert_int_equal(config->sources[OPA_SETTING_MAX_EVENTS], OPA_FROM_INI);
}

/* A bad variable that does not count is not worth a line. */
static void a_variable_that_is_outweighed_is_not_looked_at(void **state)
{
	config_fixture *f = *state;
	set_ini(f, OPA_SETTING_MAX_EVENTS, "9");
	set_ini(f, OPA_SETTING_SAMPLE_RATE, "0.5");
	set_env(f, "OTEL_SPAN_EVENT_COUNT_LIMIT", "many");
	set_env(f, "OTEL_TRACES_SAMPLER", "nobody knows");
	make(f);
	assert_int_equal(f->warnings, 0);
}

static void a_variable_outweighs_the_default(void **state)
{
	config_fixture *f = *state;
	set_env(f, "OTEL_SPAN_EVENT_COUNT_LIMIT", "7");
	set_env(f, "OTEL_SPAN_LINK_COUNT_LIMIT", "8");
	set_env(f, "OTEL_SERVICE_NAME", "shop");
	opa_config *config = make(f);
	assert_int_equal(config->limits.events, 7);
	assert_int_equal(config->limits.links, 8);
	assert_string_equal(config->texts[OPA_SETTING_SERVICE_NAME], "shop");
	assert_int_equal(config->sources[OPA_SETTING_SERVICE_NAME], OPA_FROM_ENVIRONMENT);
	assert_true(config->any_variable);
	assert_int_equal(f->warnings, 0);
}

static void check_origin(const opa_config *config, opa_setting setting, const char *variable)
{
	assert_int_equal(config->sources[setting], OPA_FROM_ENVIRONMENT);
	assert_int_equal(strcspn(config->variables[setting], ","), strlen(variable));
	assert_memory_equal(config->variables[setting], variable, strlen(variable));
}

static void of_two_variables_the_first_counts(void **state)
{
	config_fixture *f = *state;
	set_env(f, "OTEL_ATTRIBUTE_COUNT_LIMIT", "6");
	set_env(f, "OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT", "5");
	set_env(f, "OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT", "60");
	opa_config *config = make(f);
	assert_int_equal(config->limits.attributes, 5);
	check_origin(config, OPA_SETTING_MAX_ATTRIBUTES, "OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT");
	assert_int_equal(config->max_value_length, 60);
	check_origin(config, OPA_SETTING_MAX_VALUE_LENGTH, "OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT");
}

static void an_empty_variable_counts_as_unset(void **state)
{
	config_fixture *f = *state;
	static const char *const names[] = {"OTEL_SDK_DISABLED", "OTEL_SERVICE_NAME",
		"OTEL_RESOURCE_ATTRIBUTES", "OTEL_TRACES_SAMPLER", "OTEL_TRACES_SAMPLER_ARG",
		"OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT", "OTEL_SPAN_EVENT_COUNT_LIMIT", "OTEL_TRACES_EXPORTER",
		"OTEL_EVENT_ATTRIBUTE_COUNT_LIMIT", "OTEL_LINK_ATTRIBUTE_COUNT_LIMIT",
		"OTEL_INSTRUMENTATION_HTTP_KNOWN_METHODS"};
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		set_env(f, names[i], "");
	}
	opa_config *config = make(f);
	for (opa_setting setting = 0; setting < OPA_SETTING_COUNT; setting++) {
		assert_int_equal(config->sources[setting], OPA_FROM_DEFAULT);
	}
	assert_false(config->any_variable);
	assert_null(config->known_methods);
	assert_int_equal(f->warnings, 0);
}

static void a_variable_that_cannot_be_read_is_one_line_and_no_more(void **state)
{
	config_fixture *f = *state;
	static const char *const bad[][2] = {{"OTEL_SDK_DISABLED", "perhaps"},
		{"OTEL_TRACES_SAMPLER", "jaeger_remote"}, {"OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT", "-1"},
		{"OTEL_SPAN_EVENT_COUNT_LIMIT", "65536"}, {"OTEL_SPAN_LINK_COUNT_LIMIT", "1.5"},
		{"OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT", "15"}, {"OTEL_SERVICE_NAME", "a\nb"},
		{"OTEL_EVENT_ATTRIBUTE_COUNT_LIMIT", "many"}, {"OTEL_LINK_ATTRIBUTE_COUNT_LIMIT", "65536"}};
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		f->variables = 0;
		f->warnings = 0;
		set_env(f, bad[i][0], bad[i][1]);
		opa_config *config = make(f);
		assert_int_equal(f->warnings, 1);
		assert_non_null(strstr(f->warning, bad[i][0]));
		assert_non_null(strstr(f->warning, i == 6 ? "a?b" : bad[i][1]));
		for (opa_setting setting = 0; setting < OPA_SETTING_COUNT; setting++) {
			assert_int_equal(config->sources[setting], OPA_FROM_DEFAULT);
		}
		assert_true(config->any_variable && config->enabled);
		assert_int_equal(config->event_attributes, 128);
		assert_int_equal(config->link_attributes, 128);
	}
}

static void behind_a_first_variable_that_is_bad_the_second_counts(void **state)
{
	config_fixture *f = *state;
	set_env(f, "OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT", "x");
	set_env(f, "OTEL_ATTRIBUTE_COUNT_LIMIT", "6");
	opa_config *config = make(f);
	assert_int_equal(config->limits.attributes, 6);
	check_origin(config, OPA_SETTING_MAX_ATTRIBUTES, "OTEL_ATTRIBUTE_COUNT_LIMIT");
	assert_int_equal(f->warnings, 1);
}

static void a_very_long_value_makes_a_short_line(void **state)
{
	config_fixture *f = *state;
	char *value = malloc(100001);
	memset(value, 'x', 100000);
	value[100000] = '\0';
	set_env(f, "OTEL_SPAN_EVENT_COUNT_LIMIT", value);
	make(f);
	assert_int_equal(f->warnings, 1);
	assert_true(strlen(f->warning) < 300);
	free(value);
}

/* It is for a log and for pages: one line, whatever bytes a variable has. */
static void a_warning_is_printable_ascii(void **state)
{
	config_fixture *f = *state;
	set_env(f, "OTEL_SPAN_EVENT_COUNT_LIMIT", "1\n\x1b[2J\xc3\xa4\x7f");
	set_env(f, "OTEL_SPAN_LINK_COUNT_LIMIT", "x");
	const char *lines = make(f)->warnings;
	assert_int_equal(f->warnings, 2);
	assert_non_null(strstr(lines, "\"1??[2J???\" is not"));
	for (; *lines != '\0'; lines++) {
		assert_true(*lines == '\n' || (*lines >= ' ' && *lines <= '~'));
	}
}

/* The specification: only "true" is true; else false, with a warning unless it says so. */
static void the_sdk_is_disabled_by_true_alone(void **state)
{
	config_fixture *f = *state;
	static const struct {
		const char *value;
		bool enabled;
		unsigned warnings;
	} cases[] = {{"true", false, 0}, {"TRUE", false, 0}, {"True", false, 0}, {"false", true, 0},
		{"FALSE", true, 0}, {"1", true, 1}, {"0", true, 1}, {"yes", true, 1}, {"on", true, 1},
		{"true ", true, 1}};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		f->variables = 0;
		f->warnings = 0;
		set_env(f, "OTEL_SDK_DISABLED", cases[i].value);
		opa_config *config = make(f);
		assert_int_equal(config->enabled, cases[i].enabled);
		assert_int_equal(config->sources[OPA_SETTING_ENABLED],
			cases[i].warnings > 0 ? OPA_FROM_DEFAULT : OPA_FROM_ENVIRONMENT);
		assert_int_equal(f->warnings, cases[i].warnings);
	}
}

static void the_samplers_are_those_of_the_specification(void **state)
{
	config_fixture *f = *state;
	static const struct {
		const char *sampler;
		const char *arg;
		const char *rate; /* NULL: the default, from no variable */
		unsigned warnings;
	} cases[] = {{"always_on", NULL, "1", 0}, {"always_off", NULL, "0", 0},
		{"parentbased_always_on", "0.1", "1", 0}, {"parentbased_always_off", "x", "0", 0},
		{"traceidratio", "0.25", "0.25", 0}, {"parentbased_traceidratio", "0.5", "0.5", 0},
		{"PARENTBASED_TraceIdRatio", "0.5", "0.5", 0}, {"Always_Off", NULL, "0", 0},
		{"traceidratio", NULL, "1", 0}, {"traceidratio", "1.5", "1", 1},
		{"traceidratio", "-0.5", "1", 1}, {"traceidratio", "half", "1", 1},
		{"traceidratio", "nan", "1", 1}, {"parentbased_", NULL, NULL, 1},
		{"parentbased", NULL, NULL, 1}, {"always_onn", NULL, NULL, 1},
		{"parentbased_parentbased_always_off", NULL, NULL, 1}, {NULL, "0.5", NULL, 0}};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		f->variables = 0;
		f->warnings = 0;
		set_env(f, "OTEL_TRACES_SAMPLER", cases[i].sampler);
		set_env(f, "OTEL_TRACES_SAMPLER_ARG", cases[i].arg);
		opa_config *config = make(f);
		const char *rate = cases[i].rate == NULL ? "1" : cases[i].rate;
		assert_string_equal(config->texts[OPA_SETTING_SAMPLE_RATE], rate);
		assert_true(config->sample_threshold == opa_sampler_threshold(strtod(rate, NULL)));
		assert_int_equal(config->sources[OPA_SETTING_SAMPLE_RATE],
			cases[i].rate == NULL ? OPA_FROM_DEFAULT : OPA_FROM_ENVIRONMENT);
		assert_int_equal(f->warnings, cases[i].warnings);
	}
}

/* Of an argument of any length nothing is lost: it would be another rate. */
static void a_long_sampler_argument_counts_whole(void **state)
{
	config_fixture *f = *state;
	char arg[200];
	snprintf(arg, sizeof(arg), "%0100d.25%050de-1", 0, 0);
	set_env(f, "OTEL_TRACES_SAMPLER", "traceidratio");
	set_env(f, "OTEL_TRACES_SAMPLER_ARG", arg);
	assert_true(make(f)->sample_threshold == opa_sampler_threshold(0.025));
	f->variables = 0;
	snprintf(arg, sizeof(arg), "%100s0.25", "");
	set_env(f, "OTEL_TRACES_SAMPLER", "traceidratio");
	set_env(f, "OTEL_TRACES_SAMPLER_ARG", arg);
	assert_true(make(f)->sample_threshold == opa_sampler_threshold(0.25));
	assert_int_equal(f->warnings, 0);
}

static void no_exporter_means_none_in_any_case(void **state)
{
	config_fixture *f = *state;
	set_env(f, "OTEL_TRACES_EXPORTER", "none");
	assert_true(make(f)->exporter_none);
	f->variables = 0;
	set_env(f, "OTEL_TRACES_EXPORTER", "None");
	assert_true(make(f)->exporter_none);
	f->variables = 0;
	set_env(f, "OTEL_TRACES_EXPORTER", "otlp");
	assert_false(make(f)->exporter_none);
}

static void an_exporter_that_opa_does_not_know_is_not_passed_over_in_silence(void **state)
{
	config_fixture *f = *state;
	static const struct {
		const char *value;
		unsigned warnings;
		bool collector;
		bool none;
	} cases[] = {{"otlp", 0, true, false}, {"OTLP", 0, true, false}, {"zipkin", 1, false, false},
		{"console, otlp ,zipkin", 2, true, false}, {"none", 0, false, true}, {"", 0, false, false},
		{" , ", 0, false, false}};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		f->variables = 0;
		f->warnings = 0;
		set_env(f, "OTEL_TRACES_EXPORTER", cases[i].value);
		opa_config *config = make(f);
		assert_int_equal(f->warnings, cases[i].warnings);
		assert_int_equal(config->collector != NULL, cases[i].collector);
		assert_int_equal(config->exporter_none, cases[i].none);
	}
}

static void propagators_are_a_list_in_order(void **state)
{
	config_fixture *f = *state;
	opa_config *config = make(f);
	assert_int_equal(config->propagators.count, 2);
	assert_int_equal(config->propagators.order[0], OPA_PROPAGATOR_TRACECONTEXT);
	set_env(f, "OTEL_PROPAGATORS", "b3multi,B3");
	config = make(f);
	assert_int_equal(config->propagators.count, 2);
	assert_int_equal(config->propagators.order[0], OPA_PROPAGATOR_B3MULTI);
	set_ini(f, OPA_SETTING_PROPAGATORS, "");
	config = make(f);
	assert_int_equal(config->propagators.count, 0);
	assert_int_equal(f->warnings, 0);
}

static void a_propagator_that_is_not_known_is_one_line(void **state)
{
	config_fixture *f = *state;
	set_env(f, "OTEL_PROPAGATORS", "jaeger,baggage,xray");
	opa_config *config = make(f);
	assert_int_equal(config->propagators.count, 1);
	assert_int_equal(f->warnings, 1);
	assert_non_null(strstr(f->warning, "OTEL_PROPAGATORS: \"jaeger\" is ignored"));
	set_ini(f, OPA_SETTING_PROPAGATORS, "ottrace");
	config = make(f);
	assert_int_equal(config->propagators.count, 0);
	assert_int_equal(f->warnings, 2);
	assert_non_null(strstr(f->warning, "opa.propagators: \"ottrace\" is ignored"));
}

static void known_methods_are_a_list_between_commas(void **state)
{
	config_fixture *f = *state;
	set_env(f, "OTEL_INSTRUMENTATION_HTTP_KNOWN_METHODS", "GET, POST ,\tPROPFIND");
	assert_string_equal(make(f)->known_methods, ",GET,POST,PROPFIND,");
	char *many = malloc(4001), *expected = malloc(4003);
	for (size_t i = 0; i < 4000; i++) {
		many[i] = i % 4 == 3 ? ',' : 'M';
	}
	many[4000] = '\0';
	snprintf(expected, 4003, ",%s,", many);
	f->variables = 0;
	set_env(f, "OTEL_INSTRUMENTATION_HTTP_KNOWN_METHODS", many);
	assert_string_equal(make(f)->known_methods, expected);
	free(many);
	free(expected);
}

static void limits_of_events_and_links_come_from_variables(void **state)
{
	config_fixture *f = *state;
	set_env(f, "OTEL_EVENT_ATTRIBUTE_COUNT_LIMIT", "0");
	set_env(f, "OTEL_LINK_ATTRIBUTE_COUNT_LIMIT", "65535");
	opa_config *config = make(f);
	assert_int_equal(config->event_attributes, 0);
	assert_int_equal(config->link_attributes, 65535);
	assert_int_equal(f->warnings, 0);
}

static void every_number_reaches_what_it_is_for(void **state)
{
	config_fixture *f = *state;
	set_ini(f, OPA_SETTING_ENABLED, "off");
	set_ini(f, OPA_SETTING_TRACE_CLI, "");
	set_ini(f, OPA_SETTING_CLI_ARGS, "yes");
	set_ini(f, OPA_SETTING_TRUST_PROXY, "1");
	set_ini(f, OPA_SETTING_TRUST_INCOMING, "0");
	set_ini(f, OPA_SETTING_RESPONSE_HEADER, "1");
	set_ini(f, OPA_SETTING_TRACE_ROTATE, "500ms");
	set_ini(f, OPA_SETTING_MAX_ATTRIBUTES, "0");
	set_ini(f, OPA_SETTING_MAX_LINKS, "65535");
	set_ini(f, OPA_SETTING_MAX_VALUE_LENGTH, "1M");
	set_ini(f, OPA_SETTING_MAX_TRACE_SIZE, "1G");
	set_ini(f, OPA_SETTING_LOG_LEVEL, "debug");
	set_ini(f, OPA_SETTING_SAMPLE_RATE, "0.5");
	set_ini(f, OPA_SETTING_REDACT, "mine");
	opa_config *config = make(f);
	assert_false(config->enabled || config->trace_cli);
	assert_true(config->cli_args && config->trust_proxy && !config->trust_incoming);
	assert_true(config->response_header);
	assert_true(config->trace_rotate == OPA_SECOND / 2);
	assert_true(config->limits.flush_age == OPA_SECOND / 2);
	assert_int_equal(config->limits.attributes, 0);
	assert_int_equal(config->limits.links, 65535);
	assert_int_equal(config->max_value_length, OPA_MIB);
	assert_int_equal(config->limits.trace_size, 1024 * OPA_MIB);
	assert_int_equal(config->log_level, OPA_LOG_DEBUG);
	assert_true(config->sample_threshold == opa_sampler_threshold(0.5));
	assert_true(opa_redact_matches(config->redact, OPA_STR("MINE")));
	assert_false(opa_redact_matches(config->redact, OPA_STR("password")));
}

/* ---- what each setting may be ---- */

static void check_range(opa_setting setting, const char *good, const char *bad)
{
	const char *name = opa_setting_get_info(setting)->name;
	char text[128];
	for (const char *list = good; *list != '\0'; list += strcspn(list, "|") + 1) {
		snprintf(text, sizeof(text), "%.*s", (int)strcspn(list, "|"), list);
		if (!opa_setting_accepts(setting, str(text))) {
			fail_msg("%s refuses %s", name, text);
		}
	}
	for (const char *list = bad; *list != '\0'; list += strcspn(list, "|") + 1) {
		snprintf(text, sizeof(text), "%.*s", (int)strcspn(list, "|"), list);
		if (opa_setting_accepts(setting, str(text))) {
			fail_msg("%s accepts %s", name, text);
		}
	}
}

static void each_setting_has_its_range(void **state)
{
	(void)state;
	static const opa_setting flags[] = {
		OPA_SETTING_ENABLED, OPA_SETTING_TRACE_CLI, OPA_SETTING_CLI_ARGS, OPA_SETTING_TRUST_PROXY};
	static const opa_setting counts[] = {
		OPA_SETTING_MAX_ATTRIBUTES, OPA_SETTING_MAX_EVENTS, OPA_SETTING_MAX_LINKS};
	static const opa_setting paths[] = {
		OPA_SETTING_SPOOL_DIR, OPA_SETTING_STORE_PATH, OPA_SETTING_EXPORTER_PATH};
	for (size_t i = 0; i < 4; i++) {
		check_range(flags[i], "1|0|on|Off|yes|no|true|false|", "2|-1|maybe|nul|");
	}
	for (size_t i = 0; i < 3; i++) {
		check_range(counts[i], "0|1|65535|", "-1|65536|1K|x|1.0|18446744073709551616|");
		check_range(paths[i], "/|/a b|//x|", "a|./a|~|C:\\x|/a\nb|");
		assert_true(opa_setting_accepts(paths[i], OPA_STR("")));
		assert_false(opa_setting_accepts(paths[i], OPA_STR("/a\0b")));
		assert_false(opa_setting_accepts(counts[i], OPA_STR("")));
	}
	check_range(OPA_SETTING_SAMPLE_RATE, "0|1|0.5|1e-9|-0|", "1.0001|-0.1|nan|inf|x|0,5|50%|");
	check_range(OPA_SETTING_TRACE_ROTATE, "0|1ns|1d|24h|86400|", "86401|25h|2d|-1|1x|");
	check_range(OPA_SETTING_MAX_VALUE_LENGTH, "16|1M|1024K|", "15|0|1048577|2M|1G|-16|");
	check_range(OPA_SETTING_MAX_TRACE_SIZE, "64K|65536|1G|", "65535|0|1025M|2G|");
	check_range(OPA_SETTING_SPOOL_MAX_SIZE, "0|1T|1024G|64M|", "1025G|2T|-1|");
	check_range(OPA_SETTING_STORE_MAX_SIZE, "0|1T|1024G|64M|", "1025G|2T|-1|");
	check_range(OPA_SETTING_STORE_MAX_AGE, "0|36500d|7d|1ns|", "36501d|-1|1y|");
	check_range(OPA_SETTING_SHUTDOWN_TIMEOUT, "0|600|600s|10m|1ms|", "601|11m|-1|");
	check_range(OPA_SETTING_LOG_LEVEL, "off|error|warning|debug|Warning|OFF|", "info|2|warn|none|");
	assert_true(opa_setting_accepts(OPA_SETTING_LOG_LEVEL, OPA_STR("")));
	static const opa_setting texts[] = {OPA_SETTING_SERVICE_NAME, OPA_SETTING_RESOURCE_ATTRIBUTES,
		OPA_SETTING_REDACT, OPA_SETTING_STORE_GROUP};
	for (size_t i = 0; i < 4; i++) {
		check_range(texts[i], "a|a=b,c|\xff|", "a\nb|\n|");
		assert_true(opa_setting_accepts(texts[i], OPA_STR("")));
		assert_false(opa_setting_accepts(texts[i], OPA_STR("a\0b")));
	}
}

static void check_expects(opa_setting setting, const char *expected)
{
	char text[128];
	opa_setting_expects(setting, text, sizeof(text));
	assert_string_equal(text, expected);
}

static void what_a_setting_may_be_is_said_in_its_own_units(void **state)
{
	(void)state;
	check_expects(OPA_SETTING_ENABLED, "on or off");
	check_expects(OPA_SETTING_MAX_EVENTS, "a whole number from 0 to 65535");
	check_expects(OPA_SETTING_SAMPLE_RATE, "a number from 0 to 1");
	check_expects(OPA_SETTING_MAX_VALUE_LENGTH, "a size like 64M, from 16 to 1M");
	check_expects(OPA_SETTING_MAX_TRACE_SIZE, "a size like 64M, from 64K to 1G");
	check_expects(OPA_SETTING_SPOOL_MAX_SIZE, "a size like 64M, from 0 to 1T");
	check_expects(OPA_SETTING_TRACE_ROTATE, "a time like 500ms or 10s, from 0s to 1d");
	check_expects(OPA_SETTING_SHUTDOWN_TIMEOUT, "a time like 500ms or 10s, from 0s to 600s");
	check_expects(OPA_SETTING_SERVICE_NAME, "one line of text");
	check_expects(OPA_SETTING_SPOOL_DIR, "an absolute path, or nothing");
	check_expects(OPA_SETTING_LOG_LEVEL, "off, error, warning or debug");
}

/* ---- which config belongs to which values ---- */

static void a_config_is_found_again_by_the_values_it_was_made_of(void **state)
{
	config_fixture *f = *state;
	set_ini(f, OPA_SETTING_SERVICE_NAME, "shop");
	set_env(f, "OTEL_SPAN_EVENT_COUNT_LIMIT", "7");
	opa_config *config = make(f);
	assert_true(opa_config_is_made_of(config, &f->input));
	for (opa_setting setting = 0; setting < OPA_SETTING_COUNT; setting++) {
		opa_str was = f->input.ini[setting];
		bool given = f->input.given[setting];
		f->input.ini[setting] = OPA_STR("other");
		assert_false(opa_config_is_made_of(config, &f->input));
		f->input.ini[setting] = was;
		f->input.given[setting] = !given;
		assert_false(opa_config_is_made_of(config, &f->input));
		f->input.given[setting] = given;
	}
	f->input.ini[OPA_SETTING_SERVICE_NAME] = OPA_STR("shoq");
	assert_false(opa_config_is_made_of(config, &f->input));
	f->input.ini[OPA_SETTING_SERVICE_NAME] = OPA_STR("shop");
	assert_true(opa_config_is_made_of(config, &f->input));
}

/* ---- memory ---- */

/* Whatever it was made of may be gone: the sanitizers see a use of it. */
static void a_config_keeps_nothing_that_was_lent(void **state)
{
	config_fixture *f = *state;
	char *lent[] = {strdup("/a/path"), strdup("name=value"), strdup("/run/user/1"),
		strdup("/b/exporter"), strdup("/b/home"), strdup("cli"), strdup("8.2.0")};
	f->input.ini[OPA_SETTING_SPOOL_DIR] = str(lent[0]);
	f->input.given[OPA_SETTING_SPOOL_DIR] = true;
	set_env(f, "OTEL_RESOURCE_ATTRIBUTES", lent[1]);
	set_env(f, "XDG_RUNTIME_DIR", lent[2]);
	f->input.exporter = lent[3];
	set_env(f, "HOME", lent[4]);
	f->input.sapi = lent[5];
	f->input.php_version = lent[6];
	opa_config *config = make(f);
	for (size_t i = 0; i < sizeof(lent) / sizeof(lent[0]); i++) {
		memset(lent[i], '#', strlen(lent[i]));
		free(lent[i]);
	}
	assert_string_equal(config->outlet.spool.dir, "/a/path");
	assert_string_equal(config->outlet.spool.runtime_dir, "/run/user/1");
	assert_string_equal(config->outlet.exporter, "/b/exporter");
	assert_non_null(strstr(config->outlet.destination, "home=/b/home\n"));
	assert_string_equal(config->texts[OPA_SETTING_RESOURCE_ATTRIBUTES], "name=value");
}

static void fill(config_fixture *f)
{
	set_ini(f, OPA_SETTING_SERVICE_NAME, "shop");
	set_env(f, "OTEL_RESOURCE_ATTRIBUTES", "a=b,c=d");
	set_env(f, "OTEL_INSTRUMENTATION_HTTP_KNOWN_METHODS", "GET");
	set_env(f, "OTEL_SDK_DISABLED", "perhaps"); /* a warning takes memory, too */
	set_env(f, "XDG_RUNTIME_DIR", "/run/user/1");
	f->input.exporter = "/usr/lib/opa-exporter";
}

/* ASan would name a leak. */
static void without_memory_there_is_no_config_whichever_allocation_fails(void **state)
{
	config_fixture *f = *state;
	fill(f);
	opa_alloc_fail_after(-1, false);
	opa_config_release(opa_config_create(&f->input));
	unsigned long asked = opa_alloc_fail_after(-1, false);
	assert_true(asked > OPA_SETTING_COUNT);
	for (unsigned long n = 0; n < asked; n++) {
		for (int sticky = 0; sticky < 2; sticky++) {
			opa_alloc_fail_after((long)n, sticky);
			opa_config *config = opa_config_create(&f->input);
			opa_alloc_fail_after(-1, false);
			assert_null(config);
		}
	}
	opa_config_release(NULL);
}

static void a_renewal_without_memory_changes_nothing(void **state)
{
	config_fixture *f = *state;
	fill(f);
	opa_config *config = make(f);
	uint8_t *resource = malloc(config->resource_len);
	size_t len = config->resource_len;
	uint64_t id = config->resource_id;
	memcpy(resource, config->resource, len);
	opa_identity_gather(&f->identity);
	for (long n = 0; n < 3; n++) {
		opa_alloc_fail_after(n, false);
		bool renewed = opa_config_renew(config, &f->input);
		opa_alloc_fail_after(-1, false);
		assert_false(renewed);
		assert_int_equal(config->resource_len, len);
		assert_memory_equal(config->resource, resource, len);
		assert_true(config->resource_id == id);
	}
	assert_true(opa_config_renew(config, &f->input));
	assert_true(config->resource_id != id);
	free(resource);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, config_setup, config_teardown)
	const struct CMUnitTest tests[] = {
		TEST(with_nothing_set_all_is_default),
		TEST(every_default_is_a_value_that_is_accepted),
		TEST(an_ini_value_outweighs_a_variable),
		TEST(an_ini_value_that_is_the_default_outweighs_it_too),
		TEST(a_variable_that_is_outweighed_is_not_looked_at),
		TEST(a_variable_outweighs_the_default),
		TEST(of_two_variables_the_first_counts),
		TEST(an_empty_variable_counts_as_unset),
		TEST(a_variable_that_cannot_be_read_is_one_line_and_no_more),
		TEST(behind_a_first_variable_that_is_bad_the_second_counts),
		TEST(a_very_long_value_makes_a_short_line),
		TEST(a_warning_is_printable_ascii),
		TEST(the_sdk_is_disabled_by_true_alone),
		TEST(the_samplers_are_those_of_the_specification),
		TEST(a_long_sampler_argument_counts_whole),
		TEST(no_exporter_means_none_in_any_case),
		TEST(an_exporter_that_opa_does_not_know_is_not_passed_over_in_silence),
		TEST(propagators_are_a_list_in_order),
		TEST(a_propagator_that_is_not_known_is_one_line),
		TEST(known_methods_are_a_list_between_commas),
		TEST(limits_of_events_and_links_come_from_variables),
		TEST(every_number_reaches_what_it_is_for),
		TEST(each_setting_has_its_range),
		TEST(what_a_setting_may_be_is_said_in_its_own_units),
		TEST(a_config_is_found_again_by_the_values_it_was_made_of),
		TEST(a_config_keeps_nothing_that_was_lent),
		TEST(without_memory_there_is_no_config_whichever_allocation_fails),
		TEST(a_renewal_without_memory_changes_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
