#include "opa_config_internal.h"
#include "opa_config_sampling.h"
#include "core/opa_alloc.h"
#include "core/opa_entropy.h"
#include "core/opa_hash.h"
#include "core/opa_host.h"
#include "core/opa_otlp.h"
#include "core/opa_sampler.h"
#include "core/opa_units.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define FLUSH_SIZE         (192u * 1024) /* below OPA_JOURNAL_SEAL_SIZE */
#define ATTRIBUTE_COUNT    128u          /* of an event or a link, where no variable says it */
#define RESOURCE_SIZE      (20u * 1024)
#define RESOURCE_ATTRS_MAX 144u
#define OWN_SIZE           (4u * 1024) /* of these: what opa itself has to say behind the user's */
#define OWN_ATTRS_MAX      16u

static opa_str str_of(const char *text)
{
	return (opa_str){text, strlen(text)};
}

void opa_config_warn(opa_config *config, const char *format, ...)
{
	char line[512];
	va_list args;
	va_start(args, format);
	vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	size_t len = strlen(line), before = config->warnings == NULL ? 0 : strlen(config->warnings);
	char *lines = opa_realloc(config->warnings, before + len + 2);
	if (lines == NULL) {
		config->short_of_memory = true;
		return;
	}
	for (size_t i = 0; i < len; i++) {
		lines[before + i] = line[i] < ' ' || line[i] > '~' ? '?' : line[i];
	}
	memcpy(lines + before + len, "\n", 2);
	config->warnings = lines;
}

const char *opa_config_any_variable(
	const opa_config_input *in, opa_config *config, const char *name)
{
	const char *value;
	if (!in->getenv(in->user, name, &value)) {
		config->short_of_memory = true;
		return NULL;
	}
	return value == NULL || *value == '\0' ? NULL : value;
}

const char *opa_config_variable(const opa_config_input *in, opa_config *config, const char *name)
{
	const char *value = opa_config_any_variable(in, config, name);
	config->any_variable = config->any_variable || value != NULL;
	return value;
}

/* ---- from texts to effective texts ---- */

/* OTEL_TRACES_SAMPLER and its argument as the text of a rate. NULL when unset or unknown. */
static const char *sampler_rate(const opa_config_input *in, opa_config *config)
{
	const char *name = opa_config_variable(in, config, "OTEL_TRACES_SAMPLER");
	const char *arg = opa_config_variable(in, config, "OTEL_TRACES_SAMPLER_ARG");
	static const char prefix[] = "parentbased_";
	const size_t len = sizeof(prefix) - 1;
	if (name == NULL) {
		return NULL;
	}
	bool parent = strlen(name) > len && opa_text_equals((opa_str){name, len}, prefix);
	opa_str base = str_of(parent ? name + len : name);
	config->sample_alone = !parent;
	if (opa_text_equals(base, "always_on")) {
		return "1";
	}
	if (opa_text_equals(base, "always_off")) {
		return "0";
	}
	if (!opa_text_equals(base, "traceidratio")) {
		opa_config_warn(
			config, "OTEL_TRACES_SAMPLER is ignored: opa does not know \"%.64s\"", name);
		config->sample_alone = false;
		return NULL;
	}
	if (arg != NULL && !opa_setting_accepts(OPA_SETTING_SAMPLE_RATE, str_of(arg))) {
		opa_config_warn(config,
			"OTEL_TRACES_SAMPLER_ARG is ignored: \"%.64s\" is not a number from 0 to 1", arg);
		arg = NULL;
	}
	return arg == NULL ? "1" : arg;
}

/*
 * OpenTelemetry's booleans are true when they say "true", and false whatever else they say
 * (specification, "Environment Variable Specification", Boolean).
 */
static const char *disabled_as_enabled(opa_config *config, const char *name, const char *value)
{
	if (opa_text_equals(str_of(value), "true")) {
		return "0";
	}
	if (opa_text_equals(str_of(value), "false")) {
		return "1";
	}
	opa_config_warn(config, "%s is ignored: \"%.64s\" is neither true nor false", name, value);
	return NULL;
}

/* OpenTelemetry's times are whole milliseconds. `room` takes what becomes of one. */
static const char *milliseconds(const char *value, char *room, size_t size)
{
	int64_t number;
	if (!opa_parse_int(str_of(value), &number) || number < 0) {
		return value; /* which is then refused: a bare number is one of seconds */
	}
	snprintf(room, size, "%" PRIi64 "ms", number);
	return room;
}

static void warn_of_value(
	opa_config *config, opa_setting setting, const char *name, const char *value)
{
	char expects[128];
	const opa_setting_info *info = opa_setting_get_info(setting);
	if (info->type == OPA_TYPE_DURATION) {
		snprintf(expects, sizeof(expects),
			"a whole number of milliseconds from %" PRIu64 " to %" PRIu64, info->min / OPA_MS,
			info->max / OPA_MS);
	} else {
		opa_setting_expects(setting, expects, sizeof(expects));
	}
	if (opa_setting_may_show(setting, str_of(value))) {
		opa_config_warn(config, "%s is ignored: \"%.64s\" is not %s", name, value, expects);
	} else {
		opa_config_warn(config, "%s is ignored: its value is not %s", name, expects);
	}
}

/* The value of a variable in the setting's own terms, or NULL. It may be made in `room`. */
static const char *translate(const opa_config_input *in, opa_config *config, opa_setting setting,
	const char *name, char *room, size_t size)
{
	if (setting == OPA_SETTING_SAMPLE_RATE) {
		return strcmp(name, "OTEL_TRACES_SAMPLER") == 0 ? sampler_rate(in, config) : NULL;
	}
	const char *value = opa_config_variable(in, config, name);
	if (value == NULL) {
		return NULL;
	}
	if (setting == OPA_SETTING_ENABLED) {
		return disabled_as_enabled(config, name, value);
	}
	bool is_time = opa_setting_get_info(setting)->type == OPA_TYPE_DURATION;
	const char *translated = is_time ? milliseconds(value, room, size) : value;
	if ((is_time && translated == value) || !opa_setting_accepts(setting, str_of(translated))) {
		warn_of_value(config, setting, name, value);
		return NULL;
	}
	return translated;
}

/* The text of one setting, by the order that the header tells. */
static bool resolve(const opa_config_input *in, opa_config *config, opa_setting setting)
{
	const opa_setting_info *info = opa_setting_get_info(setting);
	opa_str ini = in->ini[setting];
	const char *from_variable = NULL;
	char room[32];
	config->sources[setting] = in->given[setting] ? OPA_FROM_INI : OPA_FROM_DEFAULT;
	for (const char *v = info->variables; *v != '\0' && !in->given[setting];) {
		char name[80];
		size_t len = strcspn(v, ",");
		snprintf(name, sizeof(name), "%.*s", (int)len, v);
		const char *value = translate(in, config, setting, name, room, sizeof(room));
		if (value != NULL) {
			from_variable = value;
			config->sources[setting] = OPA_FROM_ENVIRONMENT;
			config->variables[setting] = v;
			break;
		}
		v += len + (v[len] == ',');
	}
	char *copy = opa_strndup(ini.data, ini.len);
	config->given_ini[setting] = (opa_str){copy, ini.len};
	config->texts[setting] =
		from_variable == NULL ? copy : opa_strndup(from_variable, strlen(from_variable));
	return config->texts[setting] != NULL && copy != NULL;
}

/* ---- from effective texts to numbers ---- */

static opa_str text_of(const opa_config *config, opa_setting setting)
{
	return str_of(config->texts[setting]);
}

/* Values were checked when they were set, so each of these reads. */
static bool flag_of(const opa_config *config, opa_setting setting)
{
	bool value = false;
	opa_parse_bool(text_of(config, setting), &value);
	return value;
}

static uint32_t count_of(const opa_config *config, opa_setting setting)
{
	int64_t value = 0;
	opa_parse_int(text_of(config, setting), &value);
	return (uint32_t)value;
}

uint64_t opa_config_size(const opa_config *config, opa_setting setting)
{
	uint64_t value = 0;
	opa_parse_size(text_of(config, setting), &value);
	return value;
}

uint64_t opa_config_duration(const opa_config *config, opa_setting setting)
{
	uint64_t value = 0;
	opa_parse_duration(text_of(config, setting), &value);
	return value;
}

const char *opa_config_path(const opa_config *config, opa_setting setting)
{
	return *config->texts[setting] == '\0' ? NULL : config->texts[setting];
}

/* A limit that only a variable sets. */
static uint32_t variable_count(
	const opa_config_input *in, opa_config *config, const char *name, uint32_t otherwise)
{
	int64_t value;
	const char *text = opa_config_variable(in, config, name);
	if (text == NULL) {
		return otherwise;
	}
	if (!opa_parse_int(str_of(text), &value) || value < 0 || value > 65535) {
		opa_config_warn(
			config, "%s is ignored: \"%.64s\" is not a whole number from 0 to 65535", name, text);
		return otherwise;
	}
	return (uint32_t)value;
}

/* "GET, POST" becomes ",GET,POST,". */
static bool read_methods(const opa_config_input *in, opa_config *config)
{
	const char *methods =
		opa_config_variable(in, config, "OTEL_INSTRUMENTATION_HTTP_KNOWN_METHODS");
	if (methods == NULL) {
		return true;
	}
	char *to = opa_malloc(strlen(methods) + 3);
	if (to == NULL) {
		return false;
	}
	config->known_methods = to;
	*to++ = ',';
	for (; *methods != '\0'; methods++) {
		if (*methods != ' ' && *methods != '\t') {
			*to++ = *methods;
		}
	}
	*to++ = ',';
	*to = '\0';
	return true;
}

/* One line for all names that mean nothing here. */
static void read_propagators(opa_config *config)
{
	const char *name = config->variables[OPA_SETTING_PROPAGATORS];
	opa_str unknown;
	opa_propagators_read(text_of(config, OPA_SETTING_PROPAGATORS), &config->propagators, &unknown);
	if (unknown.len > 0) {
		opa_config_warn(config,
			"%s: \"%.*s\" is ignored: there are tracecontext, baggage, b3, b3multi and none",
			name != NULL ? name : opa_setting_get_info(OPA_SETTING_PROPAGATORS)->name,
			(int)(unknown.len > 64 ? 64 : unknown.len), unknown.data);
	}
}

static bool read_numbers(const opa_config_input *in, opa_config *config)
{
	double rate = 1;
	opa_parse_real(text_of(config, OPA_SETTING_SAMPLE_RATE), &rate);
	config->sample_threshold = opa_sampler_threshold(rate);
	read_propagators(config);
	config->enabled = flag_of(config, OPA_SETTING_ENABLED);
	config->trace_cli = flag_of(config, OPA_SETTING_TRACE_CLI);
	config->cli_args = flag_of(config, OPA_SETTING_CLI_ARGS);
	config->trust_proxy = flag_of(config, OPA_SETTING_TRUST_PROXY);
	config->response_header = flag_of(config, OPA_SETTING_RESPONSE_HEADER);
	config->trust_incoming = flag_of(config, OPA_SETTING_TRUST_INCOMING);
	config->trace_rotate = opa_config_duration(config, OPA_SETTING_TRACE_ROTATE);
	config->max_value_length = (uint32_t)opa_config_size(config, OPA_SETTING_MAX_VALUE_LENGTH);
	config->limits = (opa_span_limits){
		.attributes = count_of(config, OPA_SETTING_MAX_ATTRIBUTES),
		.events = count_of(config, OPA_SETTING_MAX_EVENTS),
		.links = count_of(config, OPA_SETTING_MAX_LINKS),
		.trace_size = (size_t)opa_config_size(config, OPA_SETTING_MAX_TRACE_SIZE),
		.flush_size = FLUSH_SIZE,
		.flush_age = config->trace_rotate,
	};
	config->event_attributes =
		variable_count(in, config, "OTEL_EVENT_ATTRIBUTE_COUNT_LIMIT", ATTRIBUTE_COUNT);
	config->link_attributes =
		variable_count(in, config, "OTEL_LINK_ATTRIBUTE_COUNT_LIMIT", ATTRIBUTE_COUNT);
	opa_log_level_parse(text_of(config, OPA_SETTING_LOG_LEVEL), &config->log_level);
	config->redact = opa_redact_create(text_of(config, OPA_SETTING_REDACT));
	return config->redact != NULL && read_methods(in, config);
}

/* ---- the resource ---- */

typedef struct resource_writer {
	uint8_t bytes[RESOURCE_SIZE];
	opa_writer w;
	opa_str seen[RESOURCE_ATTRS_MAX]; /* keys, borrowed: what is written first wins */
	size_t count;
} resource_writer;

static bool fits(const resource_writer *r, size_t bound, size_t spare_count, size_t spare_bytes)
{
	return r->count + spare_count < RESOURCE_ATTRS_MAX &&
		   bound + spare_bytes <= (size_t)(r->w.pos - r->bytes);
}

static bool has(const resource_writer *r, opa_str key)
{
	for (size_t i = 0; i < r->count; i++) {
		if (r->seen[i].len == key.len && memcmp(r->seen[i].data, key.data, key.len) == 0) {
			return true;
		}
	}
	return false;
}

static void put(resource_writer *r, opa_str key, opa_value value)
{
	bool empty = value.type == OPA_VALUE_STRING && value.as.string.len == 0;
	if (!empty && !has(r, key) && fits(r, opa_attribute_bound(key.len, &value), 0, 0)) {
		r->seen[r->count++] = key;
		opa_write_attribute(&r->w, OPA_TAG_RESOURCE_ATTRIBUTE, key, &value);
	}
}

static void put_text(resource_writer *r, const char *key, const char *text)
{
	put(r, str_of(key), OPA_VALUE_OF_STRING(str_of(text)));
}

static int hex_value(char c)
{
	if (c >= '0' && c <= '9') {
		return c - '0';
	}
	if (c >= 'A' && c <= 'F') {
		return c - 'A' + 10;
	}
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Without the blanks around it, then percent-decoded in place. */
static opa_str decoded(char *text, size_t len)
{
	size_t n = 0;
	for (; len > 0 && (*text == ' ' || *text == '\t'); text++) {
		len--;
	}
	while (len > 0 && (text[len - 1] == ' ' || text[len - 1] == '\t')) {
		len--;
	}
	for (size_t i = 0; i < len; i++) {
		if (text[i] == '%' && len - i > 2 && hex_value(text[i + 1]) >= 0 &&
			hex_value(text[i + 2]) >= 0) {
			text[n++] = (char)(hex_value(text[i + 1]) * 16 + hex_value(text[i + 2]));
			i += 2;
		} else {
			text[n++] = text[i];
		}
	}
	return (opa_str){text, n};
}

/* What of a list could not be used. */
typedef struct list_problems {
	opa_str malformed; /* one of them */
	unsigned malformed_count;
	unsigned left_out;
} list_problems;

/* One "key=value". */
static void put_part(resource_writer *r, char *part, size_t len, list_problems *problems)
{
	char *equal = memchr(part, '=', len);
	size_t key_len = equal == NULL ? 0 : (size_t)(equal - part);
	size_t blank = strspn(part, " \t");
	if (blank >= len) {
		return;
	}
	if (blank >= key_len) {
		problems->malformed = (opa_str){part, len};
		problems->malformed_count++;
		return;
	}
	opa_str key = decoded(part, key_len);
	opa_value value = OPA_VALUE_OF_STRING(decoded(equal + 1, len - key_len - 1));
	if (fits(r, opa_attribute_bound(key.len, &value), OWN_ATTRS_MAX, OWN_SIZE)) {
		put(r, key, value);
	} else {
		problems->left_out += !has(r, key);
	}
}

/*
 * "key=value,key=value" (the W3C baggage format without properties; keys, too, may be
 * percent-encoded). Of a key's values the last one counts, so it is read from its end. `list` is
 * written to.
 */
static list_problems put_list(resource_writer *r, char *list)
{
	list_problems problems = {.left_out = 0};
	for (size_t end = strlen(list), begin = end;; begin--) {
		if (begin > 0 && list[begin - 1] != ',') {
			continue;
		}
		put_part(r, list + begin, end - begin, &problems);
		if (begin == 0) {
			break;
		}
		end = begin - 1;
	}
	return problems;
}

static void warn_of(opa_config *config, const list_problems *problems)
{
	opa_str text = problems->malformed;
	if (problems->malformed_count > 0) {
		opa_config_warn(config,
			"resource attributes: %u ignored that are not key=value, \"%.*s\" is one",
			problems->malformed_count, (int)(text.len > 64 ? 64 : text.len), text.data);
	}
	if (problems->left_out > 0) {
		opa_config_warn(
			config, "resource attributes: %u ignored, there are more than fit", problems->left_out);
	}
}

void opa_identity_gather(opa_identity *identity)
{
	uint8_t b[16];
	char hex[32];
	opa_entropy_fill(b, sizeof(b));
	b[6] = (uint8_t)((b[6] & 0x0f) | 0x40); /* RFC 9562: version 4, random */
	b[8] = (uint8_t)((b[8] & 0x3f) | 0x80);
	opa_hex_format(b, sizeof(b), hex);
	snprintf(identity->instance_id, sizeof(identity->instance_id), "%.8s-%.4s-%.4s-%.4s-%.12s", hex,
		hex + 8, hex + 12, hex + 16, hex + 20);
	identity->pid = opa_host_pid();
	opa_host_name(identity->host, sizeof(identity->host));
	opa_host_arch(identity->arch, sizeof(identity->arch));
	opa_host_container_id(identity->container, sizeof(identity->container));
}

static bool build_resource(const opa_config_input *in, opa_config *config, bool quiet)
{
	const opa_identity *identity = in->identity;
	resource_writer *r = opa_malloc(sizeof(*r));
	char *list = opa_strndup(config->texts[OPA_SETTING_RESOURCE_ATTRIBUTES],
		strlen(config->texts[OPA_SETTING_RESOURCE_ATTRIBUTES]));
	if (r == NULL || list == NULL) {
		opa_free(r);
		opa_free(list);
		return false;
	}
	r->w.pos = r->bytes + sizeof(r->bytes);
	r->count = 0;
	put_text(r, "telemetry.sdk.name", "opa");
	put_text(r, "telemetry.sdk.language", "php");
	put_text(r, "telemetry.sdk.version", in->opa_version);
	put(r, OPA_STR("process.pid"), OPA_VALUE_OF_INT((int64_t)identity->pid));
	put_text(r, "service.name", config->texts[OPA_SETTING_SERVICE_NAME]);
	list_problems problems = put_list(r, list);
	if (!quiet) {
		warn_of(config, &problems);
	}
	put_text(r, "service.name", "unknown_service:php");
	put_text(r, "service.instance.id", identity->instance_id);
	put_text(r, "process.runtime.name", in->sapi);
	put_text(r, "process.runtime.version", in->php_version);
	put_text(r, "host.name", identity->host);
	put_text(r, "host.arch", identity->arch);
	put_text(r, "os.type", opa_host_os());
	put_text(r, "container.id", identity->container);
	opa_free(list);
	size_t len = (size_t)(r->bytes + sizeof(r->bytes) - r->w.pos);
	uint8_t *bytes = (uint8_t *)opa_strndup((const char *)r->w.pos, len);
	opa_free(r);
	if (bytes == NULL) {
		return false;
	}
	opa_free(config->resource);
	config->resource = bytes;
	config->resource_len = len;
	/* Instance id and pid are in there: no two processes have the same by chance. */
	config->resource_id = opa_hash_add(OPA_HASH_START, bytes, len);
	return true;
}

/* ---- life ---- */

opa_config *opa_config_create(const opa_config_input *in)
{
	opa_config *config = opa_calloc(1, sizeof(*config));
	if (config == NULL) {
		return NULL;
	}
	atomic_init(&config->holders, 1);
	bool ok = true;
	for (opa_setting setting = 0; setting < OPA_SETTING_COUNT; setting++) {
		ok = resolve(in, config, setting) && ok;
	}
	if (!ok || !read_numbers(in, config) || !opa_config_build_outlet(in, config) ||
		!build_resource(in, config, false) || !opa_config_read_sampling(in, config) ||
		config->short_of_memory) {
		opa_config_release(config);
		return NULL;
	}
	return config;
}

static void destroy(opa_config *config)
{
	for (opa_setting setting = 0; setting < OPA_SETTING_COUNT; setting++) {
		if (config->texts[setting] != config->given_ini[setting].data) {
			opa_free(config->texts[setting]);
		}
		opa_free((char *)(uintptr_t)config->given_ini[setting].data);
	}
	opa_free(config->warnings);
	opa_redact_destroy(config->redact);
	opa_sample_rules_destroy(config->sample_rules);
	opa_free(config->known_methods);
	opa_free(config->destination);
	opa_free(config->collector);
	opa_free(config->runtime_dir);
	opa_free(config->exporter);
	opa_free(config->resource);
	opa_free(config);
}

void opa_config_hold(opa_config *config)
{
	atomic_fetch_add_explicit(&config->holders, 1, memory_order_relaxed);
}

void opa_config_release(opa_config *config)
{
	if (config != NULL &&
		atomic_fetch_sub_explicit(&config->holders, 1, memory_order_acq_rel) == 1) {
		destroy(config);
	}
}

bool opa_config_is_made_of(const opa_config *config, const opa_config_input *in)
{
	for (opa_setting setting = 0; setting < OPA_SETTING_COUNT; setting++) {
		opa_str was = config->given_ini[setting], is = in->ini[setting];
		bool was_given = config->sources[setting] == OPA_FROM_INI;
		if (was.len != is.len || memcmp(was.data, is.data, is.len) != 0 ||
			was_given != in->given[setting]) {
			return false;
		}
	}
	return true;
}

bool opa_config_renew(opa_config *config, const opa_config_input *in)
{
	return build_resource(in, config, true);
}
