#include "spool_fixture.h"

#include "core/opa_crc32c.h"

#include <sys/file.h>
#include <sys/prctl.h>

#define HEADER_SIZE sizeof(opa_journal_header)

/* Where record i of that payload length stands, behind the header and the resource. */
#define RESOURCE_SIZE (OPA_RECORD_HEADER_SIZE + sizeof("resource seven") - 1)

static void path_of(const fixture *f, const char *folder, char *to, size_t size)
{
	snprintf(to, size, "%s/%s/" ID ".1.j", f->dir, folder);
}

/* Changes the length of the journal's file, or a byte of it, behind its owner's back. */
static void cut(const fixture *f, const char *folder, long by)
{
	char path[512];
	struct stat st;
	path_of(f, folder, path, sizeof(path));
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(truncate(path, st.st_size - by), 0);
}

static void flip(const fixture *f, const char *folder, off_t at)
{
	char path[512], byte;
	path_of(f, folder, path, sizeof(path));
	int fd = open(path, O_RDWR);
	assert_int_equal(pread(fd, &byte, 1, at), 1);
	byte ^= 0x10;
	assert_int_equal(pwrite(fd, &byte, 1, at), 1);
	close(fd);
}

/* Expects records first to last (of 100 bytes), then `then`. */
static void expect(opa_journal_reader *reader, uint32_t first, uint32_t last, opa_read then)
{
	opa_record_view view;
	for (uint32_t i = first; i <= last; i++) {
		assert_int_equal(opa_journal_reader_next(reader, &view), OPA_READ_RECORD);
		assert_int_equal(number_of(&view), i);
		assert_true(is_record(&view, i, 100));
	}
	assert_int_equal(opa_journal_reader_next(reader, &view), then);
}

static void write_some(opa_journal *journal, uint32_t first, uint32_t last)
{
	for (uint32_t i = first; i <= last; i++) {
		assert_int_equal(append(journal, i, 100), OPA_JOURNAL_OK);
	}
}

/* ---- the way of a record ---- */

static void test_what_goes_in_comes_out(void **state)
{
	fixture *f = *state;
	opa_journal *journal = make_journal(f);
	write_some(journal, 1, 3);
	opa_journal_reader *reader = open_only(f);
	assert_int_equal(opa_journal_reader_header(reader)->destination, 0xd5);
	assert_int_equal(opa_journal_reader_header(reader)->sequence, 1);
	expect(reader, 1, 3, OPA_READ_WAIT);
	opa_str fields = opa_journal_reader_resource(reader, 7);
	assert_int_equal(fields.len, RESOURCE.len);
	assert_memory_equal(fields.data, RESOURCE.data, fields.len);
	assert_int_equal(opa_journal_reader_resource(reader, 8).len, 0);
	write_some(journal, 4, 5);
	expect(reader, 4, 5, OPA_READ_WAIT);
	opa_journal_close(journal);
	opa_record_view view;
	assert_int_equal(opa_journal_reader_next(reader, &view), OPA_READ_END);
	assert_int_equal(opa_journal_reader_skipped(reader), 0);
	assert_true(opa_journal_reader_delete(reader));
	opa_journal_reader_close(reader);
	assert_int_equal(count_entries(f, "sealed") + count_entries(f, "live"), 0);
}

static void test_no_file_before_the_first_record(void **state)
{
	fixture *f = *state;
	opa_journal *journal = make_journal(f);
	assert_int_equal(count_entries(f, "live") + count_entries(f, "tmp"), 0);
	opa_journal_close(journal);
	assert_int_equal(count_entries(f, "sealed"), 0);
}

static void test_resource_stands_once_in_each_file(void **state)
{
	fixture *f = *state;
	opa_journal *journal = make_journal(f);
	uint64_t sequence, offset;
	write_some(journal, 1, 2);
	opa_journal_position(journal, &sequence, &offset);
	assert_int_equal(sequence, 1);
	assert_int_equal(
		offset, HEADER_SIZE + RESOURCE_SIZE + 2 * (OPA_RECORD_HEADER_SIZE + 100));
	opa_journal_close(journal);
}

static void test_reopened_reader_goes_on_and_knows_the_resources(void **state)
{
	fixture *f = *state;
	opa_journal *journal = make_journal(f);
	opa_record_view view;
	write_some(journal, 1, 4);
	opa_journal_reader *reader = open_only(f);
	assert_int_equal(opa_journal_reader_next(reader, &view), OPA_READ_RECORD);
	assert_int_equal(opa_journal_reader_next(reader, &view), OPA_READ_RECORD);
	uint64_t offset = opa_journal_reader_offset(reader);
	opa_journal_reader_close(reader);
	reader = opa_journal_reader_open(&f->spool, ID ".1.j", offset);
	assert_non_null(reader);
	assert_int_equal(opa_journal_reader_offset(reader), offset);
	assert_int_equal(opa_journal_reader_resource(reader, 7).len, RESOURCE.len);
	expect(reader, 3, 4, OPA_READ_WAIT);
	opa_journal_reader_close(reader);
	opa_journal_close(journal);
}

static void test_full_file_is_sealed(void **state)
{
	fixture *f = *state;
	opa_journal *journal = make_journal(f);
	uint32_t count = 0;
	opa_journal_name *names;
	while (f->sequence < 3) {
		assert_int_equal(append(journal, count++, 1000), OPA_JOURNAL_OK);
	}
	assert_int_equal(count_entries(f, "sealed"), 2);
	assert_int_equal(count_entries(f, "live"), 1);
	uint32_t found = 0;
	long listed = opa_journal_list(&f->spool, &names);
	assert_int_equal(listed, 3);
	for (long i = 0; i < listed; i++) {
		opa_record_view view;
		opa_journal_reader *reader = opa_journal_reader_open(&f->spool, names[i], 0);
		while (opa_journal_reader_next(reader, &view) == OPA_READ_RECORD) {
			assert_true(is_record(&view, found++, 1000));
		}
		assert_true(opa_journal_reader_offset(reader) <= OPA_JOURNAL_SEAL_SIZE);
		opa_journal_reader_close(reader);
	}
	assert_int_equal(found, count);
	opa_free(names);
	opa_journal_close(journal);
}

static void test_large_record_has_a_file_of_its_own(void **state)
{
	fixture *f = *state;
	size_t large = OPA_JOURNAL_SEAL_SIZE + 100000;
	opa_journal *journal = make_journal(f);
	assert_int_equal(append(journal, 1, 100), OPA_JOURNAL_OK);
	assert_int_equal(append(journal, 2, large), OPA_JOURNAL_OK);
	assert_int_equal(append(journal, 3, 100), OPA_JOURNAL_OK);
	assert_int_equal(f->sequence, 3);
	opa_record_view view;
	opa_journal_reader *reader = opa_journal_reader_open(&f->spool, ID ".2.j", 0);
	assert_int_equal(opa_journal_reader_next(reader, &view), OPA_READ_RECORD);
	assert_true(is_record(&view, 2, large));
	assert_int_equal(opa_journal_reader_next(reader, &view), OPA_READ_END);
	opa_journal_reader_close(reader);
	opa_journal_close(journal);
}

static void test_too_large_is_refused(void **state)
{
	fixture *f = *state;
	bool lost;
	opa_journal *journal = make_journal(f);
	opa_record record = make_record(1, 10);
	record.length = (size_t)OPA_RECORD_MAX_SIZE + 1;
	assert_int_equal(
		opa_journal_append(journal, &record, RESOURCE, &lost), OPA_JOURNAL_TOO_LARGE);
	drop_record(&record);
	opa_journal_close(journal);
}

static void test_list_is_oldest_first_and_journals_only(void **state)
{
	fixture *f = *state;
	static const char *const made[] = {"live/" ID ".10.j", "sealed/" ID ".9.j", "sealed/" ID ".8.j",
		"live/" ID ".7.t", "live/short.1.j", "sealed/" ID ".x.j"};
	static const char *const listed[] = {ID ".8.j", ID ".9.j", ID ".10.j"};
	for (int i = 0; i < 6; i++) {
		int fd = openat(f->spool.dir, made[i], O_WRONLY | O_CREAT, 0600);
		struct timespec times[2] = {{.tv_sec = 1000}, {.tv_sec = 1000}};
		futimens(fd, times);
		close(fd);
	}
	opa_journal_name *names;
	assert_int_equal(opa_journal_list(&f->spool, &names), 3);
	for (int i = 0; i < 3; i++) {
		assert_string_equal(names[i], listed[i]);
	}
	opa_free(names);
}

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
	int locked = make_old(f, "tmp/locked");
	assert_int_equal(flock(locked, LOCK_EX | LOCK_NB), 0);
	close(make_old(f, "tmp/forgotten"));
	close(openat(f->spool.dir, "tmp/new", O_WRONLY | O_CREAT, 0600));
	opa_journal_clean_tmp(&f->spool);
	assert_int_equal(faccessat(f->spool.dir, "tmp/locked", F_OK, 0), 0);
	assert_int_equal(faccessat(f->spool.dir, "tmp/new", F_OK, 0), 0);
	assert_int_not_equal(faccessat(f->spool.dir, "tmp/forgotten", F_OK, 0), 0);
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
	expect(reader, 1, 1, OPA_READ_WAIT);
	assert_int_equal(pwrite(fd, saved, 60, tail), 60);
	expect(reader, 2, 2, OPA_READ_WAIT);
	close(fd);
	opa_journal_reader_close(reader);
	opa_journal_close(journal);
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
		opa_journal *journal = make_journal(f);
		CHECK(append(journal, 1, 100) == OPA_JOURNAL_OK);
		CHECK(append(journal, 2, 100) == OPA_JOURNAL_OK);
		pid_t child = forks ? fork() : -1;
		if (child == 0) {
			prctl(PR_SET_PDEATHSIG, 0);
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

static void kill_victim(pid_t pid)
{
	int status;
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, &status, 0), pid);
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
	uint32_t kept = 0;
	opa_journal_result result;
	while ((result = append(journal, kept, 3000)) == OPA_JOURNAL_OK) {
		kept++;
		CHECK(kept < 100);
	}
	CHECK(result == OPA_JOURNAL_DISK_FULL);
	CHECK(kept > 5);
	opa_record_view view;
	opa_journal_reader *reader = opa_journal_reader_open(&small, ID ".1.j", 0);
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

/* ---- headers ---- */

static void test_damaged_file_header(void **state)
{
	fixture *f = *state;
	opa_journal *journal = make_journal(f);
	opa_record_view view;
	write_some(journal, 1, 1);
	flip(f, "live", 20);
	opa_journal_reader *reader = open_only(f);
	assert_int_equal(opa_journal_reader_next(reader, &view), OPA_READ_WAIT);
	opa_journal_close(journal);
	assert_int_equal(opa_journal_reader_next(reader, &view), OPA_READ_END);
	assert_int_equal(opa_journal_reader_skipped(reader), HEADER_SIZE + RESOURCE_SIZE + 148);
	opa_journal_reader_close(reader);
}

static void test_later_version_is_left_alone(void **state)
{
	fixture *f = *state;
	opa_journal_header header = {.magic = OPA_JOURNAL_MAGIC, .version = OPA_JOURNAL_VERSION + 1};
	int fd = openat(f->spool.dir, "sealed/" ID ".1.j", O_RDWR | O_CREAT, 0600);
	assert_int_equal(write(fd, &header, sizeof(header)), sizeof(header));
	close(fd);
	assert_null(opa_journal_reader_open(&f->spool, ID ".1.j", 0));
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

/* ---- memory ---- */

static void test_every_allocation_may_fail(void **state)
{
	fixture *f = *state;
	opa_journal *journal = NULL;
	for (long n = 0; journal == NULL; n++) {
		opa_alloc_fail_after(n, false);
		journal = make_journal(f);
		assert_true(n < 10);
	}
	opa_alloc_fail_after(0, true);
	assert_int_equal(append(journal, 1, 100), OPA_JOURNAL_OK); /* the writer's way needs none */
	opa_alloc_fail_after(-1, false);
	opa_journal_close(journal);
	bool all = false;
	for (long n = 0; !all; n++) {
		opa_journal_name *names;
		opa_record_view view;
		opa_alloc_fail_after(n, false);
		long listed = opa_journal_list(&f->spool, &names);
		opa_journal_reader *reader = opa_journal_reader_open(&f->spool, ID ".1.j", 0);
		opa_read read = reader != NULL ? opa_journal_reader_next(reader, &view) : OPA_READ_ERROR;
		opa_alloc_fail_after(-1, false);
		if (reader != NULL && read == OPA_READ_ERROR) {
			read = opa_journal_reader_next(reader, &view); /* nothing was consumed */
			assert_int_equal(read, OPA_READ_RECORD);
			assert_true(is_record(&view, 1, 100));
			assert_int_equal(opa_journal_reader_resource(reader, 7).len, RESOURCE.len);
			read = OPA_READ_ERROR;
		}
		all = listed == 1 && read == OPA_READ_RECORD;
		if (reader != NULL) {
			opa_journal_reader_close(reader);
		}
		opa_free(names);
		assert_true(n < 50);
	}
}

/* ---- chance ---- */

static uint32_t next_random(uint32_t *seed)
{
	*seed = *seed * 1664525u + 1013904223u;
	return *seed >> 8;
}

/* Reads a file that was damaged: whatever comes out was put in. */
static unsigned read_damaged(fixture *f, uint32_t records)
{
	opa_record_view view;
	unsigned found = 0;
	opa_journal_reader *reader = opa_journal_reader_open(&f->spool, ID ".1.j", 0);
	if (reader == NULL) {
		return 0;
	}
	opa_read read;
	while ((read = opa_journal_reader_next(reader, &view)) == OPA_READ_RECORD) {
		uint32_t number = number_of(&view);
		assert_true(number < records);
		assert_true(is_record(&view, number, 10 + number * 13));
		found++;
	}
	assert_int_equal(read, OPA_READ_END);
	opa_journal_reader_close(reader);
	return found;
}

static void test_random_damage_never_gives_a_wrong_record(void **state)
{
	fixture *f = *state;
	enum { RECORDS = 40, ROUNDS = 1500 };
	static uint8_t good[64 * 1024], bad[64 * 1024];
	opa_journal *journal = make_journal(f);
	for (uint32_t i = 0; i < RECORDS; i++) {
		assert_int_equal(append(journal, i, 10 + i * 13), OPA_JOURNAL_OK);
	}
	opa_journal_close(journal);
	int fd = openat(f->spool.dir, "sealed/" ID ".1.j", O_RDWR);
	ssize_t size = pread(fd, good, sizeof(good), 0);
	assert_true(size > 1000);
	uint32_t seed = 42;
	unsigned total = 0;
	for (int round = 0; round < ROUNDS; round++) {
		memcpy(bad, good, (size_t)size);
		size_t len = (size_t)size;
		for (uint32_t i = next_random(&seed) % 12; i > 0; i--) {
			size_t at = next_random(&seed) % len;
			if (next_random(&seed) % 4 == 0 && at + 64 < len) {
				memmove(bad + at, bad + next_random(&seed) % (len - 64), 64);
			} else {
				bad[at] = (uint8_t)next_random(&seed);
			}
		}
		if (next_random(&seed) % 4 == 0) {
			len = next_random(&seed) % len;
		}
		assert_int_equal(ftruncate(fd, 0), 0);
		assert_int_equal(pwrite(fd, bad, len, 0), len);
		total += read_damaged(f, RECORDS);
	}
	close(fd);
	assert_true(total > ROUNDS * RECORDS / 4); /* and most of what is whole is found */
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_what_goes_in_comes_out),
		T(test_no_file_before_the_first_record),
		T(test_resource_stands_once_in_each_file),
		T(test_reopened_reader_goes_on_and_knows_the_resources),
		T(test_full_file_is_sealed),
		T(test_large_record_has_a_file_of_its_own),
		T(test_too_large_is_refused),
		T(test_list_is_oldest_first_and_journals_only),
		T(test_race_file_in_tmp_is_not_listed),
		T(test_race_cleaning_leaves_what_is_locked_or_new),
		T(test_race_two_seals_before_the_reader_comes),
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
		T(test_descriptor_reused_by_the_program),
		T(test_file_size_limit_raises_no_signal),
		T(test_disk_full_keeps_what_was_there),
		T(test_damaged_file_header),
		T(test_later_version_is_left_alone),
		T(test_fork_both_sides_and_no_lock_given_up),
		T(test_every_allocation_may_fail),
		T(test_random_damage_never_gives_a_wrong_record),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
