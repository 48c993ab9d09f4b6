#include "opa_control.h"
#include "opa_file.h"

#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

static bool is_whole(const opa_control_file *file, long len)
{
	return len == (long)sizeof(*file) && file->magic == OPA_CONTROL_MAGIC;
}

static bool is_gone(int fd, const opa_owner *owner)
{
	opa_owner_state state = opa_owner_look(owner);
	return state == OPA_OWNER_GONE ||
		   (state == OPA_OWNER_UNKNOWN && flock(fd, LOCK_EX | LOCK_NB) == 0);
}

/* Whether the owner is gone is asked before its last numbers are read. */
static bool visit_file(
	const opa_spool *spool, const char *name, opa_control_visitor visitor, void *user)
{
	opa_control_file file;
	int fd = opa_file_open(spool, "control", name, false);
	if (fd < 0) {
		return true;
	}
	bool go_on = true;
	if (!is_whole(&file, opa_file_read(fd, &file, sizeof(file), 0))) {
		if (flock(fd, LOCK_EX | LOCK_NB) == 0) {
			opa_control_remove(spool, name);
		}
	} else if (file.version == OPA_CONTROL_VERSION) {
		bool gone = is_gone(fd, &file.owner);
		if (is_whole(&file, opa_file_read(fd, &file, sizeof(file), 0))) {
			go_on = visitor(user, name, &file, gone);
		}
	}
	close(fd);
	return go_on;
}

void opa_control_visit(const opa_spool *spool, opa_control_visitor visitor, void *user)
{
	DIR *dir = opa_file_open_folder(spool->dir, "control");
	if (dir == NULL) {
		return;
	}
	bool go_on = true;
	for (struct dirent *entry = readdir(dir); entry != NULL && go_on; entry = readdir(dir)) {
		if (opa_control_is_name(entry->d_name)) {
			go_on = visit_file(spool, entry->d_name, visitor, user);
		}
	}
	closedir(dir);
}

/*
 * Three writes of eight bytes where the sequence changes, so that the owner, which reads sequence
 * and then offset at any moment, never takes an old file's offset for a new one's.
 */
static bool write_ack(int fd, uint64_t at, opa_ack old, opa_ack ack)
{
	const uint64_t none = 0;
	if (old.sequence != ack.sequence &&
		(!opa_file_write(fd, &none, 8, at + 8) || !opa_file_write(fd, &ack.sequence, 8, at))) {
		return false;
	}
	return opa_file_write(fd, &ack.offset, 8, at + 8);
}

bool opa_control_acknowledge(const opa_spool *spool, const char *id, uint16_t slot, opa_ack ack)
{
	char name[48];
	opa_control_file file;
	snprintf(name, sizeof(name), "%.32s.c", id);
	if (slot >= OPA_CONTROL_ACKS || !opa_control_is_name(name)) {
		return false;
	}
	int fd = opa_file_open(spool, "control", name, true);
	if (fd < 0) {
		return false;
	}
	bool done = false;
	if (is_whole(&file, opa_file_read(fd, &file, sizeof(file), 0)) &&
		file.version == OPA_CONTROL_VERSION && opa_file_may_reach(sizeof(file))) {
		opa_ack old = file.acks[slot];
		bool behind = ack.sequence < old.sequence ||
					  (ack.sequence == old.sequence && ack.offset <= old.offset);
		uint64_t at = offsetof(opa_control_file, acks) + slot * sizeof(ack);
		done = behind || write_ack(fd, at, old, ack);
	}
	close(fd);
	return done;
}
