/*
 * The summary of a SQL text, from its tokens: see opa_sql.h. Used by core/opa_sql.c only.
 */
#ifndef OPA_SQL_SUMMARY_H
#define OPA_SQL_SUMMARY_H

#include "opa_sql_lexer.h"

/* What the next token may be. */
typedef enum opa_sql_expected {
	OPA_SQL_NOTHING,
	OPA_SQL_A_KIND,  /* of object: CREATE ... TABLE */
	OPA_SQL_A_TABLE, /* or a table expression in parentheses */
	OPA_SQL_A_NAME   /* of what is not a table of a query: INSERT INTO x, CREATE TABLE x, CALL x */
} opa_sql_expected;

typedef struct opa_sql_summary {
	char *to;
	size_t size;
	size_t len;
	size_t operation_len;
	bool full; /* something had no room: nothing is added any more */

	/* The statement. */
	opa_sql_word operation; /* the first word of it; PLAIN before that */
	bool done;              /* nothing of it is of interest any more */
	bool all_done;          /* nothing of the text is */
	bool has_body;          /* it defines what has statements of its own */
	bool united;            /* by UNION with what stands before */
	opa_sql_expected expected;
	/* The target that is being read: names with dots between them. */
	const char *target;
	const char *target_end;

	/* By the depth of parentheses, one bit each: there is a query; its tables are being listed. */
	unsigned depth;
	uint64_t queries;
	uint64_t tables;
	/* The token before this one. */
	opa_sql_token last;
	opa_sql_word last_word;
} opa_sql_summary;

void opa_sql_summary_init(opa_sql_summary *summary, char *to, size_t size);

/* For opa_sql_summary_take(). */
void opa_sql_summary_follow(
	opa_sql_summary *summary, const opa_sql_lexer *lexer, opa_sql_token token);

/*
 * Each token but space and comments; END and DOUBT come last. Most of them are names, values and
 * operators where none is waited for, or words that are met in conditions.
 */
static inline void opa_sql_summary_take(
	opa_sql_summary *summary, const opa_sql_lexer *lexer, opa_sql_token token)
{
	bool is_waiting = summary->target != NULL || summary->expected != OPA_SQL_NOTHING ||
					  summary->operation == OPA_SQL_PLAIN;
	bool is_of_interest = lexer->word != OPA_SQL_PLAIN && lexer->word < OPA_SQL_IN;
	if (is_waiting || is_of_interest ||
		(token >= OPA_SQL_OPEN && token != OPA_SQL_DOT && token != OPA_SQL_OPERATOR)) {
		opa_sql_summary_follow(summary, lexer, token);
	}
	summary->last = token;
	summary->last_word = lexer->word;
}

/* Whether nothing that may come will change it. */
static inline bool opa_sql_summary_is_complete(const opa_sql_summary *summary)
{
	return summary->full || (summary->all_done && summary->target == NULL);
}

#endif
