#include "opa_config.h"
#include "core/opa_address.h"
#include "core/opa_sample_rules.h"
#include "core/opa_units.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const opa_setting_info infos[OPA_SETTING_COUNT] = {
#define INFO(id, name, def, type, mode, min, max, variables, text)                                 \
	{"opa." name, def, OPA_TYPE_##type, OPA_MODE_##mode, min, max, variables, text},
	OPA_SETTINGS(INFO)
#undef INFO
};

const opa_setting_info *opa_setting_get_info(opa_setting setting)
{
	return &infos[setting];
}

bool opa_log_level_parse(opa_str text, opa_log_level *level)
{
	static const char *const names[] = {"off", "error", "warning", "debug"};
	if (text.len == 0) {
		*level = OPA_LOG_OFF; /* what an unquoted `off` in php.ini becomes */
		return true;
	}
	for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (opa_text_equals(text, names[i])) {
			*level = (opa_log_level)i;
			return true;
		}
	}
	return false;
}

static bool in_range(const opa_setting_info *info, uint64_t value)
{
	return value >= info->min && value <= info->max;
}

bool opa_setting_accepts(opa_setting setting, opa_str text)
{
	const opa_setting_info *info = &infos[setting];
	opa_log_level level;
	uint64_t number;
	int64_t integer;
	double real;
	bool flag;
	switch (info->type) {
	case OPA_TYPE_BOOL:
		return opa_parse_bool(text, &flag);
	case OPA_TYPE_COUNT:
		return opa_parse_int(text, &integer) && integer >= 0 && in_range(info, (uint64_t)integer);
	case OPA_TYPE_RATE:
		return opa_parse_real(text, &real) && real >= 0 && real <= 1;
	case OPA_TYPE_SIZE:
		return opa_parse_size(text, &number) && in_range(info, number);
	case OPA_TYPE_DURATION:
		return opa_parse_duration(text, &number) && in_range(info, number);
	case OPA_TYPE_TEXT:
		return memchr(text.data, '\n', text.len) == NULL &&
			   memchr(text.data, '\0', text.len) == NULL;
	case OPA_TYPE_PATH:
		return (text.len == 0 || text.data[0] == '/') &&
			   memchr(text.data, '\n', text.len) == NULL &&
			   memchr(text.data, '\0', text.len) == NULL;
	case OPA_TYPE_LEVEL:
		return opa_log_level_parse(text, &level);
	case OPA_TYPE_ENDPOINT:
		return text.len == 0 || opa_address_is_endpoint(text);
	case OPA_TYPE_PROXY:
		return text.len == 0 || opa_address_is_proxy(text);
	case OPA_TYPE_HEADERS:
		return opa_headers_are_valid(text);
	case OPA_TYPE_COMPRESSION:
		/* What an unquoted `none` in php.ini becomes is the empty text. */
		return text.len == 0 || opa_text_equals(text, "gzip") || opa_text_equals(text, "none");
	case OPA_TYPE_RULES:
		return opa_sample_rules_accepts(text);
	}
	return false;
}

static bool is_address(opa_setting setting)
{
	return infos[setting].type == OPA_TYPE_ENDPOINT || infos[setting].type == OPA_TYPE_PROXY;
}

/* Whoever may have mistyped a URL has not mistyped what is in front of its @, nor its query. */
bool opa_setting_may_show(opa_setting setting, opa_str text)
{
	if (is_address(setting)) {
		return memchr(text.data, '@', text.len) == NULL && memchr(text.data, '?', text.len) == NULL;
	}
	return infos[setting].type != OPA_TYPE_HEADERS;
}

void opa_setting_show(opa_setting setting, opa_str text, char *to, size_t size)
{
	if (infos[setting].type == OPA_TYPE_HEADERS) {
		opa_headers_show(text, to, size);
	} else if (is_address(setting)) {
		opa_address_show(text, to, size);
	} else {
		snprintf(to, size, "%.*s", (int)text.len, text.data);
	}
}

/* "64K", "1G": the largest unit that divides it. */
static void size_text(uint64_t bytes, char *to, size_t size)
{
	static const char units[] = " KMGT";
	unsigned unit = 0;
	while (unit < 4 && bytes >= 1024 && bytes % 1024 == 0) {
		bytes /= 1024;
		unit++;
	}
	snprintf(to, size, unit == 0 ? "%" PRIu64 : "%" PRIu64 "%c", bytes, units[unit]);
}

static void duration_text(uint64_t ns, char *to, size_t size)
{
	uint64_t seconds = ns / OPA_SECOND;
	if (ns > 0 && ns < OPA_SECOND) {
		snprintf(to, size, "%" PRIu64 "ms", ns / OPA_MS);
	} else if (seconds > 0 && seconds % 86400 == 0) {
		snprintf(to, size, "%" PRIu64 "d", seconds / 86400);
	} else {
		snprintf(to, size, "%" PRIu64 "s", seconds);
	}
}

void opa_setting_expects(opa_setting setting, char *to, size_t size)
{
	const opa_setting_info *info = &infos[setting];
	char min[32], max[32];
	switch (info->type) {
	case OPA_TYPE_BOOL:
		snprintf(to, size, "on or off");
		break;
	case OPA_TYPE_COUNT:
		snprintf(to, size, "a whole number from %" PRIu64 " to %" PRIu64, info->min, info->max);
		break;
	case OPA_TYPE_RATE:
		snprintf(to, size, "a number from 0 to 1");
		break;
	case OPA_TYPE_SIZE:
		size_text(info->min, min, sizeof(min));
		size_text(info->max, max, sizeof(max));
		snprintf(to, size, "a size like 64M, from %s to %s", min, max);
		break;
	case OPA_TYPE_DURATION:
		duration_text(info->min, min, sizeof(min));
		duration_text(info->max, max, sizeof(max));
		snprintf(to, size, "a time like 500ms or 10s, from %s to %s", min, max);
		break;
	case OPA_TYPE_TEXT:
		snprintf(to, size, "one line of text");
		break;
	case OPA_TYPE_PATH:
		snprintf(to, size, "an absolute path, or nothing");
		break;
	case OPA_TYPE_LEVEL:
		snprintf(to, size, "off, error, warning or debug");
		break;
	case OPA_TYPE_ENDPOINT:
		snprintf(to, size, "a URL that begins with http://, https:// or unix:///, or nothing");
		break;
	case OPA_TYPE_PROXY:
		snprintf(
			to, size, "a proxy's URL (http, https, socks4, socks5) without a path, or nothing");
		break;
	case OPA_TYPE_HEADERS:
		snprintf(to, size, "a list like name=value,name=value with percent-encoded values");
		break;
	case OPA_TYPE_COMPRESSION:
		snprintf(to, size, "gzip or none");
		break;
	case OPA_TYPE_RULES:
		snprintf(to, size,
			"rules like GET /health=0; service:shop* sapi:cli=1; *=0.1 (rates from 0 to 1, up to %d rules)",
			OPA_SAMPLE_RULES_MAX);
		break;
	}
}
