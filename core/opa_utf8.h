/*
 * UTF-8: what it takes to put any PHP string into a protobuf `string` field, which must be valid or
 * the receiver refuses the whole batch.
 */
#ifndef OPA_UTF8_H
#define OPA_UTF8_H

#include "opa_base.h"

/* How many bytes at the start are valid UTF-8 (no surrogates, nothing overlong or too high). */
size_t opa_utf8_valid_prefix(const char *data, size_t len);

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
