/*
 * The files of the spool that a process owns (journals, control files): made in such a way that
 * nobody meets one that is not yet locked, and used in such a way that a descriptor which the
 * program has closed and that now names another file is never written to, nor closed.
 *
 * No function prints or raises a signal; on failure errno says why.
 */
#ifndef OPA_FILE_H
#define OPA_FILE_H

#include "opa_spool.h"

#include <dirent.h>

/* An open file and what it was when it was opened. fd is -1 when there is none. */
typedef struct opa_file {
	int fd;
	uint64_t device;
	uint64_t inode;
} opa_file;

#define OPA_FILE_NONE ((opa_file){.fd = -1})

/*
 * Makes tmp/<name>, locks it, writes `content`, and moves it to <folder>/<name>, in the place of
 * what stands there. The file is open for reading and writing, its mode 0600. If the spool's
 * folders are gone they are made again, but not in a spool directory that was removed or replaced
 * (ESTALE). EFBIG when RLIMIT_FSIZE is in the way.
 */
bool opa_file_make(const opa_spool *spool, const char *folder, const char *name,
	const void *content, size_t len, opa_file *file);

typedef enum opa_file_state {
	OPA_FILE_OURS,
	OPA_FILE_REMOVED, /* its last name is gone */
	OPA_FILE_FOREIGN, /* the descriptor is closed, or another file's */
} opa_file_state;

/* One fstat(2). *size is the file's; 0 if it is foreign. */
opa_file_state opa_file_look(const opa_file *file, uint64_t *size);

/* Closes the descriptor if it is still that file's; forgets it in any case. */
void opa_file_close(opa_file *file);

/* Whether a file may grow to `size` without RLIMIT_FSIZE's signal (which would be SIGXFSZ). */
bool opa_file_may_reach(uint64_t size);

/*
 * Writes all of it at `offset`, or answers false; what was written of it until then is there. A
 * short write is ENOSPC. The caller has asked opa_file_may_reach().
 */
bool opa_file_write(int fd, const void *data, size_t len, uint64_t offset);

/*
 * Writes a text of lines into the file's first block, where it needs no new room on the disk; what
 * does not fit there is cut off at a line's end. What stood behind it becomes empty lines, and then
 * goes. False when there is no such file, or it has no block.
 */
bool opa_file_overwrite(const opa_spool *spool, const char *name, const char *text, size_t len);

/* Reads until len bytes or the end of the file; -1 on failure. */
long opa_file_read(int fd, void *to, size_t len, uint64_t offset);

/*
 * Reads at most size - 1 bytes of a file, relative to the directory `dir` (AT_FDCWD as in
 * openat(2)), into `to` and terminates them; not through a symlink in the last component. Answers
 * the length, or -1.
 */
long opa_file_read_text(int dir, const char *path, char *to, size_t size);

/* Opens a file of a folder for reading (or for both), never through a symlink, never a device. */
int opa_file_open(const opa_spool *spool, const char *folder, const char *name, bool writable);

/*
 * Opens a file directly in the spool, one that processes write to in place together, for reading
 * and writing; it is made, empty, if it is not there. -1 on failure.
 */
int opa_file_open_common(const opa_spool *spool, const char *name);

/*
 * Opens a folder of the directory `dir` ("." for that itself) to be listed; never through a
 * symlink. NULL on failure. The caller closes it with closedir(3).
 */
DIR *opa_file_open_folder(int dir, const char *folder);

#define OPA_FILE_PATH_MAX 128

/* "<folder>/<name>", to be used with spool->dir. False when it is too long. */
bool opa_file_path(char to[OPA_FILE_PATH_MAX], const char *folder, const char *name);

#endif
