#include "journal_fixture.h"

#include "core/opa_crc32c.h"

#include <sys/file.h>
#include <sys/mman.h>
#include <sys/prctl.h>

/* ---- the races of the protocol ---- */

static void test_race_file_in_tmp_is_not_listed(void **state)
{
	fixture *f = *state;
	opa_journal_name *names;
	int fd = openat(f->spool.dir, "tmp/" ID ".1.j", O_WRONLY | O_CREAT, 0600);
	assert_int_equal(opa_journal_list(&f->spool, &names), 0);
	assert_null(names);
	close(fd);
}

/* How many records write_two_files() has written. */
static volatile uint32_t *written;

/* What the process writes that is looked at between any two of its system calls. */
static void write_two_files(fixture *f)
{
	opa_journal *journal = make_journal(f);
	for (uint32_t i = 1; i <= 3; i++) {
		CHECK(append(journal, i, 100) == OPA_JOURNAL_OK);
		*written = i;
	}
	CHECK(append(journal, 4, OPA_JOURNAL_SEAL_SIZE) == OPA_JOURNAL_OK); /* the second file */
	*written = 4;
	opa_journal_close(journal);
}

/* All that can be read of one journal now. When it is said to be all, it is. */
static void look_at_journal(fixture *f, const char *name, unsigned whole[2])
{
	opa_record_view view;
	opa_read read;
	unsigned records = 0, file = strstr(name, ".1.j") != NULL ? 0 : 1;
	opa_journal_reader *reader = opa_journal_reader_open(&f->spool, name, 0);
	assert_non_null(reader);
	while ((read = opa_journal_reader_next(reader, &view)) == OPA_READ_RECORD) {
		assert_int_equal(number_of(&view), file == 0 ? records + 1 : 4);
		records++;
	}
	assert_int_equal(opa_journal_reader_skipped(reader), 0);
	if (read == OPA_READ_END) {
		assert_int_equal(records, file == 0 ? 3 : 1);
		whole[file]++;
	} else {
		assert_int_equal(read, OPA_READ_WAIT);
	}
	opa_journal_reader_close(reader);
}

/* A file is made, locked, given its header, moved, written to, moved again, closed. */
static void test_race_reader_between_create_and_lock(void **state)
{
	fixture *f = *state;
	unsigned looks = 0, whole[2] = {0, 0};
	uint32_t unused; /* the child's is its own */
	written = &unused;
	pid_t pid = start_traced(write_two_files, f);
	do {
		opa_journal_name *names;
		long count = opa_journal_list(&f->spool, &names);
		for (long i = 0; i < count; i++) {
			look_at_journal(f, names[i], whole);
		}
		opa_free(names);
		looks++;
	} while (step(pid));
	print_message("%u looks\n", looks);
	assert_true(looks > 40 && whole[0] > 0 && whole[1] > 0);
}

/* Everything that was written, to its end, and then nothing is left. */
static uint32_t read_dead(fixture *f)
{
	opa_journal_name *names;
	uint32_t records = 0;
	long count = opa_journal_list(&f->spool, &names);
	for (long i = 0; i < count; i++) {
		opa_record_view view;
		opa_read read;
		opa_journal_reader *reader = opa_journal_reader_open(&f->spool, names[i], 0);
		while ((read = opa_journal_reader_next(reader, &view)) == OPA_READ_RECORD) {
			records++;
			assert_true(number_of(&view) >= 1 && number_of(&view) <= 4);
		}
		assert_int_equal(read, OPA_READ_END);
		assert_int_equal(opa_journal_reader_skipped(reader), 0);
		assert_true(opa_journal_reader_delete(reader));
		opa_journal_reader_close(reader);
	}
	opa_free(names);
	return records;
}

static void test_race_owner_killed_between_any_two_system_calls(void **state)
{
	fixture *f = *state;
	written = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	bool ended = false;
	unsigned kills = 0;
	for (; !ended; kills++) {
		f->sequence = 0;
		*written = 0;
		pid_t pid = start_traced(write_two_files, f);
		for (unsigned i = 0; i <= kills && !ended; i++) {
			ended = !step(pid);
		}
		if (!ended) {
			kill(pid, SIGKILL);
			assert_int_equal(waitpid(pid, NULL, 0), pid);
		}
		unlinkat(f->spool.dir, "tmp/" ID ".1.j", 0); /* a process's names are its own otherwise */
		unlinkat(f->spool.dir, "tmp/" ID ".2.j", 0);
		uint32_t found = read_dead(f);
		assert_in_range(found, *written, *written + 1); /* written, and not yet said so */
	}
	print_message("killed %u times\n", kills - 1);
	munmap((void *)(uintptr_t)written, 4096);
}

static int make_old(const fixture *f, const char *name)
{
	struct timespec times[2] = {{.tv_sec = 1000}, {.tv_sec = 1000}};
	int fd = openat(f->spool.dir, name, O_WRONLY | O_CREAT, 0600);
	assert_int_equal(futimens(fd, times), 0);
	return fd;
}

static void test_race_cleaning_leaves_what_is_locked_or_new(void **state)
{
	fixture *f = *state;
	int locked = make_old(f, "tmp/" ID ".1.j");
	assert_int_equal(flock(locked, LOCK_EX | LOCK_NB), 0);
	close(make_old(f, "tmp/" ID ".2.j"));
	close(openat(f->spool.dir, "tmp/" ID ".3.j", O_WRONLY | O_CREAT, 0600));
	opa_journal_clean_tmp(&f->spool);
	assert_int_equal(faccessat(f->spool.dir, "tmp/" ID ".1.j", F_OK, 0), 0);
	assert_int_equal(faccessat(f->spool.dir, "tmp/" ID ".3.j", F_OK, 0), 0);
	assert_int_not_equal(faccessat(f->spool.dir, "tmp/" ID ".2.j", F_OK, 0), 0);
	close(locked);
}

static void test_race_two_seals_before_the_reader_comes(void **state)
{
	fixture *f = *state;
	opa_journal *journal = make_journal(f);
	assert_int_equal(append(journal, 1, 100), OPA_JOURNAL_OK);
	opa_journal_reader *early = open_only(f);
	assert_int_equal(append(journal, 2, OPA_JOURNAL_SEAL_SIZE), OPA_JOURNAL_OK);
	assert_int_equal(append(journal, 3, OPA_JOURNAL_SEAL_SIZE), OPA_JOURNAL_OK);
	expect(early, 1, 1, OPA_READ_END); /* opened in live/, sealed since */
	assert_true(opa_journal_reader_delete(early));
	opa_journal_reader_close(early);
	opa_journal_name *names;
	assert_int_equal(opa_journal_list(&f->spool, &names), 2);
	opa_free(names);
	opa_journal_close(journal);
}

static void test_half_written_record_in_a_live_file_waits(void **state)
{
	fixture *f = *state;
	opa_journal *journal = make_journal(f);
	write_some(journal, 1, 2);
	char saved[60];
	char path[512];
	path_of(f, "live", path, sizeof(path));
	int fd = open(path, O_RDWR);
	off_t tail = lseek(fd, -60, SEEK_END);
	assert_int_equal(pread(fd, saved, 60, tail), 60);
	assert_int_equal(ftruncate(fd, tail), 0);
	opa_journal_reader *reader = open_only(f);
	opa_record_view view;
	expect(reader, 1, 1, OPA_READ_WAIT);
	assert_int_equal(ftruncate(fd, tail + 60), 0); /* as long as it will be, and still zeros */
	assert_int_equal(opa_journal_reader_next(reader, &view), OPA_READ_WAIT);
	assert_int_equal(pwrite(fd, saved, 60, tail), 60);
	expect(reader, 2, 2, OPA_READ_WAIT);
	close(fd);
	opa_journal_reader_close(reader);
	opa_journal_close(journal);
}

static void kill_victim(pid_t pid)
{
	int status;
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, &status, 0), pid);
}

static void test_race_sealed_with_a_forked_child_alive(void **state)
{
	fixture *f = *state;
	opa_journal *journal = make_journal(f);
	write_some(journal, 1, 1);
	opa_journal_reader *reader = open_only(f);
	fflush(NULL);
	pid_t pid = fork();
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (;;) {
			pause(); /* with the inherited descriptor, and so the lock */
		}
	}
	opa_journal_close(journal);
	expect(reader, 1, 1, OPA_READ_END);
	opa_journal_reader_close(reader);
	kill_victim(pid);
}

static void test_half_written_record_in_a_sealed_file_is_counted(void **state)
{
	fixture *f = *state;
	opa_journal *journal = make_journal(f);
	write_some(journal, 1, 2);
	opa_journal_close(journal);
	cut(f, "sealed", 60);
	opa_journal_reader *reader = open_only(f);
	expect(reader, 1, 1, OPA_READ_END);
	assert_int_equal(opa_journal_reader_skipped(reader), OPA_RECORD_HEADER_SIZE + 100 - 60);
	opa_journal_reader_close(reader);
}

static void test_damage_in_a_sealed_file_is_passed_over(void **state)
{
	fixture *f = *state;
	opa_journal *journal = make_journal(f);
	write_some(journal, 1, 4);
	opa_journal_close(journal);
	flip(f, "sealed", (off_t)(HEADER_SIZE + RESOURCE_SIZE + 148 + 5));       /* 2: its header */
	flip(f, "sealed", (off_t)(HEADER_SIZE + RESOURCE_SIZE + 148 * 2 + 100)); /* 3: its payload */
	opa_journal_reader *reader = open_only(f);
	opa_record_view view;
	assert_int_equal(opa_journal_reader_next(reader, &view), OPA_READ_RECORD);
	assert_true(is_record(&view, 1, 100));
	expect(reader, 4, 4, OPA_READ_END);
	assert_int_equal(opa_journal_reader_skipped(reader), 2 * 148);
	opa_journal_reader_close(reader);
}

static void test_damage_in_a_live_file_waits_for_its_end(void **state)
{
	fixture *f = *state;
	opa_journal *journal = make_journal(f);
	write_some(journal, 1, 3);
	flip(f, "live", (off_t)(HEADER_SIZE + RESOURCE_SIZE + 148 + 60));
	opa_journal_reader *reader = open_only(f);
	expect(reader, 1, 1, OPA_READ_WAIT);
	opa_journal_close(journal);
	expect(reader, 3, 3, OPA_READ_END);
	assert_int_equal(opa_journal_reader_skipped(reader), 148);
	opa_journal_reader_close(reader);
}

static void test_payload_that_looks_like_a_record_is_none(void **state)
{
	fixture *f = *state;
	opa_journal *journal = make_journal(f);
	bool lost;
	write_some(journal, 1, 1);
	/* record 1 as it stands in the file, and as another file would have it, inside a payload */
	opa_record outer = make_record(2, 400);
	char path[512];
	path_of(f, "live", path, sizeof(path));
	int fd = open(path, O_RDONLY);
	off_t at = (off_t)(HEADER_SIZE + RESOURCE_SIZE);
	assert_int_equal(pread(fd, outer.payload + 50, 148, at), 148);
	close(fd);
	fixture other = {.spool = f->spool, .sequence = 40};
	opa_journal *second = opa_journal_create(&f->spool, ID, &other.sequence, 0, 0xd5);
	assert_int_equal(opa_journal_append(second, &outer, RESOURCE, &lost), OPA_JOURNAL_OK);
	drop_record(&outer);
	opa_journal_close(second);
	opa_journal_close(journal);
	snprintf(path, sizeof(path), "%s/sealed/" ID ".41.j", f->dir);
	fd = open(path, O_RDWR);
	assert_int_equal(pwrite(fd, "x", 1, at + 30), 1); /* damages the outer record */
	close(fd);
	opa_record_view view;
	opa_journal_reader *reader = opa_journal_reader_open(&f->spool, ID ".41.j", 0);
	assert_int_equal(opa_journal_reader_next(reader, &view), OPA_READ_END);
	opa_journal_reader_close(reader);
}

/* Kills an owner by SIGKILL while its forked child, if there is one, keeps the file's lock. */
typedef struct victim {
	pid_t pid;
	pid_t child;
} victim;

static victim start_victim(fixture *f, bool forks)
{
	int ready[2];
	victim v = {0};
	assert_int_equal(pipe(ready), 0);
	v.pid = fork();
	if (v.pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		opa_journal *journal = make_journal(f);
		CHECK(append(journal, 1, 100) == OPA_JOURNAL_OK);
		CHECK(append(journal, 2, 100) == OPA_JOURNAL_OK);
		pid_t child = forks ? fork() : -1;
		if (child == 0) {
			alarm(60); /* should the test fail and forget it */
			close(ready[0]);
			close(ready[1]);
			for (;;) {
				pause(); /* with the inherited descriptor open */
			}
		}
		CHECK(write(ready[1], &child, sizeof(child)) == (ssize_t)sizeof(child));
		for (;;) {
			pause();
		}
	}
	assert_int_equal(read(ready[0], &v.child, sizeof(v.child)), sizeof(v.child));
	close(ready[0]);
	close(ready[1]);
	return v;
}

static void test_race_owner_killed(void **state)
{
	fixture *f = *state;
	victim v = start_victim(f, false);
	opa_journal_reader *reader = open_only(f);
	expect(reader, 1, 2, OPA_READ_WAIT);
	kill_victim(v.pid);
	opa_record_view view;
	assert_int_equal(opa_journal_reader_next(reader, &view), OPA_READ_END);
	assert_true(opa_journal_reader_delete(reader));
	opa_journal_reader_close(reader);
	assert_int_equal(count_entries(f, "live"), 0);
}

static void test_half_written_record_of_a_dead_owner_is_counted(void **state)
{
	fixture *f = *state;
	victim v = start_victim(f, false);
	cut(f, "live", 60);
	opa_journal_reader *reader = open_only(f);
	expect(reader, 1, 1, OPA_READ_WAIT);
	kill_victim(v.pid);
	opa_record_view view;
	assert_int_equal(opa_journal_reader_next(reader, &view), OPA_READ_END);
	assert_int_equal(opa_journal_reader_skipped(reader), 148 - 60);
	opa_journal_reader_close(reader);
}

static void test_race_owner_killed_with_a_forked_child_alive(void **state)
{
	fixture *f = *state;
	victim v = start_victim(f, true);
	opa_journal_reader *reader = open_only(f);
	expect(reader, 1, 2, OPA_READ_WAIT);
	kill_victim(v.pid);
	char path[512];
	path_of(f, "live", path, sizeof(path));
	int fd = open(path, O_RDONLY);
	assert_int_not_equal(flock(fd, LOCK_EX | LOCK_NB), 0); /* the child has the lock */
	opa_record_view view;
	assert_int_equal(opa_journal_reader_next(reader, &view), OPA_READ_END);
	close(fd);
	opa_journal_reader_close(reader);
	kill(v.child, SIGKILL);
}

/* The owner block of a live file is rewritten as that of a process which had this pid before. */
static void test_race_pid_reused(void **state)
{
	fixture *f = *state;
	opa_journal *journal = make_journal(f);
	write_some(journal, 1, 1);
	opa_journal_reader *before = open_only(f);
	expect(before, 1, 1, OPA_READ_WAIT);
	opa_journal_reader_close(before);
	opa_journal_close(journal);

	opa_journal_header header = {.magic = OPA_JOURNAL_MAGIC, .version = OPA_JOURNAL_VERSION};
	opa_owner_self(&header.owner);
	header.owner.start_time--;
	header.crc = opa_crc32c(0, &header, offsetof(opa_journal_header, crc));
	int fd = openat(f->spool.dir, "live/" ID ".99.j", O_RDWR | O_CREAT, 0600);
	assert_int_equal(write(fd, &header, sizeof(header)), sizeof(header));
	assert_int_equal(flock(fd, LOCK_EX | LOCK_NB), 0);
	opa_record_view view;
	opa_journal_reader *reader = opa_journal_reader_open(&f->spool, ID ".99.j", 0);
	assert_int_equal(opa_journal_reader_next(reader, &view), OPA_READ_END);
	opa_journal_reader_close(reader);
	close(fd);
}

static void test_spool_emptied_beneath_the_writer(void **state)
{
	fixture *f = *state;
	opa_journal *journal = make_journal(f);
	bool lost;
	write_some(journal, 1, 1);
	char command[512];
	snprintf(command, sizeof(command), "rm -r %s/*", f->dir);
	assert_int_equal(system(command), 0);
	opa_record record = make_record(2, 100);
	assert_int_equal(opa_journal_append(journal, &record, RESOURCE, &lost), OPA_JOURNAL_OK);
	assert_true(lost);
	assert_int_equal(opa_journal_append(journal, &record, RESOURCE, &lost), OPA_JOURNAL_OK);
	assert_false(lost);
	drop_record(&record);
	opa_journal_reader *reader = open_only(f);
	opa_record_view view;
	assert_int_equal(opa_journal_reader_next(reader, &view), OPA_READ_RECORD);
	assert_true(is_record(&view, 2, 100));
	assert_int_equal(opa_journal_reader_resource(reader, 7).len, RESOURCE.len);
	opa_journal_reader_close(reader);
	opa_journal_close(journal);
}

static void test_spool_replaced_beneath_the_writer(void **state)
{
	fixture *f = *state;
	opa_journal *journal = make_journal(f);
	write_some(journal, 1, 1);
	remove_tree(f->dir);
	assert_int_equal(mkdir(f->dir, 0700), 0);
	assert_int_equal(append(journal, 2, 100), OPA_JOURNAL_NO_FILE);
	assert_int_equal(count_entries(f, "."), 0);
	opa_journal_close(journal);
}

static void test_spool_descriptor_reused_by_the_program(void **state)
{
	fixture *f = *state;
	char path[512];
	snprintf(path, sizeof(path), "%s/theirs", f->dir);
	assert_int_equal(mkdir(path, 0700), 0);
	close(f->spool.dir);
	int theirs = open(path, O_RDONLY | O_DIRECTORY);
	assert_int_equal(theirs, f->spool.dir);
	assert_int_equal(mkdirat(theirs, "tmp", 0700), 0); /* as in "/" */
	assert_int_equal(mkdirat(theirs, "live", 0700), 0);
	opa_journal *journal = make_journal(f);
	assert_int_equal(append(journal, 1, 100), OPA_JOURNAL_NO_FILE);
	opa_journal_close(journal);
	assert_int_equal(count_entries(f, "theirs/live") + count_entries(f, "theirs/tmp"), 0);
	close(theirs);
}

static void test_umask_does_not_lock_the_exporter_out(void **state)
{
	fixture *f = *state;
	char path[512];
	struct stat st;
	mode_t before = umask(0777);
	opa_journal *journal = make_journal(f);
	opa_journal_result result = append(journal, 1, 100);
	umask(before);
	assert_int_equal(result, OPA_JOURNAL_OK);
	path_of(f, "live", path, sizeof(path));
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	opa_journal_close(journal);
}

/* The reader looks through a damaged file piece by piece; a magic may lie across two of them. */
static void test_record_behind_damage_is_found_wherever_it_stands(void **state)
{
	fixture *f = *state;
	for (size_t len = 65350; len < 65560; len++) {
		char path[512];
		opa_record_view view;
		f->sequence = 0;
		opa_journal *journal = make_journal(f);
		assert_int_equal(append(journal, 1, len), OPA_JOURNAL_OK);
		assert_int_equal(append(journal, 2, 100), OPA_JOURNAL_OK);
		opa_journal_close(journal);
		flip(f, "sealed", (off_t)(HEADER_SIZE + RESOURCE_SIZE + 60));
		opa_journal_reader *reader = open_only(f);
		assert_int_equal(opa_journal_reader_next(reader, &view), OPA_READ_RECORD);
		assert_true(is_record(&view, 2, 100));
		opa_journal_reader_close(reader);
		path_of(f, "sealed", path, sizeof(path));
		assert_int_equal(unlink(path), 0);
	}
}

static void test_descriptor_reused_by_the_program(void **state)
{
	fixture *f = *state;
	opa_journal *journal = make_journal(f);
	char victim_path[512];
	bool lost;
	int probe = open("/dev/null", O_RDONLY); /* the number that the journal's file will get */
	close(probe);
	write_some(journal, 1, 1);
	snprintf(victim_path, sizeof(victim_path), "%s/program", f->dir);
	close(probe);
	int theirs = open(victim_path, O_RDWR | O_CREAT, 0600);
	assert_int_equal(theirs, probe);
	opa_record record = make_record(2, 100);
	assert_int_equal(opa_journal_append(journal, &record, RESOURCE, &lost), OPA_JOURNAL_OK);
	assert_true(lost);
	drop_record(&record);
	struct stat st;
	assert_int_equal(fstat(theirs, &st), 0); /* still open, and nothing was written to it */
	assert_int_equal(st.st_size, 0);
	opa_journal_name *names;
	assert_int_equal(opa_journal_list(&f->spool, &names), 2);
	opa_free(names);
	opa_journal_reader *reader = opa_journal_reader_open(&f->spool, ID ".1.j", 0);
	expect(reader, 1, 1, OPA_READ_END); /* nobody holds it any more, and nothing is lost */
	opa_journal_reader_close(reader);
	close(theirs);
	opa_journal_close(journal);
}

static void limited(fixture *f)
{
	opa_journal *journal = make_journal(f);
	struct rlimit limit = {.rlim_cur = 1000, .rlim_max = 1000};
	CHECK(setrlimit(RLIMIT_FSIZE, &limit) == 0);
	CHECK(append(journal, 1, 2000) == OPA_JOURNAL_FILE_LIMIT);
	CHECK(append(journal, 2, 600) == OPA_JOURNAL_OK);
	CHECK(append(journal, 3, 600) == OPA_JOURNAL_OK); /* in a second file */
	CHECK(f->sequence == 2);
	limit.rlim_cur = 10;
	CHECK(setrlimit(RLIMIT_FSIZE, &limit) == 0);
	CHECK(append(journal, 4, 1) == OPA_JOURNAL_FILE_LIMIT);
	opa_journal_close(journal);
}

static void test_file_size_limit_raises_no_signal(void **state)
{
	assert_int_equal(in_child(limited, *state), 0);
	assert_int_equal(count_entries(*state, "sealed"), 2);
	assert_int_equal(count_entries(*state, "tmp"), 0);
}

static void fill_disk(fixture *f)
{
	opa_spool small;
	mount_small(f->dir, "size=64k,mode=0700");
	CHECK(open_spool_at(&small, f->dir) == OPA_SPOOL_OK);
	CHECK(small.tmpfs && small.max_size == 16384);
	opa_journal *journal = opa_journal_create(&small, ID, &f->sequence, 0, 1);
	CHECK(append(journal, 0, 70000) == OPA_JOURNAL_DISK_FULL);
	opa_journal_close(journal); /* a file without a record is not left behind */
	opa_journal_name *names;
	CHECK(opa_journal_list(&small, &names) == 0);
	journal = opa_journal_create(&small, ID, &f->sequence, 0, 1);
	uint32_t kept = 0;
	opa_journal_result result;
	while ((result = append(journal, kept, 3000)) == OPA_JOURNAL_OK) {
		kept++;
		CHECK(kept < 100);
	}
	CHECK(result == OPA_JOURNAL_DISK_FULL);
	CHECK(kept > 5);
	opa_record_view view;
	opa_journal_reader *reader = opa_journal_reader_open(&small, ID ".2.j", 0);
	for (uint32_t i = 0; i < kept; i++) {
		CHECK(opa_journal_reader_next(reader, &view) == OPA_READ_RECORD);
		CHECK(is_record(&view, i, 3000));
	}
	CHECK(opa_journal_reader_next(reader, &view) == OPA_READ_WAIT);
	/* what the failed write left is not there: a smaller record takes its place */
	opa_journal_close(journal);
	CHECK(opa_journal_reader_next(reader, &view) == OPA_READ_END);
	CHECK(opa_journal_reader_skipped(reader) == 0);
	CHECK(opa_journal_reader_delete(reader));
	opa_journal_reader_close(reader);
	journal = opa_journal_create(&small, ID, &f->sequence, 0, 1);
	CHECK(append(journal, 1, 3000) == OPA_JOURNAL_OK);
	opa_journal_close(journal);
	opa_spool_close(&small);
}

static void test_disk_full_keeps_what_was_there(void **state)
{
	int status = in_child(fill_disk, *state);
	if (status == CANNOT_MOUNT) {
		skip_because("a private mount is needed for a full disk");
	}
	assert_int_equal(status, 0);
}

static void test_fork_both_sides_and_no_lock_given_up(void **state)
{
	fixture *f = *state;
	opa_journal *journal = make_journal(f);
	write_some(journal, 1, 1);
	fflush(NULL);
	pid_t pid = fork();
	if (pid == 0) {
		opa_journal_abandon(journal);
		_exit(0);
	}
	int status;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	opa_journal_reader *reader = open_only(f);
	expect(reader, 1, 1, OPA_READ_WAIT); /* still locked by the parent */
	write_some(journal, 2, 2);
	expect(reader, 2, 2, OPA_READ_WAIT);
	opa_journal_reader_close(reader);
	opa_journal_close(journal);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_race_file_in_tmp_is_not_listed),
		T(test_race_reader_between_create_and_lock),
		T(test_race_owner_killed_between_any_two_system_calls),
		T(test_race_cleaning_leaves_what_is_locked_or_new),
		T(test_race_two_seals_before_the_reader_comes),
		T(test_race_sealed_with_a_forked_child_alive),
		T(test_half_written_record_in_a_live_file_waits),
		T(test_half_written_record_in_a_sealed_file_is_counted),
		T(test_half_written_record_of_a_dead_owner_is_counted),
		T(test_damage_in_a_sealed_file_is_passed_over),
		T(test_damage_in_a_live_file_waits_for_its_end),
		T(test_payload_that_looks_like_a_record_is_none),
		T(test_race_owner_killed),
		T(test_race_owner_killed_with_a_forked_child_alive),
		T(test_race_pid_reused),
		T(test_spool_emptied_beneath_the_writer),
		T(test_spool_replaced_beneath_the_writer),
		T(test_spool_descriptor_reused_by_the_program),
		T(test_umask_does_not_lock_the_exporter_out),
		T(test_record_behind_damage_is_found_wherever_it_stands),
		T(test_descriptor_reused_by_the_program),
		T(test_file_size_limit_raises_no_signal),
		T(test_disk_full_keeps_what_was_there),
		T(test_fork_both_sides_and_no_lock_given_up),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
