#include "opa_outlet.h"
#include "opa_alloc.h"
#include "opa_hash.h"

#include <string.h>

uint64_t opa_destination_id(const char *definition)
{
	uint64_t hash = opa_hash_add(OPA_HASH_START, definition, strlen(definition));
	return hash == 0 ? 1 : hash;
}

/* Puts a text behind *to, and *to behind it. */
static const char *put(char **to, const char *text)
{
	if (text == NULL) {
		return NULL;
	}
	size_t size = strlen(text) + 1;
	char *copy = memcpy(*to, text, size);
	*to += size;
	return copy;
}

static size_t size_of(const char *text)
{
	return text == NULL ? 0 : strlen(text) + 1;
}

opa_outlet *opa_outlet_copy(const opa_outlet *outlet)
{
	const opa_spool_options *spool = &outlet->spool;
	opa_outlet *copy =
		opa_malloc(sizeof(*copy) + size_of(spool->dir) + size_of(spool->runtime_dir) +
				   size_of(outlet->exporter) + size_of(outlet->destination));
	if (copy == NULL) {
		return NULL;
	}
	char *to = (char *)(copy + 1);
	*copy = *outlet;
	copy->spool.dir = put(&to, spool->dir);
	copy->spool.runtime_dir = put(&to, spool->runtime_dir);
	copy->exporter = put(&to, outlet->exporter);
	copy->destination = put(&to, outlet->destination);
	return copy;
}
