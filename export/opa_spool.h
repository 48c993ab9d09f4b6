/*
 * The spool: the directory through which finished traces go from PHP's processes to opa-exporter.
 * Found (or made) once by each process, then used through its descriptor only, so that no later
 * rename or symlink of a path leads elsewhere.
 *
 *   <spool>/tmp/       journals that are being made
 *   <spool>/live/      journals that a process writes to
 *   <spool>/sealed/    journals that are full or whose process left in order
 *   <spool>/control/   one file of counters for each process
 *   <spool>/dest/      destinations: where the journals that name them are to go
 *   <spool>/rejected/  the last records that a collector refused
 *   <spool>/store/     the local store, where it has no better place
 *   <spool>/lease      locked by the exporter that serves this spool
 *   <spool>/state      what the exporter has to say (text)
 *   <spool>/usage      the spool's size (opa_usage.h)
 *   <spool>/counters   what processes have counted that cannot make such a file (opa_control.h)
 *   <spool>/rate-<n>   when the last traces began, n of which may in a second (opa_rate.h)
 *   <spool>/launch     errno of a start of the exporter that failed (text)
 *   <spool>/logged-<n> in these ten minutes a problem was logged already
 *   <spool>/off        if it exists, tracing is off
 *
 * No function prints. A descriptor made here is close-on-exec and never 0, 1 or 2, which a program
 * may have closed and would then take for its standard streams.
 */
#ifndef OPA_SPOOL_H
#define OPA_SPOOL_H

#include "../core/opa_outlet.h"

#define OPA_SPOOL_PATH_MAX 4096

typedef enum opa_spool_error {
	OPA_SPOOL_OK = 0,
	OPA_SPOOL_NO_DIRECTORY, /* none of the places exists or can be made */
	OPA_SPOOL_NOT_OWNED,    /* it belongs to another user */
	OPA_SPOOL_NOT_PRIVATE,  /* others may write to it, and that is not to be changed */
	OPA_SPOOL_SYMLINK,      /* a symlink stands where the directory should be */
	OPA_SPOOL_NO_MEMORY,
	OPA_SPOOL_NO_DESCRIPTOR, /* the process (or the system) has as many open as it may */
	OPA_SPOOL_NOT_A_SPOOL,   /* there are other things in it */
} opa_spool_error;

typedef struct opa_spool {
	int dir;         /* the directory; -1 when not open */
	uint64_t device; /* st_dev and st_ino of it */
	uint64_t inode;
	uint64_t max_size; /* bytes; ask opa_spool_max_size() */
	bool max_known;    /* memory limits have been looked at, or nothing was to be found out */
	bool tmpfs;        /* the file system is memory */
	char *path;        /* absolute, for people and for the exporter's command line */
} opa_spool;

/*
 * Finds or makes the spool of the effective user, with its folders, and opens it. With `dir`, that
 * directory is taken if it is the user's or can be made (its parent exists); if it belongs to
 * somebody else, others may write to it (/tmp), or there are other things in it and no spool,
 * `<dir>/<euid>` is. Without: /run/opa/<euid> and
 * /var/spool/opa/<euid> where they exist, <runtime_dir>/opa if <runtime_dir> is the user's, then
 * /dev/shm/opa-<euid>, or /dev/shm/opa-<euid>-<random> when something else sits on that name (all
 * processes of one user agree on the same one).
 *
 * Nothing of opa's is put among other things: a directory that is not empty is taken only if it is
 * a spool already, or was about to become one.
 *
 * Nothing is followed through a symlink in the last component. A directory that was given as `dir`
 * keeps its mode; any other one, and every folder, is 0700. On failure *spool is not open.
 * errno of the last system call is in *system_error (0 when there was none).
 */
opa_spool_error opa_spool_open(
	opa_spool *spool, const opa_spool_options *options, int *system_error);

/* Where opa_spool_open() searches: "/run/opa", "/var/spool/opa", "/dev/shm". Else for tests. */
typedef struct opa_spool_places {
	const char *run;
	const char *var;
	const char *shm;
} opa_spool_places;

opa_spool_error opa_spool_open_in(opa_spool *spool, const opa_spool_options *options,
	const opa_spool_places *places, int *system_error);

/*
 * The same for a spool that must exist already (the exporter's way in): any other directory is
 * OPA_SPOOL_NOT_A_SPOOL, and left as it is. max_size is the default of opa_spool_options.
 */
opa_spool_error opa_spool_open_existing(opa_spool *spool, const char *path, int *system_error);

/* Closes the descriptor and frees the path. A spool that is not open is left alone. */
void opa_spool_close(opa_spool *spool);

/*
 * False when the directory has been removed or replaced since it was opened, or when the program
 * has closed the descriptor (which may now be another file's).
 */
bool opa_spool_is_intact(const opa_spool *spool);

/* Makes those of the folders that are missing. errno says why not. */
bool opa_spool_make_folders(const opa_spool *spool);

/*
 * Writes len bytes to a new file of mode 0600 and puts it in the place of `name` (relative to the
 * spool) in one step, so that a reader sees the old content or the new. False on any failure, for
 * which errno has the reason; EFBIG when RLIMIT_FSIZE is in the way.
 */
bool opa_spool_replace_file(const opa_spool *spool, const char *name, const void *data, size_t len);

/*
 * Reads at most size - 1 bytes of a file of the spool into `to` and terminates them. Answers the
 * length, or -1 when there is no such file or it cannot be read.
 */
long opa_spool_read_file(const opa_spool *spool, const char *name, char *to, size_t size);

/* Bytes that it may take; where nobody said how many, as opa_spool_options has it. */
uint64_t opa_spool_max_size(opa_spool *spool);

/* Whether that is so many. Of a spool that is small it is known without the memory limits, which
 * are several files to read. */
bool opa_spool_may_take(opa_spool *spool, uint64_t size);

/*
 * The lowest memory limit of this process's cgroups, version 1 and 2, from the files below `root`
 * ("" but in tests). UINT64_MAX when there is none.
 */
uint64_t opa_spool_cgroup_limit(const char *root);

/* Puts the descriptor at 3 or above, close-on-exec; the old one is closed. -1 stays -1. */
int opa_spool_lift_fd(int fd);

/* A line for people: "belongs to another user". Static. */
const char *opa_spool_error_text(opa_spool_error error);

#endif
