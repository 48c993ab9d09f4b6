/*
 * Who owns a file of the spool, and whether that process is still there. Journals and control
 * files carry the same owner block and are held under flock(2) by their owner.
 */
#ifndef OPA_OWNER_H
#define OPA_OWNER_H

#include "../core/opa_base.h"

/* On disk in this machine's byte order: a spool never leaves its host. 40 bytes. */
typedef struct opa_owner {
	uint64_t pid;           /* as the process sees itself */
	uint64_t pid_namespace; /* inode of /proc/self/ns/pid; 0: unknown */
	uint64_t start_time;    /* field 22 of /proc/self/stat, clock ticks since boot; 0: unknown */
	uint64_t boot;          /* first 64 bits of the boot id; 0: unknown */
	uint64_t created;       /* Unix time in nanoseconds */
} opa_owner;

_Static_assert(sizeof(opa_owner) == 40, "opa_owner is a disk format");

/* Fills in the calling process. What cannot be read stays 0. */
void opa_owner_self(opa_owner *owner);

/*
 * Whether the process is gone: this boot is another one, or in the caller's own pid namespace
 * nobody has that pid with that start time. "Don't know" is false. (The other way to know is the
 * lock, see opa_journal_reader.h.)
 */
bool opa_owner_is_gone(const opa_owner *owner);

#endif
