#include "opa_id.h"
#include "opa_bytes.h"
#include "opa_entropy.h"

#include <string.h>

#define EACH_BYTE(x) ((uint64_t)(x)*0x0101010101010101u)

void opa_rng_seed(opa_rng *rng)
{
	uint64_t *s = rng->state;
	do {
		opa_entropy_fill(s, sizeof(rng->state));
	} while ((s[0] | s[1] | s[2] | s[3]) == 0);
	rng->seeded = true;
	rng->ids = opa_rng_next(rng);
}

void opa_rng_forget(opa_rng *rng)
{
	rng->seeded = false;
}

void opa_trace_id_make(opa_rng *rng, uint8_t trace_id[OPA_TRACE_ID_LEN])
{
	uint64_t halves[2];
	do {
		halves[0] = opa_rng_next(rng);
		halves[1] = opa_rng_next(rng);
	} while ((halves[0] | halves[1]) == 0);
	memcpy(trace_id, halves, sizeof(halves));
}

/*
 * The value of eight digits in 32 bits; *wrong gets a bit for each byte that is none. With the top
 * bit of each byte masked away no addition carries into the next byte.
 */
static uint64_t value_of(uint64_t digits, uint64_t *wrong)
{
	uint64_t x = digits & EACH_BYTE(0x7f);
	uint64_t is_digit = (x + EACH_BYTE(0x80 - '0')) & ~(x + EACH_BYTE(0x80 - '9' - 1));
	uint64_t is_letter = (x + EACH_BYTE(0x80 - 'a')) & ~(x + EACH_BYTE(0x80 - 'f' - 1));
	*wrong |= (~(is_digit | is_letter) | digits) & EACH_BYTE(0x80);
	uint64_t v = (x & EACH_BYTE(0x0f)) + ((x >> 6) & EACH_BYTE(1)) * 9;
	v = ((v << 4) | (v >> 8)) & 0x00ff00ff00ff00ffu;
	v = ((v << 8) | (v >> 16)) & 0x0000ffff0000ffffu;
	return ((v << 16) | (v >> 32)) & 0xffffffffu;
}

opa_span_id opa_span_id_parse(const char *hex, size_t len)
{
	if (OPA_UNLIKELY(len != OPA_SPAN_ID_HEX)) {
		return OPA_NO_SPAN;
	}
	uint64_t wrong = 0;
	uint64_t high = value_of(opa_load_le64(hex), &wrong);
	uint64_t low = value_of(opa_load_le64(hex + 8), &wrong);
	return OPA_LIKELY(wrong == 0) ? (high << 32) | low : OPA_NO_SPAN;
}

void opa_hex_format(const uint8_t *bytes, size_t len, char *hex)
{
	static const char digits[] = "0123456789abcdef";
	for (size_t i = 0; i < len; i++) {
		hex[2 * i] = digits[bytes[i] >> 4];
		hex[2 * i + 1] = digits[bytes[i] & 15];
	}
}

static int digit_value(char c)
{
	if (c >= '0' && c <= '9') {
		return c - '0';
	}
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool opa_hex_parse(const char *hex, size_t len, uint8_t *bytes)
{
	for (size_t i = 0; i + 1 < len; i += 2) {
		int high = digit_value(hex[i]), low = digit_value(hex[i + 1]);
		if (high < 0 || low < 0) {
			return false;
		}
		bytes[i / 2] = (uint8_t)(high << 4 | low);
	}
	return len % 2 == 0;
}
