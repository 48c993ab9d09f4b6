#include "opa_crc32c.h"

#include <string.h>

#if defined(__x86_64__) && (defined(__GNUC__) || defined(__clang__))
#include <nmmintrin.h>
#define HAVE_SSE42 1
#elif defined(__aarch64__) && defined(__ARM_FEATURE_CRC32)
#include <arm_acle.h>
#define HAVE_ARM_CRC 1
#endif

/*
 * The checksum is linear over xor, so a table of 256 is spanned by the entries of the eight
 * single-bit bytes: SPAN writes all their sums, in order.
 */
#define SPAN1(v, a)                   (v), (v) ^ (a)
#define SPAN2(v, a, b)                SPAN1(v, a), SPAN1((v) ^ (b), a)
#define SPAN3(v, a, b, c)             SPAN2(v, a, b), SPAN2((v) ^ (c), a, b)
#define SPAN4(v, a, b, c, d)          SPAN3(v, a, b, c), SPAN3((v) ^ (d), a, b, c)
#define SPAN5(v, a, b, c, d, e)       SPAN4(v, a, b, c, d), SPAN4((v) ^ (e), a, b, c, d)
#define SPAN6(v, a, b, c, d, e, f)    SPAN5(v, a, b, c, d, e), SPAN5((v) ^ (f), a, b, c, d, e)
#define SPAN7(v, a, b, c, d, e, f, g) SPAN6(v, a, b, c, d, e, f), SPAN6((v) ^ (g), a, b, c, d, e, f)
#define SPAN(a, b, c, d, e, f, g, h)                                                               \
	{                                                                                              \
		SPAN7(0u, a, b, c, d, e, f, g), SPAN7(0u ^ (h), a, b, c, d, e, f, g)                       \
	}

/* tables[k][i]: the checksum's state after byte i and k bytes of zero. */
static const uint32_t tables[8][256] = {
	SPAN(0xf26b8303u, 0xe13b70f7u, 0xc79a971fu, 0x8ad958cfu, 0x105ec76fu, 0x20bd8edeu, 0x417b1dbcu,
		0x82f63b78u),
	SPAN(0x13a29877u, 0x274530eeu, 0x4e8a61dcu, 0x9d14c3b8u, 0x3fc5f181u, 0x7f8be302u, 0xff17c604u,
		0xfbc3faf9u),
	SPAN(0xa541927eu, 0x4f6f520du, 0x9edea41au, 0x38513ec5u, 0x70a27d8au, 0xe144fb14u, 0xc76580d9u,
		0x8b277743u),
	SPAN(0xdd45aab8u, 0xbf672381u, 0x7b2231f3u, 0xf64463e6u, 0xe964b13du, 0xd725148bu, 0xaba65fe7u,
		0x52a0c93fu),
	SPAN(0x38116facu, 0x7022df58u, 0xe045beb0u, 0xc5670b91u, 0x8f2261d3u, 0x1ba8b557u, 0x37516aaeu,
		0x6ea2d55cu),
	SPAN(0xef306b19u, 0xdb8ca0c3u, 0xb2f53777u, 0x6006181fu, 0xc00c303eu, 0x85f4168du, 0x0e045bebu,
		0x1c08b7d6u),
	SPAN(0x68032cc8u, 0xd0065990u, 0xa5e0c5d1u, 0x4e2dfd53u, 0x9c5bfaa6u, 0x3d5b83bdu, 0x7ab7077au,
		0xf56e0ef4u),
	SPAN(0x493c7d27u, 0x9278fa4eu, 0x211d826du, 0x423b04dau, 0x847609b4u, 0x0d006599u, 0x1a00cb32u,
		0x34019664u),
};

uint32_t opa_crc32c_portable(uint32_t crc, const void *data, size_t len)
{
	const uint8_t *p = data;
	uint32_t c = ~crc;
	for (; len >= 8; p += 8, len -= 8) {
		c ^= (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
		c = tables[7][c & 0xff] ^ tables[6][c >> 8 & 0xff] ^ tables[5][c >> 16 & 0xff] ^
			tables[4][c >> 24] ^ tables[3][p[4]] ^ tables[2][p[5]] ^ tables[1][p[6]] ^
			tables[0][p[7]];
	}
	for (; len > 0; p++, len--) {
		c = tables[0][(c ^ *p) & 0xff] ^ c >> 8;
	}
	return ~c;
}

#if defined(HAVE_SSE42)

__attribute__((target("sse4.2"))) static uint32_t by_instruction(
	uint32_t crc, const uint8_t *p, size_t len)
{
	uint64_t c = ~crc;
	for (; len >= 8; p += 8, len -= 8) {
		uint64_t word;
		memcpy(&word, p, 8);
		c = _mm_crc32_u64(c, word);
	}
	uint32_t last = (uint32_t)c;
	for (; len > 0; p++, len--) {
		last = _mm_crc32_u8(last, *p);
	}
	return ~last;
}

uint32_t opa_crc32c(uint32_t crc, const void *data, size_t len)
{
	if (OPA_LIKELY(__builtin_cpu_supports("sse4.2"))) {
		return by_instruction(crc, data, len);
	}
	return opa_crc32c_portable(crc, data, len);
}

#elif defined(HAVE_ARM_CRC)

uint32_t opa_crc32c(uint32_t crc, const void *data, size_t len)
{
	const uint8_t *p = data;
	uint32_t c = ~crc;
	for (; len >= 8; p += 8, len -= 8) {
		uint64_t word;
		memcpy(&word, p, 8);
		c = __crc32cd(c, word);
	}
	for (; len > 0; p++, len--) {
		c = __crc32cb(c, *p);
	}
	return ~c;
}

#else

uint32_t opa_crc32c(uint32_t crc, const void *data, size_t len)
{
	return opa_crc32c_portable(crc, data, len);
}

#endif
