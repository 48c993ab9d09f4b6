/*
 * Any bytes as a tracestate: the threshold that is written into it is read out of it, unless there
 * was no room for it; the one that is erased is not; and what is written is clean.
 */
#include "core/opa_ot.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(opa_str state, const uint64_t *threshold)
{
	char written[OPA_W3C_STATE_MAX], again[OPA_W3C_STATE_MAX];
	opa_ot before, after;
	opa_ot_read(state, &before);
	size_t len = opa_ot_write(state, threshold, written);
	opa_ot_read((opa_str){written, len}, &after);
	if (after.says_threshold && (threshold == NULL || after.threshold != *threshold)) {
		abort();
	}
	if (threshold != NULL && state.len < 200 && !after.has_threshold) {
		abort();
	}
	if (state.len < 200 &&
		(before.has_random != after.has_random || before.random != after.random)) {
		abort();
	}
	if (opa_w3c_clean_state((opa_str){written, len}, again) != len ||
		memcmp(written, again, len) != 0) {
		abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char state[OPA_W3C_STATE_MAX];
	uint64_t threshold = 0;
	size_t taken = size < 7 ? size : 7;
	memcpy(&threshold, data, taken);
	size_t len = opa_w3c_clean_state((opa_str){(const char *)data + taken, size - taken}, state);
	check((opa_str){state, len}, &threshold);
	check((opa_str){state, len}, NULL);
	return 0;
}
