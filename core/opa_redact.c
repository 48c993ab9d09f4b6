#include "opa_redact.h"
#include "opa_alloc.h"
#include "opa_glob.h"

#include <string.h>

#define REDACTED_LEN (sizeof(OPA_REDACTED) - 1)

struct opa_redact {
	size_t count;
	char *text; /* the patterns in lower case; the strings below lie in it */
	opa_str patterns[];
};

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

opa_redact *opa_redact_create(opa_str list)
{
	size_t parts = 1;
	for (size_t i = 0; i < list.len; i++) {
		parts += list.data[i] == ',';
	}
	opa_redact *redact = opa_malloc(sizeof(*redact) + parts * sizeof(opa_str));
	if (redact == NULL) {
		return NULL;
	}
	redact->count = 0;
	redact->text = opa_strndup(list.data, list.len);
	if (redact->text == NULL) {
		opa_free(redact);
		return NULL;
	}
	size_t begin = 0;
	for (size_t i = 0; i <= list.len; i++) {
		if (i < list.len && redact->text[i] != ',') {
			redact->text[i] = opa_ascii_lower(redact->text[i]);
			continue;
		}
		size_t end = i;
		while (begin < end && is_blank(redact->text[begin])) {
			begin++;
		}
		while (end > begin && is_blank(redact->text[end - 1])) {
			end--;
		}
		if (end > begin) {
			redact->patterns[redact->count++] = (opa_str){redact->text + begin, end - begin};
		}
		begin = i + 1;
	}
	return redact;
}

void opa_redact_destroy(opa_redact *redact)
{
	if (redact != NULL) {
		opa_free(redact->text);
		opa_free(redact);
	}
}

bool opa_redact_matches(const opa_redact *redact, opa_str key)
{
	for (size_t i = 0; i < redact->count; i++) {
		if (opa_glob_matches(redact->patterns[i], key, true)) {
			return true;
		}
	}
	return false;
}

bool opa_redact_asks(opa_redact_memo *memo, const opa_redact *redact, opa_str key)
{
	if (OPA_UNLIKELY(key.len == 0 || key.len > OPA_REDACT_MEMO_KEY)) {
		return opa_redact_matches(redact, key);
	}
	if (OPA_UNLIKELY(memo->redact != redact)) {
		memset(memo, 0, sizeof(*memo));
		memo->redact = redact;
	}
	unsigned hash = (unsigned)key.len * 31 + (unsigned char)key.data[0] * 7 +
					(unsigned char)key.data[key.len / 2] * 13 +
					(unsigned char)key.data[key.len - 1];
	unsigned slot = hash % OPA_REDACT_MEMO_SLOTS;
	if (OPA_LIKELY(memo->slots[slot].len == key.len) &&
		OPA_LIKELY(memcmp(memo->slots[slot].key, key.data, key.len) == 0)) {
		return memo->slots[slot].answer != 0;
	}
	bool answer = opa_redact_matches(redact, key);
	memo->slots[slot].len = (uint8_t)key.len;
	memo->slots[slot].answer = answer;
	memcpy(memo->slots[slot].key, key.data, key.len);
	return answer;
}

static int hex_value(char c)
{
	c = opa_ascii_lower(c);
	if (c >= '0' && c <= '9') {
		return c - '0';
	}
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/*
 * A parameter's name as PHP knows it: percent-decoded, without the spaces in front. `room` takes
 * raw.len bytes.
 */
static opa_str decode_name(opa_str raw, char *room)
{
	size_t n = 0;
	for (size_t i = 0; i < raw.len; i++) {
		char c = raw.data[i] == '+' ? ' ' : raw.data[i];
		if (c == '%' && raw.len - i > 2 && hex_value(raw.data[i + 1]) >= 0 &&
			hex_value(raw.data[i + 2]) >= 0) {
			c = (char)(hex_value(raw.data[i + 1]) * 16 + hex_value(raw.data[i + 2]));
			i += 2;
		}
		if (n > 0 || c != ' ') {
			room[n++] = c;
		}
	}
	return (opa_str){room, n};
}

/* The name itself, or one of the keys that PHP makes of it: `user[password]` has two. */
static bool is_listed(const opa_redact *redact, opa_str name)
{
	if (opa_redact_matches(redact, name)) {
		return true;
	}
	size_t begin = 0;
	for (size_t i = 0; i < name.len; i++) {
		if (name.data[i] != '[' && name.data[i] != ']') {
			continue;
		}
		if (i > begin && opa_redact_matches(redact, (opa_str){name.data + begin, i - begin})) {
			return true;
		}
		begin = i + 1;
	}
	return false;
}

size_t opa_redact_query_bound(size_t len)
{
	return len + (len / 2 + 1) * REDACTED_LEN;
}

/*
 * Whether a part between two `&` holds a listed parameter; its value begins at *at. With PHP's
 * arg_separator.input a `;` may part parameters, too, or else belong to a value: so a name may
 * stand behind one, and a value never ends at one. `room` takes part.len bytes.
 */
static bool find_listed(const opa_redact *redact, opa_str part, char *room, size_t *at)
{
	for (size_t begin = 0; begin < part.len;) {
		const char *name = part.data + begin;
		const char *semicolon = memchr(name, ';', part.len - begin);
		size_t len = semicolon == NULL ? part.len - begin : (size_t)(semicolon - name);
		const char *equal = memchr(name, '=', len);
		if (equal != NULL) {
			size_t name_len = (size_t)(equal - name);
			if (is_listed(redact, decode_name((opa_str){name, name_len}, room))) {
				*at = begin + name_len + 1;
				return true;
			}
		}
		begin += len + 1;
	}
	return false;
}

size_t opa_redact_query(const opa_redact *redact, opa_str query, char *to)
{
	size_t written = 0;
	for (size_t begin = 0; begin < query.len;) {
		opa_str part = {query.data + begin, query.len - begin};
		const char *ampersand = memchr(part.data, '&', part.len);
		part.len = ampersand == NULL ? part.len : (size_t)(ampersand - part.data);
		/* Names are decoded where the part will stand: there is room for all of it. */
		size_t shown = part.len;
		bool listed = find_listed(redact, part, to + written, &shown);
		memcpy(to + written, part.data, shown);
		written += shown;
		if (listed) {
			memcpy(to + written, OPA_REDACTED, REDACTED_LEN);
			written += REDACTED_LEN;
		}
		if (ampersand != NULL) {
			to[written++] = '&';
		}
		begin += part.len + 1;
	}
	return written;
}
