/* How far a collector's journals have been read: kept from one exporter to the next. */
#include "spool_fixture.h"

#include "export/opa_positions.h"

/* Journals that are there: all but those whose name begins with 'f'. */
static bool is_there(void *user, const char *journal)
{
	(void)user;
	return journal[0] != 'f';
}

static opa_positions *reopen(fixture *f, opa_positions *positions)
{
	opa_positions_close(positions);
	positions = opa_positions_open(&f->spool, 0x1234, is_there, NULL);
	assert_non_null(positions);
	return positions;
}

static void what_is_saved_is_there_the_next_time(void **state)
{
	fixture *f = *state;
	opa_positions *positions = reopen(f, NULL);
	assert_true(opa_positions_get(positions, "a.1.j") == 0);
	assert_true(opa_positions_set(positions, "b.1.j", 2));
	assert_true(opa_positions_set(positions, "a.1.j", 1));
	assert_true(opa_positions_set(positions, "c.12.j", UINT64_MAX));
	assert_true(opa_positions_set(positions, "b.1.j", 300));
	opa_positions_count(positions, OPA_COUNT_SENT, 5);
	opa_positions_count(positions, OPA_COUNT_SENT, 6);
	opa_positions_count(positions, "nothing known", 6);
	assert_true(opa_positions_save(positions));
	positions = reopen(f, positions);
	assert_true(opa_positions_get(positions, "a.1.j") == 1);
	assert_true(opa_positions_get(positions, "b.1.j") == 300);
	assert_true(opa_positions_get(positions, "c.12.j") == UINT64_MAX);
	assert_true(opa_positions_get(positions, "d.1.j") == 0);
	assert_true(opa_positions_counter(positions, OPA_COUNT_SENT) == 11);
	assert_true(opa_positions_counter(positions, OPA_COUNT_REJECTED) == 0);
	opa_positions_drop(positions, "b.1.j");
	opa_positions_drop(positions, "b.1.j");
	assert_true(opa_positions_save(positions));
	positions = reopen(f, positions);
	assert_true(opa_positions_get(positions, "a.1.j") == 1);
	assert_true(opa_positions_get(positions, "b.1.j") == 0);
	opa_positions_close(positions);
	opa_positions_close(NULL);
}

static void the_file_is_lines_that_only_the_user_reads(void **state)
{
	fixture *f = *state;
	char text[256];
	struct stat st;
	opa_positions *positions = reopen(f, NULL);
	assert_true(opa_positions_save(positions)); /* nothing to say makes no file */
	assert_int_equal(fstatat(f->spool.dir, "dest/0000000000001234.sent", &st, 0), -1);
	assert_true(opa_positions_set(positions, "b.1.j", 20));
	assert_true(opa_positions_set(positions, "a.1.j", 10));
	opa_positions_count(positions, OPA_COUNT_REJECTED, 3);
	assert_true(opa_positions_save(positions));
	assert_true(
		opa_spool_read_file(&f->spool, "dest/0000000000001234.sent", text, sizeof(text)) > 0);
	assert_string_equal(text, "collector_spans_rejected=3\na.1.j=10\nb.1.j=20\n");
	assert_int_equal(fstatat(f->spool.dir, "dest/0000000000001234.sent", &st, 0), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	opa_positions_close(positions);
}

static void journals_that_are_gone_are_forgotten(void **state)
{
	fixture *f = *state;
	opa_positions *positions = reopen(f, NULL);
	assert_true(opa_positions_set(positions, "f.1.j", 2));
	assert_true(opa_positions_set(positions, "a.1.j", 1));
	assert_true(opa_positions_save(positions));
	positions = reopen(f, positions);
	assert_true(opa_positions_get(positions, "f.1.j") == 0);
	assert_true(opa_positions_get(positions, "a.1.j") == 1);
	opa_positions_close(positions);
}

static void what_cannot_be_read_in_it_is_passed_over(void **state)
{
	fixture *f = *state;
	char text[4096];
	int n = snprintf(text, sizeof(text),
		"no line\n=1\na.1.j=\nb.1.j=x\nc.1.j=12x\nd.1.j=99999999999999999999\n%0200d=1\ne.1.j=5\n"
		"collector_spans_sent=7\n\n",
		0);
	assert_true(opa_spool_replace_file(&f->spool, "dest/0000000000001234.sent", text, (size_t)n));
	opa_positions *positions = reopen(f, NULL);
	assert_true(opa_positions_get(positions, "e.1.j") == 5);
	assert_true(opa_positions_get(positions, "c.1.j") == 0);
	assert_true(opa_positions_get(positions, "d.1.j") == 0);
	assert_true(opa_positions_counter(positions, OPA_COUNT_SENT) == 7);
	opa_positions_close(positions);
}

static void thousands_are_kept_apart(void **state)
{
	fixture *f = *state;
	enum { COUNT = 3000 };
	char name[64];
	opa_positions *positions = reopen(f, NULL);
	for (unsigned i = 0; i < COUNT; i++) {
		snprintf(name, sizeof(name), "%08x.1.j", i * 2654435761u & 0x7fffffffu);
		assert_true(opa_positions_set(positions, name, i + 1));
	}
	assert_true(opa_positions_save(positions));
	positions = reopen(f, positions);
	for (unsigned i = 0; i < COUNT; i += 2) {
		snprintf(name, sizeof(name), "%08x.1.j", i * 2654435761u & 0x7fffffffu);
		opa_positions_drop(positions, name);
	}
	for (unsigned i = 0; i < COUNT; i++) {
		snprintf(name, sizeof(name), "%08x.1.j", i * 2654435761u & 0x7fffffffu);
		assert_true(opa_positions_get(positions, name) == (i % 2 == 0 ? 0 : i + 1));
	}
	opa_positions_close(positions);
}

static void memory_that_is_short_changes_nothing(void **state)
{
	fixture *f = *state;
	opa_positions *positions = reopen(f, NULL);
	for (unsigned i = 0; i < 70; i++) {
		char name[64];
		snprintf(name, sizeof(name), "a.%u.j", i);
		opa_alloc_fail_after(0, false);
		bool ok = opa_positions_set(positions, name, i + 1);
		opa_alloc_fail_after(-1, false);
		assert_true(opa_positions_get(positions, name) == (ok ? i + 1 : 0));
		assert_true(ok || opa_positions_set(positions, name, i + 1));
	}
	opa_alloc_fail_after(0, false);
	assert_false(opa_positions_save(positions));
	assert_int_equal(errno, ENOMEM);
	opa_alloc_fail_after(-1, false);
	assert_true(opa_positions_save(positions));
	opa_positions_close(positions);
	positions = NULL;
	for (long n = 0; positions == NULL; n++) {
		opa_alloc_fail_after(n, false);
		positions = opa_positions_open(&f->spool, 0x1234, is_there, NULL);
		opa_alloc_fail_after(-1, false);
	}
	assert_true(opa_positions_get(positions, "a.69.j") == 70);
	opa_positions_close(positions);
}

/* The disk is full, say: it is tried again with the next batch. */
static void what_cannot_be_written_is_written_later(void **state)
{
	fixture *f = *state;
	char path[300];
	snprintf(path, sizeof(path), "%s/tmp", f->dir);
	opa_positions *positions = reopen(f, NULL);
	assert_true(opa_positions_set(positions, "a.1.j", 1));
	assert_int_equal(rmdir(path), 0);
	assert_false(opa_positions_save(positions));
	assert_int_equal(errno, ENOENT);
	assert_int_equal(mkdir(path, 0700), 0);
	assert_true(opa_positions_save(positions));
	positions = reopen(f, positions);
	assert_true(opa_positions_get(positions, "a.1.j") == 1);
	opa_positions_close(positions);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(what_is_saved_is_there_the_next_time),
		TEST(the_file_is_lines_that_only_the_user_reads),
		TEST(journals_that_are_gone_are_forgotten),
		TEST(what_cannot_be_read_in_it_is_passed_over),
		TEST(thousands_are_kept_apart),
		TEST(memory_that_is_short_changes_nothing),
		TEST(what_cannot_be_written_is_written_later),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
