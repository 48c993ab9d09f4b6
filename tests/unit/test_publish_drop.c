/* What cannot be kept is counted, by its reason, and the program notices nothing. */
#include "publish_fixture.h"

static void expect_drop(site *s, size_t len, opa_counter why)
{
	uint64_t before = counter(s, why);
	assert_false(publish(s, 0, len));
	assert_int_equal(counter(s, why), before + 1);
}

static void test_no_spool_then_there_is_one(void **state)
{
	site *s = *state;
	char dir[300];
	snprintf(dir, sizeof(dir), "%s/later/spool", s->f.dir);
	s->outlet.spool.dir = dir;
	expect_drop(s, 100, OPA_COUNT_DROPPED_NO_SPOOL);
	snprintf(dir, sizeof(dir), "%s/later", s->f.dir);
	assert_int_equal(mkdir(dir, 0700), 0);
	strcat(dir, "/spool");
	bool kept = false;
	for (int i = 0; i < 5000 && !kept; i++) {
		pause_shortly();
		kept = publish(s, 0, 100);
	}
	assert_true(kept);
}

static void test_full_spool_drops_until_it_was_read(void **state)
{
	site *s = *state;
	opa_record_view view;
	s->outlet.spool.max_size = 100000;
	uint32_t kept = 0;
	while (publish(s, kept, 5000)) {
		assert_true(++kept < 100);
	}
	assert_in_range(kept, 10, 20);
	assert_true(counter(s, OPA_COUNT_DROPPED_SPOOL_FULL) > 0);
	opa_publisher_destroy(s->publisher);
	s->publisher = opa_publisher_create();
	opa_journal_reader *reader = open_only(&s->f);
	while (opa_journal_reader_next(reader, &view) == OPA_READ_RECORD) {
	}
	assert_true(opa_journal_reader_delete(reader));
	opa_journal_reader_close(reader);
	bool again = false;
	for (int i = 0; i < 5000 && !again; i++) {
		again = publish(s, 0, 5000);
		pause_shortly();
	}
	assert_true(again);
}

static void fill_disk(fixture *f)
{
	site *s = (site *)f;
	mount_small(f->dir, "size=64k,mode=0700");
	opa_publisher *publisher = opa_publisher_create();
	s->publisher = publisher;
	s->outlet.spool.max_size = 1 << 20;
	uint32_t kept = 0;
	while (publish(s, kept, 3000)) {
		CHECK(++kept < 100);
	}
	CHECK(kept > 3);
	CHECK(counter(s, OPA_COUNT_DROPPED_DISK_FULL) == 1);
	opa_publisher_destroy(publisher);
}

static void test_disk_full_is_counted(void **state)
{
	int status = in_child(fill_disk, *state);
	if (status == CANNOT_MOUNT) {
		skip_because("a private mount is needed for a full disk");
	}
	assert_int_equal(status, 0);
}

static void limited(fixture *f)
{
	site *s = (site *)f;
	struct rlimit limit = {.rlim_cur = 6000, .rlim_max = 6000};
	CHECK(setrlimit(RLIMIT_FSIZE, &limit) == 0);
	CHECK(publish(s, 0, 3000));
	CHECK(!publish(s, 1, 9000));
	CHECK(counter(s, OPA_COUNT_DROPPED_FILE_LIMIT) == 1);
	limit.rlim_cur = 0;
	CHECK(setrlimit(RLIMIT_FSIZE, &limit) == 0);
	CHECK(!publish(s, 2, 10));
	CHECK(counter(s, OPA_COUNT_DROPPED_FILE_LIMIT) == 2);
	opa_publisher_destroy(s->publisher);
}

static void test_file_size_limit_is_counted_and_raises_no_signal(void **state)
{
	assert_int_equal(in_child(limited, *state), 0);
}

/* So low that not one more can be opened; the one that is opened to find that out is closed. */
static void forbid_descriptors(struct rlimit *before)
{
	int next = open("/dev/null", O_RDONLY);
	CHECK(next >= 0 && getrlimit(RLIMIT_NOFILE, before) == 0);
	struct rlimit limit = {.rlim_cur = (rlim_t)next, .rlim_max = before->rlim_max};
	close(next);
	CHECK(setrlimit(RLIMIT_NOFILE, &limit) == 0);
}

static void without_descriptors(fixture *f)
{
	site *s = (site *)f;
	struct rlimit before;
	static opa_publish_status status;
	forbid_descriptors(&before);
	CHECK(!publish(s, 0, 100)); /* not even the spool can be opened */
	opa_publish_status_get(s->publisher, &s->outlet, &status);
	CHECK(status.spool_error == OPA_SPOOL_NO_DESCRIPTOR && status.spool_errno == EMFILE);
	CHECK(status.counters[OPA_COUNT_DROPPED_NO_DESCRIPTOR] == 1);
	CHECK(setrlimit(RLIMIT_NOFILE, &before) == 0);
	CHECK(opa_publish_begin(s->publisher, &s->outlet));
	opa_publish_status_get(s->publisher, &s->outlet, &status);
	CHECK(status.spool_open);
	forbid_descriptors(&before);
	CHECK(!publish(s, 1, 100)); /* no journal */
	CHECK(setrlimit(RLIMIT_NOFILE, &before) == 0);
	CHECK(publish(s, 2, 100));
	opa_publish_status_get(s->publisher, &s->outlet, &status);
	CHECK(status.counters[OPA_COUNT_DROPPED_NO_DESCRIPTOR] == 2);
	CHECK(status.counters[OPA_COUNT_DROPPED_NO_SPOOL] == 0);
	CHECK(status.counters[OPA_COUNT_SPANS_KEPT] == 1);
	opa_publisher_destroy(s->publisher);
}

static void test_descriptor_limit_is_counted(void **state)
{
	assert_int_equal(in_child(without_descriptors, *state), 0);
}

static void test_too_large_is_counted(void **state)
{
	site *s = *state;
	opa_record record = make_record(1, 10);
	s->outlet.spool.max_size = (uint64_t)1 << 40;
	record.length = (size_t)OPA_RECORD_MAX_SIZE + 1;
	assert_false(opa_publish(s->publisher, &s->outlet, &record, RESOURCE));
	drop_record(&record);
	assert_int_equal(counter(s, OPA_COUNT_DROPPED_TOO_LARGE), 1);
}

static void test_emptied_spool_is_noticed_and_counted(void **state)
{
	site *s = *state;
	char command[300];
	assert_true(publish(s, 0, 100));
	snprintf(command, sizeof(command), "rm -r %s/*", s->f.dir);
	assert_int_equal(system(command), 0);
	assert_true(publish(s, 0, 100));
	assert_int_equal(counter(s, OPA_COUNT_JOURNALS_LOST), 1);
	expect_each_once(&s->f, 1, 100);
	assert_int_equal(count_entries(&s->f, "dest"), 1);
}

static void test_replaced_spool_is_noticed_and_counted(void **state)
{
	site *s = *state;
	assert_true(publish(s, 0, 100));
	opa_spool_close(&s->f.spool);
	remove_tree(s->f.dir);
	assert_int_equal(open_spool_at(&s->f.spool, s->f.dir), OPA_SPOOL_OK);
	assert_true(publish(s, 0, 100));
	assert_true(counter(s, OPA_COUNT_JOURNALS_LOST) > 0);
	assert_int_equal(counter(s, OPA_COUNT_SPANS_KEPT), 2);
	expect_each_once(&s->f, 1, 100);
	assert_int_equal(count_entries(&s->f, "control"), 1);
}

static void test_every_allocation_may_fail(void **state)
{
	site *s = *state;
	bool whole = false;
	for (long n = 0; !whole; n++) {
		opa_alloc_fail_after(n, false);
		opa_publisher *publisher = opa_publisher_create();
		opa_record record = make_record(0, 100);
		bool kept = publisher != NULL && opa_publish(publisher, &s->outlet, &record, RESOURCE);
		whole = opa_alloc_fail_after(-1, false) <= (unsigned long)n;
		drop_record(&record);
		assert_true(kept || !whole);
		if (publisher != NULL) {
			opa_publisher *mine = s->publisher;
			s->publisher = publisher;
			uint64_t dropped =
				counter(s, OPA_COUNT_DROPPED_NO_MEMORY) + counter(s, OPA_COUNT_DROPPED_NO_SPOOL);
			assert_int_equal(counter(s, OPA_COUNT_SPANS_KEPT) + dropped, 1);
			assert_int_equal(counter(s, OPA_COUNT_SPANS_KEPT), kept);
			s->publisher = mine;
		}
		opa_publisher_destroy(publisher);
		assert_true(n < 50);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_no_spool_then_there_is_one),
		T(test_full_spool_drops_until_it_was_read),
		T(test_disk_full_is_counted),
		T(test_file_size_limit_is_counted_and_raises_no_signal),
		T(test_descriptor_limit_is_counted),
		T(test_too_large_is_counted),
		T(test_emptied_spool_is_noticed_and_counted),
		T(test_replaced_spool_is_noticed_and_counted),
		T(test_every_allocation_may_fail),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
