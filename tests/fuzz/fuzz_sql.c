/*
 * Any bytes as SQL of each dialect, in as much room as the first bytes say: the output keeps within
 * it and is the beginning of what it is with more, without a quote that could begin a literal. And
 * any bytes as a literal, quoted as programs do: nothing but `?` is left of it.
 */
#include "core/opa_sql.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define ROOM 4096

static void check(bool condition)
{
	if (!condition) {
		abort();
	}
}

typedef struct output {
	opa_sql sql;
	char text[ROOM];
	char summary[OPA_SQL_SUMMARY_MAX];
} output;

/* In memory of exactly that size. */
static void describe(output *out, opa_str sql, int dialect, size_t text_size, size_t summary_size)
{
	char *text = malloc(text_size + 1), *summary = malloc(summary_size + 1);
	char *exact = malloc(sql.len + 1);
	check(text != NULL && summary != NULL && exact != NULL);
	char *from = exact + 1; /* its end is the block's */
	memcpy(from, sql.data, sql.len);
	out->sql = (opa_sql){.text = text + 1,
		.text_size = text_size,
		.summary = summary + 1,
		.summary_size = summary_size};
	opa_sql_describe((opa_str){from, sql.len}, (opa_sql_dialect)dialect, &out->sql);
	check(out->sql.text_len <= text_size && out->sql.summary_len <= summary_size);
	check(out->sql.operation_len <= out->sql.summary_len);
	memcpy(out->text, out->sql.text, out->sql.text_len);
	memcpy(out->summary, out->sql.summary, out->sql.summary_len);
	free(text);
	free(summary);
	free(exact);
}

/* Outside of names in quotes, nothing in the text may begin a literal. */
static void check_quotes(const output *out, int dialect)
{
	char closing = 0;
	for (size_t i = 0; i < out->sql.text_len; i++) {
		char c = out->text[i];
		bool is_name = c == '`' || (c == '[' && dialect == OPA_SQL_SQLITE) ||
					   (c == '"' && (dialect == OPA_SQL_SQLITE || dialect == OPA_SQL_POSTGRESQL));
		if (closing != 0) {
			closing = c == closing ? 0 : closing;
		} else if (is_name && !(c == '`' && dialect == OPA_SQL_POSTGRESQL)) {
			closing = c == '[' ? ']' : c;
		} else {
			check(c != '\'' && c != '"');
		}
	}
	check(closing == 0);
}

static void check_text(opa_str sql, int dialect, size_t text_size, size_t summary_size)
{
	output all, some;
	describe(&all, sql, dialect, ROOM, OPA_SQL_SUMMARY_MAX);
	describe(&some, sql, dialect, text_size, summary_size);
	check(memcmp(all.text, some.text, some.sql.text_len) == 0 || all.sql.text_len == 0);
	check(some.sql.text_len <= all.sql.text_len);
	check(some.sql.summary_len <= all.sql.summary_len);
	check(memcmp(all.summary, some.summary, some.sql.summary_len) == 0);
	check_quotes(&all, dialect);
}

static size_t quote(opa_str content, char mark, bool escapes, char *to)
{
	size_t len = 0;
	to[len++] = mark;
	for (size_t i = 0; i < content.len; i++) {
		char c = content.data[i];
		if (c == mark || (escapes && c == '\\')) {
			/* Either way will do for a quote; let it depend on where it stands. */
			to[len++] = escapes && (c == '\\' || i % 2 == 0) ? '\\' : mark;
		}
		to[len++] = c;
	}
	to[len++] = mark;
	return len;
}

static void check_literal(opa_str content, int dialect, char mark, bool escapes)
{
	static const char before[] = "SELECT a FROM t WHERE b=", after[] = " AND c=";
	static const char whole[] = "SELECT a FROM t WHERE b=? AND c=?";
	output out;
	char *sql = malloc(4 * content.len + sizeof(whole) + 8);
	check(sql != NULL);
	size_t len = sizeof(before) - 1;
	memcpy(sql, before, len);
	len += quote(content, mark, escapes, sql + len);
	memcpy(sql + len, after, sizeof(after) - 1);
	len += sizeof(after) - 1;
	len += quote(content, mark, escapes, sql + len);
	describe(&out, (opa_str){sql, len}, dialect, ROOM, OPA_SQL_SUMMARY_MAX);
	check(out.sql.text_len <= sizeof(whole) - 1);
	check(memcmp(out.text, whole, out.sql.text_len) == 0);
	check(out.sql.text_len == sizeof(whole) - 1 ||
		  (out.sql.cut && out.sql.text_len == sizeof(before)));
	check(out.sql.summary_len == 8 && memcmp(out.summary, "SELECT t", 8) == 0);
	free(sql);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 2 || size > 1024) {
		return 0;
	}
	opa_str sql = {(const char *)data + 2, size - 2};
	for (int dialect = OPA_SQL_OTHER; dialect <= OPA_SQL_SQLITE; dialect++) {
		check_text(sql, dialect, data[0], data[1] % 64);
	}
	check_literal(sql, OPA_SQL_MYSQL, '\'', true);
	check_literal(sql, OPA_SQL_MYSQL, '\'', false);
	check_literal(sql, OPA_SQL_MYSQL, '"', true);
	check_literal(sql, OPA_SQL_POSTGRESQL, '\'', false);
	check_literal(sql, OPA_SQL_POSTGRESQL, '\'', true);
	check_literal(sql, OPA_SQL_SQLITE, '\'', false);
	check_literal(sql, OPA_SQL_OTHER, '\'', true);
	check_literal(sql, OPA_SQL_OTHER, '\'', false);
	check_literal(sql, OPA_SQL_OTHER, '"', false);
	return 0;
}
