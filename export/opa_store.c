#include "opa_store_internal.h"

#include "../core/opa_alloc.h"
#include "../core/opa_clock.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define SCHEMA_VERSION 1
#define SCHEMA_TEXT    "1"
#define APPLICATION_ID "0x6f706154" /* "opaT" */

#define BUSY_TIMEOUT_MS  2000
#define CHECKPOINT_PAGES 4000               /* 16 MB of log */
#define LOG_KEPT         (20 * 1024 * 1024) /* what the log is cut to once it was larger */
#define SMALLEST_PAGE    4096u
#define SMALL_STORE      (256ull * 1024 * 1024)
#define LOG_BOUND_MIN    (64ull * 1024 * 1024)
#define LOG_BOUND_ELSE   (1024ull * 1024 * 1024) /* where the store has no bound */

/* Positions of another spool's files that have not moved for so long are nobody's any more. */
#define POSITION_AGE_NS (30ull * 24 * 3600 * 1000000000)

static const char schema[] =
	"PRAGMA user_version = " SCHEMA_TEXT "; PRAGMA application_id = " APPLICATION_ID ";"
	"CREATE TABLE traces (seq INTEGER PRIMARY KEY, trace_id TEXT NOT NULL UNIQUE,"
	" root_span_id TEXT, name TEXT NOT NULL, service TEXT NOT NULL, start_ns INTEGER NOT NULL,"
	" end_ns INTEGER NOT NULL, duration_ns INTEGER NOT NULL, status INTEGER NOT NULL,"
	" spans INTEGER NOT NULL, errors INTEGER NOT NULL, complete INTEGER NOT NULL,"
	" stored_ns INTEGER NOT NULL);"
	"CREATE INDEX traces_start ON traces (start_ns);"
	"CREATE INDEX traces_stored ON traces (stored_ns);"
	"CREATE TABLE spans (trace_id TEXT NOT NULL, span_id TEXT NOT NULL, parent_id TEXT,"
	" remote INTEGER NOT NULL, name TEXT NOT NULL, kind INTEGER NOT NULL,"
	" start_ns INTEGER NOT NULL, duration_ns INTEGER NOT NULL, status INTEGER NOT NULL,"
	" status_message TEXT, flags INTEGER NOT NULL, trace_state TEXT, attributes TEXT NOT NULL,"
	" events TEXT, links TEXT, dropped_attributes INTEGER NOT NULL,"
	" dropped_events INTEGER NOT NULL, dropped_links INTEGER NOT NULL,"
	" resource INTEGER NOT NULL, PRIMARY KEY (trace_id, span_id));"
	"CREATE INDEX spans_start ON spans (start_ns);"
	"CREATE TABLE resources (id INTEGER PRIMARY KEY, service TEXT NOT NULL,"
	" attributes TEXT NOT NULL, spans INTEGER NOT NULL);"
	"CREATE INDEX resources_unused ON resources (id) WHERE spans <= 0;"
	"CREATE TABLE positions (journal TEXT PRIMARY KEY, offset INTEGER NOT NULL,"
	" spool TEXT NOT NULL, stored_ns INTEGER NOT NULL) WITHOUT ROWID;"
	"CREATE TABLE counters (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;";

#define IS_ROOT                                                                                    \
	"(s.parent_id IS NULL OR (s.remote = 1 AND NOT EXISTS (SELECT 1 FROM spans p"                  \
	" WHERE p.trace_id = s.trace_id AND p.span_id = s.parent_id)))"
#define HEAD_OF_SPAN                                                                               \
	"SELECT s.span_id, s.parent_id IS NOT NULL, s.name, r.service, s.status, s.start_ns,"          \
	" s.duration_ns"                                                                               \
	" FROM spans s LEFT JOIN resources r ON r.id = s.resource WHERE s.trace_id = ?1 "

static const char *const statements[OPA_STATEMENTS] = {
	[OPA_STATEMENT_BEGIN] = "BEGIN IMMEDIATE",
	[OPA_STATEMENT_COMMIT] = "COMMIT",
	[OPA_STATEMENT_POSITION_GET] = "SELECT offset FROM positions WHERE journal = ?1",
	[OPA_STATEMENT_POSITION_SET] =
		"INSERT INTO positions (journal, offset, spool, stored_ns) VALUES (?1, ?2, ?3, ?4)"
		" ON CONFLICT (journal) DO UPDATE SET offset = excluded.offset,"
		" spool = excluded.spool, stored_ns = excluded.stored_ns",
	[OPA_STATEMENT_POSITION_DROP] = "DELETE FROM positions WHERE journal = ?1",
	[OPA_STATEMENT_POSITION_LIST] = "SELECT journal FROM positions WHERE spool = ?1",
	[OPA_STATEMENT_POSITION_DROP_OLD] =
		"DELETE FROM positions WHERE spool <> ?1 AND stored_ns < ?2",
	[OPA_STATEMENT_COUNT] = "INSERT INTO counters (name, value) VALUES (?1, ?2)"
							" ON CONFLICT (name) DO UPDATE SET value = value + excluded.value",
	[OPA_STATEMENT_SPAN_ADD] =
		"INSERT OR IGNORE INTO spans (trace_id, span_id, parent_id, remote, name, kind, start_ns,"
		" duration_ns, status, status_message, flags, trace_state, attributes, events, links,"
		" dropped_attributes, dropped_events, dropped_links, resource) VALUES (?1, ?2, ?3, ?4, ?5,"
		" ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19)",
	[OPA_STATEMENT_SPAN_EXISTS] = "SELECT 1 FROM spans WHERE trace_id = ?1 AND span_id = ?2",
	[OPA_STATEMENT_ROOT_STANDING] = HEAD_OF_SPAN "AND s.span_id = ?2 AND " IS_ROOT,
	[OPA_STATEMENT_ROOT_FIND] = HEAD_OF_SPAN
	"AND " IS_ROOT " ORDER BY s.parent_id IS NOT NULL, s.start_ns, s.span_id LIMIT 1",
	[OPA_STATEMENT_FIRST_FIND] = HEAD_OF_SPAN "ORDER BY s.start_ns, s.span_id LIMIT 1",
	[OPA_STATEMENT_TRACE_GET] =
		"SELECT root_span_id, start_ns, end_ns, spans, errors FROM traces WHERE trace_id = ?1",
	[OPA_STATEMENT_TRACE_ADD] =
		"INSERT INTO traces (trace_id, root_span_id, name, service, start_ns, end_ns, duration_ns,"
		" status, spans, errors, complete, stored_ns)"
		" VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
	[OPA_STATEMENT_TRACE_CHANGE] =
		"UPDATE traces SET root_span_id = ?2, name = coalesce(?3, name),"
		" service = coalesce(?4, service), start_ns = ?5, end_ns = ?6,"
		" duration_ns = coalesce(?7, duration_ns), status = coalesce(?8, status), spans = ?9,"
		" errors = ?10, complete = max(complete, ?11), stored_ns = ?12 WHERE trace_id = ?1",
	[OPA_STATEMENT_TRACE_COMPLETE] = "UPDATE traces SET complete = 1 WHERE trace_id = ?1",
	[OPA_STATEMENT_RESOURCE_USE] = "UPDATE resources SET spans = spans + ?2 WHERE id = ?1",
	[OPA_STATEMENT_RESOURCE_ADD] =
		"INSERT INTO resources (id, service, attributes, spans) VALUES (?1, ?2, ?3, ?4)",
	[OPA_STATEMENT_PRUNE_OLDEST] =
		"SELECT trace_id, stored_ns FROM traces ORDER BY stored_ns, seq LIMIT 1",
	[OPA_STATEMENT_PRUNE_COUNT] =
		"UPDATE resources SET spans = spans - (SELECT count(*) FROM (SELECT resource FROM spans"
		" WHERE trace_id = ?1 ORDER BY span_id LIMIT ?2) WHERE resource = resources.id)"
		" WHERE id IN (SELECT resource FROM spans WHERE trace_id = ?1 ORDER BY span_id LIMIT ?2)",
	[OPA_STATEMENT_PRUNE_SPANS] =
		"DELETE FROM spans WHERE rowid IN"
		" (SELECT rowid FROM spans WHERE trace_id = ?1 ORDER BY span_id LIMIT ?2)",
	[OPA_STATEMENT_PRUNE_TRACE] = "DELETE FROM traces WHERE trace_id = ?1",
	[OPA_STATEMENT_PRUNE_RESOURCES] = "DELETE FROM resources WHERE spans <= 0",
	[OPA_STATEMENT_PAGE_COUNT] = "PRAGMA page_count",
	[OPA_STATEMENT_FREE_COUNT] = "PRAGMA freelist_count",
	[OPA_STATEMENT_PAGE_SIZE] = "PRAGMA page_size",
	[OPA_STATEMENT_VACUUM] = "PRAGMA incremental_vacuum(500)",
};

/* ---- statements ---- */

bool opa_store_fail(opa_store *store, const char *what)
{
	snprintf(store->problem, sizeof(store->problem), "%s (%s): %s", what, store->path,
		sqlite3_errmsg(store->db));
	return false;
}

sqlite3_stmt *opa_store_statement(opa_store *store, opa_statement which)
{
	sqlite3_stmt **statement = &store->statements[which];
	if (*statement == NULL && sqlite3_prepare_v3(store->db, statements[which], -1,
								  SQLITE_PREPARE_PERSISTENT, statement, NULL) != SQLITE_OK) {
		opa_store_fail(store, "cannot use the store");
		return NULL;
	}
	return *statement;
}

int opa_store_step(opa_store *store, sqlite3_stmt *statement)
{
	int result = sqlite3_step(statement);
	if (result != SQLITE_ROW && result != SQLITE_DONE) {
		opa_store_fail(store, "the store failed");
	}
	return result;
}

bool opa_store_run(opa_store *store, sqlite3_stmt *statement)
{
	if (statement == NULL) {
		return false;
	}
	int result;
	do {
		result = opa_store_step(store, statement);
	} while (result == SQLITE_ROW);
	sqlite3_reset(statement);
	return result == SQLITE_DONE;
}

bool opa_store_number(opa_store *store, opa_statement which, uint64_t *number)
{
	sqlite3_stmt *statement = opa_store_statement(store, which);
	*number = 0;
	if (statement == NULL) {
		return false;
	}
	int result = opa_store_step(store, statement);
	if (result == SQLITE_ROW) {
		*number = (uint64_t)sqlite3_column_int64(statement, 0);
	}
	sqlite3_reset(statement);
	return result == SQLITE_ROW;
}

void opa_store_bind_text(sqlite3_stmt *statement, int index, const char *data, size_t len)
{
	if (data == NULL) {
		sqlite3_bind_null(statement, index);
	} else {
		sqlite3_bind_text64(statement, index, data, len, SQLITE_STATIC, SQLITE_UTF8);
	}
}

static void bind_string(sqlite3_stmt *statement, int index, const char *string)
{
	opa_store_bind_text(statement, index, string, strlen(string));
}

/* ---- opening ---- */

/* What SQLite's own automatic checkpoint does, and the size of the log noted. */
static int note_log(void *user, sqlite3 *db, const char *name, int pages)
{
	opa_store *store = user;
	store->log_pages = (uint64_t)pages;
	if (pages >= store->checkpoint_pages) {
		sqlite3_wal_checkpoint_v2(db, name, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
	}
	return SQLITE_OK;
}

static bool execute(opa_store *store, const char *sql)
{
	return sqlite3_exec(store->db, sql, NULL, NULL, NULL) == SQLITE_OK ||
		   opa_store_fail(store, "cannot open the store");
}

/* The integer that a query answers, without keeping the statement. */
static bool ask(opa_store *store, const char *sql, int64_t *answer)
{
	sqlite3_stmt *statement = NULL;
	bool ok = sqlite3_prepare_v2(store->db, sql, -1, &statement, NULL) == SQLITE_OK &&
			  sqlite3_step(statement) == SQLITE_ROW;
	*answer = ok ? sqlite3_column_int64(statement, 0) : 0;
	if (!ok) {
		opa_store_fail(store, "cannot open the store");
	}
	sqlite3_finalize(statement);
	return ok;
}

static bool refuse(opa_store *store, const char *why)
{
	snprintf(
		store->problem, sizeof(store->problem), "cannot open the store (%s): %s", store->path, why);
	return false;
}

/* Inside a transaction, so that of two exporters that meet a new file one makes the tables. */
static bool make_schema(opa_store *store)
{
	int64_t version, objects, application;
	if (!ask(store, "PRAGMA user_version", &version) ||
		!ask(store, "PRAGMA application_id", &application) ||
		!ask(store, "SELECT count(*) FROM sqlite_master", &objects)) {
		return false;
	}
	if (objects > 0 && application != strtol(APPLICATION_ID, NULL, 16)) {
		return refuse(store, "it is a database of something else");
	}
	if (version > SCHEMA_VERSION) {
		return refuse(store, "it was made by a newer opa");
	}
	return version == SCHEMA_VERSION || execute(store, schema);
}

static bool set_up(opa_store *store, bool durable)
{
	int on = 1;
	sqlite3_extended_result_codes(store->db, 1);
	sqlite3_busy_timeout(store->db, BUSY_TIMEOUT_MS);
	/* The -wal and -shm files stay: without them a reader that may not write cannot open it. */
	sqlite3_file_control(store->db, NULL, SQLITE_FCNTL_PERSIST_WAL, &on);
	if (!execute(store, "PRAGMA auto_vacuum = INCREMENTAL; PRAGMA journal_mode = WAL;"
						"PRAGMA temp_store = MEMORY; PRAGMA cache_size = -8000") ||
		!execute(store, durable ? "PRAGMA synchronous = FULL" : "PRAGMA synchronous = NORMAL")) {
		return false;
	}
	char limit[64];
	snprintf(limit, sizeof(limit), "PRAGMA journal_size_limit = %d", LOG_KEPT);
	if (!execute(store, limit) || !execute(store, "BEGIN IMMEDIATE")) {
		return false;
	}
	if (!make_schema(store)) {
		sqlite3_exec(store->db, "ROLLBACK", NULL, NULL, NULL);
		return false;
	}
	sqlite3_wal_hook(store->db, note_log, store);
	return execute(store, "COMMIT") &&
		   opa_store_number(store, OPA_STATEMENT_PAGE_SIZE, &store->page_size);
}

static bool open_database(opa_store *store, bool durable)
{
	int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_NOFOLLOW;
	if (sqlite3_open_v2(store->path, &store->db, flags, NULL) != SQLITE_OK) {
		return opa_store_fail(store, "cannot open the store");
	}
	return set_up(store, durable);
}

/* A spool's identity: of two spools that share a store neither drops the other's positions. */
static void name_spool(opa_store *store, const char *path)
{
	struct stat st;
	if (path != NULL && stat(path, &st) == 0) {
		snprintf(store->spool, sizeof(store->spool), "%llx:%llx", (unsigned long long)st.st_dev,
			(unsigned long long)st.st_ino);
	}
}

static bool is_in_spool(const opa_store *store, const opa_store_options *options)
{
	size_t len = options->spool == NULL ? 0 : strlen(options->spool);
	return len > 0 && strncmp(store->path, options->spool, len) == 0 && store->path[len] == '/';
}

/*
 * A store in the spool, the last resort, is in memory as a rule, perhaps in a container's 64 MB: it
 * keeps to what the spool may take, and so does its log, a quarter of that.
 */
static void set_bounds(opa_store *store, const opa_store_options *options)
{
	store->max_size = options->max_size;
	store->log_bound = options->max_size > 0 ? options->max_size : LOG_BOUND_ELSE;
	if (store->log_bound < LOG_BOUND_MIN) {
		store->log_bound = LOG_BOUND_MIN;
	}
	store->checkpoint_pages = CHECKPOINT_PAGES;
	uint64_t most = options->spool_size;
	if (most > 0 && is_in_spool(store, options) &&
		(store->max_size == 0 || store->max_size > most)) {
		store->max_size = most;
		store->log_bound = most / 4;
		uint64_t pages = most / 16 / SMALLEST_PAGE;
		store->checkpoint_pages = pages < CHECKPOINT_PAGES ? (int)pages + 1 : CHECKPOINT_PAGES;
	}
}

bool opa_store_is_small(const opa_store *store)
{
	return store->max_size > 0 && store->max_size < SMALL_STORE;
}

opa_store *opa_store_open(const opa_store_options *options, char *problem, size_t size)
{
	opa_store *store = opa_calloc(1, sizeof(*store));
	if (store == NULL) {
		snprintf(problem, size, "out of memory");
		return NULL;
	}
	store->max_age = options->max_age;
	name_spool(store, options->spool);
	store->path = opa_store_place(options, problem, size);
	if (store->path == NULL) {
		opa_store_close(store);
		return NULL;
	}
	set_bounds(store, options);
	if (!open_database(store, options->durable)) {
		snprintf(problem, size, "%s", store->problem);
		opa_store_close(store);
		return NULL;
	}
	snprintf(store->problem, sizeof(store->problem), "%s", problem);
	problem[0] = '\0';
	return store;
}

void opa_store_close(opa_store *store)
{
	if (store == NULL) {
		return;
	}
	for (size_t i = 0; i < OPA_STATEMENTS; i++) {
		sqlite3_finalize(store->statements[i]);
	}
	sqlite3_close(store->db);
	opa_text_deinit(&store->attributes);
	opa_text_deinit(&store->events);
	opa_text_deinit(&store->links);
	opa_text_deinit(&store->name);
	opa_text_deinit(&store->message);
	opa_text_deinit(&store->trace_state);
	opa_free(store->path);
	opa_free(store);
}

const char *opa_store_path(const opa_store *store)
{
	return store->path;
}

const char *opa_store_problem(const opa_store *store)
{
	return store->problem;
}

/* ---- batches ---- */

/*
 * The log starts anew only once everything of it is in the main file and no reader looks at it. The
 * passive checkpoint of note_log may never see that moment; this one waits for it, as long as the
 * busy timeout.
 */
static bool shorten_log(opa_store *store)
{
	if (sqlite3_wal_checkpoint_v2(store->db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL) ==
		SQLITE_OK) {
		store->log_pages = 0;
		return true;
	}
	snprintf(store->problem, sizeof(store->problem),
		"a program keeps reading %s in one transaction and holds up its write-ahead log of %llu MB",
		store->path, (unsigned long long)(store->log_pages * store->page_size >> 20));
	return false;
}

/* Somebody has removed or replaced the file: what would be written to it now, nobody would see. */
static bool has_moved(opa_store *store)
{
	int moved = 0;
	return sqlite3_file_control(store->db, "main", SQLITE_FCNTL_HAS_MOVED, &moved) == SQLITE_OK &&
		   moved != 0;
}

bool opa_store_begin(opa_store *store)
{
	if (has_moved(store)) {
		snprintf(store->problem, sizeof(store->problem), "%s was removed", store->path);
		return false;
	}
	if (store->log_pages * store->page_size > store->log_bound && !shorten_log(store)) {
		return false;
	}
	return opa_store_run(store, opa_store_statement(store, OPA_STATEMENT_BEGIN));
}

bool opa_store_commit(opa_store *store)
{
	if (!opa_store_run(store, opa_store_statement(store, OPA_STATEMENT_COMMIT))) {
		opa_store_rollback(store);
		return false;
	}
	return true;
}

void opa_store_rollback(opa_store *store)
{
	/* Disk full and I/O errors have rolled back already. */
	if (!sqlite3_get_autocommit(store->db)) {
		sqlite3_exec(store->db, "ROLLBACK", NULL, NULL, NULL);
	}
}

/* ---- positions and counters ---- */

bool opa_store_position(opa_store *store, const char *journal, uint64_t *offset)
{
	sqlite3_stmt *get = opa_store_statement(store, OPA_STATEMENT_POSITION_GET);
	*offset = 0;
	if (get == NULL) {
		return false;
	}
	bind_string(get, 1, journal);
	int result = opa_store_step(store, get);
	if (result == SQLITE_ROW) {
		*offset = (uint64_t)sqlite3_column_int64(get, 0);
	}
	sqlite3_reset(get);
	return result == SQLITE_ROW || result == SQLITE_DONE;
}

bool opa_store_set_position(opa_store *store, const char *journal, uint64_t offset)
{
	sqlite3_stmt *set = opa_store_statement(store, OPA_STATEMENT_POSITION_SET);
	if (set == NULL) {
		return false;
	}
	bind_string(set, 1, journal);
	sqlite3_bind_int64(set, 2, opa_store_clamp(offset));
	bind_string(set, 3, store->spool);
	sqlite3_bind_int64(set, 4, opa_store_clamp(opa_clock_wall()));
	return opa_store_run(store, set);
}

bool opa_store_drop_position(opa_store *store, const char *journal)
{
	sqlite3_stmt *drop = opa_store_statement(store, OPA_STATEMENT_POSITION_DROP);
	if (drop == NULL) {
		return false;
	}
	bind_string(drop, 1, journal);
	return opa_store_run(store, drop);
}

bool opa_store_count(opa_store *store, const char *counter, uint64_t n)
{
	sqlite3_stmt *count = opa_store_statement(store, OPA_STATEMENT_COUNT);
	if (count == NULL) {
		return false;
	}
	bind_string(count, 1, counter);
	sqlite3_bind_int64(count, 2, opa_store_clamp(n));
	return opa_store_run(store, count);
}

static bool drop_foreign_positions(opa_store *store)
{
	sqlite3_stmt *drop = opa_store_statement(store, OPA_STATEMENT_POSITION_DROP_OLD);
	uint64_t now = opa_clock_wall();
	if (drop == NULL) {
		return false;
	}
	bind_string(drop, 1, store->spool);
	sqlite3_bind_int64(drop, 2, opa_store_clamp(now > POSITION_AGE_NS ? now - POSITION_AGE_NS : 0));
	return opa_store_run(store, drop);
}

/* The names of this spool's positions whose files are gone, each terminated, one after the other.
 */
static bool list_stale(opa_store *store, opa_store_exists exists, void *user, opa_text *names)
{
	sqlite3_stmt *list = opa_store_statement(store, OPA_STATEMENT_POSITION_LIST);
	int result = SQLITE_ERROR;
	if (list == NULL) {
		return false;
	}
	bind_string(list, 1, store->spool);
	while ((result = opa_store_step(store, list)) == SQLITE_ROW) {
		const char *name = (const char *)sqlite3_column_text(list, 0);
		if (name != NULL && !exists(user, name)) {
			opa_text_append(names, name, strlen(name) + 1);
		}
	}
	sqlite3_reset(list);
	return result == SQLITE_DONE;
}

bool opa_store_clean_positions(opa_store *store, opa_store_exists exists, void *user)
{
	opa_text names = {0};
	if (!opa_store_begin(store)) {
		return false;
	}
	bool ok = list_stale(store, exists, user, &names) && drop_foreign_positions(store);
	for (size_t i = 0; ok && i < names.len; i += strlen(names.data + i) + 1) {
		ok = opa_store_drop_position(store, names.data + i);
	}
	opa_text_deinit(&names);
	if (!ok) {
		opa_store_rollback(store);
		return false;
	}
	return opa_store_commit(store);
}
