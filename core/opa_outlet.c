#include "opa_outlet.h"

uint64_t opa_destination_id(const char *definition)
{
	uint64_t hash = 0xcbf29ce484222325u;
	for (const unsigned char *p = (const unsigned char *)definition; *p != '\0'; p++) {
		hash = (hash ^ *p) * 0x100000001b3u;
	}
	return hash == 0 ? 1 : hash;
}
