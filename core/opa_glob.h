/*
 * Patterns in which `*` stands for any run of characters, also none. All others stand for
 * themselves.
 */
#ifndef OPA_GLOB_H
#define OPA_GLOB_H

#include "opa_base.h"

OPA_INLINE char opa_ascii_lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/*
 * Whether the pattern matches the whole text; with `fold` the case of the text's ASCII letters does
 * not matter, and the pattern is in lower case. Greedy, with one place to come back to: linear in
 * both lengths for one star, never worse than their product.
 */
OPA_INLINE bool opa_glob_matches(opa_str pattern, opa_str text, bool fold)
{
	size_t p = 0, t = 0, star = SIZE_MAX, resume = 0;
	/* What stands behind the last star is at the text's end, or the rest need not be looked at. */
	while (pattern.len > 0 && pattern.data[pattern.len - 1] != '*') {
		char c = text.len == 0 ? '*' : text.data[text.len - 1];
		if (pattern.data[pattern.len - 1] != (fold ? opa_ascii_lower(c) : c)) {
			return false;
		}
		pattern.len--;
		text.len--;
	}
	while (t < text.len) {
		char c = fold ? opa_ascii_lower(text.data[t]) : text.data[t];
		if (p < pattern.len && pattern.data[p] == '*') {
			star = p++;
			resume = t;
		} else if (p < pattern.len && pattern.data[p] == c) {
			p++;
			t++;
		} else if (star != SIZE_MAX) {
			p = star + 1;
			t = ++resume;
		} else {
			return false;
		}
	}
	while (p < pattern.len && pattern.data[p] == '*') {
		p++;
	}
	return p == pattern.len;
}

#endif
