/*
 * Numbers as people write them in settings. Each function reads the whole text (spaces around it
 * are allowed) and answers false, with *value untouched, when it is anything else or does not fit.
 */
#ifndef OPA_UNITS_H
#define OPA_UNITS_H

#include "opa_base.h"

/* Whether the text is `lower` but for the case of ASCII letters. The locale does not matter. */
bool opa_text_equals(opa_str text, const char *lower);

/* 1, on, yes, true; 0, off, no, false, and the empty text: case does not matter, as in PHP. */
bool opa_parse_bool(opa_str text, bool *value);

bool opa_parse_int(opa_str text, int64_t *value);

/*
 * A decimal fraction: "0.25", "1", "1e-3", below 1e300. Never NaN or infinite. The locale does not
 * matter.
 */
bool opa_parse_real(opa_str text, double *value);

/* Bytes: 65536, 64K, 64M, 2G, 1T, also KB, KiB and so on: all powers of 1024, as in PHP. */
bool opa_parse_size(opa_str text, uint64_t *bytes);

/* Nanoseconds: 500ms, 10s, 5m, 2h, 7d, 100us; a number without a unit is seconds. */
bool opa_parse_duration(opa_str text, uint64_t *ns);

#endif
