/* Any bytes: what the repair makes of them is valid, of the length that was said, and stays so. */
#include "core/opa_utf8.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool condition)
{
	if (!condition) {
		abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data;
	size_t valid = opa_utf8_valid_prefix(text, size), len = opa_utf8_repaired_len(text, size);
	check(valid <= size && len >= valid && len <= 3 * size);
	check((valid == size) == (len == size && valid == len));
	char *to = malloc(len + 1), *again = malloc(len + 1);
	check(to != NULL && again != NULL);
	opa_utf8_repair(text, size, to);
	check(opa_utf8_valid_prefix(to, len) == len);
	check(memcmp(to, text, valid) == 0);
	check(opa_utf8_repaired_len(to, len) == len);
	opa_utf8_repair(to, len, again);
	check(memcmp(to, again, len) == 0);
	size_t max = size > 0 ? data[0] : 0;
	check(opa_utf8_cut(text, size, max) <= max || opa_utf8_cut(text, size, max) == size);
	size_t cut = opa_utf8_cut(to, len, max);
	check(cut <= len && opa_utf8_valid_prefix(to, cut) == cut);
	free(to);
	free(again);
	return 0;
}
