/*
 * The journal, writer's side: the file into which this process appends its finished traces.
 *
 * A file is made in tmp/, locked, given its header and only then moved to live/, so a reader never
 * meets one that is not yet locked. When the next record would take it past OPA_JOURNAL_SEAL_SIZE
 * (or RLIMIT_FSIZE) it moves to sealed/ and a new one is made. The lock is held as long as the file
 * is open and is never given up explicitly: it ends with the process, or with the last close.
 *
 * Not thread-safe: opa_publish.c holds its lock around every call.
 */
#ifndef OPA_JOURNAL_H
#define OPA_JOURNAL_H

#include "opa_journal_format.h"
#include "opa_spool.h"

typedef struct opa_journal opa_journal;

typedef enum opa_journal_result {
	OPA_JOURNAL_OK = 0,
	OPA_JOURNAL_NO_FILE,    /* no file can be made in the spool */
	OPA_JOURNAL_DISK_FULL,  /* ENOSPC, EDQUOT, or a short write */
	OPA_JOURNAL_FILE_LIMIT, /* RLIMIT_FSIZE is in the way */
	OPA_JOURNAL_IO_ERROR,
	OPA_JOURNAL_TOO_LARGE, /* above OPA_RECORD_MAX_SIZE */
	OPA_JOURNAL_NO_MEMORY,
	OPA_JOURNAL_NO_DESCRIPTOR, /* RLIMIT_NOFILE, or the system's limit */
} opa_journal_result;

/* What an errno means here; `otherwise` when it is none of those that are told apart. */
opa_journal_result opa_journal_result_of(int problem, opa_journal_result otherwise);

/* A record to be written. The caller owns all of it and lends it for the call. */
typedef struct opa_record {
	uint8_t *payload; /* OPA_RECORD_HEADER_SIZE bytes in front of it are the journal's to write */
	size_t length;
	uint16_t type;  /* opa_record_type */
	uint16_t flags; /* OPA_RECORD_* */
	uint32_t spans;
	uint64_t resource;
	uint8_t trace_id[16];
} opa_record;

/*
 * A journal for one destination; no file is made before the first record. `spool` must outlive it.
 * `id` is the process's random name (32 hex digits, terminated), `sequence` the process's counter
 * of files, shared by all its journals and advanced here. NULL when memory is short.
 */
opa_journal *opa_journal_create(const opa_spool *spool, const char *id, uint64_t *sequence,
	uint16_t slot, uint64_t destination);

/* Seals the file (deletes it if it has no record) and frees. For the process that made it. */
void opa_journal_close(opa_journal *journal);

/* Frees without touching the spool: what a forked child does with what it inherited. */
void opa_journal_abandon(opa_journal *journal);

/*
 * Appends one record. `resource_fields` (an OTLP Resource message's fields) is written in front of
 * it, as a record of its own, if this file does not have record->resource yet.
 *
 * Before each write the file is looked at: when its path is gone (somebody emptied the spool), or
 * the descriptor is no longer ours, a new file is made and *lost_file set. A write that fails or is
 * short does not move the offset: what it left is cut off, and the next record overwrites it.
 */
opa_journal_result opa_journal_append(
	opa_journal *journal, const opa_record *record, opa_str resource_fields, bool *lost_file);

/*
 * Behind the last record of spans that was written: file number and offset, 0 and 0 if there was
 * none. What opa_publish_flush waits for.
 */
void opa_journal_position(const opa_journal *journal, uint64_t *sequence, uint64_t *offset);

/* What its files have taken on the disk until now, those that are sealed or lost included. */
uint64_t opa_journal_usage(const opa_journal *journal);

/* Whether there is a file that it writes to, or would, were it still there. */
bool opa_journal_has_file(const opa_journal *journal);

#endif
