/*
 * FNV-1a, 64 bit (Fowler, Noll, Vo): for names and buckets. Not for input that somebody may choose
 * so that it collides.
 */
#ifndef OPA_HASH_H
#define OPA_HASH_H

#include "opa_base.h"

#define OPA_HASH_START 0xcbf29ce484222325u

/* The hash of what `hash` is of, and of these bytes behind it. */
OPA_INLINE uint64_t opa_hash_add(uint64_t hash, const void *data, size_t len)
{
	const unsigned char *bytes = data;
	for (size_t i = 0; i < len; i++) {
		hash = (hash ^ bytes[i]) * 0x100000001b3u;
	}
	return hash;
}

#endif
