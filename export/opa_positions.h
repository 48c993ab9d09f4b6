/*
 * How far the journals of a collector's destination have been read, and what became of their spans:
 * <spool>/dest/<id>.sent, "key=value" lines (docs/internals-spool.md), replaced in one step. In
 * opa-exporter alone; one thread.
 *
 * It is written after the collector has answered, so what is killed in between sends that batch a
 * second time, and nothing else.
 */
#ifndef OPA_POSITIONS_H
#define OPA_POSITIONS_H

#include "opa_spool.h"

typedef struct opa_positions opa_positions;

/* Whether a journal of that name is in the spool. */
typedef bool (*opa_positions_exists)(void *user, const char *journal);

/*
 * Reads the file of that destination; without those positions whose journal is gone. NULL when
 * memory is short. A file that is not there, or damaged, has none. `spool` outlives it.
 */
opa_positions *opa_positions_open(
	const opa_spool *spool, uint64_t destination, opa_positions_exists exists, void *user);

/* Frees; what was not saved is not kept. NULL is allowed. */
void opa_positions_close(opa_positions *positions);

/* 0 when nothing of it has been sent. */
uint64_t opa_positions_get(const opa_positions *positions, const char *journal);

/* False when memory is short. */
bool opa_positions_set(opa_positions *positions, const char *journal, uint64_t offset);
void opa_positions_drop(opa_positions *positions, const char *journal);

/* Adds to a counter. */
void opa_positions_count(opa_positions *positions, const char *counter, uint64_t n);
uint64_t opa_positions_counter(const opa_positions *positions, const char *counter);

/* Writes the file if something has changed. False, with errno, when it cannot be written. */
bool opa_positions_save(opa_positions *positions);

/* The counters, in the order of the file. The names are those of `opa status`. */
#define OPA_COUNT_SENT          "collector_spans_sent"
#define OPA_COUNT_REJECTED      "collector_spans_rejected"
#define OPA_COUNT_MALFORMED     "collector_spans_dropped_malformed"
#define OPA_COUNT_REFUSED       "collector_spans_dropped_refused"
#define OPA_COUNT_BYTES_SKIPPED "exporter_bytes_skipped"

#endif
