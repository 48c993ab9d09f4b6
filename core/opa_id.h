/*
 * Span ids, trace ids, their hex form, and the generator that they come from.
 *
 * A span id is a number here and 16 lower-case hex digits outside. Its first digit is a to f: PHP
 * turns a string of decimal digits into an int when it is an array key, and one random id in 2,000
 * is such a string. Zero is never an id.
 */
#ifndef OPA_ID_H
#define OPA_ID_H

#include "opa_bytes.h"

#define OPA_SPAN_ID_HEX  16
#define OPA_TRACE_ID_LEN 16
#define OPA_TRACE_ID_HEX 32

typedef uint64_t opa_span_id;

#define OPA_NO_SPAN ((opa_span_id)0)

/*
 * xoshiro256** (Blackman, Vigna 2018), and for span ids SplitMix64 (Steele, Lea, Flood 2014): half
 * the work, and no number twice in 2^64, which is all that the ids of one trace need. Zeroed memory
 * is an unseeded one. One user at a time.
 */
typedef struct opa_rng {
	uint64_t state[4];
	uint64_t ids;
	bool seeded;
} opa_rng;

/* What the next one does on first use: seeds from the system. */
void opa_rng_seed(opa_rng *rng);

/* The next 64 random bits. */
OPA_INLINE uint64_t opa_rng_next(opa_rng *rng)
{
	uint64_t *s = rng->state;
	if (OPA_UNLIKELY(!rng->seeded)) {
		opa_rng_seed(rng);
	}
	uint64_t result = s[1] * 5;
	result = ((result << 7) | (result >> 57)) * 9;
	uint64_t t = s[1] << 17;
	s[2] ^= s[0];
	s[3] ^= s[1];
	s[1] ^= s[2];
	s[0] ^= s[3];
	s[2] ^= t;
	s[3] = (s[3] << 45) | (s[3] >> 19);
	return result;
}

/* Makes the next use seed anew: in a forked child, so that it does not repeat its parent's ids. */
void opa_rng_forget(opa_rng *rng);

/* A span id whose lowest `shard_bits` bits are `shard`. */
OPA_INLINE opa_span_id opa_span_id_make(opa_rng *rng, unsigned shard, unsigned shard_bits)
{
	if (OPA_UNLIKELY(!rng->seeded)) {
		opa_rng_seed(rng);
	}
	uint64_t r = rng->ids += 0x9e3779b97f4a7c15u;
	r = (r ^ (r >> 30)) * 0xbf58476d1ce4e5b9u;
	r = (r ^ (r >> 27)) * 0x94d049bb133111ebu;
	r ^= r >> 31;
	/* The highest 28 bits choose one of six digits: the bias is below 2^-25. */
	uint64_t digit = 10 + (((r >> 36) * 6) >> 28);
	uint64_t mask = ((uint64_t)1 << shard_bits) - 1;
	return (digit << 60) | (r & 0x0fffffffffffffffu & ~mask) | (shard & mask);
}

/* A trace id: 16 random bytes, never all zero; so its flag "random" (W3C level 2) may be set. */
void opa_trace_id_make(opa_rng *rng, uint8_t trace_id[OPA_TRACE_ID_LEN]);

/* 16 lower-case hex digits, not terminated. */
OPA_INLINE void opa_span_id_format(opa_span_id id, char hex[OPA_SPAN_ID_HEX]);

/*
 * Reads exactly 16 lower-case hex digits. Anything else (another length, upper case, zero) answers
 * OPA_NO_SPAN. Without a branch that depends on the digits: a mispredicted one costs more than all
 * the rest.
 */
opa_span_id opa_span_id_parse(const char *hex, size_t len);

/* Any even number of hex digits to bytes and back; parse answers false on a wrong digit. */
void opa_hex_format(const uint8_t *bytes, size_t len, char *hex);
bool opa_hex_parse(const char *hex, size_t len, uint8_t *bytes);

/* Big-endian form, as on the wire. */
static inline void opa_span_id_to_bytes(opa_span_id id, uint8_t bytes[8])
{
	opa_store_be64(bytes, id);
}

static inline opa_span_id opa_span_id_from_bytes(const uint8_t bytes[8])
{
	return opa_load_be64(bytes);
}

#if defined(__has_builtin)
#if __has_builtin(__builtin_shufflevector)
#define OPA_ID_VECTOR 1
#endif
#endif

#ifdef OPA_ID_VECTOR
typedef int64_t opa_hex_halves __attribute__((vector_size(OPA_SPAN_ID_HEX)));
typedef signed char opa_hex_digits __attribute__((vector_size(OPA_SPAN_ID_HEX)));

/*
 * All digits at once: the bytes' high and low halves, interleaved, then made letters. (Vectors that
 * are put together in memory would have to be waited for.)
 */
OPA_INLINE void opa_span_id_format(opa_span_id id, char hex[OPA_SPAN_ID_HEX])
{
	const uint64_t each = 0x0f0f0f0f0f0f0f0fu;
	uint64_t bytes = OPA_BE64(id);
	opa_hex_halves high = {(int64_t)(bytes >> 4 & each), 0}, low = {(int64_t)(bytes & each), 0};
	opa_hex_digits x = __builtin_shufflevector((opa_hex_digits)high, (opa_hex_digits)low, 0, 16, 1,
		17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
	x += '0' + ((x > 9) & ('a' - '0' - 10));
	memcpy(hex, &x, sizeof(x));
}
#else
OPA_INLINE void opa_span_id_format(opa_span_id id, char hex[OPA_SPAN_ID_HEX])
{
	for (int i = 0; i < OPA_SPAN_ID_HEX; i++) {
		unsigned digit = (unsigned)(id >> (60 - 4 * i)) & 15;
		hex[i] = (char)(digit < 10 ? '0' + digit : 'a' - 10 + digit);
	}
}
#endif

#endif
