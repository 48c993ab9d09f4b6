/*
 * From PHP's values to plain ones, at the boundary: bounded, and with no reference kept beyond the
 * call.
 *
 * Converting may run the program's code (a __toString, a DateTime's format), and that code may do
 * anything: throw (swallowed; the value becomes its type's name), exit (passes through: `stop` is
 * set and the caller returns), end the span, change the array that is being walked, suspend the
 * fiber for ever, or have further objects converted, which would use up the C stack: beyond
 * OPA_VALUE_CALLS an object becomes its type's name, uncalled. So values are converted completely
 * before the span table is touched; what the plain values point to is held by the conversion until
 * opa_conversion_end().
 */
#ifndef OPA_VALUE_H
#define OPA_VALUE_H

#include "opa_php.h"
#include "core/opa_fields.h"
#include "core/opa_redact.h"

#define OPA_VALUE_DEPTH 4    /* of nested arrays */
#define OPA_VALUE_NODES 1024 /* elements of one value, nested ones included */
#define OPA_VALUE_CALLS 256  /* of the program's methods, one within another */
#define OPA_NAME_LENGTH 1024 /* bytes of a name or a key; what is longer is cut */

typedef struct opa_conversion {
	uint32_t max_length; /* bytes of text of one value */
	const opa_redact *redact;
	opa_redact_memo *memo;
	uint32_t *calls; /* of the program's methods that run now, for all conversions of the thread */
	uint32_t cut;    /* how many values were cut */
	bool stop;       /* the program has called exit: return at once */
	bool has_room;   /* arena is in use */
	void *held;      /* values that are kept alive, in the arena */
	zend_arena *arena;
	uint32_t text_left;
	uint32_t nodes_left;
} opa_conversion;

void opa_conversion_begin(opa_conversion *conversion, uint32_t max_length, const opa_redact *redact,
	opa_redact_memo *memo, uint32_t *calls);
void opa_conversion_end(opa_conversion *conversion);

/*
 * A value under its key: "REDACTED" if the key is on the list. Only null has type OPA_VALUE_NULL,
 * which callers leave out. What it points to lives until opa_conversion_end().
 */
opa_value opa_value_convert_for(opa_conversion *conversion, opa_str key, zval *value);

/*
 * An array of tags becomes attributes with that protobuf tag. Of more than `limit` the first are
 * taken; the number of the others, and of those without a key, is answered. Nothing is written
 * after conversion->stop.
 */
uint32_t opa_value_convert_tags(
	opa_conversion *conversion, HashTable *tags, uint32_t limit, uint32_t tag, opa_fields *fields);

/* What the next one does with a name that is too long. */
opa_str opa_value_long_name(const zend_string *name);

/* Name, key or message: borrowed, cut to OPA_NAME_LENGTH. */
static zend_always_inline opa_str opa_value_name(const zend_string *name)
{
	return EXPECTED(ZSTR_LEN(name) <= OPA_NAME_LENGTH) ? (opa_str){ZSTR_VAL(name), ZSTR_LEN(name)}
													   : opa_value_long_name(name);
}

/* As PHP's get_debug_type() has it, without running code. Points into the value or is static. */
opa_str opa_value_type_name(const zval *value);

#endif
