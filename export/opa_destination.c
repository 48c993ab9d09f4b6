#include "opa_destination.h"

#include "../core/opa_alloc.h"

#include <string.h>

static bool parse_number(const char *text, uint64_t *number)
{
	uint64_t value = 0;
	if (*text == '\0') {
		return false;
	}
	for (; *text != '\0'; text++) {
		uint64_t digit = (uint64_t)(*text - '0');
		if (*text < '0' || *text > '9' || value > (UINT64_MAX - digit) / 10) {
			return false;
		}
		value = value * 10 + digit;
	}
	*number = value;
	return true;
}

#define MS_MAX 3600000u

static bool set_text(opa_destination *d, const char *key, const char *value)
{
	const struct {
		const char *key;
		const char **to;
	} texts[] = {
		{"path", &d->path},
		{"state_dir", &d->state_dir},
		{"home", &d->home},
		{"group", &d->group},
		{"endpoint", &d->endpoint},
		{"proxy", &d->proxy},
		{"ca_file", &d->ca_file},
		{"cert_file", &d->cert_file},
		{"key_file", &d->key_file},
	};
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		if (strcmp(key, texts[i].key) == 0) {
			*texts[i].to = *value != '\0' ? value : NULL;
			return true;
		}
	}
	return false;
}

static void set_number(opa_destination *d, const char *key, uint64_t number)
{
	unsigned ms = number < MS_MAX ? (unsigned)number : MS_MAX;
	if (strcmp(key, "max_size") == 0) {
		d->max_size = number;
	} else if (strcmp(key, "max_age") == 0) {
		d->max_age = number;
	} else if (strcmp(key, "batch_size") == 0) {
		d->batch_size = number;
	} else if (strcmp(key, "batch_spans") == 0) {
		d->batch_spans = number;
	} else if (strcmp(key, "timeout") == 0) {
		d->timeout = ms;
	} else if (strcmp(key, "linger") == 0) {
		d->linger = ms;
	} else if (strcmp(key, "shutdown_timeout") == 0) {
		d->shutdown_timeout = ms;
	}
}

static void set(opa_destination *d, const char *key, const char *value)
{
	uint64_t number;
	if (strcmp(key, "type") == 0) {
		d->type_name = value;
		d->type = strcmp(value, "store") == 0  ? OPA_DESTINATION_STORE
				  : strcmp(value, "otlp") == 0 ? OPA_DESTINATION_COLLECTOR
											   : OPA_DESTINATION_UNKNOWN;
	} else if (strcmp(key, "header") == 0) {
		if (d->header_count < OPA_HEADERS_COUNT_MAX) {
			d->headers[d->header_count++] = value;
		}
	} else if (strcmp(key, "compression") == 0) {
		d->gzip = strcmp(value, "gzip") == 0;
	} else if (!set_text(d, key, value) && parse_number(value, &number)) {
		set_number(d, key, number);
	}
}

bool opa_destination_parse(opa_destination *destination, opa_str text)
{
	*destination = (opa_destination){.type = OPA_DESTINATION_UNKNOWN,
		.type_name = "",
		.batch_size = OPA_DESTINATION_BATCH_SIZE,
		.timeout = OPA_DESTINATION_REQUEST_TIMEOUT_MS,
		.linger = OPA_DESTINATION_LINGER_MS,
		.shutdown_timeout = OPA_DESTINATION_TIMEOUT_MS};
	destination->text = opa_strndup(text.data, text.len);
	if (destination->text == NULL) {
		return false;
	}
	char *rest = destination->text;
	for (char *line = strsep(&rest, "\n"); line != NULL; line = strsep(&rest, "\n")) {
		char *value = strchr(line, '=');
		if (value != NULL) {
			*value = '\0';
			set(destination, line, value + 1);
		}
	}
	return true;
}

void opa_destination_deinit(opa_destination *destination)
{
	opa_free(destination->text);
	*destination = (opa_destination){.type = OPA_DESTINATION_UNKNOWN, .type_name = ""};
}
