#include "opa_outlet.h"
#include "opa_hash.h"

#include <string.h>

uint64_t opa_destination_id(const char *definition)
{
	uint64_t hash = opa_hash_add(OPA_HASH_START, definition, strlen(definition));
	return hash == 0 ? 1 : hash;
}
