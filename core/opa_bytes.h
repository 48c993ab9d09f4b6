/*
 * Numbers in memory at any alignment and in a given byte order: one instruction where the machine
 * has it that way (a loop over bytes is ten).
 */
#ifndef OPA_BYTES_H
#define OPA_BYTES_H

#include "opa_base.h"

#include <string.h>

#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
#define OPA_LE64(v) __builtin_bswap64(v)
#define OPA_LE32(v) __builtin_bswap32(v)
#define OPA_LE16(v) __builtin_bswap16(v)
#define OPA_BE64(v) (v)
#elif defined(__GNUC__) || defined(__clang__)
#define OPA_LE64(v) (v)
#define OPA_LE32(v) (v)
#define OPA_LE16(v) (v)
#define OPA_BE64(v) __builtin_bswap64(v)
#else
#include <stdlib.h>
#define OPA_LE64(v) (v)
#define OPA_LE32(v) (v)
#define OPA_LE16(v) (v)
#define OPA_BE64(v) _byteswap_uint64(v)
#endif

OPA_INLINE uint64_t opa_load_le64(const void *from)
{
	uint64_t v;
	memcpy(&v, from, sizeof(v));
	return OPA_LE64(v);
}

OPA_INLINE uint32_t opa_load_le32(const void *from)
{
	uint32_t v;
	memcpy(&v, from, sizeof(v));
	return OPA_LE32(v);
}

OPA_INLINE void opa_store_le64(void *to, uint64_t v)
{
	v = OPA_LE64(v);
	memcpy(to, &v, sizeof(v));
}

OPA_INLINE void opa_store_le16(void *to, uint16_t v)
{
	v = OPA_LE16(v);
	memcpy(to, &v, sizeof(v));
}

OPA_INLINE void opa_store_le32(void *to, uint32_t v)
{
	v = OPA_LE32(v);
	memcpy(to, &v, sizeof(v));
}

OPA_INLINE uint64_t opa_load_be64(const void *from)
{
	uint64_t v;
	memcpy(&v, from, sizeof(v));
	return OPA_BE64(v);
}

OPA_INLINE void opa_store_be64(void *to, uint64_t v)
{
	v = OPA_BE64(v);
	memcpy(to, &v, sizeof(v));
}

/*
 * memcpy for what is mostly short: names, keys, values. Two copies of constant length that overlap
 * take a handful of instructions where a call takes thirty.
 */
OPA_INLINE void opa_copy(void *to, const void *from, size_t len)
{
	unsigned char *t = to;
	const unsigned char *f = from;
	if (OPA_UNLIKELY(len > 32)) {
		memcpy(to, from, len);
	} else if (len >= 16) {
		unsigned char head[16], tail[16];
		memcpy(head, f, 16);
		memcpy(tail, f + len - 16, 16);
		memcpy(t, head, 16);
		memcpy(t + len - 16, tail, 16);
	} else if (len >= 8) {
		uint64_t head, tail;
		memcpy(&head, f, 8);
		memcpy(&tail, f + len - 8, 8);
		memcpy(t, &head, 8);
		memcpy(t + len - 8, &tail, 8);
	} else if (len >= 4) {
		uint32_t head, tail;
		memcpy(&head, f, 4);
		memcpy(&tail, f + len - 4, 4);
		memcpy(t, &head, 4);
		memcpy(t + len - 4, &tail, 4);
	} else if (len > 0) {
		t[0] = f[0];
		t[len / 2] = f[len / 2];
		t[len - 1] = f[len - 1];
	}
}

#endif
