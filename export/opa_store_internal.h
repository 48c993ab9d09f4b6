/*
 * What the files of the store share: opa_store.c (opening, batches, positions), opa_store_place.c
 * (where, and whose), opa_store_decode.c (a span's bytes), opa_store_write.c (rows of spans and
 * traces), opa_store_prune.c. Nobody else includes this.
 */
#ifndef OPA_STORE_INTERNAL_H
#define OPA_STORE_INTERNAL_H

#include "opa_otlp_read.h"
#include "opa_store.h"

#include "../core/opa_id.h"

#include <sqlite3.h>

#define OPA_STORE_PROBLEM_MAX 512

typedef enum opa_statement {
	OPA_STATEMENT_BEGIN,
	OPA_STATEMENT_COMMIT,
	OPA_STATEMENT_POSITION_GET,
	OPA_STATEMENT_POSITION_SET,
	OPA_STATEMENT_POSITION_DROP,
	OPA_STATEMENT_POSITION_LIST,
	OPA_STATEMENT_POSITION_DROP_OLD,
	OPA_STATEMENT_COUNT,
	OPA_STATEMENT_SPAN_ADD,
	OPA_STATEMENT_SPAN_EXISTS,
	OPA_STATEMENT_ROOT_STANDING,
	OPA_STATEMENT_ROOT_FIND,
	OPA_STATEMENT_FIRST_FIND,
	OPA_STATEMENT_TRACE_GET,
	OPA_STATEMENT_TRACE_ADD,
	OPA_STATEMENT_TRACE_CHANGE,
	OPA_STATEMENT_TRACE_COMPLETE,
	OPA_STATEMENT_RESOURCE_USE,
	OPA_STATEMENT_RESOURCE_ADD,
	OPA_STATEMENT_PRUNE_OLDEST,
	OPA_STATEMENT_PRUNE_COUNT,
	OPA_STATEMENT_PRUNE_SPANS,
	OPA_STATEMENT_PRUNE_TRACE,
	OPA_STATEMENT_PRUNE_RESOURCES,
	OPA_STATEMENT_PAGE_COUNT,
	OPA_STATEMENT_FREE_COUNT,
	OPA_STATEMENT_PAGE_SIZE,
	OPA_STATEMENT_VACUUM,
	OPA_STATEMENTS
} opa_statement;

struct opa_store {
	sqlite3 *db;
	sqlite3_stmt *statements[OPA_STATEMENTS];
	char *path;
	char spool[64]; /* which spool a position belongs to */
	char problem[OPA_STORE_PROBLEM_MAX];
	uint64_t max_size;
	uint64_t max_age;
	uint64_t log_bound;   /* bytes of write-ahead log above which begin refuses */
	int checkpoint_pages; /* of log, at which it is brought into the main file */
	uint64_t log_pages;   /* in the write-ahead log after the last commit */
	uint64_t page_size;
	opa_text attributes; /* used by opa_store_add, kept for their memory */
	opa_text events;
	opa_text links;
	opa_text name;
	opa_text message;
	opa_text trace_state;
};

/* ---- opa_store.c ---- */

/* The statement, ready to be bound; NULL, with the problem noted, when it cannot be prepared. */
sqlite3_stmt *opa_store_statement(opa_store *store, opa_statement which);

/* Runs one to its end and resets it. */
bool opa_store_run(opa_store *store, sqlite3_stmt *statement);

/* One step of a query: SQLITE_ROW or SQLITE_DONE; else the problem is noted. The caller resets. */
int opa_store_step(opa_store *store, sqlite3_stmt *statement);

/* Runs a query that answers one integer. */
bool opa_store_number(opa_store *store, opa_statement which, uint64_t *number);

/* Notes what went wrong and answers false, so that it can be returned. */
bool opa_store_fail(opa_store *store, const char *what);

/* Bytes that are valid until the statement has run, as TEXT; a NULL pointer becomes NULL. */
void opa_store_bind_text(sqlite3_stmt *statement, int index, const char *data, size_t len);

static inline int64_t opa_store_clamp(uint64_t value)
{
	return value > INT64_MAX ? INT64_MAX : (int64_t)value;
}

/* ---- opa_store_place.c ---- */

/*
 * Finds the store's file, makes its directory and the file, and puts owner and mode right. NULL
 * with a line in *problem when that cannot be; with a path, *problem may have a warning. Freed with
 * opa_free().
 */
char *opa_store_place(const opa_store_options *options, char *problem, size_t size);

/* ---- opa_store_decode.c ---- */

#define OPA_STATUS_ERROR 2

/*
 * A span as it was read. Its texts lie in the record or, repaired, in the store's buffers, where
 * its attributes, events and links are as well: valid until the next one is decoded.
 */
typedef struct opa_stored_span {
	opa_str trace_id;
	char id[OPA_SPAN_ID_HEX];
	char parent[OPA_SPAN_ID_HEX];
	bool has_id;
	bool has_parent;
	bool damaged;
	opa_str name;
	opa_str raw_name; /* in the record, perhaps invalid UTF-8 */
	opa_str message;
	opa_str trace_state;
	int64_t start; /* Unix nanoseconds, as are all times of the store */
	int64_t end;
	unsigned kind;
	unsigned status;
	uint32_t flags;
	uint64_t dropped_attributes;
	uint64_t dropped_events;
	uint64_t dropped_links;
} opa_stored_span;

typedef enum opa_decoded {
	OPA_DECODED,
	OPA_DECODED_DAMAGED, /* not a span of that trace which can be stored */
	OPA_DECODED_NO_MEMORY,
} opa_decoded;

/* Reads one OTLP Span message. An attribute, event or link that is damaged counts as dropped. */
opa_decoded opa_store_decode(
	opa_store *store, opa_stored_span *span, opa_str message, const uint8_t trace_id[16]);

/*
 * Makes a string valid UTF-8 in `buffer` if it is not: SQLite takes any bytes for TEXT, but who
 * reads them later as JSON does not. When memory is short buffer->failed is set.
 */
void opa_store_repair(opa_str *string, opa_text *buffer);

#endif
