#include "opa_host.h"
#include "opa_id.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
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

static void put(char *to, size_t size, const char *text)
{
	size_t len = strnlen(text, size - 1);
	memcpy(to, text, len);
	to[len] = '\0';
}

void opa_host_name(char *to, size_t size)
{
	struct utsname uts; /* gethostname(2) refuses what it would have to cut */
	put(to, size, uname(&uts) == 0 ? uts.nodename : "");
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
	put(to, size, name);
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

/* The last run of exactly 64 hex digits in the line: of nested containers that is the innermost. */
static bool find_id(const char *line, const char *end, char *to, size_t size)
{
	bool found = false;
	for (const char *p = line; p < end; p++) {
		size_t n = strspn(p, "0123456789abcdef");
		if (n == CONTAINER_ID_LEN && size > n) {
			memcpy(to, p, n);
			to[n] = '\0';
			found = true;
		}
		p += n;
	}
	return found;
}

/*
 * With cgroup v1 the id stands in the cgroup's path; with v2 and a cgroup namespace only the mount
 * of /etc/hostname shows it (other mounts may be those of other containers).
 */
static bool find_container_id(const char *text, const char *must_have, char *to, size_t size)
{
	for (const char *line = text; *line != '\0';) {
		const char *end = line + strcspn(line, "\n");
		if (memmem(line, (size_t)(end - line), must_have, strlen(must_have)) != NULL &&
			find_id(line, end, to, size)) {
			return true;
		}
		line = *end == '\0' ? end : end + 1;
	}
	return false;
}

/* Line by line, because a host's list of mounts may be long. */
static bool search_file(const char *path, const char *must_have, char *to, size_t size)
{
	char text[16384];
	size_t len = 0;
	ssize_t got;
	bool found = false;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0) {
		return false;
	}
	while (!found && (got = read(fd, text + len, sizeof(text) - 1 - len)) > 0) {
		len += (size_t)got;
		text[len] = '\0';
		char *last = strrchr(text, '\n');
		size_t whole = last == NULL ? 0 : (size_t)(last + 1 - text);
		if (whole == 0) {
			len = len == sizeof(text) - 1 ? 0 : len; /* a line that long is none of ours */
			continue;
		}
		*last = '\0';
		found = find_container_id(text, must_have, to, size);
		len -= whole;
		memmove(text, text + whole, len);
	}
	close(fd);
	return found;
}

/*
 * Docker, Podman, containerd (in Kubernetes) and CRI-O mount /etc/hostname. To ask is far cheaper
 * than to read what the kernel makes anew for each reader: 30 us and more.
 */
static bool may_be_mounted(const char *path)
{
#ifdef STATX_ATTR_MOUNT_ROOT
	struct statx stx;
	if (statx(AT_FDCWD, path, AT_STATX_DONT_SYNC, STATX_TYPE, &stx) != 0) {
		return errno != ENOENT;
	}
	return (stx.stx_attributes_mask & STATX_ATTR_MOUNT_ROOT) == 0 ||
		   (stx.stx_attributes & STATX_ATTR_MOUNT_ROOT) != 0;
#else
	(void)path;
	return true;
#endif
}

void opa_host_container_id(char *to, size_t size)
{
	to[0] = '\0';
	if (may_be_mounted("/etc/hostname") && !search_file("/proc/self/cgroup", "/", to, size)) {
		search_file("/proc/self/mountinfo", " /etc/hostname ", to, size);
	}
}
