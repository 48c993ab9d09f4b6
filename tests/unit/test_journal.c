#include "journal_fixture.h"

/* ---- the way of a record ---- */

static void test_what_goes_in_comes_out(void **state)
{
	fixture *f = *state;
	opa_journal *journal = make_journal(f);
	write_some(journal, 1, 3);
	opa_journal_reader *reader = open_only(f);
	assert_int_equal(opa_journal_reader_header(reader)->destination, 0xd5);
	assert_int_equal(opa_journal_reader_header(reader)->sequence, 1);
	expect(reader, 1, 3, OPA_READ_WAIT);
	opa_str fields = opa_journal_reader_resource(reader, 7);
	assert_int_equal(fields.len, RESOURCE.len);
	assert_memory_equal(fields.data, RESOURCE.data, fields.len);
	assert_int_equal(opa_journal_reader_resource(reader, 8).len, 0);
	write_some(journal, 4, 5);
	expect(reader, 4, 5, OPA_READ_WAIT);
	opa_journal_close(journal);
	opa_record_view view;
	assert_int_equal(opa_journal_reader_next(reader, &view), OPA_READ_END);
	assert_int_equal(opa_journal_reader_skipped(reader), 0);
	assert_true(opa_journal_reader_delete(reader));
	opa_journal_reader_close(reader);
	assert_int_equal(count_entries(f, "sealed") + count_entries(f, "live"), 0);
}

static void test_no_file_before_the_first_record(void **state)
{
	fixture *f = *state;
	opa_journal *journal = make_journal(f);
	assert_int_equal(count_entries(f, "live") + count_entries(f, "tmp"), 0);
	opa_journal_close(journal);
	assert_int_equal(count_entries(f, "sealed"), 0);
}

static void test_resource_stands_once_in_each_file(void **state)
{
	fixture *f = *state;
	opa_journal *journal = make_journal(f);
	uint64_t sequence, offset;
	write_some(journal, 1, 2);
	opa_journal_position(journal, &sequence, &offset);
	assert_int_equal(sequence, 1);
	assert_int_equal(offset, HEADER_SIZE + RESOURCE_SIZE + 2 * (OPA_RECORD_HEADER_SIZE + 100));
	opa_journal_close(journal);
}

static void test_reopened_reader_goes_on_and_knows_the_resources(void **state)
{
	fixture *f = *state;
	opa_journal *journal = make_journal(f);
	opa_record_view view;
	write_some(journal, 1, 4);
	opa_journal_reader *reader = open_only(f);
	assert_int_equal(opa_journal_reader_next(reader, &view), OPA_READ_RECORD);
	assert_int_equal(opa_journal_reader_next(reader, &view), OPA_READ_RECORD);
	uint64_t offset = opa_journal_reader_offset(reader);
	opa_journal_reader_close(reader);
	reader = opa_journal_reader_open(&f->spool, ID ".1.j", offset);
	assert_non_null(reader);
	assert_int_equal(opa_journal_reader_offset(reader), offset);
	assert_int_equal(opa_journal_reader_resource(reader, 7).len, RESOURCE.len);
	expect(reader, 3, 4, OPA_READ_WAIT);
	opa_journal_reader_close(reader);
	opa_journal_close(journal);
}

static void test_full_file_is_sealed(void **state)
{
	fixture *f = *state;
	opa_journal *journal = make_journal(f);
	uint32_t count = 0;
	opa_journal_name *names;
	while (f->sequence < 3) {
		assert_int_equal(append(journal, count++, 1000), OPA_JOURNAL_OK);
	}
	assert_int_equal(count_entries(f, "sealed"), 2);
	assert_int_equal(count_entries(f, "live"), 1);
	uint32_t found = 0;
	long listed = opa_journal_list(&f->spool, &names);
	assert_int_equal(listed, 3);
	for (long i = 0; i < listed; i++) {
		opa_record_view view;
		opa_journal_reader *reader = opa_journal_reader_open(&f->spool, names[i], 0);
		while (opa_journal_reader_next(reader, &view) == OPA_READ_RECORD) {
			assert_true(is_record(&view, found++, 1000));
		}
		assert_true(opa_journal_reader_offset(reader) <= OPA_JOURNAL_SEAL_SIZE);
		opa_journal_reader_close(reader);
	}
	assert_int_equal(found, count);
	opa_free(names);
	opa_journal_close(journal);
}

static void test_large_record_has_a_file_of_its_own(void **state)
{
	fixture *f = *state;
	size_t large = OPA_JOURNAL_SEAL_SIZE + 100000;
	opa_journal *journal = make_journal(f);
	assert_int_equal(append(journal, 1, 100), OPA_JOURNAL_OK);
	assert_int_equal(append(journal, 2, large), OPA_JOURNAL_OK);
	assert_int_equal(append(journal, 3, 100), OPA_JOURNAL_OK);
	assert_int_equal(f->sequence, 3);
	opa_record_view view;
	opa_journal_reader *reader = opa_journal_reader_open(&f->spool, ID ".2.j", 0);
	assert_int_equal(opa_journal_reader_next(reader, &view), OPA_READ_RECORD);
	assert_true(is_record(&view, 2, large));
	assert_int_equal(opa_journal_reader_next(reader, &view), OPA_READ_END);
	opa_journal_reader_close(reader);
	opa_journal_close(journal);
}

static void test_too_large_is_refused(void **state)
{
	fixture *f = *state;
	bool lost;
	opa_journal *journal = make_journal(f);
	opa_record record = make_record(1, 10);
	record.length = (size_t)OPA_RECORD_MAX_SIZE + 1;
	assert_int_equal(opa_journal_append(journal, &record, RESOURCE, &lost), OPA_JOURNAL_TOO_LARGE);
	drop_record(&record);
	opa_journal_close(journal);
}

static void test_list_is_oldest_first_and_journals_only(void **state)
{
	fixture *f = *state;
	static const char *const made[] = {"live/" ID ".10.j", "sealed/" ID ".9.j", "sealed/" ID ".8.j",
		"live/" ID ".8.j", /* it moved while the folders were read */
		"live/" ID ".7.t", "live/short.1.j", "sealed/" ID ".x.j"};
	static const char *const listed[] = {ID ".8.j", ID ".9.j", ID ".10.j"};
	for (int i = 0; i < 7; i++) {
		int fd = openat(f->spool.dir, made[i], O_WRONLY | O_CREAT, 0600);
		struct timespec times[2] = {{.tv_sec = 1000}, {.tv_sec = 1000}};
		futimens(fd, times);
		close(fd);
	}
	opa_journal_name *names;
	assert_int_equal(opa_journal_list(&f->spool, &names), 3);
	for (int i = 0; i < 3; i++) {
		assert_string_equal(names[i], listed[i]);
	}
	opa_free(names);
}

/* ---- headers ---- */

static void test_damaged_file_header(void **state)
{
	fixture *f = *state;
	opa_journal *journal = make_journal(f);
	opa_record_view view;
	write_some(journal, 1, 1);
	flip(f, "live", 20);
	opa_journal_reader *reader = open_only(f);
	assert_int_equal(opa_journal_reader_next(reader, &view), OPA_READ_WAIT);
	opa_journal_close(journal);
	assert_int_equal(opa_journal_reader_next(reader, &view), OPA_READ_END);
	assert_int_equal(opa_journal_reader_skipped(reader), HEADER_SIZE + RESOURCE_SIZE + 148);
	opa_journal_reader_close(reader);
}

static void test_later_version_is_left_alone(void **state)
{
	fixture *f = *state;
	opa_journal_header header = {.magic = OPA_JOURNAL_MAGIC, .version = OPA_JOURNAL_VERSION + 1};
	int fd = openat(f->spool.dir, "sealed/" ID ".1.j", O_RDWR | O_CREAT, 0600);
	assert_int_equal(write(fd, &header, sizeof(header)), sizeof(header));
	close(fd);
	assert_null(opa_journal_reader_open(&f->spool, ID ".1.j", 0));
}

/* ---- memory ---- */

static void test_every_allocation_may_fail(void **state)
{
	fixture *f = *state;
	opa_journal *journal = NULL;
	for (long n = 0; journal == NULL; n++) {
		opa_alloc_fail_after(n, false);
		journal = make_journal(f);
		assert_true(n < 10);
	}
	opa_alloc_fail_after(0, true);
	assert_int_equal(append(journal, 1, 100), OPA_JOURNAL_OK); /* the writer's way needs none */
	opa_alloc_fail_after(-1, false);
	opa_journal_close(journal);
	bool all = false;
	for (long n = 0; !all; n++) {
		opa_journal_name *names;
		opa_record_view view;
		opa_alloc_fail_after(n, false);
		long listed = opa_journal_list(&f->spool, &names);
		opa_journal_reader *reader = opa_journal_reader_open(&f->spool, ID ".1.j", 0);
		opa_read read = reader != NULL ? opa_journal_reader_next(reader, &view) : OPA_READ_ERROR;
		opa_alloc_fail_after(-1, false);
		if (reader != NULL && read == OPA_READ_ERROR) {
			read = opa_journal_reader_next(reader, &view); /* nothing was consumed */
			assert_int_equal(read, OPA_READ_RECORD);
			assert_true(is_record(&view, 1, 100));
			assert_int_equal(opa_journal_reader_resource(reader, 7).len, RESOURCE.len);
			read = OPA_READ_ERROR;
		}
		if (read == OPA_READ_RECORD) {
			assert_int_equal(opa_journal_reader_resource(reader, 7).len, RESOURCE.len);
		}
		all = listed == 1 && read == OPA_READ_RECORD;
		if (reader != NULL) {
			opa_journal_reader_close(reader);
		}
		opa_free(names);
		assert_true(n < 50);
	}
}

/* ---- chance ---- */

static uint32_t next_random(uint32_t *seed)
{
	*seed = *seed * 1664525u + 1013904223u;
	return *seed >> 8;
}

/* Reads a file that was damaged: whatever comes out was put in. */
static unsigned read_damaged(fixture *f, uint32_t records)
{
	opa_record_view view;
	unsigned found = 0;
	opa_journal_reader *reader = opa_journal_reader_open(&f->spool, ID ".1.j", 0);
	if (reader == NULL) {
		return 0;
	}
	opa_read read;
	while ((read = opa_journal_reader_next(reader, &view)) == OPA_READ_RECORD) {
		uint32_t number = number_of(&view);
		assert_true(number < records);
		assert_true(is_record(&view, number, 10 + number * 13));
		found++;
	}
	assert_int_equal(read, OPA_READ_END);
	opa_journal_reader_close(reader);
	return found;
}

static void test_random_damage_never_gives_a_wrong_record(void **state)
{
	fixture *f = *state;
	enum { RECORDS = 40, ROUNDS = 1500 };
	static uint8_t good[64 * 1024], bad[64 * 1024];
	opa_journal *journal = make_journal(f);
	for (uint32_t i = 0; i < RECORDS; i++) {
		assert_int_equal(append(journal, i, 10 + i * 13), OPA_JOURNAL_OK);
	}
	opa_journal_close(journal);
	int fd = openat(f->spool.dir, "sealed/" ID ".1.j", O_RDWR);
	ssize_t size = pread(fd, good, sizeof(good), 0);
	assert_true(size > 1000);
	uint32_t seed = 42;
	unsigned total = 0;
	for (int round = 0; round < ROUNDS; round++) {
		memcpy(bad, good, (size_t)size);
		size_t len = (size_t)size;
		for (uint32_t i = next_random(&seed) % 12; i > 0; i--) {
			size_t at = next_random(&seed) % len;
			if (next_random(&seed) % 4 == 0 && at + 64 < len) {
				memmove(bad + at, bad + next_random(&seed) % (len - 64), 64);
			} else {
				bad[at] = (uint8_t)next_random(&seed);
			}
		}
		if (next_random(&seed) % 4 == 0) {
			len = next_random(&seed) % len;
		}
		assert_int_equal(ftruncate(fd, 0), 0);
		assert_int_equal(pwrite(fd, bad, len, 0), len);
		total += read_damaged(f, RECORDS);
	}
	close(fd);
	assert_true(total > ROUNDS * RECORDS / 4); /* and most of what is whole is found */
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_what_goes_in_comes_out),
		T(test_no_file_before_the_first_record),
		T(test_resource_stands_once_in_each_file),
		T(test_reopened_reader_goes_on_and_knows_the_resources),
		T(test_full_file_is_sealed),
		T(test_large_record_has_a_file_of_its_own),
		T(test_too_large_is_refused),
		T(test_list_is_oldest_first_and_journals_only),
		T(test_damaged_file_header),
		T(test_later_version_is_left_alone),
		T(test_every_allocation_may_fail),
		T(test_random_damage_never_gives_a_wrong_record),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
