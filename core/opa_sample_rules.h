/*
 * opa.sample_rules: which share of the traces is wanted, by what is known of a request where it
 * begins. The first rule that matches says it.
 *
 *   rules    = rule *( ";" rule )           empty ones are passed over
 *   rule     = selector *( blank selector ) "=" rate
 *   selector = method / path / "service:" pattern / "sapi:" pattern
 *   method   = a capital letter, then capital letters, digits, "-" and "_"
 *   path     = a pattern that begins with "/" or "*"
 *   rate     = a number from 0 to 1
 *
 * A rule has at least one selector and of each kind at most one; all of them have to match. In a
 * pattern `*` stands for any run of characters (opa_glob.h), and case matters. Blanks (spaces, tabs
 * and line ends) may stand around everything. There are OPA_SAMPLE_RULES_MAX rules at most.
 *
 *   GET /health=0; POST /checkout*=1; service:shop* sapi:cli=0.5; *=0.1
 */
#ifndef OPA_SAMPLE_RULES_H
#define OPA_SAMPLE_RULES_H

#include "opa_base.h"

#define OPA_SAMPLE_RULES_MAX 256

/* Immutable: any number of threads may ask it at once. */
typedef struct opa_sample_rules opa_sample_rules;

/* Whether that is a text of rules, of none, too. Takes no memory. */
bool opa_sample_rules_accepts(opa_str text);

/*
 * The rules that may match in a process with that service and SAPI, which are compared here once
 * and for all. False when memory is short; *rules is NULL then, and where no rule is left. The
 * text is one that is accepted; what is made does not refer to it.
 */
bool opa_sample_rules_create(opa_str text, opa_str service, opa_str sapi, opa_sample_rules **rules);

/* NULL is allowed. */
void opa_sample_rules_destroy(opa_sample_rules *rules);

/*
 * Whether a rule matches, and the threshold (opa_sampler.h) of the first one that does. `method` is
 * the request's own, empty for a script; `path` is the URL's without query, or the script's. Linear
 * in their number; takes no memory.
 */
bool opa_sample_rules_find(
	const opa_sample_rules *rules, opa_str method, opa_str path, uint64_t *threshold);

#endif
