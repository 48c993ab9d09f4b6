#include "php_opa.h"
#include "opa_status.h"
#include "opa_http.h"
#include "opa_ini.h"
#include "opa_process.h"

#define SHOWN_MAX 4096

/* ---- what both show ---- */

/* The config that this request has, or would have. */
static const opa_config *config_now(void)
{
	return OPA_G(request).config != NULL ? OPA_G(request).config : OPA_G(config);
}

/*
 * The rest of a request's config is as it was at its start; opa.enabled a program may set while it
 * goes on.
 */
static bool is_set_by_now(opa_setting setting, opa_str *value)
{
	opa_str values[OPA_SETTING_COUNT];
	bool given[OPA_SETTING_COUNT];
	if (setting != OPA_SETTING_ENABLED) {
		return false;
	}
	opa_ini_collect(values, given);
	*value = values[setting];
	return given[setting];
}

/* Those whose keys are on opa.redact without their values. */
static zend_string *mask_attributes(const opa_config *config, const char *text)
{
	smart_str shown = {0};
	for (const char *part = text;;) {
		size_t part_len = strcspn(part, ",");
		const char *equal = memchr(part, '=', part_len);
		size_t key_len = equal == NULL ? part_len : (size_t)(equal - part);
		if (equal != NULL && opa_redact_matches(config->redact, (opa_str){part, key_len})) {
			smart_str_appendl(&shown, part, key_len + 1);
			smart_str_appends(&shown, OPA_REDACTED);
		} else {
			smart_str_appendl(&shown, part, part_len);
		}
		part += part_len;
		if (*part == '\0') {
			break;
		}
		smart_str_appendc(&shown, *part++);
	}
	return smart_str_extract(&shown);
}

/* An effective value, without the secrets in it. */
static zend_string *masked(const opa_config *config, opa_setting setting)
{
	opa_str now;
	if (is_set_by_now(setting, &now)) {
		return zend_string_init(now.data, now.len, false);
	}
	opa_str text = {config->texts[setting], strlen(config->texts[setting])};
	if (setting == OPA_SETTING_RESOURCE_ATTRIBUTES && text.len > 0) {
		return mask_attributes(config, text.data);
	}
	if (opa_setting_may_show(setting, text)) {
		return zend_string_init(text.data, text.len, false);
	}
	zend_string *shown = zend_string_alloc(SHOWN_MAX, false);
	opa_setting_show(setting, text, ZSTR_VAL(shown), SHOWN_MAX);
	ZSTR_LEN(shown) = strlen(ZSTR_VAL(shown));
	return shown;
}

/* "default", "php.ini", or the variable's name. */
static void source_text(const opa_config *config, opa_setting setting, char *to, size_t size)
{
	opa_str now;
	const char *variable = config->variables[setting];
	switch (is_set_by_now(setting, &now) ? OPA_FROM_INI : config->sources[setting]) {
	case OPA_FROM_DEFAULT:
		snprintf(to, size, "default");
		break;
	case OPA_FROM_INI:
		snprintf(to, size, "ini");
		break;
	case OPA_FROM_ENVIRONMENT:
		snprintf(to, size, "%.*s", (int)strcspn(variable, ","), variable);
		break;
	}
}

static void off_text(const opa_config *config, opa_setting setting, char *to, size_t size)
{
	char source[80];
	source_text(config, setting, source, sizeof(source));
	snprintf(to, size, "%s is off (%s)", opa_setting_get_info(setting)->name, source);
}

/* Why nothing arrives, as one line; empty when nothing is known to be wrong. */
static void problem_text(
	const opa_config *config, const opa_publish_status *status, char *to, size_t size)
{
	if (opa_the_process.spans == NULL) {
		snprintf(to, size, "opa was loaded with dl(), or memory was short at the start");
	} else if (config == NULL) {
		snprintf(to, size, "out of memory");
	} else if (!config->enabled && !OPA_G(request).own.traced) {
		off_text(config, OPA_SETTING_ENABLED, to, size);
	} else if (!config->trace_cli && !opa_http_is_server()) {
		off_text(config, OPA_SETTING_TRACE_CLI, to, size);
	} else if (config->exporter_none) {
		snprintf(to, size, "OTEL_TRACES_EXPORTER is none");
	} else if (status->off) {
		snprintf(to, size, "switched off by the file %s/off", status->spool_path);
	} else {
		snprintf(to, size, "%s", status->problem);
	}
}

/* On PHP's memory: what asks for it may be ended by a fatal error before it is given back. */
static opa_publish_status *read_status(const opa_config *config)
{
	opa_publish_status *status = ecalloc(1, sizeof(*status));
	opa_request_count();
	if (config != NULL && opa_process_is_in_use() && opa_the_process.publisher != NULL) {
		opa_publish_status_get(opa_the_process.publisher, &config->outlet, status);
	}
	return status;
}

/* ---- opa_status() ---- */

static void add_counters(zval *to, const opa_publish_status *status)
{
	zval counters;
	array_init(&counters);
	for (opa_counter counter = 0; counter < OPA_COUNTER_COUNT; counter++) {
		add_assoc_long(&counters, opa_counter_name(counter), (zend_long)status->counters[counter]);
	}
	add_assoc_zval(to, "counters", &counters);
}

static void add_spool(zval *to, const opa_publish_status *status)
{
	zval spool;
	array_init(&spool);
	if (status->spool_open) {
		add_assoc_string(&spool, "path", status->spool_path);
	} else {
		add_assoc_null(&spool, "path");
	}
	if (status->spool_error != OPA_SPOOL_OK) {
		add_assoc_string(&spool, "error", opa_spool_error_text(status->spool_error));
	}
	add_assoc_bool(&spool, "memory", status->spool_tmpfs);
	add_assoc_bool(&spool, "off", status->off);
	add_assoc_bool(&spool, "durable_counters", status->durable_counters);
	add_assoc_long(&spool, "size", (zend_long)status->spool_size);
	add_assoc_long(&spool, "max_size", (zend_long)status->spool_max_size);
	add_assoc_zval(to, "spool", &spool);
}

/* A value of the exporter's state; empty when it is not there. */
static opa_str state_value(const char *state, const char *key)
{
	size_t key_len = strlen(key);
	for (const char *line = state; *line != '\0';) {
		size_t len = strcspn(line, "\n");
		if (len > key_len && line[key_len] == '=' && memcmp(line, key, key_len) == 0) {
			return (opa_str){line + key_len + 1, len - key_len - 1};
		}
		line += len + (line[len] == '\n');
	}
	return OPA_STR("");
}

/* The exporter's own words: "key=value" lines. */
static void add_state(zval *to, const char *text)
{
	zval state;
	array_init(&state);
	for (const char *line = text; *line != '\0';) {
		size_t len = strcspn(line, "\n");
		const char *equal = memchr(line, '=', len);
		if (equal != NULL) {
			add_assoc_stringl_ex(
				&state, line, (size_t)(equal - line), equal + 1, (size_t)(line + len - equal) - 1);
		}
		line += len + (line[len] == '\n');
	}
	add_assoc_zval(to, "state", &state);
}

static void add_exporter(zval *to, const opa_config *config, const opa_publish_status *status)
{
	zval exporter;
	array_init(&exporter);
	if (config != NULL && config->outlet.exporter != NULL) {
		add_assoc_string(&exporter, "path", config->outlet.exporter);
	} else {
		add_assoc_null(&exporter, "path");
	}
	add_assoc_string(&exporter, "destination",
		config != NULL && config->collector != NULL ? config->collector : "store");
	add_assoc_bool(&exporter, "running", status->exporter_running);
	add_state(&exporter, status->exporter_state);
	add_assoc_zval(to, "exporter", &exporter);
}

/* The next of a config's lines of warnings, or NULL; *lines moves behind it. */
static const char *next_warning(const char **lines, size_t *len)
{
	const char *line = *lines;
	if (line == NULL || *line == '\0') {
		return NULL;
	}
	*len = strcspn(line, "\n");
	*lines += *len + 1;
	return line;
}

static void add_warnings(zval *to, const opa_config *config)
{
	zval warnings;
	size_t len;
	const char *lines = config == NULL ? NULL : config->warnings;
	array_init(&warnings);
	for (const char *line; (line = next_warning(&lines, &len)) != NULL;) {
		add_next_index_stringl(&warnings, line, len);
	}
	add_assoc_zval(to, "warnings", &warnings);
}

static void add_settings(zval *to, const opa_config *config)
{
	zval settings;
	array_init(&settings);
	for (opa_setting setting = 0; config != NULL && setting < OPA_SETTING_COUNT; setting++) {
		char source[80];
		zval one;
		array_init(&one);
		source_text(config, setting, source, sizeof(source));
		add_assoc_str(&one, "value", masked(config, setting));
		add_assoc_string(&one, "source", source);
		add_assoc_zval(&settings, opa_setting_get_info(setting)->name, &one);
	}
	add_assoc_zval(to, "settings", &settings);
}

void opa_status_array(zval *to)
{
	size_t open_spans = 0, bytes = 0;
	char problem[1024], id[OPA_TRACE_ID_HEX];
	const opa_config *config = config_now();
	opa_publish_status *status = read_status(config);
	array_init(to);
	if (opa_the_process.spans != NULL) {
		opa_span_table_usage(opa_the_process.spans, &open_spans, &bytes);
	}
	problem_text(config, status, problem, sizeof(problem));
	add_assoc_string(to, "version", PHP_OPA_VERSION);
	add_assoc_bool(to, "enabled", opa_request_records());
	if (OPA_G(request).own.traced) {
		opa_hex_format(OPA_G(request).own.trace_id, OPA_TRACE_ID_LEN, id);
		add_assoc_stringl(to, "trace_id", id, sizeof(id));
	} else {
		add_assoc_null(to, "trace_id");
	}
	add_assoc_string(to, "problem", problem);
	add_assoc_long(to, "open_spans", (zend_long)open_spans);
	add_assoc_long(to, "memory", (zend_long)bytes);
	add_counters(to, status);
	add_spool(to, status);
	add_exporter(to, config, status);
	add_warnings(to, config);
	add_settings(to, config);
	efree(status);
}

/* ---- phpinfo() ---- */

static void info_row(const char *name, const char *value)
{
	php_info_print_table_row(2, name, *value == '\0' ? "-" : value);
}

static void info_number(const char *name, uint64_t value)
{
	char text[32];
	snprintf(text, sizeof(text), ZEND_ULONG_FMT, (zend_ulong)value);
	info_row(name, text);
}

/* A time of the exporter's, and what was then. */
static void info_event(const char *name, const char *state, const char *time_key, const char *key)
{
	char text[1024];
	time_t seconds = (time_t)ZEND_STRTOL(state_value(state, time_key).data, NULL, 10);
	opa_str what = key != NULL ? state_value(state, key) : OPA_STR("");
	struct tm tm;
	if (seconds <= 0 || php_gmtime_r(&seconds, &tm) == NULL) {
		info_row(name, "");
		return;
	}
	size_t n = strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S UTC", &tm);
	snprintf(
		text + n, sizeof(text) - n, "%s%.*s", what.len > 0 ? ": " : "", (int)what.len, what.data);
	info_row(name, text);
}

static void info_warnings(const opa_config *config)
{
	size_t len;
	const char *lines = config == NULL ? NULL : config->warnings;
	for (const char *line; (line = next_warning(&lines, &len)) != NULL;) {
		char text[512];
		snprintf(text, sizeof(text), "%.*s", (int)len, line);
		info_row("Warning", text);
	}
}

static void info_state(const opa_config *config, const opa_publish_status *status)
{
	char problem[1024];
	problem_text(config, status, problem, sizeof(problem));
	php_info_print_table_start();
	php_info_print_table_header(2, "opa", opa_request_records() ? "tracing" : "off");
	info_row("Version", PHP_OPA_VERSION);
	info_row("Problem", problem);
	info_row("Spool", status->spool_open ? status->spool_path : "not open yet");
	info_number("Spool size", status->spool_size);
	info_number("Spool size, at most", status->spool_max_size);
	info_row("Exporter",
		config != NULL && config->outlet.exporter != NULL ? config->outlet.exporter : "");
	info_row("Exporter runs", status->exporter_running ? "yes" : "no");
	info_event("Last success", status->exporter_state, "last_success", NULL);
	info_event("Last error", status->exporter_state, "last_error_time", "last_error");
	info_row("Traces go to",
		config != NULL && config->collector != NULL ? config->collector : "the local store");
	info_row("OTEL_* variables",
		config != NULL && config->any_variable
			? "found"
			: "none found (PHP-FPM clears the environment unless clear_env = no)");
	info_warnings(config);
	php_info_print_table_end();
}

static void info_settings(const opa_config *config)
{
	php_info_print_table_start();
	php_info_print_table_header(3, "Setting", "Effective value", "From");
	for (opa_setting setting = 0; config != NULL && setting < OPA_SETTING_COUNT; setting++) {
		char source[80];
		zend_string *value = masked(config, setting);
		source_text(config, setting, source, sizeof(source));
		php_info_print_table_row(3, opa_setting_get_info(setting)->name,
			ZSTR_LEN(value) == 0 ? "-" : ZSTR_VAL(value), source);
		zend_string_release(value);
	}
	php_info_print_table_end();
}

static void info_counters(const opa_publish_status *status)
{
	php_info_print_table_start();
	php_info_print_table_header(3, "Counter of this process", "Value", "What");
	for (opa_counter counter = 0; counter < OPA_COUNTER_COUNT; counter++) {
		char text[32];
		snprintf(text, sizeof(text), ZEND_ULONG_FMT, (zend_ulong)status->counters[counter]);
		php_info_print_table_row(3, opa_counter_name(counter), text, opa_counter_text(counter));
	}
	php_info_print_table_end();
}

void opa_status_info(void)
{
	const opa_config *config = config_now();
	opa_publish_status *status = read_status(config);
	info_state(config, status);
	info_settings(config);
	info_counters(status);
	efree(status);
}
