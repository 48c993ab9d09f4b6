/*
 * Any list of patterns and any query, parted by the first line break: the result fits its bound,
 * has the same parameters, and is what it stays when it is redacted again.
 */
#include "core/opa_redact.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool condition)
{
	if (!condition) {
		abort();
	}
}

static size_t count_of(const char *text, size_t len, char wanted)
{
	size_t n = 0;
	for (size_t i = 0; i < len; i++) {
		n += text[i] == wanted;
	}
	return n;
}

static void check_query(const opa_redact *redact, opa_str query)
{
	size_t bound = opa_redact_query_bound(query.len);
	char *once = malloc(bound), *twice = malloc(opa_redact_query_bound(bound));
	check(once != NULL && twice != NULL);
	size_t len = opa_redact_query(redact, query, once);
	check(len <= bound);
	check(count_of(once, len, '&') == count_of(query.data, query.len, '&'));
	check(opa_redact_query(redact, (opa_str){once, len}, twice) == len);
	check(memcmp(once, twice, len) == 0);
	free(once);
	free(twice);
}

static void check_key(const opa_redact *redact, opa_str key)
{
	static opa_redact_memo memo;
	memset(&memo, 0, sizeof(memo));
	bool listed = opa_redact_matches(redact, key);
	check(opa_redact_asks(&memo, redact, key) == listed);
	check(opa_redact_asks(&memo, redact, key) == listed);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data;
	const char *end = size > 0 ? memchr(text, '\n', size) : NULL;
	size_t patterns = end == NULL ? 0 : (size_t)(end - text);
	opa_str query = {end == NULL ? text : end + 1, end == NULL ? size : size - patterns - 1};
	opa_redact *redact = opa_redact_create((opa_str){text, patterns});
	check(redact != NULL);
	check_query(redact, query);
	check_key(redact, query);
	opa_redact_destroy(redact);
	return 0;
}
