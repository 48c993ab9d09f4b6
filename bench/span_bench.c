/*
 * What a child span costs in the span table alone, without PHP: nanoseconds for beginning, tagging
 * and ending it, one by one and together, in a table with one and with 64 shards. Each line says
 * the median and the best of several rounds; machines differ, so compare lines of one run.
 *
 *   span_bench                 the table of nanoseconds
 *   span_bench SHARDS STEPS N  does STEPS ("b", "bt", "bte": begin, tag, end) N times and prints
 *                              nothing: for callgrind, see span_bench.sh
 */
#include "core/opa_clock.h"
#include "opa_span.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROUNDS 31
#define BATCH  20000u

struct bench {
	opa_span_table *table;
	uint64_t owner;
	opa_span_id root;
	opa_span_id ids[BATCH];
};

static const opa_span_limits limits = {
	.attributes = 128,
	.events = 128,
	.links = 128,
	.trace_size = (size_t)1 << 30,
	.flush_size = 192 * 1024,
};

static void open_trace(struct bench *b)
{
	opa_trace_start start = {.owner = b->owner,
		.trace_id = {1},
		.flags = 1,
		.limits = &limits,
		.name = OPA_STR("GET /product/{id}"),
		.kind = OPA_KIND_SERVER,
		.start = OPA_NOW};
	if (opa_trace_begin(b->table, &start, &b->root) != OPA_SPAN_OK) {
		abort();
	}
}

static void close_trace(struct bench *b)
{
	opa_batch batch;
	opa_trace_finish(b->table, b->owner, b->root, OPA_NO_SPAN, 0, &batch);
	opa_batch_release(b->table, &batch);
}

static opa_span_id begin(struct bench *b)
{
	opa_span_start start = {.parent = b->root,
		.name = OPA_STR("load product"),
		.kind = OPA_KIND_INTERNAL,
		.start = OPA_NOW};
	opa_span_id id;
	opa_span_begin(b->table, b->owner, &start, &id);
	return id;
}

static void tag(struct bench *b, opa_span_id id)
{
	opa_value value = OPA_VALUE_OF_STRING(OPA_STR("1234567890"));
	opa_span_set_attribute(b->table, b->owner, id, OPA_STR("product.id"), &value);
}

static void end(struct bench *b, opa_span_id id)
{
	opa_batch batch;
	opa_span_end(b->table, b->owner, id, OPA_NOW, &batch);
	if (batch.data != NULL) {
		opa_batch_release(b->table, &batch);
	}
}

/* ---- nanoseconds ---- */

static double per_span(uint64_t since, unsigned n)
{
	return (double)(opa_clock_mono() - since) / n;
}

/* As a program does it: the three together, one span after the other. */
static double together(struct bench *b)
{
	uint64_t since = opa_clock_mono();
	for (unsigned i = 0; i < BATCH; i++) {
		opa_span_id id = begin(b);
		tag(b, id);
		end(b, id);
	}
	return per_span(since, BATCH);
}

/* One by one, over 16 spans at a time: so few that their blocks come from the pool. */
static void apart(struct bench *b, double *begins, double *tags, double *ends)
{
	uint64_t total[3] = {0};
	for (unsigned i = 0; i < BATCH; i += 16) {
		uint64_t t0 = opa_clock_mono();
		for (unsigned k = 0; k < 16; k++) {
			b->ids[k] = begin(b);
		}
		uint64_t t1 = opa_clock_mono();
		for (unsigned k = 0; k < 16; k++) {
			tag(b, b->ids[k]);
		}
		uint64_t t2 = opa_clock_mono();
		for (unsigned k = 0; k < 16; k++) {
			end(b, b->ids[k]);
		}
		total[0] += t1 - t0;
		total[1] += t2 - t1;
		total[2] += opa_clock_mono() - t2;
	}
	*begins = (double)total[0] / BATCH;
	*tags = (double)total[1] / BATCH;
	*ends = (double)total[2] / BATCH;
}

/* Two clock readings: what every span cannot but cost. */
static double clocks(void)
{
	uint64_t since = opa_clock_mono(), sum = 0;
	for (unsigned i = 0; i < 2 * BATCH; i++) {
		sum += opa_clock_mono();
	}
	return sum == 0 ? 0 : per_span(since, BATCH);
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return x < y ? -1 : x > y;
}

static void print_line(unsigned shards, const char *what, double *rounds)
{
	qsort(rounds, ROUNDS, sizeof(*rounds), by_value);
	printf("%2u shard%s  %-18s median %6.1f ns   best %6.1f ns\n", shards, shards == 1 ? " " : "s",
		what, rounds[ROUNDS / 2], rounds[0]);
}

static void measure(struct bench *b, unsigned shards)
{
	static double rounds[5][ROUNDS];
	for (int i = 0; i < ROUNDS; i++) {
		open_trace(b);
		rounds[0][i] = together(b);
		apart(b, &rounds[1][i], &rounds[2][i], &rounds[3][i]);
		close_trace(b);
		rounds[4][i] = clocks();
	}
	static const char *const names[] = {
		"begin + tag + end", "begin", "tag", "end", "two clock readings"};
	for (int i = 0; i < 5; i++) {
		print_line(shards, names[i], rounds[i]);
	}
}

/* ---- for callgrind ---- */

/* Leaves spans open where there is no "e"; they are closed with the trace, outside of `steps`. */
static __attribute__((noinline)) void steps(struct bench *b, const char *wanted, unsigned n)
{
	bool tags = strchr(wanted, 't') != NULL, ends = strchr(wanted, 'e') != NULL;
	for (unsigned i = 0; i < n; i++) {
		opa_span_id id = begin(b);
		if (tags) {
			tag(b, id);
		}
		if (ends) {
			end(b, id);
		}
	}
}

static bool open_table(struct bench *b, unsigned shards)
{
	b->table = opa_span_table_create(shards);
	b->owner = b->table == NULL ? 0 : opa_span_owner_make(b->table);
	return b->table != NULL;
}

int main(int argc, char **argv)
{
	static struct bench b;
	static const unsigned both[] = {1, 64};
	if (argc == 4) {
		if (!open_table(&b, (unsigned)atoi(argv[1]))) {
			return 1;
		}
		open_trace(&b);
		steps(&b, argv[2], (unsigned)atoi(argv[3]));
		close_trace(&b);
		opa_span_table_destroy(b.table);
		return 0;
	}
	for (int i = 0; i < 2; i++) {
		if (!open_table(&b, both[i])) {
			return 1;
		}
		measure(&b, both[i]);
		opa_span_table_destroy(b.table);
	}
	return 0;
}
