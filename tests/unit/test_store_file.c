/*
 * The store's file: schema, permissions, where it is, who may read it, and pruning.
 */
#include "store_fixture.h"

/* ---- the file ---- */

static void the_schema_is_the_documented_one(void **state)
{
	fixture *f = *state;
	assert_answer(f, "PRAGMA user_version", "1");
	assert_answer(f, "PRAGMA journal_mode", "wal");
	assert_answer(f, "PRAGMA auto_vacuum", "2");
	assert_answer(f, "SELECT group_concat(name) FROM pragma_table_info('traces')",
		"seq,trace_id,root_span_id,name,service,start_ns,end_ns,duration_ns,status,spans,errors,"
		"complete,stored_ns");
	assert_answer(f, "SELECT group_concat(name) FROM pragma_table_info('spans')",
		"trace_id,span_id,parent_id,remote,name,kind,start_ns,duration_ns,status,status_message,"
		"flags,trace_state,attributes,events,links,dropped_attributes,dropped_events,dropped_links,"
		"resource");
	assert_answer(f,
		"SELECT group_concat(name) FROM (SELECT name FROM sqlite_master WHERE type ="
		" 'index' AND sql NOT NULL ORDER BY 1)",
		"resources_unused,spans_start,traces_start,traces_stored");
}

static void assert_refused(const char *path, const char *why)
{
	char problem[512];
	opa_store_options options = {.path = path, .spool = "/tmp"};
	assert_null(opa_store_open(&options, problem, sizeof(problem)));
	if (strstr(problem, why) == NULL) {
		fail_msg("got \"%s\", wanted \"%s\"", problem, why);
	}
}

static void change(const char *path, const char *sql)
{
	sqlite3 *db;
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
}

static void a_newer_version_is_refused_and_left_alone(void **state)
{
	fixture *f = *state;
	change(f->path, "PRAGMA user_version = 2");
	assert_refused(f->dir, "newer opa");
	assert_answer(f, "PRAGMA user_version", "2");
}

static void what_is_no_store_is_refused(void **state)
{
	fixture *f = *state;
	char path[128];
	snprintf(path, sizeof(path), "%s/other.db", f->dir);
	change(path, "CREATE TABLE customers (id)");
	assert_refused(path, "something else");
	snprintf(path, sizeof(path), "%s/text.db", f->dir);
	FILE *file = fopen(path, "w");
	for (int i = 0; i < 1000; i++) {
		fputs("this is a text\n", file);
	}
	fclose(file);
	assert_refused(path, "not a database");
	snprintf(path, sizeof(path), "%s/link.db", f->dir);
	assert_int_equal(symlink(f->path, path), 0);
	assert_refused(path, "not a file of this user");
	assert_refused("relative/path", "not an absolute path");
	snprintf(path, sizeof(path), "%s/text.db/below", f->dir);
	assert_refused(path, "Not a directory");
}

static void a_directory_that_everybody_may_write_to_is_refused(void **state)
{
	fixture *f = *state;
	char path[128];
	snprintf(path, sizeof(path), "%s/open", f->dir);
	assert_int_equal(mkdir(path, 0700), 0);
	assert_int_equal(chmod(path, 01777), 0);
	assert_refused(path, "everybody");
}

static mode_t mode_of(const char *dir, const char *name)
{
	char path[160];
	struct stat st;
	snprintf(path, sizeof(path), "%s%s", dir, name);
	assert_int_equal(stat(path, &st), 0);
	return st.st_mode & 07777;
}

static void only_the_user_can_look_unless_there_is_a_group(void **state)
{
	fixture *f = *state;
	char path[128], problem[512];
	made m = {.id = 0xaa, .name = "x"};
	snprintf(path, sizeof(path), "%s/deep/store", f->dir);
	opa_store_options options = {.path = path, .spool = "/tmp"};
	umask(077);
	opa_store *store = opa_store_open(&options, problem, sizeof(problem));
	assert_non_null(store);
	store_made(store, 1, &m, 1, 0);
	assert_int_equal(mode_of(path, ""), 0700);
	assert_int_equal(mode_of(path, "/traces.db"), 0600);
	assert_int_equal(mode_of(path, "/traces.db-wal"), 0600);
	opa_store_close(store);
	const struct group *group = getgrgid(getgid());
	if (geteuid() == 0) {
		group = getgrnam("users");
	}
	if (group == NULL) {
		print_message("SKIPPED: no group to give the store to\n");
		return;
	}
	options.group = group->gr_name;
	store = opa_store_open(&options, problem, sizeof(problem));
	assert_non_null(store);
	assert_string_equal(opa_store_problem(store), "");
	store_made(store, 2, &m, 1, 0);
	assert_int_equal(mode_of(path, "") & 02070, 02050);
	assert_int_equal(mode_of(path, "/traces.db"), 0640);
	assert_int_equal(mode_of(path, "/traces.db-wal"), 0640);
	assert_int_equal(mode_of(path, "/traces.db-shm"), 0640);
	opa_store_close(store);
	/* The files stay for readers that may not make them. */
	assert_int_equal(mode_of(path, "/traces.db-shm"), 0640);
	options.group = "no-such-group";
	store = opa_store_open(&options, problem, sizeof(problem));
	assert_non_null(store);
	assert_non_null(strstr(opa_store_problem(store), "no such group"));
	opa_store_close(store);
}

/*
 * As a user who may read and not write, while nobody has the store open. In /var/tmp, because /tmp
 * may be one of this user alone.
 */
static void a_member_of_the_group_can_read(void **state)
{
	(void)state;
	char dir[] = "/var/tmp/opa_store.XXXXXX";
	char problem[512], path[128], uri[200], command[128];
	made m = {.id = 0xaa, .name = "seen"};
	const struct group *group = getgrnam("users");
	if (geteuid() != 0 || group == NULL) {
		print_message("SKIPPED: not root, or no group \"users\"\n");
		skip();
	}
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/group", dir);
	opa_store_options options = {.path = path, .spool = "/tmp", .group = group->gr_name};
	opa_store *store = opa_store_open(&options, problem, sizeof(problem));
	assert_non_null(store);
	store_made(store, 1, &m, 1, 0);
	opa_store_close(store);
	assert_int_equal(chmod(dir, 0711), 0);
	gid_t gid = group->gr_gid;
	snprintf(uri, sizeof(uri), "file:%s/traces.db?mode=ro&immutable=0", path);
	pid_t pid = fork();
	if (pid == 0) {
		sqlite3 *db;
		sqlite3_stmt *statement = NULL;
		bool ok =
			setgroups(1, &gid) == 0 && setgid(65534) == 0 && setuid(65534) == 0 &&
			sqlite3_open_v2(uri, &db, SQLITE_OPEN_READONLY | SQLITE_OPEN_URI, NULL) == SQLITE_OK &&
			sqlite3_prepare_v2(db, "SELECT name FROM spans", -1, &statement, NULL) == SQLITE_OK &&
			sqlite3_step(statement) == SQLITE_ROW;
		_exit(ok ? 0 : 1);
	}
	int status;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	snprintf(command, sizeof(command), "rm -rf '%s'", dir);
	assert_int_equal(system(command), 0);
	assert_int_equal(status, 0);
}

static void a_file_of_another_user_is_no_store(void **state)
{
	fixture *f = *state;
	char path[128], side[160], problem[512];
	if (geteuid() != 0) {
		print_message("SKIPPED: only root can give files to other users\n");
		skip();
	}
	snprintf(path, sizeof(path), "%s/other.db", f->dir);
	opa_store_options options = {.path = path, .spool = "/tmp"};
	opa_store *store = opa_store_open(&options, problem, sizeof(problem));
	assert_non_null(store);
	opa_store_close(store);
	assert_int_equal(chown(path, 65534, 65534), 0);
	assert_null(opa_store_open(&options, problem, sizeof(problem)));
	assert_non_null(strstr(problem, "not a file of this user"));
	assert_int_equal(chown(path, 0, 0), 0);
	snprintf(side, sizeof(side), "%s-wal", path);
	int fd = open(side, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	assert_true(fd >= 0 && fchown(fd, 65534, 65534) == 0 && close(fd) == 0);
	assert_null(opa_store_open(&options, problem, sizeof(problem)));
	assert_non_null(strstr(problem, "not a file of this user"));
}

static void must_exist_makes_nothing(void **state)
{
	fixture *f = *state;
	char path[128], problem[512] = "x";
	snprintf(path, sizeof(path), "%s/none.db", f->dir);
	opa_store_options options = {.path = path, .spool = "/tmp", .must_exist = true};
	assert_null(opa_store_open(&options, problem, sizeof(problem)));
	assert_string_equal(problem, "");
	assert_int_not_equal(access(path, F_OK), 0);
}

static void the_search_prefers_the_state_directory_to_the_home_and_to_the_spool(void **state)
{
	fixture *f = *state;
	char one[128], two[128], expected[200], problem[512];
	if (access("/var/lib/opa", F_OK) == 0) {
		skip();
	}
	snprintf(one, sizeof(one), "%s/state", f->dir);
	snprintf(two, sizeof(two), "%s/home", f->dir);
	opa_store_options options = {.state_dir = one, .home = two, .spool = f->dir};
	opa_store *store = opa_store_open(&options, problem, sizeof(problem));
	assert_non_null(store);
	snprintf(expected, sizeof(expected), "%s/opa/traces.db", one);
	assert_string_equal(opa_store_path(store), expected);
	opa_store_close(store);
	/* A home that does not exist is not made. */
	options.state_dir = NULL;
	store = opa_store_open(&options, problem, sizeof(problem));
	snprintf(expected, sizeof(expected), "%s/store/traces.db", f->dir);
	assert_string_equal(opa_store_path(store), expected);
	opa_store_close(store);
	assert_int_equal(mkdir(two, 0700), 0);
	store = opa_store_open(&options, problem, sizeof(problem));
	snprintf(expected, sizeof(expected), "%s/.local/state/opa/traces.db", two);
	assert_string_equal(opa_store_path(store), expected);
	opa_store_close(store);
}

/* As for servers: neither the password database nor a variable of the exporter's is asked. */
static void a_home_that_is_not_given_is_not_searched(void **state)
{
	fixture *f = *state;
	char home[128], expected[200], problem[512];
	if (access("/var/lib/opa", F_OK) == 0) {
		skip();
	}
	snprintf(home, sizeof(home), "%s/home", f->dir);
	assert_int_equal(mkdir(home, 0700), 0);
	setenv("HOME", home, 1);
	setenv("XDG_STATE_HOME", home, 1);
	opa_store_options options = {.spool = f->dir};
	opa_store *store = opa_store_open(&options, problem, sizeof(problem));
	assert_non_null(store);
	snprintf(expected, sizeof(expected), "%s/store/traces.db", f->dir);
	assert_string_equal(opa_store_path(store), expected);
	opa_store_close(store);
}

/* ---- readers ---- */

static void it_can_be_read_while_it_is_written(void **state)
{
	fixture *f = *state;
	made m = {.id = 0xaa, .name = "x"};
	build payload = {0};
	uint32_t added;
	store_made(f->store, 1, &m, 1, 0);
	build_span(&payload, 2, &m);
	assert_true(opa_store_begin(f->store));
	assert_true(add_payload(f->store, 2, &payload, 1, 0, 1, &added));
	assert_answer(f, "SELECT count(*) FROM traces", "1");
	assert_true(opa_store_commit(f->store));
	assert_answer(f, "SELECT count(*) FROM traces", "2");
	free(payload.data);
}

/* Adds spans with much text until begin refuses, or so many times. */
static bool fill_until_refused(fixture *f, int times)
{
	char *text = malloc(100001);
	memset(text, 'x', 100000);
	text[100000] = '\0';
	bool refused = false;
	for (int i = 0; i < times && !refused; i++) {
		build payload = {0};
		uint32_t added;
		uint8_t id = (uint8_t)(1 + i % 255), trace = (uint8_t)(1 + i / 255);
		made m = {.id = id, .name = text};
		build_span(&payload, trace, &m);
		refused = !opa_store_begin(f->store);
		if (!refused) {
			assert_true(add_payload(f->store, trace, &payload, 1, 0, 1, &added));
			assert_true(opa_store_commit(f->store));
		}
		free(payload.data);
	}
	free(text);
	return refused;
}

static void a_reader_that_does_not_end_is_noticed_before_the_disk_is_full(void **state)
{
	fixture *f = *state;
	sqlite3 *db;
	struct stat st;
	char path[160];
	f->store->log_bound = 4 * 1024 * 1024;
	sqlite3_busy_timeout(f->store->db, 20);
	assert_int_equal(sqlite3_open(f->path, &db), SQLITE_OK);
	assert_int_equal(
		sqlite3_exec(db, "BEGIN; SELECT count(*) FROM spans", NULL, NULL, NULL), SQLITE_OK);
	assert_true(fill_until_refused(f, 200));
	assert_non_null(strstr(opa_store_problem(f->store), "keeps reading"));
	snprintf(path, sizeof(path), "%s-wal", f->path);
	assert_int_equal(stat(path, &st), 0);
	assert_true(st.st_size < 5 * 1024 * 1024);
	sqlite3_close(db);
	assert_true(opa_store_begin(f->store));
	opa_store_rollback(f->store);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_size, 0);
}

/* ---- pruning ---- */

static void prune_all(opa_store *store)
{
	bool more = true;
	for (int i = 0; more && i < 1000; i++) {
		assert_true(opa_store_prune(store, &more));
	}
	assert_false(more);
}

static void old_traces_are_pruned_whole_with_their_resources(void **state)
{
	fixture *f = *state;
	made spans[] = {{.id = 0xaa, .name = "x"}, {.id = 0xbb, .parent = 0xaa, .name = "y"}};
	build payload = {0};
	uint32_t added;
	store_made(f->store, 1, spans, 2, 0);
	build_span(&payload, 2, &spans[0]);
	assert_true(opa_store_begin(f->store));
	assert_true(add_payload(f->store, 2, &payload, 1, 0, 77, &added));
	assert_true(opa_store_commit(f->store));
	free(payload.data);
	opa_store_close(f->store);
	change(f->path, "UPDATE traces SET stored_ns = stored_ns - 3600000000000 WHERE seq = 1");
	f->store = open_store(f->dir, 0, 1800);
	prune_all(f->store);
	assert_answer(
		f, "SELECT group_concat(trace_id) FROM traces", "02020202020202020202020202020202");
	assert_answer(f, "SELECT count(*) FROM spans", "1");
	assert_answer(f, "SELECT group_concat(id) FROM resources", "77");
	assert_answer(f, "SELECT value FROM counters WHERE name = 'store_traces_pruned'", "1");
}

static void the_oldest_go_until_the_file_is_small_enough(void **state)
{
	fixture *f = *state;
	struct stat st;
	assert_false(fill_until_refused(f, 100)); /* 10 MB: trace 1 has all of it */
	char text[4000];
	memset(text, 'x', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	for (int i = 0; i < 200; i++) {
		made m = {.id = 0xaa, .name = text};
		store_made(f->store, (uint8_t)(2 + i), &m, 1, 0);
	}
	opa_store_close(f->store);
	f->store = open_store(f->dir, 500 * 1024, 0);
	prune_all(f->store);
	assert_answer(f, "SELECT max(seq) FROM traces", "201");
	assert_answer(f, "SELECT count(*) BETWEEN 20 AND 130 FROM traces", "1");
	assert_answer(
		f, "SELECT count(DISTINCT trace_id) = (SELECT count(*) FROM traces) FROM spans", "1");
	assert_int_equal(
		sqlite3_wal_checkpoint_v2(f->store->db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL),
		SQLITE_OK);
	assert_int_equal(stat(f->path, &st), 0);
	assert_true(st.st_size <= 500 * 1024);
}

static void a_trace_larger_than_a_step_is_pruned_too(void **state)
{
	fixture *f = *state;
	build payload = {0};
	uint32_t added;
	enum { SPANS = 3500 };
	for (int i = 0; i < SPANS; i++) {
		build span = {0};
		uint8_t trace[16];
		uint64_t id = (uint64_t)i + 1;
		memset(trace, 1, 16);
		build_bytes(&span, 1, trace, 16);
		build_bytes(&span, 2, &id, 8);
		build_message(&payload, 2, &span);
	}
	assert_true(opa_store_begin(f->store));
	assert_true(add_payload(f->store, 1, &payload, SPANS, 0, 1, &added));
	assert_true(opa_store_commit(f->store));
	assert_int_equal(added, SPANS);
	free(payload.data);
	opa_store_close(f->store);
	change(f->path, "UPDATE traces SET stored_ns = 1");
	f->store = open_store(f->dir, 0, 60);
	prune_all(f->store);
	assert_answer(f,
		"SELECT (SELECT count(*) FROM spans) + (SELECT count(*) FROM traces) +"
		" (SELECT count(*) FROM resources)",
		"0");
	assert_answer(f, "SELECT value FROM counters", "1");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(the_schema_is_the_documented_one),
		TEST(a_newer_version_is_refused_and_left_alone),
		TEST(what_is_no_store_is_refused),
		TEST(a_directory_that_everybody_may_write_to_is_refused),
		TEST(only_the_user_can_look_unless_there_is_a_group),
		TEST(a_member_of_the_group_can_read),
		TEST(a_file_of_another_user_is_no_store),
		TEST(must_exist_makes_nothing),
		TEST(the_search_prefers_the_state_directory_to_the_home_and_to_the_spool),
		TEST(a_home_that_is_not_given_is_not_searched),
		TEST(it_can_be_read_while_it_is_written),
		TEST(a_reader_that_does_not_end_is_noticed_before_the_disk_is_full),
		TEST(old_traces_are_pruned_whole_with_their_resources),
		TEST(the_oldest_go_until_the_file_is_small_enough),
		TEST(a_trace_larger_than_a_step_is_pruned_too),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
