#include "opa_ot.h"

#include <string.h>

#define DIGITS    14u
#define VALUE_MAX 256u

static bool starts_with(opa_str text, const char *prefix)
{
	size_t len = strlen(prefix);
	return text.len >= len && memcmp(text.data, prefix, len) == 0;
}

/* Takes the text up to the next `end` off the front, and that with it. */
static opa_str next_part(opa_str *rest, char end)
{
	const char *at = memchr(rest->data, end, rest->len);
	opa_str part = {rest->data, at == NULL ? rest->len : (size_t)(at - rest->data)};
	size_t taken = part.len + (at != NULL);
	rest->data += taken;
	rest->len -= taken;
	return part;
}

/* The value of the member; empty when there is none. */
static opa_str find_member(opa_str state)
{
	while (state.len > 0) {
		opa_str member = next_part(&state, ',');
		if (starts_with(member, "ot=")) {
			return (opa_str){member.data + 3, member.len - 3};
		}
	}
	return (opa_str){"", 0};
}

/* Lower-case hex digits, as if zeros stood behind them up to 14. */
static bool parse_digits(opa_str text, uint64_t *value)
{
	uint64_t number = 0;
	if (text.len == 0 || text.len > DIGITS) {
		return false;
	}
	for (size_t i = 0; i < DIGITS; i++) {
		char c = i < text.len ? text.data[i] : '0';
		if (c >= '0' && c <= '9') {
			number = number << 4 | (uint64_t)(c - '0');
		} else if (c >= 'a' && c <= 'f') {
			number = number << 4 | (uint64_t)(c - 'a' + 10);
		} else {
			return false;
		}
	}
	*value = number;
	return true;
}

void opa_ot_read(opa_str state, opa_ot *ot)
{
	opa_str value = find_member(state);
	*ot = (opa_ot){.has_threshold = false};
	while (value.len > 0) {
		opa_str part = next_part(&value, ';');
		opa_str number = {part.data + 3, part.len >= 3 ? part.len - 3 : 0};
		if (starts_with(part, "th:") && !ot->says_threshold) {
			ot->says_threshold = true;
			ot->has_threshold = parse_digits(number, &ot->threshold);
		} else if (starts_with(part, "rv:") && !ot->has_random && number.len == DIGITS) {
			ot->has_random = parse_digits(number, &ot->random);
		}
	}
}

/* ---- writing ---- */

/* Behind what stands there already. */
typedef struct text {
	char *data;
	size_t len;
} text;

static void put(text *to, opa_str part)
{
	memcpy(to->data + to->len, part.data, part.len);
	to->len += part.len;
}

/* "th:c", without trailing zeros. */
static void put_threshold(text *to, uint64_t threshold)
{
	static const char hex[] = "0123456789abcdef";
	put(to, OPA_STR("th:"));
	unsigned shift = 4 * DIGITS;
	do {
		shift -= 4;
		to->data[to->len++] = hex[threshold >> shift & 15];
	} while ((threshold & (((uint64_t)1 << shift) - 1)) != 0);
}

/* The member's value without a threshold. */
static void put_others(text *to, opa_str value)
{
	while (value.len > 0) {
		opa_str part = next_part(&value, ';');
		if (part.len == 0 || starts_with(part, "th:")) {
			continue;
		}
		if (to->len > 0) {
			put(to, OPA_STR(";"));
		}
		put(to, part);
	}
}

/* The member's new value; answers its length. */
static size_t make_value(opa_str old, const uint64_t *threshold, char to[VALUE_MAX + 32])
{
	text value = {to, 0};
	if (threshold != NULL) {
		put_threshold(&value, *threshold);
	}
	put_others(&value, old);
	if (value.len > VALUE_MAX) {
		value.len = 0;
		put_others(&value, old);
	}
	return value.len;
}

size_t opa_ot_write(opa_str state, const uint64_t *threshold, char to[OPA_W3C_STATE_MAX])
{
	char room[OPA_W3C_STATE_MAX + 32], value[VALUE_MAX + 32];
	text all = {room, 0};
	size_t members = 0;
	opa_str new_value = {value, make_value(find_member(state), threshold, value)};
	if (new_value.len > 0) {
		put(&all, OPA_STR("ot="));
		put(&all, new_value);
		members++;
	}
	while (state.len > 0) {
		opa_str member = next_part(&state, ',');
		if (starts_with(member, "ot=") || members == OPA_W3C_MEMBERS_MAX) {
			continue;
		}
		if (members++ > 0) {
			put(&all, OPA_STR(","));
		}
		put(&all, member);
	}
	return opa_w3c_clean_state((opa_str){room, all.len}, to);
}

/* ---- verdicts ---- */

opa_verdict opa_verdict_own(uint64_t threshold, uint64_t random)
{
	bool sampled = opa_sampler_takes(threshold, random);
	return (opa_verdict){sampled, sampled, threshold};
}

opa_verdict opa_verdict_followed(bool sampled, const opa_ot *ot, uint64_t random)
{
	bool agrees = ot->has_threshold && opa_sampler_takes(ot->threshold, random) == sampled;
	return (opa_verdict){sampled, agrees, ot->threshold};
}
