/* Where traces go, as a value that is handed around: it may come and go with the settings. */
#include "spool_fixture.h"
#include "export/opa_publish.h"

#define DESTINATION "type=store\n"

/* As a config has it: every text is its own block. */
static opa_outlet lend(const char *dir)
{
	return (opa_outlet){
		.spool = {.dir = strdup(dir), .runtime_dir = strdup("/run/user/1"), .max_size = 1 << 20},
		.exporter = strdup("/nonexistent/opa-exporter"),
		.destination = strdup(DESTINATION),
		.destination_id = opa_destination_id(DESTINATION),
	};
}

static void take_back(opa_outlet *outlet)
{
	const char *texts[] = {
		outlet->spool.dir, outlet->spool.runtime_dir, outlet->exporter, outlet->destination};
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		memset((char *)(uintptr_t)texts[i], '#', strlen(texts[i]));
		free((char *)(uintptr_t)texts[i]);
	}
	memset(outlet, 0x55, sizeof(*outlet));
}

static void a_copy_keeps_nothing_of_the_original(void **state)
{
	(void)state;
	opa_outlet outlet = lend("/spool");
	opa_outlet *copy = opa_outlet_copy(&outlet);
	take_back(&outlet);
	assert_non_null(copy);
	assert_string_equal(copy->spool.dir, "/spool");
	assert_string_equal(copy->spool.runtime_dir, "/run/user/1");
	assert_true(copy->spool.max_size == 1 << 20);
	assert_string_equal(copy->exporter, "/nonexistent/opa-exporter");
	assert_string_equal(copy->destination, DESTINATION);
	assert_true(copy->destination_id == opa_destination_id(DESTINATION));
	opa_free(copy);
}

static void what_an_outlet_does_not_name_its_copy_does_not(void **state)
{
	(void)state;
	opa_outlet outlet = {.destination = ""};
	opa_outlet *copy = opa_outlet_copy(&outlet);
	assert_non_null(copy);
	assert_null(copy->spool.dir);
	assert_null(copy->spool.runtime_dir);
	assert_null(copy->exporter);
	assert_string_equal(copy->destination, "");
	opa_free(copy);
}

static void without_memory_there_is_no_copy(void **state)
{
	(void)state;
	opa_outlet outlet = {.destination = ""};
	opa_alloc_fail_after(0, false);
	assert_null(opa_outlet_copy(&outlet));
	opa_alloc_fail_after(-1, false);
}

static bool publish(opa_publisher *publisher, const opa_outlet *outlet)
{
	opa_record record = make_record(1, 100);
	bool kept = opa_publish(publisher, outlet, &record, RESOURCE);
	drop_record(&record);
	return kept;
}

/* Settings may be other ones with every request; the process's spool is that of the first. */
static void a_publisher_keeps_the_spool_of_an_outlet_that_is_gone(void **state)
{
	(void)state;
	static opa_publish_status status;
	char dir[64], other[64];
	make_directory(dir, sizeof(dir));
	make_directory(other, sizeof(other));
	opa_publisher *publisher = opa_publisher_create();
	opa_outlet first = lend(dir), second = lend(other);
	assert_true(publish(publisher, &first));
	take_back(&first);
	remove_tree(dir); /* it is searched again, by what the first one said */
	assert_true(publish(publisher, &second));
	opa_publish_status_get(publisher, &second, &status);
	assert_string_equal(status.spool_path, dir);
	take_back(&second);
	opa_publisher_destroy(publisher);
	remove_tree(dir);
	remove_tree(other);
}

static void without_memory_a_publisher_drops_and_tries_again(void **state)
{
	(void)state;
	static opa_publish_status status;
	char dir[64];
	make_directory(dir, sizeof(dir));
	opa_publisher *publisher = opa_publisher_create();
	opa_outlet outlet = lend(dir);
	opa_alloc_fail_after(0, true);
	opa_publish_begin(publisher, &outlet);
	opa_alloc_fail_after(-1, false);
	assert_true(publish(publisher, &outlet));
	opa_publish_status_get(publisher, &outlet, &status);
	assert_string_equal(status.spool_path, dir);
	opa_publisher_destroy(publisher);
	take_back(&outlet);
	remove_tree(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_copy_keeps_nothing_of_the_original),
		cmocka_unit_test(what_an_outlet_does_not_name_its_copy_does_not),
		cmocka_unit_test(without_memory_there_is_no_copy),
		cmocka_unit_test(a_publisher_keeps_the_spool_of_an_outlet_that_is_gone),
		cmocka_unit_test(without_memory_a_publisher_drops_and_tries_again),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
