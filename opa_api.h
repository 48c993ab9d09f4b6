/*
 * The functions of opa.stub.php: opa_api.c has those for spans and what is on them,
 * opa_api_propagation.c those for traces that come and go, opa_api_request.c the others. Each
 * converts its values first, which may run the program's code, and only then asks the span table,
 * which checks the id.
 */
#ifndef OPA_API_H
#define OPA_API_H

#include "php_opa.h"
#include "opa_value.h"

/* MINIT: makes the strings that the functions hand out. */
void opa_api_startup(void);

/* The id of a function's argument; OPA_NO_SPAN when it is none. */
static zend_always_inline opa_span_id opa_api_id(const zend_string *text)
{
	const opa_request *request = &OPA_G(request);
	return EXPECTED(text == request->last_text) ? request->last_id
												: opa_span_id_parse(ZSTR_VAL(text), ZSTR_LEN(text));
}

/* An id as the program gets it, the zero id for OPA_NO_SPAN. */
zend_string *opa_api_text(opa_span_id id);

/* The same for a span that was just started: the next calls will most likely be about it. */
zend_string *opa_api_new_text(opa_span_id id);

/* Room for a name's worth of text in which each byte became U+FFFD. */
typedef struct opa_name_room {
	char text[3 * OPA_NAME_LENGTH];
} opa_name_room;

/* A name as valid UTF-8: the string itself, cut, or what stands in `room` then. */
opa_str opa_api_name(const zend_string *name, opa_name_room *room);

/* What a call may say of a span but its name. */
typedef struct opa_span_options {
	HashTable *tags; /* may be NULL */
	zend_string *parent;
	zend_long kind;
	zval *time;
} opa_span_options;

/*
 * Starts a span. OPA_NO_SPAN when it was refused, or the program's code, run to convert the tags,
 * has thrown or called exit: then EG(exception) is set.
 */
opa_span_id opa_api_start_span(zend_string *name, const opa_span_options *options);

/* Tags as fields in wire form. */
typedef struct opa_tags {
	opa_fields fields;
	uint32_t dropped;
	opa_conversion conversion;
} opa_tags;

/*
 * Converts tags (NULL: none) to fields with that protobuf tag, at most `limit`. False when the
 * program has called exit meanwhile, or switched tracing off: nothing is to be done then. Ended by
 * opa_tags_end() in any case.
 */
bool opa_tags_begin(opa_tags *to, HashTable *tags, uint32_t limit, uint32_t tag);

/*
 * Lets the values go, by which destructors of the program's may run: last of all, when the fields
 * have been used. An exception of theirs is the function's.
 */
void opa_tags_end(opa_tags *tags);

#endif
