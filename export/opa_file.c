#include "opa_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#define BLOCK 4096

bool opa_file_path(char to[OPA_FILE_PATH_MAX], const char *folder, const char *name)
{
	int len = snprintf(to, OPA_FILE_PATH_MAX, "%s/%s", folder, name);
	if (len < 0 || len >= OPA_FILE_PATH_MAX) {
		errno = ENAMETOOLONG;
		return false;
	}
	return true;
}

bool opa_file_may_reach(uint64_t size)
{
	struct rlimit limit;
	if (getrlimit(RLIMIT_FSIZE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY ||
		size <= (uint64_t)limit.rlim_cur) {
		return true;
	}
	errno = EFBIG;
	return false;
}

bool opa_file_write(int fd, const void *data, size_t len, uint64_t offset)
{
	ssize_t wrote;
	do {
		wrote = pwrite(fd, data, len, (off_t)offset);
	} while (wrote < 0 && errno == EINTR);
	if (wrote < 0) {
		return false;
	}
	if ((size_t)wrote < len) {
		errno = ENOSPC; /* what a regular file's short write means */
		return false;
	}
	return true;
}

/* As much of a text as fits, whole lines. */
static size_t cut_at_line(const char *text, size_t len, size_t most)
{
	if (len <= most) {
		return len;
	}
	const char *end = memrchr(text, '\n', most);
	return end != NULL ? (size_t)(end - text) + 1 : 0;
}

bool opa_file_overwrite(const opa_spool *spool, const char *name, const char *text, size_t len)
{
	char block[BLOCK];
	struct stat st;
	int flags = O_WRONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
	int fd = opa_spool_lift_fd(openat(spool->dir, name, flags));
	if (fd < 0) {
		return false;
	}
	bool done = false;
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_blocks > 0 &&
		opa_file_may_reach(BLOCK)) {
		size_t old = st.st_size < BLOCK ? (size_t)st.st_size : BLOCK;
		size_t cut = cut_at_line(text, len, BLOCK);
		memset(block, '\n', sizeof(block));
		memcpy(block, text, cut);
		done =
			opa_file_write(fd, block, cut > old ? cut : old, 0) && ftruncate(fd, (off_t)cut) == 0;
	}
	close(fd);
	return done;
}

long opa_file_read(int fd, void *to, size_t len, uint64_t offset)
{
	size_t have = 0;
	while (have < len) {
		ssize_t got = pread(fd, (char *)to + have, len - have, (off_t)(offset + have));
		if (got < 0) {
			if (errno == EINTR) {
				continue;
			}
			return -1;
		}
		if (got == 0) {
			break;
		}
		have += (size_t)got;
	}
	return (long)have;
}

long opa_file_read_text(int dir, const char *path, char *to, size_t size)
{
	int flags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
	int fd = opa_spool_lift_fd(openat(dir, path, flags));
	if (fd < 0) {
		return -1;
	}
	long len = opa_file_read(fd, to, size - 1, 0);
	int problem = errno;
	close(fd);
	errno = problem;
	if (len >= 0) {
		to[len] = '\0';
	}
	return len;
}

int opa_file_open(const opa_spool *spool, const char *folder, const char *name, bool writable)
{
	char path[OPA_FILE_PATH_MAX];
	struct stat st;
	if (!opa_file_path(path, folder, name)) {
		return -1;
	}
	int flags = (writable ? O_RDWR : O_RDONLY) | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
	int fd = opa_spool_lift_fd(openat(spool->dir, path, flags));
	if (fd >= 0 && (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))) {
		close(fd);
		errno = EINVAL;
		return -1;
	}
	return fd;
}

int opa_file_open_common(const opa_spool *spool, const char *name)
{
	struct stat st;
	int flags = O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
	int fd = opa_spool_lift_fd(openat(spool->dir, name, flags, 0600));
	/* a umask may have taken the owner's own rights from a new file */
	if (fd >= 0 && (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) ||
					   ((st.st_mode & 0600) != 0600 && fchmod(fd, 0600) != 0))) {
		close(fd);
		return -1;
	}
	return fd;
}

DIR *opa_file_open_folder(int dir, const char *folder)
{
	int fd = openat(dir, folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *listing = fd < 0 ? NULL : fdopendir(fd);
	if (listing == NULL && fd >= 0) {
		close(fd);
	}
	return listing;
}

/* A umask may have taken the owner's own rights from the new file. */
static bool identify(int fd, opa_file *file)
{
	struct stat st;
	if (fstat(fd, &st) != 0 || ((st.st_mode & 0777) != 0600 && fchmod(fd, 0600) != 0)) {
		return false;
	}
	*file = (opa_file){.fd = fd, .device = st.st_dev, .inode = st.st_ino};
	return true;
}

static bool make_at(const opa_spool *spool, const char *tmp, const char *final, const void *content,
	size_t len, opa_file *file)
{
	int flags = O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
	int fd = opa_spool_lift_fd(openat(spool->dir, tmp, flags, 0600));
	if (fd < 0) {
		return false;
	}
	if (flock(fd, LOCK_EX | LOCK_NB) == 0 && identify(fd, file) &&
		opa_file_write(fd, content, len, 0) && renameat(spool->dir, tmp, spool->dir, final) == 0) {
		return true;
	}
	int problem = errno;
	unlinkat(spool->dir, tmp, 0);
	close(fd);
	*file = OPA_FILE_NONE;
	errno = problem;
	return false;
}

bool opa_file_make(const opa_spool *spool, const char *folder, const char *name,
	const void *content, size_t len, opa_file *file)
{
	char tmp[OPA_FILE_PATH_MAX], final[OPA_FILE_PATH_MAX];
	*file = OPA_FILE_NONE;
	if (!opa_file_may_reach(len) || !opa_file_path(tmp, "tmp", name) ||
		!opa_file_path(final, folder, name)) {
		return false;
	}
	/* Not only a matter of where traces go: a descriptor that the program has closed and used
	   again may be the root directory, and tmp/ would then be everybody's. */
	if (!opa_spool_is_intact(spool)) {
		errno = ESTALE;
		return false;
	}
	if (make_at(spool, tmp, final, content, len, file)) {
		return true;
	}
	return errno == ENOENT && opa_spool_make_folders(spool) &&
		   make_at(spool, tmp, final, content, len, file);
}

opa_file_state opa_file_look(const opa_file *file, uint64_t *size)
{
	struct stat st;
	*size = 0;
	if (file->fd < 0 || fstat(file->fd, &st) != 0 || st.st_dev != file->device ||
		st.st_ino != file->inode) {
		return OPA_FILE_FOREIGN;
	}
	*size = (uint64_t)st.st_size;
	return st.st_nlink == 0 ? OPA_FILE_REMOVED : OPA_FILE_OURS;
}

void opa_file_close(opa_file *file)
{
	uint64_t size;
	if (opa_file_look(file, &size) != OPA_FILE_FOREIGN) {
		close(file->fd);
	}
	*file = OPA_FILE_NONE;
}
