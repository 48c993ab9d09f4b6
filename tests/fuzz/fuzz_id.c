/* Any bytes as an id or as hex: accepted exactly when formatting gives the same bytes again. */
#include "core/opa_id.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool condition)
{
	if (!condition) {
		abort();
	}
}

static bool is_hex(const uint8_t *data, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		if (data[i] == '\0' || strchr("0123456789abcdef", data[i]) == NULL) {
			return false;
		}
	}
	return true;
}

static void check_id(const char *text, size_t size)
{
	char hex[OPA_SPAN_ID_HEX];
	opa_span_id id = opa_span_id_parse(text, size);
	bool right = size == OPA_SPAN_ID_HEX && is_hex((const uint8_t *)text, size) &&
				 memcmp(text, "0000000000000000", 16) != 0;
	check((id != OPA_NO_SPAN) == right);
	opa_span_id_format(id, hex);
	check(!right || memcmp(hex, text, sizeof(hex)) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data;
	check_id(text, size);
	for (size_t at = 0; at + OPA_SPAN_ID_HEX <= size && at < 8; at++) {
		check_id(text + at, OPA_SPAN_ID_HEX);
	}
	uint8_t *bytes = malloc(size / 2 + 1);
	char *hex = malloc(2 * size + 1);
	check(bytes != NULL && hex != NULL);
	check(opa_hex_parse(text, size, bytes) == (size % 2 == 0 && is_hex(data, size)));
	opa_hex_format(data, size, hex);
	uint8_t *back = malloc(size + 1);
	check(back != NULL && opa_hex_parse(hex, 2 * size, back));
	check(memcmp(back, data, size) == 0);
	free(back);
	free(hex);
	free(bytes);
	return 0;
}
