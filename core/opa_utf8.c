#include "opa_utf8.h"

#include <string.h>

static const char replacement[] = "\xEF\xBF\xBD";
#define REPLACEMENT_LEN 3u

/* Bytes of the well-formed character at p (Unicode, table 3-7), or 0 with *part bytes of a bad one.
 */
static size_t character(const unsigned char *p, size_t left, size_t *part)
{
	unsigned char c = p[0], low = 0x80, high = 0xBF;
	size_t want;
	*part = 1;
	if (c < 0x80) {
		return 1;
	}
	if (c >= 0xC2 && c <= 0xDF) {
		want = 2;
	} else if (c >= 0xE0 && c <= 0xEF) {
		want = 3;
		low = c == 0xE0 ? 0xA0 : low;
		high = c == 0xED ? 0x9F : high;
	} else if (c >= 0xF0 && c <= 0xF4) {
		want = 4;
		low = c == 0xF0 ? 0x90 : low;
		high = c == 0xF4 ? 0x8F : high;
	} else {
		return 0;
	}
	for (size_t i = 1; i < want; i++) {
		if (i >= left || p[i] < low || p[i] > high) {
			*part = i;
			return 0;
		}
		low = 0x80;
		high = 0xBF;
	}
	return want;
}

size_t opa_utf8_valid_prefix(const char *data, size_t len)
{
	const unsigned char *p = (const unsigned char *)data;
	size_t i = 0, part;
	while (i < len) {
		uint64_t word;
		while (len - i >= sizeof(word)) {
			memcpy(&word, p + i, sizeof(word));
			if (word & 0x8080808080808080u) {
				break;
			}
			i += sizeof(word);
		}
		if (i == len) {
			break;
		}
		size_t n = character(p + i, len - i, &part);
		if (n == 0) {
			return i;
		}
		i += n;
	}
	return i;
}

size_t opa_utf8_repaired_len(const char *data, size_t len)
{
	size_t total = 0, part;
	while (len > 0) {
		size_t valid = opa_utf8_valid_prefix(data, len);
		total += valid;
		data += valid;
		len -= valid;
		if (len > 0) {
			character((const unsigned char *)data, len, &part);
			total += REPLACEMENT_LEN;
			data += part;
			len -= part;
		}
	}
	return total;
}

void opa_utf8_repair(const char *data, size_t len, char *to)
{
	size_t part;
	while (len > 0) {
		size_t valid = opa_utf8_valid_prefix(data, len);
		memcpy(to, data, valid);
		to += valid;
		data += valid;
		len -= valid;
		if (len > 0) {
			character((const unsigned char *)data, len, &part);
			memcpy(to, replacement, REPLACEMENT_LEN);
			to += REPLACEMENT_LEN;
			data += part;
			len -= part;
		}
	}
}

size_t opa_utf8_cut(const char *data, size_t len, size_t max)
{
	if (len <= max) {
		return len;
	}
	size_t cut = max;
	while (cut > 0 && max - cut < 3 && ((unsigned char)data[cut] & 0xC0) == 0x80) {
		cut--;
	}
	/* Bytes that are no character may be cut anywhere. */
	size_t part;
	size_t whole = character((const unsigned char *)data + cut, len - cut, &part);
	return whole > max - cut ? cut : max;
}
