/*
 * For tests of the store: one in a directory of its own, records for it, and questions to it.
 */
#ifndef OPA_TEST_STORE_FIXTURE_H
#define OPA_TEST_STORE_FIXTURE_H
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "core/opa_alloc.h"
#include "core/opa_clock.h"
#include "export/opa_store.h"
#include "export/opa_store_internal.h"
#include "otlp_build.h"

#include <fcntl.h>
#include <grp.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define REMOTE 0x300u

typedef struct fixture {
	char dir[64];
	char path[128]; /* of the database */
	opa_store *store;
} fixture;

/* A span of a test: ids are one byte, repeated; parent 0 is none. */
typedef struct made {
	uint8_t id;
	uint8_t parent;
	uint32_t flags;
	const char *name;
	uint64_t start;
	uint64_t end;
	unsigned status;
} made;

static inline opa_store *open_store(const char *path, uint64_t max_size, uint64_t max_age)
{
	char problem[512];
	opa_store_options options = {
		.path = path, .spool = "/tmp", .max_size = max_size, .max_age = max_age};
	opa_store *store = opa_store_open(&options, problem, sizeof(problem));
	if (store == NULL) {
		fail_msg("%s", problem);
	}
	return store;
}

static inline int set_up(void **state)
{
	fixture *f = calloc(1, sizeof(*f));
	strcpy(f->dir, "/tmp/opa_store.XXXXXX");
	if (mkdtemp(f->dir) == NULL) {
		return -1;
	}
	snprintf(f->path, sizeof(f->path), "%s/traces.db", f->dir);
	f->store = open_store(f->dir, 0, 0);
	*state = f;
	return 0;
}

static inline int tear_down(void **state)
{
	fixture *f = *state;
	char command[128];
	opa_store_close(f->store);
	snprintf(command, sizeof(command), "rm -rf '%s'", f->dir);
	free(f);
	return system(command);
}

/* ---- records ---- */

static inline void build_span(build *scope, uint8_t trace, const made *m)
{
	build span = {0}, status = {0};
	uint8_t bytes[16];
	memset(bytes, trace, 16);
	build_bytes(&span, 1, bytes, 16);
	memset(bytes, m->id, 8);
	build_bytes(&span, 2, bytes, 8);
	if (m->parent != 0) {
		memset(bytes, m->parent, 8);
		build_bytes(&span, 4, bytes, 8);
	}
	build_text(&span, 5, m->name);
	build_uint(&span, 6, 2);
	build_fixed64(&span, 7, m->start);
	build_fixed64(&span, 8, m->end);
	build_text_attribute(&span, 9, "k", "v");
	if (m->status != 0) {
		build_uint(&status, 3, m->status);
		build_message(&span, 15, &status);
	}
	build_fixed32(&span, 16, m->flags);
	build_message(scope, 2, &span);
}

static inline bool add_payload(opa_store *store, uint8_t trace, const build *payload,
	uint32_t spans, uint16_t flags, uint64_t resource, uint32_t *added)
{
	build fields = {0};
	char service[32];
	snprintf(service, sizeof(service), "service%d", (int)resource);
	build_text_attribute(&fields, 1, "service.name", service);
	build_int_attribute(&fields, 1, "process.pid", 12);
	opa_record_view record = {.payload = payload->data};
	record.header.length = (uint32_t)payload->len;
	record.header.spans = spans;
	record.header.flags = flags;
	record.header.resource = resource;
	memset(record.header.trace_id, trace, 16);
	bool ok = opa_store_add(store, &record, build_str(&fields), added);
	free(fields.data);
	return ok;
}

/* One record in a batch of its own. Answers how many spans were new. */
static inline uint32_t store_made(
	opa_store *store, uint8_t trace, const made *spans, size_t count, uint16_t flags)
{
	build payload = {0};
	uint32_t added;
	for (size_t i = 0; i < count; i++) {
		build_span(&payload, trace, &spans[i]);
	}
	assert_true(opa_store_begin(store));
	assert_true(add_payload(store, trace, &payload, (uint32_t)count, flags, 1, &added));
	assert_true(opa_store_commit(store));
	free(payload.data);
	return added;
}

static inline void store_bytes(fixture *f, build *span)
{
	build payload = {0};
	uint32_t added;
	build_message(&payload, 2, span);
	assert_true(opa_store_begin(f->store));
	assert_true(add_payload(f->store, 1, &payload, 1, 0, 1, &added));
	assert_true(opa_store_commit(f->store));
	free(payload.data);
}

/* ---- questions ---- */

/* The first column of the first row, by a reader of its own, "(null)" for NULL, "(none)" for no
 * row. */
static inline void ask(const char *path, const char *sql, char *answer, size_t size)
{
	sqlite3 *db;
	sqlite3_stmt *statement;
	assert_int_equal(sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
	if (sqlite3_prepare_v2(db, sql, -1, &statement, NULL) != SQLITE_OK) {
		fail_msg("%s: %s", sql, sqlite3_errmsg(db));
	}
	int result = sqlite3_step(statement);
	const char *text =
		result == SQLITE_ROW ? (const char *)sqlite3_column_text(statement, 0) : "(none)";
	assert_true(result == SQLITE_ROW || result == SQLITE_DONE);
	snprintf(answer, size, "%s", text != NULL ? text : "(null)");
	sqlite3_finalize(statement);
	sqlite3_close(db);
}

static inline void assert_answer(const fixture *f, const char *sql, const char *expected)
{
	char answer[4096];
	ask(f->path, sql, answer, sizeof(answer));
	if (strcmp(answer, expected) != 0) {
		fail_msg("%s: got %s, wanted %s", sql, answer, expected);
	}
}

#endif
