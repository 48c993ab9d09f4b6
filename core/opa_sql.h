/*
 * SQL for database spans: the text without its literals, and what it does to which tables, as
 * OpenTelemetry's conventions ask (database client spans, "Sanitization of db.query.text" and
 * "Generating a summary of the query").
 *
 * What is guaranteed. Nothing that stands in a literal of the text is in the output, provided that
 * the server takes the text, whichever of these settings it has: MySQL's NO_BACKSLASH_ESCAPES and
 * ANSI_QUOTES, PostgreSQL's standard_conforming_strings. Where a backslash stands before a quote,
 * the rest is read in each of the ways that the dialect has. When only one of them is possible (no
 * quote stays open, no stray backslash), that one it is; else everything from that literal on is
 * left out. A text that no server would take is read by the same rule, and one that ends inside a
 * literal is left out from there. Quotes and backslashes are taken to be no part of other
 * characters: a text that is not UTF-8 is left out from the first literal in which that matters.
 *
 * One exception: SQLite takes "name" for a string where no column has that name. That is hidden
 * after operators and in lists of values; elsewhere it is kept, for it looks like a name.
 */
#ifndef OPA_SQL_H
#define OPA_SQL_H

#include "opa_base.h"

typedef enum opa_sql_dialect {
	OPA_SQL_OTHER, /* not known: what could be meant in two ways is left out */
	OPA_SQL_MYSQL, /* and MariaDB */
	OPA_SQL_POSTGRESQL,
	OPA_SQL_SQLITE
} opa_sql_dialect;

#define OPA_SQL_SUMMARY_MAX 255u
#define OPA_SQL_READ_MAX    (256u * 1024) /* bytes; of a longer text the rest is not looked at */

typedef struct opa_sql {
	/* The caller's memory, which may be NULL where the size is 0: then it is not wanted. */
	char *text;
	size_t text_size;
	char *summary;
	size_t summary_size;

	/* The answer; nothing is terminated, and what stands behind it has no meaning. */
	size_t text_len;
	size_t summary_len;   /* at most OPA_SQL_SUMMARY_MAX */
	size_t operation_len; /* the first operation: this many bytes at the start of the summary */
	bool cut;             /* the text ends before its end: by size, or because it is left out */
} opa_sql;

/*
 * Describes a text of any bytes. No memory is taken, the time is linear in the text's length.
 *
 * The text: each literal is `?`, with its sign and its prefix (N'', _utf8'', E'', x''). Parameters
 * (`?`, `:name`, `$1`, `@name`), names and white space stay. Comments are left out, with hints and
 * the contents of MySQL's executable comments. A list of values after IN is `(?)`, and of several
 * rows only the first stays. Where `text` is full, it ends with the last whole token.
 *
 * The summary: operations and their targets in their order, as they are written: `SELECT users
 * orders`, `INSERT users`, `CREATE TABLE users`. A target that is a literal is left out, as is
 * everything that comes after the first token that has no room.
 */
void opa_sql_describe(opa_str sql, opa_sql_dialect dialect, opa_sql *to);

#endif
