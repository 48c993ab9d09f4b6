/*
 * What comes at the moments in which the exporter could miss it: between its last look and the end
 * of its lease, and between its last look and SIGTERM. So its loop is taken in with something that
 * happens at those moments.
 */
#include "exporter_fixture.h"
#include "export/opa_exporter_internal.h"

static void take_in_and_more(opa_exporter *exporter);
static void release_lease_and_more(opa_exporter *exporter);

#define opa_exporter_take_in       take_in_and_more
#define opa_exporter_release_lease release_lease_and_more
#include "export/opa_exporter.c"
#undef opa_exporter_take_in
#undef opa_exporter_release_lease

/* What is to happen once, behind the real call. */
static void (*after_take_in)(void);
static void (*after_release)(void);
static const fixture *world;

static void happen(void (**what)(void))
{
	void (*once)(void) = *what;
	*what = NULL;
	if (once != NULL) {
		once();
	}
}

static void take_in_and_more(opa_exporter *exporter)
{
	opa_exporter_take_in(exporter);
	happen(&after_take_in);
}

static void release_lease_and_more(opa_exporter *exporter)
{
	opa_exporter_release_lease(exporter);
	happen(&after_release);
}

static void publish(void)
{
	write_and_leave(world, 0x12, 1, 5, true);
}

static void publish_and_stop(void)
{
	publish();
	raise(SIGTERM);
}

static int set_up_world(void **state)
{
	int result = set_up(state);
	world = *state;
	after_take_in = after_release = NULL;
	return result;
}

static void what_was_published_while_it_left_is_not_left(void **state)
{
	fixture *f = *state;
	write_and_leave(f, 0x11, 1, 3, true);
	after_release = publish;
	assert_int_equal(wait_for_end(start_with(f, false, 0, -1)), 0);
	assert_traces_of(f->store, 0x11, 3);
	assert_traces_of(f->store, 0x12, 5);
	assert_int_equal(count_journals(f), 0);
}

static void what_was_published_before_sigterm_is_brought_in(void **state)
{
	fixture *f = *state;
	char path[96];
	snprintf(path, sizeof(path), "%s/one", f->dir);
	define(f, 1, path, "shutdown_timeout=600000\n");
	after_take_in = publish_and_stop;
	assert_int_equal(wait_for_end(start(f)), 0);
	assert_traces_of(f->store, 0x12, 5);
	assert_int_equal(count_journals(f), 0);
}

static void make_another_lease(void)
{
	assert_int_equal(unlinkat(world->spool.dir, "lease", 0), 0);
	int fd = openat(world->spool.dir, "lease", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	assert_true(fd >= 0 && close(fd) == 0);
}

static void it_leaves_when_its_lease_is_another_file_now(void **state)
{
	after_take_in = make_another_lease;
	assert_int_equal(wait_for_end(start(*state)), 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up_world, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(what_was_published_while_it_left_is_not_left),
		TEST(what_was_published_before_sigterm_is_brought_in),
		TEST(it_leaves_when_its_lease_is_another_file_now),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
