#include "opa_spool.h"
#include "opa_file.h"
#include "../core/opa_alloc.h"
#include "../core/opa_entropy.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

#define MAX_SIZE (64u * 1024 * 1024)

#define TMPFS 0x01021994u
#define RAMFS 0x858458f6u

/* What may be done about a directory that is not as it should be. */
enum {
	MAKE = 1,   /* make it if it is not there */
	NARROW = 2, /* take away what others may do there: its name is opa's own */
	KNOWN = 4,  /* it is to be a spool already */
};

static const char *const folders[] = {"tmp", "live", "sealed", "control", "dest", "rejected"};
static const char *const others[] = {
	"store", "counters", "lease", "state", "usage", "launch", "off"};
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

int opa_spool_lift_fd(int fd)
{
	if (fd < 0 || fd > 2) {
		return fd;
	}
	int lifted = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	int problem = errno;
	close(fd);
	errno = problem;
	return lifted;
}

const char *opa_spool_error_text(opa_spool_error error)
{
	switch (error) {
	case OPA_SPOOL_OK:
		return "no error";
	case OPA_SPOOL_NO_DIRECTORY:
		return "does not exist and cannot be made";
	case OPA_SPOOL_NOT_OWNED:
		return "belongs to another user";
	case OPA_SPOOL_NOT_PRIVATE:
		return "can be written to by other users";
	case OPA_SPOOL_SYMLINK:
		return "is a symbolic link";
	case OPA_SPOOL_NO_MEMORY:
		return "out of memory";
	case OPA_SPOOL_NO_DESCRIPTOR:
		return "cannot be opened";
	case OPA_SPOOL_NOT_A_SPOOL:
		return "is no spool of opa's";
	}
	return "unknown error";
}

static void forget(opa_spool *spool)
{
	memset(spool, 0, sizeof(*spool));
	spool->dir = -1;
}

/* Why open(2) refused: Linux answers ENOTDIR for a symlink, and EACCES for others' directories. */
static opa_spool_error why_not(const char *path, int problem)
{
	struct stat st;
	if (problem == EMFILE || problem == ENFILE) {
		return OPA_SPOOL_NO_DESCRIPTOR;
	}
	if (problem == ENOENT || lstat(path, &st) != 0) {
		return OPA_SPOOL_NO_DIRECTORY;
	}
	if (S_ISLNK(st.st_mode)) {
		return OPA_SPOOL_SYMLINK;
	}
	return problem == EACCES && st.st_uid != geteuid() ? OPA_SPOOL_NOT_OWNED
													   : OPA_SPOOL_NO_DIRECTORY;
}

static bool is_among(const char *name, const char *const names[], size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (strcmp(name, names[i]) == 0) {
			return true;
		}
	}
	return false;
}

/* Nobody else's directory has these three. */
static bool is_spool(int dir)
{
	static const char *const marks[] = {"live", "sealed", "control"};
	struct stat st;
	for (size_t i = 0; i < COUNT(marks); i++) {
		if (fstatat(dir, marks[i], &st, AT_SYMLINK_NOFOLLOW) != 0 || !S_ISDIR(st.st_mode)) {
			return false;
		}
	}
	return true;
}

/* Empty but for what a process that was about to make a spool of it may have left. */
static opa_spool_error check_empty(int dir)
{
	DIR *listing = opa_file_open_folder(dir, ".");
	if (listing == NULL) {
		return errno == EMFILE || errno == ENFILE ? OPA_SPOOL_NO_DESCRIPTOR
												  : OPA_SPOOL_NO_DIRECTORY;
	}
	opa_spool_error error = OPA_SPOOL_OK;
	for (struct dirent *entry = readdir(listing); entry != NULL; entry = readdir(listing)) {
		const char *name = entry->d_name;
		if (strcmp(name, ".") != 0 && strcmp(name, "..") != 0 &&
			!is_among(name, folders, COUNT(folders)) && !is_among(name, others, COUNT(others)) &&
			strncmp(name, "logged-", 7) != 0 && strncmp(name, "rate-", 5) != 0) {
			error = OPA_SPOOL_NOT_A_SPOOL;
		}
	}
	closedir(listing);
	errno = 0;
	return error;
}

static opa_spool_error check_content(int fd, int what)
{
	if (is_spool(fd)) {
		return OPA_SPOOL_OK;
	}
	errno = 0;
	return (what & KNOWN) != 0 ? OPA_SPOOL_NOT_A_SPOOL : check_empty(fd);
}

static opa_spool_error check_rights(int fd, int what)
{
	struct stat st;
	if (fstat(fd, &st) != 0) {
		return OPA_SPOOL_NO_DIRECTORY;
	}
	if (st.st_uid != geteuid()) {
		return OPA_SPOOL_NOT_OWNED;
	}
	opa_spool_error error = check_content(fd, what);
	if (error != OPA_SPOOL_OK) {
		return error;
	}
	if ((what & NARROW) != 0 && (st.st_mode & 077) != 0) {
		if (fchmod(fd, 0700) != 0 || fstat(fd, &st) != 0) {
			return OPA_SPOOL_NOT_PRIVATE;
		}
	}
	return (st.st_mode & 022) != 0 ? OPA_SPOOL_NOT_PRIVATE : OPA_SPOOL_OK;
}

/* *fd is -1 on failure; errno is then that of the call that failed, or 0. */
static opa_spool_error open_directory(const char *path, int what, int *fd)
{
	int problem = 0, flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
	*fd = opa_spool_lift_fd(open(path, flags));
	if (*fd < 0 && errno == ENOENT && (what & MAKE) != 0) {
		problem = mkdir(path, 0700) != 0 && errno != EEXIST ? errno : 0;
		*fd = opa_spool_lift_fd(open(path, flags));
	}
	if (*fd < 0) {
		problem = problem != 0 && errno == ENOENT ? problem : errno;
		opa_spool_error error = why_not(path, problem);
		errno = problem;
		return error;
	}
	errno = 0;
	opa_spool_error error = check_rights(*fd, what);
	if (error != OPA_SPOOL_OK) {
		problem = errno;
		close(*fd);
		*fd = -1;
		errno = problem;
	}
	return error;
}

/* Two processes may make the same one at once. */
static bool make_folder(int dir, const char *name)
{
	struct stat st;
	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) != 0) {
		if (errno != ENOENT || (mkdirat(dir, name, 0700) != 0 && errno != EEXIST) ||
			fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) != 0) {
			return false;
		}
	}
	if (!S_ISDIR(st.st_mode) || st.st_uid != geteuid()) {
		errno = ENOTDIR;
		return false;
	}
	/* the program's umask may have taken the owner's rights */
	return (st.st_mode & 0700) == 0700 || fchmodat(dir, name, 0700, 0) == 0;
}

bool opa_spool_make_folders(const opa_spool *spool)
{
	for (size_t i = 0; i < COUNT(folders); i++) {
		if (!make_folder(spool->dir, folders[i])) {
			return false;
		}
	}
	return true;
}

/* Takes a directory that open_directory() has found good. Owns fd. */
static opa_spool_error settle(opa_spool *spool, int fd, const char *path, uint64_t max_size)
{
	struct stat st;
	struct statfs fs;
	bool given = max_size != 0;
	*spool = (opa_spool){.dir = fd, .max_size = given ? max_size : MAX_SIZE, .max_known = given};
	opa_spool_error error = OPA_SPOOL_NO_DIRECTORY;
	if (fstat(fd, &st) == 0 && opa_spool_make_folders(spool)) {
		spool->device = st.st_dev;
		spool->inode = st.st_ino;
		spool->path = opa_strndup(path, strlen(path));
		error = spool->path != NULL ? OPA_SPOOL_OK : OPA_SPOOL_NO_MEMORY;
		errno = spool->path != NULL ? 0 : ENOMEM;
	}
	if (error != OPA_SPOOL_OK) {
		int problem = errno;
		close(fd);
		forget(spool);
		errno = problem;
		return error;
	}
	if (fstatfs(fd, &fs) == 0) {
		uint64_t quarter = (uint64_t)fs.f_blocks * (uint64_t)fs.f_bsize / 4;
		spool->tmpfs = (uint32_t)fs.f_type == TMPFS || (uint32_t)fs.f_type == RAMFS;
		if (!given && quarter > 0 && quarter < spool->max_size) {
			spool->max_size = quarter;
		}
	}
	errno = 0;
	return OPA_SPOOL_OK;
}

static opa_spool_error open_at(opa_spool *spool, const char *path, int what, uint64_t max_size)
{
	int fd;
	opa_spool_error error = open_directory(path, what, &fd);
	return error != OPA_SPOOL_OK ? error : settle(spool, fd, path, max_size);
}

/* "<base><middle><euid>"; false when it is too long. */
static bool user_path(char to[OPA_SPOOL_PATH_MAX], const char *base, const char *middle)
{
	int len = snprintf(to, OPA_SPOOL_PATH_MAX, "%s%s%lu", base, middle, (unsigned long)geteuid());
	return len > 0 && len < OPA_SPOOL_PATH_MAX;
}

static opa_spool_error open_given(opa_spool *spool, const opa_spool_options *options)
{
	char path[OPA_SPOOL_PATH_MAX];
	size_t len = strlen(options->dir);
	while (len > 1 && options->dir[len - 1] == '/') {
		len--; /* a slash at the end would lead through a symlink */
	}
	if (options->dir[0] != '/' || len >= sizeof(path)) {
		errno = options->dir[0] != '/' ? EINVAL : ENAMETOOLONG;
		return OPA_SPOOL_NO_DIRECTORY;
	}
	memcpy(path, options->dir, len);
	path[len] = '\0';
	opa_spool_error error = open_at(spool, path, MAKE, options->max_size);
	if (error != OPA_SPOOL_NOT_OWNED && error != OPA_SPOOL_NOT_PRIVATE &&
		error != OPA_SPOOL_NOT_A_SPOOL) {
		return error;
	}
	char own[OPA_SPOOL_PATH_MAX];
	if (!user_path(own, path, "/")) {
		errno = ENAMETOOLONG;
		return OPA_SPOOL_NO_DIRECTORY;
	}
	return open_at(spool, own, MAKE | NARROW, options->max_size);
}

/* sudo may leave us another user's runtime directory: what root makes there, that user cannot use.
 */
static bool open_runtime(opa_spool *spool, const opa_spool_options *options)
{
	char path[OPA_SPOOL_PATH_MAX];
	struct stat st;
	const char *dir = options->runtime_dir;
	if (dir == NULL || dir[0] != '/' || stat(dir, &st) != 0 || st.st_uid != geteuid()) {
		return false;
	}
	int len = snprintf(path, sizeof(path), "%s/opa", dir);
	return len > 0 && (size_t)len < sizeof(path) &&
		   open_at(spool, path, MAKE | NARROW, options->max_size) == OPA_SPOOL_OK;
}

/*
 * The first in order of those directories "<prefix><16 hex digits>" of `base` that are the user's.
 */
static bool find_suffixed(int base, const char *prefix, char name[NAME_MAX + 1])
{
	DIR *dir = opa_file_open_folder(base, ".");
	if (dir == NULL) {
		return false;
	}
	size_t len = strlen(prefix);
	bool found = false;
	for (struct dirent *entry = readdir(dir); entry != NULL; entry = readdir(dir)) {
		struct stat st;
		const char *suffix = entry->d_name + len;
		if (strncmp(entry->d_name, prefix, len) == 0 && strlen(suffix) == 16 &&
			strspn(suffix, "0123456789abcdef") == 16 &&
			fstatat(base, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(st.st_mode) &&
			st.st_uid == geteuid() && (!found || strcmp(entry->d_name, name) < 0)) {
			snprintf(name, NAME_MAX + 1, "%s", entry->d_name);
			found = true;
		}
	}
	closedir(dir);
	return found;
}

/*
 * Keeps two processes of a user from each making a directory. Anybody can lock a directory that he
 * can read, so this does not wait for long; two directories are two spools, each with its exporter.
 */
static void lock_base(int base)
{
	for (int i = 0; i < 20 && flock(base, LOCK_EX | LOCK_NB) != 0; i++) {
		nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
	}
}

static opa_spool_error open_suffixed(opa_spool *spool, const char *base, uint64_t max_size)
{
	char prefix[64], name[NAME_MAX + 1], path[OPA_SPOOL_PATH_MAX];
	int fd = opa_spool_lift_fd(open(base, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	if (fd < 0) {
		return OPA_SPOOL_NO_DIRECTORY;
	}
	snprintf(prefix, sizeof(prefix), "opa-%lu-", (unsigned long)geteuid());
	lock_base(fd);
	if (!find_suffixed(fd, prefix, name)) {
		uint64_t random;
		opa_entropy_fill(&random, sizeof(random));
		snprintf(name, sizeof(name), "%s%016llx", prefix, (unsigned long long)random);
		mkdirat(fd, name, 0700);
	}
	int len = snprintf(path, sizeof(path), "%s/%s", base, name);
	opa_spool_error error = OPA_SPOOL_NO_DIRECTORY;
	if (len > 0 && (size_t)len < sizeof(path)) {
		error = open_at(spool, path, NARROW, max_size);
	}
	int problem = errno;
	close(fd);
	errno = problem;
	return error;
}

static opa_spool_error open_shared(opa_spool *spool, const char *base, uint64_t max_size)
{
	char path[OPA_SPOOL_PATH_MAX];
	struct stat st;
	if (!user_path(path, base, "/opa-")) {
		errno = ENAMETOOLONG;
		return OPA_SPOOL_NO_DIRECTORY;
	}
	opa_spool_error error = open_at(spool, path, MAKE | NARROW, max_size);
	if (error == OPA_SPOOL_OK || error == OPA_SPOOL_NO_MEMORY) {
		return error;
	}
	int problem = errno;
	if (error == OPA_SPOOL_NOT_A_SPOOL ||
		(lstat(path, &st) == 0 && (!S_ISDIR(st.st_mode) || st.st_uid != geteuid()))) {
		return open_suffixed(spool, base, max_size);
	}
	errno = problem;
	return error;
}

opa_spool_error opa_spool_open_in(opa_spool *spool, const opa_spool_options *options,
	const opa_spool_places *places, int *system_error)
{
	char path[OPA_SPOOL_PATH_MAX];
	opa_spool_error error = OPA_SPOOL_OK;
	const char *packaged[] = {places->run, places->var};
	forget(spool);
	errno = 0;
	if (options->dir != NULL) {
		error = open_given(spool, options);
		*system_error = error != OPA_SPOOL_OK ? errno : 0;
		return error;
	}
	for (size_t i = 0; i < 2 && spool->dir < 0; i++) {
		if (user_path(path, packaged[i], "/")) {
			open_at(spool, path, NARROW, options->max_size);
		}
	}
	if (spool->dir < 0 && !open_runtime(spool, options)) {
		error = open_shared(spool, places->shm, options->max_size);
	}
	*system_error = error != OPA_SPOOL_OK ? errno : 0;
	return error;
}

opa_spool_error opa_spool_open(
	opa_spool *spool, const opa_spool_options *options, int *system_error)
{
	static const opa_spool_places places = {"/run/opa", "/var/spool/opa", "/dev/shm"};
	return opa_spool_open_in(spool, options, &places, system_error);
}

opa_spool_error opa_spool_open_existing(opa_spool *spool, const char *path, int *system_error)
{
	forget(spool);
	errno = 0;
	opa_spool_error error = open_at(spool, path, KNOWN, 0);
	*system_error = error != OPA_SPOOL_OK ? errno : 0;
	return error;
}

static bool holds_descriptor(const opa_spool *spool)
{
	struct stat st;
	return spool->dir >= 0 && fstat(spool->dir, &st) == 0 && st.st_dev == spool->device &&
		   st.st_ino == spool->inode;
}

bool opa_spool_is_intact(const opa_spool *spool)
{
	struct stat st;
	return holds_descriptor(spool) && lstat(spool->path, &st) == 0 && st.st_dev == spool->device &&
		   st.st_ino == spool->inode;
}

void opa_spool_close(opa_spool *spool)
{
	if (holds_descriptor(spool)) {
		close(spool->dir);
	}
	if (spool->dir >= 0) {
		opa_free(spool->path);
	}
	forget(spool);
}

bool opa_spool_replace_file(const opa_spool *spool, const char *name, const void *data, size_t len)
{
	char tmp[OPA_FILE_PATH_MAX];
	uint64_t random[2];
	opa_entropy_fill(random, sizeof(random));
	snprintf(tmp, sizeof(tmp), "tmp/%016llx%016llx.t", (unsigned long long)random[0],
		(unsigned long long)random[1]);
	if (!opa_file_may_reach(len)) {
		return false;
	}
	int flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
	int fd = opa_spool_lift_fd(openat(spool->dir, tmp, flags, 0600));
	if (fd < 0) {
		return false;
	}
	bool done = fchmod(fd, 0600) == 0 && opa_file_write(fd, data, len, 0) &&
				renameat(spool->dir, tmp, spool->dir, name) == 0;
	int problem = errno;
	if (!done) {
		unlinkat(spool->dir, tmp, 0);
	}
	close(fd);
	errno = problem;
	return done;
}

long opa_spool_read_file(const opa_spool *spool, const char *name, char *to, size_t size)
{
	return opa_file_read_text(spool->dir, name, to, size);
}
