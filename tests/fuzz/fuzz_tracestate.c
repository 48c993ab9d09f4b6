/* Any bytes as a tracestate: what comes out is within its bound, and clean already. */
#include "core/opa_w3c.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char once[OPA_W3C_STATE_MAX], again[OPA_W3C_STATE_MAX];
	size_t len = opa_w3c_clean_state((opa_str){(const char *)data, size}, once);
	if (len > sizeof(once) || memchr(once, '\0', len) != NULL ||
		opa_w3c_clean_state((opa_str){once, len}, again) != len || memcmp(once, again, len) != 0) {
		abort();
	}
	return 0;
}
