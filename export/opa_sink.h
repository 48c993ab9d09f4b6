/*
 * Where the traces of a destination go: a local store or a collector, behind one door. In
 * opa-exporter alone; one thread.
 *
 * The rules:
 * 1. Records are added to a batch, between begin and commit or rollback. begin may refuse.
 * 2. A commit is done, has failed, or is pending; while it is pending the only call allowed is
 *    commit again, which goes on with it, or rollback.
 * 3. When it is done, none of its records is ever to be added again: position() answers, for each
 *    journal, the offset behind the last one, also to an exporter that comes later. (A collector
 * may have refused records: `problem` and `brought` say what became of them.)
 * 4. When it has failed, or was rolled back, position() says from where on records are to be added
 *    again: a collector may have taken some of them. `problem` says why.
 * 5. All texts that are lent are lent for the call.
 */
#ifndef OPA_SINK_H
#define OPA_SINK_H

#include "opa_journal_reader.h"

#define OPA_SINK_PROBLEM_MAX 800

typedef struct opa_sink opa_sink;

/* A record as it comes from a journal. */
typedef struct opa_arrival {
	const opa_record_view *record;
	opa_str resource;    /* the fields of its resource */
	const char *journal; /* the name */
	uint64_t offset;     /* behind the record */
} opa_arrival;

typedef enum opa_added {
	OPA_ADDED,
	OPA_ADDED_FULL, /* the batch wants to be committed now */
	OPA_ADD_FAILED,
} opa_added;

typedef enum opa_commit {
	OPA_COMMIT_DONE,
	OPA_COMMIT_PENDING,
	OPA_COMMIT_FAILED,
} opa_commit;

typedef struct opa_sink_type {
	/* From where on a journal is to be read. */
	bool (*position)(opa_sink *sink, const char *journal, uint64_t *offset);
	bool (*begin)(opa_sink *sink);
	opa_added (*add)(opa_sink *sink, const opa_arrival *arrival);
	/* Adds to a counter of what the exporter itself has noticed. */
	bool (*count)(opa_sink *sink, const char *counter, uint64_t n);
	/* A journal is gone: its position can be forgotten. */
	bool (*drop)(opa_sink *sink, const char *journal);
	/* With `wait` it is not pending: it is done, has failed, or the exporter has to leave. */
	opa_commit (*commit)(opa_sink *sink, bool wait);
	void (*rollback)(opa_sink *sink);
	/* Rolls back, closes and frees. */
	void (*close)(opa_sink *sink);
} opa_sink_type;

struct opa_sink {
	const opa_sink_type *type;
	uint64_t linger; /* ns that a batch which is not full may wait for more */
	/* After a failure, or a commit that is done but could not bring in all; "": all is well. */
	char problem[OPA_SINK_PROBLEM_MAX];
	uint64_t pause_ms; /* with a failure: before the next try; 0: the caller decides */
	struct {
		uint64_t spans;
		uint64_t traces;
	} brought; /* by the last commit; also by one that has failed, see 4. */
};

#endif
