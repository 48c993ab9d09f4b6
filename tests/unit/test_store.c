/*
 * The local store: what a record becomes in the database, in whatever order and however often it
 * comes, and what the store does when it cannot.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "core/opa_alloc.h"
#include "core/opa_clock.h"
#include "export/opa_store.h"
#include "export/opa_store_internal.h"
#include "otlp_build.h"

#include <fcntl.h>
#include <grp.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define REMOTE 0x300u

typedef struct fixture {
	char dir[64];
	char path[128]; /* of the database */
	opa_store *store;
} fixture;

/* A span of a test: ids are one byte, repeated; parent 0 is none. */
typedef struct made {
	uint8_t id;
	uint8_t parent;
	uint32_t flags;
	const char *name;
	uint64_t start;
	uint64_t end;
	unsigned status;
} made;

static opa_store *open_store(const char *path, uint64_t max_size, uint64_t max_age)
{
	char problem[512];
	opa_store_options options = {
		.path = path, .spool = "/tmp", .max_size = max_size, .max_age = max_age};
	opa_store *store = opa_store_open(&options, problem, sizeof(problem));
	if (store == NULL) {
		fail_msg("%s", problem);
	}
	return store;
}

static int set_up(void **state)
{
	fixture *f = calloc(1, sizeof(*f));
	strcpy(f->dir, "/tmp/opa_store.XXXXXX");
	if (mkdtemp(f->dir) == NULL) {
		return -1;
	}
	snprintf(f->path, sizeof(f->path), "%s/traces.db", f->dir);
	f->store = open_store(f->dir, 0, 0);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	fixture *f = *state;
	char command[128];
	opa_store_close(f->store);
	snprintf(command, sizeof(command), "rm -rf '%s'", f->dir);
	free(f);
	return system(command);
}

/* ---- records ---- */

static void build_span(build *scope, uint8_t trace, const made *m)
{
	build span = {0}, status = {0};
	uint8_t bytes[16];
	memset(bytes, trace, 16);
	build_bytes(&span, 1, bytes, 16);
	memset(bytes, m->id, 8);
	build_bytes(&span, 2, bytes, 8);
	if (m->parent != 0) {
		memset(bytes, m->parent, 8);
		build_bytes(&span, 4, bytes, 8);
	}
	build_text(&span, 5, m->name);
	build_uint(&span, 6, 2);
	build_fixed64(&span, 7, m->start);
	build_fixed64(&span, 8, m->end);
	build_text_attribute(&span, 9, "k", "v");
	if (m->status != 0) {
		build_uint(&status, 3, m->status);
		build_message(&span, 15, &status);
	}
	build_fixed32(&span, 16, m->flags);
	build_message(scope, 2, &span);
}

static bool add_payload(opa_store *store, uint8_t trace, const build *payload, uint32_t spans,
	uint16_t flags, uint64_t resource, uint32_t *added)
{
	build fields = {0};
	char service[32];
	snprintf(service, sizeof(service), "service%d", (int)resource);
	build_text_attribute(&fields, 1, "service.name", service);
	build_int_attribute(&fields, 1, "process.pid", 12);
	opa_record_view record = {.payload = payload->data};
	record.header.length = (uint32_t)payload->len;
	record.header.spans = spans;
	record.header.flags = flags;
	record.header.resource = resource;
	memset(record.header.trace_id, trace, 16);
	bool ok = opa_store_add(store, &record, build_str(&fields), added);
	free(fields.data);
	return ok;
}

/* One record in a batch of its own. Answers how many spans were new. */
static uint32_t store_made(
	opa_store *store, uint8_t trace, const made *spans, size_t count, uint16_t flags)
{
	build payload = {0};
	uint32_t added;
	for (size_t i = 0; i < count; i++) {
		build_span(&payload, trace, &spans[i]);
	}
	assert_true(opa_store_begin(store));
	assert_true(add_payload(store, trace, &payload, (uint32_t)count, flags, 1, &added));
	assert_true(opa_store_commit(store));
	free(payload.data);
	return added;
}

static void store_bytes(fixture *f, build *span)
{
	build payload = {0};
	uint32_t added;
	build_message(&payload, 2, span);
	assert_true(opa_store_begin(f->store));
	assert_true(add_payload(f->store, 1, &payload, 1, 0, 1, &added));
	assert_true(opa_store_commit(f->store));
	free(payload.data);
}

/* ---- questions ---- */

/* The first column of the first row, by a reader of its own, "(null)" for NULL, "(none)" for no row. */
static void ask(const char *path, const char *sql, char *answer, size_t size)
{
	sqlite3 *db;
	sqlite3_stmt *statement;
	assert_int_equal(sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
	if (sqlite3_prepare_v2(db, sql, -1, &statement, NULL) != SQLITE_OK) {
		fail_msg("%s: %s", sql, sqlite3_errmsg(db));
	}
	int result = sqlite3_step(statement);
	const char *text = result == SQLITE_ROW ? (const char *)sqlite3_column_text(statement, 0) : "(none)";
	assert_true(result == SQLITE_ROW || result == SQLITE_DONE);
	snprintf(answer, size, "%s", text != NULL ? text : "(null)");
	sqlite3_finalize(statement);
	sqlite3_close(db);
}

static void assert_answer(const fixture *f, const char *sql, const char *expected)
{
	char answer[4096];
	ask(f->path, sql, answer, sizeof(answer));
	if (strcmp(answer, expected) != 0) {
		fail_msg("%s: got %s, wanted %s", sql, answer, expected);
	}
}

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
	assert_answer(f, "SELECT trace_id || ' ' || span_id || ' ' || parent_id || ' ' || remote FROM spans",
		"01010101010101010101010101010101 abababababababab cdcdcdcdcdcdcdcd 1");
	assert_answer(f, "SELECT name || ' ' || kind || ' ' || start_ns || ' ' || duration_ns || ' ' ||"
		" status || ' ' || status_message || ' ' || flags || ' ' || trace_state FROM spans",
		"GET / 3 1000 700 2 broken 769 a=b");
	assert_answer(f, "SELECT attributes FROM spans", "{\"http.method\":\"GET\",\"ratio\":2.0}");
	assert_answer(f, "SELECT events FROM spans",
		"[{\"name\":\"hit\",\"time_ns\":1200,\"attributes\":{\"n\":7},\"dropped\":2}]");
	assert_answer(f, "SELECT links FROM spans",
		"[{\"trace_id\":\"eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee\",\"span_id\":\"eeeeeeeeeeeeeeee\","
		"\"trace_state\":\"x=y\",\"flags\":1,\"attributes\":{\"yes\":true},\"dropped\":0}]");
	assert_answer(f, "SELECT dropped_attributes || ' ' || dropped_events || ' ' || dropped_links"
		" FROM spans", "4 5 6");
	assert_answer(f, "SELECT service || ' ' || attributes || ' ' || spans FROM resources",
		"service1 {\"service.name\":\"service1\",\"process.pid\":12} 1");
}

static void what_a_span_does_not_have_is_null(void **state)
{
	fixture *f = *state;
	made m = {.id = 0xaa, .name = ""};
	store_made(f->store, 1, &m, 1, 0);
	assert_answer(f, "SELECT count(*) FROM spans WHERE parent_id IS NULL AND status_message IS NULL"
		" AND trace_state IS NULL AND events IS NULL AND links IS NULL AND name = ''", "1");
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
	build_text(&payload, 2, "\x0a\x7f");                     /* ends early */
	build_span(&payload, 9, &m);                              /* of another trace */
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
	assert_answer(f, "SELECT attributes || dropped_attributes || dropped_events || (events IS NULL)"
		" FROM spans", "{\"a\":\"b\"}111");
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
	made early = {.id = 0xcc, .parent = 0xaa, .name = "early", .start = 200, .end = 250, .status = 2};
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
	made server = {.id = 0xbb, .parent = 0xaa, .flags = REMOTE, .name = "server", .start = 20, .end = 30};
	made client = {.id = 0xaa, .parent = 0x99, .name = "client", .start = 15, .end = 35};
	made front = {.id = 0x99, .parent = 0x77, .flags = REMOTE, .name = "front", .start = 10, .end = 40};
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
		{.id = 0x22, .parent = 0x11, .flags = REMOTE, .name = "second", .start = 40, .end = 95, .status = 2},
		{.id = 0x33, .parent = 0x22, .flags = REMOTE, .name = "third", .start = 40, .end = 60},
		{.id = 0x44, .parent = 0x33, .name = "inner", .start = 40, .end = 50},
		{.id = 0x55, .parent = 0x78, .flags = REMOTE, .name = "twin", .start = 50, .end = 70},
	};
	enum { COUNT = sizeof(spans) / sizeof(spans[0]) };
	char first[512] = "";
	for (int order = 0; order < 120; order++) {
		void *inner;
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
		{.id = 0x22, .parent = 0x11, .flags = REMOTE, .name = "inside", .start = 5, .end = 6},
		{.id = 0x11, .parent = 0x77, .flags = REMOTE, .name = "entry", .start = 10, .end = 20}};
	store_made(f->store, 1, spans, 2, 0);
	assert_answer(f, trace_row, "11|entry|service1|5|20|10|0|2|0|0");
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
	assert_answer(f, "SELECT (SELECT count(*) FROM spans) + (SELECT count(*) FROM traces) +"
		" (SELECT count(*) FROM counters) + (SELECT count(*) FROM resources)", "0");
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

/* ---- the file ---- */

static void the_schema_is_the_documented_one(void **state)
{
	fixture *f = *state;
	assert_answer(f, "PRAGMA user_version", "1");
	assert_answer(f, "PRAGMA journal_mode", "wal");
	assert_answer(f, "PRAGMA auto_vacuum", "2");
	assert_answer(f, "SELECT group_concat(name) FROM pragma_table_info('traces')",
		"seq,trace_id,root_span_id,name,service,start_ns,end_ns,duration_ns,status,spans,errors,"
		"complete,stored_ns");
	assert_answer(f, "SELECT group_concat(name) FROM pragma_table_info('spans')",
		"trace_id,span_id,parent_id,remote,name,kind,start_ns,duration_ns,status,status_message,"
		"flags,trace_state,attributes,events,links,dropped_attributes,dropped_events,dropped_links,"
		"resource");
	assert_answer(f, "SELECT group_concat(name) FROM (SELECT name FROM sqlite_master WHERE type ="
		" 'index' AND sql NOT NULL ORDER BY 1)",
		"resources_unused,spans_start,traces_start,traces_stored");
}

static void assert_refused(const char *path, const char *why)
{
	char problem[512];
	opa_store_options options = {.path = path, .spool = "/tmp"};
	assert_null(opa_store_open(&options, problem, sizeof(problem)));
	if (strstr(problem, why) == NULL) {
		fail_msg("got \"%s\", wanted \"%s\"", problem, why);
	}
}

static void change(const char *path, const char *sql)
{
	sqlite3 *db;
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
}

static void a_newer_version_is_refused_and_left_alone(void **state)
{
	fixture *f = *state;
	change(f->path, "PRAGMA user_version = 2");
	assert_refused(f->dir, "newer opa");
	assert_answer(f, "PRAGMA user_version", "2");
}

static void what_is_no_store_is_refused(void **state)
{
	fixture *f = *state;
	char path[128];
	snprintf(path, sizeof(path), "%s/other.db", f->dir);
	change(path, "CREATE TABLE customers (id)");
	assert_refused(path, "something else");
	snprintf(path, sizeof(path), "%s/text.db", f->dir);
	FILE *file = fopen(path, "w");
	for (int i = 0; i < 1000; i++) {
		fputs("this is a text\n", file);
	}
	fclose(file);
	assert_refused(path, "not a database");
	snprintf(path, sizeof(path), "%s/link.db", f->dir);
	assert_int_equal(symlink(f->path, path), 0);
	assert_refused(path, "not a file of this user");
	assert_refused("relative/path", "not an absolute path");
	snprintf(path, sizeof(path), "%s/text.db/below", f->dir);
	assert_refused(path, "Not a directory");
}

static void a_directory_that_everybody_may_write_to_is_refused(void **state)
{
	fixture *f = *state;
	char path[128];
	snprintf(path, sizeof(path), "%s/open", f->dir);
	assert_int_equal(mkdir(path, 0700), 0);
	assert_int_equal(chmod(path, 01777), 0);
	assert_refused(path, "everybody");
}

static mode_t mode_of(const char *dir, const char *name)
{
	char path[160];
	struct stat st;
	snprintf(path, sizeof(path), "%s%s", dir, name);
	assert_int_equal(stat(path, &st), 0);
	return st.st_mode & 07777;
}

static void only_the_user_can_look_unless_there_is_a_group(void **state)
{
	fixture *f = *state;
	char path[128], problem[512];
	made m = {.id = 0xaa, .name = "x"};
	snprintf(path, sizeof(path), "%s/deep/store", f->dir);
	opa_store_options options = {.path = path, .spool = "/tmp"};
	umask(077);
	opa_store *store = opa_store_open(&options, problem, sizeof(problem));
	assert_non_null(store);
	store_made(store, 1, &m, 1, 0);
	assert_int_equal(mode_of(path, ""), 0700);
	assert_int_equal(mode_of(path, "/traces.db"), 0600);
	assert_int_equal(mode_of(path, "/traces.db-wal"), 0600);
	opa_store_close(store);
	const struct group *group = getgrgid(getgid());
	if (geteuid() == 0) {
		group = getgrnam("users");
	}
	if (group == NULL) {
		print_message("SKIPPED: no group to give the store to\n");
		return;
	}
	options.group = group->gr_name;
	store = opa_store_open(&options, problem, sizeof(problem));
	assert_non_null(store);
	assert_string_equal(opa_store_problem(store), "");
	store_made(store, 2, &m, 1, 0);
	assert_int_equal(mode_of(path, "") & 02070, 02050);
	assert_int_equal(mode_of(path, "/traces.db"), 0640);
	assert_int_equal(mode_of(path, "/traces.db-wal"), 0640);
	assert_int_equal(mode_of(path, "/traces.db-shm"), 0640);
	opa_store_close(store);
	/* The files stay for readers that may not make them. */
	assert_int_equal(mode_of(path, "/traces.db-shm"), 0640);
	options.group = "no-such-group";
	store = opa_store_open(&options, problem, sizeof(problem));
	assert_non_null(store);
	assert_non_null(strstr(opa_store_problem(store), "no such group"));
	opa_store_close(store);
}

/* As a user who may read and not write, while nobody has the store open. */
static void a_member_of_the_group_can_read(void **state)
{
	fixture *f = *state;
	char problem[512], path[128], uri[200];
	made m = {.id = 0xaa, .name = "seen"};
	const struct group *group = getgrnam("users");
	if (geteuid() != 0 || group == NULL) {
		print_message("SKIPPED: not root, or no group \"users\"\n");
		skip();
	}
	snprintf(path, sizeof(path), "%s/group", f->dir);
	opa_store_options options = {.path = path, .spool = "/tmp", .group = group->gr_name};
	opa_store *store = opa_store_open(&options, problem, sizeof(problem));
	assert_non_null(store);
	store_made(store, 1, &m, 1, 0);
	opa_store_close(store);
	assert_int_equal(chmod(f->dir, 0711), 0);
	gid_t gid = group->gr_gid;
	snprintf(uri, sizeof(uri), "file:%s/traces.db?mode=ro&immutable=0", path);
	pid_t pid = fork();
	if (pid == 0) {
		sqlite3 *db;
		sqlite3_stmt *statement = NULL;
		bool ok = setgroups(1, &gid) == 0 && setgid(65534) == 0 && setuid(65534) == 0 &&
				  sqlite3_open_v2(uri, &db, SQLITE_OPEN_READONLY | SQLITE_OPEN_URI, NULL) == SQLITE_OK &&
				  sqlite3_prepare_v2(db, "SELECT name FROM spans", -1, &statement, NULL) == SQLITE_OK &&
				  sqlite3_step(statement) == SQLITE_ROW;
		_exit(ok ? 0 : 1);
	}
	int status;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static void must_exist_makes_nothing(void **state)
{
	fixture *f = *state;
	char path[128], problem[512] = "x";
	snprintf(path, sizeof(path), "%s/none.db", f->dir);
	opa_store_options options = {.path = path, .spool = "/tmp", .must_exist = true};
	assert_null(opa_store_open(&options, problem, sizeof(problem)));
	assert_string_equal(problem, "");
	assert_int_not_equal(access(path, F_OK), 0);
}

static void the_search_prefers_the_state_directory_to_the_home_and_to_the_spool(void **state)
{
	fixture *f = *state;
	char one[128], two[128], expected[200], problem[512];
	if (access("/var/lib/opa", F_OK) == 0) {
		skip();
	}
	snprintf(one, sizeof(one), "%s/state", f->dir);
	snprintf(two, sizeof(two), "%s/home", f->dir);
	opa_store_options options = {.state_dir = one, .home = two, .spool = f->dir};
	opa_store *store = opa_store_open(&options, problem, sizeof(problem));
	assert_non_null(store);
	snprintf(expected, sizeof(expected), "%s/opa/traces.db", one);
	assert_string_equal(opa_store_path(store), expected);
	opa_store_close(store);
	/* A home that does not exist is not made. */
	options.state_dir = NULL;
	store = opa_store_open(&options, problem, sizeof(problem));
	snprintf(expected, sizeof(expected), "%s/store/traces.db", f->dir);
	assert_string_equal(opa_store_path(store), expected);
	opa_store_close(store);
	assert_int_equal(mkdir(two, 0700), 0);
	store = opa_store_open(&options, problem, sizeof(problem));
	snprintf(expected, sizeof(expected), "%s/.local/state/opa/traces.db", two);
	assert_string_equal(opa_store_path(store), expected);
	opa_store_close(store);
}

/* ---- readers ---- */

static void it_can_be_read_while_it_is_written(void **state)
{
	fixture *f = *state;
	made m = {.id = 0xaa, .name = "x"};
	build payload = {0};
	uint32_t added;
	store_made(f->store, 1, &m, 1, 0);
	build_span(&payload, 2, &m);
	assert_true(opa_store_begin(f->store));
	assert_true(add_payload(f->store, 2, &payload, 1, 0, 1, &added));
	assert_answer(f, "SELECT count(*) FROM traces", "1");
	assert_true(opa_store_commit(f->store));
	assert_answer(f, "SELECT count(*) FROM traces", "2");
	free(payload.data);
}

/* Adds spans with much text until begin refuses, or so many times. */
static bool fill_until_refused(fixture *f, int times)
{
	char *text = malloc(100001);
	memset(text, 'x', 100000);
	text[100000] = '\0';
	bool refused = false;
	for (int i = 0; i < times && !refused; i++) {
		build payload = {0};
		uint32_t added;
		uint8_t id = (uint8_t)(1 + i % 255), trace = (uint8_t)(1 + i / 255);
		made m = {.id = id, .name = text};
		build_span(&payload, trace, &m);
		refused = !opa_store_begin(f->store);
		if (!refused) {
			assert_true(add_payload(f->store, trace, &payload, 1, 0, 1, &added));
			assert_true(opa_store_commit(f->store));
		}
		free(payload.data);
	}
	free(text);
	return refused;
}

static void a_reader_that_does_not_end_is_noticed_before_the_disk_is_full(void **state)
{
	fixture *f = *state;
	sqlite3 *db;
	struct stat st;
	char path[160];
	f->store->log_bound = 4 * 1024 * 1024;
	sqlite3_busy_timeout(f->store->db, 20);
	assert_int_equal(sqlite3_open(f->path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, "BEGIN; SELECT count(*) FROM spans", NULL, NULL, NULL), SQLITE_OK);
	assert_true(fill_until_refused(f, 200));
	assert_non_null(strstr(opa_store_problem(f->store), "keeps reading"));
	snprintf(path, sizeof(path), "%s-wal", f->path);
	assert_int_equal(stat(path, &st), 0);
	assert_true(st.st_size < 5 * 1024 * 1024);
	sqlite3_close(db);
	assert_true(opa_store_begin(f->store));
	opa_store_rollback(f->store);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_size, 0);
}

/* ---- pruning ---- */

static void prune_all(opa_store *store)
{
	bool more = true;
	for (int i = 0; more && i < 1000; i++) {
		assert_true(opa_store_prune(store, &more));
	}
	assert_false(more);
}

static void old_traces_are_pruned_whole_with_their_resources(void **state)
{
	fixture *f = *state;
	made spans[] = {{.id = 0xaa, .name = "x"}, {.id = 0xbb, .parent = 0xaa, .name = "y"}};
	build payload = {0};
	uint32_t added;
	store_made(f->store, 1, spans, 2, 0);
	build_span(&payload, 2, &spans[0]);
	assert_true(opa_store_begin(f->store));
	assert_true(add_payload(f->store, 2, &payload, 1, 0, 77, &added));
	assert_true(opa_store_commit(f->store));
	free(payload.data);
	opa_store_close(f->store);
	change(f->path, "UPDATE traces SET stored_ns = stored_ns - 3600000000000 WHERE seq = 1");
	f->store = open_store(f->dir, 0, 1800);
	prune_all(f->store);
	assert_answer(f, "SELECT group_concat(trace_id) FROM traces", "02020202020202020202020202020202");
	assert_answer(f, "SELECT count(*) FROM spans", "1");
	assert_answer(f, "SELECT group_concat(id) FROM resources", "77");
	assert_answer(f, "SELECT value FROM counters WHERE name = 'store_traces_pruned'", "1");
}

static void the_oldest_go_until_the_file_is_small_enough(void **state)
{
	fixture *f = *state;
	struct stat st;
	assert_false(fill_until_refused(f, 100)); /* 10 MB: trace 1 has all of it */
	char text[4000];
	memset(text, 'x', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	for (int i = 0; i < 200; i++) {
		made m = {.id = 0xaa, .name = text};
		store_made(f->store, (uint8_t)(2 + i), &m, 1, 0);
	}
	opa_store_close(f->store);
	f->store = open_store(f->dir, 500 * 1024, 0);
	prune_all(f->store);
	assert_answer(f, "SELECT max(seq) FROM traces", "201");
	assert_answer(f, "SELECT count(*) BETWEEN 20 AND 130 FROM traces", "1");
	assert_answer(f, "SELECT count(DISTINCT trace_id) = (SELECT count(*) FROM traces) FROM spans", "1");
	assert_int_equal(sqlite3_wal_checkpoint_v2(f->store->db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL,
		NULL), SQLITE_OK);
	assert_int_equal(stat(f->path, &st), 0);
	assert_true(st.st_size <= 500 * 1024);
}

static void a_trace_larger_than_a_step_is_pruned_too(void **state)
{
	fixture *f = *state;
	build payload = {0};
	uint32_t added;
	enum { SPANS = 3500 };
	for (int i = 0; i < SPANS; i++) {
		build span = {0};
		uint8_t trace[16];
		uint64_t id = (uint64_t)i + 1;
		memset(trace, 1, 16);
		build_bytes(&span, 1, trace, 16);
		build_bytes(&span, 2, &id, 8);
		build_message(&payload, 2, &span);
	}
	assert_true(opa_store_begin(f->store));
	assert_true(add_payload(f->store, 1, &payload, SPANS, 0, 1, &added));
	assert_true(opa_store_commit(f->store));
	assert_int_equal(added, SPANS);
	free(payload.data);
	opa_store_close(f->store);
	change(f->path, "UPDATE traces SET stored_ns = 1");
	f->store = open_store(f->dir, 0, 60);
	prune_all(f->store);
	assert_answer(f, "SELECT (SELECT count(*) FROM spans) + (SELECT count(*) FROM traces) +"
		" (SELECT count(*) FROM resources)", "0");
	assert_answer(f, "SELECT value FROM counters", "1");
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
		TEST(duplicates_are_ignored_and_not_counted_twice),
		TEST(rows_and_position_move_together),
		TEST(counters_add_up),
		TEST(positions_of_files_that_are_gone_are_dropped_but_not_another_spools),
		TEST(each_failing_allocation_leaves_nothing_half_done),
		TEST(the_schema_is_the_documented_one),
		TEST(a_newer_version_is_refused_and_left_alone),
		TEST(what_is_no_store_is_refused),
		TEST(a_directory_that_everybody_may_write_to_is_refused),
		TEST(only_the_user_can_look_unless_there_is_a_group),
		TEST(a_member_of_the_group_can_read),
		TEST(must_exist_makes_nothing),
		TEST(the_search_prefers_the_state_directory_to_the_home_and_to_the_spool),
		TEST(it_can_be_read_while_it_is_written),
		TEST(a_reader_that_does_not_end_is_noticed_before_the_disk_is_full),
		TEST(old_traces_are_pruned_whole_with_their_resources),
		TEST(the_oldest_go_until_the_file_is_small_enough),
		TEST(a_trace_larger_than_a_step_is_pruned_too),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
