/* The door out: what is published lies in the spool, whole and once. */
#include "publish_fixture.h"

#include <pthread.h>
#include <sys/syscall.h>

/* ---- the way out ---- */

static void test_publishes_counts_and_defines_the_destination(void **state)
{
	site *s = *state;
	char name[64], text[64];
	assert_true(publish(s, 0, 100));
	assert_true(publish(s, 1, 100));
	expect_each_once(&s->f, 2, 100);
	assert_int_equal(counter(s, OPA_COUNT_SPANS_KEPT), 2);
	assert_int_equal(counter(s, OPA_COUNT_TRACES_KEPT), 2);
	snprintf(name, sizeof(name), "dest/%016llx", (unsigned long long)s->outlet.destination_id);
	assert_true(opa_spool_read_file(&s->f.spool, name, text, sizeof(text)) > 0);
	assert_string_equal(text, DESTINATION);
}

static void test_destination_id_is_fnv1a(void **state)
{
	(void)state;
	assert_true(opa_destination_id("") == 0xcbf29ce484222325u);
	assert_true(opa_destination_id("a") == 0xaf63dc4c8601ec8cu);
	assert_true(opa_destination_id("foobar") == 0x85944171f73967e8u);
}

static void test_unused_publisher_touches_nothing(void **state)
{
	site *s = *state;
	char dir[300];
	snprintf(dir, sizeof(dir), "%s/never", s->f.dir);
	opa_publisher *unused = opa_publisher_create();
	opa_publish_count(unused, OPA_COUNT_SPANS_STARTED, 1);
	opa_publisher_destroy(unused);
	opa_publisher_destroy(NULL);
	assert_int_not_equal(access(dir, F_OK), 0);
	assert_int_equal(count_entries(&s->f, "control"), 0);
}

static void test_leaving_seals_what_was_written(void **state)
{
	site *s = *state;
	assert_true(publish(s, 0, 100));
	opa_publisher_destroy(s->publisher);
	s->publisher = NULL;
	assert_int_equal(count_entries(&s->f, "live"), 0);
	assert_int_equal(count_entries(&s->f, "sealed"), 1);
	expect_each_once(&s->f, 1, 100);
}

static void test_each_destination_has_its_journal(void **state)
{
	enum { DESTINATIONS = 6 };
	site *s = *state;
	char texts[DESTINATIONS][32];
	for (int i = 0; i < DESTINATIONS; i++) {
		snprintf(texts[i], sizeof(texts[i]), "type=store\nmax_age=%d\n", i);
		s->outlet.destination = texts[i];
		s->outlet.destination_id = opa_destination_id(texts[i]);
		assert_true(publish(s, (uint32_t)i, 100));
	}
	assert_int_equal(count_entries(&s->f, "dest"), DESTINATIONS);
	assert_int_equal(count_entries(&s->f, "live"), OPA_CONTROL_ACKS);
	assert_int_equal(count_entries(&s->f, "sealed"), DESTINATIONS - OPA_CONTROL_ACKS);
	expect_each_once(&s->f, DESTINATIONS, 100);
	/* that of the first was given up: nobody can say whether it has been brought in */
	s->outlet.destination_id = opa_destination_id(texts[0]);
	assert_false(opa_publish_flush(s->publisher, &s->outlet, 0));
}

/* ---- counters ---- */

static bool add_up(void *user, const char *name, const opa_control_file *file, bool gone)
{
	uint64_t *sum = user;
	(void)name;
	(void)gone;
	*sum += file->counters[OPA_COUNT_SPANS_STARTED];
	return true;
}

static void test_counts_reach_the_control_file(void **state)
{
	site *s = *state;
	uint64_t counts[OPA_COUNTER_COUNT] = {[OPA_COUNT_SPANS_STARTED] = 5}, sum = 0;
	opa_publish_count(s->publisher, OPA_COUNT_SPANS_STARTED, 1);
	opa_publish_count_all(s->publisher, &s->outlet, counts, false);
	opa_control_visit(&s->f.spool, add_up, &sum);
	assert_int_equal(sum, 6);
	opa_publisher_destroy(s->publisher);
	s->publisher = NULL;
	sum = 0;
	opa_control_visit(&s->f.spool, add_up, &sum);
	assert_int_equal(sum, 6);
}

static bool becomes(site *s, bool on)
{
	for (int i = 0; i < 5000; i++) {
		if (opa_publish_begin(s->publisher, &s->outlet) == on) {
			return true;
		}
		pause_shortly();
	}
	return false;
}

static void test_off_file_switches_tracing_off(void **state)
{
	site *s = *state;
	assert_true(opa_publish_begin(s->publisher, &s->outlet));
	assert_true(opa_spool_replace_file(&s->f.spool, "off", "", 0));
	assert_true(becomes(s, false));
	assert_int_equal(unlinkat(s->f.spool.dir, "off", 0), 0);
	assert_true(becomes(s, true));
}

/* ---- the exporter ---- */

static void test_missing_exporter_is_counted_once_a_second(void **state)
{
	site *s = *state;
	static opa_publish_status status;
	uint64_t begin = opa_clock_mono();
	s->outlet.exporter = "/no/such/exporter";
	for (int i = 0; i < 100; i++) {
		assert_true(publish(s, 0, 100));
	}
	uint64_t seconds = (opa_clock_mono() - begin) / 1000000000u;
	opa_publish_status_get(s->publisher, &s->outlet, &status);
	assert_in_range(status.counters[OPA_COUNT_EXPORTER_FAILED], 1, seconds + 1);
	assert_int_equal(status.launch, OPA_LAUNCH_MISSING);
	assert_int_equal(status.launch_errno, ENOENT);
	assert_false(status.exporter_running);
}

static void test_exporter_is_started_after_publishing(void **state)
{
	site *s = *state;
	char path[300];
	static opa_publish_status status;
	snprintf(path, sizeof(path), "%s/exporter.sh", s->f.dir);
	int fd = open(path, O_WRONLY | O_CREAT, 0700);
	const char script[] = "#!/bin/sh\necho version=test > \"$2/state\"\n";
	assert_int_equal(write(fd, script, sizeof(script) - 1), sizeof(script) - 1);
	close(fd);
	s->outlet.exporter = path;
	assert_true(publish(s, 0, 100));
	for (int i = 0; i < 20000; i++) {
		opa_publish_status_get(s->publisher, &s->outlet, &status);
		if (status.exporter_state[0] != '\0') {
			break;
		}
		pause_shortly();
	}
	assert_string_equal(status.exporter_state, "version=test\n");
	assert_int_equal(status.counters[OPA_COUNT_EXPORTER_STARTED], 1);
	assert_int_equal(status.launch, OPA_LAUNCH_STARTED);
	assert_true(status.spool_open && status.spool_size > 0 && status.spool_max_size > 0);
	assert_string_equal(status.spool_path, s->f.dir);
}

/* What an exporter does, once the other thread is seen to wait: it has begun, and still publishes.
 */
static void *acknowledge_all(void *user)
{
	site *s = user;
	opa_journal_name *names;
	opa_record_view view;
	assert_int_equal(opa_journal_list(&s->f.spool, &names), 1);
	opa_journal_reader *reader = opa_journal_reader_open(&s->f.spool, names[0], 0);
	while (opa_journal_reader_next(reader, &view) == OPA_READ_RECORD) {
	}
	const opa_journal_header *header = opa_journal_reader_header(reader);
	opa_ack ack = {header->sequence, opa_journal_reader_offset(reader)};
	char id[33] = {0};
	memcpy(id, names[0], 32);
	for (int i = 0; i < 20; i++) {
		opa_publish_count(s->publisher, OPA_COUNT_SPANS_STARTED, 1); /* not held up */
		pause_shortly();
	}
	assert_true(opa_control_acknowledge(&s->f.spool, id, header->slot, ack));
	opa_journal_reader_close(reader);
	opa_free(names);
	return NULL;
}

static void test_flush_waits_for_the_acknowledgement(void **state)
{
	site *s = *state;
	pthread_t thread;
	assert_true(opa_publish_flush(s->publisher, &s->outlet, 0)); /* there is nothing */
	assert_true(publish(s, 0, 100));
	assert_false(opa_publish_flush(s->publisher, &s->outlet, 20));
	assert_int_equal(pthread_create(&thread, NULL, acknowledge_all, s), 0);
	assert_true(opa_publish_flush(s->publisher, &s->outlet, 60000));
	pthread_join(thread, NULL);
	assert_true(publish(s, 0, 100));
	assert_false(opa_publish_flush(s->publisher, &s->outlet, 0));
}

/* ---- many at once ---- */

enum { THREADS = 8, EACH = 2000, SIZE = 300 };

typedef struct worker {
	site *s;
	uint32_t first;
} worker;

static void *publish_many(void *user)
{
	worker *w = user;
	for (uint32_t i = 0; i < EACH; i++) {
		if (!publish(w->s, w->first + i, SIZE)) {
			return w;
		}
	}
	return NULL;
}

/* One reader that goes on where it was, as an exporter does, and deletes what it has read. */
static unsigned follow(const fixture *f, uint8_t *seen, unsigned expected)
{
	struct {
		opa_journal_name name;
		uint64_t offset;
	} known[64] = {{{0}, 0}};
	unsigned found = 0;
	for (int round = 0; round < 20000 && found < expected; round++) {
		opa_journal_name *names;
		long count = opa_journal_list(&f->spool, &names);
		for (long i = 0; i < count; i++) {
			int k = 0;
			while (known[k].name[0] != '\0' && strcmp(known[k].name, names[i]) != 0) {
				assert_true(++k < 64);
			}
			memcpy(known[k].name, names[i], sizeof(names[i]));
			opa_record_view view;
			opa_read read;
			opa_journal_reader *reader =
				opa_journal_reader_open(&f->spool, names[i], known[k].offset);
			assert_non_null(reader);
			while ((read = opa_journal_reader_next(reader, &view)) == OPA_READ_RECORD) {
				assert_true(is_record(&view, number_of(&view), SIZE));
				seen[number_of(&view)]++;
				found++;
			}
			known[k].offset = opa_journal_reader_offset(reader);
			assert_int_equal(opa_journal_reader_skipped(reader), 0);
			if (read == OPA_READ_END) {
				assert_true(opa_journal_reader_delete(reader));
			}
			opa_journal_reader_close(reader);
		}
		opa_free(names);
		pause_shortly();
	}
	return found;
}

static void test_threads_publish_while_a_reader_reads(void **state)
{
	site *s = *state;
	pthread_t threads[THREADS];
	worker workers[THREADS];
	uint8_t *seen = calloc(THREADS * EACH, 1);
	for (uint32_t i = 0; i < THREADS; i++) {
		workers[i] = (worker){s, i * EACH};
		assert_int_equal(pthread_create(&threads[i], NULL, publish_many, &workers[i]), 0);
	}
	assert_int_equal(follow(&s->f, seen, THREADS * EACH), THREADS * EACH);
	for (int i = 0; i < THREADS; i++) {
		void *failed;
		pthread_join(threads[i], &failed);
		assert_null(failed);
	}
	for (int i = 0; i < THREADS * EACH; i++) {
		assert_int_equal(seen[i], 1);
	}
	assert_int_equal(counter(s, OPA_COUNT_SPANS_KEPT), THREADS * EACH);
	free(seen);
}

/* ---- traces that run ---- */

typedef struct life {
	uint64_t running;
	uint64_t files;
	uint64_t gone;
} life;

static bool look_at_life(void *user, const char *name, const opa_control_file *file, bool gone)
{
	life *l = user;
	(void)name;
	l->running += file->running;
	l->files++;
	l->gone += gone;
	return true;
}

static life lives(const site *s)
{
	life l = {0};
	opa_control_visit(&s->f.spool, look_at_life, &l);
	return l;
}

static void end_trace(site *s)
{
	uint64_t counts[OPA_COUNTER_COUNT] = {[OPA_COUNT_TRACES_STARTED] = 1};
	opa_publish_count_all(s->publisher, &s->outlet, counts, true);
}

static void test_traces_run_from_their_begin_to_their_end(void **state)
{
	site *s = *state;
	assert_true(opa_publish_begin(s->publisher, &s->outlet));
	assert_int_equal(lives(s).running, 0);
	opa_publish_begin_trace(s->publisher, &s->outlet);
	assert_int_equal(lives(s).running, 1);
	opa_publish_begin_trace(s->publisher, &s->outlet);
	assert_int_equal(lives(s).running, 2);
	assert_true(publish(s, 0, 100)); /* a piece */
	assert_int_equal(lives(s).running, 2);
	end_trace(s);
	assert_int_equal(lives(s).running, 1);
	opa_publish_end_trace(s->publisher);
	assert_int_equal(lives(s).running, 0);
	opa_publish_end_trace(s->publisher); /* one too many */
	end_trace(s);
	assert_int_equal(lives(s).running, 0);
	assert_int_equal(counter(s, OPA_COUNT_TRACES_LOST), 0);
}

static void *run_traces(void *user)
{
	for (int i = 0; i < 200; i++) {
		opa_publish_begin_trace(((site *)user)->publisher, &((site *)user)->outlet);
		end_trace(user);
	}
	opa_publish_begin_trace(((site *)user)->publisher, &((site *)user)->outlet);
	return NULL;
}

static void test_threads_run_traces(void **state)
{
	site *s = *state;
	pthread_t threads[THREADS];
	for (int i = 0; i < THREADS; i++) {
		assert_int_equal(pthread_create(&threads[i], NULL, run_traces, s), 0);
	}
	for (int i = 0; i < THREADS; i++) {
		pthread_join(threads[i], NULL);
	}
	assert_int_equal(lives(s).running, THREADS);
}

static void die_with_three(fixture *f)
{
	site *s = (site *)f;
	opa_publish_fork_child(s->publisher);
	for (int i = 0; i < 3; i++) {
		opa_publish_begin_trace(s->publisher, &s->outlet);
	}
	raise(SIGKILL);
}

static void test_forked_child_runs_its_own(void **state)
{
	site *s = *state;
	opa_publish_begin_trace(s->publisher, &s->outlet);
	opa_publish_fork_prepare(s->publisher);
	assert_int_equal(in_child(die_with_three, &s->f), 256 + SIGKILL);
	opa_publish_fork_parent(s->publisher);
	life l = lives(s);
	assert_int_equal(l.running, 1 + 3);
	assert_int_equal(l.files, 2);
	assert_int_equal(l.gone, 1);
	end_trace(s);
	assert_int_equal(lives(s).running, 3);
}

static void begin_one(fixture *f)
{
	opa_publish_begin_trace(((site *)f)->publisher, &((site *)f)->outlet);
}

static void begin_many(fixture *f)
{
	for (int i = 0; i < 101; i++) {
		begin_one(f);
	}
}

static unsigned count_calls(void (*body)(fixture *), site *s)
{
	unsigned stops = 0;
	for (pid_t pid = start_traced(body, &s->f); step(pid);) {
		stops++;
	}
	return stops / 2;
}

/*
 * None, once it is known that the process stays, if the spool is in memory; else fstat, getrlimit
 * and pwrite. And once a second what look_around() does. Valgrind adds its own.
 */
static void test_begin_of_a_trace_is_no_system_call(void **state)
{
	site *s = *state;
	unsigned many = UINT32_MAX, most = s->f.spool.tmpfs ? 30 : 330;
	most = getenv("OPA_TEST_SLOW") == NULL ? most : 1500;
	for (int i = 0; i < 10 && many > most; i++) {
		many = count_calls(begin_many, s) - count_calls(begin_one, s);
	}
	print_message("%u system calls for 100 traces\n", many);
	assert_in_range(many, s->f.spool.tmpfs ? 1 : 100, most);
}

/* ---- fork ---- */

static void publish_range(site *s, uint32_t first, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		CHECK(publish(s, first + i, 100));
	}
}

static void test_both_sides_of_a_fork_publish(void **state)
{
	site *s = *state;
	int status;
	publish_range(s, 0, 50);
	fflush(NULL);
	opa_publish_fork_prepare(s->publisher);
	pid_t pid = fork();
	if (pid == 0) {
		opa_publish_fork_child(s->publisher);
		CHECK(counter(s, OPA_COUNT_SPANS_KEPT) == 0);
		publish_range(s, 50, 100);
		opa_publisher_destroy(s->publisher);
		_exit(0);
	}
	opa_publish_fork_parent(s->publisher);
	publish_range(s, 150, 50);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	expect_each_once(&s->f, 200, 100);
	assert_int_equal(count_entries(&s->f, "control"), 2);
	assert_int_equal(counter(s, OPA_COUNT_SPANS_KEPT), 100);
}

static void leave_by_clone(site *s)
{
	int status;
	publish_range(s, 0, 50);
	fflush(NULL);
	opa_publish_fork_prepare(s->publisher); /* as if another thread were publishing */
	pid_t pid = (pid_t)syscall(SYS_clone, (long)SIGCHLD, 0L, 0L, 0L, 0L);
	if (pid == 0) {
		alarm(60); /* who takes itself for its parent waits for the lock */
		publish_range(s, 50, 50);
		_exit(0);
	}
	opa_publish_fork_parent(s->publisher);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	publish_range(s, 100, 50);
	expect_each_once(&s->f, 150, 100);
}

static void test_child_that_ran_no_fork_handler_publishes_its_own(void **state)
{
	leave_by_clone(*state);
}

/* It asks in another way who it is. */
static void test_child_of_one_that_stays_publishes_its_own(void **state)
{
	begin_many(*state);
	leave_by_clone(*state);
}

static void test_child_that_leaves_does_not_seal_its_parents_journal(void **state)
{
	site *s = *state;
	publish_range(s, 0, 1);
	fflush(NULL);
	pid_t pid = fork();
	if (pid == 0) {
		opa_publisher_destroy(s->publisher);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_int_equal(count_entries(&s->f, "live"), 1);
	publish_range(s, 1, 1);
	expect_each_once(&s->f, 2, 100);
}

static void test_killed_in_the_middle_keeps_what_was_published(void **state)
{
	site *s = *state;
	int tube[2], status;
	uint32_t published = 0, last = 0;
	static uint8_t seen[1 << 20];
	assert_int_equal(pipe(tube), 0);
	fflush(NULL);
	opa_publish_fork_prepare(s->publisher);
	pid_t pid = fork();
	if (pid == 0) {
		opa_publish_fork_child(s->publisher);
		for (uint32_t i = 0; i < sizeof(seen); i++) {
			CHECK(publish(s, i, SIZE));
			CHECK(write(tube[1], &i, sizeof(i)) == (ssize_t)sizeof(i));
		}
		_exit(0);
	}
	opa_publish_fork_parent(s->publisher);
	close(tube[1]);
	while (published < 3000 && read(tube[0], &last, sizeof(last)) == (ssize_t)sizeof(last)) {
		published++;
	}
	kill(pid, SIGKILL);
	while (read(tube[0], &last, sizeof(last)) == (ssize_t)sizeof(last)) {
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, SIGKILL);
	read_torn(&s->f, seen, sizeof(seen), SIZE, OPA_RECORD_HEADER_SIZE + SIZE);
	for (uint32_t i = 0; i <= last; i++) {
		assert_int_equal(seen[i], 1);
	}
	close(tube[0]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_begin_of_a_trace_is_no_system_call), /* first: cmocka takes SIGBUS for each test */
		T(test_publishes_counts_and_defines_the_destination),
		T(test_destination_id_is_fnv1a),
		T(test_unused_publisher_touches_nothing),
		T(test_leaving_seals_what_was_written),
		T(test_each_destination_has_its_journal),
		T(test_counts_reach_the_control_file),
		T(test_off_file_switches_tracing_off),
		T(test_missing_exporter_is_counted_once_a_second),
		T(test_exporter_is_started_after_publishing),
		T(test_flush_waits_for_the_acknowledgement),
		T(test_threads_publish_while_a_reader_reads),
		T(test_traces_run_from_their_begin_to_their_end),
		T(test_threads_run_traces),
		T(test_forked_child_runs_its_own),
		T(test_both_sides_of_a_fork_publish),
		T(test_child_that_ran_no_fork_handler_publishes_its_own),
		T(test_child_of_one_that_stays_publishes_its_own),
		T(test_child_that_leaves_does_not_seal_its_parents_journal),
		T(test_killed_in_the_middle_keeps_what_was_published),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
