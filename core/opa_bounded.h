/*
 * A text that grows up to a bound: a stack trace, a dump. Past the bound nothing is added and `cut`
 * is set, so whoever writes can stop; when memory is short, too.
 */
#ifndef OPA_BOUNDED_H
#define OPA_BOUNDED_H

#include "opa_base.h"

typedef struct opa_bounded {
	char *data; /* malloc, NULL: empty */
	size_t len;
	size_t capacity;
	size_t max;
	bool cut;
} opa_bounded;

void opa_bounded_init(opa_bounded *text, size_t max);
void opa_bounded_deinit(opa_bounded *text); /* it is then empty again */

void opa_bounded_add(opa_bounded *text, const char *data, size_t len);
void opa_bounded_add_text(opa_bounded *text, const char *terminated);

/* Like printf, at most 255 bytes at a time. */
#if defined(__GNUC__) || defined(__clang__)
__attribute__((format(printf, 2, 3)))
#endif
void opa_bounded_printf(opa_bounded *text, const char *format, ...);

static inline opa_str opa_bounded_str(const opa_bounded *text)
{
	return (opa_str){text->len == 0 ? "" : text->data, text->len};
}

#endif
