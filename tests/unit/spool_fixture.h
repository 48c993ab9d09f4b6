/*
 * What the tests of the way out share: a spool in a directory of its own, records, and children
 * that report by their exit status.
 */
#ifndef OPA_SPOOL_FIXTURE_H
#define OPA_SPOOL_FIXTURE_H

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#include "core/opa_alloc.h"
#include "export/opa_journal.h"
#include "export/opa_journal_reader.h"
#include "export/opa_spool.h"

#define FIXTURE __attribute__((unused)) static

typedef struct fixture {
	char dir[256];
	opa_spool spool;
	uint64_t sequence;
} fixture;

/* In a child of the test: says what is wrong and ends it. */
#define CHECK(condition)                                                                           \
	do {                                                                                           \
		if (!(condition)) {                                                                        \
			fprintf(                                                                               \
				stderr, "%s:%d: not so: %s (errno %d)\n", __FILE__, __LINE__, #condition, errno);  \
			_exit(1);                                                                              \
		}                                                                                          \
	} while (0)

FIXTURE int remove_entry(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
	(void)st;
	(void)flag;
	(void)ftw;
	return remove(path);
}

FIXTURE void remove_tree(const char *path)
{
	nftw(path, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

FIXTURE void make_directory(char *to, size_t size)
{
	const char *base = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
	snprintf(to, size, "%s/opa-unit-XXXXXX", base);
	assert_non_null(mkdtemp(to));
}

FIXTURE opa_spool_error open_spool_at(opa_spool *spool, const char *dir)
{
	int problem;
	opa_spool_options options = {.dir = dir};
	return opa_spool_open(spool, &options, &problem);
}

FIXTURE int setup(void **state)
{
	fixture *f = calloc(1, sizeof(*f));
	make_directory(f->dir, sizeof(f->dir));
	assert_int_equal(open_spool_at(&f->spool, f->dir), OPA_SPOOL_OK);
	*state = f;
	return 0;
}

FIXTURE int teardown(void **state)
{
	fixture *f = *state;
	opa_alloc_fail_after(-1, false);
	opa_spool_close(&f->spool);
	remove_tree(f->dir);
	free(f);
	return 0;
}

/* Runs body in a child; answers its exit status, or 256 and the signal that ended it. */
FIXTURE int in_child(void (*body)(fixture *), fixture *f)
{
	int status;
	fflush(NULL);
	pid_t pid = fork();
	if (pid == 0) {
		body(f);
		_exit(0);
	}
	assert_true(pid > 0);
	while (waitpid(pid, &status, 0) < 0) {
		assert_int_equal(errno, EINTR);
	}
	return WIFEXITED(status) ? WEXITSTATUS(status) : 256 + WTERMSIG(status);
}

/* The same, but it stops before it begins: step() takes it from system call to system call. */
FIXTURE pid_t start_traced(void (*body)(fixture *), fixture *f)
{
	int status;
	fflush(NULL);
	pid_t pid = fork();
	if (pid == 0) {
		CHECK(ptrace(PTRACE_TRACEME, 0, NULL, NULL) == 0);
		raise(SIGSTOP);
		body(f);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSTOPPED(status));
	return pid;
}

/* On to the beginning or the end of its next system call. False when it has ended, well. */
FIXTURE bool step(pid_t pid)
{
	int status;
	assert_int_equal(ptrace(PTRACE_SYSCALL, pid, NULL, NULL), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSTOPPED(status) || status == 0);
	return WIFSTOPPED(status);
}

#define CANNOT_MOUNT 77

/* In a child: a tmpfs of that size on the directory, for this process alone. */
FIXTURE void mount_small(const char *dir, const char *options)
{
	if (unshare(CLONE_NEWNS) != 0 || mount("none", "/", "none", MS_REC | MS_PRIVATE, "") != 0 ||
		mount("tmpfs", dir, "tmpfs", 0, options) != 0) {
		_exit(CANNOT_MOUNT);
	}
}

FIXTURE void skip_because(const char *why)
{
	fprintf(stderr, "SKIPPED: %s\n", why);
	skip();
}

FIXTURE void pause_shortly(void)
{
	nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
}

FIXTURE unsigned count_entries(const fixture *f, const char *folder)
{
	char command[512];
	unsigned count = 0;
	snprintf(command, sizeof(command), "ls -A %s/%s | wc -l", f->dir, folder);
	FILE *pipe = popen(command, "r");
	assert_non_null(pipe);
	assert_int_equal(fscanf(pipe, "%u", &count), 1);
	pclose(pipe);
	return count;
}

/* ---- records ---- */

/* Room for the header, then len bytes made from the number. Freed by drop_record(). */
FIXTURE opa_record make_record(uint32_t number, size_t len)
{
	uint8_t *block = malloc(OPA_RECORD_HEADER_SIZE + len);
	opa_record record = {
		.payload = block + OPA_RECORD_HEADER_SIZE,
		.length = len,
		.type = OPA_RECORD_SPANS,
		.flags = OPA_RECORD_COMPLETE,
		.spans = 1,
		.resource = 7,
	};
	for (size_t i = 0; i < len; i++) {
		record.payload[i] = (uint8_t)(number * 31 + i * 7);
	}
	memcpy(record.trace_id, &number, sizeof(number));
	return record;
}

FIXTURE void drop_record(opa_record *record)
{
	free(record->payload - OPA_RECORD_HEADER_SIZE);
}

FIXTURE bool is_record(const opa_record_view *view, uint32_t number, size_t len)
{
	opa_record expected = make_record(number, len);
	bool same = view->header.length == len &&
				memcmp(view->header.trace_id, expected.trace_id, 16) == 0 &&
				memcmp(view->payload, expected.payload, len) == 0;
	drop_record(&expected);
	return same;
}

FIXTURE uint32_t number_of(const opa_record_view *view)
{
	uint32_t number;
	memcpy(&number, view->header.trace_id, sizeof(number));
	return number;
}

#define ID       "00112233445566778899aabbccddeeff"
#define RESOURCE OPA_STR("resource seven")

FIXTURE opa_journal *make_journal(fixture *f)
{
	return opa_journal_create(&f->spool, ID, &f->sequence, 0, 0xd5);
}

FIXTURE opa_journal_result append(opa_journal *journal, uint32_t number, size_t len)
{
	bool lost;
	opa_record record = make_record(number, len);
	opa_journal_result result = opa_journal_append(journal, &record, RESOURCE, &lost);
	drop_record(&record);
	return result;
}

/* The only journal of the spool. */
FIXTURE opa_journal_reader *open_only(fixture *f)
{
	opa_journal_name *names;
	assert_int_equal(opa_journal_list(&f->spool, &names), 1);
	opa_journal_reader *reader = opa_journal_reader_open(&f->spool, names[0], 0);
	opa_free(names);
	return reader;
}

#endif
