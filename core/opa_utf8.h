/*
 * UTF-8: what it takes to put any PHP string into a protobuf `string` field, which must be valid or
 * the receiver refuses the whole batch.
 */
#ifndef OPA_UTF8_H
#define OPA_UTF8_H

#include "opa_bytes.h"

/* How many bytes at the start are valid UTF-8 (no surrogates, nothing overlong or too high). */
size_t opa_utf8_valid_prefix(const char *data, size_t len);

/* Whether no byte is above 0x7f: what most strings are, found in a few instructions. */
OPA_INLINE bool opa_utf8_is_ascii(const char *data, size_t len)
{
	const uint64_t high_bits = 0x8080808080808080u;
	uint64_t seen = 0;
	/* Short ones in registers: bytes put together in memory would have to be waited for. */
	if (len < sizeof(uint64_t)) {
		const unsigned char *p = (const unsigned char *)data;
		if (len >= sizeof(uint32_t)) {
			seen = opa_load_le32(p) | opa_load_le32(p + len - sizeof(uint32_t));
		} else if (len > 0) {
			seen = (uint64_t)(p[0] | p[len / 2] | p[len - 1]);
		}
		return (seen & high_bits) == 0;
	}
	for (size_t i = 0; i + sizeof(uint64_t) < len; i += sizeof(uint64_t)) {
		seen |= opa_load_le64(data + i);
	}
	/* The last word overlaps the one before it. */
	seen |= opa_load_le64(data + len - sizeof(uint64_t));
	return (seen & high_bits) == 0;
}

/*
 * Copies a string and answers whether no byte is above 0x7f, in one pass. Where it answers false,
 * what stands in the `len` bytes at `to` has no meaning.
 */
OPA_INLINE bool opa_utf8_copy_ascii(void *to, const char *from, size_t len)
{
	const uint64_t high_bits = 0x8080808080808080u;
	char *t = to;
	if (OPA_UNLIKELY(len > 16)) {
		opa_copy(to, from, len);
		return opa_utf8_is_ascii(from, len);
	}
	if (len >= sizeof(uint64_t)) {
		uint64_t head, tail;
		memcpy(&head, from, sizeof(head));
		memcpy(&tail, from + len - sizeof(tail), sizeof(tail));
		memcpy(t, &head, sizeof(head));
		memcpy(t + len - sizeof(tail), &tail, sizeof(tail));
		return ((head | tail) & high_bits) == 0;
	}
	if (len >= sizeof(uint32_t)) {
		uint32_t head, tail;
		memcpy(&head, from, sizeof(head));
		memcpy(&tail, from + len - sizeof(tail), sizeof(tail));
		memcpy(t, &head, sizeof(head));
		memcpy(t + len - sizeof(tail), &tail, sizeof(tail));
		return ((head | tail) & (uint32_t)high_bits) == 0;
	}
	char seen = 0;
	if (len > 0) {
		t[0] = from[0];
		t[len / 2] = from[len / 2];
		t[len - 1] = from[len - 1];
		seen = (char)(from[0] | from[len / 2] | from[len - 1]);
	}
	return (seen & 0x80) == 0;
}

OPA_INLINE bool opa_utf8_is_valid(const char *data, size_t len)
{
	return OPA_LIKELY(opa_utf8_is_ascii(data, len)) || opa_utf8_valid_prefix(data, len) == len;
}

/*
 * Length and content of the string with each maximal invalid part replaced by one U+FFFD, as the
 * Unicode standard recommends (chapter 3, "U+FFFD Substitution of Maximal Subparts"). `to` has room
 * for opa_utf8_repaired_len() bytes, which is at most 3 * len.
 */
size_t opa_utf8_repaired_len(const char *data, size_t len);
void opa_utf8_repair(const char *data, size_t len, char *to);

/* The largest length of at most `max` that does not end inside a character. */
size_t opa_utf8_cut(const char *data, size_t len, size_t max);

#endif
