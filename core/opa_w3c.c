#include "opa_w3c.h"

#include <string.h>

#define TRACE_AT 3u
#define SPAN_AT  36u
#define FLAGS_AT 53u

bool opa_w3c_parse(opa_str value, opa_traceparent *parent)
{
	opa_traceparent read;
	uint8_t version, span[8], any = 0;
	const char *v = value.data;
	*parent = (opa_traceparent){0};
	if (value.len < OPA_W3C_LEN || !opa_hex_parse(v, 2, &version) || version == 0xff) {
		return false;
	}
	if (value.len > OPA_W3C_LEN && (version == 0 || v[OPA_W3C_LEN] != '-')) {
		return false;
	}
	if (v[TRACE_AT - 1] != '-' || v[SPAN_AT - 1] != '-' || v[FLAGS_AT - 1] != '-') {
		return false;
	}
	if (!opa_hex_parse(v + TRACE_AT, OPA_TRACE_ID_HEX, read.trace_id) ||
		!opa_hex_parse(v + SPAN_AT, OPA_SPAN_ID_HEX, span) ||
		!opa_hex_parse(v + FLAGS_AT, 2, &read.flags)) {
		return false;
	}
	for (size_t i = 0; i < OPA_TRACE_ID_LEN; i++) {
		any |= read.trace_id[i];
	}
	read.parent = opa_span_id_from_bytes(span);
	if (any == 0 || read.parent == OPA_NO_SPAN) {
		return false;
	}
	*parent = read;
	return true;
}

void opa_w3c_format(
	const uint8_t trace_id[OPA_TRACE_ID_LEN], opa_span_id span, uint8_t flags, char to[OPA_W3C_LEN])
{
	uint8_t id[8];
	flags &= OPA_W3C_SAMPLED | OPA_W3C_RANDOM;
	opa_span_id_to_bytes(span, id);
	memcpy(to, "00-", TRACE_AT);
	opa_hex_format(trace_id, OPA_TRACE_ID_LEN, to + TRACE_AT);
	to[SPAN_AT - 1] = '-';
	opa_hex_format(id, sizeof(id), to + SPAN_AT);
	to[FLAGS_AT - 1] = '-';
	opa_hex_format(&flags, 1, to + FLAGS_AT);
}

/* ---- tracestate ---- */

#define KEY_MAX   256u
#define VALUE_MAX 256u
#define LARGE     128u /* such members are the first to go */

typedef struct member {
	const char *text; /* key=value */
	size_t len;
	size_t key_len;
} member;

typedef struct members {
	member of[OPA_W3C_MEMBERS_MAX];
	size_t count;
	size_t len; /* of all of them, with the commas between */
} members;

static bool is_lower_or_digit(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

static size_t key_length(const char *text, size_t len)
{
	size_t n = 0;
	if (len == 0 || !is_lower_or_digit(text[0])) {
		return 0;
	}
	while (n < len &&
		   (is_lower_or_digit(text[n]) || (text[n] != '\0' && strchr("_-*/@", text[n]) != NULL))) {
		n++;
	}
	return n <= KEY_MAX ? n : 0;
}

static bool is_value(const char *text, size_t len)
{
	if (len == 0 || len > VALUE_MAX || text[len - 1] == ' ') {
		return false;
	}
	for (size_t i = 0; i < len; i++) {
		if (text[i] < 0x20 || text[i] > 0x7e || text[i] == ',' || text[i] == '=') {
			return false;
		}
	}
	return true;
}

static bool has_key(const members *all, const char *key, size_t len)
{
	for (size_t i = 0; i < all->count; i++) {
		if (all->of[i].key_len == len && memcmp(all->of[i].text, key, len) == 0) {
			return true;
		}
	}
	return false;
}

static bool is_space(char c)
{
	return c == ' ' || c == '\t';
}

/* False: it is malformed, or one too many. */
static bool take_member(members *all, const char *text, size_t len)
{
	while (len > 0 && is_space(text[0])) {
		text++;
		len--;
	}
	while (len > 0 && is_space(text[len - 1])) {
		len--;
	}
	if (len == 0) {
		return true;
	}
	size_t key_len = key_length(text, len);
	if (key_len == 0 || key_len + 1 >= len || text[key_len] != '=' ||
		!is_value(text + key_len + 1, len - key_len - 1)) {
		return false;
	}
	if (has_key(all, text, key_len)) {
		return true;
	}
	if (all->count == OPA_W3C_MEMBERS_MAX) {
		return false;
	}
	all->len += len + (all->count > 0);
	all->of[all->count++] = (member){text, len, key_len};
	return true;
}

static void drop_member(members *all, size_t at)
{
	all->len -= all->of[at].len + (all->count > 1);
	all->count--;
	memmove(all->of + at, all->of + at + 1, (all->count - at) * sizeof(member));
}

static void cut(members *all)
{
	for (size_t i = all->count; i-- > 0 && all->len > OPA_W3C_STATE_MAX;) {
		if (all->of[i].len > LARGE) {
			drop_member(all, i);
		}
	}
	while (all->len > OPA_W3C_STATE_MAX) {
		drop_member(all, all->count - 1);
	}
}

size_t opa_w3c_clean_state(opa_str value, char to[OPA_W3C_STATE_MAX])
{
	members all = {.count = 0};
	for (size_t at = 0; at < value.len;) {
		const char *comma = memchr(value.data + at, ',', value.len - at);
		size_t len = comma == NULL ? value.len - at : (size_t)(comma - value.data) - at;
		if (!take_member(&all, value.data + at, len)) {
			return 0;
		}
		at += len + 1;
	}
	cut(&all);
	char *p = to;
	for (size_t i = 0; i < all.count; i++) {
		if (i > 0) {
			*p++ = ',';
		}
		memcpy(p, all.of[i].text, all.of[i].len);
		p += all.of[i].len;
	}
	return (size_t)(p - to);
}

/* ---- baggage ---- */

size_t opa_w3c_baggage_len(opa_str value)
{
	size_t whole = 0, count = 0;
	for (size_t i = 0; i < value.len; i++) {
		if ((value.data[i] < 0x20 && value.data[i] != '\t') || value.data[i] > 0x7e) {
			return 0;
		}
	}
	for (size_t at = 0; at < value.len && count < OPA_BAGGAGE_MEMBERS; count++) {
		const char *comma = memchr(value.data + at, ',', value.len - at);
		size_t end = comma == NULL ? value.len : (size_t)(comma - value.data);
		if (end > OPA_BAGGAGE_MAX) {
			break;
		}
		whole = end;
		at = end + 1;
	}
	return whole;
}
