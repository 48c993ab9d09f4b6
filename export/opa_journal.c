#include "opa_journal.h"
#include "opa_file.h"
#include "opa_usage.h"
#include "../core/opa_alloc.h"
#include "../core/opa_crc32c.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

/* How many resources of the open file are remembered; one that was forgotten is written again. */
#define RESOURCES 8

struct opa_journal {
	const opa_spool *spool;
	uint64_t *sequence;
	opa_file file;
	uint64_t number;       /* of the open file, else of the last one */
	uint64_t offset;       /* where its next record goes */
	uint64_t records;      /* of spans, in the open file */
	uint64_t used;         /* by the files before it */
	uint32_t seed;         /* the file header's crc, which every record's continues */
	uint64_t spans_number; /* where the last record of spans ended */
	uint64_t spans_offset;
	uint64_t resources[RESOURCES];
	unsigned resource_count; /* grows without end; modulo RESOURCES is the next place */
	opa_owner owner;
	uint64_t destination;
	uint16_t slot;
	char id[33];
};

typedef char file_name[OPA_FILE_PATH_MAX];

opa_journal *opa_journal_create(
	const opa_spool *spool, const char *id, uint64_t *sequence, uint16_t slot, uint64_t destination)
{
	opa_journal *journal = opa_calloc(1, sizeof(*journal));
	if (journal == NULL) {
		return NULL;
	}
	journal->spool = spool;
	journal->sequence = sequence;
	journal->file = OPA_FILE_NONE;
	journal->slot = slot;
	journal->destination = destination;
	snprintf(journal->id, sizeof(journal->id), "%s", id);
	opa_owner_self(&journal->owner);
	return journal;
}

static void name_of(const opa_journal *journal, file_name name)
{
	snprintf(
		name, sizeof(file_name), "%s.%llu.j", journal->id, (unsigned long long)journal->number);
}

static bool unlink_live(const opa_journal *journal)
{
	file_name name, path;
	name_of(journal, name);
	return opa_file_path(path, "live", name) && unlinkat(journal->spool->dir, path, 0) == 0;
}

/* The descriptor may name another file by now. */
static void let_go(opa_journal *journal)
{
	journal->used += opa_usage_of_file(journal->offset);
	opa_file_close(&journal->file);
}

/*
 * A file that cannot be moved stays in live/: once it is closed its lock is free, which tells the
 * reader the same.
 */
static void seal(opa_journal *journal)
{
	file_name name, from, to;
	uint64_t size;
	if (opa_file_look(&journal->file, &size) == OPA_FILE_OURS) {
		name_of(journal, name);
		if (journal->records == 0) {
			unlink_live(journal);
			journal->offset = 0;
		} else if (opa_file_path(from, "live", name) && opa_file_path(to, "sealed", name)) {
			renameat(journal->spool->dir, from, journal->spool->dir, to);
		}
	}
	let_go(journal);
}

void opa_journal_close(opa_journal *journal)
{
	if (journal->file.fd >= 0) {
		seal(journal);
	}
	opa_free(journal);
}

void opa_journal_abandon(opa_journal *journal)
{
	opa_file_close(&journal->file);
	opa_free(journal);
}

void opa_journal_position(const opa_journal *journal, uint64_t *sequence, uint64_t *offset)
{
	*sequence = journal->spans_number;
	*offset = journal->spans_offset;
}

uint64_t opa_journal_usage(const opa_journal *journal)
{
	return journal->used + (journal->file.fd >= 0 ? opa_usage_of_file(journal->offset) : 0);
}

bool opa_journal_has_file(const opa_journal *journal)
{
	return journal->file.fd >= 0;
}

opa_journal_result opa_journal_result_of(int problem, opa_journal_result otherwise)
{
	switch (problem) {
	case ENOSPC:
	case EDQUOT:
		return OPA_JOURNAL_DISK_FULL;
	case EFBIG:
		return OPA_JOURNAL_FILE_LIMIT;
	case EMFILE:
	case ENFILE:
		return OPA_JOURNAL_NO_DESCRIPTOR;
	default:
		return otherwise;
	}
}

static opa_journal_result make_file(opa_journal *journal)
{
	file_name name;
	journal->number = ++*journal->sequence;
	opa_journal_header header = {
		.magic = OPA_JOURNAL_MAGIC,
		.version = OPA_JOURNAL_VERSION,
		.slot = journal->slot,
		.destination = journal->destination,
		.sequence = journal->number,
		.owner = journal->owner,
	};
	header.crc = opa_crc32c(0, &header, offsetof(opa_journal_header, crc));
	name_of(journal, name);
	if (!opa_file_make(journal->spool, "live", name, &header, sizeof(header), &journal->file)) {
		return opa_journal_result_of(errno, OPA_JOURNAL_NO_FILE);
	}
	journal->offset = sizeof(header);
	journal->records = 0;
	journal->seed = header.crc;
	journal->resource_count = 0;
	return OPA_JOURNAL_OK;
}

static bool has_resource(const opa_journal *journal, uint64_t resource)
{
	for (unsigned i = 0; i < journal->resource_count && i < RESOURCES; i++) {
		if (journal->resources[i] == resource) {
			return true;
		}
	}
	return false;
}

/* `fresh`: in a new file, which has no resource yet. */
static size_t size_of(
	const opa_journal *journal, const opa_record *record, opa_str fields, bool fresh)
{
	size_t size = OPA_RECORD_HEADER_SIZE + record->length;
	if (fields.len > 0 && (fresh || !has_resource(journal, record->resource))) {
		size += OPA_RECORD_HEADER_SIZE + fields.len;
	}
	return size;
}

/* Makes sure that there is a file with room for the record. */
static opa_journal_result prepare(
	opa_journal *journal, const opa_record *record, opa_str fields, bool *lost_file)
{
	uint64_t size;
	if (journal->file.fd >= 0 && opa_file_look(&journal->file, &size) != OPA_FILE_OURS) {
		let_go(journal);
		*lost_file = true;
	}
	if (journal->file.fd >= 0) {
		uint64_t end = journal->offset + size_of(journal, record, fields, false);
		bool allowed = opa_file_may_reach(end);
		if (allowed && (end <= OPA_JOURNAL_SEAL_SIZE || journal->records == 0)) {
			return OPA_JOURNAL_OK;
		}
		if (journal->records == 0) {
			return OPA_JOURNAL_FILE_LIMIT;
		}
		seal(journal);
	}
	uint64_t end = sizeof(opa_journal_header) + size_of(journal, record, fields, true);
	return opa_file_may_reach(end) ? make_file(journal) : OPA_JOURNAL_FILE_LIMIT;
}

/* What is there of a write that did not succeed may not stand between two records. */
static opa_journal_result failed(opa_journal *journal)
{
	opa_journal_result result = opa_journal_result_of(errno, OPA_JOURNAL_IO_ERROR);
	uint64_t size;
	if (opa_file_look(&journal->file, &size) != OPA_FILE_FOREIGN && size > journal->offset) {
		(void)!ftruncate(journal->file.fd, (off_t)journal->offset);
	}
	return result;
}

static void checksum(
	const opa_journal *journal, opa_record_header *header, const void *payload, size_t len)
{
	header->crc = 0;
	uint32_t crc = opa_crc32c(journal->seed, header, sizeof(*header));
	header->crc = opa_crc32c(crc, payload, len);
}

/* Resources are borrowed from settings and have no room in front: the one write with two parts. */
static opa_journal_result append_resource(opa_journal *journal, uint64_t resource, opa_str fields)
{
	opa_record_header header = {
		.magic = OPA_RECORD_MAGIC,
		.version = OPA_RECORD_VERSION,
		.type = OPA_RECORD_RESOURCE,
		.length = (uint32_t)fields.len,
		.resource = resource,
	};
	checksum(journal, &header, fields.data, fields.len);
	struct iovec parts[] = {
		{&header, sizeof(header)},
		{(void *)(uintptr_t)fields.data, fields.len},
	};
	ssize_t wrote;
	do {
		wrote = pwritev(journal->file.fd, parts, 2, (off_t)journal->offset);
	} while (wrote < 0 && errno == EINTR);
	if (wrote < 0 || (size_t)wrote < sizeof(header) + fields.len) {
		errno = wrote < 0 ? errno : ENOSPC;
		return failed(journal);
	}
	journal->offset += sizeof(header) + fields.len;
	journal->resources[journal->resource_count++ % RESOURCES] = resource;
	return OPA_JOURNAL_OK;
}

static opa_journal_result append_spans(opa_journal *journal, const opa_record *record)
{
	opa_record_header header = {
		.magic = OPA_RECORD_MAGIC,
		.version = OPA_RECORD_VERSION,
		.type = (uint8_t)record->type,
		.flags = record->flags,
		.length = (uint32_t)record->length,
		.spans = record->spans,
		.resource = record->resource,
	};
	memcpy(header.trace_id, record->trace_id, sizeof(header.trace_id));
	checksum(journal, &header, record->payload, record->length);
	uint8_t *start = record->payload - sizeof(header);
	size_t size = sizeof(header) + record->length;
	memcpy(start, &header, sizeof(header));
	if (!opa_file_write(journal->file.fd, start, size, journal->offset)) {
		return failed(journal);
	}
	journal->offset += size;
	journal->records++;
	journal->spans_number = journal->number;
	journal->spans_offset = journal->offset;
	return OPA_JOURNAL_OK;
}

opa_journal_result opa_journal_append(
	opa_journal *journal, const opa_record *record, opa_str resource_fields, bool *lost_file)
{
	*lost_file = false;
	if (record->length > OPA_RECORD_MAX_SIZE || resource_fields.len > OPA_RECORD_MAX_SIZE) {
		return OPA_JOURNAL_TOO_LARGE;
	}
	opa_journal_result result = prepare(journal, record, resource_fields, lost_file);
	if (result == OPA_JOURNAL_OK && resource_fields.len > 0 &&
		!has_resource(journal, record->resource)) {
		result = append_resource(journal, record->resource, resource_fields);
	}
	return result == OPA_JOURNAL_OK ? append_spans(journal, record) : result;
}
