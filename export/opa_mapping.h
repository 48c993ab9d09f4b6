/*
 * A file's beginning as memory, so that a process writes to it without a system call.
 *
 * Whoever cuts such a file takes the memory away, and the next write would kill the process with
 * SIGBUS. So there is a handler for that signal from the first mapping on: it puts ordinary memory
 * in the place of what was cut, and the process goes on. A SIGBUS for any other reason is dealt
 * with as if the handler had not been: who had the signal before has it again, and from then on
 * nothing is written through a mapping. (systemd-journald guards its files in this way.)
 *
 * Only for files in memory (tmpfs): elsewhere a write may wait for the disk. A child that was
 * forked has the mapping, too, and closes it. Different mappings may be used by different threads.
 */
#ifndef OPA_MAPPING_H
#define OPA_MAPPING_H

#include "../core/opa_base.h"

/* A mapping's place in the process; they are few. */
#define OPA_MAPPINGS_MAX 4

/* Zeroed: none. */
typedef struct opa_mapping {
	void *at;
	unsigned place;
} opa_mapping;

/*
 * Maps `size` bytes, which the file must have. False, and nothing is mapped, when the system
 * refuses, OPA_MAPPINGS_MAX are open, or somebody else has taken SIGBUS since the first one. The
 * descriptor may be closed then.
 */
bool opa_mapping_open(opa_mapping *mapping, int fd, size_t size);

/*
 * Whether it may be written to, and what was written until now has reached the file. False without
 * a mapping, when the file was cut, and when the signal is no longer guarded.
 */
bool opa_mapping_holds(const opa_mapping *mapping);

/*
 * The same, and looks whether the signal is still guarded: the program may have taken it, and could
 * handle it in a way that never ends, or may have blocked it in this thread. To be asked now and
 * then; two system calls.
 */
bool opa_mapping_check(const opa_mapping *mapping);

/* None is allowed. */
void opa_mapping_close(opa_mapping *mapping);

#endif
