/* A spool, and a publisher that finds it by itself: what the tests of the door out share. */
#ifndef OPA_PUBLISH_FIXTURE_H
#define OPA_PUBLISH_FIXTURE_H

#include "spool_fixture.h"

#include "core/opa_clock.h"
#include "export/opa_publish.h"

typedef struct site {
	fixture f;
	opa_outlet outlet;
	opa_publisher *publisher;
} site;

#define DESTINATION "type=store\nmax_age=7\n"

FIXTURE int open_site(void **state)
{
	site *s = calloc(1, sizeof(*s));
	make_directory(s->f.dir, sizeof(s->f.dir));
	assert_int_equal(open_spool_at(&s->f.spool, s->f.dir), OPA_SPOOL_OK);
	s->outlet = (opa_outlet){
		.spool = {.dir = s->f.dir},
		.destination = DESTINATION,
		.destination_id = opa_destination_id(DESTINATION),
	};
	s->publisher = opa_publisher_create();
	*state = s;
	return 0;
}

FIXTURE int close_site(void **state)
{
	site *s = *state;
	opa_alloc_fail_after(-1, false);
	opa_publisher_destroy(s->publisher);
	opa_spool_close(&s->f.spool);
	remove_tree(s->f.dir);
	free(s);
	return 0;
}

FIXTURE bool publish(site *s, uint32_t number, size_t len)
{
	opa_record record = make_record(number, len);
	bool kept = opa_publish(s->publisher, &s->outlet, &record, RESOURCE);
	drop_record(&record);
	return kept;
}

FIXTURE uint64_t counter(site *s, opa_counter which)
{
	static opa_publish_status status;
	opa_publish_status_get(s->publisher, &s->outlet, &status);
	return status.counters[which];
}

/*
 * Marks in seen[] what lies in the spool; answers how many records there were. A write that was cut
 * by a SIGKILL may have left up to `torn` bytes that are no record.
 */
FIXTURE unsigned read_torn(
	const fixture *f, uint8_t *seen, uint32_t numbers, size_t len, uint64_t torn)
{
	opa_journal_name *names;
	uint64_t skipped = 0;
	unsigned found = 0;
	long count = opa_journal_list(&f->spool, &names);
	for (long i = 0; i < count; i++) {
		opa_record_view view;
		opa_journal_reader *reader = opa_journal_reader_open(&f->spool, names[i], 0);
		while (opa_journal_reader_next(reader, &view) == OPA_READ_RECORD) {
			uint32_t number = number_of(&view);
			assert_true(number < numbers);
			assert_true(is_record(&view, number, len));
			assert_int_equal(opa_journal_reader_resource(reader, 7).len, RESOURCE.len);
			seen[number]++;
			found++;
		}
		skipped += opa_journal_reader_skipped(reader);
		opa_journal_reader_close(reader);
	}
	opa_free(names);
	assert_true(skipped <= torn);
	return found;
}

FIXTURE unsigned read_all(const fixture *f, uint8_t *seen, uint32_t numbers, size_t len)
{
	return read_torn(f, seen, numbers, len, 0);
}

FIXTURE void expect_each_once(const fixture *f, uint32_t numbers, size_t len)
{
	uint8_t *seen = calloc(numbers, 1);
	assert_int_equal(read_all(f, seen, numbers, len), numbers);
	for (uint32_t i = 0; i < numbers; i++) {
		assert_int_equal(seen[i], 1);
	}
	free(seen);
}

#define T(name) cmocka_unit_test_setup_teardown(name, open_site, close_site)

#endif
