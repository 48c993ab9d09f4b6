/*
 * What every room of the core may rely on: fixed-width types and a few compiler hints.
 */
#ifndef OPA_BASE_H
#define OPA_BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#if defined(__GNUC__) || defined(__clang__)
#define OPA_LIKELY(x)   __builtin_expect(!!(x), 1)
#define OPA_UNLIKELY(x) __builtin_expect(!!(x), 0)
#else
#define OPA_LIKELY(x)   (x)
#define OPA_UNLIKELY(x) (x)
#endif

/*
 * For the few functions that every span goes through: joined into their callers whatever the
 * compiler's own estimate. A call and its bookkeeping cost as much as many of them do.
 */
#if defined(__GNUC__) || defined(__clang__)
#define OPA_INLINE static inline __attribute__((always_inline))
#else
#define OPA_INLINE static inline
#endif

/* For what those functions fall back to: joined, it would have them save registers for it. */
#if defined(__GNUC__) || defined(__clang__)
#define OPA_NOINLINE __attribute__((noinline))
#else
#define OPA_NOINLINE
#endif

/* A string of the caller's: borrowed for the length of the call, any bytes, not terminated. */
typedef struct opa_str {
	const char *data;
	size_t len;
} opa_str;

#define OPA_STR(literal) ((opa_str){"" literal, sizeof(literal) - 1})

#endif
