/* The summary of SQL: operations and targets, in their order. */
#include "sql_fixture.h"

static void check_summary(int dialect, const char *sql, const char *expected)
{
	described d;
	describe(&d, str(sql), dialect, 0, 255);
	if (strcmp(d.summary, expected) != 0) {
		fail_msg("%s: %s\nis       %s\nand not  %s", dialects[dialect], sql, d.summary, expected);
	}
}

static void check_summaries(const common_case *cases, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		for (int dialect = O; dialect <= S; dialect++) {
			check_summary(dialect, cases[i].sql, cases[i].expected);
		}
	}
}

#define SUMMARIES(cases) check_summaries(cases, COUNT(cases))

static void summaries_of_queries(void **state)
{
	(void)state;
	static const common_case cases[] = {
		{"SELECT * FROM wuser_table WHERE username = ?", "SELECT wuser_table"},
		{"SELECT 1", "SELECT"},
		{"SELECT * FROM songs, artists WHERE a = b", "SELECT songs artists"},
		{"SELECT a, b FROM songs s, artists AS t, c", "SELECT songs artists c"},
		{"sELECT * fROM ORders", "sELECT ORders"},
		{"SELECT * FROM a JOIN b ON a.x = b.x LEFT JOIN c USING (y), d", "SELECT a b c d"},
		{"SELECT d FROM (SELECT * FROM orders o JOIN customers c ON o.i = c.i)",
			"SELECT SELECT orders customers"},
		{"SELECT d FROM (SELECT 1 FROM a) x, b JOIN c ON 1", "SELECT SELECT a b c"},
		{"SELECT * FROM (a JOIN (b, c) ON 1), d", "SELECT a b c d"},
		{"SELECT * FROM a WHERE x IN (SELECT y FROM b) ORDER BY p, q", "SELECT a SELECT b"},
		{"SELECT a FROM x UNION SELECT b FROM y UNION ALL (SELECT c FROM z)", "SELECT x y z"},
		{"WITH q AS (SELECT * FROM a) SELECT * FROM q", "SELECT a SELECT q"},
		{"WITH q AS (DELETE FROM a RETURNING *) INSERT INTO b SELECT * FROM q",
			"DELETE a INSERT b SELECT q"},
		{"SELECT EXTRACT(YEAR FROM d), TRIM(BOTH x FROM y) FROM t", "SELECT t"},
		{"SELECT a IS DISTINCT FROM b FROM t", "SELECT t"},
		{"SELECT DISTINCT a FROM t GROUP BY a, b HAVING c LIMIT 1, 2", "SELECT t"},
		{"SELECT * FROM db.t, a.b.c x", "SELECT db.t a.b.c"},
		{"SELECT * FROM table JOIN type", "SELECT table type"},
		{"SELECT * FROM t FOR UPDATE", "SELECT t"},
		{"SELECT a.from, b.join x FROM t", "SELECT t"},
		{"SELECT * FROM f(1, 2) x, LATERAL (SELECT 1 FROM u) y", "SELECT f SELECT u"},
		{"SELECT REPLACE(a, 'b', 'c'), (replace(a, 'b', 'c')) FROM t", "SELECT t"},
		{"SELECT * FROM 'literal', t", "SELECT t"},
		{"SELECT a INTO @x FROM t", "SELECT t"},
		{"SELECT a INTO u FROM t", "SELECT u t"},
		{"SELECT a FROM t INTO OUTFILE 'f'", "SELECT t"},
		{"/* x */ SELECT /* y */ * FROM /* z */ t -- u", "SELECT t"},
		{"SELECT a FROM t; DELETE FROM u WHERE b", "SELECT t DELETE u"},
		{"(SELECT a FROM t) UNION (SELECT b FROM u)", "SELECT t u"},
		{"EXPLAIN SELECT * FROM t", "EXPLAIN SELECT t"},
		{"EXPLAIN ANALYZE UPDATE t SET a = 1", "EXPLAIN UPDATE t"},
		{"", ""},
		{"frobnicate the FROM table", ""},
		{"VALUES (1)", "VALUES"},
	};
	SUMMARIES(cases);
}

static void summaries_of_changes(void **state)
{
	(void)state;
	static const common_case cases[] = {
		{"INSERT INTO t (a) VALUES (1), (2)", "INSERT t"},
		{"INSERT INTO shipping_details (a, b) SELECT a, b FROM orders",
			"INSERT shipping_details SELECT orders"},
		{"INSERT LOW_PRIORITY IGNORE INTO t SET a = 1 ON DUPLICATE KEY UPDATE a = 2", "INSERT t"},
		{"INSERT t VALUES (1) ON CONFLICT DO UPDATE SET a = 1", "INSERT t"},
		{"INSERT OR REPLACE INTO t VALUES (1)", "INSERT t"},
		{"INSERT INTO x VALUES ((SELECT a FROM y), 1), ((SELECT a FROM z), 1)",
			"INSERT x SELECT y SELECT z"},
		{"REPLACE INTO t VALUES (1)", "REPLACE t"},
		{"UPDATE t SET a = 1, b = 2 WHERE c IN (SELECT d FROM u)", "UPDATE t SELECT u"},
		{"UPDATE a, b JOIN c ON 1 SET a.x = 1, y = 2", "UPDATE a b c"},
		{"UPDATE ONLY t SET a = b.c FROM b", "UPDATE t b"},
		{"UPDATE OR IGNORE t SET a = 1", "UPDATE t"},
		{"DELETE FROM t WHERE a = 1", "DELETE t"},
		{"DELETE a FROM a JOIN b ON 1", "DELETE a b"},
		{"DELETE FROM a USING b WHERE 1", "DELETE a b"},
		{"MERGE INTO a USING b ON 1 WHEN MATCHED THEN UPDATE SET x = 1 "
		 "WHEN NOT MATCHED THEN INSERT (x) VALUES (1)",
			"MERGE a b"},
		{"TRUNCATE TABLE a, b", "TRUNCATE a b"},
		{"TRUNCATE a", "TRUNCATE a"},
	};
	SUMMARIES(cases);
}

static void summaries_of_definitions(void **state)
{
	(void)state;
	static const common_case cases[] = {
		{"CREATE  TABLE IF NOT EXISTS t (a INT, b INT)", "CREATE TABLE t"},
		{"CREATE TABLE table (a INT)", "CREATE TABLE table"},
		{"CREATE TEMPORARY TABLE s.t AS SELECT * FROM u", "CREATE TABLE s.t"},
		{"CREATE UNIQUE CLUSTERED INDEX i ON t (a, b)", "CREATE INDEX i"},
		{"CREATE INDEX CONCURRENTLY IF NOT EXISTS i ON t (a)", "CREATE INDEX i"},
		{"CREATE OR REPLACE VIEW v AS SELECT * FROM t", "CREATE VIEW v"},
		{"CREATE TRIGGER x AFTER UPDATE ON t BEGIN UPDATE u SET a = 1; DELETE FROM w; END",
			"CREATE TRIGGER x"},
		{"CREATE PROCEDURE p() BEGIN SELECT 1 FROM t; END", "CREATE PROCEDURE p"},
		{"DROP PROCEDURE p; SELECT a FROM t", "DROP PROCEDURE p SELECT t"},
		{"ALTER TABLE t ADD COLUMN a INT, DROP b", "ALTER TABLE t"},
		{"DROP TABLE IF EXISTS a, b CASCADE", "DROP TABLE a b"},
		{"CREATE DATABASE d; CREATE SCHEMA s", "CREATE DATABASE d CREATE SCHEMA s"},
		{"CREATE USER bob IDENTIFIED BY 'secret'", "CREATE USER bob"},
		{"CREATE USER 'bob' IDENTIFIED BY 'secret'", "CREATE USER"},
	};
	SUMMARIES(cases);
}

static void summaries_of_other_statements(void **state)
{
	(void)state;
	static const common_case cases[] = {
		{"CALL p(1, 2)", "CALL p"},
		{"{call some.p(?)}", "call some.p"},
		{"{? = call p(?)}", "call p"},
		{"EXEC GetAll @Id = 42", "EXEC GetAll"},
		{"START TRANSACTION READ ONLY", "START TRANSACTION"},
		{"BEGIN; INSERT INTO t VALUES (1); COMMIT", "BEGIN INSERT t COMMIT"},
		{"SAVEPOINT sp_123", "SAVEPOINT"},
		{"ROLLBACK TO sp_123", "ROLLBACK"},
		{"SET NAMES utf8mb4", "SET"},
		{"SET a = (SELECT b FROM c)", "SET"},
		{"SHOW COLUMNS FROM t", "SHOW"},
		{"USE db", "USE db"},
		{"PRAGMA table_info(t)", "PRAGMA table_info"},
		{"LOCK TABLES a WRITE, b READ", "LOCK TABLES a"},
		{"OPTIMIZE TABLE t", "OPTIMIZE t"},
		{"COPY t (a) FROM STDIN", "COPY t"},
		{"GRANT SELECT ON t TO bob", "GRANT"},
	};
	SUMMARIES(cases);
}

static void quoted_targets_are_as_they_are_written(void **state)
{
	(void)state;
	check_summary(
		P, "SELECT * FROM \"song list\", \"a\".\"b\" x", "SELECT \"song list\" \"a\".\"b\"");
	check_summary(S, "INSERT INTO \"t\" VALUES (1)", "INSERT \"t\"");
	check_summary(S, "SELECT * FROM [a b].[c] JOIN `d`", "SELECT [a b].[c] `d`");
	check_summary(M, "UPDATE `db`.`t` SET a = 1", "UPDATE `db`.`t`");
	check_summary(M, "SELECT * FROM \"secret\", t", "SELECT t");
	check_summary(O, "SELECT * FROM \"secret\", t", "SELECT t");
	check_summary(O, "SELECT * FROM t.5, u", "SELECT t u");
	check_summary(O, "SELECT * FROM t.'x', u", "SELECT t u");
}

static void the_operation_begins_the_summary(void **state)
{
	(void)state;
	described d;
	describe(&d, OPA_STR("select a from t"), M, 0, 255);
	assert_int_equal(d.sql.operation_len, strlen("select"));
	describe(&d, OPA_STR("CREATE UNIQUE INDEX i ON t (a)"), M, 0, 255);
	assert_int_equal(d.sql.operation_len, strlen("CREATE INDEX"));
	describe(&d, OPA_STR("SELECT 1; CREATE TABLE t (a INT)"), M, 0, 255);
	assert_int_equal(d.sql.operation_len, strlen("SELECT"));
	describe(&d, OPA_STR("what is this"), M, 0, 255);
	assert_int_equal(d.sql.operation_len, 0);
}

static void a_summary_has_no_half_token(void **state)
{
	(void)state;
	described d;
	char sql[1024] = "SELECT * FROM ", name[300];
	memset(name, 'x', sizeof(name));
	snprintf(sql + strlen(sql), 700, "%.248s, b, c", name);
	describe(&d, str(sql), O, 0, 255);
	assert_int_equal(d.sql.summary_len, 255);
	snprintf(sql, sizeof(sql), "SELECT * FROM %.249s, b, c", name);
	describe(&d, str(sql), O, 0, 255);
	assert_string_equal(d.summary, "SELECT");
	for (size_t size = 0; size <= 16; size++) {
		describe(&d, OPA_STR("SELECT * FROM ab, cde"), O, 0, size);
		assert_string_equal(d.summary, size < 6    ? ""
									   : size < 9  ? "SELECT"
									   : size < 13 ? "SELECT ab"
												   : "SELECT ab cde");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(summaries_of_queries),
		cmocka_unit_test(summaries_of_changes),
		cmocka_unit_test(summaries_of_definitions),
		cmocka_unit_test(summaries_of_other_statements),
		cmocka_unit_test(quoted_targets_are_as_they_are_written),
		cmocka_unit_test(the_operation_begins_the_summary),
		cmocka_unit_test(a_summary_has_no_half_token),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
