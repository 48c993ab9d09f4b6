/*
 * What the tests of the journal share: a look at its file behind the owner's and the reader's back.
 */
#ifndef OPA_JOURNAL_FIXTURE_H
#define OPA_JOURNAL_FIXTURE_H

#include "spool_fixture.h"

#define HEADER_SIZE sizeof(opa_journal_header)

/* Where record i of that payload length stands, behind the header and the resource. */
#define RESOURCE_SIZE (OPA_RECORD_HEADER_SIZE + sizeof("resource seven") - 1)

FIXTURE void path_of(const fixture *f, const char *folder, char *to, size_t size)
{
	snprintf(to, size, "%s/%s/" ID ".1.j", f->dir, folder);
}

/* Changes the length of the journal's file, or a byte of it, behind its owner's back. */
FIXTURE void cut(const fixture *f, const char *folder, long by)
{
	char path[512];
	struct stat st;
	path_of(f, folder, path, sizeof(path));
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(truncate(path, st.st_size - by), 0);
}

FIXTURE void flip(const fixture *f, const char *folder, off_t at)
{
	char path[512], byte;
	path_of(f, folder, path, sizeof(path));
	int fd = open(path, O_RDWR);
	assert_int_equal(pread(fd, &byte, 1, at), 1);
	byte ^= 0x10;
	assert_int_equal(pwrite(fd, &byte, 1, at), 1);
	close(fd);
}

/* Expects records first to last (of 100 bytes), then `then`. */
FIXTURE void expect(opa_journal_reader *reader, uint32_t first, uint32_t last, opa_read then)
{
	opa_record_view view;
	for (uint32_t i = first; i <= last; i++) {
		assert_int_equal(opa_journal_reader_next(reader, &view), OPA_READ_RECORD);
		assert_int_equal(number_of(&view), i);
		assert_true(is_record(&view, i, 100));
	}
	assert_int_equal(opa_journal_reader_next(reader, &view), then);
}

FIXTURE void write_some(opa_journal *journal, uint32_t first, uint32_t last)
{
	for (uint32_t i = first; i <= last; i++) {
		assert_int_equal(append(journal, i, 100), OPA_JOURNAL_OK);
	}
}

#endif
