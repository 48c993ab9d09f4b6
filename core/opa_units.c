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
	{"t", 1ull << 40},
	{"tb", 1ull << 40},
	{"tib", 1ull << 40},
};

#define SECOND            1000000000u
#define REAL_EXPONENT_MAX 300
#define REAL_MAX          1e300

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

bool opa_text_equals(opa_str text, const char *lower)
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
		if (opa_text_equals(text, yes[i])) {
			*value = true;
			return true;
		}
	}
	for (size_t i = 0; i < sizeof(no) / sizeof(no[0]); i++) {
		if (opa_text_equals(text, no[i])) {
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

/*
 * Digits with a point among them or not, as *digits * 10^*scale. What a double cannot hold anyway,
 * digits behind the nineteenth, is passed over. False when there is no digit.
 */
static bool take_decimal(opa_str *text, uint64_t *digits, int64_t *scale)
{
	bool any = false, point = false;
	*digits = 0;
	*scale = 0;
	for (; text->len > 0; text->data++, text->len--) {
		char c = text->data[0];
		if (c == '.' && !point) {
			point = true;
			continue;
		}
		if (c < '0' || c > '9') {
			break;
		}
		any = true;
		if (*digits < UINT64_MAX / 10 - 1) {
			*digits = *digits * 10 + (uint64_t)(c - '0');
			*scale -= point;
		} else {
			*scale += !point;
		}
	}
	return any;
}

/* "e-3" at the front of the text, if it is there, is added to *scale. */
static bool take_exponent(opa_str *text, int64_t *scale)
{
	uint64_t exponent;
	if (text->len == 0 || (text->data[0] != 'e' && text->data[0] != 'E')) {
		return true;
	}
	text->data++;
	text->len--;
	bool negative = take_sign(text);
	if (!take_digits(text, &exponent) || exponent > REAL_EXPONENT_MAX) {
		return false;
	}
	*scale += negative ? -(int64_t)exponent : (int64_t)exponent;
	return true;
}

/*
 * strtod would do, but for locales in which the point is a comma. Up to 15 digits and 22 places the
 * result is the nearest double, as strtod's: both numbers below are exact then (Clinger 1990).
 */
bool opa_parse_real(opa_str text, double *value)
{
	uint64_t digits;
	int64_t scale;
	text = trim(text);
	bool negative = take_sign(&text);
	if (!take_decimal(&text, &digits, &scale) || !take_exponent(&text, &scale) || text.len > 0) {
		return false;
	}
	double v = (double)digits, power = 1;
	for (int64_t n = scale < 0 ? -scale : scale; n > 0 && v != 0 && v < REAL_MAX; n--) {
		power *= 10;
		if (n == 1 || power >= 1e22) {
			v = scale < 0 ? v / power : v * power;
			power = 1;
		}
	}
	if (v >= REAL_MAX) {
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
		if (opa_text_equals(text, units[i].name)) {
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
