/*
 * For tests of the exporter: a spool, processes that write into it, one that empties it, and
 * questions to what came out.
 */
#ifndef OPA_TEST_EXPORTER_FIXTURE_H
#define OPA_TEST_EXPORTER_FIXTURE_H
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "core/opa_clock.h"
#include "core/opa_id.h"
#include "export/opa_control.h"
#include "export/opa_destination.h"
#include "export/opa_exporter.h"
#include "export/opa_journal.h"
#include "export/opa_journal_reader.h"
#include "otlp_build.h"

#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define SPANS_A_TRACE 3

typedef struct fixture {
	char dir[64];
	char spool_path[96];
	char store[128]; /* the database of destination 1 */
	opa_spool spool;
} fixture;

/* How long something may take that is waited for: under valgrind (OPA_TEST_SLOW) it takes long. */
static inline uint64_t patience(void)
{
	return (getenv("OPA_TEST_SLOW") != NULL ? 300ull : 60ull) * 1000000000;
}

/* ---- the fixture ---- */

static inline void write_text(const fixture *f, const char *name, const char *text)
{
	assert_true(opa_spool_replace_file(&f->spool, name, text, strlen(text)));
}

static inline void define(const fixture *f, uint64_t id, const char *path, const char *more)
{
	char name[64], text[512];
	snprintf(name, sizeof(name), "dest/%016" PRIx64, id);
	snprintf(text, sizeof(text), "type=store\npath=%s\nmax_size=0\nmax_age=0\n%s", path, more);
	write_text(f, name, text);
}

static inline bool open_spool(fixture *f)
{
	int reason;
	return opa_spool_open(&f->spool, &(opa_spool_options){.dir = f->spool_path}, &reason) ==
		   OPA_SPOOL_OK;
}

static inline int set_up(void **state)
{
	fixture *f = calloc(1, sizeof(*f));
	strcpy(f->dir, "/tmp/opa_exporter.XXXXXX");
	if (mkdtemp(f->dir) == NULL) {
		return -1;
	}
	snprintf(f->spool_path, sizeof(f->spool_path), "%s/spool", f->dir);
	snprintf(f->store, sizeof(f->store), "%s/one/traces.db", f->dir);
	if (!open_spool(f)) {
		return -1;
	}
	char path[96];
	snprintf(path, sizeof(path), "%s/one", f->dir);
	define(f, 1, path, "");
	*state = f;
	return 0;
}

static inline int tear_down(void **state)
{
	fixture *f = *state;
	char command[128];
	opa_spool_close(&f->spool);
	snprintf(command, sizeof(command), "rm -rf '%s'", f->dir);
	free(f);
	return system(command);
}

/* ---- writers ---- */

/* Says who wrote which trace: the writer in the first byte, the number in the last four. */
static inline void name_trace(uint8_t trace_id[16], uint8_t writer, uint32_t number)
{
	memset(trace_id, 0xee, 16);
	trace_id[0] = writer;
	for (int i = 0; i < 4; i++) {
		trace_id[12 + i] = (uint8_t)(number >> (24 - 8 * i));
	}
}

static inline void build_trace(build *payload, const uint8_t trace_id[16])
{
	for (uint8_t i = 1; i <= SPANS_A_TRACE; i++) {
		build span = {0};
		uint8_t id[8] = {0xa0, 0, 0, 0, 0, 0, 0, i}, root[8] = {0xa0, 0, 0, 0, 0, 0, 0, 1};
		build_bytes(&span, 1, trace_id, 16);
		build_bytes(&span, 2, id, 8);
		if (i > 1) {
			build_bytes(&span, 4, root, 8);
		}
		build_text(&span, 5, i == 1 ? "root" : "child");
		build_uint(&span, 6, 1);
		build_fixed64(&span, 7, 1700000000000000000u);
		build_fixed64(&span, 8, 1700000000000000000u + i);
		build_text_attribute(&span, 9, "key", "value");
		build_message(payload, 2, &span);
	}
}

typedef struct writer {
	char id[33];
	uint8_t number;
	uint64_t sequence;
	opa_journal *journal;
	opa_control *control;
} writer;

/* On the heap: the journal keeps the address of the number of its files. */
static inline writer *open_writer(const fixture *f, uint8_t number, uint64_t destination)
{
	writer *w = calloc(1, sizeof(*w));
	opa_rng rng = {0};
	uint8_t random[16];
	opa_trace_id_make(&rng, random);
	opa_hex_format(random, 16, w->id);
	w->number = number;
	w->journal = opa_journal_create(&f->spool, w->id, &w->sequence, 0, destination);
	w->control = opa_control_create(&f->spool, w->id);
	return w;
}

/* Leaves in order. */
static inline void close_writer(writer *w)
{
	opa_journal_close(w->journal);
	opa_control_close(w->control);
	free(w);
}

static inline bool write_trace(writer *w, uint32_t number)
{
	build fields = {0}, payload = {0};
	uint8_t room[OPA_RECORD_HEADER_SIZE] = {0};
	bool lost;
	opa_record record = {.type = OPA_RECORD_SPANS,
		.flags = OPA_RECORD_COMPLETE,
		.spans = SPANS_A_TRACE,
		.resource = w->number};
	name_trace(record.trace_id, w->number, number);
	build_raw(&payload, room, sizeof(room));
	build_trace(&payload, record.trace_id);
	build_text_attribute(&fields, 1, "service.name", "test");
	record.payload = payload.data + sizeof(room);
	record.length = payload.len - sizeof(room);
	bool ok = opa_journal_append(w->journal, &record, build_str(&fields), &lost) == OPA_JOURNAL_OK;
	opa_control_add(w->control, OPA_COUNT_TRACES_KEPT, 1);
	opa_control_save(w->control);
	free(payload.data);
	free(fields.data);
	return ok;
}

/* A process that writes so many traces and is gone, in order or not. */
static inline void write_and_leave(
	const fixture *f, uint8_t number, uint64_t destination, uint32_t traces, bool in_order)
{
	pid_t pid = fork();
	if (pid == 0) {
		writer *w = open_writer(f, number, destination);
		bool ok = true;
		for (uint32_t i = 0; i < traces; i++) {
			ok = ok && write_trace(w, i);
		}
		if (in_order) {
			close_writer(w);
		}
		_exit(ok ? 0 : 1);
	}
	int status;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

/* ---- the exporter ---- */

static inline pid_t start_with(const fixture *f, bool once, unsigned idle, int lease_fd)
{
	pid_t pid = fork();
	if (pid == 0) {
		char problem[512];
		opa_exporter_options options = {
			.spool = f->spool_path, .lease_fd = lease_fd, .once = once, .idle_seconds = idle};
		int result = (int)opa_exporter_run(&options, problem, sizeof(problem));
		_exit(result);
	}
	return pid;
}

static inline pid_t start(const fixture *f)
{
	return start_with(f, false, 3600, -1);
}

static inline int run_once(const fixture *f)
{
	int status;
	pid_t pid = start_with(f, true, 0, -1);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static inline void pause_a_little(void)
{
	nanosleep(&(struct timespec){0, 5000000}, NULL);
}

/* The exit code of a process that is to end by itself. */
static inline int wait_for_end(pid_t pid)
{
	uint64_t until = opa_clock_mono() + patience();
	int status;
	while (waitpid(pid, &status, WNOHANG) == 0) {
		if (opa_clock_mono() > until) {
			kill(pid, SIGKILL);
			waitpid(pid, &status, 0);
			fail_msg("the exporter did not end");
		}
		pause_a_little();
	}
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static inline void stop(pid_t pid)
{
	kill(pid, SIGTERM);
	assert_int_equal(wait_for_end(pid), 0);
}

/* ---- questions ---- */

/* The integer that a query answers; -1 where there is no database or no such table yet. */
static inline long ask(const char *path, const char *sql)
{
	sqlite3 *db;
	sqlite3_stmt *statement = NULL;
	long answer = -1;
	if (sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY, NULL) == SQLITE_OK) {
		sqlite3_busy_timeout(db, 5000);
		if (sqlite3_prepare_v2(db, sql, -1, &statement, NULL) == SQLITE_OK &&
			sqlite3_step(statement) == SQLITE_ROW) {
			answer = (long)sqlite3_column_int64(statement, 0);
		}
	}
	sqlite3_finalize(statement);
	sqlite3_close(db);
	return answer;
}

static inline void wait_for_answer(const char *path, const char *sql, long expected)
{
	uint64_t until = opa_clock_mono() + patience();
	long answer;
	while ((answer = ask(path, sql)) != expected) {
		if (opa_clock_mono() > until) {
			fail_msg("%s: still %ld, wanted %ld", sql, answer, expected);
		}
		pause_a_little();
	}
}

static inline long count_journals(const fixture *f)
{
	opa_journal_name *names;
	long count = opa_journal_list(&f->spool, &names);
	free(count >= 0 ? names : NULL);
	return count;
}

/* The value of a key in <spool>/state; "" when it is not there. */
static inline void read_state(const fixture *f, const char *key, char *value, size_t size)
{
	char text[8192], line[64];
	value[0] = '\0';
	if (opa_spool_read_file(&f->spool, "state", text, sizeof(text)) < 0) {
		return;
	}
	snprintf(line, sizeof(line), "%s=", key);
	for (char *at = text; at != NULL; at = strchr(at, '\n')) {
		at += *at == '\n';
		if (strncmp(at, line, strlen(line)) == 0) {
			at += strlen(line);
			snprintf(value, size, "%.*s", (int)strcspn(at, "\n"), at);
			return;
		}
	}
}

static inline void wait_for_state(const fixture *f, const char *key, const char *part)
{
	uint64_t until = opa_clock_mono() + patience();
	char value[1024];
	for (read_state(f, key, value, sizeof(value));
		 part[0] != '\0' ? strstr(value, part) == NULL : value[0] != '\0';
		 read_state(f, key, value, sizeof(value))) {
		if (opa_clock_mono() > until) {
			fail_msg("state: %s is \"%s\", wanted \"%s\"", key, value, part);
		}
		pause_a_little();
	}
}

/* Exactly the traces 0 to count - 1 of that writer, each whole. */
static inline void assert_traces_of(const char *store, uint8_t number, uint32_t count)
{
	char sql[256];
	snprintf(sql, sizeof(sql),
		"SELECT count(*) FROM traces WHERE trace_id LIKE '%02x%%' AND spans = %d"
		" AND complete = 1 AND root_span_id = 'a000000000000001'",
		number, SPANS_A_TRACE);
	assert_int_equal(ask(store, sql), count);
	snprintf(sql, sizeof(sql), "SELECT count(*) FROM traces WHERE trace_id LIKE '%02x%%'", number);
	assert_int_equal(ask(store, sql), count);
	snprintf(sql, sizeof(sql), "SELECT count(*) FROM spans WHERE trace_id LIKE '%02x%%'", number);
	assert_int_equal(ask(store, sql), (long)count * SPANS_A_TRACE);
	if (count > 0) {
		char last[64];
		snprintf(last, sizeof(last), "%02xeeeeeeeeeeeeeeeeeeeeee%08x", number, count - 1);
		snprintf(sql, sizeof(sql),
			"SELECT count(*) FROM traces WHERE trace_id LIKE '%02x%%' AND"
			" trace_id <= '%s'",
			number, last);
		assert_int_equal(ask(store, sql), count);
	}
}

#endif
