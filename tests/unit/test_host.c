/*
 * The facts about machine and process, against what the system says by other ways. The search for
 * the container's id is tested on texts, so the file itself is taken in.
 */
#include "support.h"
#include "core/opa_host_posix.c"

#include <sched.h>
#include <sys/mount.h>

#define SKIPPED 77
#define ID      "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define OTHER   "fedcba9876543210fedcba9876543210fedcba9876543210fedcba9876543210"

static void read_line(const char *command, char *to, size_t size)
{
	FILE *pipe = popen(command, "r");
	assert_non_null(pipe);
	assert_non_null(fgets(to, (int)size, pipe));
	to[strcspn(to, "\n")] = '\0';
	assert_int_equal(pclose(pipe), 0);
}

static void pid_and_user_are_this_process_s(void **state)
{
	(void)state;
	char line[64];
	assert_true(opa_host_pid() == (uint64_t)getpid());
	read_line("id -u", line, sizeof(line));
	assert_true(opa_host_uid() == strtoull(line, NULL, 10));
}

static void pid_is_told_anew_after_a_fork(void **state)
{
	(void)state;
	uint64_t parent = opa_host_pid();
	int pid = fork();
	if (pid == 0) {
		_exit(opa_host_pid() != parent && opa_host_pid() == (uint64_t)getpid() ? 0 : 1);
	}
	assert_int_equal(wait_child(pid), 0);
}

static void the_name_is_the_kernels(void **state)
{
	(void)state;
	char line[256], name[256];
	read_line("uname -n", line, sizeof(line));
	opa_host_name(name, sizeof(name));
	assert_string_equal(name, line);
}

static void texts_are_cut_to_the_room_that_there_is(void **state)
{
	(void)state;
	char full[256], *room = malloc(3);
	opa_host_name(full, sizeof(full));
	assert_true(strlen(full) > 0);
	for (size_t size = 1; size <= 3; size++) {
		memset(room, 'x', 3);
		opa_host_name(room, size);
		assert_int_equal(strlen(room), strlen(full) < size ? strlen(full) : size - 1);
		assert_memory_equal(room, full, strlen(room));
		opa_host_arch(room, size);
		assert_true(strlen(room) == size - 1);
		opa_host_container_id(room, size);
		assert_true(strlen(room) == 0);
	}
	free(room);
}

static void the_architecture_has_opentelemetrys_name(void **state)
{
	(void)state;
	char line[64], arch[64];
	read_line("uname -m", line, sizeof(line));
	opa_host_arch(arch, sizeof(arch));
	if (strcmp(line, "x86_64") == 0) {
		assert_string_equal(arch, "amd64");
	} else if (strcmp(line, "aarch64") == 0) {
		assert_string_equal(arch, "arm64");
	} else {
		assert_true(strlen(arch) > 0);
	}
}

static void the_operating_system_is_named(void **state)
{
	(void)state;
	char line[64];
	read_line("uname -s | tr A-Z a-z", line, sizeof(line));
	assert_string_equal(opa_host_os(), line);
}

static void the_containers_id_is_64_digits_or_nothing(void **state)
{
	(void)state;
	char id[80];
	memset(id, 'x', sizeof(id));
	opa_host_container_id(id, sizeof(id));
	size_t len = strlen(id);
	assert_true(len == 0 || len == CONTAINER_ID_LEN);
	assert_int_equal(strspn(id, "0123456789abcdef"), len);
}

/* What is found in a text; "" for nothing. */
static const char *found(const char *text, const char *must_have)
{
	static char id[CONTAINER_ID_LEN + 16];
	char *exact = malloc(strlen(text) + 1);
	strcpy(exact, text);
	id[0] = '\0';
	bool answer = find_container_id(exact, must_have, id, sizeof(id));
	free(exact);
	assert_int_equal(answer, id[0] != '\0');
	return id;
}

static void cgroup_v1_has_it_in_the_path(void **state)
{
	(void)state;
	assert_string_equal(found("12:pids:/docker/" ID "\n1:name=systemd:/docker/" ID "\n", "/"), ID);
	assert_string_equal(found("4:cpu:/user.slice\n3:memory:/kubepods/besteffort/"
							  "pod2c48913c-b29f-11e7-9350-020968147796/" ID,
							"/"),
		ID);
	assert_string_equal(found("0::/system.slice/docker-" ID ".scope\n", "/"), ID);
	assert_string_equal(found("0::/machine.slice/libpod-" ID ".scope/container\n", "/"), ID);
	assert_string_equal(found("1:cpu:/cri-containerd-" ID ".scope", "/"), ID);
}

static void of_nested_containers_the_innermost_counts(void **state)
{
	(void)state;
	assert_string_equal(found("12:pids:/docker/" OTHER "/docker/" ID "\n", "/"), ID);
}

static void with_cgroup_v2_the_mount_of_etc_hostname_has_it(void **state)
{
	(void)state;
	static const char mounts[] =
		"610 500 0:50 / / rw - overlay overlay rw,lowerdir=/var/lib/docker/overlay2/" OTHER "/fs\n"
		"631 610 8:1 /var/lib/docker/containers/" OTHER "/resolv.conf /etc/resolv.conf rw - ext4\n"
		"632 610 8:1 /var/lib/docker/containers/" ID
		"/hostname /etc/hostname rw - ext4 /dev/sda1 rw\n"
		"633 610 8:1 /var/lib/docker/containers/" OTHER
		"/hosts /etc/hosts rw - ext4 /dev/sda1 rw\n";
	assert_string_equal(found(mounts, " /etc/hostname "), ID);
}

/* Also where it stands at the end of much else, and next to a line that is longer than any. */
static void long_files_are_read_to_their_end(void **state)
{
	(void)state;
	char path[] = "/tmp/opa-host-XXXXXX", id[80] = "";
	int fd = mkstemp(path);
	assert_true(fd >= 0);
	FILE *file = fdopen(fd, "w");
	assert_non_null(file);
	for (unsigned i = 0; i < 500; i++) {
		fprintf(file, "%u 610 8:1 /volumes/%0*u /mnt rw - ext4 /dev/sda1 rw\n", i,
			(int)(40 + i % 91), i);
	}
	fprintf(file, "%040000u\n", 0);
	fprintf(file, "632 610 8:1 /containers/" ID "/hostname /etc/hostname rw - ext4 /dev/sda1 rw\n");
	fclose(file);
	bool found = search_file(path, " /etc/hostname ", id, sizeof(id));
	unlink(path);
	assert_true(found);
	assert_string_equal(id, ID);
	assert_false(search_file(path, " /etc/hostname ", id, sizeof(id)));
}

/* In a mount namespace of its own, as in a container: 0, or the number of the step that failed. */
static int hostname_from_elsewhere(const char *folder)
{
	char file[160], id[80];
	snprintf(file, sizeof(file), "%s/hostname", folder);
	int fd = open(file, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0 || close(fd) != 0 || mount("none", "/", "none", MS_REC | MS_PRIVATE, NULL) != 0) {
		return 1;
	}
	if (may_be_mounted("/etc/hostname")) {
		return 2;
	}
	if (mount(file, "/etc/hostname", "none", MS_BIND, NULL) != 0) {
		return 3;
	}
	opa_host_container_id(id, sizeof(id));
	return strcmp(id, ID) == 0 ? 0 : 4;
}

static void a_mount_of_etc_hostname_is_found(void **state)
{
	(void)state;
	char base[] = "/tmp/opa-host-XXXXXX", folder[128], file[160], id[80];
	opa_host_container_id(id, sizeof(id));
	if (id[0] != '\0' || access("/etc/hostname", F_OK) != 0) {
		skip(); /* this is a container itself */
	}
	assert_non_null(mkdtemp(base));
	snprintf(folder, sizeof(folder), "%s/" ID, base);
	assert_int_equal(mkdir(folder, 0700), 0);
	int pid = fork();
	if (pid == 0) {
		_exit(unshare(CLONE_NEWNS) == 0 ? hostname_from_elsewhere(folder) : SKIPPED);
	}
	int status = wait_child(pid);
	snprintf(file, sizeof(file), "%s/hostname", folder);
	unlink(file);
	rmdir(folder);
	rmdir(base);
	if (status == SKIPPED) {
		skip(); /* not root's, or not allowed here */
	}
	assert_int_equal(status, 0);
}

static void no_file_is_no_mount(void **state)
{
	(void)state;
	assert_true(may_be_mounted("/proc"));
	assert_false(may_be_mounted("/proc/self/no such file"));
}

static void other_texts_have_none(void **state)
{
	(void)state;
	assert_string_equal(found("", "/"), "");
	assert_string_equal(found("\n\n", "/"), "");
	assert_string_equal(found("0::/\n", "/"), "");
	assert_string_equal(found("0::/init.scope", "/"), "");
	assert_string_equal(found("0::/x" ID "0\n", "/"), "");
	assert_string_equal(found("0::/0123456789abcdef\n", "/"), "");
	assert_string_equal(found("0::" ID "\n", "/"), "");
	assert_string_equal(
		found("1 /x/" ID "/hosts /etc/hosts\n2 /x/hostname /etc/hostname rw\n", " /etc/hostname "),
		"");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pid_and_user_are_this_process_s),
		cmocka_unit_test(pid_is_told_anew_after_a_fork),
		cmocka_unit_test(the_name_is_the_kernels),
		cmocka_unit_test(texts_are_cut_to_the_room_that_there_is),
		cmocka_unit_test(the_architecture_has_opentelemetrys_name),
		cmocka_unit_test(the_operating_system_is_named),
		cmocka_unit_test(the_containers_id_is_64_digits_or_nothing),
		cmocka_unit_test(cgroup_v1_has_it_in_the_path),
		cmocka_unit_test(of_nested_containers_the_innermost_counts),
		cmocka_unit_test(with_cgroup_v2_the_mount_of_etc_hostname_has_it),
		cmocka_unit_test(long_files_are_read_to_their_end),
		cmocka_unit_test(a_mount_of_etc_hostname_is_found),
		cmocka_unit_test(no_file_is_no_mount),
		cmocka_unit_test(other_texts_have_none),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
