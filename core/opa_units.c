#include "opa_units.h"

#include <string.h>

typedef struct unit {
	const char *name;
	uint64_t factor;
} unit;

static const unit sizes[] = {
	{"", 1},
	{"b", 1},
	{"k", 1u << 10},
	{"kb", 1u << 10},
	{"kib", 1u << 10},
	{"m", 1u << 20},
	{"mb", 1u << 20},
	{"mib", 1u << 20},
	{"g", 1u << 30},
	{"gb", 1u << 30},
	{"gib", 1u << 30},
};

#define SECOND 1000000000u
static const unit durations[] = {
	{"", SECOND},
	{"ns", 1},
	{"us", 1000},
	{"ms", 1000000},
	{"s", SECOND},
	{"m", 60ull * SECOND},
	{"h", 3600ull * SECOND},
	{"d", 86400ull * SECOND},
};

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static opa_str trim(opa_str text)
{
	while (text.len > 0 && is_space(text.data[0])) {
		text.data++;
		text.len--;
	}
	while (text.len > 0 && is_space(text.data[text.len - 1])) {
		text.len--;
	}
	return text;
}

static bool equals(opa_str text, const char *lower)
{
	if (strlen(lower) != text.len) {
		return false;
	}
	for (size_t i = 0; i < text.len; i++) {
		char c = text.data[i];
		if ((c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c) != lower[i]) {
			return false;
		}
	}
	return true;
}

bool opa_parse_bool(opa_str text, bool *value)
{
	static const char *const yes[] = {"1", "on", "yes", "true"};
	static const char *const no[] = {"", "0", "off", "no", "false"};
	text = trim(text);
	for (size_t i = 0; i < sizeof(yes) / sizeof(yes[0]); i++) {
		if (equals(text, yes[i])) {
			*value = true;
			return true;
		}
	}
	for (size_t i = 0; i < sizeof(no) / sizeof(no[0]); i++) {
		if (equals(text, no[i])) {
			*value = false;
			return true;
		}
	}
	return false;
}

/* Decimal digits from the front of *text, which then begins behind them. */
static bool take_digits(opa_str *text, uint64_t *value)
{
	size_t n = 0;
	uint64_t v = 0;
	while (n < text->len && text->data[n] >= '0' && text->data[n] <= '9') {
		uint64_t digit = (uint64_t)(text->data[n] - '0');
		if (v > (UINT64_MAX - digit) / 10) {
			return false;
		}
		v = v * 10 + digit;
		n++;
	}
	text->data += n;
	text->len -= n;
	*value = v;
	return n > 0;
}

static bool take_sign(opa_str *text)
{
	bool negative = text->len > 0 && text->data[0] == '-';
	if (text->len > 0 && (text->data[0] == '-' || text->data[0] == '+')) {
		text->data++;
		text->len--;
	}
	return negative;
}

bool opa_parse_int(opa_str text, int64_t *value)
{
	uint64_t magnitude;
	text = trim(text);
	bool negative = take_sign(&text);
	if (!take_digits(&text, &magnitude) || text.len > 0 ||
		magnitude > (uint64_t)INT64_MAX + negative) {
		return false;
	}
	*value = negative ? -(int64_t)(magnitude - 1) - 1 : (int64_t)magnitude;
	return true;
}

/* strtod would do, but for locales in which the point is a comma. */
bool opa_parse_real(opa_str text, double *value)
{
	uint64_t whole = 0, exponent = 0;
	text = trim(text);
	bool negative = take_sign(&text);
	bool has_digits = take_digits(&text, &whole);
	double v = (double)whole, place = 0.1;
	if (text.len > 0 && text.data[0] == '.') {
		for (text.data++, text.len--; text.len > 0 && text.data[0] >= '0' && text.data[0] <= '9';
			 text.data++, text.len--) {
			v += place * (text.data[0] - '0');
			place /= 10;
			has_digits = true;
		}
	}
	if (has_digits && text.len > 0 && (text.data[0] == 'e' || text.data[0] == 'E')) {
		text.data++;
		text.len--;
		bool small = take_sign(&text);
		if (!take_digits(&text, &exponent) || exponent > 300) {
			return false;
		}
		for (; exponent > 0; exponent--) {
			v = small ? v / 10 : v * 10;
		}
	}
	if (!has_digits || text.len > 0 || v > 1e300) {
		return false;
	}
	*value = negative ? -v : v;
	return true;
}

static bool parse_unit(opa_str text, const unit *units, size_t count, uint64_t *value)
{
	uint64_t number;
	text = trim(text);
	if (!take_digits(&text, &number)) {
		return false;
	}
	text = trim(text);
	for (size_t i = 0; i < count; i++) {
		if (equals(text, units[i].name)) {
			if (number > UINT64_MAX / units[i].factor) {
				return false;
			}
			*value = number * units[i].factor;
			return true;
		}
	}
	return false;
}

bool opa_parse_size(opa_str text, uint64_t *bytes)
{
	return parse_unit(text, sizes, sizeof(sizes) / sizeof(sizes[0]), bytes);
}

bool opa_parse_duration(opa_str text, uint64_t *ns)
{
	return parse_unit(text, durations, sizeof(durations) / sizeof(durations[0]), ns);
}
