#include "opa_config.h"
#include "core/opa_alloc.h"
#include "core/opa_entropy.h"
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
#define RESOURCE_SIZE      (16u * 1024)
#define RESOURCE_ATTRS_MAX 128u

static opa_str str_of(const char *text)
{
	return (opa_str){text, strlen(text)};
}

__attribute__((format(printf, 2, 3))) static void warn(
	const opa_config_input *in, const char *format, ...)
{
	char line[512];
	va_list args;
	va_start(args, format);
	vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	in->warn(in->user, line);
}

/* A variable that is set and not empty. */
static const char *variable(const opa_config_input *in, opa_config *config, const char *name)
{
	const char *value = in->getenv(name);
	if (value == NULL || *value == '\0') {
		return NULL;
	}
	config->any_variable = true;
	return value;
}

/* ---- from texts to effective texts ---- */

/* OTEL_TRACES_SAMPLER and its argument as a rate, written to `to`. False when unset or unknown. */
static bool sampler_rate(const opa_config_input *in, opa_config *config, char *to, size_t size)
{
	const char *name = variable(in, config, "OTEL_TRACES_SAMPLER");
	const char *arg = variable(in, config, "OTEL_TRACES_SAMPLER_ARG");
	if (name == NULL) {
		return false;
	}
	const char *base = strncmp(name, "parentbased_", 12) == 0 ? name + 12 : name;
	if (strcmp(base, "always_on") == 0) {
		snprintf(to, size, "1");
	} else if (strcmp(base, "always_off") == 0) {
		snprintf(to, size, "0");
	} else if (strcmp(base, "traceidratio") == 0) {
		arg = arg == NULL ? "1" : arg;
		if (!opa_setting_accepts(OPA_SETTING_SAMPLE_RATE, str_of(arg))) {
			warn(in, "OTEL_TRACES_SAMPLER_ARG is ignored: \"%.64s\" is not a number from 0 to 1",
				arg);
			arg = "1";
		}
		snprintf(to, size, "%s", arg);
	} else {
		warn(in, "OTEL_TRACES_SAMPLER is ignored: opa does not know \"%.64s\"", name);
		return false;
	}
	return true;
}

/* The value of a variable in the setting's own terms, or NULL; `to` is room for one that differs.
 */
static const char *translate(const opa_config_input *in, opa_config *config, opa_setting setting,
	const char *name, char *to, size_t size)
{
	if (setting == OPA_SETTING_SAMPLE_RATE) {
		return strcmp(name, "OTEL_TRACES_SAMPLER") == 0 && sampler_rate(in, config, to, size)
				   ? to
				   : NULL;
	}
	const char *value = variable(in, config, name);
	if (value == NULL) {
		return NULL;
	}
	if (setting == OPA_SETTING_ENABLED) {
		bool disabled;
		if (!opa_parse_bool(str_of(value), &disabled)) {
			warn(in, "%s is ignored: \"%.64s\" is neither true nor false", name, value);
			return NULL;
		}
		return disabled ? "0" : "1";
	}
	if (!opa_setting_accepts(setting, str_of(value))) {
		char expects[128];
		opa_setting_expects(setting, expects, sizeof(expects));
		warn(in, "%s is ignored: \"%.64s\" is not %s", name, value, expects);
		return NULL;
	}
	return value;
}

/* The text of one setting, by the order that the header tells. */
static bool resolve(const opa_config_input *in, opa_config *config, opa_setting setting)
{
	const opa_setting_info *info = opa_setting_get_info(setting);
	opa_str text = in->ini[setting];
	char room[64];
	config->sources[setting] = in->given[setting] ? OPA_FROM_INI : OPA_FROM_DEFAULT;
	for (const char *v = info->variables; *v != '\0' && !in->given[setting];) {
		char name[80];
		size_t len = strcspn(v, ",");
		snprintf(name, sizeof(name), "%.*s", (int)len, v);
		const char *value = translate(in, config, setting, name, room, sizeof(room));
		if (value != NULL) {
			text = str_of(value);
			config->sources[setting] = OPA_FROM_ENVIRONMENT;
			config->variables[setting] = v;
			break;
		}
		v += len + (v[len] == ',');
	}
	config->texts[setting] = opa_strndup(text.data, text.len);
	char *ini = opa_strndup(in->ini[setting].data, in->ini[setting].len);
	config->given_ini[setting] = (opa_str){ini, in->ini[setting].len};
	return config->texts[setting] != NULL && ini != NULL;
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

static uint64_t size_of(const opa_config *config, opa_setting setting)
{
	uint64_t value = 0;
	opa_parse_size(text_of(config, setting), &value);
	return value;
}

static uint64_t duration_of(const opa_config *config, opa_setting setting)
{
	uint64_t value = 0;
	opa_parse_duration(text_of(config, setting), &value);
	return value;
}

static const char *path_of(const opa_config *config, opa_setting setting)
{
	return *config->texts[setting] == '\0' ? NULL : config->texts[setting];
}

/* A limit that only a variable sets. */
static uint32_t variable_count(
	const opa_config_input *in, opa_config *config, const char *name, uint32_t otherwise)
{
	int64_t value;
	const char *text = variable(in, config, name);
	if (text == NULL) {
		return otherwise;
	}
	if (!opa_parse_int(str_of(text), &value) || value < 0 || value > 65535) {
		warn(in, "%s is ignored: \"%.64s\" is not a whole number from 0 to 65535", name, text);
		return otherwise;
	}
	return (uint32_t)value;
}

static bool read_numbers(const opa_config_input *in, opa_config *config)
{
	double rate = 1;
	opa_parse_real(text_of(config, OPA_SETTING_SAMPLE_RATE), &rate);
	config->sample_threshold = opa_sampler_threshold(rate);
	const char *exporter = variable(in, config, "OTEL_TRACES_EXPORTER");
	config->exporter_none = exporter != NULL && strcmp(exporter, "none") == 0;
	config->enabled = flag_of(config, OPA_SETTING_ENABLED);
	config->trace_cli = flag_of(config, OPA_SETTING_TRACE_CLI);
	config->cli_args = flag_of(config, OPA_SETTING_CLI_ARGS);
	config->trust_proxy = flag_of(config, OPA_SETTING_TRUST_PROXY);
	config->trace_rotate = duration_of(config, OPA_SETTING_TRACE_ROTATE);
	config->max_value_length = (uint32_t)size_of(config, OPA_SETTING_MAX_VALUE_LENGTH);
	config->limits = (opa_span_limits){
		.attributes = count_of(config, OPA_SETTING_MAX_ATTRIBUTES),
		.events = count_of(config, OPA_SETTING_MAX_EVENTS),
		.links = count_of(config, OPA_SETTING_MAX_LINKS),
		.trace_size = (size_t)size_of(config, OPA_SETTING_MAX_TRACE_SIZE),
		.flush_size = FLUSH_SIZE,
		.flush_age = config->trace_rotate,
	};
	config->event_attributes =
		variable_count(in, config, "OTEL_EVENT_ATTRIBUTE_COUNT_LIMIT", ATTRIBUTE_COUNT);
	config->link_attributes =
		variable_count(in, config, "OTEL_LINK_ATTRIBUTE_COUNT_LIMIT", ATTRIBUTE_COUNT);
	opa_log_level_parse(text_of(config, OPA_SETTING_LOG_LEVEL), &config->log_level);
	config->redact = opa_redact_create(text_of(config, OPA_SETTING_REDACT));
	const char *methods = variable(in, config, "OTEL_INSTRUMENTATION_HTTP_KNOWN_METHODS");
	if (methods != NULL) {
		char list[512];
		snprintf(list, sizeof(list), ",%s,", methods);
		config->known_methods = opa_strndup(list, strlen(list));
	}
	return config->redact != NULL && (methods == NULL || config->known_methods != NULL);
}

/* ---- where traces go ---- */

static bool build_outlet(const opa_config_input *in, opa_config *config)
{
	char text[16384];
	size_t n = 0;
	const char *state_dir = in->getenv("XDG_STATE_HOME");
	const struct {
		const char *key;
		const char *value;
	} places[] = {
		{"path", path_of(config, OPA_SETTING_STORE_PATH)},
		{"state_dir", state_dir},
		{"home", in->getenv("HOME")},
		{"group", path_of(config, OPA_SETTING_STORE_GROUP)},
	};
	n += (size_t)snprintf(text, sizeof(text), "type=store\n");
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		const char *value = places[i].value;
		if (value != NULL && *value != '\0' && strchr(value, '\n') == NULL &&
			strlen(value) < 3072) {
			n += (size_t)snprintf(text + n, sizeof(text) - n, "%s=%s\n", places[i].key, value);
		}
	}
	snprintf(text + n, sizeof(text) - n,
		"max_size=%" PRIu64 "\nmax_age=%" PRIu64 "\nshutdown_timeout=%" PRIu64 "\n",
		size_of(config, OPA_SETTING_STORE_MAX_SIZE),
		duration_of(config, OPA_SETTING_STORE_MAX_AGE) / OPA_SECOND,
		duration_of(config, OPA_SETTING_SHUTDOWN_TIMEOUT) / 1000000);
	config->destination = opa_strndup(text, strlen(text));
	const char *runtime_dir = in->getenv("XDG_RUNTIME_DIR");
	if (runtime_dir != NULL && *runtime_dir == '/') {
		config->runtime_dir = opa_strndup(runtime_dir, strlen(runtime_dir));
	}
	if (config->destination == NULL) {
		return false;
	}
	const char *exporter = path_of(config, OPA_SETTING_EXPORTER_PATH);
	config->outlet = (opa_outlet){
		.spool = {path_of(config, OPA_SETTING_SPOOL_DIR), config->runtime_dir,
			size_of(config, OPA_SETTING_SPOOL_MAX_SIZE)},
		.exporter = exporter != NULL ? exporter : in->exporter,
		.destination = config->destination,
		.destination_id = opa_destination_id(config->destination),
	};
	return true;
}

/* ---- the resource ---- */

typedef struct resource_writer {
	uint8_t bytes[RESOURCE_SIZE];
	opa_writer w;
	opa_str seen[RESOURCE_ATTRS_MAX]; /* keys: what is written first wins */
	size_t count;
} resource_writer;

static void put(resource_writer *r, opa_str key, opa_value value)
{
	if (value.type == OPA_VALUE_STRING && value.as.string.len == 0) {
		return;
	}
	for (size_t i = 0; i < r->count; i++) {
		if (r->seen[i].len == key.len && memcmp(r->seen[i].data, key.data, key.len) == 0) {
			return;
		}
	}
	size_t bound = opa_attribute_bound(key.len, &value);
	if (r->count == RESOURCE_ATTRS_MAX || bound > (size_t)(r->w.pos - r->bytes)) {
		return;
	}
	r->seen[r->count++] = key;
	opa_write_attribute(&r->w, OPA_TAG_RESOURCE_ATTRIBUTE, key, &value);
}

static void put_text(resource_writer *r, const char *key, const char *text)
{
	put(r, str_of(key), OPA_VALUE_OF_STRING(str_of(text)));
}

/* Percent-decodes in place. */
static size_t decode(char *text, size_t len)
{
	size_t n = 0;
	for (size_t i = 0; i < len; i++) {
		unsigned value;
		char digits[3] = {0};
		if (text[i] == '%' && i + 2 < len) {
			memcpy(digits, text + i + 1, 2);
			if (strspn(digits, "0123456789abcdefABCDEF") == 2 &&
				sscanf(digits, "%x", &value) == 1) {
				text[n++] = (char)value;
				i += 2;
				continue;
			}
		}
		text[n++] = text[i];
	}
	return n;
}

static opa_str trimmed(char *text, size_t len)
{
	while (len > 0 && (*text == ' ' || *text == '\t')) {
		text++;
		len--;
	}
	while (len > 0 && (text[len - 1] == ' ' || text[len - 1] == '\t')) {
		len--;
	}
	return (opa_str){text, len};
}

/* "key=value,key=value" (the W3C baggage format without properties). `list` is written to. */
static void put_list(const opa_config_input *in, resource_writer *r, char *list)
{
	for (char *part = list; *part != '\0';) {
		size_t len = strcspn(part, ",");
		char *next = part + len + (part[len] == ',');
		char *equal = memchr(part, '=', len);
		if (equal != NULL && equal > part) {
			opa_str key = trimmed(part, (size_t)(equal - part));
			opa_str value = trimmed(equal + 1, (size_t)(part + len - equal - 1));
			value.len = decode((char *)(uintptr_t)value.data, value.len);
			put(r, key, OPA_VALUE_OF_STRING(value));
		} else if (len > 0) {
			warn(in, "resource attributes: \"%.*s\" is ignored, it has no \"=\"",
				(int)(len > 64 ? 64 : len), part);
		}
		part = next;
	}
}

static void make_instance_id(char id[37])
{
	uint8_t b[16];
	opa_entropy_fill(b, sizeof(b));
	b[6] = (uint8_t)((b[6] & 0x0f) | 0x40); /* RFC 9562: version 4, random */
	b[8] = (uint8_t)((b[8] & 0x3f) | 0x80);
	char hex[32];
	opa_hex_format(b, sizeof(b), hex);
	snprintf(id, 37, "%.8s-%.4s-%.4s-%.4s-%.12s", hex, hex + 8, hex + 12, hex + 16, hex + 20);
}

static bool build_resource(const opa_config_input *in, opa_config *config)
{
	char host[256], arch[64], container[80], id[37];
	resource_writer *r = opa_malloc(sizeof(*r));
	char *list = opa_strndup(config->texts[OPA_SETTING_RESOURCE_ATTRIBUTES],
		strlen(config->texts[OPA_SETTING_RESOURCE_ATTRIBUTES]));
	if (r == NULL || list == NULL) {
		opa_free(r);
		opa_free(list);
		return false;
	}
	opa_host_name(host, sizeof(host));
	opa_host_arch(arch, sizeof(arch));
	opa_host_container_id(container, sizeof(container));
	make_instance_id(id);
	uint64_t pid = opa_host_pid();
	r->w.pos = r->bytes + sizeof(r->bytes);
	r->count = 0;
	put_text(r, "telemetry.sdk.name", "opa");
	put_text(r, "telemetry.sdk.language", "php");
	put_text(r, "telemetry.sdk.version", in->opa_version);
	put(r, OPA_STR("process.pid"), OPA_VALUE_OF_INT((int64_t)pid));
	put_text(r, "service.name", config->texts[OPA_SETTING_SERVICE_NAME]);
	put_list(in, r, list);
	put_text(r, "service.name", "unknown_service:php");
	put_text(r, "service.instance.id", id);
	put_text(r, "process.runtime.name", in->sapi);
	put_text(r, "process.runtime.version", in->php_version);
	put_text(r, "host.name", host);
	put_text(r, "host.arch", arch);
	put_text(r, "os.type", opa_host_os());
	put_text(r, "container.id", container);
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
	config->pid = pid;
	memcpy(config->instance_id, id, sizeof(id));
	/* The instance id is random, so its bits name the resource as well as a hash would. */
	config->resource_id = 0xcbf29ce484222325u;
	for (size_t i = 0; i < len; i++) {
		config->resource_id = (config->resource_id ^ bytes[i]) * 0x100000001b3u;
	}
	return true;
}

/* ---- life ---- */

opa_config *opa_config_create(const opa_config_input *in)
{
	opa_config *config = opa_calloc(1, sizeof(*config));
	if (config == NULL) {
		return NULL;
	}
	bool ok = true;
	for (opa_setting setting = 0; setting < OPA_SETTING_COUNT; setting++) {
		ok = resolve(in, config, setting) && ok;
	}
	if (!ok || !read_numbers(in, config) || !build_outlet(in, config) ||
		!build_resource(in, config)) {
		opa_config_destroy(config);
		return NULL;
	}
	return config;
}

void opa_config_destroy(opa_config *config)
{
	if (config == NULL) {
		return;
	}
	for (opa_setting setting = 0; setting < OPA_SETTING_COUNT; setting++) {
		opa_free(config->texts[setting]);
		opa_free((char *)(uintptr_t)config->given_ini[setting].data);
	}
	opa_redact_destroy(config->redact);
	opa_free(config->known_methods);
	opa_free(config->destination);
	opa_free(config->runtime_dir);
	opa_free(config->resource);
	opa_free(config);
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
	return build_resource(in, config);
}
