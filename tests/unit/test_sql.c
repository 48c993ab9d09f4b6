/* SQL without its literals: what is hidden, what stays, in each dialect. */
#include "sql_fixture.h"
#include "core/opa_utf8.h"

#include <time.h>

static void check_text_of(int dialect, opa_str sql, const char *expected)
{
	described d;
	describe(&d, sql, dialect, 2000, 255);
	if (strcmp(d.text, expected) != 0) {
		fail_msg("%s: %.*s\nbecame   %s\nand not  %s", dialects[dialect], (int)sql.len, sql.data,
			d.text, expected);
	}
}

static void check_text(int dialect, const char *sql, const char *expected)
{
	check_text_of(dialect, str(sql), expected);
}

typedef struct sql_case {
	int dialect;
	const char *sql;
	const char *expected;
} sql_case;

static void check_texts(const sql_case *cases, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		check_text(cases[i].dialect, cases[i].sql, cases[i].expected);
	}
}

static void check_in_all(const common_case *cases, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		for (int dialect = O; dialect <= S; dialect++) {
			check_text(dialect, cases[i].sql, cases[i].expected);
		}
	}
}

#define TEXTS(cases)  check_texts(cases, COUNT(cases))
#define COMMON(cases) check_in_all(cases, COUNT(cases))

/* ---- literals ---- */

static void literals_become_question_marks(void **state)
{
	(void)state;
	static const common_case cases[] = {
		{"SELECT 'a', 'it''s', '', '''', 'x' FROM t", "SELECT ?, ?, ?, ?, ? FROM t"},
		{"SELECT 1, 1.5, .5, 5., 1e10, 1.5E-7, 1e+3", "SELECT ?, ?, ?, ?, ?, ?, ?"},
		{"SELECT -1, +2, -.5 FROM t", "SELECT ?, ?, ? FROM t"},
		{"SELECT 0xDEADBEEF, 0b0110, 0o17, 1_000_000", "SELECT ?, ?, ?, ?"},
		{"SELECT x'1F', X'1f', b'01', B'1', N'abc', n'x'", "SELECT ?, ?, ?, ?, ?, ?"},
		{"WHERE a=1 AND b>=2.5 AND c<>'x'", "WHERE a=? AND b>=? AND c<>?"},
		{"WHERE d > DATE '2024-01-02'", "WHERE d > DATE ?"},
		{"WHERE d > {ts '2024-01-02 00:00:00'}", "WHERE d > {ts ?}"},
		{"WHERE d > now() - INTERVAL 5 DAY", "WHERE d > now() - INTERVAL ? DAY"},
		{"WHERE a = TRUE OR b = false", "WHERE a = ? OR b = ?"},
		{"WHERE a IS TRUE AND b IS NOT FALSE AND c IS NULL",
			"WHERE a IS TRUE AND b IS NOT FALSE AND c IS NULL"},
		{"LIMIT 10 OFFSET 20", "LIMIT ? OFFSET ?"},
		{"LIMIT 10,20", "LIMIT ?,?"},
		{"SELECT 'multi\nline', 'tab\t'", "SELECT ?, ?"},
		{"SELECT 'caf\xC3\xA9'", "SELECT ?"},
		{"UPDATE t SET a = 'x', b = (999)", "UPDATE t SET a = ?, b = (?)"},
		{"f('a','b')", "f(?,?)"},
		{"SELECT 'a' 'b'", "SELECT ? ?"},
		{"CREATE TABLE t (a VARCHAR(255) DEFAULT 'x')", "CREATE TABLE t (a VARCHAR(?) DEFAULT ?)"},
		{"SELECT ';', '--', '/*', '#' FROM t", "SELECT ?, ?, ?, ? FROM t"},
	};
	COMMON(cases);
}

static void a_sign_after_a_value_is_an_operator(void **state)
{
	(void)state;
	static const common_case cases[] = {
		{"SELECT 99+100", "SELECT ?+?"},
		{"SELECT a-1, (a)-1, a - 1", "SELECT a-?, (a)-?, a - ?"},
		{"WHERE a = -1 AND b IN (-1) OR c > a*-2", "WHERE a = ? AND b IN (?) OR c > a*?"},
		{"WHERE type-1 = 2", "WHERE type-? = ?"},
		{"LIMIT -1", "LIMIT ?"},
	};
	COMMON(cases);
}

static void names_and_white_space_stay(void **state)
{
	(void)state;
	static const common_case cases[] = {
		{"SELECT c3po, r2d2\n  FROM\tcovid19 x1", "SELECT c3po, r2d2\n  FROM\tcovid19 x1"},
		{"SELECT a.b, dbo.t.c, * FROM dbo.t", "SELECT a.b, dbo.t.c, * FROM dbo.t"},
		{"SELECT caf\xC3\xA9 FROM \xE8\xA1\xA8", "SELECT caf\xC3\xA9 FROM \xE8\xA1\xA8"},
		{"SELECT a$b, _c FROM v$session", "SELECT a$b, _c FROM v$session"},
		{"  SELECT 1 \n", "SELECT ?"},
		{"SELECT a FROM t;", "SELECT a FROM t;"},
		{"", ""},
		{" \n\t", ""},
	};
	COMMON(cases);
}

static void parameters_stay(void **state)
{
	(void)state;
	static const common_case cases[] = {
		{"WHERE a = ? AND b = :name AND c = $1 AND d = @var",
			"WHERE a = ? AND b = :name AND c = $1 AND d = @var"},
		{"SELECT @@session.x, @a.b", "SELECT @@session.x, @a.b"},
		{"VALUES (?, :b, $2)", "VALUES (?, :b, $2)"},
		{"SELECT :1, @5, $1234567", "SELECT :?, @?, ?"},
	};
	COMMON(cases);
	static const sql_case own[] = {
		{S, "WHERE a = ?1 AND b = $name AND c = @x", "WHERE a = ?1 AND b = $name AND c = @x"},
		{S, "WHERE a = ?12345678", "WHERE a = ?"},
		{M, "WHERE a = ?1", "WHERE a = ??"},
		{P, "SELECT a::int, 'x'::text, arr[1:2], j ? 'k', b ?| c",
			"SELECT a::int, ?::text, arr[?:?], j ? ?, b ?| c"},
	};
	TEXTS(own);
}

static void comments_are_left_out(void **state)
{
	(void)state;
	static const common_case cases[] = {
		{"SELECT a -- it's\nFROM t", "SELECT a \nFROM t"},
		{"SELECT a /* it's */ FROM t", "SELECT a  FROM t"},
		{"SELECT/* secret */a", "SELECT a"},
		{"/* secret */ SELECT a", "SELECT a"},
		{"SELECT a FROM t -- secret", "SELECT a FROM t"},
		{"SELECT a FROM t --", "SELECT a FROM t"},
		{"SELECT a /* secret", "SELECT a"},
		{"SELECT /*/ secret */ a", "SELECT  a"},
		{"SELECT /*+ INDEX(t secret) */ a", "SELECT  a"},
		{"SELECT a /**/ FROM /***/ t", "SELECT a  FROM  t"},
	};
	COMMON(cases);
}

/* ---- the dialects ---- */

static void mysql(void **state)
{
	(void)state;
	static const sql_case cases[] = {
		{M, "SELECT \"a\", \"it's\", \"say \"\"x\"\"\" FROM t", "SELECT ?, ?, ? FROM t"},
		{M, "SELECT 'it\\'s', 'x' FROM t", "SELECT ?, ? FROM t"},
		{M, "SELECT \"a\\\"b\", 'x' FROM t", "SELECT ?, ? FROM t"},
		{M, "SELECT 'a\\\\', 'x' FROM t", "SELECT ?, ? FROM t"},
		{M, "SELECT 'a\\\\\\'b', 'x' FROM t", "SELECT ?, ? FROM t"},
		{M, "INSERT INTO t VALUES ('O\\'Neil', 'it\\'s')", "INSERT INTO t VALUES (?, ?)"},
		{M, "SELECT `a``b`, `it's` FROM `t`", "SELECT `a``b`, `it's` FROM `t`"},
		{M, "SELECT _utf8'x', _utf8mb4 'x', _latin1\"x\"", "SELECT ?, _utf8mb4 ?, _latin1?"},
		{M, "SELECT a # secret 'x\nFROM t", "SELECT a \nFROM t"},
		{M, "SELECT 5--3, a--1", "SELECT ?--?, a--?"},
		{M, "SELECT 5 --'it\ns', 6", "SELECT ? --?, ?"},
		{M, "SELECT a --\tsecret\nFROM t", "SELECT a \nFROM t"},
		{M, "SELECT a /* /* */ FROM t", "SELECT a  FROM t"},
		{M, "SELECT /*!40101 SQL_CACHE secret */ a", "SELECT  a"},
		{M, "SELECT /*! 'a */ b' */ secret", "SELECT ?"},
		{M, "SELECT /*M!100 a /* b */ c */ secret", "SELECT ?"},
		{M, "SELECT \\N, a", "SELECT ?, a"},
		{M, "CREATE USER 'bob'@'%' IDENTIFIED BY 'secret'", "CREATE USER ?@? IDENTIFIED BY ?"},
		{M, "SET @a := 'x', @`b` = 1", "SET @a := ?, @`b` = ?"},
		{M, "SELECT $a$b, $x FROM t", "SELECT $a$b, $x FROM t"},
		{M, "SELECT 2fa, 1é FROM t", "SELECT ?, ? FROM t"},
		{M, "SELECT a[1]", "SELECT a[?]"},
	};
	TEXTS(cases);
}

static void postgresql(void **state)
{
	(void)state;
	static const sql_case cases[] = {
		{P, "SELECT $$it's$$, $x$ $$ ' $y$ $x$, a FROM t", "SELECT ?, ?, a FROM t"},
		{P, "DO $do$ BEGIN RAISE 'x'; END $do$", "DO ?"},
		{P, "SELECT $tag$ secret $tag", "SELECT ?"},
		{P, "SELECT a$b$c, $1", "SELECT a$b$c, $1"},
		{P, "SELECT E'it\\'s', e'\\\\', a FROM t", "SELECT ?, ?, a FROM t"},
		{P, "SELECT E'a'\n'b\\'c', d", "SELECT ?\n?, d"},
		{P, "SELECT E'a' -- c\n 'b\\'c', d", "SELECT ? \n ?, d"},
		{P, "SELECT 'C:\\dir\\', a, 'D:\\' FROM t", "SELECT ?, a, ? FROM t"},
		{P, "SELECT 'C:\\', a FROM t", "SELECT ?, a FROM t"},
		{P, "SELECT U&'d\\0061t', u&'x' UESCAPE '!', U&\"x\"", "SELECT ?, ? UESCAPE ?, U&\"x\""},
		{P, "SELECT \"it's\", \"a\"\"b\".\"c\" FROM \"t\"",
			"SELECT \"it's\", \"a\"\"b\".\"c\" FROM \"t\""},
		{P, "SELECT a /* /* it's */ secret */ FROM t", "SELECT a  FROM t"},
		{P, "SELECT a -- secret\rFROM t", "SELECT a \rFROM t"},
		{P, "SELECT a # 5, a #>> '{b}', a #- 'x'", "SELECT a # ?, a #>> ?, a #- ?"},
		{P, "SELECT ARRAY['a', 'b'], ARRAY[1]", "SELECT ARRAY[?, ?], ARRAY[?]"},
		{P, "SELECT '1'::int, CAST('2' AS int), int '3'", "SELECT ?::int, CAST(? AS int), int ?"},
		{P, "SELECT a ->> 'k', b @> '{}', c <@ d", "SELECT a ->> ?, b @> ?, c <@ d"},
	};
	TEXTS(cases);
}

static void sqlite(void **state)
{
	(void)state;
	static const sql_case cases[] = {
		{S, "SELECT 'C:\\', a, 'x\\' FROM t", "SELECT ?, a, ? FROM t"},
		{S, "SELECT [a b], [it's], `c`, \"d\" FROM [t]",
			"SELECT [a b], [it's], `c`, \"d\" FROM [t]"},
		{S, "SELECT a /* /* */ FROM t", "SELECT a  FROM t"},
		{S, "SELECT \"a\".\"b\" FROM \"t\" WHERE \"a\".\"b\" = \"c\".\"d\"",
			"SELECT \"a\".\"b\" FROM \"t\" WHERE \"a\".\"b\" = \"c\".\"d\""},
		{S, "SELECT \"a\" FROM t WHERE \"b\" = \"secret\"", "SELECT \"a\" FROM t WHERE \"b\" = ?"},
		{S, "WHERE a LIKE \"secret%\" AND \"b\" > 1", "WHERE a LIKE ? AND \"b\" > ?"},
		{S, "WHERE a IN (\"x\", \"y\")", "WHERE a IN (?)"},
		{S, "INSERT INTO t (\"a\") VALUES (\"secret\")", "INSERT INTO t (\"a\") VALUES (?)"},
		{S, "SELECT [secret", "SELECT ?"},
	};
	TEXTS(cases);
}

static void unknown_dialects_hide_what_may_be_a_literal(void **state)
{
	(void)state;
	static const sql_case cases[] = {
		{O, "SELECT \"secret\", a", "SELECT ?, a"},
		{O, "SELECT 'it\\'s', 'x' FROM t", "SELECT ?, ? FROM t"},
		{O, "SELECT 'C:\\', a FROM t", "SELECT ?, a FROM t"},
		{O, "SELECT $$secret$$, a", "SELECT ?"},
		{O, "SELECT $q$ secret", "SELECT ?"},
		{O, "SELECT a # b\nFROM t", "SELECT a \nFROM t"},
		{O, "SELECT a # it's\nsecret", "SELECT a ?"},
		{O, "SELECT 5--'x\nsecret'", "SELECT ??"},
		{O, "SELECT 5--3\nFROM t", "SELECT ?\nFROM t"},
		{O, "SELECT a -- b\rsecret\n", "SELECT a ?"},
		{O, "SELECT a -- b\r\nFROM t", "SELECT a \nFROM t"},
		{O, "SELECT a /* /* */ secret", "SELECT a ?"},
		{O, "SELECT /*! 'x */ secret' */", "SELECT ?"},
		{O, "SELECT [a b], [t].[c], a[1] FROM [t]", "SELECT [a b], [t].[c], a[?] FROM [t]"},
		{O, "SELECT [it's] FROM t", "SELECT ?"},
		{O, "SELECT ['secret'] FROM t", "SELECT ?"},
		{O, "SELECT [a]]'b] FROM t", "SELECT ?"},
		{O, "SELECT `a` FROM `it's`", "SELECT `a` FROM ?"},
		{O, "SELECT q'[it's secret]', a", "SELECT ?"},
		{O, "SELECT \\N, a", "SELECT ?, a"},
	};
	TEXTS(cases);
}

static void what_has_no_end_is_left_out(void **state)
{
	(void)state;
	static const common_case cases[] = {
		{"SELECT a, 'secret", "SELECT a, ?"},
		{"SELECT a, 'secret''", "SELECT a, ?"},
		{"SELECT a, N'secret", "SELECT a, ?"},
		{"SELECT a, \"secret", "SELECT a, ?"},
		{"SELECT a IN (1, 'secret", "SELECT a IN (?, ?"},
		{"'", "?"},
		{"SELECT '''", "SELECT ?"},
		{"SELECT a \x01 secret", "SELECT a ?"},
		{"SELECT a \\ secret", "SELECT a ?"},
	};
	COMMON(cases);
	for (int dialect = O; dialect <= S; dialect++) {
		described d;
		check_text_of(dialect, OPA_STR("SELECT a\0secret"), "SELECT a?");
		check_text_of(dialect, OPA_STR("SELECT 'a\0b', 1"), "SELECT ?, ?");
		describe(&d, OPA_STR("SELECT a FROM t WHERE b = 'x"), dialect, 2000, 255);
		assert_true(d.sql.cut);
		assert_string_equal(d.summary, "SELECT t");
		describe(&d, OPA_STR("SELECT a FROM t WHERE b = 'x'"), dialect, 2000, 255);
		assert_false(d.sql.cut);
	}
	check_text(M, "SELECT a, `secret", "SELECT a, ?");
}

/* ---- backslashes ---- */

static void a_backslash_is_read_in_the_only_way_that_is_possible(void **state)
{
	(void)state;
	static const sql_case cases[] = {
		/* NO_BACKSLASH_ESCAPES: with escapes, there would be a backslash outside of strings. */
		{M, "SELECT 'C:\\', secret, 'D:\\'", "SELECT ?, secret, ?"},
		{M, "SELECT 'C:\\', a", "SELECT ?, a"},
		/* ANSI_QUOTES: a backslash is none in a name. */
		{M, "SELECT \"a\\\", 'it\\'s'", "SELECT ?, ?"},
		/* standard_conforming_strings = off. */
		{P, "SELECT 'it\\'s', a, 'b'", "SELECT ?, a, ?"},
		/* Both ways are possible: the second quote may be in a comment. */
		{M, "SELECT 'a\\' # ', secret\n, b", "SELECT ?"},
		{P, "SELECT 'a\\' -- ', secret\n, b", "SELECT ?"},
		{O, "SELECT 'a\\' -- ', secret\n, b", "SELECT ?"},
		/* Neither is. */
		{M, "SELECT 'a\\'b', \\x", "SELECT ?"},
		/* Not UTF-8: the backslash may be half of a character. */
		{M, "SELECT 'a\xBF\\' OR secret, 'b'", "SELECT ?"},
		{M, "SELECT '\xBF', a, 'it''s'", "SELECT ?, a, ?"},
	};
	TEXTS(cases);
}

/* ---- lists ---- */

static void lists_after_in_have_one_value(void **state)
{
	(void)state;
	static const common_case cases[] = {
		{"WHERE a IN (1, 'b', -3) AND c NOT IN (1,2)", "WHERE a IN (?) AND c NOT IN (?)"},
		{"WHERE a IN (?, ?, ?) AND b = ?", "WHERE a IN (?) AND b = ?"},
		{"WHERE a in( 1 , 2 ) OR b IN (1)", "WHERE a in( ?) OR b IN (?)"},
		{"WHERE a IN (1, 2, x, 3)", "WHERE a IN (?, ?, x, ?)"},
		{"WHERE a IN (1, 2 + b)", "WHERE a IN (?, ? + b)"},
		{"WHERE a IN (1, 2,", "WHERE a IN (?, ?,"},
		{"WHERE a IN (1, (2), 3)", "WHERE a IN (?, (?), ?)"},
		{"WHERE a IN ((1, 2), (3, 4)) AND b", "WHERE a IN ((?, ?)) AND b"},
		{"WHERE a IN (SELECT b FROM c WHERE d IN (1,2))",
			"WHERE a IN (SELECT b FROM c WHERE d IN (?))"},
		{"WHERE a IN (:a, :b)", "WHERE a IN (:a, :b)"},
		{"WHERE a IN (1, /* x */ 2, -- y\n 3)", "WHERE a IN (?)"},
		{"WHERE a IN ()", "WHERE a IN ()"},
		{"SELECT a IN, (1, 2)", "SELECT a IN, (?, ?)"},
	};
	COMMON(cases);
}

static void of_several_rows_the_first_stays(void **state)
{
	(void)state;
	static const common_case cases[] = {
		{"INSERT INTO t VALUES (1,'a'),(2,'b'), (3,'c')", "INSERT INTO t VALUES (?,?)"},
		{"INSERT INTO t VALUES (1),\n(2),\n(3)\nRETURNING id",
			"INSERT INTO t VALUES (?)\nRETURNING id"},
		{"VALUES (1, f(2, (3))), (4, f(5, (6))) AS x", "VALUES (?, f(?, (?))) AS x"},
		{"VALUES (a IN (1,2)), (b IN (3,4))", "VALUES (a IN (?))"},
		{"VALUES(a), b = VALUES(b)", "VALUES(a), b = VALUES(b)"},
		{"VALUES (1), (2", "VALUES (?)"},
		{"VALUES (1), 'x'", "VALUES (?), ?"},
		{"VALUES (1),(2); SELECT (1), (2)", "VALUES (?); SELECT (?), (?)"},
	};
	COMMON(cases);
}

/* ---- bounds ---- */

static void a_text_without_room_ends_with_a_whole_token(void **state)
{
	(void)state;
	opa_str sql = OPA_STR("SELECT caf\xC3\xA9, 'x' FROM \xE8\xA1\xA8 WHERE a IN (1, 2)");
	const char *whole = "SELECT caf\xC3\xA9, ? FROM \xE8\xA1\xA8 WHERE a IN (?)";
	for (size_t size = 0; size <= strlen(whole) + 2; size++) {
		described d;
		describe(&d, sql, M, size, 255);
		assert_true(opa_utf8_is_valid(d.text, d.sql.text_len));
		assert_memory_equal(d.text, whole, d.sql.text_len);
		assert_int_equal(d.sql.cut, size < strlen(whole));
		assert_true(size < strlen(whole) || strcmp(d.text, whole) == 0);
		assert_string_equal(d.summary, "SELECT \xE8\xA1\xA8");
	}
}

static void a_long_text_is_read_up_to_a_bound(void **state)
{
	(void)state;
	static const char begin[] = "INSERT INTO t VALUES ";
	size_t len = OPA_SQL_READ_MAX + 1000;
	char *sql = malloc(len), text[64], summary[64];
	memcpy(sql, begin, strlen(begin));
	for (size_t i = strlen(begin); i < len; i++) {
		sql[i] = "('secret',1),"[(i - strlen(begin)) % 13];
	}
	opa_sql d = {.text = text, .text_size = 64, .summary = summary, .summary_size = 64};
	opa_sql_describe((opa_str){sql, len}, OPA_SQL_MYSQL, &d);
	assert_int_equal(d.text_len, strlen("INSERT INTO t VALUES (?,?)"));
	assert_memory_equal(text, "INSERT INTO t VALUES (?,?)", d.text_len);
	assert_memory_equal(summary, "INSERT t", d.summary_len);
	assert_true(d.cut);
	/* What is open at the bound may be closed behind it: both ways to read it are possible. */
	memset(sql, ' ', len);
	memcpy(sql, "SELECT 'a\\', secret, 'b ", 24);
	sql[len - 1] = '\'';
	opa_sql_describe((opa_str){sql, len}, OPA_SQL_MYSQL, &d);
	assert_int_equal(d.text_len, strlen("SELECT ?"));
	free(sql);
}

static uint64_t nanoseconds_of(const char *part, const char *begin, size_t times)
{
	size_t len = strlen(part), at = strlen(begin);
	char *sql = malloc(at + len * times), text[16], summary[16];
	memcpy(sql, begin, at);
	for (size_t i = 0; i < times; i++, at += len) {
		memcpy(sql + at, part, len);
	}
	opa_sql d = {.text = text, .text_size = 16, .summary = summary, .summary_size = 16};
	struct timespec from, to;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &from);
	for (int dialect = O; dialect <= S; dialect++) {
		opa_sql_describe((opa_str){sql, at}, (opa_sql_dialect)dialect, &d);
	}
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &to);
	free(sql);
	return (uint64_t)(to.tv_sec - from.tv_sec) * 1000000000u + (uint64_t)to.tv_nsec -
		   (uint64_t)from.tv_nsec;
}

/* What grows with the square of the length takes 64 times as long for eight times the length. */
static void time_is_linear(void **state)
{
	(void)state;
	static const char *const parts[] = {"'", "\\", "\\'", "\"", "$a", "$", "/*", "--", "[", "`",
		"(", "''", "1,", "a.", "'\\\\", "-", "*/", "E'\\'", "x IN (1,(", "VALUES (1),(", "\n"};
	static const char *const begins[] = {"", "'", "$a$", "/*", "SELECT * FROM ", "IN (", "`", "["};
	for (size_t i = 0; i < COUNT(parts); i++) {
		for (size_t k = 0; k < COUNT(begins); k++) {
			uint64_t few = 0, many = 0;
			/* Once more where the machine was busy with something else. */
			for (int tries = 0; tries < 5; tries++) {
				few = nanoseconds_of(parts[i], begins[k], 2000);
				many = nanoseconds_of(parts[i], begins[k], 16000);
				if (many < 24 * few + 200000) {
					break;
				}
			}
			if (many >= 24 * few + 200000) {
				fail_msg("%s and then %s: %lu ns, 8 times as many: %lu ns", begins[k], parts[i],
					(unsigned long)few, (unsigned long)many);
			}
		}
	}
}

/* ---- anything in a literal ---- */

/* How a server may read it; how a program quotes for it. */
typedef struct quoting {
	int dialect;
	char quote;
	bool escapes; /* backslashes are */
	const char *prefix;
} quoting;

static const quoting quotings[] = {
	{M, '\'', true, ""},
	{M, '\'', false, ""}, /* NO_BACKSLASH_ESCAPES */
	{M, '"', true, ""},
	{M, '"', false, ""},
	{M, '\'', true, "N"},
	{P, '\'', false, ""},
	{P, '\'', true, ""}, /* standard_conforming_strings = off */
	{P, '\'', true, "E"},
	{S, '\'', false, ""},
	{O, '\'', true, ""},
	{O, '\'', false, ""},
	{O, '"', true, ""},
	{O, '"', false, ""},
};

static size_t quote_secret(const quoting *q, uint64_t *seed, char *to)
{
	static const char *const pieces[] = {"zq", "ZQ7", "'", "\"", "\\", "\\\\", "''", " ", "--",
		"/*", "*/", "#", "$$", "$a$", "`", "[", "]", ";", ",", "(", ")", "\n", "\xC3\xA9", "\\'",
		"\\\"", "?", "E'", "zq'zq", "= zq"};
	size_t len = 0;
	len += (size_t)sprintf(to, "%s%c", q->prefix, q->quote);
	for (uint64_t n = random_below(seed, 6); n > 0; n--) {
		for (const char *p = pieces[random_below(seed, COUNT(pieces))]; *p != '\0'; p++) {
			if (*p == '\\' && q->escapes) {
				to[len++] = '\\';
			} else if (*p == q->quote) {
				to[len++] = q->escapes && random_below(seed, 2) ? '\\' : q->quote;
			}
			to[len++] = *p;
		}
	}
	to[len++] = q->quote;
	return len;
}

/* %: a literal. */
static const char *const templates[] = {
	"SELECT a FROM t WHERE b = % AND c = %",
	"INSERT INTO t (a, b) VALUES (%, %)",
	"UPDATE t SET a = %, b = c WHERE c IN (SELECT d FROM u WHERE e = %)",
	"SELECT f(%), %",
	"%",
	"SELECT a FROM t WHERE b LIKE % -- x\nOR c = % OR d = %",
};

static void fill_template(
	const char *template, const quoting *q, uint64_t *seed, char *sql, size_t *len, char *expected)
{
	for (; *template != '\0'; template ++) {
		if (*template == '%') {
			*len += quote_secret(q, seed, sql + *len);
			*expected++ = '?';
		} else {
			sql[(*len)++] = *template;
			*expected++ = *template;
		}
	}
	*expected = '\0';
}

static void remove_comment(char *text)
{
	char *comment = strstr(text, "-- x");
	if (comment != NULL) {
		memmove(comment, comment + 4, strlen(comment + 4) + 1);
	}
}

/* Whatever a literal is, the text is the template, or its beginning up to a literal. */
static void nothing_of_a_literal_is_in_the_text(void **state)
{
	(void)state;
	uint64_t seed = 1;
	unsigned long whole[COUNT(quotings)] = {0}, count[COUNT(quotings)] = {0};
	for (unsigned long i = scaled(300000, 5000); i > 0; i--) {
		size_t which = random_below(&seed, COUNT(quotings));
		const quoting *q = &quotings[which];
		char sql[1024], expected[256];
		size_t len = 0;
		described d;
		fill_template(
			templates[random_below(&seed, COUNT(templates))], q, &seed, sql, &len, expected);
		remove_comment(expected);
		describe(&d, (opa_str){sql, len}, q->dialect, 2000, 255);
		bool same = strcmp(d.text, expected) == 0;
		bool begins = d.sql.cut && strncmp(d.text, expected, d.sql.text_len) == 0 &&
					  d.text[d.sql.text_len - 1] == '?';
		if ((!same && !begins) || strstr(d.text, "zq") != NULL || strstr(d.summary, "zq") != NULL) {
			fail_msg("%s: %.*s\nbecame   %s", dialects[q->dialect], (int)len, sql, d.text);
		}
		whole[which] += same;
		count[which]++;
	}
	/* And mostly it is all of it. */
	for (size_t i = 0; i < COUNT(quotings); i++) {
		if (whole[i] * 2 < count[i]) {
			fail_msg("%s %c: %lu of %lu", dialects[quotings[i].dialect], quotings[i].quote,
				whole[i], count[i]);
		}
	}
}

static void any_bytes_stay_within_bounds(void **state)
{
	(void)state;
	static const char *const pieces[] = {"SELECT ", "FROM ", "t", ",", "(", ")", "'", "\"", "\\",
		"`", "[", "]", "$a$", "$", "--", "/*", "*/", "#", "1", ".", "IN (", "VALUES (", ";", "\n",
		"?", ":a", "\x80", "\xC3\xA9", "\x01", "E'", "UNION ", "INTO ", "CREATE TABLE "};
	uint64_t seed = 2;
	for (unsigned long i = scaled(200000, 3000); i > 0; i--) {
		char sql[256] = "";
		described d, small;
		for (uint64_t n = random_below(&seed, 20); n > 0; n--) {
			strcat(sql, pieces[random_below(&seed, COUNT(pieces))]);
		}
		int dialect = (int)random_below(&seed, 4);
		describe(&d, str(sql), dialect, 2000, 255);
		assert_true(dialect == S || dialect == P || strchr(d.text, '"') == NULL ||
					strchr(d.text, '`') != NULL);
		assert_true(dialect != O || strpbrk(d.text, "'\"") == NULL);
		describe(&small, str(sql), dialect, random_below(&seed, 60), random_below(&seed, 60));
		assert_memory_equal(small.text, d.text, small.sql.text_len);
		assert_memory_equal(small.summary, d.summary, small.sql.summary_len);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(literals_become_question_marks),
		cmocka_unit_test(a_sign_after_a_value_is_an_operator),
		cmocka_unit_test(names_and_white_space_stay),
		cmocka_unit_test(parameters_stay),
		cmocka_unit_test(comments_are_left_out),
		cmocka_unit_test(mysql),
		cmocka_unit_test(postgresql),
		cmocka_unit_test(sqlite),
		cmocka_unit_test(unknown_dialects_hide_what_may_be_a_literal),
		cmocka_unit_test(what_has_no_end_is_left_out),
		cmocka_unit_test(a_backslash_is_read_in_the_only_way_that_is_possible),
		cmocka_unit_test(lists_after_in_have_one_value),
		cmocka_unit_test(of_several_rows_the_first_stays),
		cmocka_unit_test(a_text_without_room_ends_with_a_whole_token),
		cmocka_unit_test(a_long_text_is_read_up_to_a_bound),
		cmocka_unit_test(time_is_linear),
		cmocka_unit_test(nothing_of_a_literal_is_in_the_text),
		cmocka_unit_test(any_bytes_stay_within_bounds),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
