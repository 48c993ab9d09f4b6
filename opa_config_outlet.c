#include "opa_config_internal.h"
#include "core/opa_address.h"
#include "core/opa_alloc.h"
#include "core/opa_units.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define PLACE_MAX      4096u /* no path is longer */
#define DEFINITION_MAX (3 * OPA_HEADERS_MAX)

_Static_assert(2 * OPA_HEADERS_MAX > 5 * PLACE_MAX + 2 * OPA_ADDRESS_MAX,
	"a definition with all that it may have would not fit");

static opa_str str_of(const char *text)
{
	return (opa_str){text, strlen(text)};
}

/* ---- who is asked to take the traces ---- */

/* OTEL_TRACES_EXPORTER: a list of names. Those that opa does not know are said. */
static bool asks_for_otlp(const opa_config_input *in, opa_config *config)
{
	const char *list = opa_config_variable(in, config, "OTEL_TRACES_EXPORTER");
	bool otlp = false;
	for (const char *at = list; at != NULL && *at != '\0';) {
		at += strspn(at, " \t,");
		opa_str name = {at, strcspn(at, " \t,")};
		if (opa_text_equals(name, "otlp")) {
			otlp = true;
		} else if (opa_text_equals(name, "none")) {
			config->exporter_none = true;
		} else if (name.len > 0) {
			opa_config_warn(config,
				"OTEL_TRACES_EXPORTER: \"%.*s\" is ignored, opa knows otlp and none",
				(int)(name.len > 64 ? 64 : name.len), name.data);
		}
		at += name.len;
	}
	return otlp;
}

static void warn_of_protocol(const opa_config_input *in, opa_config *config)
{
	static const char *const names[] = {
		"OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL"};
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		const char *protocol = opa_config_variable(in, config, names[i]);
		if (protocol != NULL) {
			if (!opa_text_equals(str_of(protocol), "http/protobuf")) {
				opa_config_warn(config, "%s is ignored: opa sends http/protobuf, not \"%.64s\"",
					names[i], protocol);
			}
			return;
		}
	}
}

static bool is_from(const opa_config *config, opa_setting setting, const char *variable)
{
	const char *from = config->variables[setting];
	size_t len = strlen(variable);
	return from != NULL && strncmp(from, variable, len) == 0 &&
		   (from[len] == ',' || from[len] == '\0');
}

/* The URL to post to; NULL: the store takes them. `to` has room as opa_address_complete() needs. */
static const char *choose_endpoint(const opa_config_input *in, opa_config *config, char *to)
{
	const char *text = config->texts[OPA_SETTING_ENDPOINT];
	bool otlp = asks_for_otlp(in, config);
	if (*text == '\0' && otlp && !in->given[OPA_SETTING_ENDPOINT]) {
		text = OPA_ADDRESS_LOCAL;
	}
	if (*text == '\0' || config->exporter_none) {
		return NULL;
	}
	opa_address_kind kind = OPA_ADDRESS_EITHER;
	if (is_from(config, OPA_SETTING_ENDPOINT, "OTEL_EXPORTER_OTLP_ENDPOINT")) {
		kind = OPA_ADDRESS_BASE;
	} else if (is_from(config, OPA_SETTING_ENDPOINT, "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")) {
		kind = OPA_ADDRESS_AS_IT_IS;
	}
	opa_address_complete(str_of(text), kind, to);
	warn_of_protocol(in, config);
	return to;
}

/* ---- definitions ---- */

typedef struct definition {
	size_t len;
	char text[DEFINITION_MAX];
} definition;

__attribute__((format(printf, 2, 3))) static void add(definition *d, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	int n = vsnprintf(d->text + d->len, sizeof(d->text) - d->len, format, args);
	va_end(args);
	d->len += n > 0 ? (size_t)n : 0;
}

static void add_place(definition *d, const char *key, const char *value)
{
	if (value != NULL && strchr(value, '\n') == NULL && strlen(value) < PLACE_MAX) {
		add(d, "%s=%s\n", key, value);
	}
}

static void add_timeout(definition *d, const opa_config *config)
{
	add(d, "shutdown_timeout=%" PRIu64 "\n",
		opa_config_duration(config, OPA_SETTING_SHUTDOWN_TIMEOUT) / OPA_MS);
}

static void define_store(const opa_config_input *in, opa_config *config, definition *d)
{
	add(d, "type=store\n");
	add_place(d, "path", opa_config_path(config, OPA_SETTING_STORE_PATH));
	if (!in->server) {
		add_place(d, "state_dir", opa_config_any_variable(in, config, "XDG_STATE_HOME"));
		add_place(d, "home", opa_config_any_variable(in, config, "HOME"));
	}
	add_place(d, "group", opa_config_path(config, OPA_SETTING_STORE_GROUP));
	add(d, "max_size=%" PRIu64 "\nmax_age=%" PRIu64 "\n",
		opa_config_size(config, OPA_SETTING_STORE_MAX_SIZE),
		opa_config_duration(config, OPA_SETTING_STORE_MAX_AGE) / OPA_SECOND);
	add_timeout(d, config);
}

/* They were checked when they were set: no value has a line break in it. */
static void add_headers(definition *d, opa_str list)
{
	opa_extra_header header;
	while (opa_extra_header_next(&list, &header)) {
		add(d, "header=%.*s: ", (int)header.name.len, header.name.data);
		d->len += opa_extra_header_decode(header.value, d->text + d->len);
		add(d, "\n");
	}
}

/* The one of OpenTelemetry's settings that counts spans where opa counts bytes. */
static void add_batch_spans(const opa_config_input *in, opa_config *config, definition *d)
{
	static const char name[] = "OTEL_BSP_MAX_EXPORT_BATCH_SIZE";
	const char *text = opa_config_variable(in, config, name);
	int64_t spans;
	if (text == NULL) {
		return;
	}
	if (!opa_parse_int(str_of(text), &spans) || spans < 1 || spans > INT32_MAX) {
		opa_config_warn(
			config, "%s is ignored: \"%.64s\" is not a whole number from 1 on", name, text);
		return;
	}
	add(d, "batch_spans=%" PRIi64 "\n", spans);
}

static void define_collector(
	const opa_config_input *in, opa_config *config, const char *endpoint, definition *d)
{
	bool gzip = opa_text_equals(str_of(config->texts[OPA_SETTING_COMPRESSION]), "gzip");
	add(d, "type=otlp\nendpoint=%s\n", endpoint);
	add_headers(d, str_of(config->texts[OPA_SETTING_HEADERS]));
	add(d, "timeout=%" PRIu64 "\ncompression=%s\nbatch_size=%" PRIu64 "\nlinger=%" PRIu64 "\n",
		opa_config_duration(config, OPA_SETTING_TIMEOUT) / OPA_MS, gzip ? "gzip" : "none",
		opa_config_size(config, OPA_SETTING_BATCH_SIZE),
		opa_config_duration(config, OPA_SETTING_LINGER) / OPA_MS);
	add_batch_spans(in, config, d);
	add_place(d, "ca_file", opa_config_path(config, OPA_SETTING_CA_FILE));
	add_place(d, "cert_file", opa_config_path(config, OPA_SETTING_CERT_FILE));
	add_place(d, "key_file", opa_config_path(config, OPA_SETTING_KEY_FILE));
	add_place(d, "proxy", opa_config_path(config, OPA_SETTING_PROXY));
	add_timeout(d, config);
}

static bool build_destination(const opa_config_input *in, opa_config *config)
{
	char url[OPA_ADDRESS_MAX + 16], shown[OPA_ADDRESS_MAX + 64];
	definition *d = opa_calloc(1, sizeof(*d));
	if (d == NULL) {
		return false;
	}
	const char *endpoint = choose_endpoint(in, config, url);
	bool ok = true;
	if (endpoint == NULL) {
		define_store(in, config, d);
	} else {
		define_collector(in, config, endpoint, d);
		opa_address_show(str_of(endpoint), shown, sizeof(shown));
		config->collector = opa_strndup(shown, strlen(shown));
		ok = config->collector != NULL;
	}
	config->destination = opa_strndup(d->text, d->len);
	opa_free(d);
	return ok && config->destination != NULL;
}

/* ---- the outlet ---- */

/* False when memory is short; a text that is NULL stays so. */
static bool copy(char **to, const char *text)
{
	*to = text == NULL ? NULL : opa_strndup(text, strlen(text));
	return text == NULL || *to != NULL;
}

bool opa_config_build_outlet(const opa_config_input *in, opa_config *config)
{
	const char *runtime_dir = opa_config_any_variable(in, config, "XDG_RUNTIME_DIR");
	const char *exporter = opa_config_path(config, OPA_SETTING_EXPORTER_PATH);
	exporter = exporter != NULL ? exporter : in->exporter;
	if (runtime_dir != NULL && *runtime_dir != '/') {
		runtime_dir = NULL;
	}
	if (!build_destination(in, config) || !copy(&config->runtime_dir, runtime_dir) ||
		!copy(&config->exporter, exporter)) {
		return false;
	}
	config->outlet = (opa_outlet){
		.spool = {opa_config_path(config, OPA_SETTING_SPOOL_DIR), config->runtime_dir,
			opa_config_size(config, OPA_SETTING_SPOOL_MAX_SIZE)},
		.exporter = config->exporter,
		.destination = config->destination,
		.destination_id = opa_destination_id(config->destination),
	};
	return true;
}
