/*
 * SQL in tokens, of the four dialects of opa_sql.h. Used by core/opa_sql*.c only. The body is
 * core/opa_sql_lexer.re, from which `./dev lexer` makes opa_sql_lexer.c.
 */
#ifndef OPA_SQL_LEXER_H
#define OPA_SQL_LEXER_H

#include "opa_sql.h"

typedef enum opa_sql_token {
	OPA_SQL_END,
	OPA_SQL_SPACE,
	OPA_SQL_COMMENT,
	OPA_SQL_WORD, /* a name or a keyword */
	OPA_SQL_NAME, /* in quotes, backticks or brackets */
	OPA_SQL_VALUE,
	OPA_SQL_EXTENDED, /* within the lexer: PostgreSQL's E'...', which a '...' may go on with */
	OPA_SQL_PARAMETER,
	OPA_SQL_OPEN, /* ( and [ */
	OPA_SQL_CLOSE,
	OPA_SQL_COMMA,
	OPA_SQL_DOT,
	OPA_SQL_SEMICOLON,
	OPA_SQL_OPERATOR,
	OPA_SQL_DOUBT /* what it is cannot be said: all of the rest */
} opa_sql_token;

/* What a word may mean. Whether it does is for the reader to say: most of them may be names. */
typedef enum opa_sql_word {
	OPA_SQL_PLAIN,
	/* Operations, */
	OPA_SQL_SELECT,
	OPA_SQL_INSERT, /* and REPLACE */
	OPA_SQL_UPDATE,
	OPA_SQL_DELETE,
	OPA_SQL_MERGE,
	OPA_SQL_DROP,
	OPA_SQL_TRUNCATE,
	OPA_SQL_DEFINE, /* before a kind of object: CREATE, ALTER, ... */
	OPA_SQL_NAMED,  /* before one name: CALL, USE, ... */
	OPA_SQL_LEAD,   /* before another operation: EXPLAIN, BEGIN, ... */
	OPA_SQL_LONE,   /* of nothing that a summary would name: COMMIT, SHOW, ... */
	OPA_SQL_SET,
	/* kinds of objects, */
	OPA_SQL_KIND,    /* TABLE, VIEW, ... */
	OPA_SQL_ROUTINE, /* PROCEDURE, TRIGGER, ...: statements may be in them */
	OPA_SQL_TRANSACTION,
	/* and parts of statements. */
	OPA_SQL_WITH,
	OPA_SQL_FROM,
	OPA_SQL_JOIN,
	OPA_SQL_INTO,
	OPA_SQL_USING,
	OPA_SQL_CLAUSE, /* ends a list of tables: WHERE, ORDER, ... */
	OPA_SQL_UNION,
	OPA_SQL_ALL, /* and DISTINCT */
	OPA_SQL_VALUES,
	/* From here on a summary has a use for them only where it waits for a name. */
	OPA_SQL_IN,
	OPA_SQL_IS,
	OPA_SQL_NOT,
	OPA_SQL_OR,
	OPA_SQL_ON,
	OPA_SQL_LOGIC,   /* before a condition or a name: AND, WHEN, ... */
	OPA_SQL_COMPARE, /* before a value: LIKE, THEN, ... */
	OPA_SQL_FILE,    /* OUTFILE, DUMPFILE */
	OPA_SQL_MODIFIER /* between an operation and its target: ONLY, IGNORE, IF, ... */
} opa_sql_word;

/* In which strings a backslash is an escape. */
typedef struct opa_sql_reading {
	bool single;  /* '...' */
	bool twofold; /* "..." */
} opa_sql_reading;

typedef struct opa_sql_lexer {
	const char *at;    /* what is read next */
	const char *end;   /* of the text */
	const char *start; /* of the last token */
	opa_sql_dialect dialect;
	opa_sql_reading reading;
	/* The last token that is neither space nor comment; `word` is PLAIN where it is no word. */
	opa_sql_token token;
	opa_sql_word word;
	/* A quote with a backslash before it was met in such a string: readings differ. */
	bool doubtful_single;
	bool doubtful_twofold;
	bool open;   /* the text has ended within a literal or a comment */
	bool broken; /* a byte was met that no statement has outside of literals */
} opa_sql_lexer;

/* The text stays the caller's, and has to stay while the lexer is in use. */
void opa_sql_lexer_init(opa_sql_lexer *lexer, opa_str sql, opa_sql_dialect dialect);

/* The next token: the bytes from `start` to `at`. END again and again at the end. */
opa_sql_token opa_sql_lexer_next(opa_sql_lexer *lexer);

#endif
