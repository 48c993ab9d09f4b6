/* Any bytes as a collector's answer: what is made of it is one line of text, and a number. */
#include "export/opa_verdict.h"

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
	static const unsigned statuses[] = {200, 202, 302, 400, 401, 404, 413, 429, 500, 503};
	static const char *const types[] = {
		"application/x-protobuf", "text/plain", "application/json", "text/html", ""};
	if (size < 2) {
		return 0;
	}
	char location[64] = "";
	size_t len = size - 2 < sizeof(location) - 1 ? size - 2 : sizeof(location) - 1;
	memcpy(location, data + 2, len);
	opa_http_answer answer = {.result = OPA_HTTP_ANSWERED,
		.status = statuses[data[0] % 10],
		.body = {(const char *)data + 2, size - 2},
		.type = types[data[1] % 5],
		.location = location,
		.retry_after = data[0],
		.problem = ""};
	opa_verdict verdict;
	opa_verdict_read(&verdict, &answer);
	check(memchr(verdict.message, '\0', sizeof(verdict.message)) != NULL);
	for (const char *c = verdict.message; *c != '\0'; c++) {
		check(*c >= ' ' && *c <= '~');
	}
	check(verdict.rejected == 0 || verdict.kind == OPA_VERDICT_TAKEN);
	check(verdict.retry_after == 0 || verdict.kind == OPA_VERDICT_LATER);
	return 0;
}
