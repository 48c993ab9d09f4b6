/*
 * What the sanitiser of SQL does in a second: megabytes, for texts of one kind at a time. Each line
 * is the median and the best of many rounds, of the process's own time; machines differ, so compare
 * lines of one run.
 */
#include "core/opa_sql.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define ROUNDS 201
#define SIZE   ((size_t)128 * 1024)

typedef struct kind {
	const char *name;
	opa_sql_dialect dialect;
	const char *begin;
	const char *part; /* again and again, until the text has its size */
} kind;

static const kind kinds[] = {
	{"names", OPA_SQL_MYSQL, "SELECT ", "customers.last_name, order_items.quantity AS quantity,\n"},
	{"names, quoted", OPA_SQL_POSTGRESQL, "SELECT ",
		"\"customers\".\"last_name\", \"order_items\".\"quantity\",\n"},
	{"conditions", OPA_SQL_MYSQL, "SELECT * FROM orders WHERE ",
		"customer_id = 1234 AND status <> 'shipped' OR total >= 17.50 AND "},
	{"numbers in a list", OPA_SQL_MYSQL, "SELECT * FROM t WHERE id IN (", "1234567, "},
	{"rows of short values", OPA_SQL_MYSQL, "INSERT INTO t VALUES (0)",
		", (12345, 'John', 'Doe', '2024-01-02 03:04:05', NULL)"},
	{"long strings", OPA_SQL_MYSQL, "INSERT INTO t VALUES (0)",
		", ('Lorem ipsum dolor sit amet, consectetur adipiscing elit, sed do eiusmod tempor "
		"incididunt ut labore et dolore magna aliqua. Ut enim ad minim veniam, quis nostrud')"},
	{"escaped quotes", OPA_SQL_MYSQL, "INSERT INTO t VALUES (0)",
		", ('It\\'s what John\\'s said: \\\"no\\\"', 'O\\'Neil')"},
	{"escaped, not known", OPA_SQL_OTHER, "INSERT INTO t VALUES (0)",
		", ('It\\'s what John\\'s said: \\\"no\\\"', 'O\\'Neil')"},
	{"dollar quotes", OPA_SQL_POSTGRESQL, "SELECT ",
		"$body$ it's a body with $1 and $x and ''' $body$, "},
	{"comments", OPA_SQL_POSTGRESQL, "SELECT ", "a, -- it's a comment\n /* and another one */ "},
};

static char *make_text(const kind *k)
{
	char *text = malloc(SIZE);
	if (text == NULL) {
		abort();
	}
	size_t at = strlen(k->begin), len = strlen(k->part);
	memcpy(text, k->begin, at);
	for (; at + len <= SIZE; at += len) {
		memcpy(text + at, k->part, len);
	}
	memset(text + at, ' ', SIZE - at);
	return text;
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return x < y ? -1 : x > y;
}

static double own_time(void)
{
	struct timespec t;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

/* Megabytes in a second. The room is that of the whole text: a small one is full too soon. */
static double measure(const char *sql, opa_sql_dialect dialect, char *text)
{
	char summary[OPA_SQL_SUMMARY_MAX];
	opa_sql d = {
		.text = text, .text_size = SIZE, .summary = summary, .summary_size = sizeof(summary)};
	double since = own_time();
	opa_sql_describe((opa_str){sql, SIZE}, dialect, &d);
	double took = own_time() - since;
	if (d.text_len == 0) {
		abort();
	}
	return (double)SIZE * 1000 / took;
}

int main(void)
{
	static double rounds[ROUNDS];
	char *text = malloc(SIZE);
	if (text == NULL) {
		return 1;
	}
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		char *sql = make_text(&kinds[i]);
		for (int k = 0; k < ROUNDS; k++) {
			rounds[k] = measure(sql, kinds[i].dialect, text);
		}
		qsort(rounds, ROUNDS, sizeof(*rounds), by_value);
		printf("%-22s median %6.0f MB/s   best %6.0f MB/s\n", kinds[i].name, rounds[ROUNDS / 2],
			rounds[ROUNDS - 1]);
		free(sql);
	}
	free(text);
	return 0;
}
