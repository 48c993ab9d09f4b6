#include "spool_fixture.h"

#include "export/opa_file.h"
#include "export/opa_owner.h"

#include <pthread.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#define OTHER_USER 54321

static opa_spool_error open_dir(const char *dir, opa_spool *spool, int *problem)
{
	opa_spool_options options = {.dir = dir};
	return opa_spool_open(spool, &options, problem);
}

static mode_t mode_of(const char *path)
{
	struct stat st;
	assert_int_equal(lstat(path, &st), 0);
	return st.st_mode & 07777;
}

static void sub(char to[512], const fixture *f, const char *name)
{
	assert_in_range(snprintf(to, 512, "%s/%s", f->dir, name), 1, 511);
}

static void need_root(void)
{
	if (geteuid() != 0) {
		skip_because("only root can give files to other users");
	}
}

/* ---- a directory that was given ---- */

static void test_makes_the_directory_and_its_folders(void **state)
{
	static const char *const folders[] = {"tmp", "live", "sealed", "control", "dest", "rejected"};
	fixture *f = *state;
	char dir[512], folder[600];
	opa_spool spool;
	int problem;
	sub(dir, f, "made");
	mode_t before = umask(0);
	assert_int_equal(open_dir(dir, &spool, &problem), OPA_SPOOL_OK);
	umask(before);
	assert_int_equal(problem, 0);
	assert_string_equal(spool.path, dir);
	assert_int_equal(mode_of(dir), 0700);
	for (int i = 0; i < 6; i++) {
		snprintf(folder, sizeof(folder), "%s/%s", dir, folders[i]);
		assert_int_equal(mode_of(folder), 0700);
	}
	assert_int_equal(fcntl(spool.dir, F_GETFD), FD_CLOEXEC);
	opa_spool_close(&spool);
	assert_int_equal(spool.dir, -1);
}

static void test_follows_no_symlink(void **state)
{
	fixture *f = *state;
	char dir[512], link[512], slash[520];
	opa_spool spool;
	int problem;
	sub(dir, f, "real");
	sub(link, f, "link");
	snprintf(slash, sizeof(slash), "%s//", link);
	assert_int_equal(mkdir(dir, 0700), 0);
	assert_int_equal(symlink(dir, link), 0);
	assert_int_equal(open_dir(link, &spool, &problem), OPA_SPOOL_SYMLINK);
	assert_int_equal(open_dir(slash, &spool, &problem), OPA_SPOOL_SYMLINK);
	assert_int_equal(opa_spool_open_existing(&spool, link, &problem), OPA_SPOOL_SYMLINK);
	assert_int_equal(spool.dir, -1);
}

static void test_refuses_a_relative_path(void **state)
{
	(void)state;
	opa_spool spool;
	int problem;
	assert_int_equal(open_dir("here", &spool, &problem), OPA_SPOOL_NO_DIRECTORY);
	assert_int_equal(problem, EINVAL);
	assert_int_equal(open_dir("", &spool, &problem), OPA_SPOOL_NO_DIRECTORY);
}

static void test_says_why_there_is_none(void **state)
{
	fixture *f = *state;
	char dir[512];
	opa_spool spool;
	int problem;
	sub(dir, f, "no/such/parent");
	assert_int_equal(open_dir(dir, &spool, &problem), OPA_SPOOL_NO_DIRECTORY);
	assert_int_equal(problem, ENOENT);
	assert_int_equal(opa_spool_open_existing(&spool, dir, &problem), OPA_SPOOL_NO_DIRECTORY);
	assert_int_equal(problem, ENOENT);
	sub(dir, f, "file");
	close(open(dir, O_CREAT | O_WRONLY, 0600));
	assert_int_equal(open_dir(dir, &spool, &problem), OPA_SPOOL_NO_DIRECTORY);
	assert_int_equal(problem, ENOTDIR);
	assert_string_equal(
		opa_spool_error_text(OPA_SPOOL_NO_DIRECTORY), "does not exist and cannot be made");
}

static void test_directory_of_another_user_gets_a_place_in_it(void **state)
{
	fixture *f = *state;
	char dir[512], own[600];
	opa_spool spool;
	int problem;
	need_root();
	sub(dir, f, "shared");
	snprintf(own, sizeof(own), "%s/%u", dir, (unsigned)geteuid());
	assert_int_equal(mkdir(dir, 0755), 0);
	assert_int_equal(chown(dir, OTHER_USER, OTHER_USER), 0);
	assert_int_equal(open_dir(dir, &spool, &problem), OPA_SPOOL_OK);
	assert_string_equal(spool.path, own);
	opa_spool_close(&spool);
	assert_int_equal(chown(own, OTHER_USER, OTHER_USER), 0);
	assert_int_equal(open_dir(dir, &spool, &problem), OPA_SPOOL_NOT_OWNED);
	assert_int_equal(opa_spool_open_existing(&spool, own, &problem), OPA_SPOOL_NOT_OWNED);
}

static void test_directory_open_to_others_is_left_as_it_is(void **state)
{
	fixture *f = *state;
	char dir[512], own[600];
	opa_spool spool;
	int problem;
	sub(dir, f, "open");
	snprintf(own, sizeof(own), "%s/%u", dir, (unsigned)geteuid());
	assert_int_equal(mkdir(dir, 0700), 0);
	assert_int_equal(chmod(dir, 01777), 0);
	assert_int_equal(open_dir(dir, &spool, &problem), OPA_SPOOL_OK);
	assert_string_equal(spool.path, own);
	opa_spool_close(&spool);
	assert_int_equal(mode_of(dir), 01777);
	assert_int_equal(opa_spool_open_existing(&spool, dir, &problem), OPA_SPOOL_NOT_A_SPOOL);
	assert_int_equal(chmod(own, 0777), 0);
	assert_int_equal(opa_spool_open_existing(&spool, own, &problem), OPA_SPOOL_NOT_PRIVATE);
	assert_int_equal(open_dir(dir, &spool, &problem), OPA_SPOOL_OK);
	assert_int_equal(mode_of(own), 0700);
	opa_spool_close(&spool);
}

static void test_folder_that_is_a_symlink_is_refused(void **state)
{
	fixture *f = *state;
	char dir[512], folder[600];
	opa_spool spool;
	int problem;
	sub(dir, f, "trap");
	snprintf(folder, sizeof(folder), "%s/live", dir);
	assert_int_equal(mkdir(dir, 0700), 0);
	assert_int_equal(symlink(f->dir, folder), 0);
	assert_int_equal(open_dir(dir, &spool, &problem), OPA_SPOOL_NO_DIRECTORY);
	assert_int_equal(problem, ENOTDIR);
}

static void test_folder_of_another_user_is_refused(void **state)
{
	fixture *f = *state;
	char dir[512], folder[600];
	opa_spool spool;
	int problem;
	need_root();
	sub(dir, f, "given");
	snprintf(folder, sizeof(folder), "%s/sealed", dir);
	assert_int_equal(open_dir(dir, &spool, &problem), OPA_SPOOL_OK);
	opa_spool_close(&spool);
	assert_int_equal(chown(folder, OTHER_USER, OTHER_USER), 0);
	assert_int_equal(open_dir(dir, &spool, &problem), OPA_SPOOL_NO_DIRECTORY);
	assert_int_equal(problem, ENOTDIR);
}

static void test_no_memory(void **state)
{
	fixture *f = *state;
	opa_spool spool;
	opa_alloc_fail_after(0, true);
	assert_int_equal(open_spool_at(&spool, f->dir), OPA_SPOOL_NO_MEMORY);
	assert_int_equal(spool.dir, -1);
}

/* ---- the search ---- */

typedef struct search {
	char run[512], var[512], shm[512], runtime[512];
	opa_spool_places places;
} search;

static void make_places(const fixture *f, search *s)
{
	sub(s->run, f, "run");
	sub(s->var, f, "var");
	sub(s->shm, f, "shm");
	sub(s->runtime, f, "runtime");
	mkdir(s->shm, 0700);
	assert_int_equal(chmod(s->shm, 01777), 0);
	assert_int_equal(mkdir(s->runtime, 0700), 0);
	s->places = (opa_spool_places){s->run, s->var, s->shm};
}

static void expect_place(search *s, const char *runtime, const char *expected)
{
	opa_spool spool;
	int problem;
	opa_spool_options options = {.runtime_dir = runtime};
	assert_int_equal(opa_spool_open_in(&spool, &options, &s->places, &problem), OPA_SPOOL_OK);
	assert_string_equal(spool.path, expected);
	assert_int_equal(mode_of(spool.path), 0700);
	opa_spool_close(&spool);
}

static void make_for_user(const char *parent, char to[600])
{
	assert_int_equal(mkdir(parent, 0755), 0);
	snprintf(to, 600, "%s/%u", parent, (unsigned)geteuid());
	assert_int_equal(mkdir(to, 0755), 0);
}

static void test_search_goes_through_the_places_in_order(void **state)
{
	fixture *f = *state;
	search s;
	char expected[600];
	make_places(f, &s);
	snprintf(expected, sizeof(expected), "%s/opa-%u", s.shm, (unsigned)geteuid());
	expect_place(&s, NULL, expected);
	expect_place(&s, "relative", expected);
	snprintf(expected, sizeof(expected), "%s/opa", s.runtime);
	expect_place(&s, s.runtime, expected);
	make_for_user(s.var, expected);
	expect_place(&s, s.runtime, expected);
	make_for_user(s.run, expected);
	expect_place(&s, s.runtime, expected);
}

static void test_runtime_directory_of_another_user_is_not_used(void **state)
{
	fixture *f = *state;
	search s;
	char expected[600];
	need_root();
	make_places(f, &s);
	assert_int_equal(chown(s.runtime, OTHER_USER, OTHER_USER), 0);
	snprintf(expected, sizeof(expected), "%s/opa-%u", s.shm, (unsigned)geteuid());
	expect_place(&s, s.runtime, expected);
}

static void take_name(const fixture *f, const search *s, bool link)
{
	char name[600];
	snprintf(name, sizeof(name), "%s/opa-%u", s->shm, (unsigned)geteuid());
	if (link) {
		assert_int_equal(symlink(f->dir, name), 0);
	} else {
		assert_int_equal(mkdir(name, 0777), 0);
		assert_int_equal(chown(name, OTHER_USER, OTHER_USER), 0);
	}
}

static void expect_suffix(search *s)
{
	opa_spool first, second;
	int problem;
	opa_spool_options options = {0};
	assert_int_equal(opa_spool_open_in(&first, &options, &s->places, &problem), OPA_SPOOL_OK);
	assert_int_equal(opa_spool_open_in(&second, &options, &s->places, &problem), OPA_SPOOL_OK);
	assert_string_equal(first.path, second.path);
	assert_int_equal(strlen(strrchr(first.path, '-') + 1), 16);
	opa_spool_close(&first);
	opa_spool_close(&second);
}

static void test_name_taken_by_another_user(void **state)
{
	search s;
	need_root();
	make_places(*state, &s);
	take_name(*state, &s, false);
	expect_suffix(&s);
}

static void test_name_taken_by_a_symlink(void **state)
{
	search s;
	make_places(*state, &s);
	take_name(*state, &s, true);
	expect_suffix(&s);
}

static void test_suffixed_directory_of_another_user_is_not_taken(void **state)
{
	search s;
	char name[600];
	need_root();
	make_places(*state, &s);
	take_name(*state, &s, true);
	snprintf(name, sizeof(name), "%s/opa-%u-0000000000000000", s.shm, (unsigned)geteuid());
	assert_int_equal(mkdir(name, 0777), 0);
	assert_int_equal(chown(name, OTHER_USER, OTHER_USER), 0);
	expect_suffix(&s);
}

static void test_race_processes_agree_on_the_suffix(void **state)
{
	enum { PROCESSES = 8, ROUNDS = 40 };
	fixture *f = *state;
	for (int round = 0; round < ROUNDS; round++) {
		search s;
		char base[200], paths[PROCESSES][600] = {{0}};
		int go[2], answers[2];
		fixture inner;
		assert_in_range(snprintf(base, sizeof(base), "%s/%d", f->dir, round), 1, 199);
		snprintf(inner.dir, sizeof(inner.dir), "%s", base);
		assert_int_equal(mkdir(inner.dir, 0700), 0);
		make_places(&inner, &s);
		take_name(*state, &s, true);
		assert_int_equal(pipe(go), 0);
		assert_int_equal(pipe(answers), 0);
		fflush(NULL);
		for (int i = 0; i < PROCESSES; i++) {
			if (fork() == 0) {
				opa_spool spool;
				opa_spool_options options = {0};
				int problem;
				char path[600] = {0}, byte;
				close(go[1]);
				CHECK(read(go[0], &byte, 1) == 0);
				CHECK(opa_spool_open_in(&spool, &options, &s.places, &problem) == OPA_SPOOL_OK);
				snprintf(path, sizeof(path), "%s", spool.path);
				CHECK(write(answers[1], path, sizeof(path)) == (ssize_t)sizeof(path));
				_exit(0);
			}
		}
		close(go[0]);
		close(go[1]);
		for (int i = 0; i < PROCESSES; i++) {
			int status;
			assert_int_equal(read(answers[0], paths[i], sizeof(paths[i])), sizeof(paths[i]));
			assert_string_equal(paths[i], paths[0]);
			assert_true(wait(&status) > 0);
			assert_int_equal(status, 0);
		}
		close(answers[0]);
		close(answers[1]);
	}
}

/* ---- a spool that is open ---- */

static void test_notices_that_it_was_removed_or_replaced(void **state)
{
	fixture *f = *state;
	assert_true(opa_spool_is_intact(&f->spool));
	remove_tree(f->dir);
	assert_false(opa_spool_is_intact(&f->spool));
	assert_int_equal(mkdir(f->dir, 0700), 0);
	assert_false(opa_spool_is_intact(&f->spool));
}

static void test_leaves_a_descriptor_alone_that_is_another_file_now(void **state)
{
	fixture *f = *state;
	close(f->spool.dir);
	int theirs = open("/dev/null", O_RDONLY);
	assert_int_equal(theirs, f->spool.dir);
	assert_false(opa_spool_is_intact(&f->spool));
	opa_spool_close(&f->spool);
	assert_int_equal(fcntl(theirs, F_GETFD) >= 0, 1);
	close(theirs);
}

static void lift(fixture *f)
{
	opa_spool spool;
	int problem;
	close(0);
	close(1);
	CHECK(opa_spool_open_existing(&spool, f->dir, &problem) == OPA_SPOOL_OK);
	CHECK(spool.dir > 2);
	CHECK(fcntl(spool.dir, F_GETFD) == FD_CLOEXEC);
	CHECK(fcntl(0, F_GETFD) < 0 && fcntl(1, F_GETFD) < 0);
	CHECK(opa_spool_lift_fd(-1) == -1);
	opa_spool_close(&spool);
}

static void test_never_takes_a_standard_stream(void **state)
{
	assert_int_equal(in_child(lift, *state), 0);
}

static void test_replaces_and_reads_a_file(void **state)
{
	fixture *f = *state;
	char text[8];
	assert_int_equal(opa_spool_read_file(&f->spool, "state", text, sizeof(text)), -1);
	assert_true(opa_spool_replace_file(&f->spool, "state", "first", 5));
	assert_true(opa_spool_replace_file(&f->spool, "state", "abcdefghij", 10));
	assert_int_equal(opa_spool_read_file(&f->spool, "state", text, sizeof(text)), 7);
	assert_string_equal(text, "abcdefg");
	assert_int_equal(count_entries(f, "tmp"), 0);
	assert_false(opa_spool_replace_file(&f->spool, "no/such", "x", 1));
	assert_int_equal(count_entries(f, "tmp"), 0);
}

static void replace_limited(fixture *f)
{
	struct rlimit limit = {.rlim_cur = 4, .rlim_max = 4};
	CHECK(setrlimit(RLIMIT_FSIZE, &limit) == 0);
	CHECK(!opa_spool_replace_file(&f->spool, "state", "12345", 5));
	CHECK(errno == EFBIG);
	CHECK(opa_spool_replace_file(&f->spool, "state", "1234", 4));
}

static void test_replacing_raises_no_signal(void **state)
{
	assert_int_equal(in_child(replace_limited, *state), 0);
}

/* Longer or shorter than what was there, or longer than a block. */
static void test_overwrites_within_the_first_block(void **state)
{
	fixture *f = *state;
	static char text[6000], found[8000];
	size_t sizes[] = {3000, 20, 500, 4096, 6000, 10};
	assert_false(opa_file_overwrite(&f->spool, "state", "a=1\n", 4)); /* there is no block */
	assert_true(opa_spool_replace_file(&f->spool, "state", "a=1\n", 4));
	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		memset(text, 'a' + (int)i, sizes[i]);
		for (size_t at = 9; at < sizes[i]; at += 10) {
			text[at] = '\n';
		}
		size_t expected = sizes[i] > 4096 ? 4090 : sizes[i];
		assert_true(opa_file_overwrite(&f->spool, "state", text, sizes[i]));
		assert_int_equal(opa_spool_read_file(&f->spool, "state", found, sizeof(found)), expected);
		assert_memory_equal(found, text, expected);
	}
	assert_int_equal(symlinkat("state", f->spool.dir, "link"), 0);
	assert_false(opa_file_overwrite(&f->spool, "link", "a=1\n", 4));
}

/* ---- size ---- */

static void put_text(const fixture *f, const char *name, const char *text)
{
	char path[600];
	snprintf(path, sizeof(path), "%s/%s", f->dir, name);
	for (char *p = path + strlen(f->dir) + 1; (p = strchr(p, '/')) != NULL; *p++ = '/') {
		*p = '\0';
		mkdir(path, 0700);
	}
	FILE *file = fopen(path, "w");
	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

static void test_memory_limit_of_cgroup_version_2(void **state)
{
	fixture *f = *state;
	assert_true(opa_spool_cgroup_limit(f->dir) == UINT64_MAX);
	put_text(f, "proc/self/cgroup", "0::/system/php\n");
	assert_true(opa_spool_cgroup_limit(f->dir) == UINT64_MAX);
	put_text(f, "sys/fs/cgroup/system/php/memory.max", "max\n");
	put_text(f, "sys/fs/cgroup/system/memory.max", "200000000\n");
	assert_true(opa_spool_cgroup_limit(f->dir) == 200000000);
	put_text(f, "sys/fs/cgroup/system/php/memory.max", "100000000\n");
	assert_true(opa_spool_cgroup_limit(f->dir) == 100000000);
	put_text(f, "sys/fs/cgroup/memory.max", "50000000\n");
	assert_true(opa_spool_cgroup_limit(f->dir) == 50000000);
}

static void test_memory_limit_of_cgroup_version_1(void **state)
{
	fixture *f = *state;
	put_text(f, "proc/self/cgroup",
		"12:cpu,cpuacct:/a\n7:hugetlb,memory:/docker/1f\n1:name=systemd:/docker/1f\n0::/\n");
	put_text(f, "sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n");
	assert_true(opa_spool_cgroup_limit(f->dir) == UINT64_MAX);
	put_text(f, "sys/fs/cgroup/memory/memory.limit_in_bytes", "300000000\n");
	assert_true(opa_spool_cgroup_limit(f->dir) == 300000000);
	put_text(f, "sys/fs/cgroup/memory/docker/1f/memory.limit_in_bytes", "64000000\n");
	assert_true(opa_spool_cgroup_limit(f->dir) == 64000000);
}

static void test_size_is_bounded_by_default_and_by_setting(void **state)
{
	fixture *f = *state;
	opa_spool spool;
	int problem;
	assert_in_range(f->spool.max_size, 1, 64u * 1024 * 1024);
	opa_spool_options options = {.dir = f->dir, .max_size = 12345};
	assert_int_equal(opa_spool_open(&spool, &options, &problem), OPA_SPOOL_OK);
	assert_int_equal(spool.max_size, 12345);
	opa_spool_close(&spool);
}

/* ---- owners ---- */

static void test_owner_of_this_process_is_alive(void **state)
{
	(void)state;
	opa_owner owner;
	opa_owner_self(&owner);
	assert_int_equal(owner.pid, getpid());
	assert_true(owner.start_time != 0 && owner.boot != 0 && owner.namespaces != 0);
	assert_int_equal(opa_owner_look(&owner), OPA_OWNER_ALIVE);
	assert_false(opa_owner_is_gone(&owner));
}

static void test_owner_with_another_start_time_is_gone(void **state)
{
	(void)state;
	opa_owner owner;
	opa_owner_self(&owner);
	owner.start_time++;
	assert_true(opa_owner_is_gone(&owner));
}

static void test_owner_of_another_boot_is_gone(void **state)
{
	(void)state;
	opa_owner owner;
	opa_owner_self(&owner);
	owner.boot ^= 1;
	owner.namespaces ^= 1;
	assert_true(opa_owner_is_gone(&owner));
}

static void test_owner_that_cannot_be_told_is_not_gone(void **state)
{
	(void)state;
	opa_owner owner, self;
	opa_owner_self(&self);
	owner = self;
	owner.namespaces ^= 1;
	owner.start_time++;
	assert_int_equal(opa_owner_look(&owner), OPA_OWNER_UNKNOWN);
	owner = self;
	owner.start_time = 0;
	assert_int_equal(opa_owner_look(&owner), OPA_OWNER_UNKNOWN);
	memset(&owner, 0, sizeof(owner));
	assert_int_equal(opa_owner_look(&owner), OPA_OWNER_UNKNOWN);
}

static void test_zombie_is_gone(void **state)
{
	(void)state;
	int tube[2], status;
	opa_owner owner;
	siginfo_t info;
	assert_int_equal(pipe(tube), 0);
	fflush(NULL);
	pid_t pid = fork();
	if (pid == 0) {
		opa_owner_self(&owner);
		CHECK(write(tube[1], &owner, sizeof(owner)) == (ssize_t)sizeof(owner));
		_exit(0);
	}
	assert_int_equal(read(tube[0], &owner, sizeof(owner)), sizeof(owner));
	assert_int_equal(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
	assert_true(opa_owner_is_gone(&owner));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(opa_owner_is_gone(&owner));
	close(tube[0]);
	close(tube[1]);
}

static void *wait_forever(void *unused)
{
	for (;;) {
		pause();
	}
	return unused;
}

static bool is_zombie(pid_t pid)
{
	char path[64], state = 0;
	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	FILE *file = fopen(path, "r");
	assert_non_null(file);
	assert_int_equal(fscanf(file, "%*d %*s %c", &state), 1);
	fclose(file);
	return state == 'Z';
}

static void test_process_whose_first_thread_has_left_is_alive(void **state)
{
	(void)state;
	int tube[2], status;
	opa_owner owner;
	assert_int_equal(pipe(tube), 0);
	fflush(NULL);
	pid_t pid = fork();
	if (pid == 0) {
		pthread_t thread;
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		opa_owner_self(&owner);
		CHECK(pthread_create(&thread, NULL, wait_forever, NULL) == 0);
		CHECK(write(tube[1], &owner, sizeof(owner)) == (ssize_t)sizeof(owner));
		syscall(SYS_exit, 0);
	}
	assert_int_equal(read(tube[0], &owner, sizeof(owner)), sizeof(owner));
	for (int i = 0; i < 20000 && !is_zombie(pid); i++) {
		pause_shortly();
	}
	assert_true(is_zombie(pid));
	opa_owner_state alive = opa_owner_look(&owner);
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(alive, OPA_OWNER_ALIVE);
	assert_int_equal(opa_owner_look(&owner), OPA_OWNER_GONE);
	close(tube[0]);
	close(tube[1]);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_makes_the_directory_and_its_folders),
		T(test_follows_no_symlink),
		T(test_refuses_a_relative_path),
		T(test_says_why_there_is_none),
		T(test_directory_of_another_user_gets_a_place_in_it),
		T(test_directory_open_to_others_is_left_as_it_is),
		T(test_folder_that_is_a_symlink_is_refused),
		T(test_folder_of_another_user_is_refused),
		T(test_no_memory),
		T(test_search_goes_through_the_places_in_order),
		T(test_runtime_directory_of_another_user_is_not_used),
		T(test_name_taken_by_another_user),
		T(test_name_taken_by_a_symlink),
		T(test_suffixed_directory_of_another_user_is_not_taken),
		T(test_race_processes_agree_on_the_suffix),
		T(test_notices_that_it_was_removed_or_replaced),
		T(test_leaves_a_descriptor_alone_that_is_another_file_now),
		T(test_never_takes_a_standard_stream),
		T(test_replaces_and_reads_a_file),
		T(test_replacing_raises_no_signal),
		T(test_overwrites_within_the_first_block),
		T(test_memory_limit_of_cgroup_version_2),
		T(test_memory_limit_of_cgroup_version_1),
		T(test_size_is_bounded_by_default_and_by_setting),
		T(test_owner_of_this_process_is_alive),
		T(test_owner_with_another_start_time_is_gone),
		T(test_owner_of_another_boot_is_gone),
		T(test_owner_that_cannot_be_told_is_not_gone),
		T(test_zombie_is_gone),
		T(test_process_whose_first_thread_has_left_is_alive),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
