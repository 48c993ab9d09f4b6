/*
 * The local store: one SQLite file into which finished traces go. In opa-exporter alone. The schema
 * is in docs/store.md.
 *
 * One thread. Functions answer false on a failure of SQLite or memory; opa_store_problem() says
 * what happened. After a false inside a batch the batch is rolled back whole.
 */
#ifndef OPA_STORE_H
#define OPA_STORE_H

#include "opa_journal_reader.h"

typedef struct opa_store opa_store;

typedef struct opa_store_options {
	const char *path;      /* opa.store_path, or NULL: search as docs/store.md says */
	const char *state_dir; /* $XDG_STATE_HOME of a script; NULL: not searched, as for servers */
	const char *home;      /* the same for $HOME */
	const char *spool;     /* path of the spool, the last resort; its positions are kept apart */
	const char *group;     /* opa.store_group, or NULL */
	uint64_t max_size;     /* bytes; 0: no bound */
	uint64_t spool_size;   /* bytes that a store in the spool itself may take; 0: no bound */
	uint64_t max_age;      /* seconds; 0: no bound */
	bool durable;          /* a commit reaches the disk before it returns: for a spool that outlives
							  the machine. Without it the spool would be lost in the same moment */
	bool must_exist;       /* NULL, with an empty *problem, where there is no file yet */
} opa_store_options;

/*
 * Opens or makes the store. NULL when it cannot be: *problem (size bytes) then has a line for
 * people. A file that a newer opa has made is refused. When it could be opened, but not all is as
 * it was asked for (the group), opa_store_problem() says so.
 */
opa_store *opa_store_open(const opa_store_options *options, char *problem, size_t size);

/* Rolls back what is open, closes and frees. NULL is allowed. */
void opa_store_close(opa_store *store);

/* Whether its bound is so low that it wants to be pruned every few seconds. */
bool opa_store_is_small(const opa_store *store);

/* The file. Valid until close. */
const char *opa_store_path(const opa_store *store);

/* The last failure, for people; "" when there was none. */
const char *opa_store_problem(const opa_store *store);

/* Where reading of this journal stands: 0 when nothing of it is in the store. */
bool opa_store_position(opa_store *store, const char *journal, uint64_t *offset);

/*
 * begin refuses when a reader that does not end has made the write-ahead log as large as the store
 * may be (docs/store.md, "Readers"). A failed commit rolls back.
 */
bool opa_store_begin(opa_store *store);
bool opa_store_commit(opa_store *store);
void opa_store_rollback(opa_store *store);

/*
 * Inside a batch: writes the spans of one record. Spans that the store has already are left as they
 * are. What cannot be decoded is counted and passed over; that is not a failure. *added: how many
 * spans are new.
 */
bool opa_store_add(
	opa_store *store, const opa_record_view *record, opa_str resource_fields, uint32_t *added);

/* Inside a batch. */
bool opa_store_set_position(opa_store *store, const char *journal, uint64_t offset);
bool opa_store_drop_position(opa_store *store, const char *journal);
bool opa_store_count(opa_store *store, const char *counter, uint64_t n);

/*
 * Outside a batch: drops the positions of this spool's files for which `exists` answers false, left
 * behind by an exporter that was killed between removing a file and dropping its position.
 */
typedef bool (*opa_store_exists)(void *user, const char *journal);
bool opa_store_clean_positions(opa_store *store, opa_store_exists exists, void *user);

/*
 * Outside a batch: removes what is too old or too much, in steps that each take a few ms, for about
 * 50 ms; *more says that there is more to do.
 */
bool opa_store_prune(opa_store *store, bool *more);

#endif
