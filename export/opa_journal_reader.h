/*
 * The journal, reader's side: in opa-exporter alone, which holds the spool's lease, so there is one
 * reader at a time.
 *
 * A file of live/ is closed to writers when its lock can be had and the path still leads to it, or
 * when its owner is gone (a forked child that never executed anything may hold the lock on). A file
 * of sealed/ is closed to writers. In an open file a record that is not whole means "not yet"; in a
 * closed one it is damage: the reader goes on at the next record that is whole and counts the bytes
 * between.
 */
#ifndef OPA_JOURNAL_READER_H
#define OPA_JOURNAL_READER_H

#include "opa_journal_format.h"
#include "opa_spool.h"

#define OPA_JOURNAL_NAME_MAX 80

typedef struct opa_journal_reader opa_journal_reader;

typedef enum opa_read {
	OPA_READ_RECORD, /* *record is filled in */
	OPA_READ_WAIT,   /* nothing whole yet; the owner may write more */
	OPA_READ_END,    /* closed to writers and read to the end: it may be deleted */
	OPA_READ_ERROR,  /* I/O or memory, as errno says: try again later; nothing was consumed */
} opa_read;

typedef struct opa_record_view {
	opa_record_header header;
	const uint8_t *payload; /* header.length bytes, valid until the next call on this reader */
} opa_record_view;

/*
 * Names of the journals in the spool ("<32 hex>.<sequence>.j"), oldest first by time of change,
 * those of sealed/ and of live/ alike, each once. Answers how many, -1 when memory is short or the
 * directories cannot be read; *names is one block, freed with opa_free().
 */
typedef char opa_journal_name[OPA_JOURNAL_NAME_MAX];
long opa_journal_list(const opa_spool *spool, opa_journal_name **names);

/*
 * Opens a journal at `offset`, 0 meaning its first record. Resources that stand before the offset
 * are collected. NULL when it is gone (errno is ENOENT), cannot be read, or memory is short, and
 * for a file of a later version (EPROTONOSUPPORT), which is left to the exporter that knows it. A
 * file whose header is damaged is opened and reads as OPA_READ_END once it is closed to writers,
 * all of it counted as skipped.
 */
opa_journal_reader *opa_journal_reader_open(
	const opa_spool *spool, const char *name, uint64_t offset);
void opa_journal_reader_close(opa_journal_reader *reader);

/* The next record of spans; resources are kept by the reader and not shown. */
opa_read opa_journal_reader_next(opa_journal_reader *reader, opa_record_view *record);

/* Behind the last record that was answered: what to store, and to open with the next time. */
uint64_t opa_journal_reader_offset(const opa_journal_reader *reader);

/* Bytes passed over as damage since the reader was opened. */
uint64_t opa_journal_reader_skipped(const opa_journal_reader *reader);

const opa_journal_header *opa_journal_reader_header(const opa_journal_reader *reader);

/* The fields of the resource with that id; empty when the file has none. Valid until close. */
opa_str opa_journal_reader_resource(const opa_journal_reader *reader, uint64_t id);

/* Removes the file, wherever it stands now. For a reader that answered OPA_READ_END. */
bool opa_journal_reader_delete(opa_journal_reader *reader);

/*
 * Removes what crashed processes left in tmp/: files with names that opa gives, older than a minute
 * and not locked.
 */
void opa_journal_clean_tmp(const opa_spool *spool);

#endif
