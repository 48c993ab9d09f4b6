/*
 * SQL in memory of exactly its size, described in exactly as much: the sanitizers see what is read
 * or written beyond.
 */
#ifndef OPA_TEST_SQL_FIXTURE_H
#define OPA_TEST_SQL_FIXTURE_H

#include "support.h"
#include "core/opa_sql.h"

enum { O = OPA_SQL_OTHER, M = OPA_SQL_MYSQL, P = OPA_SQL_POSTGRESQL, S = OPA_SQL_SQLITE };

static const char *const dialects[] = {"other", "MySQL", "PostgreSQL", "SQLite"};

typedef struct described {
	opa_sql sql;
	char text[2048];
	char summary[256];
} described;

static inline void describe(
	described *d, opa_str sql, int dialect, size_t text_size, size_t summary_size)
{
	char *exact = malloc(sql.len > 0 ? sql.len : 1);
	char *text = malloc(text_size > 0 ? text_size : 1);
	char *summary = malloc(summary_size > 0 ? summary_size : 1);
	assert_true(text_size < sizeof(d->text) && summary_size < sizeof(d->summary));
	memcpy(exact, sql.data, sql.len);
	d->sql = (opa_sql){
		.text = text, .text_size = text_size, .summary = summary, .summary_size = summary_size};
	opa_sql_describe((opa_str){exact, sql.len}, (opa_sql_dialect)dialect, &d->sql);
	assert_true(d->sql.text_len <= text_size && d->sql.summary_len <= summary_size);
	assert_true(d->sql.operation_len <= d->sql.summary_len);
	memcpy(d->text, text, d->sql.text_len);
	d->text[d->sql.text_len] = '\0';
	memcpy(d->summary, summary, d->sql.summary_len);
	d->summary[d->sql.summary_len] = '\0';
	free(exact);
	free(text);
	free(summary);
}

/* What means the same everywhere. */
typedef struct common_case {
	const char *sql;
	const char *expected;
} common_case;

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#endif
