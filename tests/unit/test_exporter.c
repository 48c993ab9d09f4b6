/*
 * The exporter: real processes write journals, a real one brings them in. What is in the store is
 * compared with what was written.
 */
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
#define PATIENCE_NS   (20ull * 1000000000)

typedef struct fixture {
	char dir[64];
	char spool_path[96];
	char store[128]; /* the database of destination 1 */
	opa_spool spool;
} fixture;

/* ---- the fixture ---- */

static void write_text(const fixture *f, const char *name, const char *text)
{
	assert_true(opa_spool_replace_file(&f->spool, name, text, strlen(text)));
}

static void define(const fixture *f, uint64_t id, const char *path, const char *more)
{
	char name[64], text[512];
	snprintf(name, sizeof(name), "dest/%016" PRIx64, id);
	snprintf(text, sizeof(text), "type=store\npath=%s\nmax_size=0\nmax_age=0\n%s", path, more);
	write_text(f, name, text);
}

static int set_up(void **state)
{
	int reason;
	fixture *f = calloc(1, sizeof(*f));
	strcpy(f->dir, "/tmp/opa_exporter.XXXXXX");
	if (mkdtemp(f->dir) == NULL) {
		return -1;
	}
	snprintf(f->spool_path, sizeof(f->spool_path), "%s/spool", f->dir);
	snprintf(f->store, sizeof(f->store), "%s/one/traces.db", f->dir);
	mkdir(f->spool_path, 0700);
	if (opa_spool_open_existing(&f->spool, f->spool_path, &reason) != OPA_SPOOL_OK) {
		return -1;
	}
	char path[96];
	snprintf(path, sizeof(path), "%s/one", f->dir);
	define(f, 1, path, "");
	*state = f;
	return 0;
}

static int tear_down(void **state)
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
static void name_trace(uint8_t trace_id[16], uint8_t writer, uint32_t number)
{
	memset(trace_id, 0xee, 16);
	trace_id[0] = writer;
	for (int i = 0; i < 4; i++) {
		trace_id[12 + i] = (uint8_t)(number >> (24 - 8 * i));
	}
}

static void build_trace(build *payload, const uint8_t trace_id[16])
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

static writer open_writer(const fixture *f, uint8_t number, uint64_t destination)
{
	writer w = {.number = number};
	opa_rng rng = {0};
	uint8_t random[16];
	opa_trace_id_make(&rng, random);
	opa_hex_format(random, 16, w.id);
	w.journal = opa_journal_create(&f->spool, w.id, &w.sequence, 0, destination);
	w.control = opa_control_create(&f->spool, w.id);
	return w;
}

/* Leaves in order. */
static void close_writer(writer *w)
{
	opa_journal_close(w->journal);
	opa_control_close(w->control);
}

static bool write_trace(writer *w, uint32_t number)
{
	build fields = {0}, payload = {0};
	uint8_t room[OPA_RECORD_HEADER_SIZE] = {0};
	bool lost;
	opa_record record = {.type = OPA_RECORD_SPANS, .flags = OPA_RECORD_COMPLETE,
		.spans = SPANS_A_TRACE, .resource = w->number};
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
static void write_and_leave(
	const fixture *f, uint8_t number, uint64_t destination, uint32_t traces, bool in_order)
{
	pid_t pid = fork();
	if (pid == 0) {
		writer w = open_writer(f, number, destination);
		bool ok = true;
		for (uint32_t i = 0; i < traces; i++) {
			ok = ok && write_trace(&w, i);
		}
		if (in_order) {
			close_writer(&w);
		}
		_exit(ok ? 0 : 1);
	}
	int status;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

/* ---- the exporter ---- */

static pid_t start_with(const fixture *f, bool once, unsigned idle, int lease_fd)
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

static pid_t start(const fixture *f)
{
	return start_with(f, false, 3600, -1);
}

static int run_once(const fixture *f)
{
	int status;
	pid_t pid = start_with(f, true, 0, -1);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void pause_a_little(void)
{
	nanosleep(&(struct timespec){0, 5000000}, NULL);
}

/* The exit code of a process that is to end by itself. */
static int wait_for_end(pid_t pid)
{
	uint64_t until = opa_clock_mono() + PATIENCE_NS;
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

static void stop(pid_t pid)
{
	kill(pid, SIGTERM);
	assert_int_equal(wait_for_end(pid), 0);
}

/* ---- questions ---- */

/* The integer that a query answers; -1 where there is no database or no such table yet. */
static long ask(const char *path, const char *sql)
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

static void wait_for_answer(const char *path, const char *sql, long expected)
{
	uint64_t until = opa_clock_mono() + PATIENCE_NS;
	long answer;
	while ((answer = ask(path, sql)) != expected) {
		if (opa_clock_mono() > until) {
			fail_msg("%s: still %ld, wanted %ld", sql, answer, expected);
		}
		pause_a_little();
	}
}

static long count_journals(const fixture *f)
{
	opa_journal_name *names;
	long count = opa_journal_list(&f->spool, &names);
	free(count >= 0 ? names : NULL);
	return count;
}

/* The value of a key in <spool>/state; "" when it is not there. */
static void read_state(const fixture *f, const char *key, char *value, size_t size)
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

static void wait_for_state(const fixture *f, const char *key, const char *part)
{
	uint64_t until = opa_clock_mono() + PATIENCE_NS;
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
static void assert_traces_of(const char *store, uint8_t number, uint32_t count)
{
	char sql[256];
	snprintf(sql, sizeof(sql), "SELECT count(*) FROM traces WHERE trace_id LIKE '%02x%%' AND spans = %d"
		" AND complete = 1 AND root_span_id = 'a000000000000001'", number, SPANS_A_TRACE);
	assert_int_equal(ask(store, sql), count);
	snprintf(sql, sizeof(sql), "SELECT count(*) FROM traces WHERE trace_id LIKE '%02x%%'", number);
	assert_int_equal(ask(store, sql), count);
	snprintf(sql, sizeof(sql), "SELECT count(*) FROM spans WHERE trace_id LIKE '%02x%%'", number);
	assert_int_equal(ask(store, sql), (long)count * SPANS_A_TRACE);
	if (count > 0) {
		char last[64];
		snprintf(last, sizeof(last), "%02xeeeeeeeeeeeeeeeeeeeeee%08x", number, count - 1);
		snprintf(sql, sizeof(sql), "SELECT count(*) FROM traces WHERE trace_id LIKE '%02x%%' AND"
			" trace_id <= '%s'", number, last);
		assert_int_equal(ask(store, sql), count);
	}
}

/* ---- destinations ---- */

static void a_definition_is_read(void **state)
{
	(void)state;
	opa_destination d;
	assert_true(opa_destination_parse(&d, OPA_STR("type=store\npath=/a=b\nhome=\nmax_size=12\n"
		"max_age=18446744073709551616\nunknown=1\ngroup=adm\nno value\nshutdown_timeout=250")));
	assert_int_equal(d.type, OPA_DESTINATION_STORE);
	assert_string_equal(d.path, "/a=b");
	assert_null(d.home);
	assert_null(d.state_dir);
	assert_string_equal(d.group, "adm");
	assert_int_equal(d.max_size, 12);
	assert_int_equal(d.max_age, 0);
	assert_int_equal(d.shutdown_timeout, 250);
	opa_destination_deinit(&d);
	assert_true(opa_destination_parse(&d, OPA_STR("type=carrier pigeon\n")));
	assert_int_equal(d.type, OPA_DESTINATION_UNKNOWN);
	assert_string_equal(d.type_name, "carrier pigeon");
	assert_int_equal(d.shutdown_timeout, OPA_DESTINATION_TIMEOUT_MS);
	opa_destination_deinit(&d);
}

static void each_destination_gets_its_own_journals(void **state)
{
	fixture *f = *state;
	char two[96], store[128];
	snprintf(two, sizeof(two), "%s/two.db", f->dir);
	snprintf(store, sizeof(store), "%s", two);
	define(f, 2, two, "");
	for (uint8_t i = 0; i < 6; i++) {
		write_and_leave(f, (uint8_t)(0x10 + i), 1 + i % 2, 5, i < 4);
	}
	assert_int_equal(run_once(f), 0);
	for (uint8_t i = 0; i < 6; i++) {
		assert_traces_of(i % 2 == 0 ? f->store : store, (uint8_t)(0x10 + i), 5);
		assert_traces_of(i % 2 == 0 ? store : f->store, (uint8_t)(0x10 + i), 0);
	}
	assert_int_equal(count_journals(f), 0);
}

/* After a change of opa.store_max_size, say: two definitions, one file. */
static void two_destinations_may_be_one_file(void **state)
{
	fixture *f = *state;
	char path[96];
	snprintf(path, sizeof(path), "%s/one", f->dir);
	define(f, 2, path, "group=\n");
	for (uint8_t i = 0; i < 4; i++) {
		write_and_leave(f, (uint8_t)(0x10 + i), 1 + i % 2, 5, true);
	}
	assert_int_equal(run_once(f), 0);
	for (uint8_t i = 0; i < 4; i++) {
		assert_traces_of(f->store, (uint8_t)(0x10 + i), 5);
	}
}

static void a_destination_that_is_not_defined_makes_its_journals_wait(void **state)
{
	fixture *f = *state;
	char path[96], value[512];
	snprintf(path, sizeof(path), "%s/three.db", f->dir);
	write_and_leave(f, 0x11, 3, 5, true);
	write_and_leave(f, 0x12, 1, 5, true);
	write_text(f, "dest/0000000000000004", "type=carrier\n");
	assert_int_equal(run_once(f), 1);
	assert_traces_of(f->store, 0x12, 5);
	assert_int_equal(count_journals(f), 1);
	read_state(f, "problem", value, sizeof(value));
	assert_non_null(strstr(value, "dest/0000000000000003"));
	read_state(f, "waiting", value, sizeof(value));
	assert_true(atol(value) > 100);
	write_and_leave(f, 0x13, 4, 5, true);
	define(f, 3, path, "");
	assert_int_equal(run_once(f), 1);
	assert_traces_of(path, 0x11, 5);
	read_state(f, "problem", value, sizeof(value));
	assert_non_null(strstr(value, "\"carrier\""));
	assert_int_equal(count_journals(f), 1);
}

/* ---- once ---- */

static void once_brings_in_what_is_there_and_says_how_it_went(void **state)
{
	fixture *f = *state;
	char value[256];
	assert_int_equal(run_once(f), 0);
	assert_int_equal(access(f->store, F_OK), -1); /* no store without a trace */
	write_and_leave(f, 0x11, 1, 700, true);       /* several files, several batches */
	writer live = open_writer(f, 0x12, 1);
	assert_true(write_trace(&live, 0) && write_trace(&live, 1));
	assert_int_equal(run_once(f), 0);
	assert_traces_of(f->store, 0x11, 700);
	assert_traces_of(f->store, 0x12, 2);
	assert_int_equal(count_journals(f), 1);
	read_state(f, "spans", value, sizeof(value));
	assert_int_equal(atol(value), 702 * SPANS_A_TRACE);
	read_state(f, "traces", value, sizeof(value));
	assert_int_equal(atol(value), 702);
	read_state(f, "store", value, sizeof(value));
	assert_string_equal(value, f->store);
	read_state(f, "stopped", value, sizeof(value));
	assert_true(atol(value) > 1000);
	assert_true(write_trace(&live, 2));
	close_writer(&live);
	assert_int_equal(run_once(f), 0);
	assert_traces_of(f->store, 0x12, 3);
	assert_int_equal(count_journals(f), 0);
	assert_int_equal(ask(f->store, "SELECT count(*) FROM positions WHERE journal LIKE '%.j'"), 0);
}

static void hundreds_of_small_files_are_brought_in_at_once(void **state)
{
	fixture *f = *state;
	for (int i = 0; i < 600; i++) {
		writer w = open_writer(f, (uint8_t)(i % 200 + 1), 1);
		assert_true(write_trace(&w, (uint32_t)(i / 200)));
		close_writer(&w);
	}
	assert_int_equal(run_once(f), 0);
	for (int i = 1; i <= 200; i++) {
		assert_traces_of(f->store, (uint8_t)i, 3);
	}
	assert_int_equal(count_journals(f), 0);
	assert_int_equal(ask(f->store, "SELECT count(*) FROM positions WHERE journal LIKE '%.j'"), 0);
}

static void more_live_journals_than_descriptors_is_no_problem(void **state)
{
	fixture *f = *state;
	enum { WRITERS = 150 };
	writer *writers = calloc(WRITERS, sizeof(*writers));
	for (int i = 0; i < WRITERS; i++) {
		writers[i] = open_writer(f, (uint8_t)(i + 1), 1);
		assert_true(write_trace(&writers[i], 0));
	}
	pid_t pid = start(f);
	wait_for_answer(f->store, "SELECT count(*) FROM traces", WRITERS);
	for (int i = 0; i < WRITERS; i++) {
		assert_true(write_trace(&writers[i], 1));
	}
	wait_for_answer(f->store, "SELECT count(*) FROM traces", 2 * WRITERS);
	stop(pid);
	for (int i = 0; i < WRITERS; i++) {
		assert_traces_of(f->store, (uint8_t)(i + 1), 2);
		close_writer(&writers[i]);
	}
	free(writers);
}

/* ---- one exporter ---- */

static void only_one_serves_a_spool(void **state)
{
	fixture *f = *state;
	char value[256], path[128];
	pid_t pid = start(f);
	wait_for_state(f, "pid", "1");
	wait_for_state(f, "updated", "1");
	assert_int_equal(run_once(f), 3);
	assert_int_equal(wait_for_end(start(f)), 0);
	snprintf(path, sizeof(path), "%s/lease", f->spool_path);
	assert_true(opa_spool_read_file(&f->spool, "lease", value, sizeof(value)) > 0);
	assert_int_equal(atol(value), pid);
	stop(pid);
	assert_int_equal(run_once(f), 0);
}

static void the_lease_is_taken_over_from_the_starter(void **state)
{
	fixture *f = *state;
	int fd = openat(f->spool.dir, "lease", O_RDWR | O_CREAT, 0600);
	assert_int_equal(flock(fd, LOCK_EX | LOCK_NB), 0);
	pid_t pid = start_with(f, false, 3600, fd);
	close(fd);
	write_and_leave(f, 0x11, 1, 3, true);
	wait_for_answer(f->store, "SELECT count(*) FROM traces", 3);
	assert_int_equal(run_once(f), 3);
	stop(pid);
}

/* ---- leaving ---- */

static void it_leaves_when_there_is_nothing_to_do(void **state)
{
	fixture *f = *state;
	char value[64];
	write_and_leave(f, 0x11, 1, 3, true);
	pid_t pid = start_with(f, false, 1, -1);
	assert_int_equal(wait_for_end(pid), 0);
	assert_traces_of(f->store, 0x11, 3);
	read_state(f, "stopped", value, sizeof(value));
	assert_true(value[0] != '\0');
}

static void it_stays_while_a_process_may_write(void **state)
{
	fixture *f = *state;
	writer w = open_writer(f, 0x11, 1);
	assert_true(write_trace(&w, 0));
	pid_t pid = start_with(f, false, 0, -1);
	for (uint32_t i = 1; i < 4; i++) {
		wait_for_answer(f->store, "SELECT count(*) FROM traces", i);
		assert_int_equal(waitpid(pid, NULL, WNOHANG), 0);
		assert_true(write_trace(&w, i));
	}
	close_writer(&w);
	/* The control file's owner is this process, which does not end: it goes by hand. */
	char command[160];
	snprintf(command, sizeof(command), "rm -f '%s'/control/*", f->spool_path);
	assert_int_equal(system(command), 0);
	assert_int_equal(wait_for_end(pid), 0);
	assert_traces_of(f->store, 0x11, 4);
}

static void it_leaves_when_its_spool_is_removed(void **state)
{
	fixture *f = *state;
	char command[512];
	writer w = open_writer(f, 0x11, 1);
	assert_true(write_trace(&w, 0));
	pid_t pid = start(f);
	wait_for_answer(f->store, "SELECT count(*) FROM traces", 1);
	snprintf(command, sizeof(command), "rm -rf '%s' && mkdir -m 700 '%s'", f->spool_path, f->spool_path);
	assert_int_equal(system(command), 0);
	assert_int_equal(wait_for_end(pid), 0);
	snprintf(command, sizeof(command), "test -z \"$(ls -A '%s')\"", f->spool_path);
	assert_int_equal(system(command), 0); /* and writes nothing into the new one */
	close_writer(&w);
}

static void it_leaves_when_its_lease_is_removed(void **state)
{
	fixture *f = *state;
	pid_t pid = start(f);
	wait_for_state(f, "pid", "1");
	assert_int_equal(unlinkat(f->spool.dir, "lease", 0), 0);
	assert_int_equal(wait_for_end(pid), 0);
}

static void sigterm_drains(void **state)
{
	fixture *f = *state;
	char value[64];
	write_and_leave(f, 0x11, 1, 1, true);
	pid_t pid = start(f);
	wait_for_answer(f->store, "SELECT count(*) FROM traces", 1);
	write_and_leave(f, 0x12, 1, 3000, true);
	kill(pid, SIGHUP); /* is ignored */
	stop(pid);
	assert_traces_of(f->store, 0x12, 3000);
	assert_int_equal(count_journals(f), 0);
	read_state(f, "stopped", value, sizeof(value));
	assert_true(value[0] != '\0');
}

static void without_time_sigterm_does_not_drain_and_loses_nothing(void **state)
{
	fixture *f = *state;
	char path[96];
	snprintf(path, sizeof(path), "%s/one", f->dir);
	define(f, 1, path, "shutdown_timeout=0\n");
	for (uint8_t i = 0; i < 8; i++) {
		write_and_leave(f, (uint8_t)(0x20 + i), 1, 3000, true);
	}
	pid_t pid = start(f);
	wait_for_state(f, "pid", "1");
	stop(pid);
	assert_true(count_journals(f) > 0);
	assert_int_equal(run_once(f), 0);
	for (uint8_t i = 0; i < 8; i++) {
		assert_traces_of(f->store, (uint8_t)(0x20 + i), 3000);
	}
}

/* ---- problems ---- */

static void a_store_that_cannot_be_opened_makes_journals_wait_until_it_can(void **state)
{
	fixture *f = *state;
	char path[96];
	snprintf(path, sizeof(path), "%s/one", f->dir);
	FILE *file = fopen(path, "w"); /* a file in the place of the directory */
	fclose(file);
	write_and_leave(f, 0x11, 1, 5, true);
	assert_int_equal(run_once(f), 1);
	pid_t pid = start(f);
	wait_for_state(f, "problem", path);
	assert_int_equal(count_journals(f), 1);
	unlink(path);
	wait_for_answer(f->store, "SELECT count(*) FROM traces", 5);
	wait_for_state(f, "problem", "");
	wait_for_state(f, "last_error", path);
	wait_for_state(f, "last_success", "1");
	stop(pid);
	assert_traces_of(f->store, 0x11, 5);
	assert_int_equal(count_journals(f), 0);
}

/* A store that breaks in the middle: a batch that failed is brought in again, whole and once. */
static void a_batch_that_fails_is_brought_in_again(void **state)
{
	fixture *f = *state;
	sqlite3 *db;
	writer w = open_writer(f, 0x11, 1);
	assert_true(write_trace(&w, 0));
	pid_t pid = start(f);
	wait_for_answer(f->store, "SELECT count(*) FROM traces", 1);
	assert_int_equal(sqlite3_open(f->store, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, "CREATE TRIGGER broken BEFORE INSERT ON traces WHEN"
		" new.trace_id LIKE '11%02' BEGIN SELECT RAISE(ABORT, 'out of order'); END",
		NULL, NULL, NULL), SQLITE_OK);
	for (uint32_t i = 1; i < 5; i++) {
		assert_true(write_trace(&w, i));
	}
	wait_for_state(f, "problem", "out of order");
	assert_int_equal(sqlite3_exec(db, "DROP TRIGGER broken", NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
	wait_for_answer(f->store, "SELECT count(*) FROM traces", 5);
	stop(pid);
	close_writer(&w);
	assert_traces_of(f->store, 0x11, 5);
}

static void a_file_that_is_no_journal_is_counted_and_removed(void **state)
{
	fixture *f = *state;
	char junk[3000];
	memset(junk, 'j', sizeof(junk));
	assert_true(opa_spool_replace_file(&f->spool, "sealed/00112233445566778899aabbccddeeff.1.j", junk,
		sizeof(junk)));
	assert_int_equal(run_once(f), 0);
	assert_int_equal(count_journals(f), 1); /* no store to count it in */
	write_and_leave(f, 0x11, 1, 1, true);
	assert_int_equal(run_once(f), 0);
	assert_int_equal(run_once(f), 0);
	assert_int_equal(count_journals(f), 0);
	assert_int_equal(
		ask(f->store, "SELECT value FROM counters WHERE name = 'exporter_bytes_skipped'"), 3000);
}

/* ---- counters ---- */

static const char kept[] = "SELECT value FROM counters WHERE name = 'traces_kept'";

static void counters_of_the_dead_are_added_once(void **state)
{
	fixture *f = *state;
	write_and_leave(f, 0x11, 1, 5, true);
	write_and_leave(f, 0x12, 1, 7, false);
	writer alive = open_writer(f, 0x13, 1);
	assert_true(write_trace(&alive, 0));
	for (int i = 0; i < 3; i++) {
		assert_int_equal(run_once(f), 0);
		assert_int_equal(ask(f->store, kept), 12);
	}
	close_writer(&alive);
}

/* Notes each control file as an exporter does that dies before it removes them. */
static bool note_as_stored(void *user, const char *name, const opa_control_file *file, bool gone)
{
	char sql[256];
	(void)file;
	snprintf(sql, sizeof(sql), "INSERT INTO positions VALUES ('%s', 1, '', %" PRIu64 ")", name,
		opa_clock_wall());
	assert_true(gone);
	assert_int_equal(sqlite3_exec(user, sql, NULL, NULL, NULL), SQLITE_OK);
	return true;
}

static void counters_that_were_stored_are_not_added_again(void **state)
{
	fixture *f = *state;
	sqlite3 *db;
	write_and_leave(f, 0x11, 1, 5, true);
	assert_int_equal(run_once(f), 0);
	assert_int_equal(ask(f->store, kept), 5);
	write_and_leave(f, 0x12, 1, 6, true);
	assert_int_equal(sqlite3_open(f->store, &db), SQLITE_OK);
	opa_control_visit(&f->spool, note_as_stored, db);
	sqlite3_close(db);
	assert_int_equal(run_once(f), 0);
	assert_int_equal(ask(f->store, kept), 5);
	assert_int_equal(ask(f->store, "SELECT count(*) FROM positions"), 0);
}

/* A process that kept nothing, when the exporter has not used a store since it started. */
static void counters_go_to_the_store_that_is_there(void **state)
{
	fixture *f = *state;
	write_and_leave(f, 0x11, 1, 1, true);
	assert_int_equal(run_once(f), 0);
	pid_t pid = fork();
	if (pid == 0) {
		writer w = open_writer(f, 0x12, 1);
		opa_control_add(w.control, OPA_COUNT_TRACES_SAMPLED_OUT, 9);
		close_writer(&w);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_int_equal(run_once(f), 0);
	assert_int_equal(
		ask(f->store, "SELECT value FROM counters WHERE name = 'traces_sampled_out'"), 9);
}

static void the_writer_is_told_how_far_it_is(void **state)
{
	fixture *f = *state;
	uint64_t sequence, offset;
	writer w = open_writer(f, 0x11, 1);
	assert_true(write_trace(&w, 0));
	opa_journal_position(w.journal, &sequence, &offset);
	assert_int_equal(run_once(f), 0);
	opa_ack ack = opa_control_ack(w.control, 0);
	assert_int_equal(ack.sequence, sequence);
	assert_int_equal(ack.offset, offset);
	close_writer(&w);
}

/* ---- killed ---- */

#define KILLS   100
#define WRITERS 3

typedef struct shared {
	volatile bool enough;
	volatile uint32_t written[WRITERS];
} shared;

/* Writes until it is told to end; the last of them without leaving in order. */
static pid_t start_writer(const fixture *f, shared *s, int index)
{
	pid_t pid = fork();
	if (pid == 0) {
		bool ok = true;
		writer w = open_writer(f, (uint8_t)(0x31 + index), 1);
		for (uint32_t i = 0; ok && !s->enough; i++) {
			ok = write_trace(&w, i);
			s->written[index] = i + 1;
			nanosleep(&(struct timespec){0, 300000}, NULL);
		}
		if (index == WRITERS - 1) {
			kill(getpid(), SIGKILL);
		}
		close_writer(&w);
		_exit(ok ? 0 : 1);
	}
	return pid;
}

static void each_span_arrives_once_however_often_it_is_killed(void **state)
{
	fixture *f = *state;
	shared *s = mmap(NULL, sizeof(*s), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid_t writers[WRITERS];
	uint64_t seed = opa_clock_mono() | 1;
	uint32_t total = 0;
	for (int i = 0; i < WRITERS; i++) {
		writers[i] = start_writer(f, s, i);
	}
	for (int i = 0; i < KILLS; i++) {
		pid_t pid = start(f);
		seed = seed * 6364136223846793005u + 1442695040888963407u;
		/* up to 45 ms: from before the first look to some time in a pause */
		nanosleep(&(struct timespec){0, (long)((seed >> 33) % 45000000)}, NULL);
		kill(pid, SIGKILL);
		assert_int_equal(waitpid(pid, NULL, 0), pid);
	}
	s->enough = true;
	for (int i = 0; i < WRITERS; i++) {
		assert_int_equal(waitpid(writers[i], NULL, 0), writers[i]);
	}
	long before = ask(f->store, "SELECT count(*) FROM spans");
	assert_int_equal(run_once(f), 0);
	for (int i = 0; i < WRITERS; i++) {
		assert_traces_of(f->store, (uint8_t)(0x31 + i), s->written[i]);
		total += s->written[i];
	}
	print_message("%u traces; %ld of %u spans came in while it was killed %d times\n", total, before,
		total * SPANS_A_TRACE, KILLS);
	assert_true(before > 0);
	assert_int_equal(ask(f->store, "SELECT sum(spans) FROM traces"), (long)total * SPANS_A_TRACE);
	assert_int_equal(ask(f->store, "SELECT sum(spans) FROM resources"), (long)total * SPANS_A_TRACE);
	assert_int_equal(ask(f->store, "SELECT count(*) FROM counters WHERE name LIKE 'exporter%'"), 0);
	assert_int_equal(ask(f->store, kept), total);
	assert_int_equal(count_journals(f), 0);
	munmap(s, sizeof(*s));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_definition_is_read),
		TEST(each_destination_gets_its_own_journals),
		TEST(two_destinations_may_be_one_file),
		TEST(a_destination_that_is_not_defined_makes_its_journals_wait),
		TEST(once_brings_in_what_is_there_and_says_how_it_went),
		TEST(hundreds_of_small_files_are_brought_in_at_once),
		TEST(more_live_journals_than_descriptors_is_no_problem),
		TEST(only_one_serves_a_spool),
		TEST(the_lease_is_taken_over_from_the_starter),
		TEST(it_leaves_when_there_is_nothing_to_do),
		TEST(it_stays_while_a_process_may_write),
		TEST(it_leaves_when_its_spool_is_removed),
		TEST(it_leaves_when_its_lease_is_removed),
		TEST(sigterm_drains),
		TEST(without_time_sigterm_does_not_drain_and_loses_nothing),
		TEST(a_store_that_cannot_be_opened_makes_journals_wait_until_it_can),
		TEST(a_batch_that_fails_is_brought_in_again),
		TEST(a_file_that_is_no_journal_is_counted_and_removed),
		TEST(counters_of_the_dead_are_added_once),
		TEST(counters_that_were_stored_are_not_added_again),
		TEST(counters_go_to_the_store_that_is_there),
		TEST(the_writer_is_told_how_far_it_is),
		TEST(each_span_arrives_once_however_often_it_is_killed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
