#include "opa_journal_reader.h"
#include "opa_file.h"
#include "../core/opa_alloc.h"
#include "../core/opa_crc32c.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define WINDOW_SIZE (64u * 1024)
#define WINDOW_KEEP (1024u * 1024) /* a larger window is given back when it is not needed */

typedef struct resource {
	uint64_t id;
	char *fields;
	size_t len;
} resource;

struct opa_journal_reader {
	const opa_spool *spool;
	int fd;
	struct stat identity;
	opa_journal_header header;
	bool damaged;      /* the header is: no record can be told from chance */
	bool closed;       /* to writers, for certain */
	uint64_t cursor;   /* behind the last record or damage that was passed */
	uint64_t answered; /* behind the last record that was answered */
	uint64_t skipped;
	uint8_t *window; /* a copy of file bytes [window_start, window_start + window_len) */
	size_t window_size;
	size_t window_len;
	uint64_t window_start;
	resource *resources;
	size_t resource_count;
	opa_journal_name name;
};

typedef enum parse_result {
	PARSE_WHOLE,
	PARSE_NOT_WHOLE, /* not (yet), or damage */
	PARSE_FAULT,     /* I/O or memory */
} parse_result;

/* ---- bytes ---- */

static bool resize_window(opa_journal_reader *reader, size_t need)
{
	size_t size = need > WINDOW_SIZE ? need : WINDOW_SIZE;
	if (reader->window != NULL && reader->window_size >= size &&
		(reader->window_size <= WINDOW_KEEP || size > WINDOW_SIZE)) {
		return true;
	}
	uint8_t *window = opa_malloc(size);
	if (window == NULL) {
		return false;
	}
	opa_free(reader->window);
	reader->window = window;
	reader->window_size = size;
	reader->window_len = 0;
	return true;
}

/*
 * *bytes is up to `need` bytes at `offset`, *have how many; fewer than `need` at the file's end.
 * They are valid until the next call. False on a fault.
 */
static bool fetch(
	opa_journal_reader *reader, uint64_t offset, size_t need, const uint8_t **bytes, size_t *have)
{
	uint64_t end = reader->window_start + reader->window_len;
	if (offset < reader->window_start || offset > end || end - offset < need) {
		if (!resize_window(reader, need)) {
			return false;
		}
		reader->window_len = 0;
		long got = opa_file_read(reader->fd, reader->window, reader->window_size, offset);
		if (got < 0) {
			return false;
		}
		reader->window_start = offset;
		reader->window_len = (size_t)got;
		end = offset + reader->window_len;
	}
	*bytes = reader->window + (offset - reader->window_start);
	*have = (size_t)(end - offset);
	return true;
}

static bool file_size(const opa_journal_reader *reader, uint64_t *size)
{
	struct stat st;
	if (fstat(reader->fd, &st) != 0) {
		return false;
	}
	*size = (uint64_t)st.st_size;
	return true;
}

/* ---- records ---- */

static bool is_plausible(const opa_record_header *header)
{
	return header->magic == OPA_RECORD_MAGIC && header->version == OPA_RECORD_VERSION &&
		   (header->type == OPA_RECORD_SPANS || header->type == OPA_RECORD_RESOURCE) &&
		   header->length <= OPA_RECORD_MAX_SIZE;
}

static parse_result parse_header(
	opa_journal_reader *reader, uint64_t offset, opa_record_header *header)
{
	const uint8_t *bytes;
	size_t have;
	if (!fetch(reader, offset, sizeof(*header), &bytes, &have)) {
		return PARSE_FAULT;
	}
	if (have < sizeof(*header)) {
		return PARSE_NOT_WHOLE;
	}
	memcpy(header, bytes, sizeof(*header));
	return is_plausible(header) ? PARSE_WHOLE : PARSE_NOT_WHOLE;
}

static bool checks(const opa_journal_reader *reader, const opa_record_view *record)
{
	opa_record_header header = record->header;
	header.crc = 0;
	uint32_t crc = opa_crc32c(reader->header.crc, &header, sizeof(header));
	return opa_crc32c(crc, record->payload, header.length) == record->header.crc;
}

/* The file's size is asked first, so that a length that is damage does not cost its memory. */
static parse_result parse(opa_journal_reader *reader, uint64_t offset, opa_record_view *record)
{
	const uint8_t *bytes;
	size_t have;
	uint64_t file;
	parse_result result = parse_header(reader, offset, &record->header);
	if (result != PARSE_WHOLE) {
		return result;
	}
	size_t size = sizeof(record->header) + record->header.length;
	if (!file_size(reader, &file)) {
		return PARSE_FAULT;
	}
	if (file < offset || file - offset < size) {
		return PARSE_NOT_WHOLE;
	}
	if (!fetch(reader, offset, size, &bytes, &have)) {
		return PARSE_FAULT;
	}
	record->payload = bytes + sizeof(record->header);
	return have >= size && checks(reader, record) ? PARSE_WHOLE : PARSE_NOT_WHOLE;
}

static uint64_t end_of(uint64_t offset, const opa_record_view *record)
{
	return offset + sizeof(record->header) + record->header.length;
}

/*
 * The first offset from `from` on where a record's magic stands, or the file's size. False on a
 * fault.
 */
static bool find_magic(opa_journal_reader *reader, uint64_t from, uint64_t *found)
{
	const uint32_t magic = OPA_RECORD_MAGIC;
	for (;;) {
		const uint8_t *bytes;
		size_t have;
		if (!fetch(reader, from, sizeof(magic), &bytes, &have)) {
			return false;
		}
		if (have < sizeof(magic)) {
			*found = from + have;
			return true;
		}
		const uint8_t *at = memmem(bytes, have, &magic, sizeof(magic));
		if (at != NULL) {
			*found = from + (uint64_t)(at - bytes);
			return true;
		}
		from += have - (sizeof(magic) - 1);
	}
}

/* ---- resources ---- */

static bool keep_resource(opa_journal_reader *reader, const opa_record_view *record)
{
	if (opa_journal_reader_resource(reader, record->header.resource).data != NULL) {
		return true;
	}
	size_t size = (reader->resource_count + 1) * sizeof(*reader->resources);
	resource *grown = opa_realloc(reader->resources, size);
	if (grown == NULL) {
		return false;
	}
	reader->resources = grown;
	char *fields = opa_strndup((const char *)record->payload, record->header.length);
	if (fields == NULL) {
		return false;
	}
	reader->resources[reader->resource_count++] =
		(resource){record->header.resource, fields, record->header.length};
	return true;
}

opa_str opa_journal_reader_resource(const opa_journal_reader *reader, uint64_t id)
{
	for (size_t i = 0; i < reader->resource_count; i++) {
		const resource *kept = &reader->resources[i];
		if (kept->id == id) {
			return (opa_str){kept->fields, kept->len};
		}
	}
	return (opa_str){NULL, 0};
}

/* Up to `end`, which an earlier reader reached. False on a fault. */
static bool collect_resources(opa_journal_reader *reader, uint64_t end)
{
	uint64_t at = reader->cursor, size;
	if (!file_size(reader, &size)) {
		return false;
	}
	while (at < end && at < size) {
		opa_record_view record;
		parse_result result = parse(reader, at, &record);
		if (result == PARSE_FAULT) {
			return false;
		}
		if (result == PARSE_NOT_WHOLE) {
			if (!find_magic(reader, at + 1, &at)) {
				return false;
			}
			continue;
		}
		if (record.header.type == OPA_RECORD_RESOURCE && !keep_resource(reader, &record)) {
			return false;
		}
		at = end_of(at, &record);
	}
	reader->cursor = end;
	return true;
}

/* ---- open, close ---- */

static int open_file(const opa_spool *spool, const char *name, bool *sealed)
{
	*sealed = false;
	int fd = opa_file_open(spool, "live", name, false);
	if (fd < 0 && errno == ENOENT) {
		*sealed = true;
		fd = opa_file_open(spool, "sealed", name, false);
	}
	return fd;
}

/* False when it is not for this reader: a fault, or a later version. */
static bool read_header(opa_journal_reader *reader)
{
	opa_journal_header *header = &reader->header;
	long got = opa_file_read(reader->fd, header, sizeof(*header), 0);
	if (got < 0) {
		return false;
	}
	if (got < (long)sizeof(*header) || header->magic != OPA_JOURNAL_MAGIC) {
		reader->damaged = true;
	} else if (header->version > OPA_JOURNAL_VERSION) {
		errno = EPROTONOSUPPORT;
		return false;
	} else {
		reader->damaged = header->crc != opa_crc32c(0, header, offsetof(opa_journal_header, crc));
	}
	if (reader->damaged) {
		memset(header, 0, sizeof(*header));
	}
	reader->cursor = reader->damaged ? 0 : sizeof(*header);
	return true;
}

opa_journal_reader *opa_journal_reader_open(
	const opa_spool *spool, const char *name, uint64_t offset)
{
	if (strlen(name) >= OPA_JOURNAL_NAME_MAX) {
		return NULL;
	}
	opa_journal_reader *reader = opa_calloc(1, sizeof(*reader));
	if (reader == NULL) {
		return NULL;
	}
	reader->spool = spool;
	snprintf(reader->name, sizeof(reader->name), "%s", name);
	reader->fd = open_file(spool, name, &reader->closed);
	if (reader->fd < 0 || fstat(reader->fd, &reader->identity) != 0 || !read_header(reader) ||
		(!reader->damaged && offset > reader->cursor && !collect_resources(reader, offset))) {
		int reason = errno;
		opa_journal_reader_close(reader);
		errno = reason;
		return NULL;
	}
	reader->answered = reader->cursor;
	return reader;
}

void opa_journal_reader_close(opa_journal_reader *reader)
{
	if (reader->fd >= 0) {
		close(reader->fd);
	}
	for (size_t i = 0; i < reader->resource_count; i++) {
		opa_free(reader->resources[i].fields);
	}
	opa_free(reader->resources);
	opa_free(reader->window);
	opa_free(reader);
}

/* ---- reading ---- */

static bool stands_at(const opa_journal_reader *reader, const char *folder)
{
	char path[OPA_FILE_PATH_MAX];
	struct stat st;
	return opa_file_path(path, folder, reader->name) &&
		   fstatat(reader->spool->dir, path, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
		   st.st_dev == reader->identity.st_dev && st.st_ino == reader->identity.st_ino;
}

/*
 * A lock that can be had is kept until the reader is closed. It says that the owner has closed the
 * file: nobody can have met it in live/ before it was locked.
 */
static bool is_closed(const opa_journal_reader *reader)
{
	return stands_at(reader, "sealed") || flock(reader->fd, LOCK_EX | LOCK_NB) == 0 ||
		   (!reader->damaged && opa_owner_is_gone(&reader->header.owner));
}

/* From damage at the cursor to the next whole record, or the end. */
static opa_read skip(opa_journal_reader *reader)
{
	uint64_t at = reader->cursor, size;
	opa_record_view record;
	if (!file_size(reader, &size)) {
		return OPA_READ_ERROR;
	}
	while (at < size && !reader->damaged) {
		if (!find_magic(reader, at + 1, &at)) {
			return OPA_READ_ERROR;
		}
		if (at >= size) {
			break;
		}
		parse_result result = parse(reader, at, &record);
		if (result == PARSE_FAULT) {
			return OPA_READ_ERROR;
		}
		if (result == PARSE_WHOLE) {
			reader->skipped += at - reader->cursor;
			reader->cursor = at;
			return OPA_READ_RECORD;
		}
	}
	if (size > reader->cursor) {
		reader->skipped += size - reader->cursor;
		reader->cursor = size;
	}
	return OPA_READ_END;
}

/* Puts the cursor in front of a whole record. */
static opa_read advance(opa_journal_reader *reader, opa_record_view *record)
{
	parse_result result = reader->damaged ? PARSE_NOT_WHOLE : parse(reader, reader->cursor, record);
	if (result == PARSE_NOT_WHOLE && !reader->closed) {
		/* In this order: what the owner wrote before it closed the file must be seen. */
		reader->closed = is_closed(reader);
		reader->window_len = 0;
		result = reader->damaged ? PARSE_NOT_WHOLE : parse(reader, reader->cursor, record);
	}
	if (result == PARSE_FAULT) {
		return OPA_READ_ERROR;
	}
	if (result == PARSE_WHOLE) {
		return OPA_READ_RECORD;
	}
	if (!reader->closed) {
		return OPA_READ_WAIT;
	}
	opa_read read = skip(reader);
	if (read == OPA_READ_RECORD && parse(reader, reader->cursor, record) != PARSE_WHOLE) {
		return OPA_READ_ERROR;
	}
	return read;
}

opa_read opa_journal_reader_next(opa_journal_reader *reader, opa_record_view *record)
{
	for (;;) {
		opa_read read = advance(reader, record);
		if (read != OPA_READ_RECORD) {
			return read;
		}
		bool is_spans = record->header.type == OPA_RECORD_SPANS;
		if (!is_spans && !keep_resource(reader, record)) {
			return OPA_READ_ERROR;
		}
		reader->cursor = end_of(reader->cursor, record);
		if (is_spans) {
			reader->answered = reader->cursor;
			return OPA_READ_RECORD;
		}
	}
}

uint64_t opa_journal_reader_offset(const opa_journal_reader *reader)
{
	return reader->answered;
}

uint64_t opa_journal_reader_skipped(const opa_journal_reader *reader)
{
	return reader->skipped;
}

const opa_journal_header *opa_journal_reader_header(const opa_journal_reader *reader)
{
	return &reader->header;
}

bool opa_journal_reader_delete(opa_journal_reader *reader)
{
	static const char *const folders[] = {"live", "sealed"};
	for (int i = 0; i < 2; i++) {
		char path[OPA_FILE_PATH_MAX];
		if (stands_at(reader, folders[i]) && opa_file_path(path, folders[i], reader->name)) {
			unlinkat(reader->spool->dir, path, 0);
		}
	}
	return !stands_at(reader, "live") && !stands_at(reader, "sealed");
}
