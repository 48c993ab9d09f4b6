/*
 * The local store: what a record becomes in the database, in whatever order and however often it
 * comes, and what the store does when it cannot.
 */
#include "store_fixture.h"

static const char trace_row[] =
	"SELECT coalesce(substr(root_span_id, 1, 2), '-') || '|' || name || '|' || service || '|' ||"
	" start_ns || '|' || end_ns || '|' || duration_ns || '|' || status || '|' || spans || '|' ||"
	" errors || '|' || complete FROM traces WHERE trace_id = '01010101010101010101010101010101'";

/* ---- rows ---- */

static void a_span_becomes_a_row(void **state)
{
	fixture *f = *state;
	build span = {0}, status = {0}, event = {0}, link = {0}, any = {0};
	uint8_t id[16];
	memset(id, 1, 16);
	build_bytes(&span, 1, id, 16);
	memset(id, 0xab, 8);
	build_bytes(&span, 2, id, 8);
	build_text(&span, 3, "a=b");
	memset(id, 0xcd, 8);
	build_bytes(&span, 4, id, 8);
	build_text(&span, 5, "GET /");
	build_uint(&span, 6, 3);
	build_fixed64(&span, 7, 1000);
	build_fixed64(&span, 8, 1700);
	build_text_attribute(&span, 9, "http.method", "GET");
	build_double_attribute(&span, 9, "ratio", 2.0);
	build_uint(&span, 10, 4);
	build_fixed64(&event, 1, 1200);
	build_text(&event, 2, "hit");
	build_int_attribute(&event, 3, "n", 7);
	build_uint(&event, 4, 2);
	build_message(&span, 11, &event);
	build_uint(&span, 12, 5);
	memset(id, 0xee, 16);
	build_bytes(&link, 1, id, 16);
	build_bytes(&link, 2, id, 8);
	build_text(&link, 3, "x=y");
	build_uint(&any, 2, 1);
	build_key_value(&link, 4, "yes", &any);
	build_fixed32(&link, 6, 1);
	build_message(&span, 13, &link);
	build_uint(&span, 14, 6);
	build_text(&status, 2, "broken");
	build_uint(&status, 3, 2);
	build_message(&span, 15, &status);
	build_fixed32(&span, 16, 0x301);
	store_bytes(f, &span);
	assert_answer(f,
		"SELECT trace_id || ' ' || span_id || ' ' || parent_id || ' ' || remote FROM spans",
		"01010101010101010101010101010101 abababababababab cdcdcdcdcdcdcdcd 1");
	assert_answer(f,
		"SELECT name || ' ' || kind || ' ' || start_ns || ' ' || duration_ns || ' ' ||"
		" status || ' ' || status_message || ' ' || flags || ' ' || trace_state FROM spans",
		"GET / 3 1000 700 2 broken 769 a=b");
	assert_answer(f, "SELECT attributes FROM spans", "{\"http.method\":\"GET\",\"ratio\":2.0}");
	assert_answer(f, "SELECT events FROM spans",
		"[{\"name\":\"hit\",\"time_ns\":1200,\"attributes\":{\"n\":7},\"dropped\":2}]");
	assert_answer(f, "SELECT links FROM spans",
		"[{\"trace_id\":\"eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee\",\"span_id\":\"eeeeeeeeeeeeeeee\","
		"\"trace_state\":\"x=y\",\"flags\":1,\"attributes\":{\"yes\":true},\"dropped\":0}]");
	assert_answer(f,
		"SELECT dropped_attributes || ' ' || dropped_events || ' ' || dropped_links"
		" FROM spans",
		"4 5 6");
	assert_answer(f, "SELECT service || ' ' || attributes || ' ' || spans FROM resources",
		"service1 {\"service.name\":\"service1\",\"process.pid\":12} 1");
}

static void what_a_span_does_not_have_is_null(void **state)
{
	fixture *f = *state;
	made m = {.id = 0xaa, .name = ""};
	store_made(f->store, 1, &m, 1, 0);
	assert_answer(f,
		"SELECT count(*) FROM spans WHERE parent_id IS NULL AND status_message IS NULL"
		" AND trace_state IS NULL AND events IS NULL AND links IS NULL AND name = ''",
		"1");
}

static void times_are_clamped(void **state)
{
	fixture *f = *state;
	made spans[] = {{.id = 0xaa, .name = "late", .start = UINT64_MAX, .end = UINT64_MAX - 1},
		{.id = 0xbb, .name = "backwards", .start = 500, .end = 400, .parent = 0xaa}};
	store_made(f->store, 1, spans, 2, 0);
	assert_answer(f, "SELECT start_ns || ' ' || duration_ns FROM spans WHERE name = 'late'",
		"9223372036854775807 0");
	assert_answer(f, "SELECT duration_ns FROM spans WHERE name = 'backwards'", "0");
}

static void invalid_utf8_never_gets_into_the_store(void **state)
{
	fixture *f = *state;
	made m = {.id = 0xaa, .name = "a\xff", .start = 1, .end = 2};
	store_made(f->store, 1, &m, 1, 0);
	assert_answer(f, "SELECT name FROM spans", "a\xef\xbf\xbd");
	assert_answer(f, "SELECT name FROM traces", "a\xef\xbf\xbd");
}

static void what_cannot_be_decoded_is_counted_and_passed_over(void **state)
{
	fixture *f = *state;
	build payload = {0};
	uint32_t added;
	made m = {.id = 0xaa, .name = "good", .start = 1, .end = 2};
	build_text(&payload, 2, "\x0a\x7f"); /* ends early */
	build_span(&payload, 9, &m);         /* of another trace */
	build_span(&payload, 1, &m);
	made zero = {.id = 0, .name = "no id"};
	build_span(&payload, 1, &zero);
	assert_true(opa_store_begin(f->store));
	assert_true(add_payload(f->store, 1, &payload, 6, 0, 1, &added)); /* two are missing whole */
	assert_true(opa_store_commit(f->store));
	free(payload.data);
	assert_int_equal(added, 1);
	assert_answer(f, "SELECT group_concat(name) FROM spans", "good");
	assert_answer(f, "SELECT value FROM counters WHERE name = 'exporter_spans_undecodable'", "5");
}

static void a_damaged_attribute_is_dropped_and_counted(void **state)
{
	fixture *f = *state;
	build span = {0};
	uint8_t id[16];
	memset(id, 1, 16);
	build_bytes(&span, 1, id, 16);
	build_bytes(&span, 2, id, 8);
	build_text_attribute(&span, 9, "a", "b");
	build_text(&span, 9, "\x0a\x7f");
	build_text(&span, 11, "\x0a\x7f");
	store_bytes(f, &span);
	assert_answer(f,
		"SELECT attributes || dropped_attributes || dropped_events || (events IS NULL)"
		" FROM spans",
		"{\"a\":\"b\"}111");
}

/* SQLite has a bound on a row that is lower than what a record may have. */
static void a_span_that_is_too_large_for_sqlite_does_not_block_the_rest(void **state)
{
	fixture *f = *state;
	char name[3000];
	memset(name, 'n', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	made spans[] = {{.id = 0xaa, .name = name}, {.id = 0xbb, .name = "small", .parent = 0xaa}};
	sqlite3_limit(f->store->db, SQLITE_LIMIT_LENGTH, 2000);
	store_made(f->store, 1, spans, 2, 0);
	assert_answer(f, "SELECT group_concat(name) FROM spans", "small");
	assert_answer(f, "SELECT value FROM counters", "1");
}

/* ---- traces ---- */

static void a_trace_shows_its_root(void **state)
{
	fixture *f = *state;
	made spans[] = {
		{.id = 0xbb, .parent = 0xaa, .name = "child", .start = 120, .end = 260, .status = 2},
		{.id = 0xaa, .name = "root", .start = 100, .end = 250, .status = 1}};
	store_made(f->store, 1, spans, 2, OPA_RECORD_COMPLETE);
	assert_answer(f, trace_row, "aa|root|service1|100|260|150|1|2|1|1");
}

static void before_its_root_a_trace_shows_its_earliest_span(void **state)
{
	fixture *f = *state;
	made late = {.id = 0xbb, .parent = 0xaa, .name = "late", .start = 300, .end = 400};
	made early = {
		.id = 0xcc, .parent = 0xaa, .name = "early", .start = 200, .end = 250, .status = 2};
	made root = {.id = 0xaa, .name = "root", .start = 100, .end = 500};
	store_made(f->store, 1, &late, 1, 0);
	assert_answer(f, trace_row, "-|late|service1|300|400|100|0|1|0|0");
	store_made(f->store, 1, &early, 1, 0);
	assert_answer(f, trace_row, "-|early|service1|200|400|200|0|2|1|0");
	store_made(f->store, 1, &root, 1, OPA_RECORD_COMPLETE);
	assert_answer(f, trace_row, "aa|root|service1|100|500|400|0|3|1|1");
}

static void a_remote_parent_that_arrives_takes_the_root_away(void **state)
{
	fixture *f = *state;
	made server = {
		.id = 0xbb, .parent = 0xaa, .flags = REMOTE, .name = "server", .start = 20, .end = 30};
	made client = {.id = 0xaa, .parent = 0x99, .name = "client", .start = 15, .end = 35};
	made front = {
		.id = 0x99, .parent = 0x77, .flags = REMOTE, .name = "front", .start = 10, .end = 40};
	store_made(f->store, 1, &server, 1, 0);
	assert_answer(f, trace_row, "bb|server|service1|20|30|10|0|1|0|0");
	store_made(f->store, 1, &client, 1, 0);
	assert_answer(f, trace_row, "-|client|service1|15|35|20|0|2|0|0");
	store_made(f->store, 1, &front, 1, 0);
	assert_answer(f, trace_row, "99|front|service1|10|40|30|0|3|0|0");
}

/* Every order of these six spans, each a piece of its own, must end in the same rows. */
static void the_order_of_pieces_does_not_matter(void **state)
{
	(void)state;
	static const made spans[] = {
		{.id = 0x11, .parent = 0x77, .flags = REMOTE, .name = "entry", .start = 50, .end = 90},
		{.id = 0x22,
			.parent = 0x11,
			.flags = REMOTE,
			.name = "second",
			.start = 40,
			.end = 95,
			.status = 2},
		{.id = 0x33, .parent = 0x22, .flags = REMOTE, .name = "third", .start = 40, .end = 60},
		{.id = 0x44, .parent = 0x33, .name = "inner", .start = 40, .end = 50},
		{.id = 0x55, .parent = 0x78, .flags = REMOTE, .name = "twin", .start = 50, .end = 70},
	};
	enum { COUNT = sizeof(spans) / sizeof(spans[0]) };
	char first[512] = "";
	for (int order = 0; order < 120; order++) {
		void *inner = NULL;
		int left = order;
		bool used[COUNT] = {false};
		char row[512];
		assert_int_equal(set_up(&inner), 0);
		fixture *f = inner;
		for (int i = COUNT; i > 0; i--) {
			int skip = left % i, pick = -1;
			left /= i;
			do {
				pick++;
				skip -= !used[pick];
			} while (skip >= 0);
			used[pick] = true;
			store_made(f->store, 1, &spans[pick], 1, 0);
		}
		ask(f->path, trace_row, row, sizeof(row));
		if (order == 0) {
			assert_string_equal(row, "11|entry|service1|40|95|40|0|5|1|0");
			strcpy(first, row);
		}
		assert_string_equal(row, first);
		assert_int_equal(tear_down(&inner), 0);
	}
}

static void several_entries_in_one_piece_are_told_apart(void **state)
{
	fixture *f = *state;
	made spans[] = {
		{.id = 0x11, .parent = 0x77, .flags = REMOTE, .name = "entry", .start = 10, .end = 20},
		{.id = 0x22, .parent = 0x11, .flags = REMOTE, .name = "inside", .start = 5, .end = 6}};
	store_made(f->store, 1, spans, 2, 0);
	assert_answer(f, trace_row, "11|entry|service1|5|20|10|0|2|0|0");
}

/* Of two that start at once the lower id decides, not the one that came first. */
static void the_earliest_span_is_the_same_in_both_orders(void **state)
{
	fixture *f = *state;
	made low = {.id = 0x22, .parent = 0x99, .name = "low", .start = 7, .end = 8};
	made high = {.id = 0x33, .parent = 0x99, .name = "high", .start = 7, .end = 9};
	store_made(f->store, 1, &high, 1, 0);
	assert_answer(f, trace_row, "-|high|service1|7|9|2|0|1|0|0");
	store_made(f->store, 1, &low, 1, 0);
	assert_answer(f, trace_row, "-|low|service1|7|9|2|0|2|0|0");
	store_made(f->store, 2, &low, 1, 0);
	store_made(f->store, 2, &high, 1, 0);
	assert_answer(f, "SELECT group_concat(DISTINCT name) FROM traces", "low");
}

static void duplicates_are_ignored_and_not_counted_twice(void **state)
{
	fixture *f = *state;
	made spans[] = {{.id = 0xaa, .name = "root", .start = 1, .end = 9, .status = 2},
		{.id = 0xbb, .parent = 0xaa, .name = "child", .start = 2, .end = 3}};
	made changed = {.id = 0xaa, .name = "changed", .start = 0, .end = 99};
	assert_int_equal(store_made(f->store, 1, spans, 2, 0), 2);
	assert_int_equal(store_made(f->store, 1, spans, 2, 0), 0);
	assert_int_equal(store_made(f->store, 1, &changed, 1, OPA_RECORD_COMPLETE), 0);
	assert_answer(f, trace_row, "aa|root|service1|1|9|8|2|2|1|1");
	assert_answer(f, "SELECT spans FROM resources", "2");
	assert_answer(f, "SELECT count(*) FROM counters", "0");
}

/* ---- batches, positions, counters ---- */

static void rows_and_position_move_together(void **state)
{
	fixture *f = *state;
	build payload = {0};
	uint32_t added;
	uint64_t offset;
	made m = {.id = 0xaa, .name = "x"};
	build_span(&payload, 1, &m);
	assert_true(opa_store_begin(f->store));
	assert_true(add_payload(f->store, 1, &payload, 1, 0, 1, &added));
	assert_true(opa_store_set_position(f->store, "a.1.j", 4711));
	assert_true(opa_store_count(f->store, "c", 3));
	opa_store_rollback(f->store);
	free(payload.data);
	assert_answer(f,
		"SELECT (SELECT count(*) FROM spans) + (SELECT count(*) FROM traces) +"
		" (SELECT count(*) FROM counters) + (SELECT count(*) FROM resources)",
		"0");
	assert_true(opa_store_position(f->store, "a.1.j", &offset));
	assert_int_equal(offset, 0);
	assert_true(opa_store_begin(f->store));
	assert_true(opa_store_set_position(f->store, "a.1.j", 4711));
	assert_true(opa_store_commit(f->store));
	assert_true(opa_store_position(f->store, "a.1.j", &offset));
	assert_int_equal(offset, 4711);
	assert_true(opa_store_begin(f->store));
	assert_true(opa_store_drop_position(f->store, "a.1.j"));
	assert_true(opa_store_commit(f->store));
	assert_true(opa_store_position(f->store, "a.1.j", &offset));
	assert_int_equal(offset, 0);
}

static void counters_add_up(void **state)
{
	fixture *f = *state;
	for (int i = 1; i <= 3; i++) {
		assert_true(opa_store_begin(f->store));
		assert_true(opa_store_count(f->store, "spans_kept", (uint64_t)i));
		assert_true(opa_store_commit(f->store));
	}
	assert_answer(f, "SELECT value FROM counters WHERE name = 'spans_kept'", "6");
}

static bool exists(void *user, const char *journal)
{
	(void)user;
	return strcmp(journal, "here") == 0;
}

static void positions_of_files_that_are_gone_are_dropped_but_not_another_spools(void **state)
{
	fixture *f = *state;
	char problem[512];
	opa_store_options options = {.path = f->dir, .spool = f->dir};
	opa_store *other = opa_store_open(&options, problem, sizeof(problem));
	assert_non_null(other);
	assert_true(opa_store_begin(other));
	assert_true(opa_store_set_position(other, "elsewhere", 1));
	assert_true(opa_store_commit(other));
	assert_true(opa_store_begin(f->store));
	assert_true(opa_store_set_position(f->store, "here", 1));
	assert_true(opa_store_set_position(f->store, "gone", 1));
	assert_true(opa_store_commit(f->store));
	assert_true(opa_store_clean_positions(f->store, exists, NULL));
	assert_answer(f, "SELECT group_concat(journal) FROM (SELECT journal FROM positions ORDER BY 1)",
		"elsewhere,here");
	opa_store_close(other);
}

static void each_failing_allocation_leaves_nothing_half_done(void **state)
{
	fixture *f = *state;
	char big[2000];
	memset(big, 'x', sizeof(big) - 1);
	memcpy(big + 500, "\xff\xff", 2);
	big[sizeof(big) - 1] = '\0';
	made m = {.id = 0xaa, .name = big, .status = 2};
	build payload = {0};
	build_span(&payload, 1, &m);
	for (int n = 0;; n++) {
		uint32_t added;
		opa_store_close(f->store);
		f->store = open_store(f->dir, 0, 0);
		assert_true(opa_store_begin(f->store));
		opa_alloc_fail_after(n, false);
		bool ok = add_payload(f->store, 1, &payload, 1, 0, 1, &added);
		opa_alloc_fail_after(-1, false);
		if (ok) {
			assert_true(n > 2);
			break;
		}
		assert_string_equal(opa_store_problem(f->store), "out of memory");
		assert_answer(f, "SELECT count(*) FROM spans", "0");
		assert_true(opa_store_begin(f->store)); /* rolled back already */
		opa_store_rollback(f->store);
	}
	assert_true(opa_store_commit(f->store));
	assert_answer(f, "SELECT count(*) FROM spans", "1");
	free(payload.data);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(a_span_becomes_a_row),
		TEST(what_a_span_does_not_have_is_null),
		TEST(times_are_clamped),
		TEST(invalid_utf8_never_gets_into_the_store),
		TEST(what_cannot_be_decoded_is_counted_and_passed_over),
		TEST(a_damaged_attribute_is_dropped_and_counted),
		TEST(a_span_that_is_too_large_for_sqlite_does_not_block_the_rest),
		TEST(a_trace_shows_its_root),
		TEST(before_its_root_a_trace_shows_its_earliest_span),
		TEST(a_remote_parent_that_arrives_takes_the_root_away),
		cmocka_unit_test(the_order_of_pieces_does_not_matter),
		TEST(several_entries_in_one_piece_are_told_apart),
		TEST(the_earliest_span_is_the_same_in_both_orders),
		TEST(duplicates_are_ignored_and_not_counted_twice),
		TEST(rows_and_position_move_together),
		TEST(counters_add_up),
		TEST(positions_of_files_that_are_gone_are_dropped_but_not_another_spools),
		TEST(each_failing_allocation_leaves_nothing_half_done),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
