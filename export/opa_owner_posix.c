#include "opa_owner.h"
#include "opa_file.h"
#include "../core/opa_clock.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct process_stat {
	uint64_t pid;
	char state;
	uint64_t threads;
	uint64_t start_time;
} process_stat;

/* proc(5): the name in parentheses may hold anything, so fields are counted from the last ')'. */
static bool parse_stat(const char *text, process_stat *out)
{
	const char *p = strrchr(text, ')');
	if (p == NULL || p[1] != ' ' || p[2] == '\0') {
		return false;
	}
	out->pid = strtoull(text, NULL, 10);
	out->state = p[2];
	p += 2;
	for (int field = 3; field < 22; field++) {
		p = strchr(p, ' ');
		if (p == NULL) {
			return false;
		}
		p++;
		if (field + 1 == 20) {
			out->threads = strtoull(p, NULL, 10);
		}
	}
	out->start_time = strtoull(p, NULL, 10);
	return out->start_time != 0;
}

static bool read_stat(const char *path, process_stat *out)
{
	char text[1024];
	return opa_file_read_text(AT_FDCWD, path, text, sizeof(text)) > 0 && parse_stat(text, out);
}

static uint64_t namespaces(void)
{
	struct stat pids, times;
	if (stat("/proc/self/ns/pid", &pids) != 0) {
		return 0;
	}
	if (stat("/proc/self/ns/time", &times) != 0) {
		times.st_ino = 0; /* before Linux 5.6 there is one for all */
	}
	return (uint64_t)(uint32_t)pids.st_ino | (uint64_t)(uint32_t)times.st_ino << 32;
}

static uint64_t boot_id(void)
{
	char text[64];
	if (opa_file_read_text(AT_FDCWD, "/proc/sys/kernel/random/boot_id", text, sizeof(text)) <= 0) {
		return 0;
	}
	uint64_t id = 0;
	int digits = 0;
	for (const char *p = text; *p != '\0' && digits < 16; p++) {
		const char *hex = "0123456789abcdef";
		const char *at = strchr(hex, *p);
		if (at != NULL) {
			id = id << 4 | (uint64_t)(at - hex);
			digits++;
		}
	}
	return digits == 16 ? id : 0;
}

void opa_owner_self(opa_owner *owner)
{
	process_stat self;
	memset(owner, 0, sizeof(*owner));
	owner->pid = (uint64_t)getpid();
	owner->namespaces = namespaces();
	owner->boot = boot_id();
	owner->created = opa_clock_wall();
	if (read_stat("/proc/self/stat", &self)) {
		owner->start_time = self.start_time;
	}
}

/* A leader that has left its other threads behind is shown as a zombie and lives all the same. */
static bool is_dead(const process_stat *process)
{
	return process->state == 'X' || (process->state == 'Z' && process->threads <= 1);
}

/* The pid means the same process to the caller, to kill(2) and to /proc from here on. */
static opa_owner_state look_at_pid(const opa_owner *owner)
{
	if (kill((pid_t)owner->pid, 0) != 0 && errno == ESRCH) {
		return OPA_OWNER_GONE;
	}
	process_stat self, process;
	char path[64];
	snprintf(path, sizeof(path), "/proc/%llu/stat", (unsigned long long)owner->pid);
	if (owner->start_time == 0 || !read_stat("/proc/self/stat", &self) ||
		self.pid != (uint64_t)getpid() || !read_stat(path, &process)) {
		return OPA_OWNER_UNKNOWN; /* hidepid, or the /proc of another namespace */
	}
	if (process.start_time != owner->start_time || is_dead(&process)) {
		return OPA_OWNER_GONE;
	}
	return OPA_OWNER_ALIVE;
}

opa_owner_state opa_owner_look(const opa_owner *owner)
{
	uint64_t boot = boot_id();
	if (boot != 0 && owner->boot != 0 && boot != owner->boot) {
		return OPA_OWNER_GONE;
	}
	if (owner->pid == 0 || owner->pid > INT32_MAX || owner->namespaces == 0 ||
		owner->namespaces != namespaces()) {
		return OPA_OWNER_UNKNOWN;
	}
	return look_at_pid(owner);
}

bool opa_owner_is_gone(const opa_owner *owner)
{
	return opa_owner_look(owner) == OPA_OWNER_GONE;
}
