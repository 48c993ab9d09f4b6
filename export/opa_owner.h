/*
 * Who owns a file of the spool, and whether that process is still there. Journals and control
 * files carry the same owner block and are held under flock(2) by their owner.
 */
#ifndef OPA_OWNER_H
#define OPA_OWNER_H

#include "../core/opa_base.h"

/* On disk in this machine's byte order: a spool never leaves its host. 40 bytes. */
typedef struct opa_owner {
	uint64_t pid;        /* as the process sees itself */
	uint64_t namespaces; /* inode of /proc/self/ns/pid, and above bit 32 that of .../time, because
							start times are counted in it; 0: unknown */
	uint64_t start_time; /* field 22 of /proc/self/stat, clock ticks since boot; 0: unknown */
	uint64_t boot;       /* first 64 bits of the boot id; 0: unknown */
	uint64_t created;    /* Unix time in nanoseconds */
} opa_owner;

_Static_assert(sizeof(opa_owner) == 40, "opa_owner is a disk format");

typedef enum opa_owner_state {
	OPA_OWNER_UNKNOWN, /* another pid namespace, no /proc, a block that is not filled in */
	OPA_OWNER_ALIVE,
	OPA_OWNER_GONE,
} opa_owner_state;

/* Fills in the calling process. What cannot be read stays 0. */
void opa_owner_self(opa_owner *owner);

/*
 * GONE: this boot is another one, or in the caller's own namespaces nobody has that pid with that
 * start time (a zombie is nobody: its descriptors are closed). ALIVE: there is such a process.
 */
opa_owner_state opa_owner_look(const opa_owner *owner);

/*
 * Whether the process is known to be gone. "Don't know" is false. (The other way to know is the
 * lock, see opa_journal_reader.h.)
 */
bool opa_owner_is_gone(const opa_owner *owner);

#endif
