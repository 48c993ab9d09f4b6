/* Any bytes as rules: what is accepted can be made and asked, and every rule of "*" answers. */
#include "core/opa_sample_rules.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint64_t threshold;
	opa_sample_rules *rules;
	opa_str text = {(const char *)data, size};
	if (!opa_sample_rules_accepts(text)) {
		return 0;
	}
	if (!opa_sample_rules_create(text, OPA_STR("shop"), OPA_STR("cli"), &rules)) {
		abort();
	}
	if (rules != NULL) {
		opa_sample_rules_find(rules, OPA_STR("GET"), text, &threshold);
		opa_sample_rules_find(rules, text, OPA_STR("/a/b"), &threshold);
	}
	opa_sample_rules_destroy(rules);
	char *more = malloc(size + 8);
	memcpy(more, data, size);
	memcpy(more + size, ";*=0.5", 6);
	text = (opa_str){more, size + 6};
	if (opa_sample_rules_accepts(text) &&
		(!opa_sample_rules_create(text, OPA_STR(""), OPA_STR(""), &rules) || rules == NULL ||
			!opa_sample_rules_find(rules, OPA_STR("GET"), OPA_STR("/x"), &threshold))) {
		abort();
	}
	if (opa_sample_rules_accepts(text)) {
		opa_sample_rules_destroy(rules);
	}
	free(more);
	return 0;
}
