/*
 * A directory that holds other things is not made a spool, and of what is in a spool only that goes
 * which opa has made.
 */
#include "spool_fixture.h"

#include <dirent.h>
#include <sys/time.h>

typedef struct place {
	char base[256];
	char dir[300]; /* the user's, in base */
	char own[340]; /* where his spool would be instead */
	opa_spool spool;
} place;

static int make_place(void **state)
{
	place *p = calloc(1, sizeof(*p));
	make_directory(p->base, sizeof(p->base));
	snprintf(p->dir, sizeof(p->dir), "%s/mine", p->base);
	snprintf(p->own, sizeof(p->own), "%s/%u", p->dir, (unsigned)geteuid());
	assert_int_equal(mkdir(p->dir, 0700), 0);
	p->spool.dir = -1;
	*state = p;
	return 0;
}

static int drop_place(void **state)
{
	place *p = *state;
	opa_spool_close(&p->spool);
	remove_tree(p->base);
	free(p);
	return 0;
}

static const char *within(const char *dir, const char *name)
{
	static char path[600];
	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return path;
}

static void put_file(const char *dir, const char *name)
{
	int fd = open(within(dir, name), O_CREAT | O_EXCL | O_WRONLY, 0600);
	assert_true(fd >= 0);
	close(fd);
}

static void put_folder(const char *dir, const char *name)
{
	assert_int_equal(mkdir(within(dir, name), 0700), 0);
}

static unsigned entries_of(const char *dir)
{
	unsigned count = 0;
	DIR *listing = opendir(dir);
	assert_non_null(listing);
	while (readdir(listing) != NULL) {
		count++;
	}
	closedir(listing);
	return count - 2;
}

static bool is_there(const char *dir, const char *name)
{
	struct stat st;
	return lstat(within(dir, name), &st) == 0;
}

static void test_an_empty_directory_becomes_a_spool(void **state)
{
	place *p = *state;
	assert_int_equal(open_spool_at(&p->spool, p->dir), OPA_SPOOL_OK);
	assert_string_equal(p->spool.path, p->dir);
}

static void test_among_other_things_the_spool_has_a_directory_of_its_own(void **state)
{
	place *p = *state;
	put_file(p->dir, "thesis.odt");
	put_file(p->dir, "state");
	put_folder(p->dir, "tmp");
	assert_int_equal(open_spool_at(&p->spool, p->dir), OPA_SPOOL_OK);
	assert_string_equal(p->spool.path, p->own);
	assert_int_equal(entries_of(p->dir), 4);
	assert_int_equal(entries_of(within(p->dir, "tmp")), 0);
}

static void test_what_is_neither_there_nor_here_is_no_spool(void **state)
{
	place *p = *state;
	put_file(p->dir, "thesis.odt");
	put_folder(p->base, "mine/0");
	assert_int_equal(rename(within(p->base, "mine/0"), p->own), 0);
	put_file(p->own, "thesis.odt");
	assert_int_equal(open_spool_at(&p->spool, p->dir), OPA_SPOOL_NOT_A_SPOOL);
	assert_int_equal(p->spool.dir, -1);
	assert_int_equal(entries_of(p->own), 1);
	assert_string_equal(opa_spool_error_text(OPA_SPOOL_NOT_A_SPOOL), "is no spool of opa's");
}

/* Its process was killed, or the rest removed. */
static void test_what_was_to_become_a_spool_becomes_one(void **state)
{
	place *p = *state;
	put_folder(p->dir, "tmp");
	put_folder(p->dir, "live");
	put_folder(p->dir, "store");
	put_file(p->dir, "usage");
	put_file(p->dir, "logged-1");
	put_file(p->dir, "off");
	assert_int_equal(open_spool_at(&p->spool, p->dir), OPA_SPOOL_OK);
	assert_string_equal(p->spool.path, p->dir);
}

static void test_a_spool_stays_one_whatever_is_put_into_it(void **state)
{
	place *p = *state;
	assert_int_equal(open_spool_at(&p->spool, p->dir), OPA_SPOOL_OK);
	opa_spool_close(&p->spool);
	put_file(p->dir, "thesis.odt");
	assert_int_equal(open_spool_at(&p->spool, p->dir), OPA_SPOOL_OK);
	assert_string_equal(p->spool.path, p->dir);
}

static void test_the_exporters_way_in_makes_nothing(void **state)
{
	place *p = *state;
	int reason = -1;
	assert_int_equal(opa_spool_open_existing(&p->spool, p->dir, &reason), OPA_SPOOL_NOT_A_SPOOL);
	assert_int_equal(reason, 0);
	assert_int_equal(entries_of(p->dir), 0);
	put_folder(p->dir, "tmp");
	put_folder(p->dir, "live");
	assert_int_equal(opa_spool_open_existing(&p->spool, p->dir, &reason), OPA_SPOOL_NOT_A_SPOOL);
	assert_int_equal(entries_of(p->dir), 2);
	assert_int_equal(open_spool_at(&p->spool, p->dir), OPA_SPOOL_OK);
	opa_spool_close(&p->spool);
	assert_int_equal(opa_spool_open_existing(&p->spool, p->dir, &reason), OPA_SPOOL_OK);
}

/* By its name the directory would be opa's; another program has the same name. */
static void test_another_programs_directory_is_left_alone(void **state)
{
	place *p = *state;
	char shared[600];
	int reason;
	struct stat st;
	opa_spool_options options = {.runtime_dir = p->dir};
	opa_spool_places places = {"/nonexistent", "/nonexistent", p->base};
	put_folder(p->dir, "opa");
	put_file(p->dir, "opa/policy.rego");
	assert_int_equal(chmod(within(p->dir, "opa"), 0755), 0);
	snprintf(shared, sizeof(shared), "%s/opa-%u", p->base, (unsigned)geteuid());
	assert_int_equal(mkdir(shared, 0755), 0);
	put_file(shared, "policy.rego");
	assert_int_equal(opa_spool_open_in(&p->spool, &options, &places, &reason), OPA_SPOOL_OK);
	assert_memory_equal(p->spool.path, shared, strlen(shared));
	assert_int_equal(strlen(p->spool.path), strlen(shared) + 17);
	assert_int_equal(entries_of(within(p->dir, "opa")), 1);
	assert_int_equal(entries_of(shared), 1);
	assert_int_equal(stat(shared, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0755);
}

static void make_old(const char *dir, const char *name)
{
	struct timeval long_ago[2] = {{1000000000, 0}, {1000000000, 0}};
	put_file(dir, name);
	assert_int_equal(utimes(within(dir, name), long_ago), 0);
}

static void test_of_old_files_in_tmp_only_those_of_opa_go(void **state)
{
	static const char *const ours[] = {ID ".t", ID ".c", ID ".1.j", ID ".18446744073709551615.j"};
	static const char *const others[] = {"thesis.odt", "a.c", "b.t", "1.j", ID, ID ".", ID ".txt",
		ID "0.t", ID ".j", ID "..j", ID ".1.jpg", "x" ID ".t",
		"00112233445566778899AABBCCDDEEFF.t"};
	place *p = *state;
	char tmp[400];
	assert_int_equal(open_spool_at(&p->spool, p->dir), OPA_SPOOL_OK);
	snprintf(tmp, sizeof(tmp), "%s/tmp", p->dir);
	for (size_t i = 0; i < sizeof(ours) / sizeof(ours[0]); i++) {
		make_old(tmp, ours[i]);
	}
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		make_old(tmp, others[i]);
	}
	opa_journal_clean_tmp(&p->spool);
	for (size_t i = 0; i < sizeof(ours) / sizeof(ours[0]); i++) {
		assert_false(is_there(tmp, ours[i]));
	}
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		assert_true(is_there(tmp, others[i]));
	}
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, make_place, drop_place)
	const struct CMUnitTest tests[] = {
		TEST(test_an_empty_directory_becomes_a_spool),
		TEST(test_among_other_things_the_spool_has_a_directory_of_its_own),
		TEST(test_what_is_neither_there_nor_here_is_no_spool),
		TEST(test_what_was_to_become_a_spool_becomes_one),
		TEST(test_a_spool_stays_one_whatever_is_put_into_it),
		TEST(test_the_exporters_way_in_makes_nothing),
		TEST(test_another_programs_directory_is_left_alone),
		TEST(test_of_old_files_in_tmp_only_those_of_opa_go),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
