#include "opa_host.h"
#include "opa_id.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#define CONTAINER_ID_LEN 64u

uint64_t opa_host_pid(void)
{
	return (uint64_t)getpid();
}

uint64_t opa_host_uid(void)
{
	return (uint64_t)geteuid();
}

void opa_host_name(char *to, size_t size)
{
	struct utsname uts; /* gethostname(2) refuses what it would have to cut */
	snprintf(to, size, "%s", uname(&uts) == 0 ? uts.nodename : "");
}

void opa_host_arch(char *to, size_t size)
{
	static const char *const names[][2] = {{"x86_64", "amd64"}, {"aarch64", "arm64"},
		{"i686", "x86"}, {"i386", "x86"}, {"armv7l", "arm32"}, {"armv6l", "arm32"},
		{"ppc64le", "ppc64"}};
	struct utsname uts;
	const char *name = uname(&uts) == 0 ? uts.machine : "";
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (strcmp(name, names[i][0]) == 0) {
			name = names[i][1];
		}
	}
	snprintf(to, size, "%s", name);
}

const char *opa_host_os(void)
{
#if defined(__linux__)
	return "linux";
#elif defined(__APPLE__)
	return "darwin";
#elif defined(__FreeBSD__)
	return "freebsd";
#else
	return "";
#endif
}

/* A run of exactly 64 hex digits in the line. */
static bool find_id(const char *line, const char *end, char *to, size_t size)
{
	for (const char *p = line; p < end; p++) {
		size_t n = strspn(p, "0123456789abcdef");
		if (n == CONTAINER_ID_LEN && size > n) {
			memcpy(to, p, n);
			to[n] = '\0';
			return true;
		}
		p += n;
	}
	return false;
}

/*
 * With cgroup v1 the id stands in the cgroup's path; with v2 and a cgroup namespace only the mount
 * of /etc/hostname shows it (other mounts may be those of other containers).
 */
static bool find_container_id(const char *text, const char *must_have, char *to, size_t size)
{
	for (const char *line = text; *line != '\0';) {
		const char *end = line + strcspn(line, "\n");
		const char *word = strstr(line, must_have);
		if (word != NULL && word < end && find_id(line, end, to, size)) {
			return true;
		}
		line = *end == '\0' ? end : end + 1;
	}
	return false;
}

void opa_host_container_id(char *to, size_t size)
{
	static const char *const files[] = {"/proc/self/cgroup", "/proc/self/mountinfo"};
	static const char *const must_have[] = {"/", " /etc/hostname "};
	char text[16384];
	to[0] = '\0';
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		int fd = open(files[i], O_RDONLY | O_CLOEXEC);
		if (fd < 0) {
			continue;
		}
		size_t len = 0;
		ssize_t got;
		while (len < sizeof(text) - 1 && (got = read(fd, text + len, sizeof(text) - 1 - len)) > 0) {
			len += (size_t)got;
		}
		close(fd);
		text[len] = '\0';
		if (find_container_id(text, must_have[i], to, size)) {
			return;
		}
	}
}
