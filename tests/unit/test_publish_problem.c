/* What a worker is told to log: opa_publish_problem(). Each publisher here is a process. */
#include "spool_fixture.h"
#include "export/opa_publish.h"

#define DESTINATION "type=store\n"

static fixture f;
static opa_outlet outlet;

static int open_site(void **state)
{
	(void)state;
	make_directory(f.dir, sizeof(f.dir));
	assert_int_equal(open_spool_at(&f.spool, f.dir), OPA_SPOOL_OK);
	outlet = (opa_outlet){
		.spool = {.dir = f.dir},
		.destination = DESTINATION,
		.destination_id = opa_destination_id(DESTINATION),
	};
	return 0;
}

static int close_site(void **state)
{
	(void)state;
	opa_spool_close(&f.spool);
	remove_tree(f.dir);
	return 0;
}

/* A process's first request: its first look at the spool. */
static bool is_told(char *line, size_t size)
{
	opa_publisher *publisher = opa_publisher_create();
	opa_publish_begin(publisher, &outlet);
	bool told = opa_publish_problem(publisher, line, size);
	/* Asked again without another look: never. */
	assert_false(opa_publish_problem(publisher, line, size));
	opa_publisher_destroy(publisher);
	return told;
}

static void say(const char *state)
{
	assert_true(opa_spool_replace_file(&f.spool, "state", state, strlen(state)));
}

static void test_nothing_is_told_without_a_problem(void **state)
{
	(void)state;
	char line[128];
	assert_false(is_told(line, sizeof(line)));
	say("pid=1\nlast_error=an old problem=x\nversion=1\n");
	assert_false(is_told(line, sizeof(line)));
}

static void test_one_process_is_told(void **state)
{
	(void)state;
	char line[128];
	say("pid=1\nproblem=the store is full\nversion=1\n");
	assert_true(is_told(line, sizeof(line)));
	assert_string_equal(line, "the store is full");
	assert_false(is_told(line, sizeof(line)));
}

static void test_the_next_ten_minutes_are_told_again(void **state)
{
	(void)state;
	char line[128], now[300], before[300];
	unsigned long long period = (unsigned long long)time(NULL) / 600;
	snprintf(now, sizeof(now), "%s/logged-%llu", f.dir, period);
	snprintf(before, sizeof(before), "%s/logged-%llu", f.dir, period - 1);
	say("problem=first line");
	assert_true(is_told(line, sizeof(line)));
	assert_string_equal(line, "first line");
	/* As if that had been in the ten minutes before. */
	if (rename(now, before) == 0) {
		assert_true(is_told(line, sizeof(line)));
		assert_int_equal(access(before, F_OK), -1);
	}
}

static void test_a_long_problem_is_cut(void **state)
{
	(void)state;
	char line[8];
	say("problem=0123456789\n");
	assert_true(is_told(line, sizeof(line)));
	assert_string_equal(line, "0123456");
}

#define T(name) cmocka_unit_test_setup_teardown(name, open_site, close_site)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_nothing_is_told_without_a_problem),
		T(test_one_process_is_told),
		T(test_the_next_ten_minutes_are_told_again),
		T(test_a_long_problem_is_cut),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
