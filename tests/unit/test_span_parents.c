/* Parents: within a trace only, and never in a circle, whatever has ended in between. */
#include "support.h"

static wire_span span;

static opa_span_result hang(fixture *f, opa_span_id id, opa_span_id parent)
{
	return opa_span_set_parent(f->table, f->owner, id, parent);
}

static void a_span_may_be_hung_elsewhere(void **state)
{
	fixture *f = *state;
	opa_span_id a = begin(f, f->root), b = begin(f, a), c = begin(f, f->root);
	assert_int_equal(hang(f, b, c), OPA_SPAN_OK);
	assert_int_equal(hang(f, b, c), OPA_SPAN_OK);
	assert_int_equal(hang(f, a, b), OPA_SPAN_OK);
	finish(f);
	collected_get(&f->out, b, &span);
	assert_true(span.parent == c);
	collected_get(&f->out, a, &span);
	assert_true(span.parent == b);
}

static void a_span_is_not_its_own_parent(void **state)
{
	fixture *f = *state;
	opa_span_id a = begin(f, f->root);
	assert_int_equal(hang(f, a, a), OPA_SPAN_REFUSED);
	begin(f, a);
	assert_int_equal(hang(f, a, a), OPA_SPAN_REFUSED);
}

static void the_root_stays_where_it_is(void **state)
{
	fixture *f = *state;
	opa_span_id a = begin(f, f->root);
	assert_int_equal(hang(f, f->root, a), OPA_SPAN_REFUSED);
	assert_int_equal(hang(f, f->root, f->root), OPA_SPAN_REFUSED);
	finish(f);
	collected_get(&f->out, f->root, &span);
	assert_true(span.parent == OPA_NO_SPAN);
}

static void a_parent_of_another_trace_is_refused(void **state)
{
	fixture *f = *state;
	opa_span_id a = begin(f, f->root);
	for (int i = 0; i < 70; i++) { /* in every shard */
		opa_span_id root = trace_begin(f->table, f->owner, &roomy);
		opa_span_id other = begin(f, root);
		opa_span_result result = hang(f, a, other);
		assert_true(result == OPA_SPAN_REFUSED || result == OPA_SPAN_UNKNOWN);
		result = hang(f, a, root);
		assert_true(result == OPA_SPAN_REFUSED || result == OPA_SPAN_UNKNOWN);
	}
	finish(f);
	collected_get(&f->out, a, &span);
	assert_true(span.parent == f->root);
}

static void an_ended_or_foreign_parent_is_unknown(void **state)
{
	fixture *f = *state;
	opa_span_id a = begin(f, f->root), b = begin(f, f->root);
	end(f, b);
	assert_int_equal(hang(f, a, b), OPA_SPAN_UNKNOWN);
	assert_int_equal(hang(f, a, OPA_NO_SPAN), OPA_SPAN_UNKNOWN);
	assert_int_equal(hang(f, a, 0xa123456789abcdefu), OPA_SPAN_UNKNOWN);
	uint64_t other = opa_span_owner_make(f->table);
	assert_int_equal(opa_span_set_parent(f->table, other, a, f->root), OPA_SPAN_UNKNOWN);
}

static void a_circle_of_open_spans_is_refused(void **state)
{
	fixture *f = *state;
	opa_span_id chain[50];
	for (int i = 0; i < 50; i++) {
		chain[i] = begin(f, i == 0 ? f->root : chain[i - 1]);
	}
	for (int i = 0; i < 50; i++) {
		for (int k = i; k < 50; k++) {
			assert_int_equal(hang(f, chain[i], chain[k]), OPA_SPAN_REFUSED);
		}
	}
	assert_int_equal(hang(f, chain[20], chain[10]), OPA_SPAN_OK);
	assert_int_equal(hang(f, chain[15], chain[49]), OPA_SPAN_OK);
	assert_int_equal(hang(f, chain[20], chain[15]), OPA_SPAN_REFUSED);
}

/* a <- b <- c, and b has ended: the table knows no more that c is below a. */
static void a_circle_through_an_ended_span_is_refused(void **state)
{
	fixture *f = *state;
	opa_span_id a = begin(f, f->root), b = begin(f, a), c = begin(f, b);
	end(f, b);
	assert_int_equal(hang(f, a, c), OPA_SPAN_REFUSED);
}

/* The same where the span in the middle was started last, so that its number says nothing. */
static void a_circle_through_an_ended_later_span_is_refused(void **state)
{
	fixture *f = *state;
	opa_span_id c = begin(f, f->root), a = begin(f, f->root), b = begin(f, a);
	assert_int_equal(hang(f, c, b), OPA_SPAN_OK);
	end(f, b);
	assert_int_equal(hang(f, a, c), OPA_SPAN_REFUSED);
}

static void an_earlier_span_may_be_a_parent_though_its_own_has_ended(void **state)
{
	fixture *f = *state;
	opa_span_id gone = begin(f, f->root), early = begin(f, gone), late = begin(f, f->root);
	begin(f, late);
	end(f, gone);
	assert_int_equal(hang(f, late, early), OPA_SPAN_OK);
}

static void an_ended_root_is_above_everything(void **state)
{
	fixture *f = *state;
	opa_span_id a = begin(f, f->root), b = begin(f, f->root);
	begin(f, a);
	end(f, f->root);
	assert_int_equal(hang(f, a, b), OPA_SPAN_OK);
	assert_int_equal(hang(f, b, a), OPA_SPAN_REFUSED);
}

/* ---- against a reference graph ---- */

#define SPANS 400

struct graph {
	opa_span_id ids[SPANS]; /* [0] is the root */
	int parents[SPANS];
	bool open[SPANS];
	bool has_child[SPANS];
	bool later_parent;
	int count;
};

static bool is_below(const struct graph *g, int node, int above)
{
	while (node != above && node != 0) {
		node = g->parents[node];
	}
	return node == above;
}

/* Whether the way from a node up to the root leads over open spans only (the root may be ended). */
static bool is_way_open(const struct graph *g, int node)
{
	for (; node != 0; node = g->parents[node]) {
		if (!g->open[node]) {
			return false;
		}
	}
	return true;
}

/* What the contract says of hanging an open node under an open one; else -1: either answer. */
static int expected_result(const struct graph *g, int node, int parent)
{
	if (node == 0 || is_below(g, parent, node)) {
		return OPA_SPAN_REFUSED;
	}
	bool earlier = !g->later_parent && parent < node;
	return is_way_open(g, parent) || !g->has_child[node] || earlier ? OPA_SPAN_OK : -1;
}

static void hang_at_random(fixture *f, struct graph *g, int node, int parent)
{
	int expected = expected_result(g, node, parent);
	opa_span_result result = hang(f, g->ids[node], g->ids[parent]);
	if (!g->open[node] || !g->open[parent]) {
		assert_int_equal(result, OPA_SPAN_UNKNOWN);
		return;
	}
	assert_true(expected == -1 || result == (opa_span_result)expected);
	if (result == OPA_SPAN_OK) {
		g->parents[node] = parent;
		g->has_child[parent] = true;
		g->later_parent |= parent > node;
	}
}

static void random_graph_step(fixture *f, struct graph *g, uint64_t *seed, unsigned ends)
{
	int node = (int)random_below(seed, (uint64_t)g->count);
	int other = (int)random_below(seed, (uint64_t)g->count);
	uint64_t what = random_below(seed, 100);
	if (what < 20 && g->count < SPANS && (g->open[node] || node == 0)) {
		g->ids[g->count] = begin(f, g->ids[node]);
		g->parents[g->count] = node;
		g->has_child[node] = true;
		g->open[g->count++] = true;
	} else if (what < 20 + ends && g->open[node]) {
		end(f, g->ids[node]);
		g->open[node] = false;
	} else {
		hang_at_random(f, g, node, other);
	}
}

static void check_output(fixture *f, const struct graph *g)
{
	size_t at = 0;
	int there = 0;
	while (wire_next_span(f->out.data, f->out.len, &at, &span)) {
		int node = 0;
		while (node < g->count && g->ids[node] != span.id) {
			node++;
		}
		assert_true(node < g->count);
		assert_true(span.parent == (node == 0 ? OPA_NO_SPAN : g->ids[g->parents[node]]));
		there++;
	}
	assert_int_equal(there, g->count);
	for (int i = 1; i < g->count; i++) {
		int steps = 0;
		for (int node = i; node != 0; node = g->parents[node]) {
			assert_true(steps++ < g->count);
		}
	}
}

static void random_graph(fixture *f, uint64_t seed, unsigned ends)
{
	static struct graph g;
	memset(&g, 0, sizeof(g));
	f->owner = opa_span_owner_make(f->table);
	f->root = trace_begin(f->table, f->owner, &f->limits);
	g.ids[0] = f->root;
	g.open[0] = true;
	g.count = 1;
	for (int i = 0; i < 4000; i++) {
		random_graph_step(f, &g, &seed, ends);
	}
	finish(f);
	check_output(f, &g);
	collected_free(&f->out);
}

static void random_graphs_of_open_spans_agree_with_a_reference(void **state)
{
	for (uint64_t i = 0; i < scaled(100, 5); i++) {
		random_graph(*state, 7000 + i, 0);
	}
}

static void random_graphs_of_spans_that_end_never_have_a_circle(void **state)
{
	for (uint64_t i = 0; i < scaled(400, 10); i++) {
		random_graph(*state, 8000 + i, 1 + (unsigned)i % 12);
	}
}

/* Hanging under earlier spans only: then all that is no circle is accepted, whatever has ended. */
static void earlier_parents_are_always_accepted(void **state)
{
	fixture *f = *state;
	uint64_t seed = 9;
	opa_span_id ids[300];
	bool open[300];
	int count = 1;
	ids[0] = f->root;
	open[0] = true;
	for (int i = 0; i < 20000; i++) {
		int a = (int)random_below(&seed, (uint64_t)count), b = (int)random_below(&seed, 300);
		if (b >= count && count < 300 && (open[a] || a == 0)) {
			ids[count] = begin(f, ids[a]);
			open[count++] = true;
		} else if (b < a && open[a] && open[b]) {
			assert_int_equal(hang(f, ids[a], ids[b]), OPA_SPAN_OK);
		} else if (b == a && open[a] && random_below(&seed, 4) == 0) {
			end(f, ids[a]);
			open[a] = false;
		}
	}
}

int main(void)
{
#define TEST(t)    cmocka_unit_test_setup_teardown(t, fixture_setup, fixture_teardown)
#define SHARDED(t) cmocka_unit_test_setup_teardown(t, fixture_setup_sharded, fixture_teardown)
	const struct CMUnitTest tests[] = {
		TEST(a_span_may_be_hung_elsewhere),
		TEST(a_span_is_not_its_own_parent),
		TEST(the_root_stays_where_it_is),
		TEST(a_parent_of_another_trace_is_refused),
		SHARDED(a_parent_of_another_trace_is_refused),
		TEST(an_ended_or_foreign_parent_is_unknown),
		SHARDED(an_ended_or_foreign_parent_is_unknown),
		TEST(a_circle_of_open_spans_is_refused),
		TEST(a_circle_through_an_ended_span_is_refused),
		TEST(a_circle_through_an_ended_later_span_is_refused),
		TEST(an_earlier_span_may_be_a_parent_though_its_own_has_ended),
		TEST(an_ended_root_is_above_everything),
		TEST(random_graphs_of_open_spans_agree_with_a_reference),
		TEST(random_graphs_of_spans_that_end_never_have_a_circle),
		TEST(earlier_parents_are_always_accepted),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
