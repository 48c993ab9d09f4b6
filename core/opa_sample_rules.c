#include "opa_sample_rules.h"
#include "opa_alloc.h"
#include "opa_glob.h"
#include "opa_sampler.h"
#include "opa_units.h"

#include <string.h>

/* A rule as it is written. Empty: there is no such selector. */
typedef struct parsed {
	opa_str method;
	opa_str path;
	opa_str service;
	opa_str sapi;
	double rate;
} parsed;

/* What is compared for each request. Empty: anything matches. */
typedef struct compiled {
	opa_str method;
	opa_str path;
	uint64_t threshold;
} compiled;

struct opa_sample_rules {
	size_t count;
	char *text; /* the strings below lie in it */
	compiled rules[];
};

/* ---- reading ---- */

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static bool is_capital(char c)
{
	return c >= 'A' && c <= 'Z';
}

/* Takes the next word off the front; empty when there is none. */
static opa_str next_word(opa_str *rest)
{
	while (rest->len > 0 && is_blank(*rest->data)) {
		rest->data++;
		rest->len--;
	}
	opa_str word = {rest->data, 0};
	while (word.len < rest->len && !is_blank(rest->data[word.len])) {
		word.len++;
	}
	rest->data += word.len;
	rest->len -= word.len;
	return word;
}

/* Takes the text up to the next semicolon off the front, and that with it. */
static opa_str next_rule(opa_str *rest)
{
	const char *end = memchr(rest->data, ';', rest->len);
	opa_str rule = {rest->data, end == NULL ? rest->len : (size_t)(end - rest->data)};
	size_t taken = rule.len + (end != NULL);
	rest->data += taken;
	rest->len -= taken;
	return rule;
}

static bool is_method(opa_str word)
{
	for (size_t i = 0; i < word.len; i++) {
		char c = word.data[i];
		if (!is_capital(c) && (i == 0 || ((c < '0' || c > '9') && c != '-' && c != '_'))) {
			return false;
		}
	}
	return true;
}

/* Takes the prefix off, if something stands behind it. */
static bool strip(opa_str *word, const char *prefix)
{
	size_t len = strlen(prefix);
	if (word->len <= len || memcmp(word->data, prefix, len) != 0) {
		return false;
	}
	word->data += len;
	word->len -= len;
	return true;
}

static bool take_selector(parsed *rule, opa_str word)
{
	opa_str *place;
	for (size_t i = 0; i < word.len; i++) {
		if ((unsigned char)word.data[i] < ' ') {
			return false;
		}
	}
	if (*word.data == '/' || *word.data == '*') {
		place = &rule->path;
	} else if (strip(&word, "service:")) {
		place = &rule->service;
	} else if (strip(&word, "sapi:")) {
		place = &rule->sapi;
	} else if (is_method(word)) {
		place = &rule->method;
	} else {
		return false;
	}
	if (place->len > 0) {
		return false;
	}
	*place = word;
	return true;
}

/* A path may have a `=`, a rate has none: the last one parts them. */
static bool read_rule(opa_str text, parsed *rule)
{
	*rule = (parsed){.rate = 0};
	size_t at = text.len;
	while (at > 0 && text.data[at - 1] != '=') {
		at--;
	}
	if (at == 0 || !opa_parse_real((opa_str){text.data + at, text.len - at}, &rule->rate) ||
		!(rule->rate >= 0 && rule->rate <= 1)) {
		return false;
	}
	opa_str selectors = {text.data, at - 1}, word = next_word(&selectors);
	if (word.len == 0) {
		return false;
	}
	for (; word.len > 0; word = next_word(&selectors)) {
		if (!take_selector(rule, word)) {
			return false;
		}
	}
	return true;
}

static bool is_empty(opa_str text)
{
	return next_word(&text).len == 0;
}

bool opa_sample_rules_accepts(opa_str text)
{
	size_t count = 0;
	while (text.len > 0) {
		parsed rule;
		opa_str one = next_rule(&text);
		if (!is_empty(one) && (++count > OPA_SAMPLE_RULES_MAX || !read_rule(one, &rule))) {
			return false;
		}
	}
	return true;
}

/* ---- the rules of a process ---- */

static bool may_match(opa_str pattern, opa_str text)
{
	return pattern.len == 0 || opa_glob_matches(pattern, text, false);
}

/* Into `to`, which has room, or only counted where that is NULL. */
static size_t collect(opa_str text, opa_str service, opa_str sapi, compiled *to)
{
	size_t count = 0;
	while (text.len > 0) {
		parsed rule;
		opa_str one = next_rule(&text);
		if (is_empty(one) || !read_rule(one, &rule) || !may_match(rule.service, service) ||
			!may_match(rule.sapi, sapi)) {
			continue;
		}
		if (to != NULL) {
			bool any = rule.path.len == 1 && *rule.path.data == '*';
			to[count] = (compiled){rule.method, any ? (opa_str){NULL, 0} : rule.path,
				opa_sampler_threshold(rule.rate)};
		}
		count++;
	}
	return count;
}

bool opa_sample_rules_create(opa_str text, opa_str service, opa_str sapi, opa_sample_rules **rules)
{
	size_t count = collect(text, service, sapi, NULL);
	*rules = NULL;
	if (count == 0) {
		return true;
	}
	opa_sample_rules *made = opa_malloc(sizeof(*made) + count * sizeof(made->rules[0]));
	if (made == NULL) {
		return false;
	}
	made->text = opa_strndup(text.data, text.len);
	if (made->text == NULL) {
		opa_free(made);
		return false;
	}
	made->count = collect((opa_str){made->text, text.len}, service, sapi, made->rules);
	*rules = made;
	return true;
}

void opa_sample_rules_destroy(opa_sample_rules *rules)
{
	if (rules != NULL) {
		opa_free(rules->text);
		opa_free(rules);
	}
}

static bool is_same(opa_str a, opa_str b)
{
	return a.len == b.len && memcmp(a.data, b.data, a.len) == 0;
}

bool opa_sample_rules_find(
	const opa_sample_rules *rules, opa_str method, opa_str path, uint64_t *threshold)
{
	for (size_t i = 0; i < rules->count; i++) {
		const compiled *rule = &rules->rules[i];
		if ((rule->method.len == 0 || is_same(rule->method, method)) &&
			(rule->path.len == 0 || opa_glob_matches(rule->path, path, false))) {
			*threshold = rule->threshold;
			return true;
		}
	}
	*threshold = 0;
	return false;
}
