#include "opa_definition.h"
#include "opa_otlp_read.h"

#include "../core/opa_alloc.h"

#include <stdlib.h>
#include <string.h>

static void add(opa_text *text, const char *key, const char *value, size_t len)
{
	opa_text_append(text, key, strlen(key));
	opa_text_append(text, "=", 1);
	opa_text_append(text, value, len);
	opa_text_append(text, "\n", 1);
}

static const char *add_endpoint(opa_text *text, const char *value, opa_address_kind kind)
{
	char url[OPA_ADDRESS_MAX + 16];
	opa_str address = {value, strlen(value)};
	if (!opa_address_is_endpoint(address)) {
		return "the endpoint is no URL that begins with http://, https:// or unix:///";
	}
	opa_address_complete(address, kind, url);
	add(text, "endpoint", url, strlen(url));
	return NULL;
}

/* With ": " behind the name, and the value decoded. */
static const char *add_headers(opa_text *text, const char *value)
{
	opa_str list = {value, strlen(value)};
	opa_extra_header header;
	char decoded[OPA_HEADERS_MAX];
	if (!opa_headers_are_valid(list)) {
		return "the headers are no list like name=value,name=value with percent-encoded values";
	}
	while (opa_extra_header_next(&list, &header)) {
		add(text, "header", header.name.data, header.name.len);
		text->len -= text->len > 0; /* the line goes on */
		opa_text_append(text, ": ", 2);
		opa_text_append(text, decoded, opa_extra_header_decode(header.value, decoded));
		opa_text_append(text, "\n", 1);
	}
	return NULL;
}

/* What is wrong with it, or NULL. */
static const char *add_line(opa_text *text, const char *line)
{
	const char *equal = strchr(line, '=');
	const char *value = equal != NULL ? equal + 1 : "";
	if (strncmp(line, "url=", 4) == 0) {
		return add_endpoint(text, value, OPA_ADDRESS_EITHER);
	}
	if (strncmp(line, "base=", 5) == 0) {
		return add_endpoint(text, value, OPA_ADDRESS_BASE);
	}
	if (strncmp(line, "endpoint=", 9) == 0) {
		return add_endpoint(text, value, OPA_ADDRESS_AS_IT_IS);
	}
	if (strncmp(line, "headers=", 8) == 0) {
		return add_headers(text, value);
	}
	if (strncmp(line, "proxy=", 6) == 0 && *value != '\0' &&
		!opa_address_is_proxy((opa_str){value, strlen(value)})) {
		return "the proxy is no URL like http://proxy:3128";
	}
	opa_text_append(text, line, strlen(line));
	opa_text_append(text, "\n", 1);
	return NULL;
}

static const char *read_lines(FILE *from, opa_text *text)
{
	const char *wrong = NULL;
	char *line = NULL;
	size_t room = 0, total = 0;
	while (wrong == NULL) {
		ssize_t len = getline(&line, &room, from);
		if (len <= 0 || line[0] == '\n') {
			break;
		}
		line[len - (line[len - 1] == '\n')] = '\0';
		total += (size_t)len;
		wrong = strlen(line) + 1 < (size_t)len || total > OPA_DESTINATION_TEXT_MAX
					? "the definition is not made of lines of text"
					: add_line(text, line);
	}
	free(line);
	return wrong;
}

bool opa_definition_read(FILE *from, opa_destination *destination, char *problem, size_t size)
{
	opa_text text = {0};
	opa_text_append(&text, "type=otlp\n", 10);
	*destination = (opa_destination){.type = OPA_DESTINATION_UNKNOWN, .type_name = ""};
	const char *wrong = read_lines(from, &text);
	if (wrong == NULL &&
		(text.failed || !opa_destination_parse(destination, (opa_str){text.data, text.len}))) {
		wrong = "out of memory";
	}
	opa_text_deinit(&text);
	if (wrong == NULL &&
		(destination->endpoint == NULL || destination->type != OPA_DESTINATION_COLLECTOR)) {
		wrong = "what standard input defines is no collector";
		opa_destination_deinit(destination);
	}
	snprintf(problem, size, "%s", wrong != NULL ? wrong : "");
	return wrong == NULL;
}
