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

static void set_text(const char **to, const char *value)
{
	*to = *value != '\0' ? value : NULL;
}

static void set(opa_destination *d, const char *key, const char *value)
{
	uint64_t number;
	if (strcmp(key, "type") == 0) {
		d->type_name = value;
		d->type = strcmp(value, "store") == 0 ? OPA_DESTINATION_STORE : OPA_DESTINATION_UNKNOWN;
	} else if (strcmp(key, "path") == 0) {
		set_text(&d->path, value);
	} else if (strcmp(key, "state_dir") == 0) {
		set_text(&d->state_dir, value);
	} else if (strcmp(key, "home") == 0) {
		set_text(&d->home, value);
	} else if (strcmp(key, "group") == 0) {
		set_text(&d->group, value);
	} else if (!parse_number(value, &number)) {
		return;
	} else if (strcmp(key, "max_size") == 0) {
		d->max_size = number;
	} else if (strcmp(key, "max_age") == 0) {
		d->max_age = number;
	} else if (strcmp(key, "shutdown_timeout") == 0) {
		d->shutdown_timeout = number < 3600000 ? (unsigned)number : 3600000;
	}
}

bool opa_destination_parse(opa_destination *destination, opa_str text)
{
	*destination = (opa_destination){.type = OPA_DESTINATION_UNKNOWN,
		.type_name = "",
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
